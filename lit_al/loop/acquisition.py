"""Acquisition, what lies between two fits: strategies choose from the pool, the oracle answers, labels are taken in.

    acquisition = Acquisition(models, oracle, states, classes=2)
    acquisition.ask(acquisition.choose(1, [100, 100]))  # two seeds, a hundred texts each

The one place where a batch is chosen and asked, whoever fits: the loop itself (`loop.active_loop`), or a Trainer of the
user's own with the callback (`training.callback`).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from lit_al.data.split import without
from lit_al.loop.method import Models, Seen
from lit_al.loop.query import Query
from lit_al.loop.state import Judgment, LoopState
from lit_al.loop.validation import HoldOut
from lit_al.oracles import Oracle
from lit_al.strategies import Choice, Collapse, Context, Pool, Strategy, choose, collapsed, make_strategy, one_class
from lit_al.typing import Floats, Rows


class QueryJournal(Protocol):
    """Where a query is written down before anybody is asked, so that a run that was cut off asks it again."""

    def asked(self, number: int, strategy: Strategy) -> tuple[Query, Mapping[str, Any]] | None:
        """What a round has chosen already, and what was noted beside it; None where it has not."""

    def ask(self, query: Query, strategy: Strategy, **facts: Any) -> None:
        """Write down what a strategy chose."""


class Acquisition:
    """Queries of several seeds side by side; one alone may have a journal.

    Args:
        models: the newest ones.
        oracle: answers for rows; -1 for one that it skips. None where somebody else asks.
        states: of the seeds.
        classes: C, how many there are.
        start: (s,) int64 rows of the pool that the first query begins with, as their labels are there already.
        journal: gets every query before the oracle does, and remembers those of an earlier sitting.

    Attributes:
        seconds: that the last choice took, of looking at the pool and of choosing from it; 0 before the first fit.
    """

    def __init__(
        self,
        models: Models,
        oracle: Oracle | None,
        states: Sequence[LoopState],
        *,
        classes: int,
        start: Rows | None = None,
        journal: QueryJournal | None = None,
    ) -> None:
        self.models, self.oracle, self.states, self.classes = models, oracle, states, classes
        self.start = np.empty(0, np.int64) if start is None else start
        self.journal = journal
        self.seconds = (0.0, 0.0)

    def choose(self, number: int, sizes: Sequence[int]) -> list[Query]:
        """Queries of a round that nobody has asked yet; on record they are at once, and then stay as they are.

        Args:
            number: of the round that learns from the answers; the first, 0, asks at random.
            sizes: of the query of each seed.
        """
        noted = self.journal.asked(number, self.states[0].strategy) if self.journal else None
        if noted:
            query, facts = noted
            self.seconds = tuple(facts.get("seconds", self.seconds))
            queries = [query]
        else:
            queries = self._timed(number, [[n] for n in sizes])
        if self.journal:
            self.journal.ask(queries[0], self.states[0].strategy, seconds=list(self.seconds))
        return queries

    def ask(self, queries: Sequence[Query]) -> None:
        """Put the queries to the oracle and take its answers in."""
        for state, query in zip(self.states, queries, strict=True):
            self._ask(state, query)

    def propose(self, number: int, *batches: int) -> list[Query]:
        """What each seed would ask after the fit of the round before; nothing is asked, and nobody has chosen yet.

        Args:
            number: as in `choose`.
            batches: sizes of batches, one after the other, each chosen from what the ones before have left.

        Returns:
            For each seed the batches as one query, in their order.
        """
        return self._timed(number, [batches] * len(self.states))

    # --- Choose -------------------------------------------------------------------------------------------------------

    def _timed(self, number: int, batches: Sequence[Sequence[int]]) -> list[Query]:
        """What the strategies choose by what they see, or chance where there is nothing to see yet."""
        rngs = [state.rng(number) for state in self.states]
        if number == 0:
            self.seconds = (0.0, 0.0)
            return [
                Query(number, "random", self._first(state, sizes, Context(rng)))
                for state, sizes, rng in zip(self.states, batches, rngs, strict=True)
            ]
        began = time.perf_counter()
        seen = self._look(number, [sum(sizes) for sizes in batches], rngs)
        scored = time.perf_counter()
        queries = [self._query(number, *one) for one in zip(range(len(seen)), batches, seen, rngs, strict=True)]
        self.seconds = (scored - began, time.perf_counter() - scored)
        return queries

    def _look(self, number: int, sizes: Sequence[int], rngs: Sequence[np.random.Generator]) -> list[Seen]:
        """What every seed's strategy may see of its pool and of its labeled rows, and what the model alone says."""
        first = self.states[0].strategy
        candidates = [
            state.strategy.candidates(state.pool, n, rng)
            for state, n, rng in zip(self.states, sizes, rngs, strict=True)
        ]
        return self.models.look(number, self.states, candidates, first.needs, first.needs_labeled)

    def _query(self, number: int, index: int, sizes: Sequence[int], seen: Seen, rng: np.random.Generator) -> Query:
        """What a seed's strategy chooses, or chance where the guard takes over."""
        state = self.states[index]
        context = Context(rng, seen.labeled, state.confusion(self.classes))
        collapse = _collapse(seen.pool, state)
        strategy = make_strategy("random") if collapse and self.models.guard else state.strategy
        choice = _in_batches(strategy, seen.pool, sizes, context)
        return Query(number, strategy.spelling, choice, self._probabilities(index, choice.rows, seen), collapse)

    def _probabilities(self, index: int, rows: Rows, seen: Seen) -> Floats:
        """(k, C) of chosen rows under the model alone."""
        if seen.probabilities is None:
            found: Floats = self.models.score(rows)[index]
            return found
        place = {row: place for place, row in enumerate(seen.pool.rows.tolist())}
        return seen.probabilities[[place[row] for row in rows.tolist()]]

    def _first(self, state: LoopState, sizes: Sequence[int], context: Context) -> Choice:
        """The rows whose labels are there already, and others at random."""
        random, start = make_strategy("random"), self.start
        if not len(start):
            return _in_batches(random, Pool(state.pool), sizes, context)
        given = Choice(start, np.zeros(len(start)), ("was labeled before the run",) * len(start))
        wanted = sum(sizes) - len(start)
        rest = Pool(without(state.pool, start))
        return Choice.join([given, choose(random, rest, wanted, context)] if wanted > 0 else [given])

    # --- Ask ----------------------------------------------------------------------------------------------------------

    def _ask(self, state: LoopState, query: Query) -> None:
        """Put the chosen rows to the oracle; controls among them judge the model before it learns from them."""
        assert self.oracle is not None  # who has none asks by itself
        pool, validation = len(state.pool), self.models.validation
        query = query.answered(self.oracle.ask(query.rows))
        state.take(query, validation if isinstance(validation, HoldOut) else None)
        if validation:  # so few may be answered that it cannot be done
            validation.check(len(state.labeled) + len(state.held))
        drawn = query.choice.controls | (state.strategy.spelling == "random")  # alone it draws as controls are drawn
        by_chance = (drawn | (not query.chosen)) & ~np.isin(query.rows, self.start)  # all of the first ones asked
        state.drawn = np.concatenate([state.drawn, query.rows[by_chance]])
        if query.chosen:
            right = query.predicted == query.said
            state.judgments.append(Judgment.of(query.number - 1, pool, right[query.given], drawn[query.given]))


def _collapse(pool: Pool, state: LoopState) -> Collapse | None:
    """Does a model answer nearly one class, of the candidates or, where nobody asked it, of the steering set?"""
    if "probabilities" in pool.columns:
        return collapsed(pool.probabilities)
    if state.steering is None:
        return None
    answers = state.steering.confusion.matrix.sum(axis=0)  # (C,)
    found = one_class(answers / max(answers.sum(), 1))
    return found and replace(found, of="set that steers")


def _in_batches(strategy: Strategy, pool: Pool, sizes: Sequence[int], context: Context) -> Choice:
    """One batch after the other, each from what is left."""
    choice = choose(strategy, pool, sizes[0], context)
    for n in sizes[1:]:
        left = pool.take(~np.isin(pool.rows, choice.rows))
        choice = Choice.join([choice, choose(strategy, left, n, context)])
    return choice
