"""Strategies around strategies: each changes one thing and leaves the rest to the one inside.

In a name they follow a plus sign, the innermost first: `entropy+balanced+subsample:5000+random:0.1`.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_al.errors import ConfigError, StrategyError
from lit_al.split import Rows
from lit_al.strategies.base import Choice, Context, Strategy, top_k
from lit_al.strategies.geometry import chunks, unit
from lit_al.strategies.pool import Floats, Pool


@dataclass(frozen=True)
class Wrapper(Strategy):
    """A strategy around another: by default it does what the one inside does.

    Attributes:
        base: the strategy inside.

    Raises:
        ConfigError: random controls inside: chosen among, they would no longer be random.
    """

    base: Strategy

    def __post_init__(self) -> None:
        """Refuse controls inside."""
        if isinstance(self.base, Controls):
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

    def score(self, pool: Pool, context: Context) -> npt.NDArray[np.floating[Any]]:
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


def even_quotas(available: npt.NDArray[np.int64], n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
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


@dataclass(frozen=True)
class Diverse(Wrapper):
    """No two texts of a batch alike: of texts closer than a cosine of 0.95 only the first is taken.

    It compares text vectors, which change with the text and not with the model. The strategy inside is asked again
    until the batch is full; where nothing else is left, near-duplicates fill it.

    Attributes:
        cosine: texts at least this similar count as one.
    """

    cosine: float = 0.95

    name = "diverse"

    def __post_init__(self) -> None:
        """Refuse a cosine outside (0, 1]."""
        super().__post_init__()
        if not isinstance(self.cosine, float | int) or not 0 < self.cosine <= 1:
            raise ConfigError(f"diverse cosine {self.cosine!r} must lie above 0 and at most at 1, as in diverse:0.95")

    @property
    def needs(self) -> frozenset[str]:
        """Text vectors to compare."""
        return self.base.needs | {"vectors"}

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Choose, drop what is too similar, choose again among what is not."""
        kept: list[Choice] = []
        count = 0
        free = np.ones(len(pool), np.bool_)  # neither kept nor similar to one that is
        alike = np.zeros(len(pool), np.bool_)  # similar to one that is kept
        vectors = unit(pool.vectors)  # (n, D)
        by_row = np.argsort(pool.rows)
        while count < n and free.any():
            choice = self.ask(pool.take(free), n - count, context)
            if len(choice.rows) == 0:
                break
            where = by_row[np.searchsorted(pool.rows, choice.rows, sorter=by_row)]  # (k,) positions in the pool
            first = first_of_its_kind(vectors[where], self.cosine)
            kept.append(choice.take(first))
            count += int(first.sum())
            alike |= close_to_any(vectors, vectors[where[first]], self.cosine)
            free &= ~alike
            free[where] = False
            alike[where[first]] = False
            alike[where[~first]] = True
        if count < n and alike.any():
            rest = self.ask(pool.take(alike), n - count, context)
            kept.append(
                replace(rest, reasons=tuple(f"near-duplicate, nothing else is left: {r}" for r in rest.reasons))
            )
        return Choice.join(kept)


def first_of_its_kind(vectors: Floats, cosine: float) -> npt.NDArray[np.bool_]:
    """(k,) which of the unit rows (k, D) are not close to an earlier one that is kept.

    >>> first_of_its_kind(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 0.95)
    array([ True, False,  True])
    """
    kept = np.ones(len(vectors), np.bool_)
    for i in range(1, len(vectors)):
        kept[i] = not (vectors[:i][kept[:i]] @ vectors[i] >= cosine - 1e-6).any()
    return kept


def close_to_any(vectors: Floats, others: Floats, cosine: float) -> npt.NDArray[np.bool_]:
    """(n,) which of the unit rows (n, D) are close to one of the others (k, D)."""
    close = np.zeros(len(vectors), np.bool_)
    if len(others):
        for part in chunks(len(vectors), len(others)):
            close[part] = (vectors[part] @ others.T).max(axis=1) >= cosine - 1e-6
    return close


@dataclass(frozen=True)
class Subsample(Wrapper):
    """Score a part of the pool only: half the best by their last known score, half drawn from the rest.

    Scores of earlier rounds are used again, after Tsvigun et al. 2022, who draw the rest by rank. Where rows have no
    score of their own, or in the first round, all are drawn.

    Attributes:
        size: rows to score; a query for more raises it.
        known: the last score of each row scored so far.
    """

    size: int = 5_000
    known: dict[int, float] = field(default_factory=dict, init=False, compare=False, repr=False)

    name = "subsample"

    def __post_init__(self) -> None:
        """Refuse a size below one."""
        super().__post_init__()
        if not isinstance(self.size, int) or self.size < 1:
            raise ConfigError(f"subsample size {self.size!r} must be a whole number of rows, as in subsample:5000")

    @property
    def ranks(self) -> bool:
        """As the one inside: of the rows that are left, the highest are taken."""
        return self.base.ranks

    def candidates(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Rows to be scored, (size,) int64, in the order given."""
        rows = self.base.candidates(rows, n, rng)
        size = max(self.size, n)
        if len(rows) <= size:
            return rows
        last = np.array([self.known.get(row, -np.inf) for row in rows.tolist()])  # (n,)
        best = top_k(last, min(size // 2, int((last > -np.inf).sum())), rng)
        keep = np.zeros(len(rows), np.bool_)
        keep[best] = True
        keep[rng.choice(np.flatnonzero(~keep), size - len(best), replace=False)] = True
        return rows[keep]

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Remember the scores, choose."""
        if self.scored:
            scores = self.base.checked_score(pool, context)
            self.known.update(zip(pool.rows.tolist(), scores.tolist(), strict=True))
        return self.ask(pool, n, context)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """The scores."""
        rows = np.fromiter(self.known.keys(), np.int64)
        scores = np.fromiter(self.known.values(), np.float64)
        return {**self.base.state(), f"{self.spelling} rows": rows, f"{self.spelling} scores": scores}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Take the scores back."""
        self.base.restore(state)
        rows, scores = state[f"{self.spelling} rows"], state[f"{self.spelling} scores"]
        self.known.update(zip(rows.tolist(), scores.tolist(), strict=True))


@dataclass(frozen=True)
class Controls(Wrapper):
    """A share of the batch drawn uniformly from the whole pool and marked: it gives estimates without bias.

    The controls are drawn before anything is cut or scored, and may hit rows that the strategy would have chosen.

    Attributes:
        share: of the query, rounded, one row at least.
        drawn: the controls, from `candidates` to `select`.
    """

    share: float = 0.1
    drawn: list[Rows] = field(default_factory=list, init=False, compare=False, repr=False)

    name = "random"

    def __post_init__(self) -> None:
        """Refuse a share outside (0, 1]."""
        super().__post_init__()
        if not isinstance(self.share, float | int) or not 0 < self.share <= 1:
            raise ConfigError(f"random share {self.share!r} must lie above 0 and at most at 1, as in random:0.1")

    def count(self, n: int) -> int:
        """Controls in a query of n."""
        return min(n, max(1, round(self.share * n)))

    def candidates(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """The controls, and the candidates of the one inside among the others; in the order given."""
        n = min(n, len(rows))
        controls = rng.choice(rows, self.count(n), replace=False)
        self.drawn[:] = [controls]
        others = self.base.candidates(rows[~np.isin(rows, controls)], n - len(controls), rng)
        return rows[np.isin(rows, np.concatenate([controls, others]))]

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """The controls first, as they were drawn first."""
        controls = self.drawn.pop() if self.drawn else np.empty(0, np.int64)
        if len(controls) != self.count(n) or not np.isin(controls, pool.rows).all():  # of another query, or none drawn
            controls = context.rng.choice(pool.rows, self.count(n), replace=False)
        others = self.ask(pool.take(~np.isin(pool.rows, controls)), n - len(controls), context)
        marks = np.ones(len(controls), np.bool_)
        reasons = ("random control",) * len(controls)
        return Choice.join([Choice(controls, np.zeros(len(controls)), reasons, marks), others])
