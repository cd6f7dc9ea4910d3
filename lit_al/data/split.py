"""The one mutable thing of a run: which row of the corpus plays which part, and since which round.

Rows are global ids, positions in the whole corpus. They never become positions in the pool, so that nothing has to be
translated back (a mistake that several active-learning libraries have shipped).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lit_al.data import Corpus
from lit_al.exceptions import ConfigError, DataError, StrategyError
from lit_al.typing import UNLABELED, Ints, Mask, Rows
from lit_al.utils.terminal_text import counted

NAMED = 12  # rare classes named in a sentence; the others are counted
SHARES = {"validation": 0.1, "test": 0.1, "initial": 0.3}  # the example's 5,000, 5,000 and 15,000 of 50,000


@dataclass
class Split:
    """Who is who: validation, test, pool, and the labeled rows of each round.

    Attributes:
        validation: (n,) int64 row ids.
        test: (n,) int64 row ids.
        pool: (n,) int64 row ids without a label for the learner, in an order that no label has shaped.
        rounds: labeled row ids by round; round 0 is the initial training set.
        notes: what has to be known of it, a sentence each.

    >>> split = Split(np.array([0]), np.array([1]), pool=np.array([5, 4, 3]), rounds=[np.array([2])])
    >>> split.label(np.array([4]))
    >>> split.pool, split.labeled
    (array([5, 3]), array([2, 4]))
    """

    validation: Rows
    test: Rows
    pool: Rows
    rounds: list[Rows] = field(default_factory=list)
    notes: tuple[str, ...] = ()

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

    The same texts with the same labels are split alike in whatever order they stand in a file. A class with too few
    rows for each part is in those that its rows suffice for, the initial set first, and is named in `Split.notes`.

    Copies of a text are in one part, unless the corpus is that of the example, which is split to the letter: where a
    group has more rows of a class than a part still takes, it is in the next one that has room for it. A copy without a
    label whose group judges is in no part.

    Args:
        corpus: N rows; those without a label go to the pool.
        seed: of the shuffle.
        validation: rows over all classes; None takes the example's share (`SHARES`) of the labeled rows.
        test: likewise.
        initial: likewise; the training set of round 0.
        keep: (N,) bool, rows that take part; None takes all.

    Raises:
        ConfigError: a size below one.
        DataError: fewer labeled rows than the sizes need.
    """
    order = shuffled(corpus, seed)
    if keep is not None:
        order = order[keep[order]]
    classes = corpus.labels[order]  # (n,)
    counts = np.bincount(classes[classes != UNLABELED], minlength=len(corpus.classes))
    sizes = _sizes({"validation": validation, "test": test, "initial": initial}, int(counts.sum()))
    groups = np.arange(len(corpus)) if corpus.is_example else corpus.grouped.numbers
    dealt = _dealt(corpus.labels[order], groups[order], _quotas(list(sizes.values()), counts))  # (n,)
    by_class = np.argsort(classes, kind="stable")
    parts = {name: order[by_class][dealt[by_class] == number] for number, name in enumerate(sizes)}
    notes = (*rare_classes(corpus, counts, parts), *_short(sizes, parts))
    return Split(parts["validation"], parts["test"], order[dealt == len(sizes)], [parts["initial"]], notes)


def _dealt(classes: Ints, groups: Ints, quotas: Ints) -> Ints:
    """(n,) int64 the part of each row in its order; P for the pool, P + 1 for none.

    Args:
        classes: (n,) int64 of the rows.
        groups: (n,) int64 of the rows, copies alike.
        quotas: (P, C) rows that each part takes of each class.
    """
    rest, pool = quotas.tolist(), len(quotas)
    members: dict[int, list[int]] = {}
    for group, index in zip(groups.tolist(), classes.tolist(), strict=True):
        members.setdefault(group, []).append(index)
    need = {group: Counter(one) for group, one in members.items()}
    for one in need.values():
        del one[UNLABELED]
    found: dict[int, int] = {}
    for group in groups.tolist():
        if group not in found:
            fits = (part for part in range(pool) if all(rest[part][index] >= n for index, n in need[group].items()))
            found[group] = next(fits, pool) if need[group] else pool
            for index, n in need[group].items() if found[group] < pool else ():
                rest[found[group]][index] -= n
    parts = np.array([found[group] for group in groups.tolist()], np.int64)
    parts[(classes == UNLABELED) & (parts < pool)] = pool + 1
    return parts


def _short(sizes: Mapping[str, int], parts: Mapping[str, Rows]) -> tuple[str, ...]:
    """What a part lacks because no group of copies fits into it; a part that has nothing at all is refused."""
    short = [name for name, size in sizes.items() if len(parts[name]) < size]
    for name in short:
        if not len(parts[name]):
            raise DataError(
                f"nothing is left for the {name} set: copies of a text stay together, and most rows are copies; add "
                "other texts, or give --copies none"
            )
    told = (f"{name} has {len(parts[name]):,} of {sizes[name]:,} rows" for name in short)
    return (f"copies of a text stay together: {', '.join(told)}",) if short else ()


def rare_classes(corpus: Corpus, counts: Ints, parts: Mapping[str, Rows]) -> tuple[str, ...]:
    """The classes of which a part has no row, in one sentence; nothing where there is no such class.

    Args:
        corpus: the rows are of it.
        counts: (C,) labeled rows of each class.
        parts: rows by the name of the part.

    >>> corpus = Corpus(list("wxyz"), np.array([0, 0, 0, 1]), ("a", "b"))
    >>> rare_classes(corpus, np.array([3, 1]), {"test": np.array([0]), "initial": np.array([1, 3])})
    ("classes too rare to be in every set: 'b' (1 labeled row, none in test)",)
    """
    there = {name: set(corpus.labels[rows].tolist()) for name, rows in parts.items()}
    named = []
    for index, (name, count) in enumerate(zip(corpus.classes, counts.tolist(), strict=True)):
        if absent := [part for part, classes in there.items() if index not in classes]:
            named.append(f"{name[:40]!r} ({counted(count, 'labeled row')}, none in {' and '.join(absent)})")
    more = f" and {len(named) - NAMED:,} more" if len(named) > NAMED else ""
    return (f"classes too rare to be in every set: {', '.join(named[:NAMED])}{more}",) if named else ()


def _quotas(sizes: Sequence[int], counts: Ints) -> Ints:
    """(P, C) rows of each class in each part, in proportion (C,), but of no class more than there are.

    Where rounding up asks a rare class for more, a part takes the row from the class that has most left instead.
    """
    quotas = np.array([apportion(size, counts.tolist()) for size in sizes])  # (P, C)
    while (over := quotas.sum(axis=0) - counts).max() > 0:
        part = quotas[:, over.argmax()].argmax()  # of several alike the first, so that the initial set keeps its row
        quotas[part, over.argmax()] -= 1
        quotas[part, over.argmin()] += 1
    return quotas


def _sizes(wanted: dict[str, int | None], labeled: int) -> dict[str, int]:
    for name, size in wanted.items():
        if size is not None and size < 1:
            raise ConfigError(f"--{name.replace('validation', 'val')}-size {size} must be 1 or more")
    sizes = {name: round(SHARES[name] * labeled) if size is None else size for name, size in wanted.items()}
    if min(sizes.values()) < 1:
        raise DataError(
            f"the corpus has {labeled:,} labeled rows, too few for a validation, a test and an initial set; add rows, "
            "or give --val-size, --test-size and --initial-size (of train.py)"
        )
    if sum(sizes.values()) > labeled:
        need = " + ".join(f"{size:,} {name}" for name, size in sizes.items())
        raise DataError(
            f"the split needs {need} labeled rows but the corpus has {labeled:,}; "
            "lower --val-size, --test-size or --initial-size (of train.py), or add rows"
        )
    return sizes
