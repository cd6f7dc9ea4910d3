import itertools
import math

import numpy as np
import pytest

from lit_al.exceptions import ConfigError
from lit_al.strategies import Context, Labeled, Pool, choose, make_strategy


def plain_k_center(pool, labeled, n):
    """Farthest first from the labeled points, one distance at a time."""
    centers, picks = list(labeled), []
    for _ in range(n):
        rest = [i for i in range(len(pool)) if i not in picks]
        best = max(rest, key=lambda i: min(math.dist(pool[i], center) for center in centers))
        picks.append(best)
        centers.append(pool[best])
    return picks


@pytest.mark.parametrize("seed", range(5))
def test_coreset_picks_the_farthest_row_from_all_before(seed, make_pool, make_context, make_labeled):
    pool = make_pool(rows=40, seed=seed)
    expected = plain_k_center(pool.embeddings.tolist(), make_labeled().embeddings.tolist(), 15)
    choice = choose(make_strategy("coreset"), pool, 15, make_context())
    assert choice.rows.tolist() == pool.rows[expected].tolist()
    assert choice.scores.tolist() == sorted(choice.scores.tolist(), reverse=True)


def test_coreset_scores_are_distances(make_context):
    labeled = Labeled(np.array([0]), embeddings=np.array([[0.0, 0.0]]))
    pool = Pool(np.array([7, 8, 9]), embeddings=np.array([[3.0, 4.0], [3.0, 3.0], [-1.5, 0.0]]))
    choice = choose(make_strategy("coreset"), pool, 3, Context(np.random.default_rng(0), labeled))
    assert choice.rows.tolist() == [7, 9, 8]
    assert choice.scores.tolist() == pytest.approx([5, 1.5, 1], abs=1e-5)


def test_coreset_without_labels_goes_on_from_a_random_row(make_pool):
    pool = make_pool(rows=40)
    points = pool.embeddings.tolist()
    firsts = set()
    for seed in range(6):
        choice = choose(make_strategy("coreset"), pool, 10, Context(np.random.default_rng(seed)))
        first = pool.rows.tolist().index(choice.rows[0])
        assert choice.rows[1:].tolist() == pool.rows[plain_k_center(points, [points[first]], 9)].tolist()
        firsts.add(first)
    assert len(firsts) > 1


def test_coreset_far_from_the_origin_is_as_exact(make_pool, make_labeled):
    shift = np.float32(1_000)
    pool, labeled = make_pool(rows=40), make_labeled()
    far = Pool(pool.rows, embeddings=pool.embeddings + shift)
    there = Labeled(labeled.rows, embeddings=labeled.embeddings + shift)
    expected = plain_k_center(far.embeddings.tolist(), there.embeddings.tolist(), 15)
    choice = choose(make_strategy("coreset"), far, 15, Context(np.random.default_rng(0), there))
    assert choice.rows.tolist() == far.rows[expected].tolist()


def plain_best_partition(points, k):
    """The assignment with the smallest sum of squared distances to cluster means, by trying all."""

    def cost(owner):
        clusters = [[p for p, o in zip(points, owner, strict=True) if o == c] for c in range(k)]
        if not all(clusters):
            return math.inf
        means = [[sum(x) / len(c) for x in zip(*c, strict=True)] for c in clusters]
        return sum(math.dist(p, means[o]) ** 2 for p, o in zip(points, owner, strict=True))

    return min(itertools.product(range(k), repeat=len(points)), key=cost)


@pytest.mark.parametrize("seed", range(5))
def test_kmeans_takes_the_row_nearest_to_each_center(seed):
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(size=(5, 2)), rng.normal(size=(4, 2)) + 40])
    owner = np.array(plain_best_partition(points.tolist(), 2))
    expected = set()
    for cluster in range(2):
        members = np.flatnonzero(owner == cluster)
        center = points[members].mean(axis=0)
        expected.add(int(min(members, key=lambda i: math.dist(points[i], center))))
    pool = Pool(np.arange(9) + 200, embeddings=points)
    choice = choose(make_strategy("kmeans"), pool, 2, Context(np.random.default_rng(seed)))
    assert set((choice.rows - 200).tolist()) == expected
    assert choice.scores.tolist() == [5, 4]


def test_kmeans_of_as_many_clusters_as_rows_takes_all(make_pool, make_context):
    pool = make_pool(rows=20)
    assert sorted(choose(make_strategy("kmeans"), pool, 20, make_context()).rows) == sorted(pool.rows)


def test_unknown_space_is_refused():
    with pytest.raises(ConfigError, match="coreset:pixels is unknown; give coreset or coreset:vectors"):
        make_strategy("coreset:pixels")
