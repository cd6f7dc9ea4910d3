"""The report of a benchmark, from its cells alone: verdict, curves, tables, and what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lit_al.benchmark import curve_figures as pictures
from lit_al.benchmark.comparison import Comparison, compare, full_targets, reaches, reference_target
from lit_al.benchmark.costs import costs
from lit_al.benchmark.curves import Curves, learning_curves
from lit_al.benchmark.inference import Interval, band
from lit_al.benchmark.measures import area
from lit_al.benchmark.methods import RANDOM
from lit_al.benchmark.results_table import Result, read_cells
from lit_al.benchmark.stops import stops
from lit_al.benchmark.verdict import ALIKE, Finding, caveats, p_value, share_of, signed, three_digits, verdicts
from lit_al.metrics import percent
from lit_al.reporting import html, markdown
from lit_al.reporting.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table, Tone
from lit_al.reporting.figures import save
from lit_al.utils.folders import write_bytes, write_text
from lit_al.utils.links import check_links

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TONES: dict[Finding, Tone] = {"saves": "good", "better": "good", "open": "open", "worse": "bad", "costs": "bad"}
_ALT = {
    "learning-curves": "Test accuracy of each strategy over the labels spent, with bands",
    "differences": "Difference of each row to its reference, with intervals",
    "labels-needed": "Labels that each strategy needs to reach each accuracy",
}
_METHOD = (
    "A seed is a pair: every row starts from the same split, first labels and initial weights. It is compared with "
    "random picks under the same training; random picks under another training are compared with random. Budgets are "
    "labels spent, validation and steering included. The mean over the budgets is the area under the curve over log "
    "labels. Intervals are bootstrapped over paired seeds (expanded percentiles); p is that of the signed-rank test "
    "(Wilcoxon) on the areas, two-sided, corrected by Holm over the rows of a family: those that differ by their picks "
    "and those that differ by their training. A difference is claimed only where the interval excludes 0 and the "
    "corrected p is under .05. Labels needed are read off the mean curves."
)


@dataclass(frozen=True)
class About:
    """What was run on what.

    Attributes:
        title: of the report.
        subtitle: corpus, protocol, device, command: whatever tells this benchmark from another.
        demo: the corpus was generated.
        targets: accuracies whose labels are counted, besides shares of the full score; the verdict takes the first.
            Without any it takes the `reference_target` of each reference.
    """

    title: str = "Which strategy saves labels?"
    subtitle: str = ""
    demo: bool = False
    targets: tuple[float, ...] = field(default=())


def write_benchmark_report(folder: Path, about: About | None = None) -> list[Path]:
    """Read `cells.jsonl` of a folder; write `report.html`, `report.md`, and each picture as SVG and PNG.

    Returns:
        The files written.

    Raises:
        DataError: no cells, or broken ones.
        RunError: the folder cannot be written, or a file in it is a symbolic link.
    """
    check_links(folder)
    cells = read_cells(folder / "cells.jsonl")
    study = Study.of(cells, about or About())
    drawn, written = study.figures(), []
    for name, figure in drawn.items():
        for ending in ("svg", "png"):
            written.append(folder / f"{name}.{ending}")
            write_bytes(written[-1], save(figure, ending))
    document = study.document(drawn)
    for name, text in (("report.html", html.render(document)), ("report.md", markdown.render(document))):
        written.append(folder / name)
        write_text(written[-1], text)
    return written


@dataclass(frozen=True)
class Study:
    """The cells of a benchmark and all that was computed of them.

    Attributes:
        cells: as read.
        about: what was run on what.
        curves: of all strategies.
        targets: accuracies whose labels are counted, by what they are called.
        comparisons: of rows with their references.
    """

    cells: Sequence[Result]
    about: About
    curves: Curves
    targets: dict[str, float]
    comparisons: list[Comparison]

    @classmethod
    def of(cls, cells: Sequence[Result], about: About) -> "Study":
        """Compute everything once."""
        curves = learning_curves(cells)
        targets = {f"target {share_of(goal)}": goal for goal in about.targets}
        if not targets and RANDOM in curves.accuracy:
            targets = {f"{RANDOM} at half its budget": reference_target(curves)}
        targets |= {f"{percent(share)} of full": goal for share, goal in full_targets(curves).items()}
        comparisons = compare(curves, about.targets or None)
        return cls(cells, about, curves, targets, comparisons)

    def figures(self) -> dict[str, "Figure"]:
        """Every picture, by file name without ending."""
        title = f"DEMO CORPUS (generated text): {self.about.subtitle}" if self.about.demo else self.about.subtitle
        return pictures.figures(self.curves, self.comparisons, self.targets, title)

    def document(self, figures: Mapping[str, "Figure"]) -> Document:
        """The report, with the pictures that `figures` has drawn."""
        drawn = {name: Picture(name, _ALT[name], save(figure, "svg")) for name, figure in figures.items()}
        blocks: list[Block] = [*self._verdict(), Heading("Accuracy"), drawn["learning-curves"], self._accuracy_table()]
        if self.comparisons:
            blocks += [Heading("Against random picks"), drawn["differences"]]
            blocks += [self._difference_table(), self._budget_table()]
        if "labels-needed" in drawn:
            blocks += [Heading("Labels needed"), drawn["labels-needed"], self._labels_table()]
        blocks += [*self._stops(), Heading("Batches and seconds"), self._costs_table(), *self._failures()]
        blocks += [Heading("How this was computed"), Paragraph(_METHOD, "small")]
        return Document(self.about.title, self.about.subtitle, blocks, self.about.demo)

    def _verdict(self) -> list[Block]:
        found = verdicts(self.comparisons)
        saving = [one.strategy for one in found if one.finding == "saves" and one.family == "picks"]
        lead = f"Proven to save labels: {', '.join(saving)}." if saving else "No strategy is proven to save labels."
        if not found:
            lead = "Nothing was compared: no row and its random picks both have curves yet."
        notes = caveats(self.curves, self.comparisons, self.cells)
        sentences = [Paragraph(one.text, _TONES[one.finding]) for one in found]
        return [Heading("Verdict"), Paragraph(lead, "lead"), *sentences, *([Bullets(tuple(notes))] if notes else [])]

    def _accuracy_table(self) -> Table:
        """Mean and interval at each budget."""
        rows = []
        for name, accuracy in self.curves.accuracy.items():
            estimate, low, high = band(accuracy)  # (B,) each
            cells = [_share_with(Interval(*found)) for found in zip(estimate, low, high, strict=True)]
            runs = int((~np.isnan(accuracy)).any(axis=1).sum())
            rows.append((name, str(runs), *cells))
        if self.curves.full_score is not None:
            full = f"full ({self.curves.full_labels:,} labels): {three_digits(self.curves.full_score)}"
            caption = f"test accuracy, mean over seeds and 95 % interval; {full}"
        else:
            caption = "test accuracy, mean over seeds and 95 % interval"
        return Table(caption, ("strategy", "seeds", *(f"{labels:,}" for labels in self.curves.labels)), tuple(rows))

    def _difference_table(self) -> Table:
        rows = [
            (
                one.strategy,
                one.reference,
                str(one.pairs),
                _area(self.curves, one.strategy),
                signed(100 * one.difference.estimate),
                _ends(one.difference),
                p_value(one.p).removeprefix("= "),
                p_value(one.corrected).removeprefix("= "),
                _saved(one),
            )
            for one in sorted(self.comparisons, key=lambda one: (one.family, -one.difference.estimate))
        ]
        head = ("row", "against", "pairs", "area", "points", "95 % interval", "p", "Holm p", "labels saved")
        return Table("mean over the budgets, in pairs", head, tuple(rows), texts=2)

    def _budget_table(self) -> Table:
        rows = []
        for one in self.comparisons:
            at = dict(zip(one.labels.tolist(), one.by_budget, strict=True))
            cells = [_points_with(at[labels]) if labels in at else "–" for labels in self.curves.labels.tolist()]
            rows.append((one.strategy, one.reference, *cells))
        head = ("row", "against", *(f"{labels:,}" for labels in self.curves.labels))
        caption = "points above the reference at each budget, 95 % intervals, not corrected for their number"
        return Table(caption, head, tuple(rows), texts=2)

    def _labels_table(self) -> Table:
        rows = []
        for name in self.curves.accuracy:
            found = [reaches(self.curves, name, accuracy) for accuracy in self.targets.values()]
            rows.append((name, *("–" if one is None else str(one) for one in found)))
        head = ("strategy", *(f"{name} ({three_digits(goal)})" for name, goal in self.targets.items()))
        return Table("labels spent until the mean curve gets there", head, tuple(rows))

    def _stops(self) -> list[Block]:
        """Stopping rules, where some were asked."""
        rows = [
            (
                name,
                rule,
                f"{found.fired} of {found.runs}",
                "–" if found.labels is None else f"{found.labels:,.0f}",
                "–" if found.change is None else signed(100 * found.change),
            )
            for name, rules in stops(self.cells).items()
            for rule, found in rules.items()
        ]
        if not rows:
            return []
        caption = "where each rule would have stopped, means over the seeds that it stops; points below 0 are lost"
        head = ("row", "rule", "stops", "labels spent", "points against the last budget")
        return [Heading("Stopping rules, in shadow"), Table(caption, head, tuple(rows), texts=2)]

    def _costs_table(self) -> Table:
        rows = [
            (
                name,
                *(_seconds(value) for value in (cost.fit_seconds, cost.score_seconds, cost.select_seconds)),
                *(percent(value) if value is not None else "–" for value in (cost.predicted, cost.taken, cost.worst)),
                f"{cost.diversity:.3f}" if cost.diversity is not None else "–",
                f"{cost.failed} of {cost.cells}",
            )
            for name, cost in costs(self.cells).items()
        ]
        head = ("strategy", "fit s", "score s", "select s", "commonest class, predicted", "true", "worst batch")
        caption = "means per round; share of the commonest class in a batch; diversity as the runner measures it"
        return Table(caption, (*head, "diversity", "failed"), tuple(rows))

    def _failures(self) -> list[Block]:
        if not self.curves.failed:
            return []
        rows = [(cell.error or "", cell.strategy, str(cell.seed), str(cell.round)) for cell in self.curves.failed]
        table = Table(
            "cells without an accuracy", ("why", "strategy", "seed", "round"), tuple(rows), texts=2, wide=True
        )
        return [Heading("What failed"), table]


def _area(curves: Curves, strategy: str) -> str:
    """Mean area of the seeds that have the whole of the strategy's curve."""
    accuracy = curves.accuracy[strategy]
    has = ~np.isnan(accuracy).all(axis=0)
    areas = area(curves.labels[has], accuracy[:, has])
    known = areas[~np.isnan(areas)]
    return f"{known.mean():.4f}".removeprefix("0") if known.size else "–"


def _share_with(interval: Interval) -> str:
    if np.isnan(interval.estimate):
        return "–"
    mean = three_digits(interval.estimate)
    if not np.isfinite(interval.low):
        return mean
    if interval.low == interval.high:
        return f"{mean} ({ALIKE})"
    return f"{mean} ({three_digits(interval.low)} to {three_digits(interval.high)})"


def _points_with(interval: Interval) -> str:
    ends = f" ({_ends(interval)})" if np.isfinite(interval.low) else ""
    return signed(100 * interval.estimate) + ends


def _ends(interval: Interval) -> str:
    if not np.isfinite(interval.low):
        return "–"
    return ALIKE if interval.low == interval.high else f"{signed(100 * interval.low)} to {signed(100 * interval.high)}"


def _saved(comparison: Comparison) -> str:
    """Share of the labels saved on the way to the first target."""
    if not comparison.savings:
        return "–"
    target, share = share_of(comparison.savings[0].target), comparison.savings[0].share
    estimate = "open" if np.isnan(share.estimate) else percent(share.estimate)
    low, high = (percent(end) if np.isfinite(end) else "no bound" for end in (share.low, share.high))
    return f"to {target}: {estimate} ({low} to {high})"


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"
