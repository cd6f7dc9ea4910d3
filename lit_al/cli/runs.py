"""What `lit-al status` and `lit-al report` say of a folder, whatever made it: people who label, a run, a benchmark."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console

from lit_al.exceptions import ConfigError
from lit_al.record import RECORD_FILE, Record
from lit_al.utils.folders import read_results, write_text
from lit_al.utils.terminal_text import plain

if TYPE_CHECKING:
    from lit_al.annotate.report_options import ReportOptions

Kind = Literal["labeling", "run", "benchmark"]
RESULTS, CELLS, PAGE = "results.json", "cells.jsonl", "report.html"


def kind_of(folder: Path) -> Kind:
    """What made a folder.

    Raises:
        ConfigError: nothing of ours.
    """
    if (folder / RESULTS).is_file():
        return "run"  # whoever answered it
    if (folder / CELLS).is_file():
        return "benchmark"
    if (folder / RECORD_FILE).is_file():
        return "labeling"
    raise ConfigError(
        f"{folder} holds neither {RECORD_FILE}, {RESULTS} nor {CELLS}; give the folder of a run or a benchmark"
    )


def status(folder: Path) -> Iterator[str]:
    """How far it is and what to do next, for a terminal.

    Raises:
        LitALError: it cannot be read, or is none of ours.
    """
    kind = kind_of(folder)
    if kind == "labeling":
        from lit_al.annotate.findings import Findings
        from lit_al.annotate.progress import status_lines

        with Record.open(folder) as record:
            yield from map(plain, [*record.mended, *status_lines(Findings.of(record))])
    else:
        yield from map(plain, _of_run(folder) if kind == "run" else _of_benchmark(folder))


def report(asked: "ReportOptions", console: Console) -> Path:
    """The page: of a labeling run as it is now, else the one that is there, made again where it is older than its data.

    Raises:
        LitALError: the folder cannot be read or written, or is none of ours.
    """
    kind = kind_of(asked.run)
    asked.check_labeling(kind == "labeling")
    page = asked.run / PAGE
    if kind == "labeling":
        _of_labels(asked, page, console)
    elif kind == "run" and _is_old(page, asked.run / RESULTS):
        from lit_al.reporting.run_page import write_run_report

        write_run_report(asked.run)
    elif kind == "benchmark" and _is_old(page, asked.run / CELLS):
        from lit_al.benchmark.benchmark_page import write_benchmark_report

        write_benchmark_report(asked.run, _about(asked.run))
    return page


def _of_labels(asked: "ReportOptions", page: Path, console: Console) -> None:
    from lit_al.annotate.report import report_page

    suspects = None
    if asked.suspects:
        from lit_al.experiment.fit_options import SuspectsOptions
        from lit_al.experiment.suspects import found_suspects

        suspects = found_suspects(SuspectsOptions(data=str(asked.run)), console)
    with Record.open(asked.run) as record:
        write_text(page, report_page(record, suspects))


def _is_old(page: Path, data: Path) -> bool:
    return not page.is_file() or page.stat().st_mtime < data.stat().st_mtime


def _about(folder: Path) -> Any:
    """What a benchmark wrote down of itself, as far as its page says it."""
    from lit_al.benchmark.benchmark_page import About
    from lit_al.benchmark.runner import SETTINGS
    from lit_al.utils.yaml_settings import read_settings

    found = read_settings(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}
    found = found if isinstance(found, dict) else {}
    data, targets = str(found.get("data", "")), found.get("targets") or ()
    return About(subtitle=data, demo=data == "demo", targets=tuple(targets), metric=found.get("metric", "accuracy"))


def _of_run(folder: Path) -> Iterator[str]:
    results = read_results(folder)
    yield f"{folder.resolve().name}: {results['mode']} of {results['data']['source']}, {results['status']}"
    spent, rounds = results.get("labels_spent"), results.get("rounds")
    if spent:
        yield f"  labels    {spent['total']:,}" + (f", after {len(rounds):,} rounds" if rounds else "")
    judged = {"test set": results.get("test"), "cross-validation": results.get("cross_validation")}
    for what, found in judged.items():
        if found:
            middle, low, high = (100 * found[name] for name in ("accuracy", "low", "high"))
            yield f"  accuracy  {middle:.1f} % ({low:.1f} to {high:.1f} %), by {what}"
    if results.get("stop_reason"):
        yield f"  stopped   {results['stop_reason']}"
    yield f"  next      lit-al report {folder}"


def _of_benchmark(folder: Path) -> Iterator[str]:
    from lit_al.benchmark.results_table import read_cells

    cells = read_cells(folder / CELLS)
    yield f"{folder.resolve().name}: benchmark, {len(cells):,} cells so far"
    for name in dict.fromkeys(cell.strategy for cell in cells):
        own = [cell for cell in cells if cell.strategy == name]
        yield f"  {name}: {len({cell.seed for cell in own}):,} seeds, up to {max(cell.labels for cell in own):,} labels"
    yield f"  next      lit-al report {folder}"
