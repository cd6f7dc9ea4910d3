"""Mistakes that other active-learning libraries have shipped, each as a test."""

import numpy as np
import pytest

from lit_al.exceptions import StrategyError
from lit_al.strategies import Choice, Context, Pool, Strategy, choose, make_strategy
from lit_al.strategies.badge import residuals

SPATIAL = ["badge", "coreset", "kmeans", "typicality", "cluster-margin"]


def test_badge_subtracts_the_pseudo_label():
    """Left out, a confident row has the longer gradient: 1.96 against 1.16."""
    probabilities = np.array([[0.98, 0.01, 0.01], [0.34, 0.33, 0.33]])
    length = 2.0  # of both embeddings
    gradients = np.linalg.norm(residuals(probabilities), axis=1) * length
    assert gradients.tolist() == pytest.approx([0.05, 1.62], abs=0.005)
    assert (np.linalg.norm(probabilities, axis=1) * length).round(2).tolist() == [1.96, 1.15]
    pool = Pool(np.array([7, 9]), probabilities=probabilities, embeddings=np.array([[2.0, 0.0], [0.0, 2.0]]))
    assert choose(make_strategy("badge"), pool, 1, Context(np.random.default_rng(0))).rows.tolist() == [9]


def test_badge_of_two_classes_is_not_the_raw_embeddings():
    pool = Pool(
        np.array([7, 9]), probabilities=np.array([[0.99, 0.01], [0.5, 0.5]]), embeddings=np.array([[9.0], [1.0]])
    )
    assert choose(make_strategy("badge"), pool, 1, Context(np.random.default_rng(0))).rows.tolist() == [9]


@pytest.mark.parametrize("name", SPATIAL)
def test_second_query_after_rows_left_the_pool(name, make_pool, make_context):
    """The first query's positions mean other rows in the smaller pool."""
    strategy, pool, context = make_strategy(name), make_pool(), make_context()
    first = choose(strategy, pool, 20, context).rows
    rest = pool.take(~np.isin(pool.rows, first))
    again = choose(strategy, rest, 20, make_context(seed=1))
    fresh = choose(make_strategy(name), rest, 20, make_context(seed=1))
    assert not set(first.tolist()) & set(again.rows.tolist())
    assert again.rows.tolist() == fresh.rows.tolist()


@pytest.mark.parametrize("name", ["entropy", *SPATIAL])
def test_row_ids_are_never_positions_in_the_pool(name, make_pool, make_context):
    """The row that stands out is returned by its id, wherever it stands in the pool and whatever was cut off before."""
    pool = make_pool(classes=2)
    for start in (0, 13, 40):
        part = pool.take(np.arange(start, 60))
        choice = choose(make_strategy(name), part, 5, make_context(classes=2))
        assert set(choice.rows.tolist()) <= set(part.rows.tolist())
        assert min(choice.rows) >= 10_000


@pytest.mark.parametrize("place", range(64))
def test_every_row_of_a_batch_is_scored(place):
    """Not one in each batch of predictions: the only uncertain row is found at any place."""
    probabilities = np.tile([0.95, 0.05], (64, 1))
    probabilities[place] = [0.5, 0.5]
    pool = Pool(np.arange(64) + 500, probabilities=probabilities)
    assert choose(make_strategy("margin"), pool, 1, Context(np.random.default_rng(0))).rows.tolist() == [500 + place]


def test_one_score_per_batch_is_refused(make_pool, make_context):
    class OnePerBatch(Strategy):
        """Keeps the first score of each batch of eight."""

        name = "one-per-batch"
        needs = frozenset({"probabilities"})

        def score(self, pool, context):
            return pool.probabilities.max(axis=1)[::8]

    with pytest.raises(StrategyError, match=r"one-per-batch gave scores of shape \(8,\) for 60 rows; give one per row"):
        choose(OnePerBatch(), make_pool(), 4, make_context())


@pytest.mark.parametrize("name", SPATIAL)
@pytest.mark.parametrize("different", [0, 2])
def test_identical_texts_give_no_duplicates(name, different):
    """k-means++ that draws a row it has drawn already silently labels fewer rows than were paid for."""
    embeddings = np.zeros((30, 3))
    embeddings[:different] = 1
    pool = Pool(np.arange(30) + 70, probabilities=np.tile([0.5, 0.5], (30, 1)), embeddings=embeddings)
    rows = choose(make_strategy(name), pool, 12, Context(np.random.default_rng(0))).rows
    assert len(set(rows.tolist())) == 12


def test_duplicates_of_another_package_are_refused(make_pool, make_context):
    class Twice(Strategy):
        """Returns its best row twice."""

        name = "twice"

        def select(self, pool, n, context):
            return Choice(pool.rows[np.zeros(n, np.int64)], np.zeros(n), ("best",) * n)

    with pytest.raises(StrategyError, match=r"twice chose row \d+ twice; choose distinct rows"):
        choose(Twice(), make_pool(), 2, make_context())


@pytest.mark.parametrize("pair", [[10_007, 10_014], (10_007, 10_014), (np.array([10_007, 10_014]), np.zeros(2))])
def test_two_ids_are_never_read_as_id_and_metric(pair, make_pool, make_context):
    class Plain(Strategy):
        """Returns plain ids, or ids and scores."""

        name = "plain"

        def select(self, pool, n, context):
            return pair

    with pytest.raises(StrategyError, match=r"could be row ids or \(ids, scores\); return Choice"):
        choose(Plain(), make_pool(), 2, make_context())


@pytest.mark.parametrize("name", ["entropy", "random", *SPATIAL])
def test_query_of_two_gives_two(name, make_pool, make_context):
    choice = choose(make_strategy(name), make_pool(), 2, make_context())
    assert choice.rows.shape == choice.scores.shape == (2,)
