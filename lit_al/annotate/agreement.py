"""How far several annotators agree, beyond what chance would give.

Cohen's kappa (1960) for each pair, over the texts that both have labeled; Krippendorff's alpha (2011, nominal) for all
together, which copes with texts that only some have labeled. 1 is full agreement, 0 that of chance. Skips count for
nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from lit_al.record import Answer
from lit_al.typing import Ints


@dataclass(frozen=True)
class Pair:
    """Two annotators.

    Attributes:
        first: one of them.
        second: the other.
        texts: labeled by both.
        same: of these, with the same label by both.
        kappa: Cohen's; None where it is not defined: no such text, or one label alone.
    """

    first: str
    second: str
    texts: int
    same: int
    kappa: float | None


@dataclass(frozen=True)
class Agreement:
    """All annotators.

    Attributes:
        texts: labeled by two or more.
        alpha: Krippendorff's; None where it is not defined: no such text, or one label alone.
        pairs: of annotators that have texts in common or not, in the order of their names.
    """

    texts: int
    alpha: float | None
    pairs: tuple[Pair, ...]

    @classmethod
    def of(cls, answers: Iterable[Answer], classes: Sequence[str]) -> "Agreement":
        """The agreement of current answers."""
        given: dict[str, dict[int, int]] = defaultdict(dict)
        for answer in answers:
            if answer.label is not None:
                given[answer.annotator][answer.item] = classes.index(answer.label)
        labels: dict[int, list[int]] = defaultdict(list)
        for by_item in given.values():
            for item, label in by_item.items():
                labels[item].append(label)
        shared = sorted(item for item, several in labels.items() if len(several) > 1)
        pairs = tuple(_pair(first, second, given) for first, second in combinations(sorted(given), 2))
        return cls(len(shared), _alpha(given, shared), pairs)

    def described(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """In one line."""
        if not self.texts:
            return "Agreement: no text has labels of two annotators yet."
        same = sum(pair.same for pair in self.pairs) / sum(pair.texts for pair in self.pairs)
        alpha = "not defined" if self.alpha is None else f"{self.alpha:.2f}"
        return f"Agreement on {_texts(self.texts)}: {same:.0%} of pairs, Krippendorff's alpha {alpha}."

    def lines(self) -> list[str]:
        """For a terminal."""
        return [self.sentence(), *(_line(pair) for pair in self.pairs)]


def _pair(first: str, second: str, given: Mapping[str, Mapping[int, int]]) -> Pair:
    both = sorted(given[first].keys() & given[second].keys())
    one, other = [given[first][item] for item in both], [given[second][item] for item in both]
    same = sum(mine == theirs for mine, theirs in zip(one, other, strict=True))
    return Pair(first, second, len(both), same, _kappa(one, other, same))


def _kappa(one: Sequence[int], other: Sequence[int], same: int) -> float | None:
    """Cohen's: (observed - by chance) / (1 - by chance), in whole numbers until the last step."""
    mine, theirs = Counter(one), Counter(other)
    chance = sum(mine[label] * theirs[label] for label in mine)
    texts = len(one)
    if chance == texts * texts:  # one label alone, or no text: chance agrees always, and kappa is 0 / 0
        return None
    return (texts * same - chance) / (texts * texts - chance)


def _alpha(given: Mapping[str, Mapping[int, int]], shared: Sequence[int]) -> float | None:
    labels = [[by_item[item] for by_item in given.values() if item in by_item] for item in shared]
    counts = np.zeros((len(labels), 1 + max(map(max, labels), default=0)), np.int64)
    for row, several in zip(counts, labels, strict=True):
        np.add.at(row, several, 1)
    return nominal_alpha(counts)


def nominal_alpha(counts: Ints) -> float | None:
    """Krippendorff's alpha of labels that have no order.

    It is 1 - observed / expected disagreement. Observed is how often two labels of one text differ, a text with m
    labels counting m times; expected is how often two labels of any texts do. Texts with fewer than two labels have no
    part. Source: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), sections A to C.

    Args:
        counts: (N, C) int64 how many annotators gave each text each label.

    Returns:
        None where it is not defined: no text with two labels, or one label alone.

    >>> nominal_alpha(np.array([[2, 0], [1, 1], [0, 2], [0, 1]]))  # 1 of 3 differs; by chance 18 of 30 would
    0.4444444444444444
    """
    raters = counts.sum(axis=1)  # (N,)
    counts, raters = counts[raters > 1], raters[raters > 1]
    totals = counts.sum(axis=0)  # (C,)
    labels = totals.sum()
    expected = labels**2 - (totals**2).sum()  # ordered pairs of labels that differ
    if not expected:
        return None
    observed = ((raters**2 - (counts**2).sum(axis=1)) / (raters - 1)).sum()
    return float(1 - (labels - 1) * observed / expected)


def _line(pair: Pair) -> str:
    kappa = "not defined" if pair.kappa is None else f"{pair.kappa:.2f}"
    return f"  {pair.first} and {pair.second}: {pair.same} of {_texts(pair.texts)} alike, Cohen's kappa {kappa}"


def _texts(count: int) -> str:
    return f"{count:,} text" if count == 1 else f"{count:,} texts"
