"""A run from its settings to its folder: corpus, split, model, learner, report, results, pictures."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml
from rich import get_console
from rich.console import Console

from lit_al.data import Corpus, load_corpus
from lit_al.exceptions import ConfigError, DataError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.example import checked_example
from lit_al.experiment.example_session import ExampleSession
from lit_al.experiment.experiment_data import ExperimentData, prepare
from lit_al.experiment.journal import Journal
from lit_al.experiment.lean_session import LeanSession
from lit_al.experiment.protocol import RunProtocol, checked_rule
from lit_al.experiment.resume import Resume, way_on
from lit_al.experiment.run_rows import put_back
from lit_al.record import RECORD_FILE, OwnerLock
from lit_al.reporting import figures
from lit_al.reporting.console import RunConsole, comparison_table, conclusion
from lit_al.reporting.loggers import CSV_FOLDER
from lit_al.reporting.run_page import write_run_report
from lit_al.utils.folders import make_run_folder, read_results, write_bytes, write_results, write_text
from lit_al.utils.signals import interruptible
from lit_al.utils.terminal_text import markup

OWNER = "train.py"  # what holds a run, for whoever finds it held


def run(config: TrainConfig, console: Console | None = None) -> dict[str, Any]:
    """Run what the settings say and leave a folder with everything about it.

    Returns:
        The contents of `results.json`.

    Raises:
        LitALError: settings or data that cannot work; no fit has begun then.
        KeyboardInterrupt: Ctrl-C, SIGTERM or SIGUSR1, after everything known so far was written.
    """
    began = time.perf_counter()
    console = console or get_console()  # that of the progress bar, so that neither writes over the other
    config, why, corpus = settle(config)
    if why:
        console.print(markup(why), soft_wrap=True, highlight=False)
    # what does not exist is refused before anything is loaded
    checked_rule(config) if config.protocol == "lean" else checked_example(config)
    material, plan, report = _loaded(config, console, corpus)
    folder = make_run_folder(config.log_dir, config.name)
    console.print(f"results, figures and TensorBoard events go to {markup(folder)}", soft_wrap=True)
    with _gone_if_refused(folder), _owned(folder, config.network, console):
        write_text(folder / "config.yaml", yaml.safe_dump(asdict(config), sort_keys=False))
        with Journal.begin(folder, config, material.corpus, _teller(console)) as journal:
            return _sitting(config, material, plan, folder, report, journal, began)


def settle(config: TrainConfig) -> tuple[TrainConfig, str, Corpus | None]:
    """The settings with their protocol chosen and what it decides filled in.

    Returns:
        The resolved settings; which protocol was chosen and why, a line, or "" where it was given; the corpus, where
        that could be known only by loading it.

    Raises:
        LitALError: settings or data that cannot work.
    """
    if config.protocol != "auto":
        return config.resolved(), "", None
    corpus = load_corpus(**config.corpus) if config.must_look else None
    named = Path(config.data).name if "/" in config.data else config.data
    if config.mode != "active":
        why = f"protocol: keras, the example, to which --mode {config.mode} belongs"
    elif config.is_example or (corpus is not None and corpus.source == "imdb"):
        why = f"protocol: keras, for {named} is the data of the example (--protocol lean is for data of your own)"
        config = replace(config, protocol="keras")
    else:
        why = f"protocol: lean, for {named} is data of your own (--protocol keras is the example)"
    return config.resolved(), why, corpus


def resume(order: Resume, console: Console | None = None) -> dict[str, Any]:
    """Go on with a run that was cut off, to the picks and metrics of one that never was.

    Returns:
        The contents of `results.json`.

    Raises:
        LitALError: no run, one that somebody else is at, or other data than it began with.
        KeyboardInterrupt: as `run`.
    """
    began = time.perf_counter()
    console, folder = console or get_console(), order.folder
    with _owned(folder, order.network, console), Journal.open(folder, _teller(console)) as journal:
        if journal.finished:
            console.print(f"{markup(folder)} is finished; there is nothing to go on with", soft_wrap=True)
            return read_results(folder)
        config = journal.config
        order.check_network(config.network)
        config = replace(config, accelerator=order.accelerator or config.accelerator)
        with console.status("loading the corpus …"):
            corpus = put_back(load_corpus(**config.corpus), folder, journal.record.settings.get("fingerprint"))
        material, plan, report = _loaded(config, console, corpus)
        return _sitting(config, material, plan, folder, report, journal, began)


def _loaded(
    config: TrainConfig, console: Console, corpus: Corpus | None = None
) -> tuple[ExperimentData, RunProtocol | None, RunConsole]:
    with console.status("loading the corpus …"):
        material = prepare(config, corpus)
    plan = RunProtocol.of(config, material) if config.protocol == "lean" else None
    report = RunConsole(console, material.corpus.classes)
    report.demo_banner(material.corpus)
    report.data(material.corpus, material.split, material.duplicates)
    report.copies(material.corpus, once=config.protocol == "lean", dropped=material.dropped)
    return material, plan, report


@contextmanager
def _gone_if_refused(folder: Path) -> Iterator[None]:
    """Settings that only Lightning, a kernel or the oracle can refuse leave no folder behind either."""
    try:
        yield
    except (ConfigError, DataError):
        if not any((folder / name).exists() for name in ("checkpoints", "state", "picks.jsonl")):  # nothing was learned
            shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _owned(folder: Path, network: str | None, console: Console) -> Iterator[None]:
    """One process at a time is at a run, and whoever ends it before its time is told how to go on."""
    with OwnerLock(folder, OWNER), interruptible():
        try:
            yield
        except KeyboardInterrupt:
            console.print(markup(way_on(folder, network)), soft_wrap=True, highlight=False)
            raise


def _teller(console: Console) -> Callable[[str], object]:
    return lambda sentence: console.print(f"[yellow]{markup(sentence)}[/yellow]", soft_wrap=True, highlight=False)


def _sitting(
    config: TrainConfig,
    material: ExperimentData,
    plan: RunProtocol | None,
    folder: Path,
    report: RunConsole,
    journal: Journal,
    began: float,
) -> dict[str, Any]:
    """From where a run is to its end, or to the next signal or question."""
    # the record of a comparison holds its settings alone, for each of its runs has one of its own
    journal.take(material.corpus, material.split.pool[:0] if config.mode == "compare" else material.split.pool)
    for events in folder.glob("events.out.tfevents.*"):
        events.unlink()  # of an earlier sitting; what it has saved is written again, what it has not, too
    for file in (folder / CSV_FOLDER).glob("*"):
        file.unlink()
    if plan is not None:
        return LeanSession(config, material, plan, folder, report, journal, began).run()
    if config.mode == "compare":
        return _compare(config, material, folder, report, journal, began)
    return ExampleSession(config, material, folder, report, journal, began).run()


def _compare(
    config: TrainConfig, material: ExperimentData, folder: Path, report: RunConsole, journal: Journal, began: float
) -> dict[str, Any]:
    """`full`, then `active`, each in a folder of its own below; then the page's own conclusion."""
    found: dict[str, dict[str, Any]] = {}
    settings = {"full": replace(config, mode="full"), "active": replace(config, mode="active")}
    for mode, setting in settings.items():
        report.console.rule(mode)
        found[mode] = _part(setting, material, folder / mode, report)
    report.console.rule("full against active")
    report.console.print(comparison_table(found["full"], found["active"]))
    verdict = conclusion(found["full"], found["active"])
    report.console.print(verdict)
    shared = {name: found["active"][name] for name in ("schema", "status", "protocol", "data", "seeds", "versions")}
    results = {**shared, "mode": "compare", **found, "conclusion": verdict}
    earlier = sum(part["wall_seconds"] for part in found.values())
    results["wall_seconds"] = round(max(earlier, time.perf_counter() - began), 2)
    write_results(folder, results)
    for name, figure in figures.figures(results).items():
        write_bytes(folder / f"{name}.png", figures.save(figure, "png"))
    report.page(write_run_report(folder))
    journal.finish()
    return results


def _part(config: TrainConfig, material: ExperimentData, folder: Path, report: RunConsole) -> dict[str, Any]:
    """A run of a comparison: begun, gone on with, or finished in an earlier sitting."""
    folder.mkdir(exist_ok=True)
    there, tell = (folder / RECORD_FILE).exists(), _teller(report.console)
    with (
        OwnerLock(folder, OWNER),
        Journal.open(folder, tell) if there else Journal.begin(folder, config, material.corpus, tell) as journal,
    ):
        if journal.finished:
            return read_results(folder)
        return _sitting(config, material, None, folder, report, journal, time.perf_counter())
