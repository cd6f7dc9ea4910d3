"""Strategies around strategies: each changes one thing and leaves the rest to the one inside.

In a name they follow a plus sign, the innermost first: `entropy+balanced+subsample:5000+random:0.1`.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import ConfigError, StrategyError
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Choice, Context, Strategy, top_k
from lit_al.typing import Floats, Ints, Rows


@dataclass(frozen=True)
class Wrapper(Strategy):
    """A strategy around another: by default it does what the one inside does.

    Attributes:
        base: the strategy inside.
        outermost: no other wrapper may go around it.

    Raises:
        ConfigError: random controls inside: chosen among, they would no longer be random.
    """

    base: Strategy
    outermost: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse controls inside."""
        if isinstance(self.base, Wrapper) and self.base.outermost:
            raise ConfigError(
                f"{self.base.spelling}+{self.name} would choose among the random controls; put random:… last"
            )

    @property
    def needs(self) -> frozenset[str]:
        """What the one inside needs."""
        return self.base.needs

    @property
    def needs_labeled(self) -> frozenset[str]:
        """What the one inside needs."""
        return self.base.needs_labeled

    @property
    def needs_confusion(self) -> bool:
        """As the one inside."""
        return self.base.needs_confusion

    @property
    def exact(self) -> bool:
        """As the one inside."""
        return self.base.exact

    @property
    def scored(self) -> bool:
        """As the one inside."""
        return self.base.scored

    @property
    def spelling(self) -> str:
        """The one inside, a plus sign, this one."""
        return f"{self.base.spelling}+{self.name}{self._setting()}"

    def candidates(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Those of the one inside."""
        return self.base.candidates(rows, n, rng)

    def score(self, pool: Pool, context: Context) -> Floats:
        """The score of the one inside."""
        return self.base.score(pool, context)

    def describe(self, score: float) -> str:
        """In the words of the one inside."""
        return self.base.describe(score)

    def reason(self, score: float, rank: int, rows: int) -> str:
        """In the words of the one inside."""
        return self.base.reason(score, rank, rows)

    def ask(self, pool: Pool, n: int, context: Context) -> Choice:
        """The choice of the one inside, where there is something to choose."""
        n = min(n, len(pool))
        return self.base.select(pool, n, context) if n > 0 else Choice.nothing()

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """What the one inside remembers."""
        return self.base.state()

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Pass it on."""
        self.base.restore(state)


def innermost(strategy: Strategy) -> Strategy:
    """What stands inside of all wrappers."""
    while isinstance(strategy, Wrapper):
        strategy = strategy.base
    return strategy


@dataclass(frozen=True)
class Power(Wrapper):
    """Draw the batch in proportion to score to the power of beta, instead of taking the highest (Kirsch et al. 2023).

    The highest k of log score + Gumbel noise / beta are such a draw without replacement.

    Attributes:
        beta: 0 draws at random, a large one takes the highest.
    """

    beta: float = 1.0

    name = "power"

    def __post_init__(self) -> None:
        """Refuse a strategy that does not rank by its score, and an exponent below 0."""
        super().__post_init__()
        if not self.base.ranks:
            raise ConfigError(f"power needs a strategy that ranks rows by a score, which {self.base.spelling} does not")
        if not isinstance(self.beta, float | int) or not self.beta >= 0:
            raise ConfigError(f"power beta {self.beta!r} must be 0 or more, as in power:1")

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Add noise to the log score and take the highest; the choice shows the score itself."""
        scores = self.base.checked_score(pool, context)  # (n,)
        if (scores < 0).any():
            raise StrategyError(f"{self.spelling} draws by score but row {pool.rows[scores < 0][0]} has one below 0")
        logs = np.log(np.maximum(scores, np.finfo(np.float64).tiny))  # a score of 0 comes last, yet can come
        best = top_k(self.beta * logs + context.rng.gumbel(size=len(pool)), n, context.rng)
        words = tuple(f"drawn in proportion to the score, {self.describe(score)}" for score in scores[best])
        return Choice(pool.rows[best], scores[best], words)


@dataclass(frozen=True)
class Balanced(Wrapper):
    """As many rows of each predicted class as the pool has, the strategy inside choosing within each class.

    It keeps a poor model from filling the batch with one class.
    """

    name = "balanced"

    @property
    def needs(self) -> frozenset[str]:
        """Probabilities, to predict classes."""
        return self.base.needs | {"probabilities"}

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Share the query evenly, then let the classes take turns, so that any beginning of the batch is even too."""
        classes = pool.probabilities.shape[1]
        predicted = pool.probabilities.argmax(axis=1)  # (n,)
        quotas = even_quotas(np.bincount(predicted, minlength=classes), n, context.rng)
        parts = []
        for label, quota in enumerate(quotas):
            part = self.ask(pool.take(predicted == label), int(quota), context)
            parts.append(replace(part, reasons=tuple(f"predicted class {label}: {why}" for why in part.reasons)))
        turn = np.concatenate([np.arange(len(part.rows)) for part in parts])
        return Choice.join(parts).take(np.argsort(turn, kind="stable"))


def even_quotas(available: Ints, n: int, rng: np.random.Generator) -> Ints:
    """(C,) rows to take of each class: even, but no more than there are; who gets the odd ones is drawn.

    >>> even_quotas(np.array([2, 50, 50]), 12, np.random.default_rng(0))
    array([2, 5, 5])
    """
    quotas = np.zeros_like(available)
    left = min(n, int(available.sum()))
    while left > 0:
        open_ = np.flatnonzero(quotas < available)
        share = left // len(open_)
        if share == 0:
            quotas[rng.choice(open_, left, replace=False)] += 1
            break
        given = np.minimum(share, available[open_] - quotas[open_])
        quotas[open_] += given
        left -= int(given.sum())
    return quotas
