"""`Record`: the one truth of a run."""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from lit_al.exceptions import DamagedError, LitALError, StoreError
from lit_al.record import schema
from lit_al.record.checksums import of_facts, row_values
from lit_al.record.database import BROKEN, as_error, damaged, in_words, now
from lit_al.record.events import Events
from lit_al.record.facts import Facts, check_classes
from lit_al.record.integrity import check_file, event_faults, named, opened, version_of
from lit_al.record.mirror import Mirror, digest_of, put_aside, read_lines, read_texts, write_texts
from lit_al.record.people import People
from lit_al.record.place import Place
from lit_al.record.queue import Queue
from lit_al.record.sealing import seal_facts
from lit_al.record.suggestions import Suggestions
from lit_al.record.texts import Texts
from lit_al.utils.files import replacing, sync
from lit_al.utils.links import check_links, own, private

RECORD_FILE, BACKUP_FILE = "record.sqlite", "record.backup.sqlite"
MIRROR_FILE, TEXTS_FILE = "events.jsonl", "texts.jsonl"
VERSION_FILE = "record.version-{}.sqlite"  # of before it was brought up


class Record(Texts, People, Events, Queue, Suggestions):
    """A run's record; made by `create` or `open`, and closed at the end of a `with`.

    Attributes:
        facts: what the run is, as it was begun; run_id, settings and guidelines are taken from there.
        run_id: of this run and no other.
        classes: names of the labels now, in the order of their numbers.
        settings: of the run, as JSON.
        guidelines: for annotators.
        mirror_error: why the second copy of the events lags behind; "" where it does not.
        texts_error: likewise of the texts.
        lacks: why the record is not all that was said; "" where it is.
        mended: what was found damaged in these copies, and written anew, a sentence each.

    >>> import tempfile
    >>> from lit_al.record import Action, Item, NewEvent, sha256_of
    >>> record = Record.create(Path(tempfile.mkdtemp(), "record.sqlite"), ["dull", "gem"])
    >>> record.add_items([Item(7, sha256_of("so so"), "so so")])
    1
    >>> event = record.append(NewEvent("a-uuid", 7, "ann", Action.LABEL, label="dull"))
    >>> event.seq, record.labels()
    (1, {7: 'dull'})
    >>> _ = record.append(NewEvent("another", 7, "ann", Action.UNDO, undoes="a-uuid"))
    >>> record.labels(), record.last_seq()
    ({}, 2)
    >>> record.close()
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self.told():
            facts = Facts.read({row["key"]: row["value"] for row in self.db.execute("SELECT * FROM meta")})
        self.facts, self.run_id = facts, facts.run_id
        self.place = self._take_place()
        self.settings: dict[str, Any] = dict(facts.settings)
        self.guidelines = facts.guidelines
        head = {**vars(facts), "classes": list(facts.classes), "checksum": of_facts(facts.rows())}
        # A copy has no mirror: the one beside it is that of the record.
        self.mirror = Mirror(path.with_name(MIRROR_FILE), head) if path.name == RECORD_FILE else None
        self.mirror_error, self.texts_error = "", ""
        self.mended: tuple[str, ...] = ()
        self.lacks = ""

    def _take_place(self) -> Place:
        try:
            return Place(self.path, self.run_id.encode())
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror or error}") from error

    @classmethod
    def create(
        cls,
        path: Path | str,
        classes: Sequence[str],
        *,
        settings: Mapping[str, Any] | None = None,
        guidelines: str = "",
    ) -> Self:
        """A new record, readable by its owner alone.

        Raises:
            StoreError: a file stands there, it cannot be made, or the names are fewer than two, empty or equal.
        """
        path = Path(path)
        check_classes(classes)
        return cls.make(path, Facts(str(uuid4()), tuple(classes), dict(settings or {}), guidelines, now()))

    @classmethod
    def make(cls, path: Path, facts: Facts) -> Self:
        """A new record of a run that is known.

        Raises:
            StoreError: a file stands there, or it cannot be made.
        """
        temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            if path.exists():
                raise FileExistsError(17, "a record is there already")
            temporary.unlink(missing_ok=True)
            os.close(private(os.fspath(temporary), os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            _write_tables(temporary, facts.rows())
            os.link(temporary, path)  # fails where one is there already, and leaves a whole file or none
        except OSError as error:
            raise StoreError(
                f"{path} cannot be made: {error.strerror or error}; open it, or take another folder"
            ) from error
        except sqlite3.Error as error:
            raise StoreError(in_words(error, path)) from error
        finally:
            with suppress(OSError):  # as where nothing can be written
                temporary.unlink()
        return cls(path)

    @classmethod
    def open(cls, path: Path | str, *, check: bool = True) -> Self:
        """The record of a run, checked and brought to this version.

        Args:
            path: of the file, or of the run's folder.
            check: read every page of it; a second process beside the owner need not.

        Raises:
            StoreError: it is missing, damaged, of a newer version, or has lost events. Nothing is written then.
        """
        path = Path(path)
        path = path / RECORD_FILE if path.is_dir() else path
        check_links(path.parent)
        if not own(path).is_file():
            raise StoreError(missing(path))
        check_file(path, whole=check)
        old = _bring_up(path)
        record = cls(path)
        try:
            if old:
                record.note_groups()  # which versions of before did not
            if check:
                record.after_commit()
                record._check_texts(old)
            if record.lacks:
                raise DamagedError(record.lacks)
        except BaseException:
            record.close()
            raise
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check_events(self) -> None:
        """See that every event still is what was written; an opening with `check` has seen that.

        Raises:
            DamagedError: the first one that is not.
        """
        with self.told():
            for fault in event_faults(self.db, self.facts):
                raise DamagedError(damaged(self.path, fault))

    @property
    def copies(self) -> str:
        """What is wrong with the second copies, or was and is mended; "" where nothing is."""
        return self.mirror_error or self.texts_error or (self.mended[-1] if self.mended else "")

    def after_commit(self) -> None:
        """Bring the second copy up to date; if that fails the labels are safe, and the next event tries again."""
        if self.mirror is None:
            return
        self.lacks, self.mirror_error = "", ""
        try:
            note = self.mirror.catch_up(self.events)
            self.mended += (note,) if note else ()
        except DamagedError as error:
            self.lacks = self.mirror_error = str(error)
        except (OSError, LitALError) as error:
            why = getattr(error, "strerror", None) or error
            self.mirror_error = f"{self.mirror.path} lags behind: {why}; labels are saved all the same"

    def after_texts(self) -> None:
        """Note which texts are copies of one another, and write the second copy of the texts."""
        self.note_groups()
        if self.mirror is None:
            return
        path = self.path.with_name(TEXTS_FILE)
        try:
            with self.told():
                digest = write_texts(own(path), self.run_id, self.db.execute("SELECT * FROM item ORDER BY id"))
            self.set_state(TEXTS_FILE, {"sha256": digest})
            self.texts_error = ""
        except (OSError, LitALError) as error:
            why = getattr(error, "strerror", None) or error
            self.texts_error = f"{path} lags behind: {why}; labels are saved all the same"

    def _check_texts(self, old: bool) -> None:
        """See that the second copy of the texts is the one that was written; else put it aside and write it."""
        if self.mirror is None or not self.count_items():
            return
        path, noted = self.path.with_name(TEXTS_FILE), (self.state(TEXTS_FILE) or {}).get("sha256")
        try:
            found = digest_of(path)
            if found and found == noted:
                return
            if found and not old and not self._is_stale(path):
                aside = put_aside(path, path.read_bytes())
                words = f"{path.name} was damaged and is written anew from the record; the old one is {aside.name}"
                self.mended += (words,)
        except (OSError, LitALError) as error:
            self.texts_error = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
            return
        self.after_texts()

    def _is_stale(self, path: Path) -> bool:
        """Is a copy of texts sound, only of another moment, as a kill may leave it?"""
        with open(path, "rb", opener=private) as file:
            return sum(1 for _ in file) == 1 + sum(1 for _ in read_texts(path))

    # --- Copies -------------------------------------------------------------------------------------------------------

    def backup(self, path: Path | str | None = None) -> Path:
        """A checked copy of some committed state, taken while others write; by default beside the record.

        Raises:
            StoreError: it cannot be written; an older copy of this name stays.
        """
        # What is not the record any more must not replace the copy of another.
        return _copied(self.db, own(Path(path) if path else self.path.with_name(BACKUP_FILE)), self.check_place)


def _copied(db: sqlite3.Connection, target: Path, check: Callable[[], None] = lambda: None) -> Path:
    """Copy a file as it is committed, and read the copy back.

    Args:
        db: of the file.
        target: of the copy; an older one is replaced by a sound one alone.
        check: called last, to raise where the copy is not wanted any more.

    Raises:
        StoreError: it cannot be written, or is not sound.
    """
    try:
        with replacing(target) as temporary:
            os.close(private(os.fspath(temporary), os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            with closing(sqlite3.connect(temporary)) as copy:
                db.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, not three
                found = copy.execute("PRAGMA integrity_check").fetchone()[0]
            if found != "ok":
                raise StoreError(f"the copy {target} is not sound ({found}); the older one was kept")
            check()
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise StoreError(in_words(error, target)) from error
    return target


def missing(path: Path) -> str:
    """The sentence for a record that is not there."""
    copies = [name for name in (BACKUP_FILE, MIRROR_FILE) if path.with_name(name).is_file()]
    if not copies:
        return f"there is no record {path}; give the folder of a run"
    return f"there is no record {path}, but {' and '.join(copies)} beside it; run: lit-al recover {path.parent}"


def _write_tables(path: Path, rows: dict[str, str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        schema.create(db)
        db.executemany("INSERT INTO meta VALUES (?, ?)", rows.items())
        seal_facts(db, rows)
        db.execute("COMMIT")
    sync(path)


def _bring_up(path: Path) -> bool:
    """Bring a record of an older version to this one, if it is one, in one transaction; was it?

    It is copied first, to `record.version-1.sqlite` or whichever it was. Rows of the first version have no checksums
    yet, so that they are held against the mirror's: what both say was written.
    """
    try:
        with closing(opened(path)) as db:
            version = version_of(db)
            if version == schema.VERSION:
                return False
            if path.name == RECORD_FILE:
                _copied(db, own(path.with_name(VERSION_FILE.format(version))))
            db.execute("BEGIN IMMEDIATE")
            version = version_of(db)  # somebody else may have done it meanwhile
            if version < schema.VERSION:
                if version == schema.FIRST and (event := _in_dispute(db, path.with_name(MIRROR_FILE))):
                    why = f"{event} reads otherwise in {MIRROR_FILE}"
                    raise DamagedError(damaged(path, why))
                schema.migrate(db, version)
            db.execute("COMMIT")
            return version < schema.VERSION
    except BROKEN as error:
        raise as_error(error, path) from error


def _in_dispute(db: sqlite3.Connection, mirror: Path) -> str:
    """The first event that a file of before there were checksums and its mirror do not agree on; "" where they do."""
    if not own(mirror).is_file():
        return ""
    try:
        links = {link.values["uuid"]: link.values for link in read_lines(mirror.read_bytes()).links}
    except OSError:
        return ""
    for row in db.execute("SELECT * FROM event ORDER BY seq"):
        values = row_values(row)
        if links.get(row["uuid"], values) != values:
            return named(values)
    return ""
