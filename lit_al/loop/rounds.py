"""What a round leaves behind: who was chosen, what it cost, how good the model is after it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from lit_al.loop.active_loop import FittedRound
from lit_al.loop.estimation import ByValidation, Estimate, needed
from lit_al.loop.state import LoopState
from lit_al.metrics import Evaluation, Query
from lit_al.oracles import Bill
from lit_al.typing import UNLABELED, Ints


@dataclass(frozen=True)
class Judged:
    """A round: a query, the fit after it, and the model judged.

    Attributes:
        number: 0 for the fit on the first labels, which were drawn at random.
        strategy: spelling of what chose; "random" where nobody could choose yet, or where the guard took over.
        query: the batch; None in round 0.
        shares: (C,) wanted share of each class; () where the strategy has none.
        taken: (C,) labels of each class, as the oracle gave them.
        predicted: (C,) rows of the batch by what the model took them for; () in round 0.
        labels: training labels now.
        asked: questions so far.
        short: the pool could not fill the query.
        warning: the model that chose answers nearly one class, in a sentence; "" where it does not.
        estimate: of the model's accuracy over the whole corpus, by random controls; None where it is not known yet.
        needed: controls that are missing before it is known.
        validation: likewise, by validation; None without it.
        test: of the model on the test set, for the report alone; None where there is no such set.
        bill: of all questions so far.
        fit_seconds: of the fit.
        validate_seconds: of what validation costs besides.
        score_seconds: of looking at the pool before it.
        select_seconds: of choosing.
    """

    number: int
    strategy: str
    query: Query | None
    shares: tuple[float, ...]
    taken: tuple[int, ...]
    predicted: tuple[int, ...]
    labels: int
    asked: int
    short: bool
    warning: str
    estimate: Estimate | None
    needed: int
    validation: ByValidation | None
    test: Evaluation | None
    bill: Bill
    fit_seconds: float
    validate_seconds: float
    score_seconds: float
    select_seconds: float

    @classmethod
    def of(
        cls,
        done: FittedRound,
        classes: Sequence[str],
        guard: bool,
        estimate: Estimate | None,
        test: Evaluation | None,
        bill: Bill,
    ) -> Self:
        """What there is to say of a round of the loop."""
        [run] = done.states
        query, collapse = query_of(done.number, run), run.collapse if done.number else None
        warning = ""
        if collapse is not None:
            warning = f"the model called {collapse.share:.1%} of the candidates {classes[collapse.label]!r}"
            warning += "; this batch was drawn at random instead of chosen by it" if guard else ""
        given = run.newest[run.newest != UNLABELED]
        chosen_by = "random" if query is None or (collapse is not None and guard) else run.strategy.spelling
        return cls(
            number=done.number,
            strategy=chosen_by,
            query=query,
            shares=run.choice.shares if run.choice else (),
            taken=_counts(given, len(classes)),
            predicted=_counts(run.predicted, len(classes)) if query else (),
            labels=len(run.labeled),
            asked=run.asked,
            short=run.choice is not None and run.choice.short,
            warning=warning,
            estimate=estimate,
            needed=needed(run.judgments),
            validation=ByValidation.of(run),
            test=test,
            bill=bill,
            fit_seconds=done.fit_seconds,
            validate_seconds=done.validate_seconds,
            score_seconds=done.score_seconds,
            select_seconds=done.select_seconds,
        )

    @property
    def controls(self) -> int:
        """Rows of the batch that were drawn as controls."""
        return int(self.query.controls.sum()) if self.query else 0

    @property
    def skipped(self) -> int:
        """Questions of this round without an answer."""
        return int((self.query.answers == UNLABELED).sum()) if self.query else 0

    def described(self, classes: Sequence[str]) -> dict[str, Any]:
        """As `results.json` has it; docs/results-schema.md describes it."""
        return {
            "round": self.number,
            "strategy": self.strategy,
            "labels": self.labels,
            "labels_spent": self.asked,
            "shares": dict(zip(classes, self.shares, strict=False)),
            "taken": dict(zip(classes, self.taken, strict=True)),
            "predicted": dict(zip(classes, self.predicted, strict=False)),
            "controls": self.controls,
            "skipped": self.skipped,
            "warning": self.warning,
            "short": self.short,
            "estimate": self.estimate.described() if self.estimate else None,
            "estimate_needs": self.needed,
            "validation": self.validation.described() if self.validation else None,
            "test": self.test.described(classes) if self.test else None,
            "bill": described_bill(self.bill),
            "fit_seconds": round(self.fit_seconds, 3),
            "validate_seconds": round(self.validate_seconds, 3),
            "score_seconds": round(self.score_seconds, 3),
            "select_seconds": round(self.select_seconds, 3),
        }


def query_of(number: int, run: LoopState) -> Query | None:
    """The last batch of a run; None for the first, which nobody chose."""
    if run.choice is None or not len(run.predicted):
        return None
    choice = run.choice
    return Query(
        number, choice.rows, run.newest, run.probabilities, choice.scores, tuple(choice.reasons), choice.controls
    )


def described_bill(bill: Bill) -> dict[str, Any]:
    """As `results.json` has it."""
    return {**asdict(bill), "labels": bill.labels}


def _counts(labels: Ints, classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(labels, minlength=classes).tolist())
