"""The benchmark on a cluster of Ray: the same table as here, whatever becomes of workers."""

import os
import signal
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console

from lit_al.benchmark import distributed, runner
from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.results_table import read_cells
from lit_al.benchmark.runner import run_benchmark
from lit_al.cli import main
from lit_al.exceptions import ConfigError, RunError

ray = pytest.importorskip("ray")
CONSOLE = Console(quiet=True)


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    """Of this machine, whatever it has, and no cluster that somebody else has started."""
    start = ray.init
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(
        ray, "init", lambda address=None, **named: start(address or "local", **named, **({} if address else CORES))
    )


CORES = {"num_cpus": 2, "include_dashboard": False}


@pytest.fixture
def config(tmp_path):
    return BenchConfig(
        strategies=("random", "lean/margin", "tfidf-lr"),
        seeds=3,
        budgets=(20, 30, 40),
        demo_rows=300,
        steps=3,
        study_steps=6,
        batch_size=16,
        max_length=12,
        side_by_side=2,
        log_dir=str(tmp_path),
        name="here",
    )


def table(config):
    """The cells by their keys, without what a clock says; a cell that stands there twice is refused as it is read."""
    cells = {cell.key: asdict(cell) for cell in read_cells(Path(config.log_dir, config.name, "cells.jsonl"))}
    return {key: {name: value for name, value in cell.items() if "seconds" not in name} for key, cell in cells.items()}


def at_a_task():
    """Processes of workers that are at a task."""
    lines = {path.parent.name: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)}
    return [int(process) for process, line in lines.items() if line.startswith(b"ray::_steps")]


def kill_one():
    """A worker that is at a task; the next one where it has ended meanwhile."""
    while True:
        for process in at_a_task():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                return process


def readable(path):
    try:
        return bool(path.read_bytes())
    except OSError:
        return False  # it has ended


@pytest.mark.slow
def test_cluster_fills_the_same_table_whatever_becomes_of_its_workers(config, monkeypatch, capsys):
    run_benchmark(config, CONSOLE)
    expected = table(config)
    there = replace(config, name="there", cluster="auto")
    append, written, killed = runner.append_cell, [], []

    def kill(path, cell):
        append(path, cell)
        written.append(cell.key)
        if len(written) in (2, 6):
            killed.append(kill_one())

    monkeypatch.setattr(runner, "append_cell", kill)
    run_benchmark(there, Console())
    assert len(killed) == 2
    assert table(there) == expected
    assert capsys.readouterr().out.count("a worker was lost") == 2
    assert not list(Path(config.log_dir, "there", "state").glob("*.state"))


@pytest.mark.slow
def test_benchmark_that_was_stopped_goes_on_on_a_cluster_and_back_here(config, monkeypatch):
    config = replace(config, strategies=config.strategies[:2])
    run_benchmark(config, CONSOLE)
    expected, append, written = table(config), runner.append_cell, []

    def stop(path, cell):
        if len(written) % 4 == 3:
            written.append("stopped")
            raise KeyboardInterrupt
        append(path, cell)
        written.append(cell.key)

    monkeypatch.setattr(runner, "append_cell", stop)
    for where in (None, "auto", None, "auto"):
        with pytest.raises(KeyboardInterrupt):
            run_benchmark(replace(config, name="moved", cluster=where), CONSOLE)
    monkeypatch.setattr(runner, "append_cell", append)
    run_benchmark(replace(config, name="moved"), CONSOLE)
    assert table(replace(config, name="moved")) == expected


@pytest.mark.slow
def test_what_a_worker_meets_is_said_as_if_it_were_met_here(config, monkeypatch):
    monkeypatch.setattr(distributed, "_versions", lambda: {**dict.fromkeys(distributed.SAME, "0.0.1")})
    with pytest.raises(ConfigError, match=r"a worker has lit_al .*, not 0\.0\.1.*install the same versions"):
        run_benchmark(replace(config, cluster="auto"), CONSOLE)


@pytest.mark.slow
def test_group_whose_workers_are_lost_each_time_ends_the_benchmark(config, monkeypatch):
    monkeypatch.setattr(distributed, "_steps", _dies)
    monkeypatch.setattr(distributed, "LOSSES", 1)
    with pytest.raises(RunError, match="lost again and again"):
        run_benchmark(replace(config, strategies=("random",), seeds=1, cluster="auto"), CONSOLE)


def _dies(*_):
    os.kill(os.getpid(), signal.SIGKILL)
    yield


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "nowhere"])
def test_cluster_that_is_not_there_is_one_sentence(address, config, capsys):
    words = ["benchmark", "--data", "demo", "--demo-rows", "300", "--budgets", "20", "--log-dir", config.log_dir]
    assert main.main([*words, "--cluster", address]) == 2
    said = capsys.readouterr().err
    assert f"no Ray cluster answers at --cluster {address}" in said
    assert "Traceback" not in said
