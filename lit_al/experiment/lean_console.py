"""A lean run on the console: a block per round, and what the rules and the bill say in the end."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.panel import Panel

from lit_al.experiment.protocol import RunProtocol
from lit_al.loop.estimation import ByValidation, Estimate
from lit_al.loop.method import FitRecord
from lit_al.loop.rounds import Round
from lit_al.loop.validation import HoldOut, Validation
from lit_al.metrics import percent
from lit_al.oracles import Bill
from lit_al.reporting.console import MANY, RunConsole
from lit_al.utils.terminal_text import counted, markup

SHOWN: Final = 6  # classes of many whose counts are shown
FOLLOWS: Final = 0.6  # agreement with the teacher below which a student is said not to follow


class LeanWords:
    """Prints a lean run.

    Args:
        report: has the console and the class names.
        plan: of the run.
    """

    def __init__(self, report: RunConsole, plan: RunProtocol) -> None:
        self.report, self.plan = report, plan

    def begin(self, strategy: str, reading: str = "") -> None:
        """What is about to happen, and how the texts are read, where there was a choice."""
        last, rounds = self.plan.schedule[-1], len(self.plan.schedule) - 1
        stop = f", unless {self.plan.rule} stops it before" if self.plan.rule else ""
        first, given = self.plan.schedule[0], len(self.plan.start)
        start = f"({given:,} of the file, {first - given:,} drawn at random)" if given else "drawn at random"
        self._line(f"from {first:,} labels {start} to {last:,} in {counted(rounds, 'round')} by {strategy}{stop}")
        if reading:
            self._line(reading)
        self._line(self.plan.test_use)
        if self.plan.validation:
            self._line(validation_words(self.plan.validation))
        if self.plan.source:
            self._line(f"target and plateau follow the accuracy {self.plan.source}")
        for clause in self.plan.flaws:
            self._line(f"warning: it {clause}")

    def round(self, done: Round) -> None:
        """One block."""
        lines = [f"{done.labels:,} labels{self._test(done)}"]
        lines += self._batch(done) if done.query.chosen else [f"drawn at random: {self._taken(done)}"]
        lines += self._estimate(done)
        if done.validation and self.plan.validation:
            lines += judged_words(done.validation, self.plan.validation)
        validate = f", validate {done.seconds.validate:.1f} s" if done.validation else ""
        if done.bill.cost:
            lines.append(bill_words(done.bill))
        if done.fit.agreement is not None:
            lines.append(study_words(done.fit))
        lines.append(
            f"fit {done.seconds.fit:.1f} s{validate}, score {done.seconds.score:.1f} s, "
            f"select {done.seconds.select:.1f} s"
        )
        if done.warning:
            lines.append(f"[yellow]warning:[/yellow] {markup(done.warning)}")
        self.report.console.print(Panel("\n".join(lines), title=f"round {done.number}", title_align="left"))

    def end(self, stop_reason: str, shadows: Sequence[Mapping[str, Any]], bill: Bill) -> None:
        """Why it ended, where each rule would have ended it, what it cost."""
        self._line(f"it ended because {stop_reason}")
        for shadow in shadows:
            self._line(f"in shadow: {shadow['sentence']}")
        self._line(bill_words(bill))

    def estimated(self, done: Round) -> None:
        """What stands last where there is no test figure."""
        for line in self._estimate(done):
            self._line(line)

    def waiting(self, what_to_do: str) -> None:
        """People have the word."""
        self._line(what_to_do)

    def _estimate(self, done: Round) -> list[str]:
        """By random controls, or what is missing; nothing where none are drawn."""
        if done.estimate:
            return [estimate_words(done.estimate)]
        return [not_known(done.needed)] if self.plan.follows == "controls" else []

    def _test(self, done: Round) -> str:
        if done.test is None:
            return ""
        figures = f"test accuracy {done.test.accuracy:.4f}, macro-F1 {done.test.macro_f1:.4f}"
        return f"; {figures} (for the report alone), {self.report.errors(done.test.confusion)}"

    def _batch(self, done: Round) -> list[str]:
        drawn = f", {done.controls:,} of them random controls" if done.controls else ""
        skipped = f"; skipped: {done.skipped:,}" if done.skipped else ""
        predicted = self._by_class(done.query.called(len(self.report.classes)))
        return [
            f"chosen by {markup(done.query.strategy)}{drawn}",
            f"taken: {self._taken(done)}; predicted: {predicted}{skipped}",
        ]

    def _taken(self, done: Round) -> str:
        return self._by_class(done.query.taken(len(self.report.classes)))

    def _by_class(self, counts: Sequence[int]) -> str:
        return by_class(self.report.classes, counts)

    def _line(self, text: str) -> None:
        self.report.console.print(markup(text), soft_wrap=True, highlight=False)


def by_class(classes: Sequence[str], counts: Sequence[int]) -> str:
    """Counts of classes; of many the largest, the first of those alike, and how many others there are.

    >>> by_class(["a", "b"], [0, 1_200])
    'a 0, b 1,200'
    >>> by_class([f"class {n}" for n in range(77)], range(77))
    'class 76 76, class 75 75, class 74 74, class 73 73, class 72 72, class 71 71 + 71 more'
    """
    pairs, more = list(zip(classes, counts, strict=True)), ""
    if len(pairs) > MANY:
        pairs, more = sorted(pairs, key=lambda pair: -pair[1])[:SHOWN], f" + {len(pairs) - SHOWN:,} more"
    return ", ".join(f"{name} {count:,}" for name, count in pairs) + more


def study_words(fit: FitRecord) -> str:
    """How well the network follows its teacher, and what to do where it does not.

    >>> study_words(FitRecord(steps=350, agreement=0.91, held_out=500))
    'after 350 steps the network answers as its teacher on 91 % of 500 texts held out'
    """
    said = f"after {fit.steps:,} steps the network answers as its teacher on {percent(fit.agreement or 0.0)} of "
    said += f"{fit.held_out:,} texts held out"
    if fit.agreement is not None and fit.agreement < FOLLOWS:
        said += (
            "; it cannot follow it well: more texts without labels, or --units subwords, may help, and lit-al fit RUN "
            "--deliver best takes the teacher where that is better"
        )
    return said


def estimate_words(estimate: Estimate) -> str:
    """The estimate with its interval."""
    return f"accuracy over the whole corpus, by {estimate.rows:,} random controls: {_with_interval(estimate)}"


def not_known(needs: int) -> str:
    """What is missing before there is an estimate.

    >>> not_known(1)
    'accuracy over the whole corpus: not known yet, 1 more random text is needed'
    """
    texts = "text is" if needs == 1 else "texts are"
    return f"accuracy over the whole corpus: not known yet, {needs} more random {texts} needed"


def judged_words(found: ByValidation, validation: Validation) -> list[str]:
    """The estimate by all validation rows, and by those of them that stand for the pool where not all do."""
    what = f"{found.all.rows:,} {'held-out labels' if isinstance(validation, HoldOut) else 'labels out of fold'}"
    what += f", {found.chosen:,} of them chosen" if found.chosen else ""
    lines = [f"accuracy by {what}: {_with_interval(found.all)}"]
    if found.chosen and found.drawn:
        lines.append(f"accuracy by the {found.drawn.rows:,} of them drawn at random: {_with_interval(found.drawn)}")
    return lines


def validation_words(validation: Validation) -> str:
    """What it does and costs.

    >>> validation_words(HoldOut(0.2))
    'validation: 20 % of all labels are held out, and the weights of the lowest loss on them are kept'
    """
    if isinstance(validation, HoldOut):
        return (
            f"validation: {percent(validation.share)} of all labels are held out, and the weights of the lowest loss "
            "on them are kept"
        )
    return (
        f"validation: {validation.folds} more models a round, each label predicted by the one that did not learn "
        "from it; the model itself learns from all labels"
    )


def _with_interval(estimate: Estimate) -> str:
    low, high = estimate.interval
    return f"{estimate.accuracy:.4f}, 95 % interval {low:.4f} to {high:.4f}"


def bill_words(bill: Bill) -> str:
    """What was asked, and what it came to.

    >>> bill_words(Bill(asked=110, skipped=10, wrong=7, cost=12.5))
    'bill: 110 questions, 10 skipped, 7 of 100 answers wrong, cost 12.50'
    """
    read = f", {bill.tokens:,} units read" if bill.tokens else ""
    wrong = f"{bill.labels:,} answers" if bill.wrong is None else f"{bill.wrong:,} of {bill.labels:,} answers wrong"
    return f"bill: {bill.asked:,} questions, {bill.skipped:,} skipped, {wrong}{read}, cost {bill.cost:,.2f}"
