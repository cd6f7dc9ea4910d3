from itertools import product

import numpy as np
import pytest

from lit_al.benchmark.inference import band, bootstrap, draw_seeds, seeds_needed, smallest_p, wilcoxon
from lit_al.utils.corrections import holm


@pytest.mark.parametrize(("seeds", "least"), [(5, 0.90), (10, 0.92)])
def test_interval_covers_the_truth_as_often_as_it_says(seeds, least):
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(400):
        interval = bootstrap(rng.normal(0.02, 0.01, seeds), resamples=1_000, seed=trial)
        hits += interval.low <= 0.02 <= interval.high
    assert hits / 400 >= least


def test_interval_of_one_seed_is_open():
    interval = bootstrap(np.array([0.1]))
    assert (interval.estimate, interval.low, interval.high) == (0.1, -np.inf, np.inf)
    assert not interval.excludes_zero


def test_interval_is_the_same_every_time():
    values = np.array([0.01, 0.03, -0.01, 0.02])
    assert bootstrap(values) == bootstrap(values)


def test_drawn_seeds_weigh_one_in_all():
    weights = draw_seeds(7, 500)
    assert weights.shape == (500, 7)
    assert np.allclose(weights.sum(axis=1), 1)
    assert np.allclose(weights.mean(axis=0), 1 / 7, atol=0.03)


def test_band_uses_the_seeds_that_each_budget_has():
    accuracy = np.array([[0.5, 0.6, np.nan], [0.6, np.nan, np.nan], [0.7, 0.8, np.nan]])
    estimate, low, high = band(accuracy)
    assert estimate[:2] == pytest.approx([0.6, 0.7])
    assert low[0] < 0.6 < high[0]
    assert np.isnan([estimate[2], low[2], high[2]]).all()


def test_wilcoxon_agrees_with_all_signs_tried():
    rng = np.random.default_rng(1)
    for _ in range(20):
        differences = rng.normal(0.3, 1, 8)
        ranks = np.abs(differences).argsort().argsort() + 1
        found = ranks[differences > 0].sum()
        sums = np.array([ranks[np.array(signs)].sum() for signs in product([False, True], repeat=8)])
        by_hand = min(1, 2 * min(np.mean(sums >= found), np.mean(sums <= found)))
        assert wilcoxon(differences) == pytest.approx(by_hand)


def test_wilcoxon_of_nothing_is_no_evidence():
    assert wilcoxon(np.zeros(6)) == 1
    assert wilcoxon(np.array([0.1])) == 1


@pytest.mark.parametrize("seeds", range(1, 12))
def test_smallest_p_is_that_of_seeds_all_on_one_side(seeds):
    assert wilcoxon(np.arange(1, seeds + 1) / 10) == pytest.approx(smallest_p(seeds))


def test_seeds_needed_is_the_first_number_that_can_pass():
    for tests in (1, 3, 20):
        seeds = seeds_needed(tests)
        assert holm([smallest_p(seeds)] + [1.0] * (tests - 1))[0] < 0.05
        assert holm([smallest_p(seeds - 1)] + [1.0] * (tests - 1))[0] >= 0.05
