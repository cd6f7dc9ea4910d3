"""Exact copies of a text: inside a part of the corpus, and across its parts.

A text that stands both in the test set and among the texts to train on is a small leak; one that stands twice in
the pool is paid for twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lit_al.typing import UNLABELED, Ints, Mask

Rows = Sequence[int] | npt.NDArray[np.integer]


@dataclass(frozen=True)
class PartDuplicates:
    """Copies in one part of a corpus.

    Args:
        rows: rows of the part.
        inside: extra copies inside the part: rows whose text stands earlier in it.
        shared: for each other part, rows of this part whose text also stands there.
        elsewhere: rows of this part whose text also stands in any other part.
    """

    rows: int
    inside: int
    shared: Mapping[str, int]
    elsewhere: int


def duplicate_groups(texts: Sequence[str]) -> list[list[int]]:
    """The rows of each text that stands more than once, in order of first appearance.

    >>> duplicate_groups(["a", "b", "a", "c", "a"])
    [[0, 2, 4]]
    """
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        groups.setdefault(text, []).append(row)
    return [rows for rows in groups.values() if len(rows) > 1]


def first_copies(texts: Sequence[str]) -> Mask:
    """(N,) bool: whether no earlier row has the same text; extra copies are those for which it is False.

    >>> first_copies(["a", "b", "a"])
    array([ True,  True, False])
    """
    first = np.ones(len(texts), dtype=bool)
    for rows in duplicate_groups(texts):
        first[rows[1:]] = False
    return first


def count_contradictions(texts: Sequence[str], labels: Ints) -> int:
    """How many texts stand more than once under different labels; rows without a label do not count.

    >>> count_contradictions(["a", "a", "b", "b"], np.array([0, 1, 1, -1]))
    1
    """
    return sum(len({*labels[rows].tolist()} - {UNLABELED}) > 1 for rows in duplicate_groups(texts))


def contradictory_groups(texts: Sequence[str], labels: Ints) -> list[list[int]]:
    """The labeled rows of each text that stands under two labels or more; blanks around a text do not count.

    >>> contradictory_groups(["a", "a ", "b", "b", ""], np.array([0, 1, 1, -1, 0]))
    [[0, 1]]
    """
    first: dict[str, int] = {}
    groups: dict[str, list[int]] = {}
    for row in np.flatnonzero(labels != UNLABELED).tolist():
        text = texts[row].strip()
        if text and first.setdefault(text, row) != row:
            groups.setdefault(text, [first[text]]).append(row)
    return [rows for rows in groups.values() if len({*labels[rows].tolist()}) > 1]


def resolved(labels: Ints, groups: Sequence[Sequence[int]], how: Literal["majority", "first", "drop"]) -> Ints:
    """The labels (N,) with one for each group of rows, or none.

    Args:
        labels: (N,) classes.
        groups: rows of texts that stand under two labels, as of `contradictory_groups`.
        how: the label that most rows have (ties have none), that of the first row, or none.

    >>> resolved(np.array([0, 1, 1, 0, 1]), [[0, 1, 2], [3, 4]], "majority")
    array([ 1,  1,  1, -1, -1])
    """
    labels = labels.copy()
    for rows in groups:
        found = labels[list(rows)]
        counts = np.bincount(found)
        label = int(found[0]) if how == "first" else UNLABELED
        if how == "majority" and (counts == counts.max()).sum() == 1:
            label = int(counts.argmax())
        labels[list(rows)] = label
    return labels


def count_duplicates_across(texts: Sequence[str], parts: Mapping[str, Rows]) -> dict[str, PartDuplicates]:
    """Count copies inside and across the parts of a corpus, such as train, val, test and pool.

    Args:
        texts: the N texts of the corpus.
        parts: the row ids of each part.

    >>> counts = count_duplicates_across(["a", "b", "a", "a"], {"train": [0, 1], "test": [2, 3]})
    >>> counts["test"]
    PartDuplicates(rows=2, inside=1, shared={'train': 2}, elsewhere=2)
    """
    words = {name: [texts[row] for row in rows] for name, rows in parts.items()}
    kinds = {name: set(there) for name, there in words.items()}

    def count(name: str) -> PartDuplicates:
        others = {other: kinds[other] for other in parts if other != name}
        shared = {other: sum(text in there for text in words[name]) for other, there in others.items()}
        elsewhere = sum(any(text in there for there in others.values()) for text in words[name])
        return PartDuplicates(len(words[name]), len(words[name]) - len(kinds[name]), shared, elsewhere)

    return {name: count(name) for name in parts}
