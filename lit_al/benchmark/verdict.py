"""What a benchmark proves, in words that the statistics alone decide.

A row is called better or worse than its reference, random picks under the same training, only where two things agree:
the 95 % interval of the paired difference of the areas under the curves excludes 0, and the signed-rank p, corrected by
Holm over the family, is under .05. It is said to save labels only where, besides, the interval of the share saved
excludes 0. The rest is "no evidence". Another model has no reference: it stands in tables and pictures alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lit_al.benchmark.comparison import Comparison, Saving
from lit_al.benchmark.costs import costs
from lit_al.benchmark.curves import Curves
from lit_al.benchmark.inference import Interval, seeds_needed, smallest_p
from lit_al.benchmark.methods import Family, Method
from lit_al.benchmark.results_table import Result
from lit_al.metrics import COLLAPSED, METRIC_WORDS, percent

Finding = Literal["saves", "better", "open", "worse", "costs"]
ALIKE = "all seeds alike"  # stands for an interval without width, which would claim that nothing else can come


@dataclass(frozen=True)
class Verdict:
    """What is said of a row.

    Attributes:
        strategy: spelling of the row.
        family: `picks`, or `training` where random picks were compared under two ways to train.
        finding: `saves` labels; `better` on average, labels saved not settled; `open`: no evidence; `worse` on
            average; `costs` labels.
        text: one or two sentences.
    """

    strategy: str
    family: Family
    finding: Finding
    text: str


def verdicts(comparisons: Sequence[Comparison]) -> list[Verdict]:
    """A verdict on each row that has a reference: picks before training, the largest difference first.

    >>> from lit_al.benchmark.comparison import compare
    >>> from lit_al.benchmark.curves import learning_curves
    >>> from lit_al.benchmark.synthetic import synthetic_cells
    >>> found = compare(learning_curves(synthetic_cells({"random": 0, "margin": .4, "badge": 0})), resamples=1_000)
    >>> [(one.strategy, one.finding) for one in verdicts(found)]
    [('margin', 'saves'), ('badge', 'open')]
    """
    order = sorted(comparisons, key=lambda one: (one.family, -one.difference.estimate))
    return [Verdict(one.strategy, one.family, finding(one), _words(one)) for one in order]


def finding(comparison: Comparison) -> Finding:
    """What the statistics allow to be said."""
    if not comparison.proven:
        return "open"
    share = comparison.savings[0].share if comparison.savings else None
    if comparison.difference.low > 0:
        return "saves" if share and share.low > 0 else "better"
    return "costs" if share and share.high < 0 else "worse"


def _words(comparison: Comparison) -> str:
    name, reference, found = comparison.strategy, comparison.reference, finding(comparison)
    evidence = f"{_difference(comparison)} ({_support(comparison)})"
    if found == "open":
        claim = "saves labels" if comparison.family == "picks" else f"differs from {reference}"
        return f"no evidence that {name} {claim}: {evidence}.{_why_not(comparison)}"
    if found in ("better", "worse"):
        return f"{name} is {found} than {reference}: {evidence}. {_open_saving(comparison)}"
    saving = comparison.savings[0]
    verb = "saves labels" if found == "saves" else "needs more labels"
    return (
        f"{name} {verb}: it reaches {_goal(comparison)} with {saving.needed} labels where {reference} needs "
        f"{saving.reference_needed} ({_saved(saving)}); {evidence}."
    )


def _saved(saving: Saving) -> str:
    """The share of the labels, with its interval; an end that the budgets leave open is said to be so."""
    low, high = saving.share.low, saving.share.high
    word = "fewer" if low > 0 else "more"
    low, high = (low, high) if low > 0 else (-high, -low)
    span = f"{percent(low)} or more" if not np.isfinite(high) else f"{percent(low)} to {percent(high)}"
    if np.isnan(saving.share.estimate):
        return f"{word}, 95 % interval {span}"
    return f"{percent(abs(saving.share.estimate))} {word}, 95 % interval {span}"


def _open_saving(comparison: Comparison) -> str:
    if not comparison.savings:
        return "Labels saved were not counted."
    saving = comparison.savings[0]
    share = saving.share
    reached = f"it needs {saving.needed}, {comparison.reference} {saving.reference_needed}"
    ends = [percent(end) if np.isfinite(end) else "no bound" for end in (share.low, share.high)]
    interval = f"95 % interval of the share saved: {ends[0]} to {ends[1]}"
    return f"How many labels that is worth at {_goal(comparison)} is open: {reached} ({interval})."


def _difference(comparison: Comparison) -> str:
    first, last = comparison.labels[0], comparison.labels[-1]
    measure = "" if comparison.metric == "accuracy" else f" of {METRIC_WORDS[comparison.metric]}"
    return f"{points(comparison.difference.estimate)}{measure} on average from {first:,} to {last:,} labels"


def _goal(comparison: Comparison) -> str:
    """The first target; a score that is not accuracy is called by its name."""
    goal = share_of(comparison.savings[0].target)
    return goal if comparison.metric == "accuracy" else f"a {METRIC_WORDS[comparison.metric]} of {goal}"


def _support(comparison: Comparison) -> str:
    seeds = "1 seed" if comparison.pairs == 1 else f"{comparison.pairs} paired seeds"
    left_out = f", {comparison.left_out} left out with cells missing" if comparison.left_out else ""
    return f"{_interval(comparison.difference)}, Holm p {p_value(comparison.corrected)}, {seeds}{left_out}"


def _interval(interval: Interval) -> str:
    if not np.isfinite(interval.low):
        return "no interval"
    if interval.low == interval.high:
        return f"no interval, {ALIKE}"
    return f"95 % interval {signed(100 * interval.low)} to {signed(100 * interval.high)}"


def _why_not(comparison: Comparison) -> str:
    """Where the interval alone would have made a claim: what kept it from being made."""
    least = smallest_p(comparison.pairs)
    if least >= 0.05:
        bound = p_value(least).removeprefix("= ")
        return f" With so few seeds ({comparison.pairs}) no p can be under {bound}: nothing could be proven."
    return (
        " The interval excludes 0, but the corrected p is not under .05." if comparison.difference.excludes_zero else ""
    )


def signed(value: float) -> str:
    """With a sign and one decimal.

    >>> signed(1.23), signed(-0.5), signed(-0.01)
    ('+1.2', '−0.5', '0.0')
    """
    text = f"{value:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def points(difference: float) -> str:
    """A difference of accuracies or other shares in points.

    >>> points(-.0123)
    '−1.2 points'
    """
    return f"{signed(100 * difference)} points"


def share_of(accuracy: float) -> str:
    """An accuracy as it is printed in papers.

    >>> share_of(.8), share_of(.8455), share_of(1.0)
    ('.80', '.846', '1.00')
    """
    text = f"{accuracy:.3f}" if round(accuracy, 2) != round(accuracy, 6) else f"{accuracy:.2f}"
    return text.removeprefix("0")


def three_digits(accuracy: float) -> str:
    """An accuracy in a column of others.

    >>> three_digits(.9), three_digits(.84649)
    ('.900', '.846')
    """
    return f"{accuracy:.3f}".removeprefix("0")


def p_value(p: float) -> str:
    """A p with its relation.

    >>> p_value(.03125), p_value(.0001), p_value(1.0), p_value(.0625)
    ('= .031', '< .001', '= 1', '= .0625')
    """
    if p < 0.001:
        return "< .001"
    digits = f"{p:.4f}" if 0.05 < p < 0.1 else f"{p:.3f}"  # .0496 and .0504 must not look alike
    return "= " + (digits.rstrip("0").rstrip(".").removeprefix("0") or "0")


def caveats(curves: Curves, comparisons: Sequence[Comparison], cells: Sequence[Result] = ()) -> list[str]:
    """What has to be known beside the verdicts, one sentence each.

    Args:
        curves: of all strategies.
        comparisons: of rows with their references.
        cells: of the benchmark, for the classes of the batches.
    """
    return [*_on_seeds(comparisons), *_on_gaps(curves, comparisons), *_on_batches(cells), *_on_reach(comparisons)]


def _on_seeds(comparisons: Sequence[Comparison]) -> list[str]:
    """Family by family: of a small one more can be said than of a large one."""
    families = [[one for one in comparisons if one.family == name] for name in ("picks", "training")]
    return [sentence for family in families if (sentence := _on_seeds_of(family))]


def _on_seeds_of(family: Sequence[Comparison]) -> str:
    tests, pairs = len(family), max((one.pairs for one in family), default=0)
    if not tests or tests * smallest_p(pairs) < 0.05:
        return ""
    least = p_value(smallest_p(pairs)).removeprefix("= ")
    over = f"the one row, {family[0].strategy}" if tests == 1 else f"{tests} rows"
    return (
        f"With {pairs} seeds the smallest two-sided Wilcoxon p is {least}, and Holm corrects it over {over}: no claim "
        f"at .05 was possible here, whatever the curves. {seeds_needed(tests)} seeds are the fewest that could do."
    )


def _on_gaps(curves: Curves, comparisons: Sequence[Comparison]) -> list[str]:
    """Rows with no reference that can be used, other models, cells that failed."""
    compared = {one.strategy for one in comparisons} | {one.reference for one in comparisons}
    rest = [Method.of(name) for name in curves.scores if name not in compared]
    missing = [f"{row.spelling} (with {row.reference})" for row in rest if row.reference]
    found = []
    if missing:
        found.append(f"Not compared, for want of two budgets and a seed shared: {', '.join(missing)}.")
    models = [row.spelling for row in map(Method.of, curves.scores) if row.how.loop == "linear" and not row.reference]
    if models:
        found.append(f"Another model, in tables and pictures alone: {', '.join(models)}.")
    if curves.failed:
        names = ", ".join(sorted({cell.strategy for cell in curves.failed}))
        found.append(f"Cells that failed: {len(curves.failed)} ({names}); seeds with a gap are left out of the pairs.")
    return found


def _on_batches(cells: Sequence[Result]) -> list[str]:
    worst = {name: cost.worst for name, cost in costs(cells).items() if cost.worst is not None}
    return [
        f"A batch of {name} was {percent(share)} of one class: its model had all but collapsed onto one answer."
        for name, share in worst.items()
        if share >= COLLAPSED
    ]


def _on_reach(comparisons: Sequence[Comparison]) -> list[str]:
    if not comparisons:
        return []
    return [
        "Intervals and tests cover the luck of seeds on this corpus and its test set; they say nothing of other texts."
    ]
