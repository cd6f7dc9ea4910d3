import math

import numpy as np
import pytest

from lit_al.strategies import Context, Controls, Entropy, Pool, RandomSampling, Subsample, choose, make_strategy


def test_subsample_scores_no_more_than_its_size(make_pool):
    rows = np.random.default_rng(0).permutation(1_000)
    strategy = Subsample(RandomSampling(), 100)
    assert len(strategy.candidates(rows, 10, np.random.default_rng(0))) == 100
    assert len(strategy.candidates(rows, 300, np.random.default_rng(0))) == 300
    assert len(strategy.candidates(rows[:50], 10, np.random.default_rng(0))) == 50


def test_subsample_brings_the_best_of_the_last_scores_back():
    rng = np.random.default_rng(0)
    top = rng.uniform(0.5, 1, 400)
    pool = Pool(np.arange(400) + 5_000, probabilities=np.stack([top, 1 - top], axis=1))
    strategy = Subsample(Entropy(), 100)
    first = strategy.candidates(pool.rows, 10, rng)
    taken = choose(strategy, pool.take(np.isin(pool.rows, first)), 10, Context(rng)).rows
    left = pool.rows[~np.isin(pool.rows, taken)]
    second = strategy.candidates(left, 10, rng)
    known = sorted(set(first.tolist()) - set(taken.tolist()), key=lambda row: top[row - 5_000])
    assert set(known[:50]) <= set(second.tolist())
    assert len(set(second.tolist()) - set(first.tolist())) > 20  # the others are drawn


def test_subsample_goes_on_from_its_saved_state():
    rng = np.random.default_rng(0)
    top = rng.uniform(0.5, 1, 400)
    pool = Pool(np.arange(400), probabilities=np.stack([top, 1 - top], axis=1))
    strategy = make_strategy("entropy+subsample:100+balanced+random:0.2")
    choose(strategy, pool.take(np.arange(0, 400, 3)), 10, Context(rng))
    twin = make_strategy(strategy.spelling)
    twin.restore(strategy.state())
    a, b = (s.candidates(pool.rows, 10, np.random.default_rng(1)).tolist() for s in (strategy, twin))
    assert a == b
    assert a != make_strategy(strategy.spelling).candidates(pool.rows, 10, np.random.default_rng(1)).tolist()


def test_controls_are_marked_and_uniform_over_the_whole_pool():
    rows, share, n = 40, 0.25, 8
    top = np.linspace(0.5, 0.99, rows)
    pool = Pool(np.arange(rows) + 90, probabilities=np.stack([top, 1 - top], axis=1))
    strategy = make_strategy("entropy+subsample:10+random:0.25")
    rng, counts = np.random.default_rng(0), np.zeros(rows)
    for _ in range(1_500):
        candidates = strategy.candidates(pool.rows, n, rng)
        choice = choose(strategy, pool.take(np.isin(pool.rows, candidates)), n, Context(rng))
        assert choice.controls.sum() == share * n
        assert all(
            (reason == "random control") == mark for reason, mark in zip(choice.reasons, choice.controls, strict=True)
        )
        counts[choice.rows[choice.controls] - 90] += 1
    p = share * n / rows
    assert np.abs(counts - 1_500 * p).max() < 5 * math.sqrt(1_500 * p * (1 - p))


def test_controls_give_an_unbiased_estimate_where_the_choice_is_biased():
    rng = np.random.default_rng(0)
    top = rng.uniform(0.5, 1, 500)
    right = rng.uniform(size=500) < top  # the surer the model, the more often it is right
    pool = Pool(np.arange(500), probabilities=np.stack([top, 1 - top], axis=1))
    controls, chosen = [], []
    for _ in range(200):
        choice = choose(Controls(Entropy(), 0.5), pool, 40, Context(rng))
        controls += right[choice.rows[choice.controls]].tolist()
        chosen += right[choice.rows[~choice.controls]].tolist()
    assert np.mean(controls) == pytest.approx(right.mean(), abs=0.03)
    assert np.mean(chosen) < right.mean() - 0.1


def test_small_share_of_a_small_query_is_one_row(make_pool, make_context):
    choice = choose(Controls(Entropy(), 0.01), make_pool(), 4, make_context())
    assert choice.controls.sum() == 1
    assert choose(Controls(Entropy(), 1.0), make_pool(), 4, make_context()).controls.all()


def test_control_that_left_the_pool_is_not_replaced_by_one_that_was_cut_by_score():
    rng = np.random.default_rng(0)
    pool = Pool(np.arange(100), probabilities=np.full((100, 2), 0.5))
    strategy = make_strategy("entropy+subsample:30+random:0.5")
    candidates = strategy.candidates(pool.rows, 10, rng)
    controls = strategy.drawn[0]
    left = candidates[candidates != controls[0]]
    choice = choose(strategy, pool.take(left), 10, Context(rng))
    assert choice.rows[choice.controls].tolist() == controls[1:].tolist()
    assert len(choice.rows) == 10
