"""What must outlive a power cut: files that are synced, and files that are replaced whole."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def sync(path: Path) -> None:
    """See that a file, or the names in a folder, are on the disk; a renamed file is there once its folder is.

    Raises:
        OSError: they cannot be.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The path of a file beside another, which takes the other's place at the end; a crash leaves the one or the other.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        with suppress(OSError):  # as where nothing can be written
            temporary.unlink(missing_ok=True)


def way_out(error: OSError, path: Path) -> str:
    """What to do about a file that cannot be written, by the reason."""
    if not path.parent.is_dir():
        return f"make the folder {path.parent}, or name another"
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "free the disk and run again" if full else f"see that {path.parent} can be written, or name another folder"
