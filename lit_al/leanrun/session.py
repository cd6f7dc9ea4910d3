"""`LeanSession`: the honest loop of one seed, judged, stopped, paid for and written down."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lit_al import plots
from lit_al.board import Board
from lit_al.cache import encoded
from lit_al.checkpoints import save_model
from lit_al.config import TrainConfig
from lit_al.datamodule import EVALUATION_BATCH, Batches
from lit_al.lean import LeanLoop
from lit_al.leanrun.plan import Plan
from lit_al.leanrun.rounds import Judged, described_bill, query_of
from lit_al.leanrun.watch import Watch
from lit_al.leanrun.words import TEST_SET, LeanWords
from lit_al.leanstate import LeanRound
from lit_al.material import Material
from lit_al.model import LitBiLSTM
from lit_al.outputs import Evaluation, Query
from lit_al.page import picked_texts, write_run_report
from lit_al.picks import write_picks
from lit_al.prior import learn
from lit_al.report import Report
from lit_al.run import SCHEMA, peak_memory_mb, versions, write_results
from lit_al.scoring import evaluate
from lit_al.strategies import make_strategy
from lit_al.vectors import vectors_of


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
        began: `time.perf_counter()` at the start.
    """

    def __init__(
        self, config: TrainConfig, material: Material, plan: Plan, folder: Path, report: Report, began: float
    ) -> None:
        self.config, self.material, self.plan = config, material, plan
        self.folder, self.report, self.began = folder, report, began
        self.words = LeanWords(report, plan)
        self.rounds: list[Judged] = []
        self.loop: LeanLoop | None = None
        self.watch: Watch | None = None
        self.device = "cpu"
        self.stop_reason = ""
        self.checkpoint: Path | None = None
        self.board = Board(folder, material.corpus, plots.title(self.results("running")))

    def run(self) -> dict[str, Any]:
        """Query, fit, judge, round by round; what is known so far is written at every step."""
        status = "failed"
        try:
            tokens = self._encode()
            self.words.begin(str(self.config.strategy))
            write_results(self.folder, self.results("running"))
            self._rounds(tokens)
            status = "finished"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            results = self.results(status)
            self._finish(results)
        return results

    def _encode(self) -> Tensor:
        corpus, pool = self.material.corpus, self.material.split.pool
        with self.report.counting("encoding the corpus", len(corpus)) as advance:
            tokens = torch.from_numpy(encoded(corpus, self.material.encoder, advance=advance))  # (N, T)
        strategy, words = make_strategy(str(self.config.strategy)), len(self.material.encoder.vocabulary)
        vectors = vectors_of(pool, tokens, words) if "vectors" in strategy.needs | strategy.needs_labeled else None
        with self.report.console.status("learning from the unlabeled texts …") as status:
            prior = learn(
                self.plan.recipe,
                corpus,
                pool,
                self.material.encoder,
                tokens,
                lambda doing: status.update(f"{doing} …"),
                self.config.accelerator,
            )
        for note in prior.notes:
            self.report.console.print(f"[yellow]{note}[/]", soft_wrap=True)
        self.loop = LeanLoop(
            tokens,
            words,
            corpus.classes,
            pool,
            self.plan.oracle,
            seeds=[self.config.seed],
            strategy=str(self.config.strategy),
            schedule=self.plan.schedule,
            recipe=self.plan.recipe,
            prior=prior,
            vectors=vectors,
            accelerator=self.config.accelerator,
        )
        self.watch = Watch(self.plan.rule, tokens, pool, self.config.seed, self.plan.follows, self.plan.source)
        self.report.model(self._member())
        return tokens

    def _member(self) -> LitBiLSTM:
        assert self.loop is not None  # made before anything is asked of it
        return self.loop.model.member(0, self.material.encoder)

    def _rounds(self, tokens: Tensor) -> None:
        assert self.watch is not None  # as the loop
        judging = Batches(
            tokens,
            torch.tensor(self.material.corpus.labels),
            torch.from_numpy(self.material.split.test),
            EVALUATION_BATCH,
        )
        for done in self._handed_over():
            model = self._member()
            self.device = str(model.device)
            self.stop_reason = self.watch.look(model, done.runs[0])  # before anybody has looked at the test set
            self._record(done, evaluate(model, judging), model)
            if self.stop_reason:
                return
        self.stop_reason = self._exhausted()

    def _handed_over(self) -> Iterator[LeanRound]:
        """The rounds of the loop, with a word of what it is at while it is."""
        assert self.loop is not None  # as above
        rounds = self.loop.rounds()
        for number, target in enumerate(self.plan.schedule):
            with self.report.console.status(f"round {number}: asking and learning, up to {target:,} labels …"):
                done = next(rounds)
            yield done

    def _exhausted(self) -> str:
        asked = self.plan.schedule[-1]
        if asked == len(self.material.split.pool):
            return "the pool is empty"
        return f"all {len(self.plan.schedule) - 1} rounds are done"

    def _record(self, done: LeanRound, test: Evaluation, model: LitBiLSTM) -> None:
        judged = Judged.of(done, self.material.corpus.classes, self.plan.recipe.guard, test, self.plan.oracle.bill)
        self.rounds.append(judged)
        self.checkpoint = save_model(model, self.folder / "checkpoints" / "best.ckpt")
        self.words.round(judged)
        self._to_board(judged)
        self._write_picks()
        write_results(self.folder, self.results("running"))

    def _to_board(self, done: Judged) -> None:
        """Everything over the number of labels."""
        values = {"test/accuracy": done.test.accuracy, "test/loss": done.test.loss, "cost": done.bill.cost}
        if done.estimate:
            low, high = done.estimate.interval
            values |= {"controls/accuracy": done.estimate.accuracy, "controls/low": low, "controls/high": high}
        if done.validation:
            found = done.validation.all
            low, high = found.interval
            values |= {"validation/accuracy": found.accuracy, "validation/low": low, "validation/high": high}
        for part in ("fit", "validate", "score", "select"):
            values[f"seconds/{part}"] = getattr(done, f"{part}_seconds")
        for name, taken in zip(self.material.corpus.classes, done.taken, strict=True):
            values[f"taken/{name}"] = taken
        self.board.scalars(values, done.asked)
        if done.query:
            self.board.picked(done.query)

    def _queries(self) -> list[Query]:
        """Every batch that was asked, that of a round which Ctrl-C cut off too: its labels are paid for."""
        queries = [done.query for done in self.rounds if done.query]
        if self.loop and self.rounds and self.loop.runs[0].asked > self.rounds[-1].asked:
            pending = query_of(len(self.rounds), self.loop.runs[0])
            queries += [pending] if pending else []
        return queries

    def _write_picks(self) -> None:
        write_picks(self.folder, self._queries(), self.material.corpus.classes)

    def _finish(self, results: dict[str, Any]) -> None:
        self._write_picks()
        write_results(self.folder, results)
        for name, figure in plots.figures(results).items():
            figure.savefig(self.folder / f"{name}.png")
            self.board.figure(name, figure)
        self.board.close()
        self.report.page(write_run_report(self.folder, picked_texts(self._queries(), self.material.corpus)))
        if results["status"] == "finished":
            self.words.end(self.stop_reason, results["shadow"], self.plan.oracle.bill)
            self.report.test(self.rounds[-1].test)

    def results(self, status: str) -> dict[str, Any]:
        """The contents of `results.json`; docs/results-schema.md describes them."""
        classes = self.material.corpus.classes
        last = self.rounds[-1] if self.rounds else None
        seconds = sum(done.fit_seconds for done in self.rounds)
        samples = sum(self.plan.recipe.samples(done.labels, len(self.material.split.pool)) for done in self.rounds)
        test = None
        if last is not None and status == "finished":
            test = {**last.test.described(classes), "standard_error": last.test.confusion.standard_error}
            test["confusion"] = last.test.confusion.matrix.tolist()
        return {
            "schema": SCHEMA,
            "status": status,
            "mode": self.config.mode,
            "protocol": self.config.protocol,
            "strategy": self.config.strategy,
            **dict.fromkeys(("steer_on", "pool_classes", "ratio_direction")),
            "flaws": list(self.plan.flaws),
            "stop": str(self.plan.rule) if self.plan.rule else None,
            "stop_reason": self.stop_reason,
            "schedule": list(self.plan.schedule),
            "recipe": asdict(self.plan.recipe),
            "data": self.material.described(),
            "seeds": {"seed": self.config.seed, "split_seed": self.config.split_seed},
            "versions": versions(),
            "device": self.device,
            "epochs": [],
            "rounds": [done.described(classes) for done in self.rounds],
            "estimate": last.estimate.described() if last and last.estimate else None,
            "validation": last.validation.described() if last and last.validation else None,
            "follows": self.plan.follows,
            "shadow": self._shadow(),
            "bill": described_bill(self.plan.oracle.bill),
            "test": test,
            "test_use": TEST_SET,
            "labels_spent": self._labels_spent(),
            "checkpoint": str(self.checkpoint) if self.checkpoint else None,
            "wall_seconds": round(time.perf_counter() - self.began, 2),
            "train_samples_per_second": round(samples / seconds, 1) if seconds else 0.0,
            "peak_memory_mb": peak_memory_mb(),
        }

    def _shadow(self) -> list[dict[str, Any]]:
        """Only now do the rules meet the test set: what each would have cost."""
        if self.watch is None or not self.watch.history or len(self.watch.history) != len(self.rounds):
            return []
        return self.watch.in_shadow([done.test.accuracy for done in self.rounds])

    def _labels_spent(self) -> dict[str, int]:
        """Every question counts, answered or not, that of a round which Ctrl-C cut off too."""
        bill, held = self.plan.oracle.bill, len(self.loop.runs[0].held) if self.loop else 0
        return {
            "train": bill.labels - held,
            "skipped": bill.skipped,
            "validation": held,
            "steering": 0,
            "total": bill.asked,
        }
