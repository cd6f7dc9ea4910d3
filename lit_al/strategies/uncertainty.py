"""Random choice, the baseline of every comparison, and uncertainty sampling: ask where the model hesitates.

With two classes the three measures of uncertainty order the pool alike, since all fall as the likelier class rises.
"""

from dataclasses import dataclass

import numpy as np

from lit_al.exceptions import ConfigError
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Context, Scores, Strategy
from lit_al.typing import Floats


def entropy(distributions: Floats) -> Scores:
    """Entropy in nats along the last axis; 0 log 0 is 0.

    >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3)
    array([0.693, 0.   ])
    """
    p = distributions.astype(np.float64)
    terms = p * np.log(p, out=np.zeros_like(p), where=p > 0)
    return np.asarray(0 - terms.sum(axis=-1), dtype=np.float64)


@dataclass(frozen=True)
class RandomSampling(Strategy):
    """Every row is as likely as any other: the baseline, and a fair cold start."""

    name = "random"

    def score(self, pool: Pool, context: Context) -> Scores:
        """No row is preferred; the tie is broken by chance."""
        return np.zeros(len(pool))

    def reason(self, score: float, rank: int, rows: int) -> str:
        """There is no rank."""
        return "drawn at random"


@dataclass(frozen=True)
class LeastConfidence(Strategy):
    """The likeliest class is least likely (Lewis and Gale 1994)."""

    name = "least-confidence"
    needs = frozenset({"probabilities"})

    def score(self, pool: Pool, context: Context) -> Scores:
        """1 - the probability of the likeliest class."""
        return 1 - np.asarray(pool.probabilities.max(axis=1), dtype=np.float64)

    def describe(self, score: float) -> str:
        """The confidence."""
        return f"likeliest class at {1 - score:.3f}"


@dataclass(frozen=True)
class Margin(Strategy):
    """The two likeliest classes are closest (Scheffer et al. 2001), also called breaking ties."""

    name = "margin"
    needs = frozenset({"probabilities"})

    def score(self, pool: Pool, context: Context) -> Scores:
        """1 - the margin between the two likeliest classes."""
        top = np.partition(pool.probabilities.astype(np.float64), -2, axis=1)[:, -2:]  # (n, 2) second, first
        return 1 - (top[:, 1] - top[:, 0])

    def describe(self, score: float) -> str:
        """The margin."""
        return f"margin {1 - score:.3f} between the two likeliest classes"


@dataclass(frozen=True)
class Entropy(Strategy):
    """The predicted distribution has the highest entropy (Settles 2010); entropy:0.5 takes any row above 0.5 nats.

    With a threshold, rows above it are wanted equally and chance decides between them: "samples above a threshold", as
    the Keras page words it. Where too few lie above, the highest below follow.

    Raises:
        ConfigError: a threshold that is not above 0.
    """

    threshold: float | None = None

    name = "entropy"
    needs = frozenset({"probabilities"})

    def __post_init__(self) -> None:
        """Refuse a threshold that no entropy can miss."""
        if self.threshold is not None and not (isinstance(self.threshold, float | int) and self.threshold > 0):
            raise ConfigError(
                f"entropy threshold {self.threshold!r} must be a number of nats above 0, as in entropy:0.5"
            )

    def score(self, pool: Pool, context: Context) -> Scores:
        """The entropy in nats, cut off at the threshold."""
        return np.minimum(entropy(pool.probabilities), np.inf if self.threshold is None else self.threshold)

    def describe(self, score: float) -> str:
        """The entropy."""
        above = self.threshold is not None and score >= self.threshold
        return f"entropy above {score:g} nats" if above else f"entropy {score:.3f} nats"
