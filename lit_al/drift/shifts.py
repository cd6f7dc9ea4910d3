"""Two sets of texts, held against each other by their counts: how far apart they are, and whether chance would do that.

Five questions are asked, and their answers corrected together (Holm), so that of a hundred days without a change about
five raise an alarm at level .05, however many questions there are:

| question | test |
|---|---|
| class shares | chi-square of homogeneity |
| confidence | Kolmogorov-Smirnov, of the log-odds of each text's class |
| unknown words | Fisher's exact test at each of up to 19 cuts: texts that lie above it; the least p, by Bonferroni |
| text lengths | the same, of the words read of each text |
| words | the same for each word: how many texts hold it |

The cuts are quantiles of both sets together, more of them in the tails: one text of twenty that is of another kind is
where a test of whole distributions (Kolmogorov and Smirnov's, Mann and Whitney's) looks least. Of the confidence the
tails are left alone, for in them a model differs from those that judged its labels.

The population stability index (Lewis 1994) says how far, the tests say whether. Its usual bands, under .1 and over .25
(Siddiqi 2006, Credit Risk Scorecards), know nothing of the number of texts: by chance alone it comes to
(groups - 1) (1/n + 1/m) on the average (Yurdakul 2018), which is said beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import stats

from lit_al.drift.text_counts import TextCounts
from lit_al.typing import Float64s, Ints
from lit_al.utils.corrections import holm

Question = Literal["class shares", "confidence", "unknown words", "text lengths", "words"]
SMALL, LARGE = 0.1, 0.25  # of a PSI: Siddiqi 2006
GROUPS: Final = 10  # of the reference, as even as its bins allow
CUTS: Final = (
    0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995
)  # fmt: skip
RARE: Final = 5  # texts with a word, in both sets, under which no difference could be seen
_EXPECTED: Final = 1.0  # texts of a class today, under which chi-square's p is not one


@dataclass(frozen=True)
class Shift:
    """The answer to one question.

    Attributes:
        question: in words.
        psi: population stability index; NaN for words, which are no groups.
        by_chance: what it comes to on the average where nothing has changed.
        p: of the test.
        corrected: over all questions.
    """

    question: Question
    psi: float
    by_chance: float
    p: float
    corrected: float

    @property
    def size(self) -> str:
        """The band that the index lies in, chance taken off: small, medium or large; "" where there is none."""
        beyond = self.psi - self.by_chance
        if np.isnan(beyond):
            return ""
        return "small" if beyond < SMALL else "medium" if beyond < LARGE else "large"

    def alarms(self, level: float, least: float = 0.0, *, exact: bool = True) -> bool:
        """Is it one to raise an alarm for?

        Args:
            level: that its corrected p is under.
            least: that its index is beyond chance, where it has one.
            exact: the model itself made the reference; that another is surer, or less sure, is no shift of texts.
        """
        if self.question == "confidence" and not exact:
            return False
        return self.corrected < level and (np.isnan(self.psi) or not least or self.psi - self.by_chance >= least)


@dataclass(frozen=True)
class WordShift:
    """A word that stands in more texts than before, or in fewer.

    Attributes:
        word: its id.
        before: share of the reference's texts that hold it.
        now: share of today's.
        p: Fisher's exact test, corrected over all words.
    """

    word: int
    before: float
    now: float
    p: float


def shifts(before: TextCounts, now: TextCounts) -> list[Shift]:
    """The answers to all questions, in the order of the table above."""
    found = [(question, *ask(before, now)) for question, ask in _QUESTIONS.items()]
    corrected = holm([p for _, _, _, p in found])
    return [Shift(*one, float(value)) for one, value in zip(found, corrected, strict=True)]


def word_shifts(before: TextCounts, now: TextCounts) -> list[WordShift]:
    """Words whose share of texts has changed, the surest first; those that are too rare to tell are left out."""
    tested, p = _words(before, now)
    order = np.argsort(p, kind="stable")
    return [
        WordShift(int(word), float(before.words[word] / before.texts), float(now.words[word] / now.texts), float(value))
        for word, value in zip(tested[order], np.minimum(p[order] * len(tested), 1), strict=True)
    ]


def psi(before: Ints, now: Ints) -> float:
    """Population stability index of two histograms (B,): 0 where their shares are the same.

    Half a text more in each bin keeps it finite where one is empty.

    >>> psi(np.array([50, 50]), np.array([500, 500])), round(psi(np.array([500, 500]), np.array([300, 700])), 2)
    (0.0, 0.17)
    """
    shares = [(counts + 0.5) / (counts + 0.5).sum() for counts in (before.astype(np.float64), now.astype(np.float64))]
    if not before.any() or not now.any():
        return 0.0
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def group_numbers(before: Ints, most: int = GROUPS) -> Ints:
    """(B,) int64 group of each bin, from 0: neighbors that together hold about as many texts as each other group.

    >>> group_numbers(np.array([4, 1, 1, 2, 0]), most=2).tolist()
    [0, 1, 1, 1, 1]
    """
    reached = np.cumsum(before) / max(1, before.sum())
    place = np.floor(np.concatenate([[0.0], reached[:-1]]) * most + 1e-9).astype(int)  # what lies before a bin decides
    numbers: Ints = np.unique(np.minimum(place, most - 1), return_inverse=True)[1]
    return numbers


def grouped(counts: Ints, numbers: Ints) -> Ints:
    """(G,) int64 of a histogram (B,), its bins in groups (B,)."""
    found: Ints = np.bincount(numbers, weights=counts).astype(np.int64)
    return found


Answer = tuple[float, float, float]  # PSI, PSI by chance, p


def _classes(before: TextCounts, now: TextCounts) -> Answer:
    return (*_distance([before.classes, now.classes], before, now), chi_square(before.classes, now.classes))


def _histograms(name: str, test: Callable[[Ints, Ints], float]) -> Callable[[TextCounts, TextCounts], Answer]:
    """Of two histograms with an order, by a test that gives a p."""

    def ask(before: TextCounts, now: TextCounts) -> Answer:
        one, other = getattr(before, name), getattr(now, name)
        numbers = group_numbers(one)
        return (*_distance([grouped(one, numbers), grouped(other, numbers)], before, now), test(one, other))

    return ask


def _distance(both: Sequence[Ints], before: TextCounts, now: TextCounts) -> tuple[float, float]:
    return psi(*both), (len(both[0]) - 1) * (1 / before.texts + 1 / now.texts)


def _word_use(before: TextCounts, now: TextCounts) -> Answer:
    return np.nan, np.nan, _least(_words(before, now)[1])


def _words(before: TextCounts, now: TextCounts) -> tuple[Ints, Float64s]:
    """Ids (k,) of words that are not too rare, and Fisher's two-sided p of each, twice the smaller tail."""
    tested = np.flatnonzero(before.words + now.words >= RARE)
    return tested, fisher(before.words[tested], now.words[tested], before.texts, now.texts)


def fisher(before: Ints, now: Ints, texts: int, texts_now: int) -> Float64s:
    """(k,) p of Fisher's exact test of each of k pairs of counts, twice the smaller tail.

    Args:
        before: (k,) so many of the texts of before.
        now: (k,) so many of today's.
        texts: of before.
        texts_now: of today.

    >>> fisher(np.array([5, 50]), np.array([5, 5]), 100, 100).round(3).tolist()
    [1.0, 0.0]
    """
    all_of_them = texts + texts_now, before + now, texts_now
    more, fewer = stats.hypergeom.sf(now - 1, *all_of_them), stats.hypergeom.cdf(now, *all_of_them)
    found: Float64s = np.minimum(2 * np.minimum(more, fewer), 1.0)
    return found


def _least(p: Float64s) -> float:
    """The least p of several tests (k,), by Bonferroni."""
    return float(min(1.0, p.min(initial=1.0) * max(1, len(p))))


def kolmogorov_smirnov(before: Ints, now: Ints) -> float:
    """P of the test that two histograms (B,) are of one distribution; what shares a bin is a tie.

    >>> kolmogorov_smirnov(np.array([50, 50]), np.array([50, 50])) > 0.99
    True
    """
    if min(before.sum(), now.sum()) < 2:
        return 1.0
    texts = [np.repeat(np.arange(len(counts)), counts) for counts in (before, now)]
    return float(stats.ks_2samp(*texts, method="asymp").pvalue)


def at_cuts(before: Ints, now: Ints) -> float:
    """P of the test that of two histograms (B,) as many texts lie above each of the cuts.

    >>> at_cuts(np.array([50, 50]), np.array([50, 50])), at_cuts(np.array([990, 0, 10]), np.array([450, 0, 50])) < 1e-9
    (1.0, True)
    """
    cuts = _cuts(before + now)
    one, other = (counts.sum() - np.cumsum(counts)[cuts] for counts in (before, now))
    return _least(fisher(one, other, int(before.sum()), int(now.sum())))


def _cuts(both: Ints) -> Ints:
    """(k,) int64 last bin below each cut of a histogram (B,), at the quantiles of `CUTS`; none below all or none."""
    reached = np.cumsum(both)
    cuts = np.unique(np.searchsorted(reached, np.array(CUTS) * both.sum()))
    found: Ints = cuts[(reached[cuts] > 0) & (reached[cuts] < both.sum())]
    return found


def chi_square(before: Ints, now: Ints) -> float:
    """Chi-square: p of the test that two histograms (C,) have the same shares; classes too rare to tell are one.

    >>> chi_square(np.array([50, 50]), np.array([50, 50])), chi_square(np.array([90, 10]), np.array([10, 90])) < 1e-9
    (1.0, True)
    """
    table = np.stack([before, now])  # (2, C)
    expected = table.sum(axis=0) * table.sum(axis=1, keepdims=True) / max(1, table.sum())
    rare = expected.min(axis=0) < _EXPECTED
    if rare.any():
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    return float(stats.chi2_contingency(table, correction=False).pvalue) if table.shape[1] > 1 else 1.0


_QUESTIONS: Final[dict[Question, Callable[[TextCounts, TextCounts], Answer]]] = {
    "class shares": _classes,
    "confidence": _histograms("sureness", kolmogorov_smirnov),
    "unknown words": _histograms("unknown", at_cuts),
    "text lengths": _histograms("lengths", at_cuts),
    "words": _word_use,
}
