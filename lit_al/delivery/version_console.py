"""`lit-al models`: what it does, and what it says on the console."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from rich import get_console
from rich.console import Console

from lit_al.delivery.baseline import PairedComparison
from lit_al.delivery.delivery_options import ModelsOptions
from lit_al.delivery.gate_console import show_comparison
from lit_al.delivery.held_out import HeldOut, reading_model, said_of
from lit_al.delivery.project_versions import Version, add, keep, promote, version_of, versions_of
from lit_al.delivery.unlearned import is_labeling_run, newest_audit, of_audit, present_classes, since, together
from lit_al.exceptions import ConfigError
from lit_al.loop.estimation import LEAST
from lit_al.models.model_registry import ModelRegistry, model_of
from lit_al.record import Record
from lit_al.utils.folders import write_text
from lit_al.utils.readers import shown
from lit_al.utils.terminal_text import markup

_SHOWN = 8  # digits of a fingerprint
_HEADS = ("version", "made (UTC)", "by", "labels", "whose sha256", "accuracy", "judged by", "")


def manage(asked: ModelsOptions, console: Console | None = None) -> None:
    """Do what is asked, and say what was done.

    Raises:
        LitALError: it cannot be done; nothing was then.
    """
    console = console or get_console()
    if asked.do == "compare":
        _compare(asked, console)
        return
    if asked.do == "list":
        _list(asked, console)
        return
    for line in _done(asked):
        console.print(markup(line), soft_wrap=True, highlight=False)


def _done(asked: ModelsOptions) -> Iterator[str]:
    run, registry = asked.run, ModelRegistry(asked.run)
    if asked.do == "add":
        number = add(run, Path(str(asked.first)))
        yield f"{asked.first} is version {number} of {run}; into production: lit-al models {run} promote {number}"
        return
    before = registry.production
    if asked.do == "rollback":
        yield f"version {registry.rollback()} of {run} is in production again, instead of version {before}"
        return
    [number] = asked.numbers
    if asked.do == "keep":
        kept = keep(run, number)
        yield f"version {number} of {run} is kept" + ("" if kept else " already")
        return
    promote(run, number)
    was = f", instead of version {before}" if before is not None else ""
    yield f"version {number} of {run} is in production" + (" already" if before == number else was)


# --- List -------------------------------------------------------------------------------------------------------------


def _list(asked: ModelsOptions, console: Console) -> None:
    versions = versions_of(asked.run)
    if asked.json is not None:
        history = [vars(one) for one in ModelRegistry(asked.run).history()]
        found = {"schema": 1, "versions": [one.described() for one in versions], "history": history}
        write_text(asked.json, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    if not versions:
        console.print(markup(f"{asked.run} has no model yet"), soft_wrap=True, highlight=False)
        return
    for line in _aligned([_HEADS, *(tuple(_row(version)) for version in versions)]):
        console.print(markup(line), soft_wrap=True, highlight=False)
    classes = list(dict.fromkeys(tuple(version.facts["classes"]) for version in versions))
    for names in classes:
        of = f"version {_with(names, versions)}: " if len(classes) > 1 else ""
        console.print(markup(f"{of}{len(names)} classes: {shown(names)}"), soft_wrap=True, highlight=False)


def _with(classes: tuple[str, ...], versions: Sequence[Version]) -> str:
    """Numbers of the versions that know these classes."""
    return ", ".join(str(version.number) for version in versions if tuple(version.facts["classes"]) == classes)


def _row(version: Version) -> Iterator[str]:
    facts = version.facts
    yield str(version.number)
    yield facts["made"][:16].replace("T", " ")
    yield facts["by"]
    yield f"{facts['labels']:,}" if facts["labels"] else "–"
    yield facts["fingerprint"][:_SHOWN] or "–"
    figures = facts["figures"]
    yield f"{figures['accuracy']:.3f} ({figures['low']:.3f} to {figures['high']:.3f})" if figures else "–"
    yield f"{figures['by']}, {figures['rows']:,}" if figures else "–"
    marks = {"production": version.in_production, "kept": version.kept, "deleted": not version.there}
    yield next((name for name, holds in marks.items() if holds), "")


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Lines of a table, however wide it is: what a narrow terminal breaks can still be copied and searched."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


# --- Compare ----------------------------------------------------------------------------------------------------------


def _compare(asked: ModelsOptions, console: Console) -> None:
    one, other = (version_of(asked.run, number) for number in asked.numbers)
    held, comparison = compared(asked, one, other)
    for note in held.notes:
        console.print(f"[yellow]note:[/yellow] {markup(note)}", soft_wrap=True, highlight=False)
    console.print(markup(f"{len(held.texts):,} labeled texts of {held.source}"), soft_wrap=True, highlight=False)
    console.print(f"version {one.number}: accuracy {(comparison.both + comparison.lost) / comparison.rows:.4f}; "
                  f"version {other.number}: {(comparison.both + comparison.gained) / comparison.rows:.4f}",
                  soft_wrap=True, highlight=False)  # fmt: skip
    console.print(f"version {other.number} ", end="", highlight=False)
    show_comparison(comparison, console, f"version {one.number}")
    if asked.json is not None:
        facts = {"schema": 1, "before": one.number, "now": other.number, "data": held.source, "rows": comparison.rows}
        found = {**facts, **comparison.described()}
        write_text(asked.json, json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def compared(asked: ModelsOptions, one: Version, other: Version) -> tuple[HeldOut, PairedComparison]:
    """Two versions, the second against the first, on texts that neither has learned.

    Raises:
        LitALError: there are no such texts, or models or texts cannot be read.
    """
    before, now = (reading_model(model_of(asked.run, version.number)) for version in (one, other))
    names_before, names = list(before.classes), list(now.classes)
    if asked.data is not None:
        held = HeldOut.read(asked, names)
    elif is_labeling_run(asked.run):
        with Record.open(asked.run) as record:
            names_before = present_classes(record, names_before, one.facts.get("seen"))
            names = present_classes(record, names, other.facts.get("seen"))
            held = _unlearned(record, one, other, names)
    else:
        raise ConfigError(
            f"{asked.run} has no labels of its own; give --data with labeled texts that neither has learned"
        )
    said, said_before = said_of(now, held.texts), said_of(before, held.texts)
    return held, PairedComparison.of(held, names, said, names_before, said_before)


def _unlearned(record: Record, one: Version, other: Version, classes: Sequence[str]) -> HeldOut:
    """Labels of the run itself that neither has learned: of an audit, and of texts that chance chose since."""
    run, seen = record.path.parent, [version.facts.get("seen") for version in (one, other)]
    audit = newest_audit(run, [one.facts, other.facts])
    known = [number for number in seen if number is not None]
    later = since(record, max(known), classes) if len(known) == len(seen) else None
    held = together(of_audit(record, audit, classes), later) if audit else later
    rows = len(held.texts) if held else 0
    if held is None or rows < LEAST:
        raise ConfigError(
            f"{rows} labels of {run} are of texts that chance chose and that neither version has learned, fewer than "
            f"{LEAST}; give --data, or draw an audit: lit-al gate {quote(str(run))} --audit 200"
        )
    return held
