"""Ratio sampling, the strategy of the Keras example: label more of the class that the model gets wrong.

The page states: number of ones to sample = number of ones incorrectly classified / total incorrectly classified. Ones
classified incorrectly are false negatives, yet its code gives them the share FP / (FN + FP). Both readings are here:

* `as-coded`: a class's share follows its false positives, the rows of other classes that were taken for it;
* `as-stated`: a class's share follows its false negatives, its own rows that were missed.

With two classes they mirror each other; with more, each reads the same errors along another side of the confusion
matrix. Shares are equal when a class has no error to count, as on the page.
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from lit_al.exceptions import ConfigError, StrategyError
from lit_al.metrics import Confusion
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Choice, Context, Strategy
from lit_al.typing import Float64s

Direction = Literal["as-coded", "as-stated"]


@dataclass(frozen=True)
class RatioSampling(Strategy):
    """Share the query between the classes by the model's errors; within a class take the pool's head (Keras page).

    Attributes:
        direction: which errors of a class count, see above.
        fill: take what is missing to a full query from the head of the rest. The page does not: its quotas are rounded
            down, and a class may run out. The strategy made by the name `ratio` does.

    >>> confusion = Confusion(np.array([[2266, 234], [665, 1835]]))  # 665 false negatives, 234 false positives
    >>> RatioSampling().quotas(confusion, 5_000)
    [3698, 1301]
    >>> RatioSampling("as-stated").quotas(confusion, 5_000)
    [1301, 3698]
    """

    direction: Direction = "as-coded"
    fill: bool = False

    name = "ratio"
    needs = frozenset({"classes"})
    needs_confusion = True

    def __post_init__(self) -> None:
        """Refuse an unknown direction."""
        if self.direction not in ("as-coded", "as-stated"):
            raise ConfigError(f"ratio direction {self.direction!r} is unknown; give 'as-coded' or 'as-stated'")

    def shares(self, confusion: Confusion) -> Float64s:
        """(C,) share of each class in the next query; they add up to 1."""
        errors = confusion.claimed if self.direction == "as-coded" else confusion.missed
        if (errors == 0).any():
            return np.full(len(errors), 1 / len(errors))
        return np.asarray(errors / errors.sum(), dtype=np.float64)

    def quotas(self, confusion: Confusion, size: int) -> list[int]:
        """Rows to take of each class; rounded down as on the page, so their sum may fall short of `size`."""
        return [int(share * size) for share in self.shares(confusion)]

    @classmethod
    def from_setting(cls, setting: str, *base: Strategy) -> Self:
        """By name it fills its queries, as every strategy does."""
        direction: Direction = setting or "as-coded"  # type: ignore[assignment]  # checked by the constructor
        return cls(direction, fill=True)

    @property
    def exact(self) -> bool:
        """Only where it fills up."""
        return self.fill

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Take the head of each class, in the order of the pool; all scores are 0.

        Raises:
            StrategyError: no confusion to follow.
        """
        if context.confusion is None:
            raise StrategyError("ratio follows the model's errors but got no confusion; pass context.confusion")
        shares, quotas = self.shares(context.confusion), self.quotas(context.confusion, n)
        heads = [np.flatnonzero(pool.classes == label)[:quota] for label, quota in enumerate(quotas)]
        short = any(len(head) < quota for head, quota in zip(heads, quotas, strict=True))
        words = [
            f"class {label}, whose share of the errors is {shares[label]:.3f}"
            for label, head in enumerate(heads)
            for _ in head
        ]
        picks = np.concatenate(heads)
        if self.fill:
            rest = np.setdiff1d(np.arange(len(pool)), picks)[: n - len(picks)]
            picks, short = np.concatenate([picks, rest]), False
            words += ["head of the pool, to fill the query"] * len(rest)
        return Choice(
            pool.rows[picks], np.zeros(len(picks)), tuple(words), shares=tuple(map(float, shares)), short=short
        )
