"""Wrappers that draw from the pool: a part of it to be scored, and controls that give unbiased estimates."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import ConfigError
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Choice, Context, top_k
from lit_al.strategies.wrappers import Wrapper
from lit_al.typing import Rows


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
    outermost = True

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
        """The controls first, as they were drawn first; one that has left the pool since is not replaced.

        What is in the pool by now may have been cut by score, and a control drawn from that would not be uniform.
        """
        drawn = self.drawn.pop() if self.drawn else np.empty(0, np.int64)
        controls = drawn[np.isin(drawn, pool.rows)][: self.count(n)]
        if len(controls) == 0:  # none drawn ahead, or for another pool
            controls = context.rng.choice(pool.rows, self.count(n), replace=False)
        others = self.ask(pool.take(~np.isin(pool.rows, controls)), n - len(controls), context)
        marks = np.ones(len(controls), np.bool_)
        reasons = ("random control",) * len(controls)
        return Choice.join([Choice(controls, np.zeros(len(controls)), reasons, marks), others])
