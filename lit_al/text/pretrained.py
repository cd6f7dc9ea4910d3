"""Vectors of a pretrained encoder (sentence-transformers), computed once for a corpus, kept, and mapped into memory.

Each distinct text is read once. The file of the vectors is named by the texts and by what the encoder is, and it grows
beside its place until it is whole, so that a run that was killed goes on where it was:

    NAME.npy        (N, D) float16, whole
    NAME.part       the same, not yet whole
    NAME.progress   how many of the distinct texts are in it; locked by the process that is at it

An encoder is a folder, or a name of the Hugging Face hub: its cache is asked first, the hub only if it answers within
seconds. Neither its package nor the encoder itself is loaded where the vectors are there already.
"""

import fcntl
import hashlib
import importlib.util
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from lit_al.data import Corpus
from lit_al.data.corpus import shorten
from lit_al.data.hub import endpoint, offline, quiet, why_unreachable
from lit_al.exceptions import ConfigError
from lit_al.text.cache import VARIABLE, cache_folder, new_file, prune
from lit_al.typing import Float16s, Ints
from lit_al.utils.files import sync
from lit_al.utils.terminal_text import first_line

FORMAT: Final = "1"  # part of the cached file's name: raise it when the same texts give other vectors
PIECE: Final = 2**16  # characters between two looks at the clock, on a CPU; the encoder sorts their texts by length
LONG: Final = 2_000  # characters of a text that count
SAVE: Final = 5.0  # seconds of work that a kill may cost
ON_CPU, ON_GPU = 32, 256  # texts in one pass through the encoder
PACKAGE: Final = "sentence_transformers"
MARKS: Final = ("modules.json", "config_sentence_transformers.json", "config.json")  # one of them is in every encoder
HUB_NAME: Final = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
ORGANIZATION: Final = "sentence-transformers"  # of names without one

log = logging.getLogger(__name__)


class PretrainedEncoder(Protocol):
    """What is asked of an encoder; `sentence_transformers.SentenceTransformer` has it."""

    @property
    def device(self) -> Any:
        """Where it computes."""

    def encode(self, texts: list[str], *, batch_size: int, show_progress_bar: bool) -> npt.NDArray[Any]:
        """(n, D) vectors of n texts."""


def encoder_vectors(
    corpus: Corpus,
    encoder: str,
    *,
    device: str | None = None,
    advance: Callable[[int], object] = lambda texts: None,
) -> Float16s:
    """Vectors of every text, from the cache where they are in it, else computed and put there.

    A cache that cannot be written costs time and nothing else.

    Args:
        corpus: N texts; no label is read.
        encoder: a folder, or a name of the Hugging Face hub.
        device: torch's; None for the one that there is, a GPU before all cores of the CPU.
        advance: called with the number of texts that have got their vector since the last call; first with those of an
            earlier run.

    Returns:
        (N, D) float16, rows of length 1 or 0, mapped from a file; changes stay in memory.

    Raises:
        ConfigError: an encoder that is not there, cannot be loaded or gives no numbers, or no package to load it with.
    """
    check_encoder(encoder)
    model, mark = None, fingerprint_of(encoder)
    if mark is None:  # neither a folder nor in the hub's cache
        model = _load_from_hub(encoder, device)
        mark = fingerprint_of(encoder)
    path = cache_folder() / f"{_name_of(corpus, mark or encoder)}.npy"
    found = _read(path, len(corpus))
    if found is not None:
        return found
    reading = _Reading(corpus, model or _load(encoder, device), encoder, advance)
    try:
        return _kept(path, reading)
    except OSError as error:
        log.warning("the vectors of %s are not kept: %s; set %s to another folder", encoder, error, VARIABLE)
        vectors = np.zeros(reading.shape, np.float16)
        reading.fill(vectors)
        return vectors


def check_encoder(encoder: str) -> None:
    """Refuse what cannot be an encoder, before anything is loaded.

    Raises:
        ConfigError: no folder, a folder without an encoder, or no name that the hub may know.
    """
    folder = Path(encoder).expanduser()
    if folder.is_dir():
        if not any((folder / mark).is_file() for mark in MARKS):
            raise ConfigError(
                f"the folder {encoder} holds no encoder ({' or '.join(MARKS)} is missing); give one that "
                "SentenceTransformer.save has written"
            )
    elif not HUB_NAME.fullmatch(encoder):
        raise ConfigError(
            f"--encoder {encoder} is neither a folder nor a name of the Hugging Face hub such as "
            f"{ORGANIZATION}/all-MiniLM-L6-v2"
        )


def check_package() -> None:
    """Refuse to go on without the package that encoders need.

    Raises:
        ConfigError: it is not installed.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise ConfigError(
            "--encoder needs the package sentence-transformers: pip install 'lit_al[encoder]', or give --embeddings a "
            "file of vectors"
        )


def fingerprint_of(encoder: str) -> str | None:
    """What the encoder is: the sha256 of a folder's files, or a hub name with its revision in the hub's cache.

    The content of a folder counts, not where it lies nor when it was written. Hidden files do not count.

    Returns:
        None for a name that is not in the cache.
    """
    folder = Path(encoder).expanduser()
    if not folder.is_dir():
        revision = _revision(encoder)
        return revision and f"{_full_name(encoder)}@{revision}"
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            with path.open("rb") as file:
                digest.update(f"{name.as_posix()}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


# --- Loading ----------------------------------------------------------------------------------------------------------


def _load(encoder: str, device: str | None) -> PretrainedEncoder:
    """The encoder of a folder or of the hub's cache; where the cache has but a part of it, of the hub.

    Raises:
        ConfigError: as `encoder_vectors`.
    """
    check_package()
    folder = Path(encoder).expanduser()
    try:
        return _opened(str(folder) if folder.is_dir() else _full_name(encoder), device, local_files_only=True)
    except Exception as error:  # of a dozen libraries' own kinds: all mean the same here
        if not folder.is_dir():
            return _load_from_hub(encoder, device)
        raise ConfigError(f"the encoder in {encoder} cannot be loaded ({_reason(error)}); save it again") from error


def _load_from_hub(encoder: str, device: str | None) -> PretrainedEncoder:
    """The encoder that the hub has under a name, if the hub answers within seconds; then it is in the hub's cache."""
    check_package()
    from huggingface_hub import constants

    name = _full_name(encoder)
    if constants.HF_HUB_OFFLINE:
        silence: str | None = "HF_HUB_OFFLINE forbids asking the hub"
    else:
        silence = why_unreachable(endpoint(), file=f"{name}/resolve/main/config.json")
    if silence:
        raise ConfigError(
            f"the encoder {encoder} is no folder here and not whole in the cache of the Hugging Face hub, and "
            f"{silence}; give a folder, or --embeddings a file of vectors"
        )
    try:
        return _opened(name, device, local_files_only=False)
    except Exception as error:  # as above
        raise ConfigError(
            f"the Hugging Face hub answers, but loading the encoder {encoder} failed ({_reason(error)}); look up its "
            "name, or give a folder"
        ) from error


def _opened(name: str, device: str | None, *, local_files_only: bool) -> PretrainedEncoder:
    """sentence-transformers' own model; code that comes with an encoder is not run, which is the default there."""
    with quiet():
        from sentence_transformers import SentenceTransformer

        with _without_bars(), offline() if local_files_only else nullcontext():
            model: PretrainedEncoder = SentenceTransformer(name, device=device, local_files_only=local_files_only)
            return model


@contextmanager
def _without_bars() -> Iterator[None]:
    """Switch off the bars of transformers, which has a switch of its own."""
    from transformers.utils import logging as bars

    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _full_name(encoder: str) -> str:
    """The name under which the hub has it."""
    return encoder if "/" in encoder else f"{ORGANIZATION}/{encoder}"


def _revision(encoder: str) -> str | None:
    """The commit of a name in the hub's cache."""
    from huggingface_hub import try_to_load_from_cache

    for mark in MARKS:
        found = try_to_load_from_cache(_full_name(encoder), mark)
        if isinstance(found, str):
            return Path(found).parent.name
    return None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error, 200)}"


# --- Reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    """Texts on their way through an encoder, each distinct one once.

    Attributes:
        corpus: N texts.
        model: the encoder.
        name: of the encoder, for messages.
        advance: see `encoder_vectors`.
    """

    corpus: Corpus
    model: PretrainedEncoder
    name: str
    advance: Callable[[int], object]

    @cached_property
    def shape(self) -> tuple[int, int]:
        """N, D."""
        return len(self.corpus), self._encode(["a"]).shape[1]

    def fill(self, vectors: Float16s, done: int = 0, save: Callable[[int], object] = lambda done: None) -> None:
        """Compute what is missing.

        Args:
            vectors: (N, D), written to.
            done: distinct texts whose vectors are there.
            save: called every few seconds with the same number, once it has grown.
        """
        source = _first_copies(self.corpus)  # (N,)
        distinct = np.flatnonzero(source == np.arange(len(source)))  # (U,)
        copies = np.bincount(source, minlength=len(source))
        if done:
            self.advance(int(copies[distinct[:done]].sum()))
        saved = time.monotonic()
        for rows in self._pieces(distinct[done:]):
            vectors[rows] = self._vectors(rows)
            done += len(rows)
            if time.monotonic() - saved > SAVE:
                save(done)
                saved = time.monotonic()
            self.advance(int(copies[rows].sum()))
        again = np.flatnonzero(source != np.arange(len(source)))
        vectors[again] = vectors[source[again]]

    def _pieces(self, rows: Ints) -> list[Ints]:
        """Rows, so many at once that a piece takes about a second: an encoder cuts what is longer than `LONG`."""
        if not len(rows):
            return []
        lengths = np.array([min(len(self.corpus.texts[row]), LONG) for row in rows.tolist()])
        number = np.cumsum(lengths) // (PIECE if self._on_cpu else 16 * PIECE)
        return np.split(rows, np.flatnonzero(np.diff(number)) + 1)

    @property
    def _on_cpu(self) -> bool:
        return str(self.model.device) == "cpu"

    def _vectors(self, rows: Ints) -> Float16s:
        """(n, D) of these texts."""
        found = self._encode([self.corpus.texts[row] for row in rows.tolist()])
        sound = np.isfinite(found).all(axis=1)
        if not sound.all():
            row = int(rows[np.argmin(sound)])
            raise ConfigError(
                f"the encoder {self.name} gives no numbers (NaN or infinity) for the text of row {row + 1}, "
                f"{shorten(self.corpus.texts[row], 40)!r}; take another encoder"
            )
        return unit_rows(found)

    def _encode(self, texts: list[str]) -> npt.NDArray[Any]:
        with quiet():
            size = ON_CPU if self._on_cpu else ON_GPU
            return np.asarray(self.model.encode(texts, batch_size=size, show_progress_bar=False))


def unit_rows(vectors: npt.NDArray[Any]) -> Float16s:
    """(n, D) with rows of length 1; rows of 0 stay so.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [1e300, 0.0]])).tolist()
    [[0.60009765625, 0.7998046875], [0.0, 0.0], [1.0, 0.0]]
    """
    exact = vectors.astype(np.float64)
    largest = np.abs(exact).max(axis=1, keepdims=True, initial=0)
    np.divide(exact, largest, out=exact, where=largest > 0)  # first, so that no square is out of range
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    np.divide(exact, lengths, out=exact, where=lengths > 0)
    return exact.astype(np.float16)


def _first_copies(corpus: Corpus) -> Ints:
    """(N,) int64 the first row that has the same text."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(text, row) for row, text in enumerate(corpus.texts)], np.int64)


# --- The file ---------------------------------------------------------------------------------------------------------


def _name_of(corpus: Corpus, mark: str) -> str:
    """Sha256 of what the vectors depend on, 64 hex digits: the texts in their order, and the encoder."""
    texts = hashlib.sha256(corpus.keys.astype(">u8").tobytes()).hexdigest()
    parts = {"vectors": FORMAT, "texts": texts, "encoder": mark}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(path: Path, rows: int, mode: Literal["c", "r+"] = "c") -> Float16s | None:
    """The vectors of a file, or None where it is missing or of no use."""
    try:
        vectors: Float16s = np.load(path, mmap_mode=mode, allow_pickle=False)
        os.utime(path)  # used now
    except (OSError, ValueError, EOFError):
        return None
    return vectors if vectors.dtype == np.float16 and vectors.ndim == 2 and len(vectors) == rows else None


def _kept(path: Path, reading: _Reading) -> Float16s:
    """The vectors, computed into a file beside its place, which is renamed when it is whole.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_suffix(".progress")) as progress:
        found = _read(path, len(reading.corpus))  # another process may have been at it
        if found is None:
            part = path.with_suffix(".part")
            vectors, done = _left_off(part, reading.shape, progress)

            def save(done: int) -> None:
                vectors.flush()  # the vectors first: with too large a number, zeros would pass for vectors
                os.pwrite(progress, b"%012d" % done, 0)
                os.fsync(progress)

            reading.fill(vectors, done, save)
            vectors.flush()
            sync(part)
            part.replace(path)
            sync(path.parent)
            found = _read(path, len(reading.corpus))
        path.with_suffix(".progress").unlink(missing_ok=True)
        prune(path)
    if found is None:
        raise FileNotFoundError(f"{path} was deleted")
    return found


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """The file of the progress, open; another process that wants the same vectors waits."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _left_off(part: Path, shape: tuple[int, int], progress: int) -> tuple[np.memmap[Any, np.dtype[np.float16]], int]:
    """The file that is not yet whole, (N, D), and how many distinct texts are in it."""
    vectors, said = _read(part, shape[0], "r+"), os.pread(progress, 12, 0)
    if isinstance(vectors, np.memmap) and vectors.shape == shape and said.isdigit():
        return vectors, int(said)
    os.ftruncate(progress, 0)
    return new_file(part, shape, np.float16), 0
