"""What must outlive a power cut."""

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
