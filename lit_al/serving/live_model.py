"""`LiveModel`: the model of a name, which is looked at again and again; what it means now takes over whole.

A name may come to mean other weights: a checkpoint is written anew, people label and a project's model gets better,
another version goes into production. Whoever reads texts takes `current` once and uses what he got; a new model is
loaded and has read its first text before it becomes that. One that cannot be loaded changes nothing.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lit_al.exceptions import CheckpointError, LitALError
from lit_al.models.checkpoint import load_frozen
from lit_al.models.classifier import Classifier
from lit_al.models.model_folder import CONFIG, TOKENIZER, WEIGHTS
from lit_al.models.prediction import probabilities
from lit_al.models.request import model_at

SECONDS: Final = 1.0  # between two looks
_TRIES: Final = 5  # to read files that somebody is replacing

Mark = tuple[tuple[Any, ...], ...]  # of each file: name, inode, time and size, which a change changes
Tell = Callable[[dict[str, Any]], object]  # what is told, as JSON


@dataclass(frozen=True)
class Loaded:
    """A model that has been loaded.

    Attributes:
        model: that reads texts.
        version: the first 12 hex digits of the sha256 of its files; before them its number where it has one, `3-…`.
        mark: of the files that it was read from.
    """

    model: Classifier
    version: str
    mark: Mark


class LiveModel:
    """The model that a name means now.

    Args:
        named: a checkpoint, the folder of a run or a project, or of an exported model.
        tell: what is called with what happens to it.

    Raises:
        LitALError: there is none, or it cannot read texts.
    """

    def __init__(self, named: Path, tell: Tell = lambda event: None) -> None:
        self.named, self._tell = named, tell
        self.current = loaded(named)
        self._seen = self.current.mark
        self._refused: Mark = ()  # files that could not be loaded: they are not tried again until they change
        self._fault = ""

    def look(self) -> bool:
        """See what the name means now, and let that take over; returns whether it did.

        Files that have changed since the last look are left alone until the next, for somebody may be writing them.
        """
        try:
            mark = _mark_of(model_at(self.named).weights)
            settled, self._seen = mark == self._seen, mark
            if mark == self.current.mark or not settled or mark == self._refused:
                return False
            found = loaded(self.named)
        except (LitALError, OSError) as error:
            self._refuse(error)
            return False
        before, self.current = self.current, found  # one assignment: a reader has the old one or the new one
        self._refused, self._fault = (), ""
        if found.version == before.version:  # the same content in another file
            return False
        self._tell({"event": "model", "model": found.version, "before": before.version})
        return True

    def _refuse(self, error: Exception) -> None:
        """Go on with the model that is there, and say so once."""
        self._refused = self._seen
        if str(error) != self._fault:
            self._fault = str(error)
            self._tell({"event": "model kept", "model": self.current.version, "error": self._fault})

    def follow(self, seconds: float = SECONDS) -> None:
        """Look every so many seconds, beside whatever else is done, as long as the process lives."""

        def looking() -> None:
            pause = threading.Event()
            while not pause.wait(seconds):
                self.look()

        threading.Thread(target=looking, daemon=True, name="live-model").start()


def loaded(named: Path) -> Loaded:
    """Load what a name means now, and let it read a text, so that whatever is made at first use is made.

    Raises:
        LitALError: it cannot be loaded, or reads no texts.
    """
    for _ in range(_TRIES):
        weights, number, _ = model_at(named)
        mark = _mark_of(weights)
        version, model = _version_of(weights, number), load_frozen(weights)
        if _mark_of(weights) == mark:
            next(probabilities(model, ["a text"]))
            return Loaded(model, version, mark)
    raise CheckpointError(f"{named} is written all the time; wait until that is done")


def _files_of(weights: Path) -> list[Path]:
    if not weights.is_dir():
        return [weights]
    return [path for path in (weights / WEIGHTS, weights / CONFIG, weights / TOKENIZER) if path.is_file()]


def _mark_of(weights: Path) -> Mark:
    try:
        states = [(path, path.stat()) for path in _files_of(weights)]
    except OSError as error:
        raise CheckpointError(
            f"{weights} cannot be read: {error.strerror or error}; give a .ckpt file, the folder of a run, or one of "
            "lit-al export-model"
        ) from error
    return tuple((str(path), state.st_ino, state.st_mtime_ns, state.st_size) for path, state in states)


def _version_of(weights: Path, number: int | None) -> str:
    digest = hashlib.sha256()
    for path in _files_of(weights):
        digest.update(path.read_bytes())
    return ("" if number is None else f"{number}-") + digest.hexdigest()[:12]
