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

import numpy as np

from lit_al.data.split import without
from lit_al.exceptions import ConfigError
from lit_al.loop.method import Seen, TrainingMethod
from lit_al.loop.query import Query
from lit_al.loop.state import ARRAYS, Judgment, LoopState, check_saved
from lit_al.loop.validation import HoldOut
from lit_al.oracles import Oracle
from lit_al.strategies import Choice, Context, Pool, Strategy, choose, collapsed, make_strategy
from lit_al.typing import Rows
from lit_al.utils.packing import packed, unpacked


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


class ActiveLoop:
    """Runs of one strategy, a seed each, side by side.

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

    Attributes:
        states: of the seeds.
        queries: of the round to come, between `choose` and `ask`; empty at other times.
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
    ) -> None:
        _check_schedule(schedule, len(pool))
        self.method, self.pool, self.oracle, self.classes, self.schedule = (
            method,
            pool,
            oracle,
            classes,
            tuple(schedule),
        )
        if method.validation:
            method.validation.check(self.schedule[0])
        self.states = [LoopState(seed, make_strategy(strategy), pool) for seed in seeds]
        self.start = np.empty(0, np.int64) if start is None else start
        self.queries: list[Query] = []
        self.done = 0  # rounds
        method.begin(seeds, len(self.schedule))

    def rounds(self) -> Iterator[FittedRound]:
        """Query, fit, hand over; once for each number of the schedule, or for those left after `load_state_dict`."""
        for _ in self.schedule[self.done :]:
            seconds = self.choose()
            self.ask()
            yield self.learn(*seconds)

    def choose(self) -> tuple[float, float]:
        """The first step of a round: queries that nobody has asked yet; seconds of scoring and of choosing."""
        number, began = self.done, time.perf_counter()
        sizes = [self.schedule[number] - state.asked for state in self.states]
        seen = self._look(number, sizes) if number else None
        scored = time.perf_counter()
        self.queries = self._chosen(number, [[n] for n in sizes], seen)
        return (scored - began, time.perf_counter() - scored) if number else (0.0, 0.0)

    def ask(self) -> None:
        """The second step: put the queries to the oracle and take its answers in."""
        for state, query in zip(self.states, self.queries, strict=True):
            self._ask(state, query)
        self.queries = []

    def learn(self, score_seconds: float = 0.0, select_seconds: float = 0.0) -> FittedRound:
        """The last step: fit and validate."""
        number, began = self.done, time.perf_counter()
        self.fit(number)
        fitted = time.perf_counter()
        self.method.validate(number, self.states)
        validate_seconds = time.perf_counter() - fitted
        self.done = number + 1
        fit_seconds = fitted - began
        return FittedRound(
            number, self.method, self.states, fit_seconds, validate_seconds, score_seconds, select_seconds
        )

    def fit(self, number: int) -> None:
        """Train the models of a round on what is labeled by now.

        Raises:
            FitError: a seed without a label.
        """
        self.method.fit(number, self.states)

    def propose(self, number: int, *batches: int) -> list[Query]:
        """What each seed would ask after the fit of the round before; nothing is asked, and nobody has chosen yet.

        Args:
            number: of the round that the answers are for; the first, 0, asks at random.
            batches: sizes of batches, one after the other, each chosen from what the ones before have left.

        Returns:
            For each seed the batches as one query, in their order.
        """
        seen = self._look(number, [sum(batches)] * len(self.states)) if number else None
        return self._chosen(number, [batches] * len(self.states), seen)

    def state_dict(self) -> dict[str, Any]:
        """All that the rounds to come depend on, as tensors and plain types."""
        states = [
            {
                **{name: getattr(state, name) for name in ARRAYS},
                "asked": state.asked,
                "judgments": state.judgments,
                "strategy": state.strategy.state(),
                "query": state.query,
            }
            for state in self.states
        ]
        return {"done": self.done, "method": self.method.state_dict(), "states": packed(states)}

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
            for name in ARRAYS:
                setattr(state, name, one[name].numpy())
            state.asked, state.judgments = one["asked"], [Judgment(**judgment) for judgment in one["judgments"]]
            state.query = unpacked(Query, one["query"]) if one["query"] else None
            state.strategy.restore({name: array.numpy() for name, array in one["strategy"].items()})
        self.method.load_state_dict(saved["method"], self.done - 1, self.states)

    # --- Query --------------------------------------------------------------------------------------------------------

    def _look(self, number: int, sizes: Sequence[int]) -> list[Seen]:
        """What every seed's strategy may see of its pool and of its labeled rows, and what the model alone says."""
        first = self.states[0].strategy
        candidates = [
            state.strategy.candidates(state.pool, n, state.rng(number))
            for state, n in zip(self.states, sizes, strict=True)
        ]
        return self.method.look(number, self.states, candidates, first.needs, first.needs_labeled)

    def _chosen(self, number: int, batches: Sequence[Sequence[int]], seen: Sequence[Seen] | None) -> list[Query]:
        """What the strategies choose by what they see, or chance where they see nothing yet."""
        if seen is None:
            return [
                Query(number, "random", self._first(state, sizes, Context(state.rng(number))))
                for state, sizes in zip(self.states, batches, strict=True)
            ]
        return [
            self._query(number, state, sizes, one) for state, sizes, one in zip(self.states, batches, seen, strict=True)
        ]

    def _query(self, number: int, state: LoopState, sizes: Sequence[int], seen: Seen) -> Query:
        """What a strategy chooses, or chance where the guard takes over."""
        context = Context(state.rng(number), seen.labeled, state.confusion(self.classes))
        collapse = collapsed(seen.pool.probabilities)
        strategy = make_strategy("random") if collapse and self.method.guard else state.strategy
        choice = _in_batches(strategy, seen.pool, sizes, context)
        place = {row: place for place, row in enumerate(seen.pool.rows.tolist())}
        probabilities = seen.probabilities[[place[row] for row in choice.rows.tolist()]]
        return Query(number, strategy.spelling, choice, probabilities, collapse)

    def _first(self, state: LoopState, sizes: Sequence[int], context: Context) -> Choice:
        """The rows whose labels are there already, and others at random."""
        random, start = make_strategy("random"), self.start
        if not len(start):
            return _in_batches(random, Pool(state.pool), sizes, context)
        given = Choice(start, np.zeros(len(start)), ("was labeled before the run",) * len(start))
        wanted = sum(sizes) - len(start)
        rest = Pool(without(state.pool, start))
        return Choice.join([given, choose(random, rest, wanted, context)] if wanted > 0 else [given])

    def _ask(self, state: LoopState, query: Query) -> None:
        """Put the chosen rows to the oracle; controls among them judge the model before it learns from them."""
        assert self.oracle is not None  # who has none asks by itself
        pool, validation = len(state.pool), self.method.validation
        query = query.answered(self.oracle.ask(query.rows))
        state.take(query, validation if isinstance(validation, HoldOut) else None)
        if validation:  # so few may be answered that it cannot be done
            validation.check(len(state.labeled) + len(state.held))
        drawn = query.choice.controls | (state.strategy.spelling == "random")  # alone it draws as controls are drawn
        by_chance = (drawn | (not query.chosen)) & ~np.isin(query.rows, self.start)  # all of the first ones asked
        state.drawn = np.concatenate([state.drawn, query.rows[by_chance]])
        if query.chosen:
            right = query.predicted == query.said
            state.judgments.append(Judgment.of(self.done - 1, pool, right[query.given], drawn[query.given]))


def _in_batches(strategy: Strategy, pool: Pool, sizes: Sequence[int], context: Context) -> Choice:
    """One batch after the other, each from what is left."""
    choice = choose(strategy, pool, sizes[0], context)
    for n in sizes[1:]:
        left = pool.take(~np.isin(pool.rows, choice.rows))
        choice = Choice.join([choice, choose(strategy, left, n, context)])
    return choice


def _check_schedule(schedule: Sequence[int], pool: int) -> None:
    steps = [*schedule]
    if not steps or steps[0] < 1 or any(after <= before for before, after in pairwise(steps)):
        raise ConfigError(f"schedule {steps} must be whole numbers that grow, as in (100, 200, 400)")
    if steps[-1] > pool:
        raise ConfigError(f"the schedule asks for {steps[-1]:,} labels but the pool has {pool:,} rows; end it lower")
