"""Copies of a text: which texts are one, and how many there are inside the parts of a corpus and across them.

A text that stands both in the test set and among the texts to train on is a small leak; one that stands twice in
the pool is paid for twice. So copies make a group, of which one is asked, and which is in one part alone.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from lit_al.typing import UNLABELED, Ints, Mask

Rows = Sequence[int] | npt.NDArray[np.integer]
Copies = Literal["near", "exact", "none"]


@dataclass(frozen=True, eq=False)
class CopyGroups:
    """Which texts are copies of one another.

    Attributes:
        numbers: (N,) int64 group of each text, from 0; a text without copies is a group of its own.
        exact: texts beyond the first of those that differ in nothing but case, white space and ways of writing a sign.
        near: further ones beyond the first of a group (`lit_al.data.near_copies`).
    """

    numbers: Ints
    exact: int = 0
    near: int = 0

    @classmethod
    def of(cls, texts: Sequence[str], kind: Copies = "near") -> "CopyGroups":
        """The groups of N texts, the same in whatever order these stand; empty texts are copies of nothing.

        Args:
            texts: N of them.
            kind: the widest difference that copies may have.

        >>> found = CopyGroups.of(["So so.", "a gem", " so  so.", ""])
        >>> found.numbers.tolist(), found.sentence("asked once")
        ([0, 1, 0, 2], '1 text is a copy of another: asked once')
        """
        if kind == "none":
            return cls(np.arange(len(texts)))
        forms = [form or f" {row}" for row, form in enumerate(map(plain_form, texts))]  # no form begins with a blank
        kinds = sorted(set(forms))
        group = np.arange(len(kinds))
        if kind == "near":
            from lit_al.data.near_copies import near_groups

            group = near_groups(kinds)
        place = dict(zip(kinds, group.tolist(), strict=True))
        number: dict[int, int] = {}
        numbers = np.array([number.setdefault(place[form], len(number)) for form in forms], np.int64)
        return cls(numbers, len(texts) - len(kinds), len(kinds) - len(number))

    @property
    def extra(self) -> int:
        """Texts beyond the first of each group."""
        return self.exact + self.near

    @cached_property
    def rows(self) -> dict[int, list[int]]:
        """The rows of each group of two texts or more, by its number."""
        several: Ints = np.flatnonzero(np.bincount(self.numbers)[self.numbers] > 1)
        found: dict[int, list[int]] = {}
        for row in several.tolist():
            found.setdefault(int(self.numbers[row]), []).append(row)
        return found

    def sentence(self, fate: str) -> str:
        """How many there are, and what becomes of them; "" where there are none."""
        return copies_in_words(self.exact, self.near, fate)


def copies_in_words(exact: int, near: int, fate: str) -> str:
    """How many copies there are, and what becomes of them, in one line; "" where there are none.

    >>> copies_in_words(2, 1, "asked once")
    '3 texts are copies of others, 1 of them a near copy: asked once'
    """
    if not exact + near:
        return ""
    copies = "1 text is a copy of another" if exact + near == 1 else f"{exact + near:,} texts are copies of others"
    if exact + near == 1 and near:
        return f"1 text is a near copy of another: {fate}"
    told = f", {near:,} of them {'a near copy' if near == 1 else 'near copies'}" if near else ""
    return f"{copies}{told}: {fate}"


def plain_form(text: str) -> str:
    r"""What exact copies have in common: the text in Unicode's compatibility form, its case folded, blanks made one.

    >>> plain_form("  A ﬁne\n\nGEM ") == plain_form("a fine gem")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


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
