"""What `lit-al drift` says on the console."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from rich import get_console
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lit_al.delivery.drift_options import DriftOptions
from lit_al.delivery.watching import DriftReport, Watch, unknown_share
from lit_al.drift.shifts import Shift
from lit_al.utils.terminal_text import markup

_SHOWN = 8  # words that have changed


def show(report: DriftReport, asked: DriftOptions, console: Console | None = None) -> None:
    """A row for each question, the words that have changed, the guess, and how it went."""
    console = console or get_console()
    for note in report.notes:
        console.print(f"[yellow]note:[/yellow] {markup(note)}", soft_wrap=True, highlight=False)
    before, now = report.reference.counts, report.now
    title = f"{now.texts:,} texts of {report.source}, held against {report.reference.by}"
    table = Table(title=markup(title), title_justify="left")
    table.add_column("question")
    for name in ("PSI", "by chance", "p", "p of all tests"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for shift in report.shifts:
        said = _verdict(shift, asked, exact=report.reference.exact)
        table.add_row(shift.question, number(shift.psi), number(shift.by_chance), p(shift.p), p(shift.corrected), said)
    console.print(table)
    for line in in_words(report, asked):
        console.print(markup(line), soft_wrap=True, highlight=False)
    console.print(f"unknown words: {unknown_share(before):.2%} before, {unknown_share(now):.2%} now", highlight=False)


def _verdict(shift: Shift, asked: DriftOptions, *, exact: bool) -> str:
    if shift.alarms(asked.alarm, asked.alarm_psi, exact=exact):
        return f"[red]shifted[/red]{f', {shift.size}' if shift.size else ''}"
    if shift.question == "confidence" and not exact:
        return "not judged"  # see `Shift.alarms`
    return "shifted, no alarm" if shift.corrected < asked.alarm else "[green]as before[/green]"


def in_words(report: DriftReport, asked: DriftOptions) -> Iterator[str]:
    """What has changed, what it may have cost, and what to do next."""
    if report.words:
        more = f", … ({len(report.words):,})" if len(report.words) > _SHOWN else ""
        yield f"words that have changed: {', '.join(used(report, _SHOWN))}{more}"
    if report.guess is not None:
        yield (
            f"accuracy: {report.guess.before:.3f} on {report.guess.rows:,} labels of before; guessed at "
            f"{report.guess.doc:.3f} now, from how sure the model is: only labels know"
        )
    if asked.to_label is not None:
        yield f"texts to label next: {len(report.chosen):,} in {asked.to_label}; those drawn by chance judge"
    yield f"ALARM: {'; '.join(report.alarms)}" if report.alarms else "no alarm"


def used(report: DriftReport, most: int) -> Iterator[str]:
    """Words that have changed, with the shares of texts that hold them."""
    for one in report.words[:most]:
        yield f"{report.spelled[one.word]} ({one.before:.1%} → {one.now:.1%})"


def number(value: float) -> str:
    """Of an index; there is none of words.

    >>> number(0.1234), number(float("nan"))
    ('0.123', '–')
    """
    return "–" if np.isnan(value) else f"{value:.3f}"


def p(value: float) -> str:
    """A p-value.

    >>> p(0.034), p(1e-9)
    ('0.034', '< 0.001')
    """
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


@contextmanager
def bars() -> Iterator[Watch]:
    """A bar for each set of texts that is read, beside the output, where somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def begin(doing: str, total: int) -> Callable[[int], object]:
            task = progress.add_task(doing, total=total)
            return lambda texts: progress.advance(task, texts)

        yield begin
