"""`RunSession`: a run in its folder, whatever its protocol: begun or gone on with, written down, cut off anywhere."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from lit_al.data.beside import Beside
from lit_al.exceptions import OraclePending
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.experiment_data import ExperimentData
from lit_al.experiment.journal import Journal
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.metrics import Evaluation
from lit_al.reporting import figures
from lit_al.reporting.console import RunConsole
from lit_al.reporting.loggers import MetricLoggers, logger_names
from lit_al.reporting.queries import write_picks
from lit_al.reporting.run_page import picked_texts, write_run_report
from lit_al.reporting.tensorboard import TensorBoardLog
from lit_al.utils.folders import SCHEMA, peak_memory_mb, versions, write_bytes, write_results
from lit_al.utils.signals import shielded
from lit_al.utils.terminal_text import markup


class RunSession(ABC):
    """One run in its folder, from its beginning or from the last state it saved.

    A protocol says how it makes ready, goes on and trains, and what its results hold besides.

    Args:
        config: resolved settings.
        material: corpus, split and encoder; not changed.
        folder: of this run, there already.
        report: prints.
        journal: of the run; has rounds where the run goes on.
        began: `time.perf_counter()` at the start.
    """

    unit = "round"  # what a saved state is counted by

    def __init__(
        self,
        config: TrainConfig,
        material: ExperimentData,
        folder: Path,
        report: RunConsole,
        journal: Journal,
        began: float,
    ) -> None:
        self.config, self.material, self.folder = config, material, folder
        self.report, self.journal, self.began = report, journal, began
        self.assemble()
        self.board = self._logs()

    def _logs(self) -> TensorBoardLog:
        """Where metrics go."""
        names = logger_names(self.config.logger)
        others = MetricLoggers(names, self.folder, asdict(self.config))
        events = self.folder if "tensorboard" in names else None
        return TensorBoardLog(events, self.material.corpus, figures.title(self.results("running")), others)

    def run(self) -> dict[str, Any]:
        """Train, ask and judge, round by round; what is known is written at every step.

        Returns:
            The contents of `results.json`.
        """
        status = "failed"
        try:
            self.prepare()
            number = self.journal.states.restore(self.take)
            if number is None:
                self.begin()
            else:
                self.report.console.print(f"going on after {self.unit} {number}", highlight=False)
                with self.board.again():
                    self.show_again()
            write_results(self.folder, self.results("running"))
            self.train()
            status = "finished"
        except OraclePending:
            status = "waiting"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            results = self.results(status)
            with shielded():
                self._finish(results)
        self._register(results)
        return results

    @cached_property
    def beside(self) -> Beside:
        """What stands beside the texts."""
        return Beside.of(self.material.corpus)

    def keep(self, number: int) -> None:
        """Save the state, to go on from."""
        self.journal.keep(number, {**self.state(), "seconds": self.seconds})

    def write(self) -> None:
        """What is known so far, where readers look for it."""
        write_picks(self.folder, self.queries, self.material.corpus, self.beside)
        write_results(self.folder, self.results("running"))

    def _finish(self, results: dict[str, Any]) -> None:
        if self.queries:  # what was refused before the first round leaves nothing behind
            write_picks(self.folder, self.queries, self.material.corpus, self.beside)
        write_results(self.folder, results)
        for name, figure in figures.figures(results).items():
            write_bytes(self.folder / f"{name}.png", figures.save(figure, "png"))
            self.board.figure(name, figure)
        page = write_run_report(self.folder, picked_texts(self.queries, self.material.corpus, self.beside))
        if self.queries or results["status"] != "failed":
            self.report.page(page)
        if results["status"] == "finished":
            self.journal.finish()
        self.end(results)
        self.board.close(results["status"])

    def _register(self, results: Mapping[str, Any]) -> None:
        """Put the model into MLflow's registry, where that was asked for and there is one."""
        if self.config.register is None or results["status"] != "finished" or not results["checkpoint"]:
            return
        from lit_al.reporting.mlflow_registry import register

        metrics = {f"test/{name}": value for name, value in (results["test"] or {}).items()}
        words = register(self.config.register, Path(results["checkpoint"]), self.folder, asdict(self.config), metrics)
        self.report.console.print(markup(words), soft_wrap=True, highlight=False)

    @property
    def seconds(self) -> float:
        """Of all sittings so far, each up to the last state it saved."""
        return time.perf_counter() - self.began

    @property
    def labels(self) -> list[str]:
        """Class names."""
        return list(self.material.corpus.classes)

    def results(self, status: str) -> dict[str, Any]:
        """The contents of `results.json`; docs/results-schema.md describes them."""
        config, monitor = self.config, self.monitor
        return {
            "schema": SCHEMA,
            "status": status,
            "mode": config.mode,
            "protocol": config.protocol,
            "stop": str(monitor.rule) if monitor and monitor.rule else None,
            "data": self.material.described(),
            "seeds": {"seed": config.seed, "split_seed": config.split_seed},
            "versions": versions(),
            "rounds": [self.described(done) for done in self.rounds],
            "wall_seconds": round(self.seconds, 2),
            "peak_memory_mb": peak_memory_mb(),
            **self.own_results(status),
        }

    # --- What a protocol says -----------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def rounds(self) -> Sequence[Round]:
        """So far."""

    @property
    @abstractmethod
    def queries(self) -> Sequence[Query]:
        """Every batch that a model chose and somebody answered."""

    @property
    @abstractmethod
    def monitor(self) -> StoppingMonitor | None:
        """What stopping rules see; None where there are none, or nothing yet."""

    @abstractmethod
    def assemble(self) -> None:
        """Make what the session is made of; what is refused here has left nothing in the folder.

        Raises:
            ConfigError: hardware that is not here.
        """

    @abstractmethod
    def prepare(self) -> None:
        """All that comes before the first fit."""

    @abstractmethod
    def begin(self) -> None:
        """Begin anew: there is no state to go on from."""

    @abstractmethod
    def take(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; one that does not fit changes nothing."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that the rounds to come depend on."""

    @abstractmethod
    def show_again(self) -> None:
        """To the board, what earlier sittings have shown."""

    @abstractmethod
    def train(self) -> None:
        """The rounds that are left."""

    @abstractmethod
    def described(self, done: Round) -> dict[str, Any]:
        """A round as `results.json` has it."""

    @abstractmethod
    def own_results(self, status: str) -> dict[str, Any]:
        """Further contents of `results.json`."""

    @abstractmethod
    def end(self, results: Mapping[str, Any]) -> None:
        """The last words of a sitting."""


def described_test(found: Evaluation | None, classes: Sequence[str]) -> dict[str, Any] | None:
    """A test as `results.json` has it."""
    if found is None:
        return None
    confusion = found.confusion
    return {
        **found.described(classes),
        "per_class": confusion.per_class(classes),
        "standard_error": confusion.standard_error,
        "confusion": confusion.matrix.tolist(),
    }


def in_shadow(monitor: StoppingMonitor | None, tests: Sequence[Evaluation | None]) -> list[dict[str, Any]]:
    """Where each rule would have ended a run. Only now do the rules meet the test set: what each would have cost."""
    if monitor is None or not monitor.history or len(monitor.history) != len(tests):
        return []
    known = [test.accuracy for test in tests if test]
    return monitor.in_shadow(known if len(known) == len(tests) else None)
