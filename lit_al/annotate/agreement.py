"""How far several annotators agree, beyond what chance would give.

Cohen's kappa (1960) for each pair, over the texts that both have labeled; Krippendorff's alpha (2011, nominal) for all
together, which copes with texts that only some have labeled, and once more for each class against all others. 1 is full
agreement, 0 that of chance. Skips count for nothing, and neither do settlements: they are nobody's vote.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from lit_al.record import Answer
from lit_al.typing import Ints
from lit_al.utils.terminal_text import counted

SHOWN: Final = 10  # classes in a terminal


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
class ClassAgreement:
    """A class, against all others.

    Attributes:
        name: of it.
        texts: labeled by two or more, one of whom gave it.
        same: where one annotator gave it, the share of the others who did too (specific agreement); None without a
            text.
        alpha: Krippendorff's of this class against the rest; None where it is not defined.
    """

    name: str
    texts: int
    same: float | None
    alpha: float | None


@dataclass(frozen=True)
class Agreement:
    """All annotators.

    Attributes:
        texts: labeled by two or more.
        alpha: Krippendorff's; None where it is not defined: no such text, or one label alone.
        pairs: of annotators that have texts in common or not, in the order of their names.
        classes: each by itself.
    """

    texts: int
    alpha: float | None
    pairs: tuple[Pair, ...]
    classes: tuple[ClassAgreement, ...] = ()

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
        counts = _counts(given, shared, len(classes))
        return cls(len(shared), nominal_alpha(counts), pairs, tuple(_of_classes(counts, classes)))

    def sentence(self) -> str:
        """In one line."""
        if not self.texts:
            return "Agreement: no text has labels of two annotators yet."
        same = sum(pair.same for pair in self.pairs) / sum(pair.texts for pair in self.pairs)
        alpha = "not defined" if self.alpha is None else f"{self.alpha:.2f}"
        return f"Agreement on {counted(self.texts, 'text')}: {same:.0%} of pairs, Krippendorff's alpha {alpha}."

    def lines(self) -> list[str]:
        """For a terminal."""
        worst = sorted(self.torn, key=lambda one: one.same or 0.0)
        more = [f"  {len(worst) - SHOWN:,} more classes on which they differ"] if len(worst) > SHOWN else []
        return [self.sentence(), *map(_line, self.pairs), *map(_of_class_line, worst[:SHOWN]), *more]

    @property
    def torn(self) -> tuple[ClassAgreement, ...]:
        """The classes on which somebody differs."""
        return tuple(one for one in self.classes if one.same is not None and one.same < 1)


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


def _counts(given: Mapping[str, Mapping[int, int]], shared: Sequence[int], classes: int) -> Ints:
    """(N, C) how many annotators gave each shared text each label."""
    labels = [[by_item[item] for by_item in given.values() if item in by_item] for item in shared]
    counts = np.zeros((len(labels), classes), np.int64)
    for row, several in zip(counts, labels, strict=True):
        np.add.at(row, several, 1)
    return counts


def _of_classes(counts: Ints, classes: Sequence[str]) -> Iterator[ClassAgreement]:
    """Specific agreement after Fleiss, Measuring nominal scale agreement among many raters (1971), and alpha."""
    raters = counts.sum(axis=1)  # (N,)
    for name, given in zip(classes, counts.T, strict=True):  # (N,)
        others = int((given * (raters - 1)).sum())  # pairs of one who gave it and another
        same = int((given * (given - 1)).sum()) / others if others else None
        yield ClassAgreement(
            name, int((given > 0).sum()), same, nominal_alpha(np.stack([given, raters - given], axis=1))
        )


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
    return (
        f"  {pair.first} and {pair.second}: {pair.same} of {counted(pair.texts, 'text')} alike, Cohen's kappa {kappa}"
    )


def _of_class_line(one: ClassAgreement) -> str:
    alpha = "not defined" if one.alpha is None else f"{one.alpha:.2f}"
    return f"  {one.name}: {one.same:.0%} alike on {counted(one.texts, 'text')}, Krippendorff's alpha {alpha}"
