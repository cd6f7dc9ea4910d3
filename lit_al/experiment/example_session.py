"""`ExampleSession`: a run of the example's loop, `full` or `active`, in a folder of its own."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from lit_al.experiment.example import ExampleLoop
from lit_al.experiment.run_session import RunSession, described_test, in_shadow
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.metrics import Evaluation
from lit_al.models.checkpoint import load_weights, read_checkpoint, save
from lit_al.reporting.console import ProgressBar, flaws
from lit_al.strategies import RatioSampling, innermost
from lit_al.training.history import Epoch
from lit_al.utils.packing import unpacked
from lit_al.utils.signals import shielded


class ExampleSession(RunSession):
    """One `full` or `active` run in its folder."""

    unit = "fit"
    test: Evaluation | None = None

    def assemble(self) -> None:
        """Model, data and learner; hardware that is not here is refused before anything is encoded."""
        self.loop = self._fresh()
        self.loop.learner.trainer()

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

    @property
    def rounds(self) -> Sequence[Round]:
        """So far."""
        return self.loop.acquisition.history if self.loop.acquisition else []

    @property
    def queries(self) -> Sequence[Query]:
        """Every batch that was asked."""
        return [done.query for done in self.rounds]

    @property
    def monitor(self) -> StoppingMonitor | None:
        """What stopping rules see; None where there is none."""
        return self.loop.acquisition.monitor if self.loop.acquisition else None

    def prepare(self) -> None:
        """Texts to numbers."""
        self.report.model(self.loop.model)
        data = self.loop.data
        with self.report.counting("encoding the corpus", len(data.corpus)) as advance:
            data.encode(advance)

    # --- State --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A full run buys every label at once."""
        if self.config.mode == "full":
            self._label_all(self.loop)

    def take(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; one that does not fit changes nothing."""
        loop = self._fresh()
        if self.config.mode == "full":
            self._label_all(loop)
        restore(loop, state)
        self.loop = loop
        self.began -= state["seconds"]

    def state(self) -> dict[str, Any]:
        """That of the loop."""
        return state_of(self.loop)

    def _label_all(self, loop: ExampleLoop) -> None:
        data, oracle = loop.data, loop.oracle
        rows = data.split.pool[oracle.can_answer(data.split.pool)]
        self.journal.ask_all(rows)
        data.label(rows, oracle.ask(rows))

    # --- Rounds -------------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """The fits that are left, then the test of the best weights."""
        if not self._is_over():
            for _ in self.loop.learner.fits():
                with shielded():
                    self.keep(self.loop.history.fits)
        load_weights(self.loop.model, self.loop.learner.best_path)
        self.test = self.loop.learner.test()

    def _is_over(self) -> bool:
        """Has the last fit been done in an earlier sitting?"""
        acquisition = self.loop.acquisition
        return self.loop.history.fits > 0 if acquisition is None else acquisition.done

    def show_again(self) -> None:
        """Epochs and rounds."""
        for epoch in self.loop.history.epochs:
            self.board.epoch(epoch)
        for done in self.rounds:
            self.board.round(done)

    def _on_epoch(self, epoch: Any) -> None:
        self.report.epoch(epoch)
        with shielded():
            self.board.epoch(epoch)

    def _on_round(self, done: Round) -> None:
        self.report.round(done, str(self.config.steer_on))
        with shielded():
            self.board.round(done)
            self.write()

    def end(self, results: Mapping[str, Any]) -> None:
        """What is wrong with the protocol, and the test."""
        if self.test is not None:
            self.board.test(self.test)
            for shadow in results["shadow"]:
                self.report.console.print(f"in shadow: {shadow['sentence']}", soft_wrap=True, highlight=False)
            self.report.flaws(results["flaws"])
            self.report.test(self.test)

    # --- Results ------------------------------------------------------------------------------------------------------

    def own_results(self, status: str) -> dict[str, Any]:
        """The protocol's choices and flaws, the epochs, the test."""
        history, acquisition, settings = self.loop.history, self.loop.acquisition, self._settings()
        followed = {**settings, "steer_on": settings["steer_on"] if self.loop.steered else None}
        return {
            "strategy": acquisition.strategy.spelling if acquisition else None,
            **settings,
            "flaws": flaws(followed),
            "stop_reason": acquisition.stop_reason if acquisition else "",
            "device": str(self.loop.model.device),
            "epochs": [asdict(epoch) for epoch in history.epochs],
            "shadow": in_shadow(self.monitor, [None] * history.fits) if self.test else [],
            "test": described_test(self.test, self.labels),
            "labels_spent": self.loop.labels_spent(),
            "checkpoint": self.loop.learner.best.best_model_path or None,
            "train_samples_per_second": round(history.samples_per_second, 1),
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

    def described(self, done: Round) -> dict[str, Any]:
        """A round as `results.json` has it."""
        classes, query = self.labels, done.query
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
        "watch": acquisition.monitor.state() if acquisition.monitor else [],
        "committee": None if committee is None else {"model": committee.state_dict()},
    }


def restore(loop: ExampleLoop, state: Mapping[str, Any]) -> None:
    """Give a fresh loop the state of another, so that it goes on to the same weights and picks."""
    loop.model.load_state_dict(state["model"])
    loop.history.epochs = [unpacked(Epoch, one) for one in state["epochs"]]
    loop.history.fits = state["fits"]
    acquisition = loop.acquisition
    if acquisition is not None:
        acquisition.watch(loop.data)  # its monitor draws from the pool of the beginning
        if acquisition.monitor:
            acquisition.monitor.restore(state["watch"])
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
