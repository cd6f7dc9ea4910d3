"""Where a share lies: Wilson's score interval, the one interval of a single share in the whole package."""

from math import sqrt
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.95  # of confidence, everywhere
Z: Final = NormalDist().inv_cdf((1 + LEVEL) / 2)  # a normal variable lies within so many standard deviations


def wilson(share: float, rows: float) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927).

    It has a width where nothing was missed, and stays between 0 and 1. Weighted rows are as many as independent ones
    that would say as much, so that the number need not be whole; for whole ones it is the interval of
    `scipy.stats.binomtest(right, rows).proportion_ci(method="wilson")`.

    Args:
        share: seen, from 0 to 1.
        rows: n it rests on, above 0.

    >>> [round(end, 3) for end in wilson(0.8, 10)], [round(end, 3) for end in wilson(1.0, 10)]
    ([0.49, 0.943], [0.722, 1.0])
    """
    middle = (share + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
    half = Z / (1 + Z**2 / rows) * sqrt(max(share * (1 - share), 0.0) / rows + Z**2 / (4 * rows**2))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))  # at an end of the scale they meet


def standard_error(share: float, rows: float) -> float:
    """Of a share of n rows, drawn towards a half by two of each kind (Agresti and Coull 1998): never 0.

    The plain formula gives 0 where nothing was missed, as if nothing could be missed then.

    >>> round(standard_error(1.0, 3), 3), round(standard_error(0.5, 1_000), 4)
    (0.171, 0.0158)
    """
    p = (share * rows + 2) / (rows + 4)
    return sqrt(p * (1 - p) / (rows + 4))
