"""What the loop asks of those who train: `Models` that are fitted, and a `TrainingMethod`, which fits them itself.

Seeds go side by side; the first axis is always theirs.

| | a round is | module |
|---|---|---|
| `TrainingMethod` | training steps by a recipe, on labels or distilled from a teacher | `training.step_training` |
| `TrainingMethod` | logistic regression on the whole text | `training.linear_training` |
| `Models` | a fit of somebody's own Trainer | `training.fitted_module` |
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lit_al.loop.state import LoopState
from lit_al.loop.validation import Validation
from lit_al.strategies import Labeled, Pool
from lit_al.typing import Floats, Rows


@dataclass(frozen=True)
class Seen:
    """What the strategy of one seed gets to see, and what the model alone says.

    Attributes:
        pool: the n candidates, with the arrays that the strategy needs.
        labeled: the labeled rows likewise.
        probabilities: (n, C) of the candidates under the model that would be delivered, without a teacher's opinion;
            None where the strategy needs none, so that only the chosen ones are asked about.
    """

    pool: Pool
    labeled: Labeled
    probabilities: Floats | None = None


@dataclass(frozen=True)
class FitRecord:
    """What there is to say of a fit.

    Attributes:
        steps: taken; 0 where a method has none.
        samples: texts that these steps took, of all seeds.
        curve: mean training losses over the steps, in nats summed over seeds; () where there are none.
        agreement: share of pool texts held out to which the delivered model gives the answer of its teacher, mean over
            the seeds; None without a teacher, or where no text could be held out.
        held_out: such texts, of each seed.
    """

    steps: int = 0
    samples: int = 0
    curve: tuple[float, ...] = ()
    agreement: float | None = None
    held_out: int = 0

    def described(self) -> dict[str, Any]:
        """As `results.json` has it."""
        agreement = None if self.agreement is None else round(self.agreement, 4)
        return {"steps": self.steps, "agreement": agreement, "held_out": self.held_out}


class Models(Protocol):
    """The fitted models of a round, one for each seed: what they make of texts."""

    @property
    def guard(self) -> bool:
        """Is a batch drawn at random where the model answers nearly one class?"""

    @property
    def validation(self) -> Validation | None:
        """What judges each round by labels not learned from; None for nothing."""

    def look(
        self,
        number: int,
        states: Sequence[LoopState],
        candidates: Sequence[Rows],
        needs: Collection[str],
        needs_labeled: Collection[str],
    ) -> list[Seen]:
        """What the newest models make of each seed's candidates (n,) before round `number`, in the arrays named."""

    def score(self, rows: Rows) -> Floats:
        """(M, n, C) probabilities of rows (n,), or of rows (M, n) of each seed's own, under the newest models."""


class TrainingMethod(Models, Protocol):
    """Trains models on what is labeled."""

    @property
    def record(self) -> FitRecord:
        """What there is to say of the last fit."""

    def begin(self, seeds: Sequence[int], rounds: int) -> None:
        """Make ready for so many rounds of a run for each seed."""

    def fit(self, number: int, states: Sequence[LoopState]) -> None:
        """Train the models of a round on what is labeled by now.

        Raises:
            FitError: a seed without a label.
        """

    def validate(self, number: int, states: Sequence[LoopState]) -> None:
        """Note in each state how its model does on labels not learned from, where there is validation."""

    def state_dict(self) -> dict[str, Any]:
        """What the rounds to come depend on besides the labels, as tensors and plain types."""

    def load_state_dict(self, state: Mapping[str, Any], number: int, states: Sequence[LoopState]) -> None:
        """Go on from a `state_dict` of after round `number`; None where there was none."""
