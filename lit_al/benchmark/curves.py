"""From the cells of a benchmark to learning curves on common budgets.

The budget is `labels_spent`: validation and steering labels are paid for like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lit_al.benchmark.methods import FULL, RANDOM
from lit_al.benchmark.results_table import Result
from lit_al.exceptions import DataError
from lit_al.metrics import METRIC_WORDS, Metric
from lit_al.typing import Float64s, Ints

_SAME = 0.01  # budgets that differ by less are one: the ratio rule rounds its quotas down


@dataclass(frozen=True)
class Curves:
    """Learning curves of several strategies over the same seeds and budgets.

    Attributes:
        labels: (B,) int64 labels spent, rising.
        seeds: (S,) int64, rising.
        scores: by strategy, (S, B) float64; NaN where a seed has no value for a budget. A strategy of which every
            cell failed is not there.
        full: (F,) score of the models that were given every label, by seed; empty where none was run.
        full_labels: that they were given; 0 where none was run.
        failed: cells without a score.
        metric: what the scores are.
    """

    labels: Ints
    seeds: Ints
    scores: dict[str, Float64s]
    full: Float64s
    full_labels: int
    failed: tuple[Result, ...]
    metric: Metric = "accuracy"

    @property
    def measure(self) -> str:
        """The metric, as it is printed."""
        return METRIC_WORDS[self.metric]

    @property
    def full_score(self) -> float | None:
        """Mean score with every label; None where that was not run."""
        return float(self.full.mean()) if self.full.size else None


def learning_curves(cells: Sequence[Result], metric: Metric = "accuracy") -> Curves:
    """Curves of all strategies. Where a strategy has no cell at a budget, its neighbors are joined over log labels.

    The budgets of random picks are taken first; those of others are added where they are new.

    Args:
        cells: of a benchmark, in any order.
        metric: which score makes the curves.

    Raises:
        DataError: not one cell with a score besides those of `full`, or some that are older than the metric.
    """
    check_metric(cells, metric)
    curves = [cell for cell in cells if cell.strategy != FULL]
    if all(cell.error for cell in curves):
        raise DataError("no cell of any strategy has an accuracy yet; run the benchmark first")
    names = sorted({cell.strategy for cell in curves}, key=lambda name: (name != RANDOM, name))
    grid = _budgets([[cell for cell in curves if cell.strategy == name] for name in names])
    seeds = np.unique([cell.seed for cell in curves])
    scores = {name: np.full((len(seeds), len(grid)), np.nan) for name in names}
    for name in names:
        for position, seed in enumerate(seeds):
            one = [cell for cell in curves if cell.strategy == name and cell.seed == seed]
            scores[name][position] = _at(grid, one, metric)
    scores = {name: curve for name, curve in scores.items() if not np.isnan(curve).all()}
    full = {cell.seed: cell for cell in cells if cell.strategy == FULL and cell.error is None}
    return Curves(
        grid,
        seeds,
        scores,
        np.array([full[seed].score(metric) for seed in sorted(full)], dtype=np.float64),
        max((cell.labels_spent for cell in full.values()), default=0),
        tuple(cell for cell in cells if cell.error is not None),
        metric,
    )


def check_metric(cells: Iterable[Result], metric: Metric) -> None:
    """Refuse cells that were judged before the metric was counted.

    Raises:
        DataError: there are some.
    """
    older = sum(cell.error is None and cell.score(metric) is None for cell in cells)
    if older:
        raise DataError(
            f"{older:,} cells of the table are older than {METRIC_WORDS[metric]} and have none; give "
            "--metric accuracy, or another --name to compute them again"
        )


def _budgets(groups: Iterable[Sequence[Result]]) -> Ints:
    """(B,) median labels of each round of each strategy, less those that are as good as there already."""
    kept: list[int] = []
    for cells in groups:
        for number in sorted({cell.round for cell in cells}):
            spent = [cell.labels_spent for cell in cells if cell.round == number]
            budget = sorted(spent)[len(spent) // 2]
            if all(abs(budget - other) >= _SAME * other for other in kept):
                kept.append(budget)
    return np.array(sorted(kept), dtype=np.int64)


def _at(grid: Ints, cells: Iterable[Result], metric: Metric) -> Float64s:
    """(B,) score of one run at each budget; NaN outside its own budgets and beside a cell that failed."""
    points = {cell.labels_spent: cell.score(metric) for cell in sorted(cells, key=lambda cell: cell.round)}
    if not points:
        return np.full(len(grid), np.nan)
    labels = np.array(sorted(points), dtype=np.float64)
    known = np.array([points[spent] for spent in sorted(points)], dtype=np.float64)  # None becomes NaN
    nearest = np.abs(labels[None] - grid[:, None]).argmin(axis=1)  # (B,)
    same = np.abs(labels[nearest] - grid) < _SAME * grid
    inside = np.interp(np.log(grid), np.log(labels), known, left=np.nan, right=np.nan)
    return np.where(same, known[nearest], inside)
