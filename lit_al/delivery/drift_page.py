"""`lit-al drift --to FILE`: what was found, as one page."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import numpy as np

from lit_al.data.corpus import shorten
from lit_al.delivery import drift_console as words
from lit_al.delivery.drift_options import DriftOptions
from lit_al.delivery.watching import DriftReport, unknown_share
from lit_al.drift.shifts import LARGE, SMALL, group_numbers, grouped
from lit_al.drift.text_counts import TextCounts, edges_of
from lit_al.reporting import pages

CLASSES: Final = 30  # rows shown, those that changed most
WORDS: Final = 30
TEXTS: Final = 8  # shown of each reason
LONGEST: Final = 300  # characters of a text
Histogram = Literal["sureness", "lengths", "unknown"]
_HEADINGS: Final[dict[Histogram, str]] = {
    "sureness": "Probability of the class that the model says",
    "lengths": "Words read of a text",
    "unknown": "Share of unknown words in a text",
}
_WRITTEN: Final[dict[Histogram, Callable[[float], str]]] = {
    "sureness": "{:.3f}".format,
    "lengths": lambda length: f"{int(length):,}",
    "unknown": lambda share: f"{100 * share:.0f} %" if share else "none",
}
_TESTS: Final = {
    "class shares": "chi-square",
    "confidence": "Kolmogorov-Smirnov",
    "unknown words": "Fisher, each cut",
    "text lengths": "Fisher, each cut",
    "words": "Fisher, each word",
}


class Bar(NamedTuple):
    """A group of texts: its name, and its share before and now."""

    name: str
    before: float
    now: float


def drift_page(report: DriftReport, asked: DriftOptions) -> str:
    """The page as HTML."""
    before, now = report.reference.counts, report.now
    rows = [
        [shift.question, words.p(shift.corrected), shift.size or "–", words.number(shift.psi),
         words.number(shift.by_chance), _TESTS[shift.question]]
        for shift in report.shifts
    ]  # fmt: skip
    histograms = [(heading, _bars(name, before, now)) for name, heading in _HEADINGS.items()]
    return pages.render(
        "drift.html",
        demo=False,
        report=report,
        asked=asked,
        rows=rows,
        sure=[shift.alarms(asked.alarm, asked.alarm_psi, exact=report.reference.exact) for shift in report.shifts],
        classes=_classes(report),
        histograms=histograms,
        unknown=(f"{unknown_share(before):.2%}", f"{unknown_share(now):.2%}"),
        words=[(report.spelled[one.word], one) for one in report.words[:WORDS]],
        texts=_texts(report),
        small=SMALL,
        large=LARGE,
    )


def _classes(report: DriftReport) -> list[Bar]:
    """The classes that changed most, in the model's order."""
    before, now = (counts.classes / max(1, counts.texts) for counts in (report.reference.counts, report.now))
    shown = np.sort(np.argsort(-np.abs(now - before), kind="stable")[:CLASSES])
    return [Bar(report.reference.names[place], float(before[place]), float(now[place])) for place in shown]


def _texts(report: DriftReport) -> list[tuple[str, str]]:
    """The first texts to label of each reason: why, and the text."""
    found = []
    for reason in ("strange", "unsure", "random"):
        rows = [row for row, why in report.chosen if why == reason][:TEXTS]
        found += [(reason, shorten(report.texts[row], LONGEST)) for row in rows]
    return found


def _bars(name: Histogram, before: TextCounts, now: TextCounts) -> list[Bar]:
    """The groups that the index is taken over, each named by where it begins and ends."""
    one, other = getattr(before, name), getattr(now, name)
    numbers = group_numbers(one)
    shares = [grouped(counts, numbers) / max(1, counts.sum()) for counts in (one, other)]
    last = np.flatnonzero(np.diff(numbers))  # bin with which each group ends, but the last
    names = _names([_WRITTEN[name](float(edge)) for edge in edges_of(name)[last]])
    return [Bar(*row) for row in zip(names, *(share.tolist() for share in shares), strict=True)]


def _names(ends: Sequence[str]) -> list[str]:
    """Of groups that have these ends between them.

    >>> _names(["3", "7"]), _names([])
    (['up to 3', '3 to 7', 'above 7'], ['all'])
    """
    if not ends:
        return ["all"]
    if ends == ["none"]:
        return ["none", "some"]
    first = ends[0] if ends[0] == "none" else f"up to {ends[0]}"
    between = [f"up to {high}" if low == "none" else f"{low} to {high}" for low, high in pairwise(ends)]
    return [first, *between, f"above {ends[-1]}"]
