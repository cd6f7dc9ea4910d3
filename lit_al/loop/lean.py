"""The honest loop: from a few labels to a few thousand, every one of them counted, the test set out of reach.

    loop = LeanLoop(tokens, words, classes, pool, oracle, seeds=range(5), strategy="entropy", schedule=(100, 200, 400))
    for done in loop.rounds():
        ...  # judge done.model on whatever the loop was not given

Several runs, one for each seed, go side by side: they share the pool at the start and nothing else, and train and score
in one batched pass (`models.ensemble`). The loop is given the pool and an oracle, no test row, so that nothing in it
can depend on one; whoever reads the rounds does the judging.

A fit takes a fixed number of steps (`training.steps`). Unless the recipe says otherwise no label is spent on
validation, and the weights of the second half of the steps are averaged. With validation (`validation`) each round also
says how the newest model, or models trained like it, did on labels that they had not learned from.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor

from lit_al.data.split import without
from lit_al.exceptions import ConfigError
from lit_al.loop.state import ARRAYS, Judgment, LeanRound, LoopState, Proposal, Validated, check_saved
from lit_al.loop.validation import CrossFit, HoldOut, make_validation
from lit_al.models.batches import EVALUATION_BATCH, Batches
from lit_al.models.ensemble import LitCommittee
from lit_al.models.scoring import see
from lit_al.oracles import Oracle
from lit_al.strategies import Choice, Context, Labeled, Pool, Strategy, choose, collapsed, make_strategy
from lit_al.training.distillation import assign, study
from lit_al.training.fitting import device_of
from lit_al.training.pretraining import Pretraining
from lit_al.training.recipe import Recipe
from lit_al.training.steps import AveragedWeights, LabeledSet, LowestLoss, fewest, shrink_and_perturb, train
from lit_al.training.teacher import SoftLabels, teach
from lit_al.typing import UNLABELED, Float32s, Floats, Rows

Seen = tuple[list[Pool], list[Labeled], list[Floats]]  # by run; what the model alone says last
FOLDING = 2  # a stream of chance of its own, beside that of holding out: what is chosen does not depend on it


class LeanLoop:
    """Runs of one strategy, a seed each, side by side.

    Args:
        tokens: (N, T) uint16 of the whole corpus.
        vocabulary_size: V.
        classes: C names.
        pool: (n,) int64 rows that may be labeled.
        oracle: answers for rows; -1 for one that it skips. None where somebody else asks: they fill in the runs, and
            call `fit` and `propose` instead of `rounds`.
        seeds: one run each. Runs of the same seed begin with the same labels and weights, whatever their strategy.
        strategy: a spelling for `make_strategy`.
        schedule: questions asked in all, by the end of each query: (100, 200, 400) begins with 100 random rows.
        recipe: how each round trains.
        pretraining: what the pool's texts teach, for recipes that need it.
        vectors: (N, D) text vectors, for strategies that need them.
        start: (s,) int64 rows of the pool that the first query begins with, as their labels are there already; the
            first number of the schedule counts them.
        accelerator: Lightning's; models learn and score on its device, to which batches of the tokens are taken.

    Attributes:
        proposals: of the round to come, between `choose` and `ask`; empty at other times.
        done: rounds.

    Raises:
        ConfigError: a schedule that does not grow, or that asks for more than the pool; validation that the first
            labels are too few for; a recipe that needs a prior, and none given, or one of another recipe; an
            accelerator that is not here.
    """

    def __init__(
        self,
        tokens: Tensor,
        vocabulary_size: int,
        classes: Sequence[str],
        pool: Rows,
        oracle: Oracle | None,
        *,
        seeds: Sequence[int],
        strategy: str = "random",
        schedule: Sequence[int] = (100, 200, 300),
        recipe: Recipe | None = None,
        pretraining: Pretraining | None = None,
        vectors: Float32s | None = None,
        start: Rows | None = None,
        accelerator: str = "auto",
    ) -> None:
        _check_schedule(schedule, len(pool))
        self.tokens, self.vocabulary_size, self.classes = tokens, vocabulary_size, tuple(classes)
        self.oracle, self.schedule, self.recipe = oracle, tuple(schedule), recipe or Recipe()
        self.validation = make_validation(self.recipe.validation)
        if self.validation:
            self.validation.check(self.schedule[0])
        _check_prior(self.recipe, pretraining)
        self.pretraining = pretraining or Pretraining(pool)
        self.vectors, self.accelerator, self.device = vectors, accelerator, device_of(accelerator)
        self._heard: dict[bytes, SoftLabels] = {}  # what the teacher made of the labels of this round
        self.runs = [LoopState(seed, make_strategy(strategy), pool) for seed in seeds]
        self.model = self._new_model(0)
        self.start = np.empty(0, np.int64) if start is None else start
        self.proposals: list[Proposal] = []
        self.done = 0  # rounds

    def rounds(self) -> Iterator[LeanRound]:
        """Query, fit, hand over; once for each number of the schedule, or for those left after `load_state_dict`."""
        for _ in self.schedule[self.done :]:
            seconds = self.choose()
            self.ask()
            yield self.learn(*seconds)

    def choose(self) -> tuple[float, float]:
        """The first step of a round: proposals that nobody has asked yet; seconds of scoring and of choosing."""
        number, began = self.done, time.perf_counter()
        sizes = [self.schedule[number] - run.asked for run in self.runs]
        seen = self._look(number, sizes) if number else None
        scored = time.perf_counter()
        self.proposals = self._chosen(number, [[n] for n in sizes], seen)
        return (scored - began, time.perf_counter() - scored) if number else (0.0, 0.0)

    def ask(self) -> None:
        """The second step: put the proposals to the oracle and take its answers in."""
        for run, proposal in zip(self.runs, self.proposals, strict=True):
            self._ask(run, proposal)
        self.proposals = []

    def learn(self, score_seconds: float = 0.0, select_seconds: float = 0.0) -> LeanRound:
        """The last step: fit and validate."""
        number, began = self.done, time.perf_counter()
        self.fit(number)
        fitted = time.perf_counter()
        self._validate(number)
        validate_seconds = time.perf_counter() - fitted
        self.done = number + 1
        return LeanRound(number, self.model, self.runs, fitted - began, validate_seconds, score_seconds, select_seconds)

    def state_dict(self) -> dict[str, Any]:
        """All that the rounds to come depend on, as tensors and plain types."""
        runs = [
            {
                **{name: torch.from_numpy(getattr(run, name)) for name in ARRAYS},
                "asked": run.asked,
                "judgments": [asdict(one) for one in run.judgments],
                "strategy": {name: torch.from_numpy(array) for name, array in run.strategy.state().items()},
            }
            for run in self.runs
        ]
        return {"done": self.done, "model": self.model.state_dict(), "runs": runs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`, to the same picks and weights as a loop that was never stopped.

        Raises:
            ValueError: it is of another loop; so are errors of other kinds.
        """
        if state["done"] not in range(len(self.schedule) + 1):
            raise ValueError(f"{state['done']!r} rounds are done of {len(self.schedule)}")
        for saved in state["runs"]:
            check_saved(saved, len(self.tokens), len(self.classes))
        self.done = state["done"]
        self.model.load_state_dict(state["model"])
        for run, saved in zip(self.runs, state["runs"], strict=True):
            for name in ARRAYS:
                setattr(run, name, saved[name].numpy())
            run.asked, run.judgments = saved["asked"], [Judgment(**one) for one in saved["judgments"]]
            run.strategy.restore({name: array.numpy() for name, array in saved["strategy"].items()})

    # --- Fit ----------------------------------------------------------------------------------------------------------

    def _new_model(self, number: int, members: int = 1) -> LitCommittee:
        """Weights that depend on seed and round alone; `members` for each run."""
        seeds = [_seed(run.seed, number, member) for run in self.runs for member in range(members)]
        model = LitCommittee(
            seeds,
            self.classes,
            vocabulary_size=self.vocabulary_size,
            learning_rate=self.recipe.learning_rate,
            masked=self.recipe.masked,
        )
        self.pretraining.begin(model)
        return model.to(self.device)

    def fit(self, number: int) -> None:
        """Train the model of a round on what the runs have labeled by now.

        Raises:
            FitError: a run without a label.
        """
        if self.recipe.weights == "fresh" and number > 0:
            self.model = self._new_model(number)
        elif self.recipe.weights == "shrink" and number > 0:
            shrink_and_perturb(self.model, _seed(self.runs[0].seed, number))
        keep: L.Callback = AveragedWeights(self.recipe.average)
        if isinstance(self.validation, HoldOut):
            keep = LowestLoss(self.tokens, self._held())
        self._train(self.model, number, self._lessons(number), keep)

    def _lessons(self, number: int, members: int = 1) -> list[LabeledSet]:
        """All labels of a run for each of its members, which differ in their shuffles."""
        return [
            LabeledSet(run.labeled, run.answers, _seed(run.seed, number, member))
            for run in self.runs
            for member in range(members)
        ]

    def _held(self) -> list[LabeledSet]:
        return [LabeledSet(run.held, run.held_answers) for run in self.runs]

    def _train(self, model: LitCommittee, number: int, labeled_sets: Sequence[LabeledSet], keep: L.Callback) -> None:
        seed = _seed(self.runs[0].seed, number)  # of dropout
        if self.recipe.studies:
            labels = fewest(labeled_sets)  # before the teacher asks for one
            opinions = [self._soft_labels(labeled_set) for labeled_set in labeled_sets] if self.recipe.teacher else None
            texts = assign(self.pretraining.rows, labeled_sets, len(self.classes), opinions)
            study(model, self.tokens, *texts, self.recipe.for_labels(labels), keep, seed, self.accelerator)
        else:
            torch.manual_seed(seed)
            train(model, self.tokens, labeled_sets, self.recipe.steps, self.recipe.batch_size, keep, self.accelerator)

    def _soft_labels(self, labeled_set: LabeledSet) -> SoftLabels:
        """What the teacher makes of a lesson; it is asked once."""
        assert self.pretraining.features is not None  # `learn` computes them for every recipe with a teacher
        key = labeled_set.rows.tobytes() + labeled_set.answers.tobytes()
        if key not in self._heard:
            self._heard[key] = teach(
                self.pretraining.features, labeled_set.rows, labeled_set.answers, len(self.classes), seed=0
            )
        return self._heard[key]

    # --- Validation ---------------------------------------------------------------------------------------------------

    def _validate(self, number: int) -> None:
        """Judge by labels not learned from: those held out, or each by the member whose fold it is in."""
        if isinstance(self.validation, HoldOut):
            for run, validated in zip(self.runs, self._validated(self.model, self._held()), strict=True):
                run.validated = validated
        elif isinstance(self.validation, CrossFit):
            self._cross_fit(number, self.validation)

    def _cross_fit(self, number: int, cross: CrossFit) -> None:
        """Out-of-fold predictions, by members with fresh weights: those of earlier rounds have seen every label."""
        folds = [cross.draw(len(run.labeled), np.random.default_rng([run.seed, number, FOLDING])) for run in self.runs]
        outs = [fold == member for fold in folds for member in range(cross.folds)]  # (m,) bool for each member
        whole = self._lessons(number, cross.folds)
        labeled_sets = [labeled_set.take(~out) for labeled_set, out in zip(whole, outs, strict=True)]
        unseen = [labeled_set.take(out) for labeled_set, out in zip(whole, outs, strict=True)]
        members = self._new_model(number + 2 * len(self.schedule), cross.folds)
        self._train(members, number, labeled_sets, AveragedWeights(self.recipe.average))
        verdicts = self._validated(members, unseen)
        for index, run in enumerate(self.runs):
            run.validated = Validated.join(verdicts[index * cross.folds : (index + 1) * cross.folds])

    def _validated(self, model: LitCommittee, unseen: Sequence[LabeledSet]) -> list[Validated]:
        """Each member judged by labels of its own that it has not learned from."""
        seen = self._see(model, [labeled_set.rows for labeled_set in unseen], {"probabilities"})
        return [
            Validated(labeled_set.rows, arrays["probabilities"].argmax(axis=1) == labeled_set.answers)
            for labeled_set, arrays in zip(unseen, seen, strict=True)
        ]

    # --- Query --------------------------------------------------------------------------------------------------------

    def propose(self, number: int, *batches: int) -> list[Proposal]:
        """What each run would ask after the fit of the round before; nothing is asked, and nobody has chosen yet.

        Args:
            number: of the round that the answers are for; the first, 0, asks at random.
            batches: sizes of batches, one after the other, each chosen from what the ones before have left.

        Returns:
            For each run the batches as one choice, in their order.
        """
        seen = self._look(number, [sum(batches)] * len(self.runs)) if number else None
        return self._chosen(number, [batches] * len(self.runs), seen)

    def _chosen(self, number: int, batches: Sequence[Sequence[int]], seen: Seen | None) -> list[Proposal]:
        """What the runs choose by what their strategies see, or at random where they see nothing yet."""
        if seen is None:
            return [
                Proposal(self._first(run, sizes, Context(run.rng(number))))
                for run, sizes in zip(self.runs, batches, strict=True)
            ]
        proposals = []
        for run, sizes, pool, known, own in zip(self.runs, batches, *seen, strict=True):
            context = Context(run.rng(number), known, run.confusion(len(self.classes)))
            collapse = collapsed(pool.probabilities)
            strategy = make_strategy("random") if collapse and self.recipe.guard else run.strategy
            choice = _in_batches(strategy, pool, sizes, context)
            position = {row: place for place, row in enumerate(pool.rows.tolist())}
            places = [position[row] for row in choice.rows.tolist()]
            proposals.append(Proposal(choice, own[places], collapse))
        return proposals

    def _first(self, run: LoopState, sizes: Sequence[int], context: Context) -> Choice:
        """The rows whose labels are there already, and others at random."""
        random, start = make_strategy("random"), self.start
        if not len(start):
            return _in_batches(random, Pool(run.pool), sizes, context)
        given = Choice(start, np.zeros(len(start)), ("was labeled before the run",) * len(start))
        wanted = sum(sizes) - len(start)
        rest = Pool(without(run.pool, start))
        return Choice.join([given, choose(random, rest, wanted, context)] if wanted > 0 else [given])

    def _look(self, number: int, sizes: Sequence[int]) -> Seen:
        """What every run's strategy may see of its pool and of its labeled rows, and what the model alone says."""
        first = self.runs[0].strategy
        candidates = [
            run.strategy.candidates(run.pool, n, run.rng(number)) for run, n in zip(self.runs, sizes, strict=True)
        ]
        needs = first.needs | {"probabilities"}
        seen = self._see(self.model, candidates, needs - {"committee", "vectors", "classes"})
        if "committee" in needs:
            committee = self._new_model(number + len(self.schedule), self.recipe.committee_size)
            each = self.recipe.committee_size
            self._train(committee, number, self._lessons(number, each), AveragedWeights(self.recipe.average))
            opinions = self._see(committee, [rows for rows in candidates for _ in range(each)], {"probabilities"})
            for index, arrays in enumerate(seen):
                members = opinions[index * each : (index + 1) * each]
                arrays["committee"] = np.stack([member["probabilities"] for member in members])  # (K, n, C)
        own = [arrays["probabilities"] for arrays in seen]  # (n, C) of each run
        if self.recipe.teacher:
            self._ask_teachers(number - 1, candidates, seen)
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
        labeled = [Labeled(run.labeled, **arrays) for run, arrays in zip(self.runs, known, strict=True)]
        self._heard.clear()  # the next fit has other labels
        return pools, labeled, own

    def _ask_teachers(self, number: int, candidates: Sequence[Rows], seen: Sequence[dict[str, Any]]) -> None:
        """Make a committee of student and teacher: a strategy sees their mean, or each of them beside others."""
        for labeled_set, rows, arrays in zip(self._lessons(number), candidates, seen, strict=True):
            opinion = self._soft_labels(labeled_set).probabilities[rows]  # (n, C)
            arrays["probabilities"] = (arrays["probabilities"] + opinion) / 2
            if "committee" in arrays:
                arrays["committee"] = np.concatenate([arrays["committee"], opinion[None]])  # (K + 1, n, C)

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

    def _vectors(self, rows: Rows) -> Float32s:
        if self.vectors is None:
            raise ConfigError(f"{self.runs[0].strategy.spelling} needs text vectors; pass vectors= to LeanLoop")
        return self.vectors[rows]

    def _ask(self, run: LoopState, proposal: Proposal) -> None:
        """Put the chosen rows to the oracle; controls among them judge the model before it learns from them."""
        assert self.oracle is not None  # who has none asks by itself
        choice, probabilities, pool = proposal.choice, proposal.probabilities, len(run.pool)
        answers = self.oracle.ask(choice.rows)
        run.collapse = proposal.collapse
        run.take(choice, answers, self.validation if isinstance(self.validation, HoldOut) else None)
        if self.validation:  # so few may be answered that it cannot be done
            self.validation.check(len(run.labeled) + len(run.held))
        run.predicted = np.empty(0, np.int64)
        drawn = choice.controls | (run.strategy.spelling == "random")  # alone it draws as controls are drawn
        by_chance = (drawn | (probabilities is None)) & ~np.isin(choice.rows, self.start)  # all of the first ones asked
        run.drawn = np.concatenate([run.drawn, choice.rows[by_chance]])
        if probabilities is not None:
            run.probabilities, run.predicted = probabilities, probabilities.argmax(axis=1)
            given, right = answers != UNLABELED, run.predicted == answers
            run.judgments.append(Judgment.of(self.done - 1, pool, right[given], drawn[given]))


def _seed(*parts: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _in_batches(strategy: Strategy, pool: Pool, sizes: Sequence[int], context: Context) -> Choice:
    """One batch after the other, each from what is left."""
    choice = choose(strategy, pool, sizes[0], context)
    for n in sizes[1:]:
        left = pool.take(~np.isin(pool.rows, choice.rows))
        choice = Choice.join([choice, choose(strategy, left, n, context)])
    return choice


def _check_prior(recipe: Recipe, pretraining: Pretraining | None) -> None:
    if pretraining is None:
        missing = recipe.studies or recipe.vectors or recipe.pretrain
    else:
        begun = "embedding.weight" in pretraining.weights
        missing = (recipe.teacher and pretraining.features is None) or (
            (recipe.vectors or recipe.pretrain) and not begun
        )
    if missing:
        raise ConfigError("this recipe learns from unlabeled texts; pass prior=learn(recipe, ...) to LeanLoop")


def _check_schedule(schedule: Sequence[int], pool: int) -> None:
    steps = [*schedule]
    if not steps or steps[0] < 1 or any(after <= before for before, after in pairwise(steps)):
        raise ConfigError(f"schedule {steps} must be whole numbers that grow, as in (100, 200, 400)")
    if steps[-1] > pool:
        raise ConfigError(f"the schedule asks for {steps[-1]:,} labels but the pool has {pool:,} rows; end it lower")
