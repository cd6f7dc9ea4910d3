"""BADGE: rows that would change the model much, each in another direction (Ash et al. 2020)."""

from dataclasses import dataclass

import numpy as np

from lit_al.strategies.diversity import Spatial
from lit_al.strategies.geometry import Matrix, plus_plus, squared_norms
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Choice, Context
from lit_al.typing import Floats


def residuals(probabilities: Floats) -> Matrix:
    """(n, C) predicted distribution less its own hard label, the gradient of the loss by the logits.

    The pseudo-label must be subtracted: without it a row that the model is sure of looks as if it changed much.

    >>> residuals(np.array([[0.75, 0.25], [0.5, 0.5]]))
    array([[-0.25,  0.25],
           [-0.5 ,  0.5 ]], dtype=float32)
    """
    gap = probabilities.astype(np.float32)  # (n, C)
    gap[np.arange(len(gap)), gap.argmax(axis=1)] -= 1
    return gap


@dataclass(frozen=True)
class BADGE(Spatial):
    """Large gradients in different directions: k-means++ over the gradients of the last layer (Ash et al. 2020).

    A row's gradient is the outer product of its residual r (C,) and its embedding h (D,). It is never formed: its
    squared length is |r|²|h|², and the product of two is (r·r')(h·h'). As in the authors' code, the first pick is the
    longest. `badge:vectors` takes text vectors for h, as if the last layer stood on them.
    """

    name = "badge"

    @property
    def needs(self) -> frozenset[str]:
        """The space, and what the model answers."""
        return super().needs | {"probabilities"}

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Seed k-means++ with the longest gradient."""
        gap = residuals(pool.probabilities)  # (n, C)
        features = self.points(pool).astype(np.float32, copy=False)  # (n, D)
        lengths = squared_norms(gap) * squared_norms(features)  # (n,)
        longest = int(context.rng.choice(np.flatnonzero(lengths == lengths.max())))

        def distances_to(i: int) -> Matrix:
            """(n,) squared distances between gradients."""
            products: Matrix = features @ features[i]
            products *= gap @ (-2 * gap[i])
            products += lengths
            products += lengths[i]
            return products

        picks, squared = plus_plus(distances_to, len(pool), n, longest, context.rng)
        squared[0] = lengths[longest]
        distance = np.sqrt(squared, dtype=np.float64)
        words = [f"gradient of length {distance[0]:.3f}, the longest"]
        words += [f"gradient at distance {d:.3f} from those chosen" for d in distance[1:]]
        return Choice(pool.rows[picks], distance, tuple(words))
