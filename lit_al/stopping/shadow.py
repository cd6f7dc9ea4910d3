"""Rules in shadow: a run goes on to its end, and afterwards says where each rule would have stopped it.

The accuracies come in only here, after the run: a rule that had seen the test set could not be judged by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lit_al.exceptions import ConfigError
from lit_al.stopping.rule import Progress, Rule


@dataclass(frozen=True)
class Stop:
    """What a rule would have done.

    Attributes:
        rule: that was judged.
        position: in the history, where it would have stopped; None where it would have gone on to the end.
        reason: for stopping there, or for not stopping at the end.
    """

    rule: Rule
    position: int | None
    reason: str


def shadow(rules: Sequence[Rule], history: Sequence[Progress]) -> list[Stop]:
    """Where each rule would have stopped, had it been the only one.

    Args:
        rules: to judge.
        history: of the whole run, oldest first.

    Raises:
        ConfigError: no history.
    """
    if not history:
        raise ConfigError("history is empty: rules can be judged in shadow only after the first fit")
    return [_first_stop(rule, history) for rule in rules]


def _first_stop(rule: Rule, history: Sequence[Progress]) -> Stop:
    reason = ""
    for position in range(len(history)):
        stop, reason = rule.check(history[: position + 1])
        if stop:
            return Stop(rule, position, reason)
    return Stop(rule, None, reason)


def report(stops: Sequence[Stop], history: Sequence[Progress], accuracies: Sequence[float] | None) -> list[str]:
    """One sentence per rule: where it would have stopped, and how far from the last round that is.

    Args:
        stops: of `shadow`.
        history: of the whole run.
        accuracies: of each round on rows that no rule saw, as long as the history; None where there are no such rows.

    Raises:
        ConfigError: another number of accuracies than of rounds.

    >>> from lit_al.stopping import Budget
    >>> history = [Progress(labels, 5_000) for labels in (1_000, 1_300, 1_600)]
    >>> report(shadow([Budget(1_200)], history), history, [.80, .82, .824])
    ['budget:1200 would have stopped at 1,300 labels, 0.4 points below the last round (300 labels fewer)']
    >>> report(shadow([Budget(1_200)], history), history, None)
    ['budget:1200 would have stopped at 1,300 labels, 300 fewer than the last round']
    """
    if accuracies is not None and len(accuracies) != len(history):
        raise ConfigError(f"{len(accuracies)} accuracies for {len(history)} rounds; give one for each")
    return [_sentence(stop, history, accuracies) for stop in stops]


def _sentence(stop: Stop, history: Sequence[Progress], accuracies: Sequence[float] | None) -> str:
    if stop.position is None:
        return f"{stop.rule} would not have stopped within {history[-1].labels:,} labels: {stop.reason}"
    labels, last = history[stop.position].labels, history[-1].labels
    if labels == last:
        return f"{stop.rule} would have stopped at {labels:,} labels, the last round"
    if accuracies is None:
        return f"{stop.rule} would have stopped at {labels:,} labels, {last - labels:,} fewer than the last round"
    points = round(100 * (accuracies[stop.position] - accuracies[-1]), 1)
    where = "level with" if points == 0 else f"{abs(points):.1f} points {'below' if points < 0 else 'above'}"
    return (
        f"{stop.rule} would have stopped at {labels:,} labels, {where} the last round ({last - labels:,} labels fewer)"
    )
