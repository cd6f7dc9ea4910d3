"""How good the model is, by rows that were drawn at random and judged before anything was learned from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

Z = 1.959964  # a normal variable lies within so many standard deviations in 95 % of all cases


@dataclass(frozen=True)
class Estimate:
    """A share of right answers.

    The controls of all rounds count alike, each judged by the model that was there when it was drawn. So it speaks of
    the models on the way, on the whole below the newest one, and it costs no label that would not be learned from.

    Attributes:
        right: controls that the model called as the oracle did. An oracle that errs lowers it.
        controls: n, judged so far, at least one.

    >>> Estimate(8, 10).accuracy, [round(bound, 3) for bound in Estimate(8, 10).interval]
    (0.8, [0.49, 0.943])
    """

    right: int
    controls: int

    @classmethod
    def of(cls, controls: Sequence[bool]) -> Self | None:
        """The estimate of controls judged right or wrong; None where there is none."""
        return cls(sum(controls), len(controls)) if controls else None

    @property
    def accuracy(self) -> float:
        """The share."""
        return self.right / self.controls

    @property
    def standard_error(self) -> float:
        """Of the share of n independent rows, drawn towards a half by two of each kind (Agresti and Coull 1998).

        The plain formula gives 0 where all controls were called right, as if nothing could be wrong then.
        """
        p = (self.right + 2) / (self.controls + 4)
        return sqrt(p * (1 - p) / (self.controls + 4))

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval (1927): for few rows and shares near 1 as good as for others."""
        n, p = self.controls, self.accuracy
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    def described(self) -> dict[str, Any]:
        """As `results.json` has it."""
        low, high = self.interval
        return {"accuracy": self.accuracy, "low": low, "high": high, "controls": self.controls}
