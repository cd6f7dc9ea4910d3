"""Benchmarks whose truth is known, to try the statistics on and to judge the verdict by.

Every curve is a line over log labels, as learning curves nearly are, plus the noise of seeds and of fits.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lit_al.benchmark.methods import FULL
from lit_al.benchmark.results_table import Result

BUDGETS = (100, 200, 400, 800, 1_600, 2_500)


def true_accuracy(labels: int, saved: float = 0.0) -> float:
    """Accuracy after so many labels: six points per doubling, from .60 at 100.

    A strategy that saves a share of the labels is where one that saves none is with 1 / (1 - share) times as many.

    >>> true_accuracy(400), true_accuracy(200, saved=.5)
    (0.72, 0.72)
    """
    return float(0.60 + 0.06 * np.log2(labels / 100 / (1 - saved)))


def synthetic_cells(
    strategies: Mapping[str, float],
    *,
    seeds: int = 10,
    noise: float = 0.01,
    seed: int = 0,
    full: float | None = None,
    budgets: Sequence[int] = BUDGETS,
) -> list[Result]:
    """Cells of a benchmark; the strategies of a seed share its luck and the fit on its first labels.

    Args:
        strategies: share of the labels that each saves, by name; below 0 it wastes some.
        seeds: S.
        noise: standard deviation of the luck of a seed and of each fit; the fits of one run wander together besides.
        seed: of the noise.
        full: accuracy of the model that is given every label; None leaves it out.
        budgets: labels of each round.

    >>> cells = synthetic_cells({"random": 0, "margin": .5}, noise=0)
    >>> [round(cell.accuracy, 2) for cell in cells if cell.key[:2] == ("margin", 0)][:3]
    [0.6, 0.72, 0.78]
    """
    rng = np.random.default_rng(seed)
    cells = []
    for number in range(seeds):
        luck, first = rng.normal(0, noise, 2)
        for name, saved in strategies.items():
            wander = np.cumsum(rng.normal(0, noise / 2, len(budgets)))  # (B,)
            fits = rng.normal(0, noise, len(budgets)) + wander  # (B,)
            for index, labels in enumerate(budgets):
                truth = true_accuracy(labels, saved) + fits[index] if index else true_accuracy(labels) + first
                counts = (labels // 4, labels // 4) if index else None
                accuracy = float(np.clip(truth + luck, 0, 1))
                cells.append(Result(name, number, index, labels, labels, accuracy, predicted=counts, taken=counts))
        if full is not None:
            cells.append(Result(FULL, number, 0, 40_000, 40_000, full + luck))
    return cells
