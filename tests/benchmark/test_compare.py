from dataclasses import replace

import numpy as np
import pytest

from lit_al.benchmark.comparison import compare, full_targets, reaches, reference_target
from lit_al.benchmark.curves import learning_curves
from lit_al.benchmark.results_table import Result
from lit_al.benchmark.synthetic import synthetic_cells, true_accuracy


def compared(cells, **settings):
    return {one.strategy: one for one in compare(learning_curves(cells), resamples=2_000, **settings)}


def test_a_saving_is_found_as_large_as_it_is():
    found = compared(synthetic_cells({"random": 0, "entropy": 0.3}, noise=0.004), targets=[0.8])["entropy"]
    saving = found.savings[0]
    assert saving.share.low < 0.3 < saving.share.high
    assert saving.share.high - saving.share.low < 0.25
    assert saving.needed.labels < saving.reference_needed.labels
    assert found.difference.low > 0
    assert found.p == pytest.approx(2**-9)
    assert found.proven


def test_a_loss_is_found_as_a_loss():
    found = compared(synthetic_cells({"random": 0, "bad": -0.5}, noise=0.004), targets=[0.8])["bad"]
    assert found.difference.high < 0
    assert found.savings[0].share.high < 0
    assert found.proven


def test_without_noise_the_saving_is_exact():
    saving = compared(synthetic_cells({"random": 0, "a": 0.25}, noise=0), targets=[0.8])["a"].savings[0]
    assert saving.share.estimate == pytest.approx(0.25)
    assert saving.share.low == pytest.approx(0.25)


@pytest.mark.parametrize("target", [0.95, 0.5])
def test_a_target_outside_the_curves_leaves_the_saving_open(target):
    share = compared(synthetic_cells({"random": 0, "a": 0.2}), targets=[target])["a"].savings[0].share
    assert np.isnan(share.estimate)
    assert (share.low, share.high) == (-np.inf, 1)


def test_a_target_that_only_the_strategy_reaches_bounds_the_saving_from_below():
    saving = compared(synthetic_cells({"random": 0, "a": 0.5}, noise=0.001), targets=[0.90])["a"].savings[0]
    assert np.isinf(saving.reference_needed.high)
    assert 0 < saving.share.low < 1 - saving.needed.labels / 2_500 + 0.05
    assert saving.share.high == 1


def test_a_target_that_only_the_reference_reaches_is_no_saving():
    share = compared(synthetic_cells({"random": 0, "a": -1}, noise=0.001), targets=[0.86])["a"].savings[0].share
    assert share.low == -np.inf
    assert share.high < 0


def test_p_is_corrected_over_all_strategies():
    found = compared(synthetic_cells({"random": 0, "a": 0.5, "b": 0.5, "c": 0.0}))
    assert found["a"].corrected == pytest.approx(3 * found["a"].p)
    assert not found["c"].proven


def test_seeds_with_a_hole_are_left_out_and_counted():
    cells = synthetic_cells({"random": 0, "a": 0.3})
    cells = [replace(c, accuracy=None, error="x") if c.key == ("a", 4, 3) else c for c in cells]
    found = compared(cells)["a"]
    assert (found.pairs, found.left_out) == (9, 1)


def test_pairs_ignore_the_luck_that_a_seed_brings_to_both():
    cells = synthetic_cells({"random": 0, "a": 0.1}, noise=0)
    lucky = [replace(cell, accuracy=cell.accuracy + 0.02 * (cell.seed % 3)) for cell in cells]
    one, other = compared(cells)["a"].difference, compared(lucky)["a"].difference
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_strategies_without_two_shared_budgets_are_not_compared():
    assert compared([*synthetic_cells({"random": 0}), Result("keras", 0, 0, 15_000, 20_000, 0.8)]) == {}
    assert compared(synthetic_cells({"random": 0})) == {}


def test_each_row_is_compared_with_random_picks_under_the_same_training():
    rows = {"random": 0, "entropy": 0.4, "warm/random": 0.3, "warm/entropy": 0.3, "tfidf-lr": 0.5, "tfidf-lr:margin": 0}
    found = compared(synthetic_cells({**rows, "shrink/badge": 0.5}, full=0.9))
    assert {name: (one.reference, one.family) for name, one in found.items()} == {
        "entropy": ("random", "picks"),
        "warm/random": ("random", "training"),
        "warm/entropy": ("warm/random", "picks"),
        "tfidf-lr:margin": ("tfidf-lr", "picks"),
    }
    assert found["entropy"].difference.low > 0
    assert not found["warm/entropy"].proven
    assert found["warm/random"].corrected == found["warm/random"].p  # alone in its family
    assert found["entropy"].corrected == pytest.approx(3 * found["entropy"].p)


def test_a_reference_that_was_not_run_leaves_nothing_to_compare():
    assert compared(synthetic_cells({"a": 0})) == {}
    assert list(compared(synthetic_cells({"keras/random": 0, "keras/ratio": 0.2}))) == ["keras/ratio"]


def test_budgets_that_begin_late_have_their_target_in_their_middle():
    curves = learning_curves(synthetic_cells({"keras/random": 0}, noise=0, budgets=(200, 250, 300, 350)))
    middle = true_accuracy(round((200 * 350) ** 0.5))
    assert reference_target(curves, "keras/random") == pytest.approx(middle, abs=0.011)


def test_one_seed_proves_nothing():
    found = compared(synthetic_cells({"random": 0, "a": 0.5}, seeds=1))["a"]
    assert not found.difference.excludes_zero
    assert not found.savings[0].share.excludes_zero
    assert not found.proven


def test_target_is_set_by_the_reference_alone():
    one = learning_curves(synthetic_cells({"random": 0}))
    two = learning_curves(synthetic_cells({"random": 0, "a": 0.9, "b": -3}))
    half = true_accuracy(1_250)
    assert half - 0.015 < reference_target(one) < half + 0.01
    assert reference_target(two) == pytest.approx(reference_target(one), abs=0.011)
    assert reference_target(learning_curves(synthetic_cells({"random": 0}, noise=0))) == np.floor(100 * half) / 100


def test_labels_to_shares_of_the_full_score():
    curves = learning_curves(synthetic_cells({"random": 0, "a": 0.5}, noise=0, full=0.9))
    targets = full_targets(curves)
    assert targets == pytest.approx({0.95: 0.855, 0.98: 0.882, 1.0: 0.9})
    assert reaches(curves, "random", targets[0.95]).labels == pytest.approx(100 * 2 ** (0.255 / 0.06), rel=1e-6)
    assert reaches(curves, "random", targets[1.0]).labels is None
    assert full_targets(learning_curves(synthetic_cells({"random": 0}))) == {}
