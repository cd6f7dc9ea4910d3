"""`choose`: the one door through which every strategy is called, those of other packages included.

It passes on what the strategy declared and no more, and takes nothing back but distinct row ids of the pool with a
score and a reason each. Libraries without such a door have labeled other rows than they scored (positions read as ids),
paid for duplicates, and read a batch of two ids as one id and its score.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import StrategyError
from lit_al.strategies.pool import STACKED, Pool, RowArrays
from lit_al.strategies.strategy import Choice, Context, Strategy
from lit_al.typing import Float64s, Rows

DISTRIBUTIONS = ("probabilities", *STACKED)


def choose(strategy: Strategy, pool: Pool, n: int, context: Context) -> Choice:
    """Let a strategy choose n rows of a pool, and hold it to the contract.

    Args:
        strategy: what decides.
        pool: the rows that may be chosen: `strategy.candidates` of the unlabeled rows, with the arrays it needs.
        n: rows wanted; a smaller pool is taken whole, and the choice is then `short`.
        context: the labeled rows, the model's errors, the generator.

    Raises:
        StrategyError: an array is missing or holds NaN, or the strategy broke the contract.

    >>> from lit_al.strategies import Entropy
    >>> pool = Pool(np.array([70, 12, 35]), probabilities=np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]))
    >>> choice = choose(Entropy(), pool, 2, Context(np.random.default_rng(0)))
    >>> choice.rows, choice.reasons[0]
    (array([12, 35]), 'entropy 0.693 nats, rank 1 of 3')
    """
    name = strategy.name
    if n < 0:
        raise StrategyError(f"n={n} rows to choose must be 0 or more")
    if strategy.needs_confusion and context.confusion is None:
        raise StrategyError(f"{name} follows the model's errors but got no confusion; pass context.confusion")
    repeated = _first_repeated(pool.rows)
    if repeated is not None:
        raise StrategyError(f"row {repeated} is in the pool twice; pass distinct row ids")
    seen = pool.only(strategy.needs, name)
    labeled = context.labeled.only(strategy.needs_labeled, name)
    _check_given(seen, strategy.needs, name)
    if len(labeled):
        _check_given(labeled, strategy.needs_labeled, name)
    wanted = min(n, len(pool))
    if wanted == 0:
        return replace(Choice.nothing(), short=n > 0)
    confusion = context.confusion if strategy.needs_confusion else None
    choice = strategy.select(seen, wanted, replace(context, labeled=labeled, confusion=confusion))
    _check_choice(choice, pool.rows, wanted, strategy)
    return replace(choice, short=choice.short or wanted < n)


def _check_given(table: RowArrays, needs: frozenset[str], name: str) -> None:
    """Every array asked for is there and holds numbers; probabilities add up to 1."""
    kind = type(table).__name__.lower()
    missing = sorted(needs - set(table.columns))
    if missing:
        raise StrategyError(f"{name} needs {', '.join(missing)} of the {kind}; compute them before you choose")
    for column, values in table.columns.items():
        sums = _row_sums(values, column in STACKED)  # (n,) or (M, n)
        bad = ~np.isfinite(sums)
        what = "a number that is not finite"
        if column in DISTRIBUTIONS and not bad.any():
            bad, what = (np.abs(sums - 1) > 1e-2) | (values.min(axis=-1) < 0), "probabilities that do not add up to 1"
        if bad.any():
            row = table.rows[bad.any(axis=0) if column in STACKED else bad][0]
            raise StrategyError(f"{name} cannot choose: {column} of {kind} row {row} holds {what}; check the model")


def _row_sums(values: npt.NDArray[np.generic], stacked: bool) -> Float64s:
    """Sum of each row; NaN or infinite where the row holds a number that is, for no memory beyond a number per row."""
    axes = tuple(range(2 if stacked else 1, values.ndim))
    with np.errstate(invalid="ignore"):
        sums: Float64s = np.sum(values, axis=axes, dtype=np.float64)
    return sums


def _check_choice(choice: Choice, pool: Rows, wanted: int, strategy: Strategy) -> None:
    """Exactly `wanted` distinct ids of the pool, a score and a reason beside each."""
    name = strategy.name
    if not isinstance(choice, Choice):
        raise StrategyError(
            f"{name} returned a {type(choice).__name__}, which could be row ids or (ids, scores); "
            "return Choice(rows, scores, reasons)"
        )
    rows = np.asarray(choice.rows)
    if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
        raise StrategyError(f"{name} returned rows of shape {rows.shape} and dtype {rows.dtype}; return (k,) integers")
    strangers = rows[~np.isin(rows, pool)]
    if strangers.size:
        positions = "; these look like positions: return pool.rows[positions]" if (rows < len(pool)).all() else ""
        raise StrategyError(f"{name} chose row {strangers[0]}, which is not in the pool{positions}")
    repeated = _first_repeated(rows)
    if repeated is not None:
        raise StrategyError(f"{name} chose row {repeated} twice; choose distinct rows")
    if len(rows) != wanted and (strategy.exact or len(rows) > wanted):
        raise StrategyError(f"{name} chose {len(rows):,} rows where {wanted:,} were wanted; choose exactly as many")
    if np.shape(choice.scores) != rows.shape or len(choice.reasons) != len(rows) or len(choice.controls) != len(rows):
        raise StrategyError(
            f"{name} chose {len(rows):,} rows with {np.size(choice.scores):,} scores, {len(choice.reasons):,} reasons "
            f"and {len(choice.controls):,} control marks; give one of each per row"
        )
    if np.isnan(choice.scores).any():
        raise StrategyError(f"{name} scored row {rows[np.isnan(choice.scores)][0]} NaN; give every row a number")


def _first_repeated(rows: Rows) -> int | None:
    unique, counts = np.unique(rows, return_counts=True)
    return int(unique[counts > 1][0]) if len(unique) < len(rows) else None
