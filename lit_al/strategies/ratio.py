"""Ratio sampling, the strategy of the Keras example: label more of the class that the model gets wrong.

The page states: number of ones to sample = number of ones incorrectly classified / total incorrectly classified. Ones
classified incorrectly are false negatives, yet its code gives them the share FP / (FN + FP). Both readings are here:

* `as-coded`: a class's share follows its false positives, the rows of other classes that were taken for it;
* `as-stated`: a class's share follows its false negatives, its own rows that were missed.

With two classes they mirror each other; with more, each reads the same errors along another side of the confusion
matrix. Shares are equal when a class has no error to count, as on the page.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lit_al.errors import ConfigError
from lit_al.outputs import Confusion
from lit_al.split import Rows

Direction = Literal["as-coded", "as-stated"]


@dataclass(frozen=True)
class Choice:
    """What a strategy chose.

    Attributes:
        rows: (n,) int64 row ids.
        shares: (C,) wanted share of each class.
        short: a class could not fill its quota.
    """

    rows: Rows
    shares: tuple[float, ...]
    short: bool


@dataclass(frozen=True)
class RatioSampling:
    """Share the query between the classes by the model's errors; within a class take the pool's head.

    >>> confusion = Confusion(np.array([[2266, 234], [665, 1835]]))  # 665 false negatives, 234 false positives
    >>> RatioSampling().quotas(confusion, 5_000)
    [3698, 1301]
    >>> RatioSampling("as-stated").quotas(confusion, 5_000)
    [1301, 3698]
    """

    direction: Direction = "as-coded"

    def __post_init__(self) -> None:
        """Refuse an unknown direction."""
        if self.direction not in ("as-coded", "as-stated"):
            raise ConfigError(f"ratio direction {self.direction!r} is unknown; give 'as-coded' or 'as-stated'")

    def shares(self, confusion: Confusion) -> npt.NDArray[np.float64]:
        """(C,) share of each class in the next query; they add up to 1."""
        errors = confusion.claimed if self.direction == "as-coded" else confusion.missed
        if (errors == 0).any():
            return np.full(len(errors), 1 / len(errors))
        return np.asarray(errors / errors.sum(), dtype=np.float64)

    def quotas(self, confusion: Confusion, size: int) -> list[int]:
        """Rows to take of each class; rounded down as on the page, so their sum may fall short of `size`."""
        return [int(share * size) for share in self.shares(confusion)]

    def select(self, pool: Rows, classes: npt.NDArray[np.int64], size: int, confusion: Confusion) -> Choice:
        """Choose rows of the pool.

        Args:
            pool: (n,) int64 row ids in drawing order.
            classes: (n,) int64 class of each, true (a simulation's privilege) or predicted.
            size: rows wanted.
            confusion: the errors to follow.
        """
        quotas = self.quotas(confusion, size)
        heads = [pool[classes == index][:quota] for index, quota in enumerate(quotas)]
        short = any(len(head) < quota for head, quota in zip(heads, quotas, strict=True))
        return Choice(np.concatenate(heads), tuple(map(float, self.shares(confusion))), short)
