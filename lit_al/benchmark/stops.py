"""Where each stopping rule would have stopped the runs of a benchmark, and what that would have cost.

The rules spoke in shadow, round by round, without a look at the scores that are laid beside them here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lit_al.benchmark.results_table import Result
from lit_al.metrics import Metric


@dataclass(frozen=True)
class Stops:
    """A rule over the runs of a row; means are over the runs that it would have stopped, None where there is none.

    Attributes:
        fired: runs that it would have stopped, at the last budget too.
        runs: in which it had a say, of those that reached the row's last budget.
        labels: spent when it would have stopped.
        change: score there less that at the last budget, a share; below 0 it stopped too early.
    """

    fired: int
    runs: int
    labels: float | None
    change: float | None


def stops(cells: Sequence[Result], metric: Metric = "accuracy") -> dict[str, dict[str, Stops]]:
    """By row and rule, both in the order of the cells.

    >>> judged = [(100, .70, False), (200, .78, True), (400, .80, True)]
    >>> cells = [Result("margin", 0, i, n, n, a, stopped={"kappa": s}) for i, (n, a, s) in enumerate(judged)]
    >>> found = stops(cells)["margin"]["kappa"]
    >>> found.fired, found.labels, round(found.change, 3)
    (1, 200.0, -0.02)
    """
    judged = [cell for cell in cells if cell.stopped is not None and cell.error is None]
    found = {}
    for name in dict.fromkeys(cell.strategy for cell in judged):
        runs = _whole_runs([cell for cell in judged if cell.strategy == name])
        rules = dict.fromkeys(rule for run in runs for cell in run for rule in cell.stopped or {})
        found[name] = {rule: _stops(rule, runs, metric) for rule in rules}
    return found


def _whole_runs(cells: Sequence[Result]) -> list[list[Result]]:
    """The cells of each seed in the order of rounds; seeds that have not got to the last round are left out."""
    last = max(cell.round for cell in cells)
    runs = [[cell for cell in cells if cell.seed == seed] for seed in dict.fromkeys(cell.seed for cell in cells)]
    ordered = [sorted(run, key=lambda cell: cell.round) for run in runs]
    return [run for run in ordered if run[-1].round == last]


def _stops(rule: str, runs: Sequence[Sequence[Result]], metric: Metric) -> Stops:
    heard = [run for run in runs if any(rule in (cell.stopped or {}) for cell in run)]
    ends = [(next((cell for cell in run if (cell.stopped or {}).get(rule)), None), run[-1]) for run in heard]
    fired = [(stop, last) for stop, last in ends if stop is not None]
    if not fired:
        return Stops(0, len(heard), None, None)
    changes = [(stop.score(metric) or 0.0) - (last.score(metric) or 0.0) for stop, last in fired]
    labels = sum(stop.labels_spent for stop, _ in fired) / len(fired)
    return Stops(len(fired), len(heard), labels, sum(changes) / len(fired))
