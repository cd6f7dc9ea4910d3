"""What a run saves between its rounds: records as tensors and plain types, in files that the run's record vouches for.

    states = States(folder, record, print)
    states.keep(3, {"model": model.state_dict(), "rounds": packed(rounds)})   # RUN/state/round-3.pt
    states.restore(take)                                                      # the newest that is sound

A file counts once the record has its sha256. The one before it is kept, and taken where the newest is damaged; where
both are, the run begins again from its labels, which the record has.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np
import torch
from torch import Tensor

from lit_al.exceptions import CheckpointError, LitALError
from lit_al.models.checkpoint import check_finite, loaded, save
from lit_al.record import Record, RoundFacts
from lit_al.utils.failpoints import crash_point
from lit_al.utils.memory import is_shortage
from lit_al.utils.terminal_text import first_line

T = TypeVar("T")
KEPT = 2  # files: the newest, and the one before it


class Snapshots:
    """The states of a run, by round.

    Args:
        folder: of the run.
        record: of the run.
        tell: called with a sentence for each file that is of no use.
    """

    def __init__(self, folder: Path, record: Record, tell: Callable[[str], object]) -> None:
        self.folder, self.record, self.tell = folder, record, tell

    def keep(self, number: int, state: Mapping[str, Any], **facts: Any) -> None:
        """Write the state after a round, note it with other facts in the record, and drop what it makes superfluous.

        Raises:
            CheckpointError: it cannot be written.
            FitError: a weight is not finite.
        """
        crash_point("before_round_state")
        path = self.folder / "state" / f"round-{number}.pt"
        digest = save(lambda place: torch.save(packed(state), place), path)
        self.record.end_round(number, {**facts, "state": str(path.relative_to(self.folder)), "sha256": digest})
        crash_point("after_round_state")
        needed = {kept.facts["state"] for kept in self._kept()[:KEPT]}
        for other in path.parent.glob("round-*.pt"):
            if str(other.relative_to(self.folder)) not in needed:
                other.unlink(missing_ok=True)

    def restore(self, take: Callable[[Mapping[str, Any]], object]) -> int | None:
        """Hand over the newest sound state.

        Args:
            take: goes on from it; a state that does not fit it is passed over, as a damaged one is.

        Returns:
            The number of its round; None where there is no such state.
        """
        for kept in self._kept():
            try:
                take(self._read(kept))
            except Exception as error:  # whatever a state of somebody else's making does to those who take it
                if is_shortage(error):
                    raise
                self.tell(f"the state after round {kept.number} is of no use and passed over: {_reason(error)}")
            else:
                return kept.number
        return None

    def _kept(self) -> list[RoundFacts]:
        """Rounds with a state, the newest first."""
        return [found for found in reversed(self.record.rounds()) if found.ended and "state" in found.facts]

    def _read(self, kept: RoundFacts) -> Any:
        path = self.folder / "state" / f"round-{kept.number}.pt"
        if kept.facts["state"] != str(path.relative_to(self.folder)):  # a record of other hands may lead anywhere
            raise CheckpointError(f"{str(kept.facts['state'])[:60]!r} is no state of this run")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read ({error.strerror or error})") from error
        if hashlib.sha256(content).hexdigest() != kept.facts["sha256"]:
            raise CheckpointError(f"{path} is damaged, its sha256 is not that on record")
        state = loaded(content, path)
        check_finite(state)
        return state


def _reason(error: Exception) -> str:
    """Its words, with its kind where the words were not made for people."""
    if isinstance(error, LitALError):
        return str(error)
    return f"it does not fit this run ({type(error).__name__}: {first_line(error)})"


def packed(value: Any) -> Any:
    """A value as tensors and plain types, which `torch.load` reads without executing anything.

    >>> packed({"rows": np.array([3, 1]), "share": np.float64(0.5)})
    {'rows': tensor([3, 1]), 'share': 0.5}
    """
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: packed(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: packed(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(packed(part) for part in value)
    return value


def unpacked(kind: type[T], state: Mapping[str, Any]) -> T:
    """The dataclass that was `packed`, those inside it too.

    Raises:
        TypeError: it is of another kind.
    """
    hints = get_type_hints(kind)
    return kind(**{name: _unpacked(hints.get(name), value) for name, value in state.items()})


def _unpacked(hint: Any, value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, dict):
        inner = [part for part in (hint, *get_args(hint)) if isinstance(part, type) and is_dataclass(part)]
        return unpacked(inner[0], value) if inner else value
    return value
