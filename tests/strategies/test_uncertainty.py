import math

import numpy as np
import pytest

from lit_al.exceptions import ConfigError
from lit_al.strategies import Context, Pool, choose, make_strategy


def plain_least_confidence(p):
    return 1 - max(p)


def plain_margin(p):
    first, second = sorted(p, reverse=True)[:2]
    return 1 - (first - second)


def plain_entropy(p):
    return -sum(x * math.log(x) for x in p if x > 0)


PLAIN = {"least-confidence": plain_least_confidence, "margin": plain_margin, "entropy": plain_entropy}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_picks_and_scores_are_those_of_the_definition(name, classes, make_pool, make_context):
    pool = make_pool(classes=classes)
    scores = {int(row): PLAIN[name](p.tolist()) for row, p in zip(pool.rows, pool.probabilities, strict=True)}
    expected = sorted(scores, key=lambda row: -scores[row])[:10]
    choice = choose(make_strategy(name), pool, 10, make_context())
    assert choice.rows.tolist() == expected
    assert choice.scores.tolist() == pytest.approx([scores[row] for row in expected])


def test_two_classes_are_ranked_alike_by_all_three(make_pool, make_context):
    pool = make_pool(classes=2)
    orders = [choose(make_strategy(name), pool, 60, make_context()).rows.tolist() for name in PLAIN]
    assert orders[0] == orders[1] == orders[2]


def test_three_classes_are_not(make_pool, make_context):
    orders = [choose(make_strategy(name), make_pool(), 60, make_context()).rows.tolist() for name in PLAIN]
    assert orders[0] != orders[1]
    assert orders[1] != orders[2]


def test_entropy_of_a_certain_row_is_zero():
    pool = Pool(np.array([5, 6]), probabilities=np.array([[1.0, 0.0], [0.9, 0.1]]))
    choice = choose(make_strategy("entropy"), pool, 2, Context(np.random.default_rng(0)))
    assert choice.rows.tolist() == [6, 5]
    assert choice.scores[1] == 0


@pytest.mark.parametrize("winner", range(0, 300, 37))
def test_every_row_of_the_pool_is_scored(winner):
    probabilities = np.tile([0.9, 0.1], (300, 1))
    probabilities[winner] = 0.5
    pool = Pool(np.arange(300) + 1_000, probabilities=probabilities)
    for name in PLAIN:
        choice = choose(make_strategy(name), pool, 1, Context(np.random.default_rng(0)))
        assert choice.rows.tolist() == [1_000 + winner]


def test_threshold_draws_among_the_rows_above_and_then_takes_the_highest_below():
    sure, unsure = [0.99, 0.01], [0.5, 0.5]
    probabilities = np.array([unsure] * 20 + [sure] * 19 + [[0.9, 0.1]])
    pool = Pool(np.arange(40) + 100, probabilities=probabilities)
    strategy = make_strategy("entropy:0.6")
    few = [choose(strategy, pool, 5, Context(np.random.default_rng(seed))).rows.tolist() for seed in range(30)]
    assert {row for rows in few for row in rows} == set(range(100, 120))  # each of those above comes up, none below
    more = choose(strategy, pool, 21, Context(np.random.default_rng(0)))
    assert more.rows[-1] == 139
    assert more.reasons[0].startswith("entropy above 0.6 nats")
    assert more.reasons[-1].startswith("entropy 0.325 nats")


@pytest.mark.parametrize("spelling", ["entropy:0", "entropy:-1", "entropy:high", "entropy:nan"])
def test_threshold_that_cannot_work_is_refused(spelling):
    with pytest.raises(ConfigError, match="must be a number of nats above 0"):
        make_strategy(spelling)


def test_random_takes_every_row_as_often():
    pool = Pool(np.arange(10) + 50)
    strategy = make_strategy("random")
    counts = np.zeros(10)
    rng = np.random.default_rng(0)
    for _ in range(2_000):
        counts[choose(strategy, pool, 3, Context(rng)).rows - 50] += 1
    assert np.abs(counts - 600).max() < 5 * np.sqrt(2_000 * 0.3 * 0.7)
