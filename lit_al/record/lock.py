"""One owner of a run at a time, known by name.

The lock is the operating system's, on an open file: it ends with the process, however that ends. What stands in the
file is for people.
"""

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Self

from lit_al.exceptions import InUseError, StoreError
from lit_al.record.database import now
from lit_al.utils.links import check_links, own, private

OWNER_FILE = "owner.lock"


def held_by(folder: Path) -> str:
    """Who holds a run, in words; "" where nobody does."""
    lock = OwnerLock(folder, "")
    try:
        descriptor = private(os.fspath(own(lock.path)), os.O_RDONLY)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return lock.holder()
    finally:
        os.close(descriptor)
    return ""


class OwnerLock:
    """Held while a run is being written.

    Args:
        folder: of the run.
        what: the holder is doing, for others to read.
        file: name of the lock; processes with locks of different names do not exclude each other.

    Raises:
        InUseError: when entered, if someone else holds it; the holder is named.
        StoreError: likewise, if it cannot be held here.
    """

    def __init__(self, folder: Path, what: str, file: str = OWNER_FILE) -> None:
        self.path, self.what = folder / file, what
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        check_links(self.path.parent)
        try:
            descriptor = private(os.fspath(own(self.path)), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be written: {error.strerror or error}; copy {self.path.parent} to where you may "
                "write, and give the copy"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self.holder()
            os.close(descriptor)
            raise InUseError(f"{self.path.parent} is in use by {holder}; stop that first") from None
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "what": self.what, "since": now()}
        with suppress(OSError):  # a full disk: it is held all the same
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(facts).encode())
        self._descriptor = descriptor
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> str:
        """Who wrote into the file last, in words."""
        try:
            facts = json.loads(self.path.read_text(encoding="utf-8"))
            return f"{facts['what']}, process {facts['pid']} on {facts['host']}, since {facts['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"
