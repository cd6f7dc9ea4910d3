"""From a few seeds to what they show: bootstrap intervals and the signed-rank test.

A seed is the unit: the budgets of one seed hang together, and are drawn together. Nothing here takes the rows of a
test set for independent experiments.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np

from lit_al.typing import Float64s

RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """An estimate and where the truth lies with 95 % confidence; without bounds where one seed is all there is."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Is the sign settled?"""
        return self.low > 0 or self.high < 0


@lru_cache(maxsize=4)
def draw_seeds(seeds: int, resamples: int = RESAMPLES, seed: int = 0) -> Float64s:
    """(R, S) shares: what each seed weighs in each resample, drawn with replacement; rows add up to 1."""
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds  # (R, S)
    weights.flags.writeable = False  # every interval over as many seeds shares them
    return weights


def bounds(draws: Float64s, seeds: int, level: float = 0.95) -> Float64s:
    """(2, ...) lower and upper bound from resampled estimates, by expanded percentiles (Hesterberg 2015).

    Plain percentiles are too narrow for few seeds, as if the spread were known: 10 seeds would cover 90 % where 95 %
    is claimed. The tails are moved out by what Student's t asks for.

    Args:
        draws: (R, ...) estimate of each resample; infinities are kept as they are.
        seeds: S, that were resampled.
        level: of confidence.
    """
    if seeds < 2:
        return np.stack([np.full(draws.shape[1:], -np.inf), np.full(draws.shape[1:], np.inf)])
    from scipy import stats

    tail = float(stats.norm.cdf(np.sqrt(seeds / (seeds - 1)) * stats.t.ppf((1 - level) / 2, seeds - 1)))
    low = np.quantile(draws, tail, axis=0, method="inverted_cdf")  # no mixing of two draws: one may be infinite
    high = np.quantile(draws, 1 - tail, axis=0, method="inverted_cdf")
    return np.stack([low, high])


def bootstrap(values: Float64s, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Mean over seeds with its 95 % interval.

    Args:
        values: (S,) one value per seed, no gaps.
        resamples: R.
        seed: of the resampling.

    >>> bootstrap(np.array([.01, .02, .03, .02, .02])).excludes_zero
    True
    """
    low, high = bounds(draw_seeds(len(values), resamples, seed) @ values, len(values))
    return Interval(float(np.mean(values)), float(low), float(high))


def band(scores: Float64s, resamples: int = RESAMPLES, seed: int = 0) -> Float64s:
    """(3, B) mean over seeds with its 95 % interval at each budget: estimate, low, high.

    Args:
        scores: (S, B), NaN where a seed has no value; NaN comes out where none has.
        resamples: R.
        seed: of the resampling.
    """
    found = np.full((3, scores.shape[1]), np.nan)
    for column, values in enumerate(scores.T):
        known = values[~np.isnan(values)]
        if known.size:
            interval = bootstrap(known, resamples, seed)
            found[:, column] = interval.estimate, interval.low, interval.high
    return found


def wilcoxon(differences: Float64s) -> float:
    """Two-sided p of the signed-rank test (Wilcoxon 1945), exact up to 50 seeds; 1 where nothing differs.

    Args:
        differences: (S,) one per pair; zeros are left out, as Wilcoxon did.

    >>> wilcoxon(np.array([.01, .02, .03, .04, .05]))
    0.0625
    """
    from scipy import stats

    differences = differences[differences != 0]
    return float(stats.wilcoxon(differences).pvalue) if differences.size else 1.0


def smallest_p(seeds: int) -> float:
    """The least two-sided p that the signed-rank test can give: every seed on one side.

    >>> smallest_p(5)
    0.0625
    """
    return min(1.0, 2.0 ** (1 - seeds))


def seeds_needed(tests: int, level: float = 0.05) -> int:
    """Seeds from which on Holm's correction over so many tests lets one of them pass at all.

    >>> seeds_needed(1), seeds_needed(10)
    (6, 9)
    """
    return next(seeds for seeds in count(1) if tests * smallest_p(seeds) < level)
