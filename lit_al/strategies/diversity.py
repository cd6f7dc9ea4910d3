"""Diversity sampling: a batch that covers the pool, whatever the model thinks of single rows.

Core-set and k-means work on the model's embeddings, or before there is a model on text vectors: `kmeans:vectors`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lit_al.exceptions import ConfigError
from lit_al.strategies.geometry import arranged, closest_rows, farthest_first, k_means, nearest
from lit_al.strategies.pool import Labeled, Pool
from lit_al.strategies.strategy import Choice, Context, Strategy
from lit_al.typing import Floats

Space = Literal["embeddings", "vectors"]


@dataclass(frozen=True)
class Spatial(Strategy):
    """A strategy that measures distances between texts.

    Attributes:
        space: where: the model's embeddings, or vectors that need no model.

    Raises:
        ConfigError: a space that does not exist.
    """

    space: Space = "embeddings"

    def __post_init__(self) -> None:
        """Refuse an unknown space."""
        if self.space not in ("embeddings", "vectors"):
            raise ConfigError(f"{self.name}:{self.space} is unknown; give {self.name} or {self.name}:vectors")

    @property
    def needs(self) -> frozenset[str]:
        """The space."""
        return frozenset({self.space})

    def points(self, table: Pool | Labeled) -> Floats:
        """(n, D) where the rows lie."""
        points: Floats = getattr(table, self.space)
        return points


@dataclass(frozen=True)
class CoreSet(Spatial):
    """Each pick is the row farthest from all labeled or picked rows (Sener and Savarese 2018, greedy k-center).

    With nothing labeled the first pick is drawn at random.
    """

    name = "coreset"

    @property
    def needs_labeled(self) -> frozenset[str]:
        """The same space: what is covered already."""
        return self.needs

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Farthest first; each pick costs one product of the pool with it."""
        order, points = arranged(self.points(pool), context.rng)
        start = None
        if len(context.labeled):
            middle = self.points(pool).mean(axis=0, dtype=np.float64)
            start = nearest(points, (self.points(context.labeled) - middle).astype(np.float32))[1]
        picks, squared = farthest_first(points, n, start)
        distance = np.sqrt(squared, dtype=np.float64)
        words = [f"distance {d:.3f} to the nearest labeled or chosen row" for d in distance]
        return Choice(pool.rows[order[picks]], distance, tuple(words))


@dataclass(frozen=True)
class KMeans(Spatial):
    """The pool in n clusters by k-means, of each the row nearest to its center; largest cluster first."""

    name = "kmeans"

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Cluster, then take a distinct row per center."""
        order, points = arranged(self.points(pool), context.rng)
        centers, owner = k_means(points, n, context.rng)
        sizes = np.bincount(owner, minlength=n)  # (n,)
        by_size = np.argsort(-sizes, kind="stable")
        rows = pool.rows[order[closest_rows(points, centers[by_size])]]
        words = [f"nearest to the center of a cluster of {size:,} rows" for size in sizes[by_size]]
        return Choice(rows, sizes[by_size].astype(np.float64), tuple(words))
