"""A wrapper against near-duplicates: the most uncertain texts are often copies of one another."""

from dataclasses import dataclass, replace

import numpy as np

from lit_al.exceptions import ConfigError
from lit_al.strategies.geometry import chunks, unit
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Choice, Context
from lit_al.strategies.wrappers import Wrapper
from lit_al.typing import Floats, Mask


@dataclass(frozen=True)
class Diverse(Wrapper):
    """No two texts of a batch alike: of texts closer than a cosine of 0.95 only the first is taken.

    It compares text vectors, which change with the text and not with the model. The strategy inside is asked again
    until the batch is full; where nothing else is left, near-duplicates fill it.

    Attributes:
        cosine: texts at least this similar count as one.
    """

    cosine: float = 0.95

    name = "diverse"

    def __post_init__(self) -> None:
        """Refuse a cosine outside (0, 1]."""
        super().__post_init__()
        if not isinstance(self.cosine, float | int) or not 0 < self.cosine <= 1:
            raise ConfigError(f"diverse cosine {self.cosine!r} must lie above 0 and at most at 1, as in diverse:0.95")

    @property
    def needs(self) -> frozenset[str]:
        """Text vectors to compare."""
        return self.base.needs | {"vectors"}

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Choose, keep the first of its kind, choose again among what is not similar to it."""
        vectors = unit(pool.vectors)  # (n, D)
        order = np.argsort(pool.rows)
        chosen, close = np.zeros(len(pool), np.bool_), np.zeros(len(pool), np.bool_)
        kept = []
        while chosen.sum() < n and not (chosen | close).all():
            choice = self.ask(pool.take(~(chosen | close)), n - int(chosen.sum()), context)
            if len(choice.rows) == 0:
                break
            where = order[np.searchsorted(pool.rows, choice.rows, sorter=order)]  # (k,) positions in the pool
            first = first_of_its_kind(vectors[where], self.cosine)
            kept.append(choice.take(first))
            chosen[where[first]] = True
            close |= close_to_any(vectors, vectors[where[first]], self.cosine)
        rest = self.ask(pool.take(~chosen), n - int(chosen.sum()), context)
        words = tuple(f"near-duplicate, nothing else is left: {reason}" for reason in rest.reasons)
        return Choice.join([*kept, replace(rest, reasons=words)])


def first_of_its_kind(vectors: Floats, cosine: float) -> Mask:
    """(k,) which of the unit rows (k, D) are not close to an earlier one that is kept.

    >>> first_of_its_kind(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 0.95)
    array([ True, False,  True])
    """
    kept = np.ones(len(vectors), np.bool_)
    for i in range(1, len(vectors)):
        kept[i] = not (vectors[:i][kept[:i]] @ vectors[i] >= cosine - 1e-6).any()
    return kept


def close_to_any(vectors: Floats, others: Floats, cosine: float) -> Mask:
    """(n,) which of the unit rows (n, D) are close to one of the others (k, D)."""
    close = np.zeros(len(vectors), np.bool_)
    if len(others):
        for part in chunks(len(vectors), len(others)):
            close[part] = (vectors[part] @ others.T).max(axis=1) >= cosine - 1e-6
    return close
