import math

import numpy as np
import pytest

from lit_al.strategies import Context, Labeled, Pool, choose, make_strategy
from lit_al.strategies.clusters import _round_robin, typicality


def plain_typicality(points, k):
    scores = []
    for i, point in enumerate(points):
        distances = sorted(math.dist(point, other) for j, other in enumerate(points) if j != i)
        scores.append(1 / (sum(distances[:k]) / k))
    return scores


@pytest.mark.parametrize(("rows", "k"), [(6, 3), (60, 20)])
def test_typicality_is_one_over_the_mean_distance_to_the_nearest(rows, k):
    points = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    expected = plain_typicality(points.tolist(), k)
    assert typicality(points, np.random.default_rng(0)).tolist() == pytest.approx(expected, rel=1e-3)


def blobs(sizes, seed=0):
    """Separated groups of points, group g around 100 g."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(size, 2)) + 100 * g for g, size in enumerate(sizes)])


def test_most_typical_rows_of_the_largest_uncovered_clusters_come_first():
    sizes = (30, 20, 25, 10)
    points = blobs(sizes)
    group = np.repeat(np.arange(4), sizes)
    labeled = Labeled(np.array([0]), embeddings=np.array([[0.5, 0.5]]))  # covers the largest
    pool = Pool(np.arange(85) + 300, embeddings=points)
    choice = choose(make_strategy("typicality"), pool, 3, Context(np.random.default_rng(0), labeled))
    expected = []
    for g in (2, 1, 3):
        members = np.flatnonzero(group == g)
        typical = plain_typicality(points[members].tolist(), min(20, len(members) // 2))
        expected.append(300 + int(members[np.argmax(typical)]))
    assert choice.rows.tolist() == expected


def test_small_clusters_are_left_until_nothing_else_is():
    points = blobs((30, 3, 20))
    pool = Pool(np.arange(53), embeddings=points)
    assert not set(choose(make_strategy("typicality"), pool, 3, Context(np.random.default_rng(0))).rows) & {30, 31, 32}
    assert len(choose(make_strategy("typicality"), pool, 53, Context(np.random.default_rng(0))).rows) == 53


def test_round_robin_serves_small_clusters_first():
    owner = np.random.default_rng(0).integers(4, size=30)
    queues = {c: [i for i, o in enumerate(owner) if o == c] for c in range(4)}
    order = sorted(queues, key=lambda c: (len(queues[c]), c))
    expected = []
    while any(queues.values()):
        expected += [queues[c].pop(0) for c in order if queues[c]]
    assert _round_robin(owner, np.bincount(owner)).tolist() == expected


def test_cluster_margin_takes_close_calls_from_every_cluster():
    sizes = (46, 2, 2)
    group = np.repeat(np.arange(3), sizes)
    sure = np.tile([0.99, 0.01], (200, 1))
    unsure = np.tile([0.52, 0.48], (50, 1))
    points = np.concatenate([blobs(sizes), np.random.default_rng(1).normal(size=(200, 2)) * 50])
    pool = Pool(np.arange(250), probabilities=np.concatenate([unsure, sure]), embeddings=points)
    choice = choose(make_strategy("cluster-margin"), pool, 5, Context(np.random.default_rng(0)))
    assert (choice.rows < 50).all()  # ten times five close calls, and nothing else
    assert {1, 2} <= set(group[choice.rows].tolist())  # four of fifty rows


def test_cluster_margin_goes_round_the_clusters_of_the_smallest_margins(monkeypatch, make_pool, make_context):
    """With the clusters given, the rest of the method in the plainest form."""
    pool = make_pool(rows=100, classes=2)
    side = pool.embeddings[:, 0] > pool.embeddings[:, 0].mean() + 0.5  # two clusters of different size

    def halves(points, k, rng):
        return points[:2], (points[:, 0] > 0.5 + 1e-6).astype(np.int64)

    monkeypatch.setattr("lit_al.strategies.clusters.k_means", halves)
    choice = choose(make_strategy("cluster-margin"), pool, 10, make_context(classes=2))
    assert side[np.isin(pool.rows, choice.rows)].sum() == 5  # ten turns: five each
    small_first = [bool(side[pool.rows.tolist().index(row)]) for row in choice.rows.tolist()]
    assert small_first == [True, False] * 5
    few = choose(make_strategy("cluster-margin"), pool, 2, make_context(classes=2))
    close = sorted(range(100), key=lambda i: abs(float(pool.probabilities[i, 0]) - 0.5))[:20]
    assert set(few.rows.tolist()) <= set(pool.rows[close].tolist())
