"""The honest loop: from a few labels to a few thousand, every one of them counted, the test set out of reach.

    loop = LeanLoop(tokens, words, classes, pool, oracle, seeds=range(5), strategy="entropy", schedule=(100, 200, 400))
    for done in loop.rounds():
        ...  # judge done.model on whatever the loop was not given

Several runs, one for each seed, go side by side: they share the pool at the start and nothing else, and train and score
in one batched pass (`committee`). The loop is given the pool and an oracle, no test row, so that nothing in it can
depend on one; whoever reads the rounds does the judging.

No label is spent on validation: a fit takes a fixed number of steps, and the weights of its second half are averaged,
which stands in for stopping at the right moment (Izmailov et al. 2018).
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import lightning as L
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lit_al.committee import LitCommittee
from lit_al.corpora import UNLABELED
from lit_al.datamodule import EVALUATION_BATCH, Batches
from lit_al.errors import ConfigError
from lit_al.fitting import fit
from lit_al.lengths import WINDOW, in_windows, lengths_of
from lit_al.oracles import Oracle
from lit_al.outputs import Confusion
from lit_al.scoring import see
from lit_al.split import Rows
from lit_al.strategies import Choice, Collapse, Context, Labeled, Pool, Strategy, choose, collapsed, make_strategy

Weights = Literal["fresh", "warm", "shrink"]
SHRINK, NOISE = 0.5, 0.01  # Ash and Adams 2020: old weights halved, noise of this standard deviation added


@dataclass(frozen=True)
class Recipe:
    """How each round trains and asks.

    Attributes:
        steps: training steps of a fit.
        batch_size: B; no more than the labels there are.
        learning_rate: of RMSprop.
        weights: a round begins with fresh weights, with the previous ones, or with those shrunk and perturbed.
        average: share of the steps, at the end, whose weights are averaged; 0 takes the last weights.
        committee_size: K members, for strategies that ask a committee.
        draws: K dropout draws, for strategies that ask for them.
        guard: choose at random while the model answers nearly one class.
        masked: padding has no state: see `lit_al.kernels`.
    """

    steps: int = 200
    batch_size: int = 64
    learning_rate: float = 1e-3
    weights: Weights = "fresh"
    average: float = 0.5
    committee_size: int = 5
    draws: int = 10
    guard: bool = True
    masked: bool = False


@dataclass
class Run:
    """One seed's run.

    Attributes:
        seed: of its labels, weights and shuffles.
        strategy: chooses for it; some remember.
        pool: (n,) int64 rows that nobody has labeled or skipped.
        labeled: (m,) int64 rows in the order of labeling.
        answers: (m,) int64 what the oracle said of them.
        asked: questions so far, answered or not.
        controls: for each control drawn at random, whether the model called it right before it learned from it.
        choice: of the last query; None before the first.
        predicted: (k,) int64 what the model took the chosen rows for; empty for the first query.
        probabilities: (k, C) float32 likewise.
        newest: (k,) int64 what the oracle said of them, -1 for a skip.
        collapse: what the last model answered nearly always, if it did.
    """

    seed: int
    strategy: Strategy
    pool: Rows
    labeled: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    answers: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    asked: int = 0
    controls: list[bool] = field(default_factory=list)
    choice: Choice | None = None
    predicted: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    probabilities: npt.NDArray[np.floating[Any]] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    newest: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    collapse: Collapse | None = None

    def confusion(self, classes: int) -> Confusion:
        """Errors on the last batch, before the model learned from it: free, and honest but for how it was chosen."""
        matrix = np.zeros((classes, classes), np.int64)
        if len(self.predicted):
            given = self.newest != UNLABELED
            np.add.at(matrix, (self.newest[given], self.predicted[given]), 1)
        return Confusion(matrix)

    def take(self, choice: Choice, answers: npt.NDArray[np.int64]) -> None:
        """Take answers (k,) in; a row that was skipped, -1, leaves the pool without a label."""
        given = answers != UNLABELED
        self.choice, self.newest = choice, answers
        self.pool = self.pool[~np.isin(self.pool, choice.rows)]
        self.labeled = np.concatenate([self.labeled, choice.rows[given]])
        self.answers = np.concatenate([self.answers, answers[given]])
        self.asked += len(choice.rows)

    def rng(self, round_number: int) -> np.random.Generator:
        """The source of chance of a round: that of the first is the same for every strategy."""
        return np.random.default_rng([self.seed, round_number])


@dataclass(frozen=True)
class LeanRound:
    """All runs after a fit.

    Attributes:
        number: 0 for the fit on the first labels.
        model: a member for each run, on the loop's device.
        runs: their state; it changes with the next round.
        fit_seconds: of all runs together, as are the others.
        score_seconds: of scoring the pool for the batch acquired before this fit; 0 in round 0.
        select_seconds: of choosing that batch; 0 in round 0.
    """

    number: int
    model: LitCommittee
    runs: Sequence[Run]
    fit_seconds: float
    score_seconds: float
    select_seconds: float


class LeanLoop:
    """Runs of one strategy, a seed each, side by side.

    Args:
        tokens: (N, T) uint16 of the whole corpus.
        vocabulary_size: V.
        classes: C names.
        pool: (n,) int64 rows that may be labeled.
        oracle: answers for rows; -1 for one that it skips.
        seeds: one run each. Runs of the same seed begin with the same labels and weights, whatever their strategy.
        strategy: a spelling for `make_strategy`.
        schedule: questions asked in all, by the end of each query: (100, 200, 400) begins with 100 random rows.
        recipe: how each round trains.
        vectors: (N, D) text vectors, for strategies that need them.
        accelerator: Lightning's.

    Raises:
        ConfigError: a schedule that does not grow, or that asks for more than the pool.
    """

    def __init__(
        self,
        tokens: Tensor,
        vocabulary_size: int,
        classes: Sequence[str],
        pool: Rows,
        oracle: Oracle,
        *,
        seeds: Sequence[int],
        strategy: str = "random",
        schedule: Sequence[int] = (100, 200, 300),
        recipe: Recipe | None = None,
        vectors: npt.NDArray[np.float32] | None = None,
        accelerator: str = "auto",
    ) -> None:
        _check_schedule(schedule, len(pool))
        self.tokens, self.vocabulary_size, self.classes = tokens, vocabulary_size, tuple(classes)
        self.oracle, self.schedule, self.recipe = oracle, tuple(schedule), recipe or Recipe()
        self.vectors, self.accelerator = vectors, accelerator
        self.runs = [Run(seed, make_strategy(strategy), pool) for seed in seeds]
        self.model = self._new_model(0)
        self.done = 0  # rounds

    def rounds(self) -> Iterator[LeanRound]:
        """Query, fit, hand over; once for each number of the schedule, or for those left after `load_state_dict`."""
        for number, target in list(enumerate(self.schedule))[self.done :]:
            score_seconds, select_seconds = self._query(number, target)
            began = time.perf_counter()
            self._fit(number)
            fit_seconds = time.perf_counter() - began
            self.done = number + 1
            yield LeanRound(number, self.model, self.runs, fit_seconds, score_seconds, select_seconds)

    def state_dict(self) -> dict[str, Any]:
        """All that the rounds to come depend on, as tensors and plain types."""
        runs = [
            {
                **{name: torch.from_numpy(getattr(run, name)) for name in ("pool", "labeled", "answers", "predicted")},
                "newest": torch.from_numpy(run.newest),
                "asked": run.asked,
                "controls": run.controls,
                "strategy": {name: torch.from_numpy(array) for name, array in run.strategy.state().items()},
            }
            for run in self.runs
        ]
        return {"done": self.done, "model": self.model.state_dict(), "runs": runs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`, to the same picks and weights as a loop that was never stopped."""
        self.done = state["done"]
        self.model.load_state_dict(state["model"])
        for run, saved in zip(self.runs, state["runs"], strict=True):
            for name in ("pool", "labeled", "answers", "predicted", "newest"):
                setattr(run, name, saved[name].numpy())
            run.asked, run.controls = saved["asked"], list(saved["controls"])
            run.strategy.restore({name: array.numpy() for name, array in saved["strategy"].items()})

    # --- Fit ----------------------------------------------------------------------------------------------------------

    def _new_model(self, number: int, members: int = 1) -> LitCommittee:
        """Weights that depend on seed and round alone; `members` for each run."""
        seeds = [_seed(run.seed, number, member) for run in self.runs for member in range(members)]
        return LitCommittee(
            seeds,
            self.classes,
            vocabulary_size=self.vocabulary_size,
            learning_rate=self.recipe.learning_rate,
            masked=self.recipe.masked,
        )

    def _fit(self, number: int) -> None:
        if self.recipe.weights == "fresh" and number > 0:
            self.model = self._new_model(number)
        elif self.recipe.weights == "shrink" and number > 0:
            _shrink_and_perturb(self.model, _seed(self.runs[0].seed, number))
        self._train(self.model, number)

    def _train(self, model: LitCommittee, number: int) -> None:
        """Train on the labels so far; a model with several members for each run shuffles for each of them."""
        each = model.net.size // len(self.runs)
        runs = [(run, member) for run in self.runs for member in range(each)]
        size = min(self.recipe.batch_size, *(len(run.labeled) for run in self.runs))
        orders = [
            _order(len(run.labeled), self.recipe.steps * size, _seed(run.seed, number, member)) for run, member in runs
        ]
        rows = np.stack([run.labeled[order] for (run, _), order in zip(runs, orders, strict=True)])  # (M, steps * B)
        truth = np.stack([run.answers[order] for (run, _), order in zip(runs, orders, strict=True)])
        if self.recipe.masked:  # windows of one pass at most, so that hardly a text is in one twice
            window = min(WINDOW, *(len(run.labeled) // size for run in self.runs))
            lengths, rng = lengths_of(self.tokens, torch.from_numpy(rows)), runs[0][0].rng(number)
            places = in_windows(lengths, size, rng, window)
            rows, truth = (np.take_along_axis(array, places, axis=1) for array in (rows, truth))
        torch.manual_seed(_seed(self.runs[0].seed, number))  # dropout
        trainer = L.Trainer(
            max_epochs=1,
            accelerator=self.accelerator,
            devices=1,
            callbacks=[AveragedWeights(self.recipe.average)],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
        )
        batches = _Steps(self.tokens, torch.from_numpy(rows), torch.from_numpy(truth), size)
        fit(trainer, model, batches, batches)  # Lightning warns of a module without validation, and then validates none

    # --- Query --------------------------------------------------------------------------------------------------------

    def _query(self, number: int, target: int) -> tuple[float, float]:
        """Choose, ask, take the answers in; seconds of scoring and of choosing."""
        if number == 0:
            for run in self.runs:
                self._ask(run, _at_random(run.pool, target, run.rng(0)))
            return 0.0, 0.0
        began = time.perf_counter()
        pools, labeled = self._look(number, target)
        scored = time.perf_counter()
        for run, pool, known in zip(self.runs, pools, labeled, strict=True):
            context = Context(run.rng(number), known, run.confusion(len(self.classes)))
            run.collapse = collapsed(pool.probabilities)
            if run.collapse and self.recipe.guard:
                choice = _at_random(pool.rows, target - run.asked, context.rng)
            else:
                choice = choose(run.strategy, pool, target - run.asked, context)
            position = {row: place for place, row in enumerate(pool.rows.tolist())}
            places = [position[row] for row in choice.rows.tolist()]
            self._ask(run, choice, pool.probabilities[places])
        return scored - began, time.perf_counter() - scored

    def _look(self, number: int, target: int) -> tuple[list[Pool], list[Labeled]]:
        """What every run's strategy may see of its pool and of its labeled rows."""
        first = self.runs[0].strategy
        candidates = [run.strategy.candidates(run.pool, target - run.asked, run.rng(number)) for run in self.runs]
        needs = first.needs | {"probabilities"}
        seen = self._see(self.model, candidates, needs - {"committee", "vectors", "classes"})
        if "committee" in needs:
            committee = self._new_model(number + len(self.schedule), self.recipe.committee_size)
            self._train(committee, number)
            each = self.recipe.committee_size
            opinions = self._see(committee, [rows for rows in candidates for _ in range(each)], {"probabilities"})
            for index, arrays in enumerate(seen):
                members = opinions[index * each : (index + 1) * each]
                arrays["committee"] = np.stack([member["probabilities"] for member in members])  # (K, n, C)
        known: list[dict[str, Any]] = [{} for _ in self.runs]
        wanted = first.needs_labeled - {"labels", "vectors"}
        if wanted:
            known = self._see(self.model, [run.labeled for run in self.runs], wanted)
        for arrays, rows in zip(seen, candidates, strict=True):
            if "vectors" in needs:
                arrays["vectors"] = self._vectors(rows)
            if "classes" in needs:  # as predicted: nobody knows the true ones
                arrays["classes"] = arrays["probabilities"].argmax(axis=1)
        for run, arrays in zip(self.runs, known, strict=True):
            if "labels" in first.needs_labeled:
                arrays["labels"] = run.answers
            if "vectors" in first.needs_labeled:
                arrays["vectors"] = self._vectors(run.labeled)
        pools = [Pool(rows, **arrays) for rows, arrays in zip(candidates, seen, strict=True)]
        return pools, [Labeled(run.labeled, **arrays) for run, arrays in zip(self.runs, known, strict=True)]

    def _see(self, model: LitCommittee, rows: Sequence[Rows], needs: frozenset[str] | set[str]) -> list[dict[str, Any]]:
        """Arrays of each member's own rows; shorter lists are filled up with their last row and cut again."""
        longest = max(len(each) for each in rows)
        filled = np.stack([np.pad(each, (0, longest - len(each)), mode="edge") for each in rows])  # (M, n)
        size = max(1, EVALUATION_BATCH // len(rows))
        batches = Batches(self.tokens, None, torch.from_numpy(filled), size)
        seen = see(model, batches, frozenset(needs), draws=self.recipe.draws, seed=self.runs[0].seed)
        return [
            {name: values[..., : len(each), :] for name, values in arrays.items()}
            for each, arrays in zip(rows, seen, strict=True)
        ]

    def _vectors(self, rows: Rows) -> npt.NDArray[np.float32]:
        if self.vectors is None:
            raise ConfigError(f"{self.runs[0].strategy.spelling} needs text vectors; pass vectors= to LeanLoop")
        return self.vectors[rows]

    def _ask(self, run: Run, choice: Choice, probabilities: npt.NDArray[np.floating[Any]] | None = None) -> None:
        """Put the chosen rows to the oracle; controls among them judge the model before it learns from them."""
        answers = self.oracle.ask(choice.rows)
        run.take(choice, answers)
        run.predicted = np.empty(0, np.int64)
        if probabilities is not None:
            run.probabilities, run.predicted = probabilities, probabilities.argmax(axis=1)
            drawn = choice.controls | (run.strategy.spelling == "random")  # alone it draws as controls are drawn
            run.controls += (run.predicted == answers)[drawn & (answers != UNLABELED)].tolist()


class AveragedWeights(L.Callback):
    """Give the model, in the end, the mean of its weights over the last steps (Izmailov et al. 2018).

    Args:
        share: of the fit's steps, from the end; 0 leaves the last weights.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.count = 0
        self.sums: list[Tensor] = []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        """Add the weights of a step."""
        total = int(trainer.estimated_stepping_batches)
        if trainer.global_step <= total - round(self.share * total):
            return
        weights = [weight.detach() for weight in pl_module.parameters()]
        if not self.count:
            self.sums = [torch.zeros_like(weight) for weight in weights]
        torch._foreach_add_(self.sums, weights)
        self.count += 1

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the mean."""
        with torch.no_grad():
            for weight, total in zip(pl_module.parameters(), self.sums, strict=False):
                weight.copy_(total / self.count)


@dataclass
class _Steps:
    """Batches of rows in a given order, for each member its own: tokens (M, B, T) and labels (M, B)."""

    tokens: Tensor
    rows: Tensor  # (M, steps * B)
    labels: Tensor  # (M, steps * B)
    size: int

    def __len__(self) -> int:
        return self.rows.shape[1] // self.size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows, labels in zip(
            torch.split(self.rows, self.size, 1), torch.split(self.labels, self.size, 1), strict=True
        ):
            yield self.tokens[rows], labels


def _order(rows: int, total: int, seed: int) -> npt.NDArray[np.int64]:
    """(total,) positions among so many rows: one shuffle after the other, each row once in each."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(rows) for _ in range(-(-total // rows))])[:total]


def _seed(*parts: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _at_random(pool: Rows, n: int, rng: np.random.Generator) -> Choice:
    return choose(make_strategy("random"), Pool(pool), n, Context(rng))


def _shrink_and_perturb(model: LitCommittee, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator).to(weight.device)
            weight.mul_(SHRINK).add_(noise, alpha=NOISE)


def _check_schedule(schedule: Sequence[int], pool: int) -> None:
    steps = [*schedule]
    if not steps or steps[0] < 1 or any(after <= before for before, after in pairwise(steps)):
        raise ConfigError(f"schedule {steps} must be whole numbers that grow, as in (100, 200, 400)")
    if steps[-1] > pool:
        raise ConfigError(f"the schedule asks for {steps[-1]:,} labels but the pool has {pool:,} rows; end it lower")
