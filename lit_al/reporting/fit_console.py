"""What `lit-al fit` says on the console."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from rich.console import Console
from rich.table import Table

from lit_al.data import Corpus
from lit_al.metrics import RARE, Evaluation, percent
from lit_al.reporting.console import MANY, RunConsole
from lit_al.typing import UNLABELED
from lit_al.utils.readers import shown
from lit_al.utils.terminal_text import markup


class FitWords:
    """Prints a fit.

    Args:
        console: where to.
    """

    def __init__(self, console: Console) -> None:
        self.console = console

    def _say(self, words: str) -> None:
        self.console.print(words, soft_wrap=True, highlight=False)

    def begin(self, corpus: Corpus, notes: Sequence[str]) -> None:
        """What is learned from."""
        RunConsole(self.console, corpus.classes).demo_banner(corpus)
        labels = corpus.labels[corpus.labels != UNLABELED]
        each = ", ".join(f"{name} {(labels == index).sum():,}" for index, name in enumerate(corpus.classes))
        counted = each if len(corpus.classes) <= MANY else f"{len(corpus.classes)} classes"
        rest = len(corpus) - len(labels)
        more = f"; {rest:,} texts more without a label, which it reads too" if rest else ""
        self._say(markup(f"learns from all {len(labels):,} labels of {corpus.source} ({counted}){more}"))
        copies = corpus.grouped.sentence("never in the fold that judges them")
        for note in (*corpus.notes, *notes, *([copies] if copies else [])):
            self._say(f"[yellow]note:[/yellow] {markup(note)}")

    def learned(self, reading: str, notes: Sequence[str]) -> None:
        """How the texts are read, and what could not be learned from them."""
        if reading:
            self._say(markup(reading))
        for note in notes:
            self._say(f"[yellow]note:[/yellow] {markup(note)}")

    def end(
        self, results: Mapping[str, Any], judged: Evaluation | None, delivered: str, page: Path, version: str = ""
    ) -> None:
        """How good the model is, where it is, and what to do with it."""
        if judged is not None:
            self._judged(results, judged)
        if delivered:
            self._say(markup(delivered))
        for flaw in results["flaws"]:
            self._say(f"[yellow]this fit[/yellow] {markup(flaw)}")
        self._say(f"report: {markup(page)}")
        if version:
            self._say(markup(version))
        command = f"lit-al predict {quote(str(page.parent))} --data new.csv --to labeled.csv"
        self._say(f"classify new texts with: {markup(command)}")

    def _judged(self, results: Mapping[str, Any], judged: Evaluation) -> None:
        confusion, classes, found = judged.confusion, results["data"]["classes"], results["cross_validation"]
        table = Table(title="each label as a model called it that had not learned it", title_justify="left")
        few = len(classes) <= MANY
        heads = ("class", "labels", "precision", "recall", "F1", *(f"as {name}" for name in classes if few))
        for head in heads:
            table.add_column(markup(head), justify="left" if head == "class" else "right")
        for index, name in enumerate(classes):
            shares = (column[index] for column in (confusion.precision, confusion.recall, confusion.f1))
            row = [f"{number:,}" for number in confusion.matrix[index].tolist()] if few else []
            cells = (f"{confusion.support[index]:,}", *(f"{share:.3f}" for share in shares), *row)
            table.add_row(markup(name), *cells)
        self.console.print(table)
        if rare := [name for name, n in zip(classes, confusion.support, strict=True) if n < RARE]:
            self._say(markup(f"too rare to judge, with fewer than {RARE} labels: {shown(rare)}"))
        low, high = confusion.interval
        self._say(
            f"[bold]cross-validated: accuracy {judged.accuracy:.4f} (95 % interval {low:.4f} to {high:.4f}), macro-F1 "
            f"{judged.macro_f1:.4f} ({found['macro_f1_low']:.4f} to {found['macro_f1_high']:.4f}), by "
            f"{results['folds']} models, each of which learned {percent(1 - 1 / results['folds'])} of the labels[/bold]"
        )
        if drawn := found["drawn"]:
            self._say(
                f"of these, the {drawn['rows']:,} that chance asked for: accuracy {drawn['accuracy']:.4f} "
                f"({drawn['low']:.4f} to {drawn['high']:.4f}), as of all texts"
            )
