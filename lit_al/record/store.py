"""`Record`: the one truth of a run."""

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from lit_al.errors import RefusedError, StoreError
from lit_al.record import schema
from lit_al.record.database import damaged, in_words, now
from lit_al.record.events import Events
from lit_al.record.kinds import Item
from lit_al.record.mirror import Mirror
from lit_al.record.queue import Queue
from lit_al.record.rankings import Rankings

RECORD_FILE = "record.sqlite"
MIRROR_FILE = "events.jsonl"


class Record(Events, Rankings, Queue):
    """A run's record; made by `create` or `open`, and closed at the end of a `with`.

    Attributes:
        run_id: of this run and no other.
        classes: names of the labels, in the order of their numbers; they never change.
        schema_hash: of the names.
        settings: of the run, as JSON.
        guidelines: for annotators.
        mirror_error: why the second copy of the events lags behind; "" where it does not.

    >>> import tempfile
    >>> from lit_al.record import Action, NewEvent
    >>> record = Record.create(Path(tempfile.mkdtemp(), "record.sqlite"), ["dull", "gem"])
    >>> record.add_items([Item(7, sha256, "so so") for sha256 in [hashlib.sha256(b"so so").hexdigest()]])
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
        self.classes = tuple(meta["classes"])
        self.schema_hash = schema_hash(self.classes)
        self.settings: dict[str, Any] = meta["settings"]
        self.guidelines: str = meta["guidelines"]
        head = {"run_id": self.run_id, "classes": list(self.classes)}
        # A copy has no mirror: the one beside it is that of the record.
        self.mirror = Mirror(path.with_name(MIRROR_FILE), head) if path.name == RECORD_FILE else None
        self.mirror_error = ""

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
            temporary.unlink(missing_ok=True)
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

    # --- Texts --------------------------------------------------------------------------------------------------------

    def add_items(self, items: Iterable[Item]) -> int:
        """Add texts, all or none; those that are there already are passed over.

        Returns:
            How many were new.

        Raises:
            StoreError: a text of a known id that is another text.
        """
        seed = str(self.settings.get("seed", 0))
        added = 0
        with self.transaction() as db:
            known = dict(db.execute("SELECT id, sha256 FROM item").fetchall())
            for item in items:
                if known.setdefault(item.id, item.sha256) != item.sha256:
                    raise StoreError(f"text {item.id} of {self.path} was another one; texts of a run never change")
                cursor = db.execute(
                    "INSERT OR IGNORE INTO item VALUES (?, ?, ?, ?, ?)",
                    (item.id, item.sha256, item.text, json.dumps(dict(item.meta)), _place(seed, item.id)),
                )
                added += cursor.rowcount
        return added

    def item(self, number: int) -> Item:
        """A text.

        Raises:
            RefusedError: there is none of this id.
        """
        for item in self.items([number]):
            return item
        raise RefusedError(f"there is no text {number} in this run")

    def items(self, numbers: Iterable[int] | None = None) -> Iterator[Item]:
        """All texts by id, or those asked for, in the order asked."""
        with self.told():
            if numbers is None:
                rows: Iterable[sqlite3.Row] = self.db.execute("SELECT * FROM item ORDER BY id")
            else:
                query = "SELECT item.* FROM json_each(?) j JOIN item ON item.id = j.value ORDER BY j.key"
                rows = self.db.execute(query, (json.dumps([int(number) for number in numbers]),))
            for row in rows:
                yield Item(row["id"], row["sha256"], row["text"], json.loads(row["meta"]))

    def count_items(self) -> int:
        """How many texts there are."""
        with self.told():
            return int(self.db.execute("SELECT count(*) FROM item").fetchone()[0])

    # --- Annotators ---------------------------------------------------------------------------------------------------

    def add_annotator(self, name: str, token: str | None = None) -> str:
        """Let someone in; asked again, the token is the same.

        Returns:
            Their token, of 32 URL-safe characters.
        """
        if not name.strip() or "\0" in name or name != name.strip():
            raise RefusedError(f"{name!r} is no name of an annotator; give one without spaces around it")
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO annotator(name, created) VALUES (?, ?)", (name, now()))
            db.execute(
                "UPDATE annotator SET token = coalesce(token, ?), removed = NULL WHERE name = ?",
                (token or secrets.token_urlsafe(24), name),
            )
            return str(db.execute("SELECT token FROM annotator WHERE name = ?", (name,)).fetchone()["token"])

    def annotator_of(self, token: str) -> str | None:
        """Whose token this is; every token is compared, in a time that says nothing of them."""
        found = None
        with self.told():
            rows = self.db.execute("SELECT name, token FROM annotator WHERE token IS NOT NULL AND removed IS NULL")
            for row in rows:
                if hmac.compare_digest(row["token"].encode(), token.encode(errors="replace")):
                    found = str(row["name"])
        return found

    def annotators(self) -> list[str]:
        """Everyone who may label, or did, but those removed."""
        with self.told():
            rows = self.db.execute("SELECT name FROM annotator WHERE removed IS NULL ORDER BY created, name")
            return [str(row["name"]) for row in rows]

    def remove_annotator(self, name: str) -> None:
        """Let someone in no more; what they said stays."""
        with self.transaction() as db:
            db.execute("UPDATE annotator SET token = NULL, removed = ? WHERE name = ?", (now(), name))
            db.execute("DELETE FROM lease WHERE annotator = ?", (name,))

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
            _sync(temporary)
            temporary.replace(target)
            _sync(target.parent)
        except OSError as error:
            raise StoreError(f"{target} cannot be written: {error.strerror or error}") from error
        except sqlite3.Error as error:
            raise StoreError(in_words(error, target)) from error
        finally:
            temporary.unlink(missing_ok=True)
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
    _sync(path)


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


def _place(seed: str, number: int) -> int:
    """Where a text stands in the order of a cold start: random, and the same at every start."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=7).digest())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
