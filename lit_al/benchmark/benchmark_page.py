"""The report of a benchmark, from its cells alone: verdict, curves, tables, and what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lit_al.benchmark import curve_figures
from lit_al.benchmark.comparison import Comparison, compare, full_targets, reaches, reference_target
from lit_al.benchmark.costs import costs
from lit_al.benchmark.curves import Curves, learning_curves
from lit_al.benchmark.inference import Interval, band
from lit_al.benchmark.measures import area
from lit_al.benchmark.methods import RANDOM
from lit_al.benchmark.results_table import Result, read_cells
from lit_al.benchmark.stops import stops
from lit_al.benchmark.verdict import ALIKE, Verdict, caveats, p_value, share_of, signed, three_digits, verdicts
from lit_al.metrics import Metric, percent
from lit_al.reporting import pages
from lit_al.reporting.figures import save
from lit_al.utils.folders import write_bytes
from lit_al.utils.links import check_links

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class About:
    """What was run on what.

    Attributes:
        title: of the report.
        subtitle: corpus, protocol, device, command: whatever tells this benchmark from another.
        demo: the corpus was generated.
        targets: scores whose labels are counted, besides shares of the full score; the verdict takes the first.
            Without any it takes the `reference_target` of each reference.
        metric: what curves, targets and verdict are made of.
    """

    title: str = "Which strategy saves labels?"
    subtitle: str = ""
    demo: bool = False
    targets: tuple[float, ...] = field(default=())
    metric: Metric = "accuracy"


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
    pictures: dict[str, bytes] = {}
    contents: dict[str, bytes] = {}
    for name, figure in study.figures().items():
        pictures[name] = contents[f"{name}.svg"] = save(figure, "svg")
        contents[f"{name}.png"] = save(figure, "png")
    for ending in ("html", "md"):
        contents[f"report.{ending}"] = study.report(ending, pictures).encode()
    for name, content in contents.items():
        write_bytes(folder / name, content)
    return [folder / name for name in contents]


class Table(NamedTuple):
    """A table of the report.

    Attributes:
        caption: what it shows.
        head: names of the columns.
        rows: their cells, as many as there are columns.
        texts: columns from the left that hold words; the others hold numbers.
        wide: the first column holds long texts.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    wide: bool = False


class Section(NamedTuple):
    """A section of the report.

    Attributes:
        heading: over it.
        tables: below its picture.
        picture: name of its file, without ending; "" for none.
        alt: what the picture shows, for those who do not see it.
    """

    heading: str
    tables: Sequence[Table]
    picture: str = ""
    alt: str = ""


@dataclass(frozen=True)
class Study:
    """The cells of a benchmark and all that was computed of them.

    Attributes:
        cells: as read.
        about: what was run on what.
        curves: of all strategies.
        targets: scores whose labels are counted, by what they are called.
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
        curves = learning_curves(cells, about.metric)
        targets = {f"target {share_of(goal)}": goal for goal in about.targets}
        if not targets and RANDOM in curves.scores:
            targets = {f"{RANDOM} at half its budget": reference_target(curves)}
        targets |= {f"{percent(share)} of full": goal for share, goal in full_targets(curves).items()}
        comparisons = compare(curves, about.targets or None)
        return cls(cells, about, curves, targets, comparisons)

    def figures(self) -> dict[str, "Figure"]:
        """Every picture, by file name without ending."""
        title = f"DEMO CORPUS (generated text): {self.about.subtitle}" if self.about.demo else self.about.subtitle
        return curve_figures.figures(self.curves, self.comparisons, self.targets, title)

    def report(self, ending: str, pictures: Mapping[str, bytes]) -> str:
        """The report as a text.

        Args:
            ending: `html` or `md`.
            pictures: of `figures`, in SVG; Markdown takes those beside it.
        """
        found = verdicts(self.comparisons)
        return pages.render(
            f"benchmark.{ending}",
            title=self.about.title,
            subtitle=self.about.subtitle,
            demo=self.about.demo,
            measure=self.curves.measure,
            lead=_lead(found),
            verdicts=found,
            caveats=caveats(self.curves, self.comparisons, self.cells),
            sections=[section for section in self._sections() if section.tables and section.picture in ("", *pictures)],
            pictures=pictures,
        )

    def _sections(self) -> list[Section]:
        """Those without a table, or without their picture, are left out of the report."""
        measure = self.curves.measure
        curves = f"Test {measure} of each strategy over the labels spent, with bands"
        differences = "Difference of each row to its reference, with intervals"
        needed = f"Labels that each strategy needs to reach each {measure}"
        compared = [self._difference_table(), self._budget_table()]
        return [
            Section(measure[0].upper() + measure[1:], [self._score_table()], "learning-curves", curves),
            Section("Against random picks", compared, "differences", differences),
            Section("Labels needed", [self._labels_table()], "labels-needed", needed),
            Section("Stopping rules, in shadow", self._stops()),
            Section("Batches and seconds", [self._costs_table()]),
            Section("What failed", self._failures()),
        ]

    def _score_table(self) -> Table:
        """Mean and interval at each budget."""
        rows = []
        caption = f"test {self.curves.measure}, mean over seeds and 95 % interval"
        for name, scores in self.curves.scores.items():
            estimate, low, high = band(scores)  # (B,) each
            cells = [_share_with(Interval(*found)) for found in zip(estimate, low, high, strict=True)]
            runs = int((~np.isnan(scores)).any(axis=1).sum())
            rows.append((name, str(runs), *cells))
        if self.curves.full_score is not None:
            caption += f"; full ({self.curves.full_labels:,} labels): {three_digits(self.curves.full_score)}"
        return Table(caption, ("strategy", "seeds", *(f"{labels:,}" for labels in self.curves.labels)), rows)

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
        return Table("mean over the budgets, in pairs", head, rows, texts=2)

    def _budget_table(self) -> Table:
        rows = []
        for one in self.comparisons:
            at = dict(zip(one.labels.tolist(), one.by_budget, strict=True))
            cells = [_points_with(at[labels]) if labels in at else "–" for labels in self.curves.labels.tolist()]
            rows.append((one.strategy, one.reference, *cells))
        head = ("row", "against", *(f"{labels:,}" for labels in self.curves.labels))
        caption = "points above the reference at each budget, 95 % intervals, not corrected for their number"
        return Table(caption, head, rows, texts=2)

    def _labels_table(self) -> Table:
        rows = []
        for name in self.curves.scores:
            found = [reaches(self.curves, name, goal) for goal in self.targets.values()]
            rows.append((name, *("–" if one is None else str(one) for one in found)))
        head = ("strategy", *(f"{name} ({three_digits(goal)})" for name, goal in self.targets.items()))
        return Table("labels spent until the mean curve gets there", head, rows)

    def _stops(self) -> list[Table]:
        """Stopping rules, where some were asked."""
        rows = [
            (
                name,
                rule,
                f"{found.fired} of {found.runs}",
                "–" if found.labels is None else f"{found.labels:,.0f}",
                "–" if found.change is None else signed(100 * found.change),
            )
            for name, rules in stops(self.cells, self.about.metric).items()
            for rule, found in rules.items()
        ]
        if not rows:
            return []
        caption = "where each rule would have stopped, means over the seeds that it stops; points below 0 are lost"
        head = ("row", "rule", "stops", "labels spent", "points against the last budget")
        return [Table(caption, head, rows, texts=2)]

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
        return Table(caption, (*head, "diversity", "failed"), rows)

    def _failures(self) -> list[Table]:
        if not self.curves.failed:
            return []
        rows = [(cell.error or "", cell.strategy, str(cell.seed), str(cell.round)) for cell in self.curves.failed]
        return [Table("cells that failed", ("why", "strategy", "seed", "round"), rows, texts=2, wide=True)]


def _lead(found: Sequence[Verdict]) -> str:
    """The verdict in one sentence."""
    if not found:
        return "Nothing was compared: no row and its random picks both have curves yet."
    saving = [one.strategy for one in found if one.finding == "saves" and one.family == "picks"]
    return f"Proven to save labels: {', '.join(saving)}." if saving else "No strategy is proven to save labels."


def _area(curves: Curves, strategy: str) -> str:
    """Mean area of the seeds that have the whole of the strategy's curve."""
    scores = curves.scores[strategy]
    has = ~np.isnan(scores).all(axis=0)
    areas = area(curves.labels[has], scores[:, has])
    known = areas[~np.isnan(areas)]
    return pages.share(known.mean() if known.size else None)


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
