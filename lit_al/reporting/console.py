"""What a run says on the console: a summary first, a line per epoch, a block per round, the test line last."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.utilities.model_summary.model_summary import summarize
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress as Bar
from rich.table import Table

from lit_al.data import Corpus, PartDuplicates
from lit_al.data.split import Split
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round
from lit_al.metrics import RARE, Confusion, Evaluation
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.training.history import Epoch
from lit_al.utils.readers import shown
from lit_al.utils.terminal_text import markup

MANY = 10  # more classes than this are not listed one by one on a line
WORST = 5  # classes shown of those that a model finds worst; report.html has all

FLAWS = {
    ("steer_on", "test"): "steers by the test set, so that its test figure is optimistic",
    ("pool_classes", "true"): "splits the pool by labels that nobody has paid for",
    ("ratio_direction", "as-coded"): "swaps FN and FP against the page's own formula",
}


def flaws(settings: Mapping[str, str | None]) -> list[str]:
    """What is wrong with the protocol of a run, one clause each; settings that do not apply are None."""
    return [text for (name, value), text in FLAWS.items() if settings.get(name) == value]


class ProgressBar(RichProgressBar):
    """Lightning's bar, with as many metrics as fit on a line; the line of an epoch has the others."""

    def get_metrics(
        self, trainer: L.Trainer, pl_module: L.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Loss of the last epoch and accuracy on the validation set, where they are known."""
        found = super().get_metrics(trainer, pl_module)
        return {name: found[name] for name in ("loss", "val_accuracy") if name in found}


class RunConsole:
    """Prints a run on a console.

    Args:
        console: where to.
        classes: C class names.

    Attributes:
        classes: as they are printed.
    """

    def __init__(self, console: Console, classes: Sequence[str]) -> None:
        self.console = console
        self.classes, self._names = tuple(map(markup, classes)), tuple(classes)

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar for a task of so many texts; it goes away when the task is done."""
        with Bar(console=self.console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda number: bar.advance(task, number)

    def demo_banner(self, corpus: Corpus) -> None:
        """Say loudly that nothing here is real."""
        if corpus.is_demo:
            source = markup(corpus.source)
            text = f"[bold]DEMO CORPUS[/bold]: {source}. These reviews are generated; no figure is one of IMDB."
            self.console.print(Panel(text, border_style="red", style="red"))

    def data(self, corpus: Corpus, split: Split, duplicates: Mapping[str, PartDuplicates]) -> None:
        """Counts of the corpus and of its parts."""
        title = f"{markup(corpus.source)}: {len(corpus):,} rows, fingerprint {corpus.fingerprint[:12]}"
        table = Table(title=title, title_justify="left")
        table.add_column("part", no_wrap=True)
        for heading in ("rows", *self.classes, "no label", "copies inside", "copies elsewhere"):
            table.add_column(heading, justify="right")
        for part, rows in split.parts.items():
            labels = corpus.labels[rows]
            counts = [int((labels == index).sum()) for index in (*range(len(self.classes)), -1)]
            copies = duplicates[part]
            table.add_row(part, *(f"{count:,}" for count in (len(rows), *counts, copies.inside, copies.elsewhere)))
        self.console.print(table)
        for note in (*corpus.notes, *split.notes):
            self.console.print(f"[yellow]note:[/yellow] {markup(note)}", soft_wrap=True)

    def copies(self, corpus: Corpus, *, once: bool, dropped: bool) -> None:
        """How many texts are copies of others, and what becomes of them.

        Args:
            corpus: with them.
            once: of each group one is asked and learned from.
            dropped: those that are alike to the letter are left out.
        """
        fate = "asked once, never over two parts" if once else "never over two parts"
        fate = "over the parts, as in the example" if corpus.is_example else fate
        way = (
            "those alike to the letter are left out"
            if dropped
            else "--drop-duplicates leaves out those alike to the letter"
        )
        if words := corpus.grouped.sentence(f"{fate}; {way}"):
            self.console.print(markup(words), soft_wrap=True, highlight=False)

    def flaws(self, clauses: Sequence[str]) -> None:
        """What is wrong with the protocol used, in one line."""
        if clauses:
            self.console.print(f"[yellow]this protocol[/yellow] {'; '.join(clauses)}", soft_wrap=True)

    def model(self, model: L.LightningModule) -> None:
        """The layers and their parameters."""
        total = sum(parameter.numel() for parameter in model.parameters())
        table = Table(title=f"{type(model).__name__}: {total:,} parameters", title_justify="left")
        for heading in ("layer", "type", "parameters"):
            table.add_column(heading, justify="right" if heading == "parameters" else "left")
        summary = summarize(model, max_depth=2)
        for name, kind, count in zip(summary.layer_names, summary.layer_types, summary.param_nums, strict=True):
            if name.startswith("net.") or not isinstance(model, LitBiLSTM):
                table.add_row(name.removeprefix("net."), kind, f"{count:,}")
        self.console.print(table)

    def epoch(self, epoch: Epoch) -> None:
        """One line."""
        self.console.print(
            f"fit {epoch.fit + 1} epoch {epoch.epoch + 1:2d}  loss {epoch.loss:.4f} acc {_known(epoch.accuracy)}"
            f"  val loss {_known(epoch.val_loss)} acc {_known(epoch.val_accuracy)}"
            f"  {epoch.samples / epoch.seconds:6,.0f} texts/s",
            highlight=False,
            soft_wrap=True,
        )

    def round(self, done: Round, steer_on: str) -> None:
        """One block: errors, shares, what was taken, as it is and as the model saw it."""
        steering, query, classes = done.steering, done.query, len(self.classes)
        assert steering is not None  # the example's loop judges before it chooses
        lines = [
            f"{steer_on} set: accuracy {steering.accuracy:.4f}, {self.errors(steering.confusion)}",
            f"chosen by {markup(query.strategy)}{self._controls(query)}",
            f"taken: {self._counts(query.taken(classes))}; predicted: {self._counts(query.called(classes))}",
            f"{done.labels:,} training labels now, {done.seconds.total:.1f} s",
        ]
        if query.choice.shares:
            lines.insert(2, "shares: " + self._by_class([f"{share:.4f}" for share in query.choice.shares]))
        if done.warning:
            lines.append(f"[yellow]warning:[/yellow] {markup(done.warning)}")
        if query.choice.short:
            lines.append("[yellow]the pool ran short: this round took what was left, and is the last[/yellow]")
        self.console.print(Panel("\n".join(lines), title=f"round {done.number}", title_align="left"))

    def page(self, path: Path) -> None:
        """Where the report for a browser is."""
        self.console.print(f"report: {markup(path)}", soft_wrap=True, highlight=False)

    def test(self, found: Evaluation) -> None:
        """The last line of a run, below the classes that accuracy hides where there are many or they are uneven."""
        confusion = found.confusion
        low, high = confusion.interval
        if len(self.classes) > 2 or confusion.uneven:
            self._worst(confusion)
        self.console.print(
            f"[bold]test: loss {found.loss:.4f}, accuracy {found.accuracy:.4f} "
            f"(95 % interval {low:.4f} to {high:.4f}), macro-F1 {found.macro_f1:.4f}, "
            f"{self.errors(confusion)}[/bold]",
            soft_wrap=True,
        )

    def _worst(self, confusion: Confusion) -> None:
        """The classes of lowest F1, and those with too few test rows to say anything of."""
        judged = np.flatnonzero(confusion.support)
        worst = judged[np.argsort(confusion.f1[judged], kind="stable")][:WORST]
        table = Table(title=f"lowest F1 in the test: {len(worst)} of {len(self.classes)} classes", title_justify="left")
        for heading in ("class", "rows", "precision", "recall", "F1"):
            table.add_column(heading, justify="left" if heading == "class" else "right")
        for index in worst:
            shares = (column[index] for column in (confusion.precision, confusion.recall, confusion.f1))
            table.add_row(self.classes[index], f"{confusion.support[index]:,}", *(f"{share:.3f}" for share in shares))
        self.console.print(table)
        if rare := [self._names[index] for index in np.flatnonzero(confusion.support < RARE)]:
            words = f"too rare to judge, with fewer than {RARE} test rows: {shown(rare)}"
            self.console.print(markup(words), soft_wrap=True, highlight=False)

    def errors(self, confusion: Confusion) -> str:
        """False negatives and positives; with more than two classes, those of each, or of very many their number."""
        if len(self.classes) == 2:
            return f"FN {confusion.false_negatives:,}, FP {confusion.false_positives:,}"
        if len(self.classes) > MANY:
            return f"{confusion.false_negatives:,} of {confusion.rows:,} wrong"
        pairs = zip(self.classes, confusion.missed, confusion.claimed, strict=True)
        return "; ".join(f"{name}: FN {missed:,}, FP {claimed:,}" for name, missed, claimed in pairs)

    def _controls(self, query: Query) -> str:
        controls = int(query.choice.controls.sum())
        return f", {controls:,} of them random controls" if controls else ""

    def _counts(self, counts: Sequence[int]) -> str:
        return self._by_class([f"{count:,}" for count in counts])

    def _by_class(self, values: Sequence[str]) -> str:
        return ", ".join(f"{name} {value}" for name, value in zip(self.classes, values, strict=False))


def comparison_table(full: Mapping[str, Any], active: Mapping[str, Any]) -> Table:
    """The page's conclusion: what the same test set says of the two."""
    table = Table(title="full against active, same split and seed", title_justify="left")
    table.add_column("")
    names = ("training labels", "all labels", "accuracy", "macro-F1", "FN", "FP", "loss", "seconds")
    rows: dict[str, list[str]] = {name: [] for name in names}
    for name, part in (("full", full), ("active", active)):
        table.add_column(name, justify="right")
        test, spent = part["test"], part["labels_spent"]
        rows["training labels"].append(f"{spent['train']:,}")
        rows["all labels"].append(f"{spent['total']:,}")
        rows["accuracy"].append(f"{test['accuracy']:.4f} ({test['low']:.4f} to {test['high']:.4f})")
        rows["macro-F1"].append(_known(test.get("macro_f1")).strip())  # a run finished by an older version has none
        rows["FN"].append(f"{test['false_negatives']:,}")
        rows["FP"].append(f"{test['false_positives']:,}")
        rows["loss"].append(f"{test['loss']:.4f}")
        rows["seconds"].append(f"{part['wall_seconds']:.0f}")
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table


def conclusion(full: Mapping[str, Any], active: Mapping[str, Any]) -> str:
    """What the difference between the two runs is worth, in words."""
    gap = full["test"]["accuracy"] - active["test"]["accuracy"]
    error = (full["test"]["standard_error"] ** 2 + active["test"]["standard_error"] ** 2) ** 0.5
    saved = full["labels_spent"]["total"] - active["labels_spent"]["total"]
    verdict = "within the noise of one test set" if abs(gap) < 2 * error else "more than the noise of one test set"
    labels = f"{saved:,} fewer" if saved > 0 else "no fewer" if saved == 0 else f"{-saved:,} more"
    return (
        f"active is {abs(gap):.4f} {'below' if gap > 0 else 'above'} full, {verdict} (standard error of the difference "
        f"at most {error:.4f}), with {labels} labels in all. One seed says no more, and neither run was compared with "
        "random picks."
    )


def _known(value: float | None) -> str:
    return "   –  " if value is None else f"{value:.4f}"
