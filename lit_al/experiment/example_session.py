"""`ExampleSession`: a run of the example's loop, `full` or `active`, in a folder of its own, to be cut off anywhere."""

import random
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lit_al.experiment.config import TrainConfig
from lit_al.experiment.example import ExampleLoop
from lit_al.experiment.experiment_data import ExperimentData
from lit_al.experiment.journal import Journal
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round
from lit_al.metrics import Evaluation
from lit_al.models.checkpoint import load_weights, read_checkpoint, save
from lit_al.reporting import figures
from lit_al.reporting.console import ProgressBar, RunConsole, flaws
from lit_al.reporting.queries import write_picks
from lit_al.reporting.run_page import picked_texts, write_run_report
from lit_al.reporting.tensorboard import TensorBoardLog
from lit_al.strategies import RatioSampling, innermost
from lit_al.training.history import Epoch
from lit_al.utils.folders import SCHEMA, peak_memory_mb, versions, write_results
from lit_al.utils.packing import unpacked
from lit_al.utils.signals import shielded


class ExampleSession:
    """One `full` or `active` run in its folder.

    Args:
        config: resolved settings.
        material: corpus, split and encoder; not changed.
        folder: of this run, there already.
        report: prints.
        journal: of the run; has rounds where the run goes on.
        began: `time.perf_counter()` at the start.
    """

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
        self.loop = self._fresh()
        self.loop.learner.trainer()  # hardware that is not here is refused before anything is encoded
        self.board = TensorBoardLog(folder, material.corpus, figures.title(self.results("running")))

    def _fresh(self) -> ExampleLoop:
        return ExampleLoop(
            self.config,
            self.material.corpus,
            self.material.split,
            self.material.encoder,
            self.folder,
            journal=self.journal,
            on_epoch=self._on_epoch,
            on_round=self._on_round,
            callbacks=[ProgressBar(refresh_rate=5)] if self.report.console.is_terminal else [],
        )

    def run(self) -> dict[str, Any]:
        """Fit, test, write everything, from where the ledger says; what is known so far is written at every step."""
        status = "failed"
        test: Evaluation | None = None
        try:
            self.report.model(self.loop.model)
            data = self.loop.data
            with self.report.counting("encoding the corpus", len(data.corpus)) as advance:
                data.encode(advance)
            self._go_on()
            write_results(self.folder, self.results("running"))
            if not self._is_over():
                for _ in self.loop.learner.fits():
                    with shielded():
                        self.journal.keep(self.loop.history.fits, self._state())
            load_weights(self.loop.model, self.loop.learner.best_path)
            test = self.loop.learner.test()
            status = "finished"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            results = self.results(status, test)
            with shielded():
                self._finish(results, test)
        return results

    # --- State --------------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Begin where an earlier sitting saved its state last, if there was one."""
        number = self.journal.states.restore(self._take)
        if number is not None:
            self.report.console.print(f"going on after fit {number}", highlight=False)
            self._to_board()
        elif self.config.mode == "full":
            self._label_all()

    def _take(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; one that does not fit changes nothing."""
        loop = self._fresh()
        if self.config.mode == "full":
            self._label_all(loop)
        restore(loop, state)
        self.loop = loop
        self.began -= state["seconds"]

    def _label_all(self, loop: ExampleLoop | None = None) -> None:
        data, oracle = (loop or self.loop).data, (loop or self.loop).oracle
        rows = data.split.pool[oracle.can_answer(data.split.pool)]
        self.journal.ask_all(rows)
        data.label(rows, oracle.ask(rows))

    def _state(self) -> dict[str, Any]:
        return {**state_of(self.loop), "seconds": time.perf_counter() - self.began}

    def _is_over(self) -> bool:
        """Has the last fit been done in an earlier sitting?"""
        acquisition = self.loop.acquisition
        return self.loop.history.fits > 0 if acquisition is None else acquisition.done

    # --- Shown --------------------------------------------------------------------------------------------------------

    @property
    def _rounds(self) -> list[Round]:
        return self.loop.acquisition.history if self.loop.acquisition else []

    @property
    def _queries(self) -> list[Query]:
        return [done.query for done in self._rounds]

    def _to_board(self) -> None:
        """What earlier sittings have shown."""
        for epoch in self.loop.history.epochs:
            self.board.epoch(epoch)
        for done in self._rounds:
            self.board.round(done)

    def _on_epoch(self, epoch: Any) -> None:
        self.report.epoch(epoch)
        with shielded():
            self.board.epoch(epoch)

    def _on_round(self, done: Round) -> None:
        self.report.round(done, str(self.config.steer_on))
        with shielded():
            self.board.round(done)
            write_picks(self.folder, self._queries, self.material.corpus.classes)
            write_results(self.folder, self.results("running"))

    def _finish(self, results: dict[str, Any], test: Evaluation | None) -> None:
        write_results(self.folder, results)
        for name, figure in figures.figures(results).items():
            figure.savefig(self.folder / f"{name}.png")
            self.board.figure(name, figure)
        self.report.page(write_run_report(self.folder, picked_texts(self._queries, self.material.corpus)))
        if test is not None:
            self.journal.finish()
            self.board.test(test)
            self.report.flaws(results["flaws"])
            self.report.test(test)
        self.board.close()

    def results(self, status: str, test: Evaluation | None = None) -> dict[str, Any]:
        """The contents of `results.json`; docs/results-schema.md describes them."""
        config, history, acquisition = self.config, self.loop.history, self.loop.acquisition
        settings = self._settings()
        return {
            "schema": SCHEMA,
            "status": status,
            "mode": config.mode,
            "protocol": config.protocol,
            "strategy": acquisition.strategy.spelling if acquisition else None,
            **settings,
            "flaws": flaws({**settings, "steer_on": settings["steer_on"] if self.loop.steered else None}),
            "stop_reason": acquisition.stop_reason if acquisition else "",
            "data": self.material.described(),
            "seeds": {"seed": config.seed, "split_seed": config.split_seed},
            "versions": versions(),
            "device": str(self.loop.model.device),
            "epochs": [asdict(epoch) for epoch in history.epochs],
            "rounds": [self._round(done) for done in self._rounds],
            "test": None
            if test is None
            else {**test.described(self.material.corpus.classes), "standard_error": test.confusion.standard_error},
            "labels_spent": self.loop.labels_spent(),
            "checkpoint": self.loop.learner.best.best_model_path or None,
            "wall_seconds": round(time.perf_counter() - self.began, 2),
            "train_samples_per_second": round(history.samples_per_second, 1),
            "peak_memory_mb": peak_memory_mb(),
        }

    def _settings(self) -> dict[str, str | None]:
        """The choices of the protocol; None where they do not apply."""
        if self.loop.acquisition is None:
            return dict.fromkeys(("steer_on", "pool_classes", "ratio_direction"))
        strategy, inner = self.loop.acquisition.strategy, innermost(self.loop.acquisition.strategy)
        return {
            "steer_on": self.config.steer_on,
            "pool_classes": self.config.pool_classes if "classes" in strategy.needs else None,
            "ratio_direction": inner.direction if isinstance(inner, RatioSampling) else None,
        }

    def _round(self, done: Round) -> dict[str, Any]:
        classes, query = self.material.corpus.classes, done.query
        assert done.steering is not None  # this loop judges before it chooses
        return {
            "round": done.number,
            **done.steering.described(classes),
            "strategy": query.strategy,
            "shares": dict(zip(classes, query.choice.shares, strict=False)),
            "taken": dict(zip(classes, query.taken(len(classes)), strict=True)),
            "predicted": dict(zip(classes, query.called(len(classes)), strict=True)),
            "controls": int(query.choice.controls.sum()),
            "warning": done.warning,
            "labels": done.labels,
            "short": query.choice.short,
            "seconds": round(done.seconds.total, 2),
        }


def state_of(loop: ExampleLoop) -> dict[str, Any]:
    """All that the fits to come depend on: weights, the best of them, curves, rounds, every source of chance."""
    best, acquisition = loop.learner.best, loop.acquisition
    kept = read_checkpoint(best.best_model_path) if best.best_model_path else None
    state = {
        "model": loop.model.state_dict(),
        "best": {"score": best.best_model_score, "checkpoint": kept},
        "epochs": loop.history.epochs,
        "fits": loop.history.fits,
        "chance": _chance(),
    }
    if acquisition is None:
        return state
    committee = acquisition.models.committee
    return {
        **state,
        "rounds": acquisition.history,
        "done": acquisition.done,
        "stop_reason": acquisition.stop_reason,
        "loop": acquisition.state.state_dict(),
        "committee": None if committee is None else {"model": committee.state_dict()},
    }


def restore(loop: ExampleLoop, state: Mapping[str, Any]) -> None:
    """Give a fresh loop the state of another, so that it goes on to the same weights and picks."""
    loop.model.load_state_dict(state["model"])
    loop.history.epochs = [unpacked(Epoch, one) for one in state["epochs"]]
    loop.history.fits = state["fits"]
    acquisition = loop.acquisition
    if acquisition is not None:
        acquisition.history = [unpacked(Round, one) for one in state["rounds"]]
        acquisition.fits, acquisition.done = state["fits"], state["done"]
        acquisition.stop_reason = state["stop_reason"]
        acquisition.state.load_state_dict(state["loop"])
        for done in acquisition.history:
            loop.data.label(done.query.rows, done.query.said)
        if state["committee"] is not None:
            acquisition.models.new_committee(loop.model).load_state_dict(state["committee"]["model"])
    best, path = loop.learner.best, loop.learner.best.folder / "best.ckpt"
    if state["best"]["checkpoint"] is not None:
        save(lambda place: torch.save(state["best"]["checkpoint"], place), path)
        best.best_model_path, best.best_model_score = str(path), state["best"]["score"]
    _set_chance(state["chance"])


def _chance() -> dict[str, Any]:
    """Every source of chance that a library might draw from."""
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002  # the one that others may use
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "torch": torch.get_rng_state(),
        "cuda": cuda,
        "numpy": [kind, np.asarray(keys).astype(np.int64), *rest],
        "python": random.getstate(),
    }


def _set_chance(chance: Mapping[str, Any]) -> None:
    kind, keys, *rest = chance["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002  # as above
    random.setstate(chance["python"])
    torch.set_rng_state(chance["torch"])
    if torch.cuda.is_available() and len(chance["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(chance["cuda"])
