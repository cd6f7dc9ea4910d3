"""How good the newest model is, by labels that it had not learned from: random controls, or validation.

**What is estimated.** The accuracy of the newest model over the whole corpus: the share of all texts, asked and not yet
asked, that a model like it calls as the oracle does before it has learned their labels. What it says of texts that it
has learned is no news, so that those count by what was said of them before.

**What is known.** Each batch was called by the model that chose it, before any of it was learned. The controls of a
batch stand for all the pool it was drawn from, with the chance with which each was drawn; the batches before it are
known text by text. So every batch gives an estimate of the whole corpus (`_views`), in small pools too, where a
strategy leaves the easy texts to the last; those estimates are combined by their precision (active testing: Kossen et
al. 2021; the estimator R_PURE of Farquhar, Gal and Rainforth 2021, by batches).

**What is not known,** and widens the interval instead of being passed over:

- The judges were earlier models. How far they are from the newest one is measured without a label: the share of texts
  on which the two disagree bounds the difference of their accuracies. By what a judge's disagreement exceeds
  that of the nearest judge, models have drifted: the newest is better by an unknown part of it (`DRIFT`). The rest is
  chance: two models of like labels differ by some of what they disagree on (`CHANCE`). Nothing is extrapolated over
  labels, so that a network that knew nothing for long and has just learned meets a wide interval, not a wrong one.
- Texts that a strategy chose were hard for the model that chose them. Part of that is the text, part was that model
  (`HARDNESS`), but no more than models have moved where strategies choose (`SHARPER`).
- The corpus is itself a draw of texts like it: asking all of it leaves the error of a sample of its size.

The prior of each is stated below; the estimate is the best linear one under it (generalized least squares), and its
interval is Wilson's for as many independent rows as have its variance. docs/estimate.md has the coverage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np

from lit_al.loop.state import Judgment, LoopState
from lit_al.typing import Float64s
from lit_al.utils.intervals import standard_error, wilson

LEAST: Final = 10  # controls, under which nothing is said
DRIFT: Final = (0.4, 0.4)  # mean and sd of the accuracy gained by unit of disagreement beyond the nearest judge's
CHANCE: Final = 0.25  # sd of the difference of two like models, per unit of their disagreement
HARDNESS: Final = (0.7, 0.3)  # mean and sd of the part of chosen texts' hardness that was their judge's
SHARPER: Final = 2.0  # times as far are models apart on chosen texts; by more than that no judge's hardness can go away


@dataclass(frozen=True)
class Estimate:
    """A share of right answers.

    Attributes:
        accuracy: the share, by rows that the model called as the oracle did. An oracle that errs lowers it.
        rows: judged, at least one.
        independent: rows of a simple sample that would say as much.

    >>> Estimate.of([True] * 8 + [False] * 2).accuracy
    0.8
    """

    accuracy: float
    rows: int
    independent: float

    @classmethod
    def of(cls, judged: Sequence[bool]) -> Self | None:
        """By a simple sample, judged right or wrong; None where there is none."""
        return cls(sum(judged) / len(judged), len(judged), len(judged)) if judged else None

    @property
    def standard_error(self) -> float:
        """Of the share; never 0."""
        return standard_error(self.accuracy, self.independent)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval: for few rows and shares near 1 as good as for others."""
        return wilson(self.accuracy, self.independent)

    def described(self) -> dict[str, Any]:
        """As `results.json` has it."""
        low, high = self.interval
        return {"accuracy": self.accuracy, "low": low, "high": high, "rows": self.rows}


def needed(judgments: Sequence[Judgment]) -> int:
    """Random controls that are missing before anything is said."""
    return max(0, LEAST - sum(one.controls for one in judgments))


def newest(judgments: Sequence[Judgment], distances: Mapping[int, float]) -> Estimate | None:
    """The accuracy of the newest model over the whole corpus; None with fewer than `LEAST` controls.

    Args:
        judgments: of all batches, the oldest first, each by the model that chose it.
        distances: by number of a model, the share of texts on which it and the newest model disagree; a model that is
            missing is as far away as can be.

    >>> one = Judgment(model=0, pool=1_000, controls=20, right=16, others=80, others_right=50)
    >>> found = newest([one], {0: 0.05})
    >>> round(found.accuracy, 2), [round(end, 2) for end in found.interval]
    (0.8, [0.58, 0.92])
    """
    controls, right = (sum(getattr(one, name) for one in judgments) for name in ("controls", "right"))
    if controls < LEAST:
        return None
    away = np.array([distances.get(one.model, 1.0) for one in judgments])  # (B,)
    nearest = float(away.min())
    views = _views(judgments)
    drift = views.judges @ (away - nearest)  # (V,)
    hard = views.chosen @ np.minimum(_hardness(judgments), SHARPER * away)  # (V,)
    unknown = DRIFT[1] ** 2 * np.outer(drift, drift) + HARDNESS[1] ** 2 * np.outer(hard, hard)
    chance = (CHANCE * nearest) ** 2
    unknown += chance * views.judges @ views.judges.T
    shifted = views.right + DRIFT[0] * drift + HARDNESS[0] * hard
    share, spread, variance = (right + 2) / (controls + 4), 0.0, 0.0
    accuracy = right / controls
    for _ in range(3):  # the spread of a judgment depends on the accuracy
        spread = share * (1 - share)
        covariance = np.diag(views.sampling * spread + 1e-9) + unknown
        weights = np.linalg.solve(covariance, np.ones(len(shifted)))  # (V,), not yet of sum 1
        accuracy, variance = float(weights @ shifted / weights.sum()), 1 / float(weights.sum())
        accuracy = min(1.0, max(0.0, accuracy))
        share = (accuracy * controls + 2) / (controls + 4)
    variance += chance + spread / views.texts
    return Estimate(accuracy, controls, spread / variance)


class _Views(NamedTuple):
    """The corpus as each batch with controls shows it.

    Attributes:
        right: (V,) share of right calls, asked texts by what was said of them and the rest by the batch's controls.
        sampling: (V,) variance that the draw of the controls brings, in units of that of one judgment.
        judges: (V, B) share of the texts that each batch's judge speaks for.
        chosen: (V, B) share of the texts that strategies had chosen, by their judges.
        texts: N, of which all judgments and the pool that is left are made up.
    """

    right: Float64s
    sampling: Float64s
    judges: Float64s
    chosen: Float64s
    texts: float


def _views(judgments: Sequence[Judgment]) -> _Views:
    """Of all batches; the first texts, which no model has called, were drawn at random and are left out."""
    pool, controls, right, others, others_right = (
        np.array([getattr(one, name) for one in judgments], np.float64)
        for name in ("pool", "controls", "right", "others", "others_right")
    )  # (B,) each
    asked = controls + others
    known, texts = _before(asked), _before(asked) + pool  # (B,)
    drawn = np.maximum(controls, 1)
    judges, chosen = (
        np.tril(np.broadcast_to(each, (len(each), len(each))), -1) / texts[:, None] for each in (asked, others)
    )  # (B, B) each
    np.fill_diagonal(judges, pool / texts)
    views = controls > 0
    return _Views(
        ((_before(right + others_right) + pool * right / drawn) / texts)[views],
        ((pool / texts) ** 2 * (1 - np.minimum(controls / pool, 1)) / drawn)[views],
        judges[views],
        chosen[views],
        float(known[-1] + pool[-1]),
    )


def _before(values: Float64s) -> Float64s:
    """Sums of all earlier ones.

    >>> _before(np.array([1.0, 2.0, 3.0])).tolist()
    [0.0, 1.0, 3.0]
    """
    return np.cumsum(values) - values


def _hardness(judgments: Sequence[Judgment]) -> float:
    """How much less often chosen texts were called right than controls; not below 0."""
    controls, right, others, others_right = (
        sum(getattr(one, name) for one in judgments) for name in ("controls", "right", "others", "others_right")
    )
    return max(0.0, right / controls - others_right / others) if others else 0.0


@dataclass(frozen=True)
class ByValidation:
    """The newest round's estimate by validation.

    A strategy chooses texts that are harder, or of other classes, than those of the pool; so do its labels judge. Only
    the rows among them that chance asked for stand for the pool.

    Attributes:
        all: by all validation rows.
        drawn: by those of them that were drawn at random, first labels and controls; None where there are none.
    """

    all: Estimate
    drawn: Estimate | None

    @classmethod
    def of(cls, run: LoopState) -> Self | None:
        """What a run knows after a fit; None without validation."""
        if run.validated is None:
            return None
        right = run.validated.right
        whole = Estimate.of(right.tolist())
        assert whole is not None  # the loop refuses validation without a row
        return cls(whole, Estimate.of(right[np.isin(run.validated.rows, run.drawn)].tolist()))

    @property
    def chosen(self) -> int:
        """Rows that a strategy chose."""
        return self.all.rows - (self.drawn.rows if self.drawn else 0)

    def described(self) -> dict[str, Any]:
        """As `results.json` has it."""
        return {**self.all.described(), "drawn": self.drawn.described() if self.drawn else None}
