"""How good the model is, by labels that it had not learned from: random controls, or validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

import numpy as np

from lit_al.leanstate import Run

Z = 1.959964  # a normal variable lies within so many standard deviations in 95 % of all cases


@dataclass(frozen=True)
class Estimate:
    """A share of right answers.

    Attributes:
        right: rows that the model called as the oracle did. An oracle that errs lowers it.
        rows: n, judged, at least one.

    >>> Estimate(8, 10).accuracy, [round(bound, 3) for bound in Estimate(8, 10).interval]
    (0.8, [0.49, 0.943])
    """

    right: int
    rows: int

    @classmethod
    def of(cls, judged: Sequence[bool]) -> Self | None:
        """The estimate by rows judged right or wrong; None where there is none.

        Random controls of all rounds count alike, each judged by the model that was there when it was drawn. So it
        speaks of the models on the way, on the whole below the newest one, and costs no label that would not be learned
        from.
        """
        return cls(sum(judged), len(judged)) if judged else None

    @property
    def accuracy(self) -> float:
        """The share."""
        return self.right / self.rows

    @property
    def standard_error(self) -> float:
        """Of the share of n independent rows, drawn towards a half by two of each kind (Agresti and Coull 1998).

        The plain formula gives 0 where all controls were called right, as if nothing could be wrong then.
        """
        p = (self.right + 2) / (self.rows + 4)
        return sqrt(p * (1 - p) / (self.rows + 4))

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval (1927): for few rows and shares near 1 as good as for others."""
        n, p = self.rows, self.accuracy
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    def described(self) -> dict[str, Any]:
        """As `results.json` has it."""
        low, high = self.interval
        return {"accuracy": self.accuracy, "low": low, "high": high, "rows": self.rows}


@dataclass(frozen=True)
class ByValidation:
    """The newest round's estimate by validation.

    A strategy chooses texts that are harder, or of other classes, than those of the pool; so do its labels judge. Only
    the rows among them that chance asked for stand for the pool.

    Attributes:
        all: by all validation rows.
        drawn: by those of them that were drawn at random, first labels and controls; None where there are none.
    """

    all: Estimate
    drawn: Estimate | None

    @classmethod
    def of(cls, run: Run) -> Self | None:
        """What a run knows after a fit; None without validation."""
        if run.validated is None:
            return None
        right = run.validated.right
        whole = Estimate.of(right.tolist())
        assert whole is not None  # the loop refuses validation without a row
        return cls(whole, Estimate.of(right[np.isin(run.validated.rows, run.drawn)].tolist()))

    @property
    def chosen(self) -> int:
        """Rows that a strategy chose."""
        return self.all.rows - (self.drawn.rows if self.drawn else 0)

    def described(self) -> dict[str, Any]:
        """As `results.json` has it."""
        return {**self.all.described(), "drawn": self.drawn.described() if self.drawn else None}
