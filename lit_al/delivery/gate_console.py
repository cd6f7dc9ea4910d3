"""What `lit-al gate` says on the console."""

from collections.abc import Iterator

from rich import get_console
from rich.console import Console
from rich.table import Table

from lit_al.criteria import TIMES
from lit_al.data.corpus import shorten
from lit_al.delivery.baseline import SHOWN, PairedComparison
from lit_al.delivery.gate import Judgement, Ruling
from lit_al.utils.terminal_text import markup

_WIDEST = 60  # letters of a text


def show(judgement: Judgement, console: Console | None = None) -> None:
    """A row for each criterion, what a comparison found, and how it went."""
    console = console or get_console()
    for note in judgement.notes:
        console.print(f"[yellow]note:[/yellow] {markup(note)}", soft_wrap=True, highlight=False)
    table = Table(title=markup(f"{judgement.rows:,} labeled texts of {judgement.source}"), title_justify="left")
    table.add_column("criterion", overflow="fold")
    for name in ("value", "95 % interval", "texts"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for verdict in judgement.verdicts:
        table.add_row(*_row(verdict))
    console.print(table)
    if judgement.comparison is not None:
        show_comparison(judgement.comparison, console)
    for line in in_words(judgement):
        console.print(markup(line), soft_wrap=True, highlight=False)


def _row(verdict: Ruling) -> list[str]:
    time = verdict.criterion.measure in TIMES
    value, low, high = (f"{one:.2f} ms" if time else f"{one:.4f}" for one in (verdict.value, verdict.low, verdict.high))
    said = "[green]holds[/green]" if verdict.holds else "[red]fails[/red]"
    return [markup(str(verdict.criterion)), value, f"{low} to {high}", f"{verdict.rows:,}", said]


def show_comparison(found: PairedComparison, console: Console, other: str = "the baseline") -> None:
    """What two models say of the same texts, and texts that they call differently."""
    console.print(markup(found.sentence(other)), soft_wrap=True, highlight=False)
    if not found.differing:
        return
    shown = found.differing[:SHOWN]
    words = f"{len(shown)} of {len(found.differing):,} texts" if len(found.differing) > SHOWN else "the texts"
    console.print(f"{words} that the two call differently, those first that were right before:", soft_wrap=True)
    table = Table()
    for name in ("text", "label", "before", "now"):
        table.add_column(name, overflow="fold")
    for one in shown:
        table.add_row(*(markup(cell) for cell in (shorten(one.text, _WIDEST), one.label, one.before, one.now)))
    console.print(table)


def in_words(judgement: Judgement) -> Iterator[str]:
    """What decides, and how it went."""
    failed = [str(verdict.criterion) for verdict in judgement.verdicts if not verdict.holds]
    by = "their values" if judgement.point else "the worse ends of their 95 % intervals"
    if not failed:
        yield f"the gate is open: all {len(judgement.verdicts)} criteria hold by {by}"
        return
    yield f"the gate is shut: {', '.join(failed)} {'do' if len(failed) > 1 else 'does'} not hold by {by}"
    close = [verdict for verdict in judgement.verdicts if not verdict.holds and verdict.criterion.holds(verdict.value)]
    if close:
        names = ", ".join(verdict.criterion.name for verdict in close)
        yield f"by the values alone {names} would hold; more held-out texts would settle it"
