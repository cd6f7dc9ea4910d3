"""Where a record lies: do the files that were opened still bear its name?

A file that was deleted, renamed, replaced or cut short while it is open takes writes without an error, and nobody will
ever read them under its name. So the files behind a record are looked at before and after each commit: device, inode
and size of the database, its write-ahead log and the log's index, and the run's id in its place in the database.

The database must never be opened and closed beside SQLite within a process: that would take away the locks of all its
connections (POSIX). The descriptor that is read from here is shared, and closed after the last of them.
"""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from lit_al.exceptions import StoreError

_BESIDE = ("-wal", "-shm")  # what SQLite keeps beside the database while it is open; it never makes them shorter then
_LOG_HEAD = 32  # bytes at the beginning of a log, never zero once it was written
_HEAD = 1 << 18  # bytes of a database that its meta data are in

_guard = threading.Lock()
_descriptors: dict[tuple[int, int], list[int]] = {}  # of a file: the descriptor, and how many need it


@dataclass
class _Known:
    """A file as it was seen.

    Attributes:
        file: device and inode.
        size: the largest so far, bytes.
    """

    file: tuple[int, int]
    size: int


class Place:
    """The files of an open record.

    Args:
        path: of the database.
        mark: bytes that no other record holds, as the run's id; looked for at the beginning of the database.
    """

    def __init__(self, path: Path, mark: bytes) -> None:
        self.path, self.mark = path, mark
        self._beside = tuple(path.with_name(path.name + end) for end in _BESIDE)
        self._guard = threading.Lock()
        self._known: dict[Path, _Known] = {}
        self._log: int | None = None  # a descriptor of it, ours alone: SQLite locks the two others
        self._file = _file_of(path.stat())
        with _guard:
            if self._file not in _descriptors:
                _descriptors[self._file] = [os.open(path, os.O_RDONLY | os.O_CLOEXEC), 0]
            _descriptors[self._file][1] += 1
            self._descriptor = _descriptors[self._file][0]
        self._mark_at = os.pread(self._descriptor, _HEAD, 0).find(mark)
        self.check()

    def check(self) -> None:
        """See that all is as it was.

        Raises:
            StoreError: what is written here would not be in the record that bears this name.
        """
        with self._guard:  # sizes must be compared in the order in which they were seen
            log, index = self._beside
            for path in (self.path, log, index):
                self._check(path)
            if self._log is None and log in self._known:
                self._log = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
            if self._log is not None and not any(os.pread(self._log, _LOG_HEAD, 0)) and self._known[log].size:
                raise StoreError(_gone(log, "was emptied"))
        at = self._mark_at
        if at >= 0 and os.pread(self._descriptor, len(self.mark), at) != self.mark:
            raise StoreError(_gone(self.path, "was overwritten by something else"))

    def _check(self, path: Path) -> None:
        known = self._known.get(path)
        try:
            found = path.stat()
        except OSError as error:
            if known is None and path != self.path:
                return  # a record on a network share has no log
            why = "was deleted or renamed" if isinstance(error, FileNotFoundError) else f"is out of reach ({error})"
            raise StoreError(_gone(path, why)) from error
        if known is None:
            known = self._known[path] = _Known(self._file if path == self.path else _file_of(found), found.st_size)
        if _file_of(found) != known.file:
            raise StoreError(_gone(path, "is another file than the one that was opened"))
        if found.st_size < known.size:
            raise StoreError(_gone(path, f"was cut short, from {known.size:,} to {found.st_size:,} bytes"))
        known.size = found.st_size

    def leave(self) -> None:
        """Give back the descriptors, once every connection is closed."""
        if self._log is not None:
            os.close(self._log)
            self._log = None
        with _guard:
            descriptor = _descriptors[self._file]
            descriptor[1] -= 1
            if descriptor[1] == 0:
                os.close(descriptor[0])
                del _descriptors[self._file]


def _file_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _gone(path: Path, why: str) -> str:
    return (
        f"{path} {why} while it was open, and nothing is saved any more; put back what was there, or end lit-al "
        "and start it again"
    )
