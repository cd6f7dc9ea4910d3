import numpy as np
import pytest

from lit_al.exceptions import ConfigError, StrategyError
from lit_al.strategies import (
    Balanced,
    Context,
    CoreSet,
    Diverse,
    Entropy,
    Pool,
    Power,
    Strategy,
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
