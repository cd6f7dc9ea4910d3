"""What is computed once for a corpus, on disk: its encoded texts, mapped into memory, and what was learned from them.

A file is named by the sha256 of the corpus's fingerprint and of everything else that its content depends on, so that a
change gives another file and an old one is never read for something new. A mapped file takes no memory of its own: the
operating system keeps of it what is in use, and gives it up when others need the room.
"""

import hashlib
import json
import logging
import os
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_al.data import Corpus
from lit_al.text.encoder import Ids, TextEncoder
from lit_al.utils.files import replacing

VARIABLE = "LIT_AL_CACHE"
WORTH = 10_000  # texts; fewer are encoded faster than a file is written
MOST = 4 * 2**30  # bytes; beyond it the files that were not used for longest are deleted
FORMAT = "1"  # part of every name: raise it when the same encoder gives other ids
KEPT = (".npy", ".npz", ".part", ".progress")  # the last two are of what takes more than one run
STALE = 24 * 3600  # seconds after which an unfinished file is of a process that died

log = logging.getLogger(__name__)

Arrays = Mapping[str, npt.NDArray[Any]]


def cache_folder() -> Path:
    """`$LIT_AL_CACHE`, else `lit_al` in the user's cache folder; it need not exist."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lit_al"


def encoded(corpus: Corpus, encoder: TextEncoder, *, advance: Callable[[int], object] | None = None) -> Ids:
    """Word ids of a corpus, from the cache where they are in it, else encoded and put there.

    A cache that cannot be written, or a file in it that cannot be read, costs time and nothing else.

    Args:
        corpus: N texts.
        encoder: of T ids per text.
        advance: called with the number of texts encoded since the last call.

    Returns:
        (N, T) uint16; of a large corpus mapped from a file, where changes stay in memory.
    """
    if len(corpus) < WORTH:
        return encoder.encode(corpus.texts, advance=advance)
    path = cache_folder() / f"{name_of(corpus, encoder)}.npy"
    shape = len(corpus), encoder.max_length
    found = _read(path, shape)
    if found is not None:
        return found
    try:
        _write(path, shape, corpus, encoder, advance)
        prune(path)
    except OSError as error:
        log.warning("the encoded corpus is not kept: %s; set %s to another folder", error, VARIABLE)
        return encoder.encode(corpus.texts, advance=advance)
    found = _read(path, shape)
    return encoder.encode(corpus.texts) if found is None else found  # None: deleted in between


def name_of(corpus: Corpus, encoder: TextEncoder) -> str:
    """Sha256 of what the ids depend on, 64 hex digits."""
    parts = {"format": FORMAT, "corpus": corpus.fingerprint, "encoder": encoder.state_dict()}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def kept(parts: Mapping[str, Any], texts: int, compute: Callable[[], Arrays]) -> Arrays:
    """Arrays from the cache, or computed and put there.

    A cache that cannot be written, or a file in it that cannot be read, costs time and nothing else.

    Args:
        parts: all that the arrays depend on, as plain types and arrays.
        texts: that they were computed from; of fewer than `WORTH` nothing is written.
        compute: makes them.
    """
    if texts < WORTH:
        return compute()
    plain = {key: _digest(part) if isinstance(part, np.ndarray) else part for key, part in parts.items()}
    path = cache_folder() / f"{hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()}.npz"
    try:
        with path.open("rb") as archive, np.load(archive, allow_pickle=False) as arrays:
            found = dict(arrays)
        os.utime(path)  # used now
        return found
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        log.debug("%s is not there, or of no use", path)
    made = compute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **made)  # type: ignore[arg-type]  # its keywords are arrays
        prune(path)
    except OSError as error:
        log.warning("what was learned from the texts is not kept: %s; set %s to another folder", error, VARIABLE)
    return made


def _digest(array: npt.NDArray[Any]) -> str:
    return hashlib.sha256(f"{array.dtype.str} {array.shape}".encode() + array.tobytes()).hexdigest()


def _read(path: Path, shape: tuple[int, int]) -> Ids | None:
    """The ids of a file, or None where it is missing or of no use."""
    try:
        ids: Ids = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if ids.shape != shape or ids.dtype != np.uint16:
        return None
    try:
        os.utime(path)  # used now
    except OSError:  # a cache of someone else's
        log.debug("cannot touch %s", path)
    return ids


def _write(
    path: Path, shape: tuple[int, int], corpus: Corpus, encoder: TextEncoder, advance: Callable[[int], object] | None
) -> None:
    """Encode into a file beside its place and rename it when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        ids = new_file(temporary, shape, np.uint16)
        encoder.encode(corpus.texts, out=ids, advance=advance)
        ids.flush()


def new_file(path: Path, shape: tuple[int, int], dtype: type[np.generic]) -> np.memmap[Any, np.dtype[Any]]:
    """A file of so many zeros, mapped for writing, whose place on the disk is taken.

    Raises:
        OSError: there is no room for it.
    """
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    if hasattr(os, "posix_fallocate"):  # a full disk is an error here, but the end of the process in a mapping
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, file.seek(0, os.SEEK_END))
    return mapped


def prune(keep: Path) -> None:
    """Delete the files that were not used for longest, until the rest fits, and what dead processes left."""
    now, total = time.time(), 0
    files = [(file.stat().st_mtime, file.stat().st_size, file) for file in keep.parent.iterdir() if file.is_file()]
    for used, size, file in sorted(files, reverse=True):
        total += size
        dead = file.suffix == ".tmp" and now - used > STALE
        old = file.suffix in KEPT and file != keep and total > MOST
        if dead or old:
            file.unlink(missing_ok=True)
