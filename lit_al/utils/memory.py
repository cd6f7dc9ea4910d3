"""How much memory there is left, and what says that it was too little."""

import resource
from contextlib import suppress
from pathlib import Path

_MEMORY = Path("/proc/meminfo")
_STATUS = Path("/proc/self/statm")
_GROUP = Path("/sys/fs/cgroup")
_SIGNS = ("not enough memory", "out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")


def available() -> int | None:
    """Bytes that this process may still take: of the machine, of its control group, of its own limit; None: unknown."""
    known = [left for left in (_of_machine(), _of_group(), _of_process()) if left is not None]
    return max(min(known), 0) if known else None


def is_shortage(error: BaseException) -> bool:
    """Was there too little memory? Python and numpy say it by kind, torch by its words alone.

    >>> is_shortage(MemoryError()), is_shortage(RuntimeError("DefaultCPUAllocator: not enough memory")),
    (True, True)
    >>> is_shortage(RuntimeError("sizes do not match"))
    False
    """
    if isinstance(error, MemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError | OSError) and any(sign in words for sign in _SIGNS)


def _of_machine() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in _MEMORY.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return None


def _of_group() -> int | None:
    """What a container may still take (control groups of version 2)."""
    with suppress(OSError, ValueError):
        most = (_GROUP / "memory.max").read_text(encoding="ascii").strip()
        return None if most == "max" else int(most) - int((_GROUP / "memory.current").read_text(encoding="ascii"))
    return None


def _of_process() -> int | None:
    """What `ulimit -v` leaves."""
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most == resource.RLIM_INFINITY:
        return None
    with suppress(OSError, ValueError, IndexError):
        return most - resource.getpagesize() * int(_STATUS.read_text(encoding="ascii").split()[0])
    return most
