"""What must outlive a power cut."""

import errno
import os
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


def way_out(error: OSError, path: Path) -> str:
    """What to do about a file that cannot be written, by the reason."""
    if not path.parent.is_dir():
        return f"make the folder {path.parent}, or name another"
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "free the disk and run again" if full else f"see that {path.parent} can be written, or name another folder"
