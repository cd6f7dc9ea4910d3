"""What the batches of each strategy were like and what they cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lit_al.benchmark.results_table import Result


@dataclass(frozen=True)
class Costs:
    """Means over all cells of a strategy that have the value; None where none has.

    Attributes:
        cells: of the strategy.
        failed: of these.
        fit_seconds: per round.
        score_seconds: per round.
        select_seconds: per round.
        taken: share of the commonest class in a batch, by true class; 1 / C in an even one.
        worst: the largest such share in any batch.
        predicted: share of the commonest class in a batch, by predicted class.
        diversity: of a batch.
    """

    cells: int
    failed: int
    fit_seconds: float | None
    score_seconds: float | None
    select_seconds: float | None
    taken: float | None
    worst: float | None
    predicted: float | None
    diversity: float | None


def costs(cells: Sequence[Result]) -> dict[str, Costs]:
    """By strategy, in alphabetical order.

    >>> cells = [Result("margin", 0, i, 100, 100, .7, taken=counts) for i, counts in enumerate([(50, 50), (10, 90)])]
    >>> found = costs(cells)["margin"]
    >>> found.taken, found.worst, found.diversity
    (0.7, 0.9, None)
    """
    names = sorted({cell.strategy for cell in cells})
    return {name: _costs([cell for cell in cells if cell.strategy == name]) for name in names}


def _costs(cells: Sequence[Result]) -> Costs:
    def mean(value: Callable[[Result], float | None]) -> float | None:
        known = [found for cell in cells if (found := value(cell)) is not None]
        return sum(known) / len(known) if known else None

    return Costs(
        cells=len(cells),
        failed=sum(cell.error is not None for cell in cells),
        fit_seconds=mean(lambda cell: cell.fit_seconds),
        score_seconds=mean(lambda cell: cell.score_seconds),
        select_seconds=mean(lambda cell: cell.select_seconds),
        taken=mean(lambda cell: _commonest(cell.taken)),
        worst=max((found for cell in cells if (found := _commonest(cell.taken)) is not None), default=None),
        predicted=mean(lambda cell: _commonest(cell.predicted)),
        diversity=mean(lambda cell: cell.diversity),
    )


def _commonest(counts: tuple[int, ...] | None) -> float | None:
    return max(counts) / sum(counts) if counts and sum(counts) else None
