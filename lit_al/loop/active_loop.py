"""The loop: from a few labels to a few thousand, every one of them counted, the test set out of reach.

    method = StepTraining(tokens, words, classes, recipe=recipe)
    loop = ActiveLoop(method, pool, oracle, seeds=range(5), strategy="entropy", schedule=(100, 200, 400))
    for done in loop.rounds():
        ...  # judge method.score(rows) on whatever the loop was not given

Several seeds go side by side: they share the pool at the start and nothing else, and their models train and score in
one batched pass. The loop is given the pool and an oracle, no test row, so that nothing in it can depend on one; who
reads the rounds does the judging. How a round trains is the method's affair (`loop.method`).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lit_al.exceptions import ConfigError
from lit_al.loop.acquisition import Acquisition, QueryJournal
from lit_al.loop.method import TrainingMethod
from lit_al.loop.query import Query
from lit_al.loop.state import LoopState, check_saved
from lit_al.oracles import Oracle
from lit_al.strategies import make_strategy
from lit_al.typing import Rows


@dataclass(frozen=True)
class FittedRound:
    """All seeds after a fit.

    Attributes:
        number: 0 for the fit on the first labels.
        method: whose models are those of this round until the next one.
        states: of the seeds; they change with the next round, too.
        fit_seconds: of all seeds together, as are the others.
        validate_seconds: of the further fits and predictions of validation; 0 without it.
        score_seconds: of scoring the pool for the batch acquired before this fit; 0 in round 0.
        select_seconds: of choosing that batch; 0 in round 0.
    """

    number: int
    method: TrainingMethod
    states: Sequence[LoopState]
    fit_seconds: float
    validate_seconds: float
    score_seconds: float
    select_seconds: float


class ActiveLoop(Acquisition):
    """Runs of one strategy, a seed each, side by side: fit, choose, ask, and fit again.

    Args:
        method: how each round trains.
        pool: (n,) int64 rows that may be labeled.
        oracle: answers for rows; -1 for one that it skips. None where somebody else asks: they fill in the states, and
            call `fit` and `propose` instead of `rounds`.
        classes: C, how many there are.
        seeds: one run each. Runs of the same seed begin with the same labels and weights, whatever their strategy.
        strategy: a spelling for `make_strategy`.
        schedule: questions asked in all, by the end of each query: (100, 200, 400) begins with 100 random rows.
        start: (s,) int64 rows of the pool that the first query begins with, as their labels are there already; the
            first number of the schedule counts them.
        journal: of one seed alone; gets every query before the oracle does.

    Attributes:
        done: rounds.

    Raises:
        ConfigError: a schedule that does not grow, or that asks for more than the pool; validation that the first
            labels are too few for.
    """

    def __init__(
        self,
        method: TrainingMethod,
        pool: Rows,
        oracle: Oracle | None,
        *,
        classes: int,
        seeds: Sequence[int],
        strategy: str = "random",
        schedule: Sequence[int] = (100, 200, 300),
        start: Rows | None = None,
        journal: QueryJournal | None = None,
    ) -> None:
        _check_schedule(schedule, len(pool))
        states = [LoopState(seed, make_strategy(strategy), pool) for seed in seeds]
        super().__init__(method, oracle, states, classes=classes, start=start, journal=journal)
        self.method, self.pool, self.schedule = method, pool, tuple(schedule)
        if method.validation:
            method.validation.check(self.schedule[0])
        self.done = 0  # rounds
        method.begin(seeds, len(self.schedule))

    def rounds(self) -> Iterator[FittedRound]:
        """Query, fit, hand over; once for each number of the schedule, or for those left after `load_state_dict`."""
        while self.done < len(self.schedule):
            self.ask(self.next_queries())
            yield self.learn()

    def next_queries(self) -> list[Query]:
        """What each seed asks next, by the schedule; the journal has it from now on."""
        return self.choose(self.done, [self.schedule[self.done] - state.asked for state in self.states])

    def learn(self) -> FittedRound:
        """Fit on what is labeled by now, and validate."""
        number, began = self.done, time.perf_counter()
        self.fit(number)
        fitted = time.perf_counter()
        self.method.validate(number, self.states)
        validate_seconds = time.perf_counter() - fitted
        self.done = number + 1
        return FittedRound(number, self.method, self.states, fitted - began, validate_seconds, *self.seconds)

    def fit(self, number: int) -> None:
        """Train the models of a round on what is labeled by now.

        Raises:
            FitError: a seed without a label.
        """
        self.method.fit(number, self.states)

    def state_dict(self) -> dict[str, Any]:
        """All that the rounds to come depend on, as tensors and plain types."""
        states = [state.state_dict() for state in self.states]
        return {"done": self.done, "method": self.method.state_dict(), "states": states}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`, to the same picks and weights as a loop that was never stopped.

        Raises:
            ValueError: it is of another loop; so are errors of other kinds.
        """
        if saved["done"] not in range(len(self.schedule) + 1):
            raise ValueError(f"{saved['done']!r} rounds are done of {len(self.schedule)}")
        for one in saved["states"]:
            check_saved(one, int(self.pool.max()) + 1, self.classes)
        self.done = saved["done"]
        for state, one in zip(self.states, saved["states"], strict=True):
            state.load_state_dict(one)
        self.method.load_state_dict(saved["method"], self.done - 1, self.states)


def _check_schedule(schedule: Sequence[int], pool: int) -> None:
    steps = [*schedule]
    if not steps or steps[0] < 1 or any(after <= before for before, after in pairwise(steps)):
        raise ConfigError(f"schedule {steps} must be whole numbers that grow, as in (100, 200, 400)")
    if steps[-1] > pool:
        raise ConfigError(f"the schedule asks for {steps[-1]:,} labels but the pool has {pool:,} rows; end it lower")
