"""Strategies that look at a row's surroundings: information density, and contrast with the labeled neighbors."""

from dataclasses import dataclass

import numpy as np

from lit_al.exceptions import ConfigError, StrategyError
from lit_al.strategies.geometry import neighbors, unit
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Context, Scores, Strategy
from lit_al.strategies.uncertainty import entropy
from lit_al.typing import Floats

SMALLEST = 1e-12  # a probability counts as this much at least, so that no divergence is infinite


def similarity_to_all(vectors: Floats) -> Scores:
    """(n,) mean cosine similarity of each row (n, D) to all rows, itself included.

    The mean of the products is the product with the mean, so it costs n·D and not n²·D.

    >>> similarity_to_all(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])).round(3)
    array([0.667, 0.333, 0.667])
    """
    directions = unit(vectors)  # (n, D)
    similarity: Scores = (directions @ directions.mean(axis=0)).astype(np.float64)
    return similarity


@dataclass(frozen=True)
class Density(Strategy):
    """Uncertain rows that resemble many others: entropy × mean similarity (Settles and Craven 2008).

    Similarity is the cosine of text vectors, moved from [-1, 1] to [0, 1] so that the product keeps its meaning.

    Attributes:
        weight: exponent of the similarity; 0 leaves the entropy alone.

    Raises:
        ConfigError: a negative weight.
    """

    weight: float = 1.0

    name = "density"
    needs = frozenset({"probabilities", "vectors"})
    wording = "entropy times similarity {:.3f}"

    def __post_init__(self) -> None:
        """Refuse an exponent below 0."""
        if not isinstance(self.weight, float | int) or not self.weight >= 0:
            raise ConfigError(f"density weight {self.weight!r} must be 0 or more, as in density:1")

    def score(self, pool: Pool, context: Context) -> Scores:
        """Information density in nats."""
        return entropy(pool.probabilities) * ((1 + similarity_to_all(pool.vectors)) / 2) ** self.weight


@dataclass(frozen=True)
class Contrastive(Strategy):
    """Rows whose labeled neighbors are predicted otherwise (CAL, Margatina et al. 2021).

    Neighbors come from the labeled set only, as in the paper: a row is its own nearest neighbor in the pool.

    Attributes:
        neighbors: labeled rows to compare with.

    Raises:
        ConfigError: no neighbor.
    """

    neighbors: int = 10

    name = "contrastive"
    needs = frozenset({"probabilities", "embeddings"})
    needs_labeled = frozenset({"probabilities", "embeddings"})
    wording = "labeled neighbors predicted {:.3f} nats apart"

    def __post_init__(self) -> None:
        """Refuse to compare with nobody."""
        if not isinstance(self.neighbors, int) or self.neighbors < 1:
            raise ConfigError(f"contrastive neighbors {self.neighbors!r} must be a whole number, as in contrastive:10")

    def score(self, pool: Pool, context: Context) -> Scores:
        """Mean KL divergence in nats of the neighbors' predictions from the row's own."""
        labeled = context.labeled
        if not len(labeled):
            raise StrategyError("contrastive compares with labeled rows but there are none; start with random")
        k = min(self.neighbors, len(labeled))
        near = neighbors(pool.embeddings.astype(np.float32), labeled.embeddings.astype(np.float32), k)  # (n, k)
        own = np.log(np.maximum(pool.probabilities, SMALLEST, dtype=np.float64))  # (n, C)
        theirs = np.maximum(labeled.probabilities, SMALLEST, dtype=np.float64)  # (L, C)
        selves = (theirs * np.log(theirs)).sum(axis=1)  # (L,)
        total = np.zeros(len(pool))
        for neighbor in near.T:  # (n,): one neighbor of every row at a time, so that memory does not grow with k
            total += selves[neighbor] - np.einsum("ij,ij->i", theirs[neighbor], own)
        return np.maximum(total / k, 0)
