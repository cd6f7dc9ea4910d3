"""A run from its settings to its folder: corpus, split, model, learner, report, results, pictures."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import lightning as L
import yaml
from rich import get_console
from rich.console import Console

from lit_al import plots
from lit_al.board import Board
from lit_al.callback import ActiveLearningCallback
from lit_al.config import TrainConfig
from lit_al.datamodule import ActiveDataModule
from lit_al.history import EpochHistory
from lit_al.leanrun import LeanSession, Plan, checked_rule
from lit_al.learner import ActiveLearner
from lit_al.material import Material, prepare
from lit_al.model import LitBiLSTM
from lit_al.oracles import SimulatedOracle
from lit_al.outputs import Evaluation, Round
from lit_al.page import picked_texts, write_run_report
from lit_al.picks import write_picks
from lit_al.report import Progress, Report, comparison_table, conclusion, flaws
from lit_al.run import SCHEMA, make_run_folder, peak_memory_mb, versions, write_results, write_text
from lit_al.strategies import RatioSampling, Strategy, innermost, make_strategy


def run(config: TrainConfig, console: Console | None = None) -> dict[str, Any]:
    """Run what the settings say and leave a folder with everything about it.

    Returns:
        The contents of `results.json`.

    Raises:
        LitALError: settings or data that cannot work; no fit has begun then.
        KeyboardInterrupt: Ctrl-C, after everything known so far was written.
    """
    began = time.perf_counter()
    config = config.resolved()
    # what does not exist is refused before anything is loaded
    checked_rule(config) if config.protocol == "lean" else strategy_of(config)
    console = console or get_console()  # that of the progress bar, so that neither writes over the other
    with console.status("loading the corpus …"):
        material = prepare(config)
    plan = Plan.of(config, material) if config.protocol == "lean" else None
    report = Report(console, material.corpus.classes)
    report.demo_banner(material.corpus)
    report.data(material.corpus, material.split, material.duplicates)
    report.copies(material.extra_copies, material.dropped)
    folder = make_run_folder(config.log_dir, config.name)
    write_text(folder / "config.yaml", yaml.safe_dump(asdict(config), sort_keys=False))
    console.print(f"results, figures and TensorBoard events go to {folder}", soft_wrap=True)
    if plan is not None:
        return LeanSession(config, material, plan, folder, report, began).run()
    if config.mode == "compare":
        return _compare(config, material, folder, report, began)
    return Session(config, material, folder, report, began).run()


def strategy_of(config: TrainConfig) -> Strategy:
    """What resolved settings choose with; `ratio` follows the direction of the protocol.

    Raises:
        ConfigError: a name that does not exist.
    """
    spelling = str(config.strategy)
    if spelling == "ratio":
        return RatioSampling(config.ratio_direction)  # type: ignore[arg-type]  # resolved: not None
    first, plus, wrappers = spelling.partition("+")
    return make_strategy((f"ratio:{config.ratio_direction}" if first == "ratio" else first) + plus + wrappers)


class Session:
    """One `full` or `active` run in its folder.

    Args:
        config: resolved settings.
        material: corpus, split and encoder; not changed.
        folder: of this run, there already.
        report: prints.
        began: `time.perf_counter()` at the start.
    """

    def __init__(self, config: TrainConfig, material: Material, folder: Path, report: Report, began: float) -> None:
        self.config = config
        self.material = material
        self.folder = folder
        self.report = report
        self.began = began
        corpus = material.corpus
        L.seed_everything(config.seed, verbose=False)
        split = replace(material.split, rounds=list(material.split.rounds))
        self.data = ActiveDataModule(corpus, split, material.encoder, batch_size=config.batch_size, seed=config.seed)  # type: ignore[arg-type]
        self.model = LitBiLSTM(
            corpus.classes,
            material.encoder.state_dict(),
            learning_rate=config.learning_rate,
            kernel=config.kernel,
            masked=config.masked,
        )
        self.oracle = SimulatedOracle(corpus.labels)
        self.history = EpochHistory(self._on_epoch)
        self.acquisition = self._acquisition() if config.mode == "active" else None
        self.learner = ActiveLearner(
            self.model,
            self.data,
            self.acquisition,
            folder=folder,
            history=self.history,
            max_epochs=config.max_epochs,
            patience=config.patience,
            accelerator=config.accelerator,
            devices=config.devices,
            precision=config.precision,
            callbacks=[Progress(refresh_rate=5)] if report.console.is_terminal else [],
        )
        self.learner.trainer()  # hardware that is not here is refused before anything is encoded
        self.board = Board(folder, corpus, plots.title(self.results("running")))

    def run(self) -> dict[str, Any]:
        """Fit, test, write everything; what is known so far is written at every step."""
        status = "failed"
        test: Evaluation | None = None
        try:
            self.report.model(self.model)
            with self.report.counting("encoding the corpus", len(self.data.corpus)) as advance:
                self.data.encode(advance)
            if self.config.mode == "full":
                answerable = self.data.split.pool[self.oracle.can_answer(self.data.split.pool)]
                self.data.label(answerable, self.oracle.ask(answerable))
            write_results(self.folder, self.results("running"))
            self.learner.fit()
            test = self.learner.test()
            status = "finished"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            results = self.results(status, test)
            self._finish(results, test)
        return results

    def _acquisition(self) -> ActiveLearningCallback:
        config = self.config
        return ActiveLearningCallback(
            self.oracle,
            strategy_of(config),
            rounds=config.rounds,  # type: ignore[arg-type]  # resolved: not None
            query_size=config.query_sizes[0],
            steer_on=config.steer_on,  # type: ignore[arg-type]
            pool_classes=config.pool_classes,  # type: ignore[arg-type]
            target_accuracy=config.target_accuracy,
            seed=config.seed,
            committee_size=config.committee_size,
            on_round=self._on_round,
        )

    def _on_epoch(self, epoch: Any) -> None:
        self.report.epoch(epoch)
        self.board.epoch(epoch)

    def _on_round(self, done: Round) -> None:
        self.report.round(done, str(self.config.steer_on))
        self.board.round(done)
        write_picks(self.folder, self.acquisition.history if self.acquisition else [], self.material.corpus.classes)
        write_results(self.folder, self.results("running"))

    def _finish(self, results: dict[str, Any], test: Evaluation | None) -> None:
        write_results(self.folder, results)
        for name, figure in plots.figures(results).items():
            figure.savefig(self.folder / f"{name}.png")
            self.board.figure(name, figure)
        history = self.acquisition.history if self.acquisition else []
        self.report.page(write_run_report(self.folder, picked_texts(history, self.material.corpus)))
        if test is not None:
            self.board.test(test)
            self.report.flaws(results["flaws"])
            self.report.test(test)
        self.board.close()

    def results(self, status: str, test: Evaluation | None = None) -> dict[str, Any]:
        """The contents of `results.json`; docs/results-schema.md describes them."""
        config = self.config
        settings = self._settings()
        history = self.acquisition.history if self.acquisition else []
        return {
            "schema": SCHEMA,
            "status": status,
            "mode": config.mode,
            "protocol": config.protocol,
            "strategy": self.acquisition.strategy.spelling if self.acquisition else None,
            **settings,
            "flaws": flaws({**settings, "steer_on": settings["steer_on"] if self._steered() else None}),
            "stop_reason": self.acquisition.stop_reason if self.acquisition else "",
            "data": self.material.described(),
            "seeds": {"seed": config.seed, "split_seed": config.split_seed},
            "versions": versions(),
            "device": str(self.model.device),
            "epochs": [asdict(epoch) for epoch in self.history.epochs],
            "rounds": [self._round(done) for done in history],
            "test": None
            if test is None
            else {**test.described(self.material.corpus.classes), "standard_error": test.confusion.standard_error},
            "labels_spent": self._labels_spent(),
            "checkpoint": self.learner.best.best_model_path or None,
            "wall_seconds": round(time.perf_counter() - self.began, 2),
            "train_samples_per_second": round(self.history.samples_per_second, 1),
            "peak_memory_mb": peak_memory_mb(),
        }

    def _settings(self) -> dict[str, str | None]:
        """The choices of the protocol; None where they do not apply."""
        if self.acquisition is None:
            return dict.fromkeys(("steer_on", "pool_classes", "ratio_direction"))
        strategy, inner = self.acquisition.strategy, innermost(self.acquisition.strategy)
        return {
            "steer_on": self.config.steer_on,
            "pool_classes": self.config.pool_classes if "classes" in strategy.needs else None,
            "ratio_direction": inner.direction if isinstance(inner, RatioSampling) else None,
        }

    def _steered(self) -> bool:
        """Did a decision depend on the steering set? Else it was judged on for the report alone."""
        if self.acquisition is None:
            return False
        return self.acquisition.strategy.needs_confusion or self.config.target_accuracy is not None

    def _round(self, done: Round) -> dict[str, Any]:
        classes = self.material.corpus.classes
        return {
            "round": done.number,
            **done.steering.described(classes),
            "strategy": done.strategy,
            "shares": dict(zip(classes, done.shares, strict=True)) if done.shares else {},
            "taken": dict(zip(classes, done.taken, strict=True)),
            "predicted": dict(zip(classes, done.predicted, strict=True)),
            "controls": int(done.controls.sum()),
            "warning": done.warning,
            "labels": done.labels,
            "short": done.short,
            "seconds": round(done.seconds, 2),
        }

    def _labels_spent(self) -> dict[str, int]:
        """Every label that the model's weights or a decision depended on."""
        split = self.data.split
        train, validation = len(split.labeled), len(split.validation)
        steering = len(split.test) if self._steered() and self.config.steer_on == "test" else 0
        return {"train": train, "validation": validation, "steering": steering, "total": train + validation + steering}


def _compare(config: TrainConfig, material: Material, folder: Path, report: Report, began: float) -> dict[str, Any]:
    """`full`, then `active`, each in a folder of its own below; then the page's own conclusion."""
    found: dict[str, dict[str, Any]] = {}
    settings = {"full": replace(config, mode="full"), "active": replace(config, mode="active")}
    for mode, setting in settings.items():
        report.console.rule(mode)
        (folder / mode).mkdir()
        found[mode] = Session(setting, material, folder / mode, report, time.perf_counter()).run()
    report.console.rule("full against active")
    report.console.print(comparison_table(found["full"], found["active"]))
    verdict = conclusion(found["full"], found["active"])
    report.console.print(verdict)
    shared = {name: found["active"][name] for name in ("schema", "status", "protocol", "data", "seeds", "versions")}
    results = {**shared, "mode": "compare", **found, "conclusion": verdict}
    results["wall_seconds"] = round(time.perf_counter() - began, 2)
    write_results(folder, results)
    for name, figure in plots.figures(results).items():
        figure.savefig(folder / f"{name}.png")
    report.page(write_run_report(folder))
    return results
