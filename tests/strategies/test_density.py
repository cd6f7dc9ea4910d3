import math

import numpy as np
import pytest

from lit_al.exceptions import StrategyError
from lit_al.strategies import Context, Contrastive, Density, Labeled, Pool, choose


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


def test_density_is_entropy_times_mean_similarity(make_pool, make_context):
    pool = make_pool(rows=30)
    vectors = pool.vectors.tolist()
    expected = {}
    for row, p, vector in zip(pool.rows.tolist(), pool.probabilities.tolist(), vectors, strict=True):
        similarity = sum(cosine(vector, other) for other in vectors) / 30
        expected[row] = -sum(x * math.log(x) for x in p) * (1 + similarity) / 2
    choice = choose(Density(), pool, 30, make_context())
    assert choice.scores.tolist() == pytest.approx([expected[row] for row in choice.rows.tolist()], rel=1e-5)
    assert choice.scores.tolist() == sorted(choice.scores.tolist(), reverse=True)


def test_density_prefers_the_crowd_to_the_outlier():
    vectors = np.array([[1.0, 0.1], [1.0, 0.0], [1.0, -0.1], [-1.0, 0.0]])
    pool = Pool(np.arange(4), probabilities=np.full((4, 2), 0.5), vectors=vectors)
    assert choose(Density(), pool, 4, Context(np.random.default_rng(0))).rows[[0, -1]].tolist() == [1, 3]


@pytest.mark.parametrize("k", [1, 3, 50])
def test_contrastive_is_the_mean_divergence_of_the_labeled_neighbors(k, make_pool, make_labeled, make_context):
    pool, labeled = make_pool(rows=30), make_labeled()
    expected = {}
    for row, p, h in zip(pool.rows.tolist(), pool.probabilities.tolist(), pool.embeddings.tolist(), strict=True):
        near = sorted(range(15), key=lambda j: math.dist(h, labeled.embeddings[j]))[:k]
        divergences = [
            sum(q * math.log(q / x) for q, x in zip(labeled.probabilities[j].tolist(), p, strict=True)) for j in near
        ]
        expected[row] = sum(divergences) / len(divergences)
    choice = choose(Contrastive(k), pool, 30, make_context())
    assert choice.scores.tolist() == pytest.approx([expected[row] for row in choice.rows.tolist()], rel=1e-3, abs=1e-6)


def test_contrastive_takes_a_certain_row_without_infinities():
    labeled = Labeled(np.array([0]), probabilities=np.array([[1.0, 0.0]]), embeddings=np.array([[0.0]]))
    pool = Pool(np.array([5, 6]), probabilities=np.array([[0.0, 1.0], [1.0, 0.0]]), embeddings=np.array([[0.0], [0.0]]))
    choice = choose(Contrastive(), pool, 2, Context(np.random.default_rng(0), labeled))
    assert choice.rows.tolist() == [5, 6]
    assert np.isfinite(choice.scores).all()


def test_contrastive_without_labels_says_what_to_do(make_pool):
    with pytest.raises(StrategyError, match="contrastive compares with labeled rows but there are none; start with"):
        choose(Contrastive(), make_pool(), 3, Context(np.random.default_rng(0)))
