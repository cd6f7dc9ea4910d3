"""Diversity sampling: a batch that covers the pool, whatever the model thinks of single rows.

Core-set and k-means work on the model's embeddings, or before there is a model on text vectors: `kmeans:vectors`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lit_al.exceptions import ConfigError
from lit_al.strategies.geometry import Matrix, arranged, closest_rows, farthest_first, k_means, nearest
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
class Covering(Spatial):
    """A spatial strategy that looks at what the labeled rows cover already."""

    @property
    def needs_labeled(self) -> frozenset[str]:
        """The same space."""
        return self.needs

    def covered(self, pool: Pool, context: Context) -> Matrix:
        """(L, D) labeled rows, centered like the pool."""
        if not len(context.labeled):
            return np.empty((0, self.points(pool).shape[1]), np.float32)
        middle = self.points(pool).mean(axis=0, dtype=np.float64)
        return np.asarray(self.points(context.labeled) - middle, dtype=np.float32)


@dataclass(frozen=True)
class CoreSet(Covering):
    """Each pick is the row farthest from all labeled or picked rows (Sener and Savarese 2018, greedy k-center).

    With nothing labeled the first pick is drawn at random.
    """

    name = "coreset"

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Farthest first; each pick costs one product of the pool with it."""
        order, points = arranged(self.points(pool), context.rng)
        covered = self.covered(pool, context)
        picks, squared = farthest_first(points, n, nearest(points, covered)[1] if len(covered) else None)
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
