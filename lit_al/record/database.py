"""Connections to the file of a record: one for each thread, every transaction synced before it is acknowledged."""

import ctypes
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lit_al.exceptions import DamagedError, StoreError
from lit_al.record.place import Place
from lit_al.utils.failpoints import crash_point
from lit_al.utils.links import own

WAIT_SECONDS = 10  # for another writer
BROKEN = (sqlite3.Error, UnicodeDecodeError)  # the latter where SQLite's own message quotes a damaged name
NETWORK = ("nfs", "cifs", "smb", "sshfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs", "lustre")


def now() -> str:
    """UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Database:
    """The file behind a record, for several threads and processes.

    Args:
        path: of the file, there already.

    Attributes:
        path: likewise.
        on_network: it lies on a share, where a write-ahead log is not safe; a rollback journal is used instead.
        place: whether the files that were opened still bear the record's name; None until it has been read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.on_network = on_network(path)
        self.place: Place | None = None
        self._own = threading.local()
        self._open: dict[sqlite3.Connection, threading.Thread] = {}
        self._guard = threading.Lock()

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self._own, "db", None)
        if found is None:
            self.check_place()
            found = self._connect()
            self._own.db = found
            with self._guard:
                self._close_orphans()
                self._open[found] = threading.current_thread()
        return found

    def _close_orphans(self) -> None:
        """Threads come and go; the connections of those that have gone would pile up, three open files each."""
        for db in [db for db, thread in self._open.items() if not thread.is_alive()]:
            del self._open[db]
            db.close()

    def _connect(self) -> sqlite3.Connection:
        with self.told():
            # A URI with mode=rw: a file that has gone must not come back empty.
            db = sqlite3.connect(
                f"{address(self.path)}?mode=rw",
                uri=True,
                timeout=WAIT_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # `close` is called by whoever ends the record
            )
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA temp_store = MEMORY")
            db.execute(f"PRAGMA journal_mode = {'DELETE' if self.on_network else 'WAL'}")
            db.execute(f"PRAGMA synchronous = {'EXTRA' if self.on_network else 'FULL'}")
        return db

    def close(self) -> None:
        """Close every thread's connection."""
        in_place = self._in_place()
        with self._guard:
            for db in self._open:
                if in_place:
                    db.close()
                else:
                    _leave_open(db)
            self._open.clear()
        self._own = threading.local()
        if self.place is not None and in_place:
            self.place.leave()
        self.place = None

    def check_place(self) -> None:
        """See that what is written now is written into the file that bears the record's name.

        Raises:
            StoreError: it was deleted, renamed, replaced or cut short since it was opened.
        """
        if self.place is not None:
            self.place.check()

    def _in_place(self) -> bool:
        try:
            self.check_place()
        except StoreError:
            return False
        return True

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write: all of it on the disk when the block ends, or none of it.

        Raises:
            StoreError: it could not be written, and the record is as it was; or it was written into a file that does
                not bear the record's name any more.
        """
        with self.told():
            db = self.db
            self.check_place()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                crash_point("before_commit")
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            crash_point("after_commit")
            self.check_place()

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """All that this thread reads inside is of one moment, whatever others write meanwhile."""
        with self.told():
            self.db.execute("BEGIN")
            try:
                yield
            finally:
                self.db.execute("COMMIT")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say in words what SQLite says in codes, and what a row holds that none can."""
        try:
            yield
        except BROKEN as error:
            raise as_error(error, self.path) from error
        except Unreadable as error:
            raise DamagedError(damaged(self.path, str(error))) from error


class Unreadable(ValueError):
    """A row that holds what this program never writes; the text says which and what."""


def json_object(content: object, what: str) -> dict[str, Any]:
    """What a column of JSON holds.

    Raises:
        Unreadable: it is no JSON object.

    >>> json_object('{"n": 1}', "the state")
    {'n': 1}
    """
    try:
        found = json.loads(content)  # type: ignore[arg-type]  # told below
    except (TypeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unreadable(f"{what} is no JSON object")
    return found


def as_error(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> StoreError:
    """What went wrong, as an error of ours."""
    if isinstance(error, UnicodeDecodeError):
        return DamagedError(damaged(path, "a name in it is no UTF-8"))
    words = in_words(error, path)
    return DamagedError(words) if _means_damage(error) else StoreError(words)


def _means_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorname", "") or ""
    return code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "not decode" in str(error) or "no such" in str(error)


def _leave_open(db: sqlite3.Connection) -> None:
    """Keep a connection from ever being closed, not even when the interpreter ends.

    Whoever closes a database last deletes the log beside it, by its name. Where another record has taken that name, the
    log is the other one's, with answers in it.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(db))


def in_words(error: sqlite3.Error, path: Path) -> str:
    """What went wrong, where, and the way out."""
    code = getattr(error, "sqlite_errorname", "") or ""
    if code.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE")):
        return f"not saved: the disk that holds {path} is full; free some space, nothing half-written is left"
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"not saved: {path} is being written by another process for more than {WAIT_SECONDS} s; try again"
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return (
            f"{path} cannot be opened for writing ({error}); check that it is there and whose it is, or copy "
            f"{path.parent} to where you may write, and give the copy"
        )
    if _means_damage(error):
        why = "a text in it is no UTF-8" if "not decode" in str(error) else str(error)
        return damaged(path, why)
    return f"{path}: {error}"


def address(path: Path) -> str:
    """Of a record's file, as SQLite takes it; neither it nor what SQLite keeps beside it may be a link.

    Raises:
        RunError: one is.
    """
    for name in (path.name, *(f"{path.name}-{ending}" for ending in ("wal", "shm", "journal"))):
        own(path.with_name(name))
    return (path.parent.resolve() / path.name).as_uri()


def damaged(path: Path, why: str) -> str:
    """The sentence for a file that is not sound."""
    return f"{path} is damaged ({why}); nothing was written to it, run: lit-al recover {path.parent}"


def on_network(path: Path) -> bool:
    """Does the path lie on a network share, by /proc/mounts? False where that is not to be known."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return False
    there = os.fspath(path.resolve())
    over = [(len(point), kind) for point, kind in mounts if there == point or there.startswith(point.rstrip("/") + "/")]
    return bool(over) and max(over)[1].startswith(NETWORK)
