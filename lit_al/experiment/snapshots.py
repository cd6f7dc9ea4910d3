"""What a run saves between its rounds: records as tensors and plain types, in files that the run's record vouches for.

    states = States(folder, record, print)
    states.keep(3, {"model": model.state_dict(), "rounds": packed(rounds)})   # RUN/state/round-3.pt
    states.restore(take)                                                      # the newest that is sound

A file counts once the record has its sha256. The one before it is kept, and taken where the newest is damaged; where
both are, the run begins again from its labels, which the record has.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch

from lit_al.exceptions import CheckpointError, LitALError
from lit_al.models.checkpoint import check_finite, loaded, save
from lit_al.record import Record, RoundFacts
from lit_al.utils.failpoints import crash_point
from lit_al.utils.memory import is_shortage
from lit_al.utils.packing import packed
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
