"""The one mutable thing of a run: which row of the corpus plays which part, and since which round.

Rows are global ids, positions in the whole corpus. They never become positions in the pool, so that nothing has to be
translated back (a mistake that several active-learning libraries have shipped).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lit_al.data import Corpus
from lit_al.exceptions import ConfigError, DataError, StrategyError
from lit_al.typing import UNLABELED, Mask, Rows

SHARES = {"validation": 0.1, "test": 0.1, "initial": 0.3}  # the example's 5,000, 5,000 and 15,000 of 50,000


@dataclass
class Split:
    """Who is who: validation, test, pool, and the labeled rows of each round.

    Attributes:
        validation: (n,) int64 row ids.
        test: (n,) int64 row ids.
        pool: (n,) int64 row ids without a label for the learner, in an order that no label has shaped.
        rounds: labeled row ids by round; round 0 is the initial training set.

    >>> split = Split(np.array([0]), np.array([1]), pool=np.array([5, 4, 3]), rounds=[np.array([2])])
    >>> split.label(np.array([4]))
    >>> split.pool, split.labeled
    (array([5, 3]), array([2, 4]))
    """

    validation: Rows
    test: Rows
    pool: Rows
    rounds: list[Rows] = field(default_factory=list)

    @property
    def labeled(self) -> Rows:
        """(n,) int64 row ids of the training set, in the order of labeling."""
        return np.concatenate(self.rounds) if self.rounds else np.empty(0, np.int64)

    @property
    def parts(self) -> dict[str, Rows]:
        """Row ids of each part, by the names used in reports."""
        return {"train": self.labeled, "validation": self.validation, "test": self.test, "pool": self.pool}

    def label(self, rows: Rows) -> None:
        """Move rows from the pool to a new round of the training set.

        Raises:
            StrategyError: a row twice, or one that is not in the pool. Nothing has moved then.
        """
        rows = np.asarray(rows, dtype=np.int64)
        unique, counts = np.unique(rows, return_counts=True)
        if (counts > 1).any():
            raise StrategyError(f"row {unique[counts > 1][0]} was chosen twice in one round; choose distinct rows")
        strangers = rows[~np.isin(rows, self.pool)]
        if strangers.size:
            raise StrategyError(f"row {strangers[0]} was chosen but is not in the pool of {self.pool.size:,} rows")
        self.pool = without(self.pool, rows)
        self.rounds.append(rows)


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Share a whole number by weights, by largest remainders: the parts add up to the total.

    >>> apportion(10, [1, 1, 1])
    [4, 3, 3]
    """
    exact = total * np.asarray(weights, dtype=np.float64) / np.sum(weights)
    parts = np.floor(exact).astype(np.int64)
    short = total - int(parts.sum())
    parts[np.argsort(parts - exact, kind="stable")[:short]] += 1
    return [int(part) for part in parts]


def shuffled(corpus: Corpus, seed: int) -> Rows:
    """(N,) int64 all rows in an order drawn by the seed from that of their sha256.

    Neither labels nor the order of the file have a part in it. Every pool is a part of this order: a rule that takes
    from the head of the pool, or breaks ties by it, learns nothing of labels that nobody has paid for.

    >>> labels = np.array([0, 0, 1, 1])
    >>> corpus, turned = (Corpus(texts, labels, ("a", "b")) for texts in (list("wxyz"), list("zyxw")))
    >>> [[one.texts[row] for row in shuffled(one, 0)] for one in (corpus, turned)]
    [['z', 'x', 'w', 'y'], ['z', 'x', 'w', 'y']]
    """
    return np.random.default_rng(seed).permutation(corpus.order)


def without(rows: Rows, *parts: Rows) -> Rows:
    """The rows (n,) that are in none of the parts, in their order."""
    return rows[~np.isin(rows, np.concatenate([np.empty(0, np.int64), *parts]))]


def stratified_split(
    corpus: Corpus,
    *,
    seed: int,
    validation: int | None = None,
    test: int | None = None,
    initial: int | None = None,
    keep: Mask | None = None,
) -> Split:
    """Split as the Keras example does: class by class after a seeded shuffle, validation, test, initial, pool.

    The same texts with the same labels are split alike in whatever order they stand in a file.

    Args:
        corpus: N rows; those without a label go to the pool.
        seed: of the shuffle.
        validation: rows over all classes; None takes the example's share (`SHARES`) of the labeled rows.
        test: likewise.
        initial: likewise; the training set of round 0.
        keep: (N,) bool, rows that take part; None takes all.

    Raises:
        ConfigError: a size below one.
        DataError: fewer rows than the sizes need, over all or in one class.
    """
    order = shuffled(corpus, seed)
    if keep is not None:
        order = order[keep[order]]
    classes = corpus.labels[order]  # (n,)
    counts = np.bincount(classes[classes != UNLABELED], minlength=len(corpus.classes))
    sizes = _sizes({"validation": validation, "test": test, "initial": initial}, int(counts.sum()))
    parts: dict[str, list[Rows]] = {name: [] for name in sizes}
    quotas = {name: apportion(size, counts.tolist()) for name, size in sizes.items()}
    for index, name in enumerate(corpus.classes):
        rows = order[classes == index]
        wanted = [quotas[part][index] for part in sizes]
        _check_class(name, rows.size, wanted)
        for part, piece in zip(parts, np.split(rows, np.cumsum(wanted)), strict=False):  # the last piece is left over
            parts[part].append(piece)
    validation_rows, test_rows, initial_rows = (np.concatenate(pieces) for pieces in parts.values())
    return Split(validation_rows, test_rows, without(order, validation_rows, test_rows, initial_rows), [initial_rows])


def _sizes(wanted: dict[str, int | None], labeled: int) -> dict[str, int]:
    for name, size in wanted.items():
        if size is not None and size < 1:
            raise ConfigError(f"--{name.replace('validation', 'val')}-size {size} must be 1 or more")
    sizes = {name: round(SHARES[name] * labeled) if size is None else size for name, size in wanted.items()}
    if sum(sizes.values()) > labeled:
        need = " + ".join(f"{size:,} {name}" for name, size in sizes.items())
        raise DataError(
            f"the split needs {need} labeled rows but the corpus has {labeled:,}; "
            "lower --val-size, --test-size or --initial-size (of train.py), or add rows"
        )
    return sizes


def _check_class(name: str, rows: int, wanted: Sequence[int]) -> None:
    if min(wanted) < 1:
        raise DataError(
            f"class {name!r} has {rows:,} labeled rows, too few to be in the validation, test and initial sets; "
            "add rows of it, or raise --val-size, --test-size and --initial-size (of train.py)"
        )
    if sum(wanted) > rows:
        raise DataError(f"class {name!r} has {rows:,} labeled rows, the split needs {sum(wanted):,}; lower the sizes")
