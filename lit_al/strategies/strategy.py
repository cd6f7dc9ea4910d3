"""What every strategy is: something that, given the pool, says which n rows to label next.

Most strategies give each row a score and take the highest; they define `score` and no more. A strategy that looks at
the batch as a whole defines `select`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import StrategyError
from lit_al.metrics import Confusion
from lit_al.strategies.pool import Index, Labeled, Pool
from lit_al.typing import Float64s, Floats, Ints, Mask, Rows

Scores = Float64s


@dataclass(frozen=True)
class Context:
    """What else a strategy may use.

    Attributes:
        rng: the one source of chance: breaks ties, draws samples.
        labeled: the rows labeled so far, with the arrays named in `needs_labeled`.
        confusion: the model's errors, for strategies with `needs_confusion`; None for all others.
    """

    rng: np.random.Generator
    labeled: Labeled = field(default_factory=Labeled.none)
    confusion: Confusion | None = None


@dataclass(frozen=True)
class Choice:
    """What a strategy chose.

    Attributes:
        rows: (k,) int64 global row ids, the first choice first.
        scores: (k,) float64, higher is more wanted; 0 where the method prefers no row to another. Never NaN.
        reasons: k sentences, why each row was chosen.
        controls: (k,) bool, rows drawn uniformly from the whole pool, whatever the strategy thinks of them.
        shares: (C,) wanted share of each class, where the strategy has one.
        short: the pool could not fill the query.
    """

    rows: Rows
    scores: Scores
    reasons: tuple[str, ...]
    controls: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    shares: tuple[float, ...] = ()
    short: bool = False

    def __post_init__(self) -> None:
        """Where nobody speaks of controls, there are none."""
        if len(self.controls) == 0:
            object.__setattr__(self, "controls", np.zeros(len(self.rows), np.bool_))

    @classmethod
    def nothing(cls) -> "Choice":
        """No row."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float64), ())

    def take(self, index: Index) -> "Choice":
        """The choices at these positions, (m,) int64, or under this mask, (k,) bool."""
        reasons = tuple(self.reasons[i] for i in np.arange(len(self.rows))[index])
        return replace(
            self, rows=self.rows[index], scores=self.scores[index], reasons=reasons, controls=self.controls[index]
        )

    @classmethod
    def join(cls, parts: "Sequence[Choice]") -> "Choice":
        """One choice after another; the class shares are those of the first that has some."""
        parts = [part for part in parts if len(part.rows)] or [cls.nothing()]
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.scores for part in parts]),
            tuple(reason for part in parts for reason in part.reasons),
            np.concatenate([part.controls for part in parts]),
            next((part.shares for part in parts if part.shares), ()),
            any(part.short for part in parts),
        )


def top_k(scores: Scores, k: int, rng: np.random.Generator) -> Ints:
    """(k,) positions of the highest scores, best first; equal scores in an order drawn from `rng`.

    >>> top_k(np.array([0.1, 0.7, 0.3]), 2, np.random.default_rng(0))
    array([1, 2])
    """
    return np.lexsort((rng.random(len(scores)), -scores))[:k]


class Strategy:
    """A way to choose what to label. Subclasses define `score`, or `select` if they look at the batch as a whole.

    The first line of the docstring is what `--list-strategies` prints.

    Attributes:
        name: what `--strategy` takes.
        wording: a score in words, as `str.format` takes it; "" for the name and the score.
    """

    name: ClassVar[str]
    wording: ClassVar[str] = ""

    @property
    def needs(self) -> frozenset[str]:
        """Arrays of the pool to be computed for it; it sees no others."""
        return frozenset()

    @property
    def needs_labeled(self) -> frozenset[str]:
        """Arrays of the labeled rows to be computed for it."""
        return frozenset()

    @property
    def needs_confusion(self) -> bool:
        """Does it follow the model's errors on a steering set?"""
        return False

    @property
    def exact(self) -> bool:
        """Does it fill every query that the pool can fill?"""
        return True

    @property
    def scored(self) -> bool:
        """Has every row a score of its own?"""
        return type(self).score is not Strategy.score

    @property
    def ranks(self) -> bool:
        """Is the choice nothing but the highest scores?"""
        return self.scored and type(self).select is Strategy.select

    @property
    def spelling(self) -> str:
        """The text from which `make_strategy` makes this strategy again."""
        return self.name + self._setting()

    def _setting(self) -> str:
        """The first field after a colon, where it is not the default."""
        settings: list[Any] = [f for f in fields(self) if f.init and f.name != "base"] if is_dataclass(self) else []
        if not settings or getattr(self, settings[0].name) == settings[0].default:
            return ""
        value = getattr(self, settings[0].name)
        return f":{value:g}" if isinstance(value, float) else f":{value}"

    @classmethod
    def from_setting(cls, setting: str, *base: "Strategy") -> Self:
        """The strategy of a name with its setting: the text after the colon, or ""; a wrapper gets its base."""
        settings = [_value(setting)] if setting else []
        kind: Any = cls  # the subclasses name their settings
        made: Self = kind(*base, *settings)
        return made

    def candidates(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """The rows worth scoring for a query of n, in the order given: all of them, unless a wrapper cuts."""
        return rows

    def score(self, pool: Pool, context: Context) -> Floats:
        """(n,) how much each row of the pool is wanted, higher is more."""
        raise StrategyError(f"{self.name} chooses a batch as a whole and gives single rows no score")

    def describe(self, score: float) -> str:
        """A score in words."""
        return self.wording.format(score) if self.wording else f"{self.name} {score:.4g}"

    def reason(self, score: float, rank: int, rows: int) -> str:
        """Why a row with this score and rank among so many rows was chosen."""
        return f"{self.describe(score)}, rank {rank} of {rows:,}"

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Choose n rows of the pool, 1 <= n <= len(pool); callers use `choose`, which checks both sides."""
        return self.highest(pool, self.checked_score(pool, context), n, context.rng)

    def highest(self, pool: Pool, scores: Scores, n: int, rng: np.random.Generator) -> Choice:
        """The n rows with the highest scores, (n,) float64, with their rank as the reason."""
        best = top_k(scores, n, rng)
        words = [self.reason(score, rank, len(pool)) for rank, score in enumerate(scores[best], 1)]
        return Choice(pool.rows[best], scores[best], tuple(words))

    def checked_score(self, pool: Pool, context: Context) -> Scores:
        """`score` as (n,) float64.

        Raises:
            StrategyError: another shape, or NaN.
        """
        scores = np.asarray(self.score(pool, context), dtype=np.float64)
        if scores.shape != (len(pool),):
            raise StrategyError(
                f"{self.name} gave scores of shape {scores.shape} for {len(pool):,} rows; give one per row"
            )
        if np.isnan(scores).any():
            raise StrategyError(f"{self.name} scored row {pool.rows[np.isnan(scores)][0]} NaN; give every row a number")
        return scores

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """What it remembers from round to round, to be saved with the run; empty for almost all."""
        return {}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from a saved `state`."""


def _value(text: str) -> int | float | str:
    """A setting as a number where it is one.

    >>> _value("5000"), _value("0.5"), _value("vectors")
    (5000, 0.5, 'vectors')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
