import math

import numpy as np
import pytest

from lit_al.errors import ConfigError, StrategyError
from lit_al.strategies import (
    Balanced,
    Context,
    Controls,
    CoreSet,
    Diverse,
    Entropy,
    Pool,
    Power,
    RandomSampling,
    Strategy,
    Subsample,
    choose,
    collapsed,
    make_strategy,
    mix,
)


def poor_model(rows=200):
    """Its doubts are all about rows it calls class 0; those it calls class 1 it is surer of."""
    rng = np.random.default_rng(0)
    top = np.where(np.arange(rows) % 4 > 0, rng.uniform(0.5, 0.6, rows), rng.uniform(0.7, 0.9, rows))
    called_one = np.arange(rows) % 4 == 0
    positive = np.where(called_one, top, 1 - top)
    return Pool(np.arange(rows) + 1_000, probabilities=np.stack([1 - positive, positive], axis=1))


def batch_mix(strategy, pool, n):
    choice = choose(strategy, pool, n, Context(np.random.default_rng(0)))
    return mix(pool.probabilities[np.isin(pool.rows, choice.rows)], 2).tolist()


def test_balanced_keeps_a_poor_model_from_filling_the_batch_with_one_class():
    pool = poor_model()
    alone = choose(Entropy(), pool, 20, Context(np.random.default_rng(0)))
    assert collapsed(pool.probabilities[alone.rows - 1_000]).label == 0
    assert batch_mix(Entropy(), pool, 20) == [1.0, 0.0]
    assert batch_mix(Balanced(Entropy()), pool, 20) == [0.5, 0.5]


def test_balanced_takes_the_best_of_each_class_in_turn():
    pool = poor_model()
    choice = choose(Balanced(Entropy()), pool, 20, Context(np.random.default_rng(0)))
    predicted = pool.probabilities[choice.rows - 1_000].argmax(axis=1)
    assert predicted.tolist() == [0, 1] * 10
    for label in (0, 1):
        members = [i for i in range(200) if pool.probabilities[i].argmax() == label]
        best = sorted(members, key=lambda i: pool.probabilities[i].max())[:10]
        assert (choice.rows[predicted == label] - 1_000).tolist() == best


def test_balanced_gives_a_class_no_more_than_there_is_and_the_rest_to_the_others():
    pool = poor_model(40)  # ten are called class 1
    assert batch_mix(Balanced(Entropy()), pool, 30) == [20 / 30, 10 / 30]


def test_power_draws_in_proportion_to_the_score_to_the_power_of_beta():
    class Given(Strategy):
        """Scores 1, 2, 3."""

        name = "given"

        def score(self, pool, context):
            return np.array([1.0, 2.0, 3.0])

    rng = np.random.default_rng(0)
    for beta in (0, 1, 2):
        counts = np.zeros(3)
        for _ in range(3_000):
            counts[choose(Power(Given(), beta), Pool(np.arange(3)), 1, Context(rng)).rows] += 1
        weights = np.array([1.0, 2.0, 3.0]) ** beta
        assert counts / 3_000 == pytest.approx(weights / weights.sum(), abs=0.04)


def test_power_with_a_large_exponent_takes_the_highest(make_pool, make_context):
    sharp = choose(Power(Entropy(), 1e6), make_pool(), 10, make_context())
    assert sharp.rows.tolist() == choose(Entropy(), make_pool(), 10, make_context()).rows.tolist()


@pytest.mark.parametrize("base", ["coreset", "badge", "entropy+balanced", "entropy+diverse"])
def test_power_refuses_what_has_no_ranking(base):
    with pytest.raises(ConfigError, match="power needs a strategy that ranks rows by a score"):
        make_strategy(f"{base}+power")


def test_power_refuses_scores_below_zero(make_pool, make_context):
    class Negative(Strategy):
        """Scores below zero."""

        name = "negative"

        def score(self, pool, context):
            return -np.ones(len(pool))

    with pytest.raises(StrategyError, match=r"row .* has one below 0"):
        choose(Power(Negative()), make_pool(), 3, make_context())


def cosine(a, b):
    return float(a @ b / math.hypot(*a) / math.hypot(*b))


def plain_diverse(order, vectors, n, threshold):
    """Walk down the ranking and keep what is not close to anything kept."""
    kept = []
    for i in order:
        if all(cosine(vectors[i], vectors[j]) < threshold for j in kept):
            kept.append(i)
    return (kept + [i for i in order if i not in kept])[:n]


@pytest.mark.parametrize("n", [5, 20, 55])
@pytest.mark.parametrize("threshold", [0.3, 0.8])
def test_diverse_walks_down_the_ranking_and_skips_near_duplicates(n, threshold, make_pool, make_context):
    pool = make_pool()
    order = np.argsort(-choose_scores(pool, make_context)).tolist()
    expected = plain_diverse(order, pool.vectors.astype(float), n, threshold)
    choice = choose(Diverse(Entropy(), threshold), pool, n, make_context())
    assert choice.rows.tolist() == pool.rows[expected].tolist()


def choose_scores(pool, make_context):
    choice = choose(Entropy(), pool, len(pool), make_context())
    where = {row: place for place, row in enumerate(pool.rows.tolist())}
    scores = np.empty(len(pool))
    scores[[where[row] for row in choice.rows.tolist()]] = choice.scores
    return scores


@pytest.mark.parametrize("base", ["kmeans:vectors", "coreset", "badge", "random", "ratio"])
def test_diverse_batches_of_any_strategy_hold_no_near_duplicates(base, make_pool, make_context):
    pool = make_pool()
    choice = choose(make_strategy(f"{base}+diverse:0.9"), pool, 10, make_context())
    vectors = [pool.vectors[pool.rows.tolist().index(row)] for row in choice.rows.tolist()]
    assert all(cosine(a, b) < 0.9 for i, a in enumerate(vectors) for b in vectors[:i])


def test_diverse_says_which_rows_are_near_duplicates():
    pool = Pool(np.arange(4), vectors=np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]]))
    choice = choose(Diverse(RandomSampling()), pool, 3, Context(np.random.default_rng(0)))
    assert 3 in choice.rows[:2]
    assert choice.reasons[2].startswith("near-duplicate, nothing else is left")


def test_texts_without_a_vector_are_not_alike():
    pool = Pool(np.arange(4), vectors=np.zeros((4, 2)))
    choice = choose(Diverse(RandomSampling()), pool, 4, Context(np.random.default_rng(0)))
    assert not any("near-duplicate" in reason for reason in choice.reasons)


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


@pytest.mark.parametrize("wrapper", ["balanced", "diverse", "subsample", "power", "random"])
def test_nothing_goes_around_random_controls(wrapper):
    with pytest.raises(ConfigError, match="put random:… last"):
        make_strategy(f"entropy+random:0.1+{wrapper}")


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("entropy+random:0", "random share 0 must lie above 0"),
        ("entropy+random:1.5", "random share 1.5 must lie above 0"),
        ("entropy+subsample:0", "subsample size 0 must be a whole number"),
        ("entropy+subsample:0.5", "subsample size 0.5 must be a whole number"),
        ("entropy+diverse:2", "diverse cosine 2 must lie above 0"),
        ("entropy+power:-1", "power beta -1 must be 0 or more"),
        ("entropy+power:much", "power beta 'much' must be 0 or more"),
    ],
)
def test_settings_out_of_range_are_refused(spelling, message):
    with pytest.raises(ConfigError, match=message):
        make_strategy(spelling)


def test_wrappers_pass_the_needs_on():
    strategy = Diverse(Balanced(CoreSet()))
    assert strategy.needs == {"embeddings", "probabilities", "vectors"}
    assert strategy.needs_labeled == {"embeddings"}
    assert make_strategy("ratio+balanced").needs_confusion
    assert not strategy.needs_confusion
