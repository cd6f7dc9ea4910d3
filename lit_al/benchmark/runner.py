"""`lit-al benchmark`: fill the table, cell by cell, and write the report.

After each round the state of its loop is saved beside the table: a benchmark that was killed goes on after the last
whole cell, to the same table. Cells are computed here, or on a cluster (`distributed`); the table is written here.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lit_al.benchmark.bench import Bench, Group, State, Step, check_row
from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.benchmark_page import About, write_benchmark_report
from lit_al.benchmark.curves import check_metric
from lit_al.benchmark.methods import Method
from lit_al.benchmark.results_table import Key, append_cell, read_cells
from lit_al.data import load_corpus
from lit_al.exceptions import CheckpointError, RunError
from lit_al.loop.state import CHANCE
from lit_al.models.checkpoint import loaded
from lit_al.utils.folders import write_bytes, write_text
from lit_al.utils.links import check_links
from lit_al.utils.terminal_text import markup
from lit_al.utils.yaml_settings import read_settings

SETTINGS, STATES = "benchmark.yaml", "state"
_NOT_OF_CELLS = ("name", "log_dir", "strategies", "targets", "metric", "cluster")  # whatever these are, cells are alike


def run_benchmark(config: BenchConfig, console: Console) -> list[Path]:
    """Fill the table and write the report.

    Returns:
        The files of the report.

    Raises:
        LitALError: settings or data that cannot work, or a folder with a benchmark of other settings.
    """
    config = config.checked()
    for row in map(Method.of, config.strategies):
        check_row(row, config)
    folder = _folder(config)
    table = folder / "cells.jsonl"
    known = read_cells(table) if table.exists() else []
    check_metric(known, config.metric)
    done = {cell.key for cell in known}
    with console.status("loading and encoding the corpus …") as status:
        report = lambda doing: status.update(f"{markup(doing)} …")  # noqa: E731
        bench = Bench(config, load_corpus(**config.corpus), folder / STATES, report)
    for note in (*bench.corpus.notes, *bench.notes, *bench.copies):
        console.print(f"[yellow]note:[/yellow] {markup(note)}", soft_wrap=True)
    _begin(folder, config)
    for said in bench.said:
        console.print(said, highlight=False)
    groups = bench.plan()
    cells = set().union(*(group.keys for group in groups))
    missing = len(cells - done)
    console.print(
        f"{len(cells)} cells, {len(cells) - missing} of them done; the table is {markup(table)}", soft_wrap=True
    )
    left = [group for group in groups if not group.keys <= done]
    with _bar(console) as bar:
        task = bar.add_task("", total=len(cells), completed=len(cells) - missing)
        for group, step in _steps(bench, left, done, folder / STATES, console):
            for cell in step.cells:
                append_cell(table, cell)
                done.add(cell.key)
                bar.update(task, advance=1, description=f"{markup(cell.strategy)}, {cell.labels:,} labels")
            if step.state is not None:
                _save(step.state, folder / STATES / group.file)  # after its cells: a kill in between loses none
            if group.keys <= done:
                (folder / STATES / group.file).unlink(missing_ok=True)
    source = f"{bench.corpus.source}, judged on {len(bench.judged):,} {config.judge} texts"
    if config.oracle_noise != "0" or config.oracle_skip:
        source += f", labels by an oracle that errs at {config.oracle_noise} and skips {config.oracle_skip:.0%}"
    about = About(subtitle=source, demo=bench.corpus.is_demo, targets=config.targets, metric=config.metric)
    files = write_benchmark_report(folder, about)
    console.print(f"report: {markup(folder / 'report.html')}", soft_wrap=True)
    return files


def _steps(
    bench: Bench, groups: Sequence[Group], done: set[Key], states: Path, console: Console
) -> Iterator[tuple[Group, Step]]:
    """What the groups bring, each from where it was left; `done` grows meanwhile."""
    saved = {group: _state(states / group.file) for group in groups if (states / group.file).exists()}
    if bench.config.cluster is not None:
        from lit_al.benchmark.distributed import computed

        yield from computed(bench, groups, done, saved, console.print)
        return
    for group in groups:
        for step in bench.compute(group, done, saved.get(group)):
            yield group, step


def _folder(config: BenchConfig) -> Path:
    """The folder of a benchmark: not there yet, empty, or of the same settings, and without links."""
    folder = Path(config.log_dir) / config.name
    check_links(folder)
    path = folder / SETTINGS
    if path.exists():
        defaults = _settings(BenchConfig(copies="none"))  # what a setting was before there was such a setting
        found = read_settings(path)
        sound = isinstance(found, dict)
        if sound and found.get("chance") != CHANCE:
            raise RunError(
                f"{folder} holds a benchmark of an earlier version of lit_al, whose seeds drew other texts; it cannot "
                "be gone on with, give another --name"
            )
        if not sound or {**defaults, **found} != _settings(config):
            raise RunError(f"{folder} holds a benchmark of other settings ({path.name}); give another --name")
    elif folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder} holds something else; give another --name")
    return folder


def _begin(folder: Path, config: BenchConfig) -> None:
    """Write the settings, once all of them are known to work."""
    (folder / STATES).mkdir(parents=True, exist_ok=True)
    if not (folder / SETTINGS).exists():
        write_text(folder / SETTINGS, yaml.safe_dump(_settings(config), sort_keys=False))


def _settings(config: BenchConfig) -> dict[str, Any]:
    """All that cells depend on besides their row."""
    found = {name: value for name, value in asdict(config).items() if name not in _NOT_OF_CELLS}
    found["chance"] = CHANCE
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _save(state: State, path: Path) -> None:
    content = io.BytesIO()
    torch.save(state, content)
    write_bytes(path, content.getvalue())


def _state(path: Path) -> State:
    """What `_save` has written.

    Raises:
        CheckpointError: it is damaged.
    """
    try:
        found: State = loaded(path.read_bytes(), path)
    except CheckpointError as error:
        raise CheckpointError(f"the state {path} is damaged; delete it, and its cells are computed again") from error
    return found


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
