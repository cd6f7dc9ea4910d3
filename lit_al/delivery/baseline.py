"""Two models on the same texts: who is right where the other is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.stats import binomtest

from lit_al.delivery.held_out import HeldOut
from lit_al.typing import Floats
from lit_al.utils.intervals import Z

SHOWN: Final = 10  # texts that are named on the console
KEPT: Final = 1_000  # likewise in the file


class Differing(NamedTuple):
    """A text that two models call differently."""

    text: str
    label: str
    before: str
    now: str


@dataclass(frozen=True)
class PairedComparison:
    """A model and the one before it, paired by texts.

    Attributes:
        both: texts that both call right.
        gained: that the new one alone calls right.
        lost: that the old one alone calls right.
        neither: that both call wrong.
        differing: texts that they call differently, those first that the new one has lost.
    """

    both: int
    gained: int
    lost: int
    neither: int
    differing: tuple[Differing, ...]

    @classmethod
    def of(
        cls, held: HeldOut, classes: Sequence[str], now: Floats, classes_before: Sequence[str], before: Floats
    ) -> "PairedComparison":
        """Of what two models say of the same texts, (n, C) each; their classes are compared by name."""
        names, names_before = np.array([*classes], object), np.array([*classes_before], object)
        truth, new, old = names[held.labels], names[now.argmax(1)], names_before[before.argmax(1)]  # (n,) each
        right, was_right = new == truth, old == truth
        order = sorted(np.flatnonzero(new != old).tolist(), key=lambda row: (not was_right[row], right[row], row))
        found = (Differing(held.texts[row], truth[row], old[row], new[row]) for row in order)
        both, gained, lost = (int(cell.sum()) for cell in (right & was_right, right & ~was_right, ~right & was_right))
        return cls(both, gained, lost, len(truth) - both - gained - lost, tuple(found))

    @property
    def rows(self) -> int:
        """Texts compared."""
        return self.both + self.gained + self.lost + self.neither

    @property
    def gain(self) -> float:
        """Accuracy of the new model less that of the old one."""
        return (self.gained - self.lost) / self.rows

    @property
    def gain_interval(self) -> tuple[float, float]:
        """Its 95 % interval, with half a text more in each of the four cells (Agresti and Min 2005)."""
        rows, gained, lost = self.rows + 2, self.gained + 0.5, self.lost + 0.5
        middle = (gained - lost) / rows
        half = Z * sqrt(gained + lost - (gained - lost) ** 2 / rows) / rows
        return max(-1.0, min(self.gain, middle - half)), min(1.0, max(self.gain, middle + half))

    @property
    def p(self) -> float:
        """McNemar's exact test: how likely chance alone parts the texts that one of the two calls right so unevenly."""
        return float(binomtest(self.gained, self.gained + self.lost).pvalue) if self.gained + self.lost else 1.0

    def described(self) -> dict[str, Any]:
        """As JSON."""
        low, high = self.gain_interval
        counted = {"both_right": self.both, "gained": self.gained, "lost": self.lost, "both_wrong": self.neither}
        differing = [one._asdict() for one in self.differing[:KEPT]]
        return {**counted, "gain": self.gain, "low": low, "high": high, "p": self.p, "differing": differing}

    def sentence(self, other: str = "the baseline") -> str:
        """What the comparison with another model comes to."""
        low, high = self.gain_interval
        said = "no difference that chance would not explain" if self.p > 0.05 else "a difference beyond chance"
        return (
            f"against {other}: {self.gained:,} texts gained, {self.lost:,} lost, accuracy {100 * self.gain:+.2f} "
            f"points ({100 * low:+.2f} to {100 * high:+.2f}), McNemar's exact p = {self.p:.3g}: {said}"
        ).replace("+-", "-")
