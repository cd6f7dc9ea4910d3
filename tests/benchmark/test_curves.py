from dataclasses import replace

import numpy as np
import pytest

from lit_al.benchmark.curves import learning_curves
from lit_al.benchmark.results_table import Result
from lit_al.exceptions import DataError


def run(name, points, seed=0):
    return [Result(name, seed, i, labels, labels, accuracy) for i, (labels, accuracy) in enumerate(points)]


RANDOM = [(100, 0.6), (200, 0.7), (400, 0.8)]


def test_curves_are_tables_of_seeds_and_budgets():
    cells = run("random", RANDOM) + run("random", RANDOM[:2], seed=3) + run("entropy", RANDOM)
    curves = learning_curves(cells[::-1])
    assert curves.labels.tolist() == [100, 200, 400]
    assert curves.seeds.tolist() == [0, 3]
    assert list(curves.scores) == ["random", "entropy"]
    assert np.array_equal(curves.scores["random"], [[0.6, 0.7, 0.8], [0.6, 0.7, np.nan]], equal_nan=True)
    assert np.isnan(curves.scores["entropy"][1]).all()


def test_budgets_are_labels_spent_validation_included():
    cells = [replace(cell, labels_spent=cell.labels + 50) for cell in run("random", RANDOM)]
    assert learning_curves(cells).labels.tolist() == [150, 250, 450]


def test_a_strategy_that_rounds_down_is_at_the_same_budget():
    cells = run("random", [(15_000, 0.8), (20_000, 0.82)]) + run("ratio", [(15_000, 0.8), (19_999, 0.83)])
    curves = learning_curves(cells)
    assert curves.labels.tolist() == [15_000, 20_000]
    assert curves.scores["ratio"].tolist() == [[0.8, 0.83]]


def test_a_budget_between_is_joined_over_log_labels_and_one_outside_is_not():
    curves = learning_curves(run("random", RANDOM) + run("entropy", [(100, 0.6), (400, 0.8), (800, 0.9)]))
    assert curves.labels.tolist() == [100, 200, 400, 800]
    assert curves.scores["entropy"][0] == pytest.approx([0.6, 0.7, 0.8, 0.9])
    assert np.isnan(curves.scores["random"][0, 3])


def test_a_failed_cell_is_a_gap_and_is_named():
    cells = run("random", RANDOM)
    cells[1] = replace(cells[1], accuracy=None, error="out of memory")
    curves = learning_curves(cells)
    assert np.array_equal(curves.scores["random"], [[0.6, np.nan, 0.8]], equal_nan=True)
    assert [cell.error for cell in curves.failed] == ["out of memory"]


def test_a_strategy_of_which_every_cell_failed_has_no_curve():
    cells = run("random", RANDOM) + [replace(cell, accuracy=None, error="x") for cell in run("entropy", RANDOM)]
    assert list(learning_curves(cells).scores) == ["random"]


def test_full_is_the_yardstick_not_a_curve():
    curves = learning_curves(run("random", RANDOM) + run("full", [(40_000, 0.9)]) + run("full", [(40_000, 0.88)], 1))
    assert list(curves.scores) == ["random"]
    assert curves.full_score == pytest.approx(0.89)
    assert curves.full_labels == 40_000
    assert learning_curves(run("random", RANDOM)).full_score is None


def test_no_accuracy_at_all_is_refused():
    with pytest.raises(DataError, match="run the benchmark first"):
        learning_curves([Result("random", 0, 0, 1, 1, error="broke"), Result("full", 0, 0, 1, 1, 0.5)])
