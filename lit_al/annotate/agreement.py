"""How far several annotators agree, beyond what chance would give.

Cohen's kappa (1960) for each pair, over the texts that both have labeled; Krippendorff's alpha (2004, nominal) for all
together, which copes with texts that only some have labeled. 1 is full agreement, 0 that of chance. Skips count for
nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from lit_al.record import Answer


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
    import krippendorff
    import numpy as np

    table = np.array([[by_item.get(item, np.nan) for item in shared] for by_item in given.values()], dtype=float)
    if len(np.unique(table[~np.isnan(table)])) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"))


def _line(pair: Pair) -> str:
    kappa = "not defined" if pair.kappa is None else f"{pair.kappa:.2f}"
    return f"  {pair.first} and {pair.second}: {pair.same} of {_texts(pair.texts)} alike, Cohen's kappa {kappa}"


def _texts(count: int) -> str:
    return f"{count:,} text" if count == 1 else f"{count:,} texts"
