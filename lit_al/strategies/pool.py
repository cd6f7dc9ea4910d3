"""What a strategy may see: rows of the pool and of the labeled set, with the arrays it asked for and nothing else.

There is no place for a hidden label. An array that the strategy did not name in `needs` is not there either, and
reading it raises an error instead of giving None, so that nothing leaks by accident and no strategy has to check.
"""

from collections.abc import Collection
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import StrategyError
from lit_al.typing import Floats, Ints, Mask, Rows

Index = Ints | Mask

STACKED = ("draws", "committee")  # (M, n, C): the rows are their second axis


class RowArrays:
    """Row ids and the arrays that stand beside them, read-only.

    Args:
        rows: (n,) int64 global row ids.
        reader: who is to read them, for messages.
        columns: the arrays that a subclass names; None for one that is not there.
    """

    rows: Rows

    def __init__(self, rows: Rows, *, reader: str = "a strategy", **columns: npt.NDArray[Any] | None) -> None:
        if strangers := columns.keys() - type(self).__annotations__.keys():
            raise TypeError(f"{type(self).__name__} has no array {min(strangers)!r}; {self._there()}")
        here: dict[str, npt.NDArray[Any]] = {"rows": np.asarray(rows, dtype=np.int64)}
        here |= {name: np.asarray(column) for name, column in columns.items() if column is not None}
        for name, column in here.items():
            length = column.shape[1 if name in STACKED else 0]
            if length != len(here["rows"]):
                raise StrategyError(
                    f"{name} has {length:,} rows beside {len(here['rows']):,} row ids; pass one for each"
                )
            here[name] = column.view()
            here[name].flags.writeable = False  # a strategy that writes would change what the next one sees
        self.__dict__.update(here, _reader=reader)

    def __len__(self) -> int:
        return len(self.rows)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed; take() or only() gives another")

    def __getattr__(self, name: str) -> Any:
        """Refuse what is not there; called only for names that are not."""
        kind = type(self).__name__.lower()
        if name.startswith("_"):
            raise AttributeError(name)
        if name in type(self).__annotations__:
            raise StrategyError(f"{self._reader} reads {name} of the {kind} but was not given it; name it in its needs")
        raise StrategyError(
            f"{self._reader} reads {name!r} of the {kind}, which nobody may know or which does not exist; "
            f"{self._there()}"
        )

    @classmethod
    def _there(cls) -> str:
        return f"there are rows, {', '.join(cls.__annotations__)}"

    @property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name, row ids left out."""
        return {name: self.__dict__[name] for name in type(self).__annotations__ if name in self.__dict__}

    def take(self, index: Index) -> Self:
        """The rows at these positions, (k,) int64, or under this mask, (n,) bool."""
        parts = {name: array[:, index] if name in STACKED else array[index] for name, array in self.columns.items()}
        return type(self)(self.rows[index], reader=self._reader, **parts)

    def only(self, names: Collection[str], reader: str) -> Self:
        """The same rows with these arrays alone, to be read by the strategy of that name."""
        return type(self)(self.rows, reader=reader, **{k: v for k, v in self.columns.items() if k in names})


class Pool(RowArrays):
    """Unlabeled rows, as far as a strategy may know them.

    Attributes:
        rows: (n,) int64 global row ids.
        probabilities: (n, C) float32 of each class.
        draws: (M, n, C) float32 probabilities under M draws of dropout.
        committee: (M, n, C) float32 probabilities under M separately trained models.
        embeddings: (n, D) float32 features that the model feeds its last layer.
        vectors: (n, D) float32 text vectors that need no model.
        classes: (n,) int64 true class (a simulation's privilege) or predicted class.

    Raises:
        StrategyError: arrays of different length; reading one that is not there.

    >>> pool = Pool(np.array([70, 12]), probabilities=np.array([[0.5, 0.5], [0.9, 0.1]]))
    >>> pool.take(np.array([1])).rows
    array([12])
    >>> pool.labels
    Traceback (most recent call last):
    lit_al.exceptions.StrategyError: a strategy reads 'labels' of the pool, which nobody may know or ...
    """

    probabilities: Floats
    draws: Floats
    committee: Floats
    embeddings: Floats
    vectors: Floats
    classes: Ints


class Labeled(RowArrays):
    """Rows that are labeled already.

    Attributes:
        rows: (n,) int64 global row ids.
        labels: (n,) int64 classes, as answered.
        probabilities: (n, C) float32 of each class.
        embeddings: (n, D) float32 features that the model feeds its last layer.
        vectors: (n, D) float32 text vectors that need no model.

    >>> len(Labeled.none())
    0
    """

    labels: Ints
    probabilities: Floats
    embeddings: Floats
    vectors: Floats

    @classmethod
    def none(cls) -> Self:
        """Nothing is labeled yet."""
        return cls(np.empty(0, np.int64))
