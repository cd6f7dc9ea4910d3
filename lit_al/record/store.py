"""`Record`: the one truth of a run."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from lit_al.durable import sync
from lit_al.errors import StoreError
from lit_al.record import schema
from lit_al.record.database import damaged, in_words, now
from lit_al.record.events import Events
from lit_al.record.mirror import Mirror
from lit_al.record.people import People
from lit_al.record.place import Place
from lit_al.record.queue import Queue
from lit_al.record.rankings import Rankings
from lit_al.record.texts import Texts

RECORD_FILE = "record.sqlite"
MIRROR_FILE = "events.jsonl"


class Record(Texts, People, Events, Rankings, Queue):
    """A run's record; made by `create` or `open`, and closed at the end of a `with`.

    Attributes:
        run_id: of this run and no other.
        classes: names of the labels, in the order of their numbers; they never change.
        schema_hash: of the names.
        settings: of the run, as JSON.
        guidelines: for annotators.
        mirror_error: why the second copy of the events lags behind; "" where it does not.

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
            meta = {row["key"]: json.loads(row["value"]) for row in self.db.execute("SELECT * FROM meta")}
        self.run_id: str = meta["run_id"]
        self.place = self._take_place()
        self.classes = tuple(meta["classes"])
        self.schema_hash = schema_hash(self.classes)
        self.settings: dict[str, Any] = meta["settings"]
        self.guidelines: str = meta["guidelines"]
        head = {"run_id": self.run_id, "classes": list(self.classes)}
        # A copy has no mirror: the one beside it is that of the record.
        self.mirror = Mirror(path.with_name(MIRROR_FILE), head) if path.name == RECORD_FILE else None
        self.mirror_error = ""

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
        meta = {"run_id": str(uuid4()), "classes": list(classes), "settings": dict(settings or {}),
                "guidelines": guidelines, "created": now()}  # fmt: skip
        temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            if path.exists():
                raise FileExistsError(17, "a record is there already")
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _write_tables(temporary, meta)
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
        if not path.is_file():
            raise StoreError(f"there is no record {path}; give the folder of a run")
        _check_file(path, check)
        record = cls(path)
        try:
            record._check_mirror()
        except BaseException:
            record.close()
            raise
        record.after_commit()
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def after_commit(self) -> None:
        """Bring the second copy up to date; if that fails the labels are safe, and the next event tries again."""
        if self.mirror is None:
            return
        try:
            self.mirror.catch_up(self.events)
            self.mirror_error = ""
        except OSError as error:
            self.mirror_error = f"{self.mirror.path} lags behind: {error.strerror or error}"

    def _check_mirror(self) -> None:
        if self.mirror is None:
            return
        try:
            mirrored = self.mirror.last_seq()
        except (OSError, ValueError):
            return  # a damaged copy of what is sound here; `recover` writes it anew
        missing = mirrored - self.last_seq()
        if missing > 0:
            raise StoreError(damaged(self.path, f"it lacks {missing} events that {self.mirror.path.name} holds"))

    # --- Copies -------------------------------------------------------------------------------------------------------

    def backup(self, path: Path | str | None = None) -> Path:
        """A checked copy of some committed state, taken while others write; by default beside the record.

        Raises:
            StoreError: it cannot be written; an older copy of this name stays.
        """
        target = Path(path) if path else self.path.with_name("record.backup.sqlite")
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            copy = sqlite3.connect(temporary)
            try:
                self.db.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, not three
                found = copy.execute("PRAGMA integrity_check").fetchone()[0]
            finally:
                copy.close()
            if found != "ok":
                raise StoreError(f"the copy {target} is not sound ({found}); the older one was kept")
            self.check_place()  # what is not the record any more must not replace the copy of another
            sync(temporary)
            temporary.replace(target)
            sync(target.parent)
        except OSError as error:
            raise StoreError(f"{target} cannot be written: {error.strerror or error}") from error
        except sqlite3.Error as error:
            raise StoreError(in_words(error, target)) from error
        finally:
            with suppress(OSError):  # as where nothing can be written
                temporary.unlink()
        return target


def schema_hash(classes: Sequence[str]) -> str:
    """Of the names and their order: 16 hex digits."""
    return hashlib.sha256(json.dumps(list(classes)).encode()).hexdigest()[:16]


def check_classes(classes: Sequence[str]) -> None:
    """Refuse names that cannot be told apart.

    Raises:
        StoreError: fewer than two, or one that is empty, padded or there twice.
    """
    if len(classes) < 2:
        raise StoreError(f"two labels or more are needed, as in negative,positive; got {', '.join(classes) or 'none'}")
    for name in classes:
        if not name or name != name.strip() or "\0" in name:
            raise StoreError(f"{name!r} is no name of a label; give one without spaces around it")
    twice = sorted({name for name in classes if list(classes).count(name) > 1})
    if twice:
        raise StoreError(f"the label {twice[0]!r} is there twice; labels need names of their own")


def _write_tables(path: Path, meta: Mapping[str, Any]) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        schema.create(db)
        rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in meta.items()]
        db.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        db.execute("COMMIT")
    finally:
        db.close()
    sync(path)


def _check_file(path: Path, check: bool) -> None:
    """Refuse what is not a sound record of this version; bring an older one up."""
    version = schema.VERSION
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10)
        try:
            if db.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION:
                raise StoreError(damaged(path, "its header is not that of a record"))
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0] if check else "ok"
            if found != "ok":
                raise StoreError(damaged(path, str(found).splitlines()[0]))
            if version > schema.VERSION:
                raise StoreError(
                    f"{path} was written by a newer lit_al (record version {version}, this one knows "
                    f"{schema.VERSION}); upgrade lit_al"
                )
            if version < schema.VERSION:
                if version not in schema.MIGRATIONS:
                    raise StoreError(damaged(path, f"its version is {version}"))
                db.execute("BEGIN IMMEDIATE")
                schema.migrate(db, version)
                db.execute("COMMIT")
        finally:
            db.close()
    except sqlite3.Error as error:
        raise StoreError(in_words(error, path)) from error
