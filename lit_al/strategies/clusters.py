"""Strategies that cluster first and then choose within the clusters: typicality and cluster-margin."""

from dataclasses import dataclass

import numpy as np

from lit_al.strategies.diversity import Covering
from lit_al.strategies.geometry import Matrix, arranged, chunks, k_means, squared_distances
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Choice, Context, Scores, Strategy, top_k
from lit_al.strategies.uncertainty import Margin
from lit_al.typing import Ints

MOST_CLUSTERS = 500  # of typicality, as in the paper
SMALLEST = 5  # rows in a cluster, below which typicality means little; as in the paper
NEIGHBORS = 20  # as in the paper
REFERENCES = 2_000  # rows of a cluster that stand for it where it has more
OVERSAMPLING = 10  # rows of small margin per row wanted, as in the paper


def typicality(points: Matrix, rng: np.random.Generator) -> Scores:
    """(m,) typicality of the points (m, D) of one cluster: 1 / mean distance to the 20 nearest (half, where fewer).

    Copies of one text have no distance; it counts as 1e-6.

    >>> typicality(np.array([[0.0], [1.0], [3.0]], np.float32), np.random.default_rng(0))
    array([1. , 1. , 0.5])
    """
    others = points
    if len(points) > REFERENCES:
        others = points[rng.choice(len(points), REFERENCES, replace=False)]
    k = max(1, min(NEIGHBORS, len(points) // 2))
    typical = np.empty(len(points))
    for part in chunks(len(points), len(others)):
        block = np.sqrt(squared_distances(points[part], others))  # (chunk, m)
        closest = np.partition(block, min(k, len(others) - 1), axis=1)[:, : k + 1]  # the first is the point itself
        typical[part] = 1 / np.maximum(closest.sum(axis=1, dtype=np.float64) / k, 1e-6)
    return typical


@dataclass(frozen=True)
class Typicality(Covering):
    """The most typical rows of the largest clusters that hold no label yet (TypiClust, Hacohen et al. 2022).

    Made for the cold start: `typicality:vectors` needs neither a model nor a label.
    """

    name = "typicality"

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Cluster labeled and unlabeled rows together; serve the least covered cluster first, then the larger."""
        order, points = arranged(self.points(pool), context.rng)
        covered = self.covered(pool, context)
        k = min(len(covered) + n, MOST_CLUSTERS, len(points))
        _, owner = k_means(np.concatenate([points, covered]) if len(covered) else points, k, context.rng)
        labels = np.bincount(owner[len(points) :], minlength=k)  # (k,) labeled rows in each cluster
        queue = _queues(points, owner[: len(points)], k, context.rng)
        picks, scores, words = [], [], []
        served = labels.astype(np.int64)  # (k,) labeled or picked
        left = np.array([len(members) for members, _ in queue])  # (k,)
        sizes = left.copy()
        for _ in range(n):
            cluster = _next_cluster(served, left, sizes)
            members, typical = queue[cluster]
            place = sizes[cluster] - left[cluster]
            picks.append(members[place])
            scores.append(typical[place])
            words.append(
                f"typicality {typical[place]:.3g} in a cluster of {sizes[cluster]:,} with {served[cluster]} taken"
            )
            served[cluster] += 1
            left[cluster] -= 1
        return Choice(pool.rows[order[np.array(picks)]], np.array(scores), tuple(words))


def _queues(points: Matrix, owner: Ints, k: int, rng: np.random.Generator) -> list[tuple[Ints, Scores]]:
    """The positions of each cluster, most typical first, and their typicality."""
    queues = []
    by_cluster = np.argsort(owner, kind="stable")
    for members in np.split(by_cluster, np.cumsum(np.bincount(owner, minlength=k))[:-1]):
        typical = typicality(points[members], rng) if len(members) else np.empty(0)
        best = np.argsort(-typical, kind="stable")
        queues.append((members[best], typical[best]))
    return queues


def _next_cluster(served: Ints, left: Ints, sizes: Ints) -> int:
    """The cluster with rows left that is large enough, least served, then largest."""
    return int(np.lexsort((-sizes, served, sizes < SMALLEST, left == 0))[0])


@dataclass(frozen=True)
class ClusterMargin(Strategy):
    """Small margins spread over clusters, small clusters first (Citovsky et al. 2021).

    The 10 n rows of smallest margin are clustered and the clusters take turns, smallest first, each giving a row drawn
    at random. The paper clusters by average linkage, whose time and memory grow with the square of the rows; here it is
    k-means into √(10 n) clusters.
    """

    name = "cluster-margin"
    needs = frozenset({"probabilities", "embeddings"})

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Cut to the smallest margins, cluster, go round."""
        margin = Margin()
        scores = margin.score(pool, context)
        close = top_k(scores, OVERSAMPLING * n, context.rng)
        order, points = arranged(pool.embeddings[close], context.rng)
        _, owner = k_means(points, int(np.ceil(np.sqrt(len(close)))), context.rng)
        sizes = np.bincount(owner)  # (k,)
        turns = _round_robin(owner, sizes)[:n]
        picks = close[order[turns]]
        words = [
            f"{margin.describe(scores[i])}, in a cluster of {size:,} close calls"
            for i, size in zip(picks, sizes[owner[turns]], strict=True)
        ]
        return Choice(pool.rows[picks], scores[picks], tuple(words))


def _round_robin(owner: Ints, sizes: Ints) -> Ints:
    """(n,) positions, cluster by cluster in turn, smallest first; within a cluster as they stand, which is shuffled.

    >>> _round_robin(np.array([0, 1, 0, 0, 1]), np.array([3, 2]))
    array([1, 0, 4, 2, 3])
    """
    by_cluster = np.argsort(owner, kind="stable")
    starts = np.cumsum(sizes) - sizes
    turn = np.empty(len(owner), np.int64)
    turn[by_cluster] = np.arange(len(owner)) - np.repeat(starts, sizes)  # a row's place within its cluster
    return np.lexsort((owner, sizes[owner], turn))
