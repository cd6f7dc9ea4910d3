"""`LeanSession`: the honest loop of one seed, judged, stopped, paid for and written down."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.experiment_data import ExperimentData
from lit_al.experiment.file_oracle import what_to_do
from lit_al.experiment.journal import Journal
from lit_al.experiment.lean_console import LeanWords
from lit_al.experiment.own_reference import of_pool, of_test, said_by
from lit_al.experiment.protocol import RunProtocol
from lit_al.experiment.run_session import RunSession, described_test, in_shadow
from lit_al.loop.active_loop import ActiveLoop, FittedRound
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round, described_bill
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.models.batches import EVALUATION_BATCH, Batches
from lit_al.models.checkpoint import save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import evaluate
from lit_al.reporting.console import RunConsole
from lit_al.strategies import make_strategy
from lit_al.text.cache import encoded
from lit_al.text.embeddings import embeddings_of
from lit_al.text.lsa import vectors_of
from lit_al.training.fitting import device_of
from lit_al.training.pretraining import learn
from lit_al.training.step_training import StepTraining
from lit_al.typing import Float16s
from lit_al.utils.packing import unpacked
from lit_al.utils.signals import shielded
from lit_al.utils.terminal_text import markup


class LeanSession(RunSession):
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

    fresh: Callable[[], ActiveLoop]
    judging: Batches
    _vectors_before: str  # as `_vectors`, of the state that the run goes on from

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
        self.plan = plan
        super().__init__(config, material, folder, report, journal, began)

    def assemble(self) -> None:
        """What has nothing to say yet; the loop comes when the texts are numbers."""
        plan, pool = self.plan, self.material.split.pool
        self.words, self.oracle = LeanWords(self.report, plan), self.journal.oracle(plan.oracle)
        self._rounds: list[Round] = []
        self.stop_reason, self.device = "", "cpu"
        self.checkpoint: Path | None = None
        self._vectors = ""  # sha256 of the vectors of a file, where one is learned from
        self.loop: ActiveLoop | None = None
        self._monitor = StoppingMonitor(plan.rule, pool, self.config.seed, plan.follows, plan.source)

    @property
    def rounds(self) -> Sequence[Round]:
        """So far."""
        return self._rounds

    @property
    def monitor(self) -> StoppingMonitor:
        """What stopping rules see."""
        return self._monitor

    @property
    def queries(self) -> Sequence[Query]:
        """Every batch that was asked, that of a round which Ctrl-C cut off too: its labels are paid for."""
        queries = [done.query for done in self.rounds]
        pending = self.loop.states[0].query if self.loop and queries else None
        if pending and pending.number == len(queries):
            queries.append(pending)
        return [query for query in queries if query.chosen]

    def prepare(self) -> None:
        """Texts to numbers, and what the unlabeled ones teach; then the loop stands ready."""
        corpus, pool = self.material.corpus, self.material.split.pool
        with self.report.counting("encoding the corpus", len(corpus)) as advance:
            tokens = torch.from_numpy(encoded(corpus, self.material.encoder, advance=advance))  # (N, T)
        strategy, words = make_strategy(str(self.config.strategy)), len(self.material.encoder.vocabulary)
        embeddings = self._embeddings()
        vectors = None
        if "vectors" in strategy.needs | strategy.needs_labeled:
            if embeddings is None:
                vectors = vectors_of(corpus.in_order(pool), tokens, words)
            else:
                vectors = embeddings.astype(np.float32)
        with self.report.console.status("learning from the unlabeled texts …") as status:
            pretraining = learn(
                self.plan.recipe,
                corpus,
                pool,
                self.material.encoder,
                tokens,
                lambda doing: status.update(f"{doing} …"),
                self.config.accelerator,
                embeddings=embeddings,
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
                groups=corpus.grouped.numbers,
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
        self.judging = Batches(
            tokens, torch.tensor(corpus.labels), torch.from_numpy(self.material.split.test), EVALUATION_BATCH
        )
        self.report.model(self._member())
        self.words.begin(str(self.config.strategy), self.material.reading)
        start = self.plan.start
        if len(start):
            self.journal.take_labels(start, corpus.labels[start])

    def _embeddings(self) -> Float16s | None:
        """Vectors of the texts from outside, where the settings name a source of them."""
        config, corpus = self.config, self.material.corpus
        if config.encoder is None and config.embeddings is None:
            return None
        with self.report.counting("vectors of the texts", len(corpus)) as advance:
            device = str(device_of(config.accelerator))
            found = embeddings_of(corpus, config.encoder, config.embeddings, device=device, advance=advance)
        if config.embeddings is not None and found is not None:
            self._vectors = hashlib.sha256(np.ascontiguousarray(found).tobytes()).hexdigest()
        return found

    def _member(self) -> LitBiLSTM:
        assert self.loop is not None  # made before anything is asked of it
        assert isinstance(self.loop.method, StepTraining)
        return self.loop.method.model.member(0, self.material.encoder)

    # --- State --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The loop asks for the first labels by itself."""

    def take(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; one that does not fit changes nothing."""
        course, loop = state["course"], self.fresh()
        rounds = [unpacked(Round, one) for one in course["rounds"]]
        loop.load_state_dict(state["loop"])
        bill, began = rounds[-1].bill, self.began - state["seconds"]
        self._monitor.restore(state["watch"])
        self._rounds, self.stop_reason, self.device = rounds, course["stop_reason"], course["device"]
        self.loop, self.plan.oracle.bill, self.began = loop, bill, began
        self._vectors_before = course.get("vectors", "")

    def state(self) -> dict[str, Any]:
        """The loop, what the rules have seen, and the rounds."""
        assert self.loop is not None  # as above
        course = {"rounds": self._rounds, "stop_reason": self.stop_reason, "device": self.device}
        course["vectors"] = self._vectors
        return {"loop": self.loop.state_dict(), "watch": self._monitor.state(), "course": course}

    def show_again(self) -> None:
        """The rounds of earlier sittings; the checkpoint is made anew from the state.

        Raises:
            ConfigError: the vectors of the texts are others than they were.
        """
        if self._vectors_before not in ("", self._vectors):
            raise ConfigError(
                f"the vectors in {self.config.embeddings} have changed since the run began, so that it cannot go on as "
                "it was; put the old file back, or begin a new run"
            )
        self.checkpoint = save_model(self._member(), self.folder / "checkpoints" / "best.ckpt")
        for done in self.rounds:
            self.board.lean_round(done)

    # --- Rounds -------------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Query, fit, judge, until a rule or the schedule ends it."""
        assert self.loop is not None  # as above
        rounds = self.loop.rounds()
        while not self.stop_reason:
            number = self.loop.done
            target = self.plan.schedule[number]
            with self.report.console.status(f"round {number}: asking and learning, up to {target:,} labels …"):
                done = next(rounds)
            self._record(done)
        self._write_reference()

    def _write_reference(self) -> None:
        """What texts are like to the model that is delivered; all has been judged, so that the test set may help."""
        assert self.loop is not None  # as above
        method, [run] = self.loop.method, self.loop.states
        assert isinstance(method, StepTraining)
        given, say = (method.tokens, self.material.encoder), partial(said_by, self._member())
        found = of_test(*given, self.material.corpus, self.material.split.test, say)
        if found is None:
            found = of_pool(*given, self.labels, run.pool, say)
        if found is not None:
            found.write(self.folder)

    def _record(self, done: FittedRound) -> None:
        """What follows from a round, before anybody has looked at the test set; then what is said of it."""
        model, [run] = self._member(), done.states
        self.device = str(model.device)
        self.stop_reason = self._monitor.record(done.method.score(self._monitor.rows)[0], run)
        if not self.stop_reason and done.number == len(self.plan.schedule) - 1:
            self.stop_reason = self._exhausted()
        test = evaluate(model, self.judging) if len(self.material.split.test) else None
        guard, estimate, bill = self.plan.recipe.guard, self._monitor.estimate, self.plan.oracle.bill
        judged = Round.of(done, self.labels, guard, estimate, test, bill)
        self._rounds.append(judged)
        self.checkpoint = save_model(model, self.folder / "checkpoints" / "best.ckpt")
        self.words.round(judged)
        with shielded():
            self.board.lean_round(judged)
            self.write()
            self.keep(done.number)

    def _exhausted(self) -> str:
        if self.plan.schedule[-1] == len(self.material.split.pool):
            return "the pool is empty"
        return f"all {len(self.plan.schedule) - 1} rounds are done"

    # --- Results ------------------------------------------------------------------------------------------------------

    def described(self, done: Round) -> dict[str, Any]:
        """A round as `results.json` has it."""
        return done.described(self.labels)

    def own_results(self, status: str) -> dict[str, Any]:
        """Recipe, estimates, bill, and where each rule would have ended the run."""
        plan, last = self.plan, self.rounds[-1] if self.rounds else None
        fitting = sum(done.seconds.fit for done in self.rounds)
        samples = sum(done.fit.samples for done in self.rounds)
        return {
            "strategy": self.config.strategy,
            **dict.fromkeys(("steer_on", "pool_classes", "ratio_direction")),
            "flaws": list(plan.flaws),
            "stop_reason": self.stop_reason,
            "schedule": list(plan.schedule),
            "recipe": asdict(plan.recipe),
            "device": self.device,
            "epochs": [],
            "estimate": last.estimate.described() if last and last.estimate else None,
            "estimate_needs": last.needed if last else None,
            "validation": last.validation.described() if last and last.validation else None,
            "follows": plan.follows,
            "shadow": in_shadow(self._monitor, [done.test for done in self.rounds]),
            "oracle": self.config.oracle,
            "bill": described_bill(plan.oracle.bill),
            "test": described_test(last.test, self.labels) if last and status == "finished" else None,
            "test_use": plan.test_use,
            "labels_spent": self._labels_spent(),
            "checkpoint": str(self.checkpoint) if self.checkpoint else None,
            "train_samples_per_second": round(samples / fitting, 1) if fitting else 0.0,
        }

    def _labels_spent(self) -> dict[str, int]:
        """Every question counts, answered or not, that of a round which Ctrl-C cut off too."""
        bill, held = self.plan.oracle.bill, len(self.loop.states[0].held) if self.loop else 0
        train = bill.labels - held
        return {"train": train, "skipped": bill.skipped, "validation": held, "steering": 0, "total": bill.asked}

    def end(self, results: Mapping[str, Any]) -> None:
        """What people are to do, or why it ended, what the rules say, and the test or the estimate."""
        if results["status"] == "waiting":
            self.words.waiting(what_to_do(self.journal.record, self.folder))
        if results["status"] == "finished":
            self.words.end(self.stop_reason, results["shadow"], self.plan.oracle.bill)
            last = self.rounds[-1]
            self.report.test(last.test) if last.test else self.words.estimated(last)
