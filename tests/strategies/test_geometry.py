import tracemalloc

import numpy as np
import pytest

from lit_al.metrics import Confusion
from lit_al.strategies import STRATEGIES, Context, Labeled, Pool, choose, geometry, make_strategy


def cloud(rows, features=4, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, features)).astype(np.float32)


def plain_distances(points, others):
    return np.linalg.norm(points[:, None].astype(float) - others[None], axis=2)


@pytest.fixture(params=[7, 4_000_000])
def chunk(request, monkeypatch):
    """Blocks of one row, and one block for all."""
    monkeypatch.setattr(geometry, "CHUNK", request.param)


@pytest.mark.usefixtures("chunk")
def test_nearest_is_that_of_all_distances():
    points, centers = cloud(50), cloud(6, seed=1)
    owner, squared = geometry.nearest(points, centers)
    distances = plain_distances(points, centers)
    assert owner.tolist() == distances.argmin(axis=1).tolist()
    assert np.sqrt(squared).tolist() == pytest.approx(distances.min(axis=1).tolist(), rel=1e-4)


@pytest.mark.usefixtures("chunk")
def test_neighbors_are_those_of_all_distances():
    points, others = cloud(50), cloud(20, seed=1)
    expected = np.argsort(plain_distances(points, others), axis=1)[:, :5]
    assert np.sort(geometry.neighbors(points, others, 5)).tolist() == np.sort(expected).tolist()


@pytest.mark.usefixtures("chunk")
def test_closest_rows_are_distinct_and_nearest_in_turn():
    points, centers = cloud(30), cloud(12, seed=1) * 0.1  # crowded: many share a nearest row
    distances, taken = plain_distances(points, centers), []
    for i in range(12):
        taken.append(min((row for row in range(30) if row not in taken), key=lambda row: distances[row, i]))
    assert geometry.closest_rows(points, centers).tolist() == taken


def test_plus_plus_draws_in_proportion_to_the_squared_distance():
    points = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32)
    rng, counts = np.random.default_rng(0), np.zeros(4)
    for _ in range(3_000):
        picks, _ = geometry.plus_plus(lambda i: ((points - points[i]) ** 2)[:, 0], 4, 2, 0, rng)
        counts[picks[1]] += 1
    assert (counts / 3_000).tolist() == pytest.approx([0, 1 / 14, 4 / 14, 9 / 14], abs=0.03)


def test_k_means_finds_separated_groups_and_their_means():
    points = np.concatenate([cloud(40, seed=g) + 50 * g for g in range(4)])
    centers, owner = geometry.k_means(points, 4, np.random.default_rng(0))
    assert len({tuple(owner[40 * g : 40 * g + 40]) for g in range(4)}) == 4
    for g in range(4):
        group = points[40 * g : 40 * g + 40]
        assert centers[owner[40 * g]].tolist() == pytest.approx(group.mean(axis=0).tolist(), abs=1e-4)


def test_k_means_on_a_sample_covers_as_well_as_on_all(monkeypatch):
    points = np.concatenate([cloud(300, seed=g) + 20 * g for g in range(8)])

    def loss(seeds):
        monkeypatch.setattr(geometry, "SEEDS", seeds)
        centers, _ = geometry.k_means(points, 16, np.random.default_rng(0))
        return geometry.nearest(points, centers)[1].mean()

    assert loss(20) < 1.1 * loss(1_000)


def test_empty_clusters_keep_their_center():
    points, centers = np.zeros((3, 2), np.float32), np.array([[0.0, 0.0], [9.0, 9.0]], np.float32)
    assert geometry._means(points, np.zeros(3, np.int64), centers).tolist() == [[0, 0], [9, 9]]


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_memory_does_not_grow_with_the_square_of_the_pool(name):
    n, rng = 20_000, np.random.default_rng(0)

    def probabilities(*shape):
        first = rng.uniform(0.4, 0.6, shape).astype(np.float32)
        return np.stack([first, 1 - first], axis=-1)

    pool = Pool(
        np.arange(n),
        probabilities=probabilities(n),
        draws=probabilities(4, n),
        committee=probabilities(4, n),
        embeddings=cloud(n, 16),
        vectors=cloud(n, 16),
        classes=rng.integers(2, size=n),
    )
    labeled = Labeled(n + np.arange(200), probabilities=probabilities(200), embeddings=cloud(200, 16))
    context = Context(rng, labeled, Confusion(np.array([[30, 10], [10, 30]])))
    tracemalloc.start()
    choose(make_strategy(name), pool, 20, context)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6  # one number per pair of rows would be 1,600 MB
