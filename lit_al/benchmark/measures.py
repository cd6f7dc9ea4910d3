"""Two measures of a learning curve, both over the logarithm of labels.

Accuracy, or macro-F1, rises about evenly with each doubling of the labels. On a plain axis the last budgets, where
strategies hardly differ, would make up most of the area.
"""

from dataclasses import dataclass

import numpy as np

from lit_al.typing import Float64s, Ints


def area(labels: Ints, scores: Float64s) -> Float64s:
    """Area under the learning curve, over log labels, divided by the width: the mean score over the budgets.

    Args:
        labels: (B,) rising.
        scores: (..., B) of one curve or more; a gap (NaN) leaves no area.

    Returns:
        (...,) in the unit of the scores, NaN with fewer than two budgets.

    >>> float(area(np.array([100, 200, 400]), np.array([.6, .7, .8])).round(3))
    0.7
    """
    scores = np.asarray(scores, dtype=np.float64)
    if len(labels) < 2:
        return np.full(scores.shape[:-1], np.nan)
    from scipy.integrate import trapezoid

    x = np.log(labels)
    return np.asarray(trapezoid(scores, x) / (x[-1] - x[0]))


@dataclass(frozen=True)
class Reach:
    """Labels needed to reach a score, as far as the budgets show it.

    Attributes:
        low: at least as many; 0 where the first budget was enough.
        high: at most as many; inf where the last was not.
    """

    low: float
    high: float

    @property
    def labels(self) -> float | None:
        """The number, where the curve crosses the score between two budgets; else None."""
        return self.low if self.low == self.high else None

    def __str__(self) -> str:
        """In words."""
        if self.labels is not None:
            return f"{self.labels:,.0f}"
        return f"more than {self.low:,.0f}" if np.isinf(self.high) else f"{self.high:,.0f} or fewer"


def reach(labels: Ints, scores: Float64s, target: float) -> tuple[Float64s, Float64s]:
    """Bounds on the labels that each curve needs to reach a target: where it first does, interpolated on log labels.

    Args:
        labels: (B,) rising.
        scores: (R, B) of R curves, no gaps.
        target: score wanted.

    Returns:
        (R,) at least and (R,) at most: equal where the curve crosses the target; 0 and the first budget where it
        starts above; the last budget and inf where it never gets there.
    """
    above = scores >= target  # (R, B)
    first = np.where(above.any(axis=1), above.argmax(axis=1), len(labels))  # (R,), B: never
    crossing = np.exp(_crossing(np.log(labels), scores, target, first))  # (R,)
    low = np.where(first == 0, 0.0, np.where(first == len(labels), labels[-1], crossing))
    high = np.where(first == 0, labels[0], np.where(first == len(labels), np.inf, crossing))
    return low, high


def _crossing(x: Float64s, scores: Float64s, target: float, first: Ints) -> Float64s:
    """(R,) where the line to the first point above the target crosses it; anything where there is no such line."""
    right = np.clip(first, 1, len(x) - 1)  # (R,)
    curve = np.arange(len(scores))
    before, after = scores[curve, right - 1], scores[curve, right]  # (R,)
    rise = np.where(after > before, after - before, 1.0)
    return np.asarray(x[right - 1] + np.clip((target - before) / rise, 0, 1) * (x[right] - x[right - 1]))


def labels_to_reach(labels: Ints, scores: Float64s, target: float) -> float | None:
    """Labels that one curve needs to reach a target; None where it does not within the budgets.

    A curve that starts above the target gets its first budget, which is then an upper bound; `reach` keeps the two
    apart.

    >>> labels_to_reach(np.array([100, 400]), np.array([.6, .8]), .7)
    200.0
    >>> labels_to_reach(np.array([100, 400]), np.array([.6, .8]), .9) is None
    True
    """
    high = float(reach(labels, np.asarray(scores, dtype=np.float64)[None], target)[1][0])
    return None if np.isinf(high) else round(high, 6)
