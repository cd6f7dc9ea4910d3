"""Each row against its reference, seed by seed, over the budgets that both have.

The reference has random picks and trains alike (`methods`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lit_al.benchmark.curves import Curves
from lit_al.benchmark.inference import RESAMPLES, Interval, bootstrap, bounds, draw_seeds, wilcoxon
from lit_al.benchmark.measures import Reach, area, reach
from lit_al.benchmark.methods import RANDOM, Family, Method
from lit_al.metrics import Metric
from lit_al.typing import Float64s, Ints
from lit_al.utils.corrections import holm

SHARES_OF_FULL = (0.95, 0.98, 1.0)


@dataclass(frozen=True)
class Saving:
    """Labels that a strategy saves on the way to a score.

    Attributes:
        target: the score.
        needed: labels that the mean curve of the strategy needs.
        reference_needed: labels that the mean curve of the reference needs.
        share: 1 - needed / reference_needed, with its interval; estimate NaN where a curve does not cross the target
            within the budgets. The interval takes in all that such a curve leaves open.
    """

    target: float
    needed: Reach
    reference_needed: Reach
    share: Interval


@dataclass(frozen=True)
class Comparison:
    """A row against its reference.

    Attributes:
        strategy: spelling of the row.
        reference: spelling of what it is compared with.
        family: of tests, over which p is corrected: rows that differ by their picks, and those by their training.
        labels: (b,) budgets that both have.
        pairs: seeds that have both curves whole.
        left_out: seeds of which a cell is missing.
        difference: of the areas under the curves, in the unit of the scores; above 0 the strategy is better.
        by_budget: difference of the scores at each budget.
        p: two-sided, of the signed-rank test on the areas.
        corrected: the same by Holm over the family.
        savings: for each target.
        metric: what the scores are.
    """

    strategy: str
    reference: str
    family: Family
    labels: Ints
    pairs: int
    left_out: int
    difference: Interval
    by_budget: tuple[Interval, ...]
    p: float
    corrected: float
    savings: tuple[Saving, ...]
    metric: Metric = "accuracy"

    @property
    def proven(self) -> bool:
        """Does the interval exclude 0, and is the corrected p under .05?"""
        return self.difference.excludes_zero and self.corrected < 0.05


def compare(
    curves: Curves, targets: Sequence[float] | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> list[Comparison]:
    """Every row that shares two budgets and a seed with its reference, against it.

    Args:
        curves: of all.
        targets: scores whose labels are counted; None takes `reference_target`.
        resamples: R, of the bootstrap.
        seed: of the bootstrap.
    """
    found = [_compare(curves, name, targets, resamples, seed) for name in curves.scores]
    comparisons = [comparison for comparison in found if comparison is not None]
    corrected: dict[str, float] = {}
    for family in ("picks", "training"):
        tests = [one for one in comparisons if one.family == family]
        p = holm([one.p for one in tests])
        corrected |= {one.strategy: float(value) for one, value in zip(tests, p, strict=True)}
    return [replace(one, corrected=corrected[one.strategy]) for one in comparisons]


def _compare(
    curves: Curves, strategy: str, targets: Sequence[float] | None, resamples: int, seed: int
) -> Comparison | None:
    row = Method.of(strategy)
    reference = row.reference
    if reference is None or reference not in curves.scores:
        return None
    labels, one, other, left_out = _pairs(curves, strategy, reference)
    if len(labels) < 2 or not len(one):
        return None
    areas = area(labels, one) - area(labels, other)  # (n,)
    targets = [reference_target(curves, reference)] if targets is None else targets
    return Comparison(
        strategy,
        reference,
        row.family,
        labels,
        pairs=len(one),
        left_out=left_out,
        difference=bootstrap(areas, resamples, seed),
        by_budget=tuple(bootstrap(column, resamples, seed) for column in (one - other).T),
        p=wilcoxon(areas),
        corrected=1.0,
        savings=tuple(_saving(labels, one, other, target, resamples, seed) for target in targets),
        metric=curves.metric,
    )


def _pairs(curves: Curves, strategy: str, reference: str) -> tuple[Ints, Float64s, Float64s, int]:
    """Budgets (b,) that both have, both curves (n, b) of the seeds that have all of these, and seeds left out."""
    one, other = curves.scores[strategy], curves.scores[reference]  # (S, B)
    shared = ~(np.isnan(one).all(axis=0) | np.isnan(other).all(axis=0))  # (B,)
    whole = ~(np.isnan(one) | np.isnan(other))[:, shared].any(axis=1)  # (S,)
    return curves.labels[shared], one[np.ix_(whole, shared)], other[np.ix_(whole, shared)], int((~whole).sum())


def _saving(labels: Ints, one: Float64s, other: Float64s, target: float, resamples: int, seed: int) -> Saving:
    """The mean curves' crossings; seeds are resampled in pairs, and each resample's mean curves cross anew."""
    weights = draw_seeds(len(one), resamples, seed)  # (R, n)
    needed, reference_needed = _reach(labels, one, target), _reach(labels, other, target)
    low, high = _share(reach(labels, weights @ one, target), reach(labels, weights @ other, target))
    ends = bounds(low, len(one))[0], bounds(high, len(one))[1]
    both = needed.labels is not None and reference_needed.labels is not None
    estimate = 1 - needed.low / reference_needed.low if both else float("nan")
    return Saving(target, needed, reference_needed, Interval(estimate, float(ends[0]), float(ends[1])))


def _share(one: tuple[Float64s, Float64s], other: tuple[Float64s, Float64s]) -> tuple[Float64s, Float64s]:
    """Least and largest share saved that bounds on the labels of both allow; -inf where there is no least."""
    with np.errstate(divide="ignore"):
        return 1 - one[1] / other[0], 1 - one[0] / other[1]


def _reach(labels: Ints, scores: Float64s, target: float) -> Reach:
    low, high = reach(labels, scores.mean(axis=0)[None], target)
    return Reach(float(low[0]), float(high[0]))


def reaches(curves: Curves, strategy: str, target: float) -> Reach | None:
    """Labels that the mean curve of a strategy needs; None where no seed has a whole curve of two budgets or more."""
    labels, scores, _, _ = _pairs(curves, strategy, strategy)
    return _reach(labels, scores, target) if len(labels) > 1 and len(scores) else None


def reference_target(curves: Curves, reference: str = RANDOM) -> float:
    """The score that labels are counted to: that of the reference at half of its last budget, less a broken percent.

    It is set by the reference alone, so that no row is shown at the score that suits it; at half, so that the
    budgets show a row that needs twice the labels as well as one that needs a tenth. Budgets that begin above
    a quarter of the last are taken in their middle, on log labels.
    """
    scores = curves.scores[reference]  # (S, B)
    known = ~np.isnan(scores).all(axis=0)  # (B,)
    labels, mean = curves.labels[known], np.nanmean(scores[:, known], axis=0)  # (b,), (b,)
    middle = max(np.log(labels[-1] / 2), np.log(labels[[0, -1]]).mean())
    return float(np.floor(100 * np.interp(middle, np.log(labels), mean) + 1e-9) / 100)


def full_targets(curves: Curves, shares: Sequence[float] = SHARES_OF_FULL) -> dict[float, float]:
    """Score of each share of the full-data score, by share; empty where `full` was not run."""
    return {} if curves.full_score is None else {share: share * curves.full_score for share in shares}
