import math

import numpy as np
import pytest

from lit_al.strategies import Context, Diverse, Entropy, Pool, RandomSampling, choose, make_strategy


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


@pytest.mark.parametrize("seed", range(5))
def test_texts_without_a_vector_are_kept_once(seed):
    """They are not even similar to themselves."""
    pool = Pool(np.arange(6), vectors=np.array([[0.0, 0.0]] * 2 + [[1.0, 0.0]] * 4))
    choice = choose(Diverse(RandomSampling()), pool, 3, Context(np.random.default_rng(seed)))
    assert {0, 1} < set(choice.rows.tolist())


def test_texts_without_a_vector_are_not_alike():
    pool = Pool(np.arange(4), vectors=np.zeros((4, 2)))
    choice = choose(Diverse(RandomSampling()), pool, 4, Context(np.random.default_rng(0)))
    assert not any("near-duplicate" in reason for reason in choice.reasons)
