"""`LeanSession`: the honest loop of one seed, judged, stopped, paid for and written down."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from lit_al.exceptions import OraclePending
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.course import RunHistory, results_of
from lit_al.experiment.experiment_data import ExperimentData
from lit_al.experiment.file_oracle import what_to_do
from lit_al.experiment.journal import Journal
from lit_al.experiment.lean_console import LeanWords
from lit_al.experiment.protocol import RunProtocol
from lit_al.loop.active_loop import ActiveLoop, FittedRound
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.models.batches import EVALUATION_BATCH, Batches
from lit_al.models.checkpoint import save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import evaluate
from lit_al.reporting import figures
from lit_al.reporting.console import RunConsole
from lit_al.reporting.queries import write_picks
from lit_al.reporting.run_page import picked_texts, write_run_report
from lit_al.reporting.tensorboard import TensorBoardLog
from lit_al.strategies import make_strategy
from lit_al.text.cache import encoded
from lit_al.text.lsa import vectors_of
from lit_al.training.pretraining import learn
from lit_al.training.step_training import StepTraining
from lit_al.utils.folders import write_results
from lit_al.utils.signals import shielded
from lit_al.utils.terminal_text import markup


class LeanSession:
    """One lean run in its folder.

    The loop gets the pool and the oracle. The session alone knows the test set, and judges each round's model on it
    after the loop has handed it over.

    Args:
        config: resolved settings.
        material: corpus, split and encoder; not changed.
        plan: what the settings come to.
        folder: of this run, there already.
        report: prints.
        journal: of the run; has rounds where the run goes on.
        began: `time.perf_counter()` at the start.
    """

    def __init__(
        self,
        config: TrainConfig,
        material: ExperimentData,
        plan: RunProtocol,
        folder: Path,
        report: RunConsole,
        journal: Journal,
        began: float,
    ) -> None:
        self.config, self.material, self.plan, self.folder = config, material, plan, folder
        self.report, self.journal, self.began = report, journal, began
        self.words = LeanWords(report, plan)
        self.oracle = journal.oracle(plan.oracle)
        self.course = RunHistory()
        self.fresh: Callable[[], ActiveLoop] | None = None
        self.loop: ActiveLoop | None = None
        self.monitor: StoppingMonitor | None = None
        self.judging: Batches | None = None
        self.board = TensorBoardLog(folder, material.corpus, figures.title(self.results("running")))

    def run(self) -> dict[str, Any]:
        """Query, fit, judge, round by round, from where the ledger says; what is known is written at every step."""
        status = "failed"
        try:
            self._encode()
            self.words.begin(str(self.config.strategy))
            self._go_on()
            write_results(self.folder, self.results("running"))
            self._rounds()
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
        return results

    def _encode(self) -> None:
        """Texts to numbers, and what the unlabeled ones teach; then the loop and the rules stand ready."""
        corpus, pool = self.material.corpus, self.material.split.pool
        with self.report.counting("encoding the corpus", len(corpus)) as advance:
            tokens = torch.from_numpy(encoded(corpus, self.material.encoder, advance=advance))  # (N, T)
        strategy, words = make_strategy(str(self.config.strategy)), len(self.material.encoder.vocabulary)
        vectors = None
        if "vectors" in strategy.needs | strategy.needs_labeled:
            vectors = vectors_of(corpus.in_order(pool), tokens, words)
        with self.report.console.status("learning from the unlabeled texts …") as status:
            pretraining = learn(
                self.plan.recipe,
                corpus,
                pool,
                self.material.encoder,
                tokens,
                lambda doing: status.update(f"{doing} …"),
                self.config.accelerator,
            )
        for note in pretraining.notes:
            self.report.console.print(f"[yellow]{markup(note)}[/]", soft_wrap=True)
        self.fresh = lambda: ActiveLoop(
            StepTraining(
                tokens,
                words,
                corpus.classes,
                recipe=self.plan.recipe,
                pretraining=pretraining,
                vectors=vectors,
                accelerator=self.config.accelerator,
            ),
            pool,
            self.oracle,
            classes=len(corpus.classes),
            seeds=[self.config.seed],
            strategy=str(self.config.strategy),
            schedule=self.plan.schedule,
            start=self.plan.start,
            journal=self.journal,
        )
        self.loop = self.fresh()
        self.monitor = StoppingMonitor(self.plan.rule, pool, self.config.seed, self.plan.follows, self.plan.source)
        self.judging = Batches(
            tokens, torch.tensor(corpus.labels), torch.from_numpy(self.material.split.test), EVALUATION_BATCH
        )
        self.report.model(self._member())

    def _member(self) -> LitBiLSTM:
        assert self.loop is not None  # made before anything is asked of it
        assert isinstance(self.loop.method, StepTraining)
        return self.loop.method.model.member(0, self.material.encoder)

    # --- State --------------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Begin where an earlier sitting saved its state last, if there was one."""
        start = self.plan.start
        if len(start):
            self.journal.take_labels(start, self.material.corpus.labels[start])
        number = self.journal.states.restore(self._take)
        if number is None:
            return
        self.report.console.print(f"going on after round {number}", highlight=False)
        self.course.checkpoint = save_model(self._member(), self.folder / "checkpoints" / "best.ckpt")
        for done in self.course.rounds:
            self._to_board(done)

    def _take(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; one that does not fit changes nothing."""
        assert self.monitor is not None  # as the loop
        assert self.fresh is not None
        course, loop = RunHistory.restored(state["course"]), self.fresh()
        loop.load_state_dict(state["loop"])
        bill, began = course.rounds[-1].bill, self.began - course.seconds
        self.monitor.restore(state["watch"])
        self.course, self.loop, self.plan.oracle.bill, self.began = course, loop, bill, began

    def _state(self) -> dict[str, Any]:
        assert self.loop is not None  # as above
        assert self.monitor is not None
        seconds = time.perf_counter() - self.began
        return {"loop": self.loop.state_dict(), "watch": self.monitor.state(), "course": self.course.state(seconds)}

    # --- Rounds -------------------------------------------------------------------------------------------------------

    def _rounds(self) -> None:
        assert self.loop is not None  # as above
        rounds = self.loop.rounds()
        while not self.course.stop_reason:
            number = self.loop.done
            target = self.plan.schedule[number]
            with self.report.console.status(f"round {number}: asking and learning, up to {target:,} labels …"):
                done = next(rounds)
            self._record(done)

    def _record(self, done: FittedRound) -> None:
        """What follows from a round, before anybody has looked at the test set; then what is said of it."""
        assert self.monitor is not None  # as the loop
        assert self.judging is not None
        model, course, [run] = self._member(), self.course, done.states
        course.device, course.held = str(model.device), len(run.held)
        course.stop_reason = self.monitor.record(done.method.score(self.monitor.rows)[0], run)
        if not course.stop_reason and done.number == len(self.plan.schedule) - 1:
            course.stop_reason = self._exhausted()
        test = evaluate(model, self.judging) if len(self.material.split.test) else None
        judged = Round.of(
            done,
            self.material.corpus.classes,
            self.plan.recipe.guard,
            self.monitor.estimate,
            test,
            self.plan.oracle.bill,
        )
        course.rounds.append(judged)
        course.checkpoint = save_model(model, self.folder / "checkpoints" / "best.ckpt")
        self.words.round(judged)
        with shielded():
            self._to_board(judged)
            self._write_picks()
            write_results(self.folder, self.results("running"))
            self.journal.keep(done.number, self._state())

    def _exhausted(self) -> str:
        if self.plan.schedule[-1] == len(self.material.split.pool):
            return "the pool is empty"
        return f"all {len(self.plan.schedule) - 1} rounds are done"

    def _to_board(self, done: Round) -> None:
        """Everything over the number of labels."""
        values = {"cost": done.bill.cost}
        if done.test:
            values |= {"test/accuracy": done.test.accuracy, "test/loss": done.test.loss}
        if done.estimate:
            low, high = done.estimate.interval
            values |= {"controls/accuracy": done.estimate.accuracy, "controls/low": low, "controls/high": high}
        if done.validation:
            found = done.validation.all
            low, high = found.interval
            values |= {"validation/accuracy": found.accuracy, "validation/low": low, "validation/high": high}
        for part in ("fit", "validate", "score", "select"):
            values[f"seconds/{part}"] = getattr(done.seconds, part)
        classes = self.material.corpus.classes
        for name, taken in zip(classes, done.query.taken(len(classes)), strict=True):
            values[f"taken/{name}"] = taken
        self.board.scalars(values, done.asked)
        if done.query.chosen:
            self.board.picked(done.query)

    def _queries(self) -> list[Query]:
        """Every batch that was asked, that of a round which Ctrl-C cut off too: its labels are paid for."""
        rounds = self.course.rounds
        queries = [done.query for done in rounds]
        pending = self.loop.states[0].query if self.loop and rounds else None
        if pending and pending.number == len(rounds):
            queries.append(pending)
        return [query for query in queries if query.chosen]

    def _write_picks(self) -> None:
        write_picks(self.folder, self._queries(), self.material.corpus.classes)

    def _finish(self, results: dict[str, Any]) -> None:
        self._write_picks()
        write_results(self.folder, results)
        for name, figure in figures.figures(results).items():
            figure.savefig(self.folder / f"{name}.png")
            self.board.figure(name, figure)
        self.board.close()
        self.report.page(write_run_report(self.folder, picked_texts(self._queries(), self.material.corpus)))
        if results["status"] == "waiting":
            self.words.waiting(what_to_do(self.journal.record, self.folder))
        if results["status"] == "finished":
            self.journal.finish()
            self.words.end(self.course.stop_reason, results["shadow"], self.plan.oracle.bill)
            last = self.course.rounds[-1]
            self.report.test(last.test) if last.test else self.words.estimated(last)

    def results(self, status: str) -> dict[str, Any]:
        """The contents of `results.json`; docs/results-schema.md describes them."""
        self.course.held = len(self.loop.states[0].held) if self.loop else self.course.held
        shadow = self.course.in_shadow(self.monitor)
        seconds = time.perf_counter() - self.began
        return results_of(self.course, self.config, self.material, self.plan, shadow, status, seconds)
