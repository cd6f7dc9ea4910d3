"""`Round`: what a round leaves behind. Who was chosen, what it cost, how good the model is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from lit_al.loop.active_loop import FittedRound
from lit_al.loop.estimation import ByValidation, Estimate, needed
from lit_al.loop.method import FitRecord
from lit_al.loop.query import Query
from lit_al.metrics import Evaluation
from lit_al.oracles import Bill
from lit_al.utils.notebook import html_table


@dataclass(frozen=True)
class Seconds:
    """What a round took.

    Attributes:
        fit: the fit; in the example's loop the one before the query.
        validate: what judging the model costs besides.
        score: looking at the pool.
        select: choosing.
    """

    fit: float
    validate: float = 0.0
    score: float = 0.0
    select: float = 0.0

    @property
    def total(self) -> float:
        """All together."""
        return self.fit + self.validate + self.score + self.select


@dataclass(frozen=True)
class Round:
    """A query and the model judged: in the example's loop the one that steered the query, else the one that learned.

    Attributes:
        query: the batch, answered.
        labels: training labels now.
        seconds: of it.
        asked: questions so far.
        warning: the model that chose answers nearly one class, in a sentence; "" where it does not.
        steering: the evaluation that the choice followed; None where none was made.
        estimate: of the model's accuracy over the whole corpus, by random controls; None where it is not known yet.
        needed: controls that are missing before it is known.
        validation: likewise, by validation; None without it.
        test: of the model on the test set, for the report alone; None where there is no such set.
        bill: of all questions so far.
        fit: how it went.
    """

    query: Query
    labels: int
    seconds: Seconds
    asked: int = 0
    warning: str = ""
    steering: Evaluation | None = None
    estimate: Estimate | None = None
    needed: int = 0
    validation: ByValidation | None = None
    test: Evaluation | None = None
    bill: Bill = field(default_factory=Bill)
    fit: FitRecord = field(default_factory=FitRecord)

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
        """What there is to say of a round of the loop of one seed."""
        [state] = done.states
        assert state.query is not None  # nobody learns before the first query
        return cls(
            query=state.query,
            labels=len(state.labeled),
            seconds=Seconds(done.fit_seconds, done.validate_seconds, done.score_seconds, done.select_seconds),
            asked=state.asked,
            warning=warning_of(state.query, classes, guard),
            estimate=estimate,
            needed=needed(state.judgments),
            validation=ByValidation.of(state),
            test=test,
            bill=bill,
            fit=done.method.record,
        )

    @property
    def number(self) -> int:
        """0 for the fit on the first labels, where they are asked for; the first acquisition is 1."""
        return self.query.number

    @property
    def controls(self) -> int:
        """Rows of a chosen batch that were drawn as controls."""
        return int(self.query.choice.controls.sum()) if self.query.chosen else 0

    @property
    def skipped(self) -> int:
        """Questions of a chosen batch without an answer."""
        return self.query.skipped if self.query.chosen else 0

    def described(self, classes: Sequence[str]) -> dict[str, Any]:
        """As `results.json` has it; docs/results-schema.md describes it."""
        query, count = self.query, len(classes)
        seconds = {f"{part}_seconds": round(value, 3) for part, value in asdict(self.seconds).items()}
        return {
            "round": self.number,
            "strategy": query.strategy,
            "labels": self.labels,
            "labels_spent": self.asked,
            "shares": dict(zip(classes, query.choice.shares, strict=False)),
            "taken": dict(zip(classes, query.taken(count), strict=True)),
            "predicted": dict(zip(classes, query.called(count), strict=False)),
            "controls": self.controls,
            "skipped": self.skipped,
            "warning": self.warning,
            "short": query.choice.short,
            "estimate": self.estimate.described() if self.estimate else None,
            "estimate_needs": self.needed,
            "validation": self.validation.described() if self.validation else None,
            "test": self.test.described(classes) if self.test else None,
            "bill": described_bill(self.bill),
            "study": self.fit.described(),
            **seconds,
        }

    def _repr_html_(self) -> str:
        """For a notebook: what it cost, and how good the model is."""
        low, high = self.estimate.interval if self.estimate else (None, None)
        facts = {
            "labels": self.labels,
            "asked": self.asked,
            "controls": self.controls,
            "skipped": self.skipped,
            "seconds": self.seconds.total,
            "accuracy, estimated": self.estimate.accuracy if self.estimate else None,
            "from": low,
            "to": high,
            "accuracy on the test set": self.test.accuracy if self.test else None,
        }
        caption = f"Round {self.number}: {self.query.strategy}" + (f"; {self.warning}" if self.warning else "")
        return html_table(caption, list(facts), [list(facts.values())])


def described_bill(bill: Bill) -> dict[str, Any]:
    """As `results.json` has it."""
    return {**asdict(bill), "labels": bill.labels}


def warning_of(query: Query, classes: Sequence[str], guard: bool) -> str:
    """A sentence where the model that chose answers nearly one class, "" where it does not."""
    collapse = query.collapse
    if collapse is None:
        return ""
    warning = f"the model called {collapse.share:.1%} of the {collapse.of} {classes[collapse.label]!r}"
    if guard:
        return warning + "; this batch was drawn at random instead of chosen by it"
    return warning + "; batches chosen by its answers can keep it there, which +balanced and +random prevent"
