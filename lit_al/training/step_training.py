"""`StepTraining`: a round is a fit of so many training steps, by a recipe, for all seeds in one batched pass.

Unless the recipe says otherwise no label is spent on validation. A student of a teacher learns until it follows it no
better on pool texts held out; a network that learns from labels alone takes all its steps, and the weights of their
second half are averaged. With validation (`loop.validation`) each round also says how the newest model, or models
trained like it, did on labels that they had not learned from.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from lit_al.exceptions import ConfigError
from lit_al.loop.method import FitRecord, Seen
from lit_al.loop.state import LoopState, Validated
from lit_al.loop.validation import CrossFit, HoldOut, Validation, make_validation
from lit_al.models.batches import EVALUATION_BATCH, Batches
from lit_al.models.ensemble import LitCommittee
from lit_al.models.scoring import score, see
from lit_al.strategies import Labeled, Pool
from lit_al.training.distillation import assign, reserve, sharpness, soften, study
from lit_al.training.fitting import device_of
from lit_al.training.pretraining import Pretraining
from lit_al.training.recipe import Recipe
from lit_al.training.steps import (
    AveragedWeights,
    FollowsBest,
    LabeledSet,
    LowestLoss,
    StepCallback,
    fewest,
    shrink_and_perturb,
    train,
)
from lit_al.training.teacher import SoftLabels, teach
from lit_al.typing import Float32s, Floats, Ints, Rows

FOLDING = 2  # a stream of chance of its own, beside that of holding out: what is chosen does not depend on it


class StepTraining:
    """A network for each seed, all in one `LitCommittee`.

    Args:
        tokens: (N, T) uint16 of the whole corpus.
        vocabulary_size: V.
        classes: C names.
        recipe: how each round trains.
        pretraining: what the pool's texts teach, for recipes that need it.
        vectors: (N, D) text vectors, for strategies that need them.
        groups: (N,) int64 copies of a text have the same number; None where there are none.
        accelerator: Lightning's; models learn and score on its device, to which batches of the tokens are taken.

    Attributes:
        model: a member for each seed, on the device.
        record: of the last fit.

    Raises:
        ConfigError: a recipe that needs pretraining, and none given, or one of another recipe; an accelerator that is
            not here.
    """

    model: LitCommittee

    def __init__(
        self,
        tokens: Tensor,
        vocabulary_size: int,
        classes: Sequence[str],
        *,
        recipe: Recipe | None = None,
        pretraining: Pretraining | None = None,
        vectors: Float32s | None = None,
        groups: Ints | None = None,
        accelerator: str = "auto",
    ) -> None:
        self.tokens, self.vocabulary_size, self.classes = tokens, vocabulary_size, tuple(classes)
        self.recipe = recipe or Recipe()
        self._validation = make_validation(self.recipe.validation)
        _check_pretraining(self.recipe, pretraining)
        self.pretraining = pretraining or Pretraining(np.empty(0, np.int64))
        self.vectors, self.accelerator, self.device = vectors, accelerator, device_of(accelerator)
        self.groups = np.arange(len(tokens)) if groups is None else groups
        self.seeds: Sequence[int] = ()
        self.rounds = 0
        self.record = FitRecord()
        self._heard: dict[bytes, SoftLabels] = {}  # what the teacher made of the labels of this round

    @property
    def guard(self) -> bool:
        """Is a batch drawn at random where the model answers nearly one class?"""
        return self.recipe.guard

    @property
    def validation(self) -> Validation | None:
        """What judges each round by labels not learned from; None for nothing."""
        return self._validation

    def begin(self, seeds: Sequence[int], rounds: int) -> None:
        """Draw the first weights; committees and folds draw theirs beyond the numbers of the rounds."""
        self.seeds, self.rounds = seeds, rounds
        self.model = self.new_model(0)

    def new_model(self, number: int, members: int = 1) -> LitCommittee:
        """Weights that depend on seed and round alone; `members` for each seed."""
        model = LitCommittee(
            [_seed(seed, number, member) for seed in self.seeds for member in range(members)],
            self.classes,
            vocabulary_size=self.vocabulary_size,
            learning_rate=self.recipe.rate,
            masked=self.recipe.masked,
            dense_size=self.recipe.dense_size,
        )
        self.pretraining.begin(model)
        return model.to(self.device)

    # --- Fit ----------------------------------------------------------------------------------------------------------

    def fit(self, number: int, states: Sequence[LoopState]) -> None:
        """Train on what is labeled by now, from the weights that the recipe says.

        Raises:
            FitError: a seed without a label.
        """
        if self.recipe.weights == "fresh" and number > 0:
            self.model = self.new_model(number)
        elif self.recipe.weights == "shrink" and number > 0:
            shrink_and_perturb(self.model, _seed(self.seeds[0], number))
        held = _held(states) if isinstance(self.validation, HoldOut) else None
        kept = self._train(self.model, number, _labeled_sets(number, states), held)
        self.record = kept.record

    def _train(
        self,
        model: LitCommittee,
        number: int,
        labeled_sets: Sequence[LabeledSet],
        held: Sequence[LabeledSet] | None = None,
    ) -> StepCallback:
        """Train each member on its labels, or as its teacher's student; `held` labels say which weights are best."""
        seed = _seed(self.seeds[0], number)  # of dropout
        if self.recipe.teacher:
            return self._study(model, labeled_sets, held, seed)
        keep: StepCallback = LowestLoss(self.tokens, held) if held else AveragedWeights(self.recipe.average)
        if self.recipe.studies:
            recipe = self.recipe.for_labels(fewest(labeled_sets))
            texts = assign(self.pretraining.rows, labeled_sets, len(self.classes), None)
            study(model, self.tokens, *texts, recipe, keep, seed, self.accelerator)
        else:
            torch.manual_seed(seed)
            train(model, self.tokens, labeled_sets, self.recipe.steps, self.recipe.batch_size, keep, self.accelerator)
        return keep

    def _study(
        self, model: LitCommittee, labeled_sets: Sequence[LabeledSet], held: Sequence[LabeledSet] | None, seed: int
    ) -> StepCallback:
        """Learn from teachers until they are followed no better."""
        labels = fewest(labeled_sets)  # before the teacher asks for one
        recipe = self.recipe.for_labels(labels)
        opinions = [self._soft_labels(labeled_set) for labeled_set in labeled_sets]
        factors = [sharpness(opinion.logits[self.pretraining.rows]) for opinion in opinions]
        opinions = [opinion.times(factor) for opinion, factor in zip(opinions, factors, strict=True)]
        reserved = None if held else reserve(self.pretraining.rows, labeled_sets, opinions)
        if held:
            targets = _as_targets(held, len(self.classes))
            keep: StepCallback = FollowsBest(self.tokens, *targets, average=recipe.average > 0, teacher=False)
        elif reserved is not None:
            keep = FollowsBest(self.tokens, *reserved, average=recipe.average > 0)
        else:
            keep, recipe = AveragedWeights(recipe.average), recipe.without_looking(labels)
        left_out = None if reserved is None else reserved[0]
        texts = assign(self.pretraining.rows, labeled_sets, len(self.classes), opinions, left_out)
        study(model, self.tokens, *texts, recipe, keep, seed, self.accelerator)
        soften(model, factors)
        return keep

    def opinion(self, state: LoopState) -> SoftLabels:
        """What the teacher makes of a seed's labels."""
        return self._soft_labels(LabeledSet(state.labeled, state.answers))

    def _soft_labels(self, labeled_set: LabeledSet) -> SoftLabels:
        """What the teacher makes of a labeled set; it is asked once."""
        assert self.pretraining.features is not None  # `learn` computes them for every recipe with a teacher
        key = labeled_set.rows.tobytes() + labeled_set.answers.tobytes()
        if key not in self._heard:
            self._heard[key] = teach(
                self.pretraining.features,
                labeled_set.rows,
                labeled_set.answers,
                len(self.classes),
                seed=0,
                class_weight=self.recipe.class_weight,
                copies=self._copies(labeled_set.rows),
            )
        return self._heard[key]

    # --- Validation ---------------------------------------------------------------------------------------------------

    def validate(self, number: int, states: Sequence[LoopState]) -> None:
        """Judge by labels not learned from: those held out, or each by the member whose fold it is in."""
        if isinstance(self.validation, HoldOut):
            for state, validated in zip(states, self._validated(self.model, _held(states)), strict=True):
                state.validated = validated
        elif isinstance(self.validation, CrossFit):
            self.cross_fit(number, states, self.validation)

    def cross_fit(
        self,
        number: int,
        states: Sequence[LoopState],
        cross: CrossFit,
        read: Callable[[Rows], npt.NDArray[Any]] | None = None,
    ) -> list[Validated]:
        """Out-of-fold predictions, by members with fresh weights: those of earlier rounds have seen every label.

        Args:
            number: of the model.
            states: each gets what was said of its labels.
            cross: how many folds.
            read: other tokens (n, T) of rows (n,), which the same members are asked of, too.

        Returns:
            For each seed what they said of the other tokens; nothing without any.
        """
        folds = [
            cross.draw(self._copies(state.labeled), np.random.default_rng([state.seed, number, FOLDING]))
            for state in states
        ]
        outs = [fold == member for fold in folds for member in range(cross.folds)]  # (m,) bool for each member
        whole = _labeled_sets(number, states, cross.folds)
        learned = [labeled_set.take(~out) for labeled_set, out in zip(whole, outs, strict=True)]
        unseen = [labeled_set.take(out) for labeled_set, out in zip(whole, outs, strict=True)]
        members = self.new_model(number + 2 * self.rounds, cross.folds)
        self._train(members, number, learned)
        first = range(0, len(unseen), cross.folds)
        verdicts = self._validated(members, unseen)
        for index, state in zip(first, states, strict=True):
            state.validated = Validated.join(verdicts[index : index + cross.folds])
        if read is None:
            return []
        again = self._validated(members, unseen, read)
        return [Validated.join(again[index : index + cross.folds]) for index in first]

    def _copies(self, rows: Rows) -> Ints:
        """(n,) int64 a number for each text (n,), from 0 as they come; copies and those that read alike share one."""
        _, read = np.unique(self.tokens[torch.from_numpy(rows)].numpy(), axis=0, return_inverse=True)
        _, group = np.unique(self.groups[rows], return_inverse=True)
        size = len(rows)
        edges = coo_array((np.ones(size), (read.reshape(-1), size + group)), (2 * size, 2 * size))
        whole = connected_components(edges, directed=False)[1][read.reshape(-1)]  # (n,)
        _, first, number = np.unique(whole, return_index=True, return_inverse=True)
        found: Ints = np.argsort(np.argsort(first))[number]
        return found

    def _validated(
        self,
        model: LitCommittee,
        unseen: Sequence[LabeledSet],
        read: Callable[[Rows], npt.NDArray[Any]] | None = None,
    ) -> list[Validated]:
        """Each member judged by labels of its own that it has not learned from; by other tokens, if there are some."""
        rows, tokens = [labeled_set.rows for labeled_set in unseen], self.tokens
        if read is not None:
            every = np.unique(np.concatenate(rows))
            rows = [np.searchsorted(every, own) for own in rows]
            tokens = torch.from_numpy(read(every)).to(tokens.device)
        seen = self._see(model, rows, {"probabilities"}, tokens)
        return [
            Validated(labeled_set.rows, labeled_set.answers, arrays["probabilities"])
            for labeled_set, arrays in zip(unseen, seen, strict=True)
        ]

    # --- What the models make of texts --------------------------------------------------------------------------------

    def look(
        self,
        number: int,
        states: Sequence[LoopState],
        candidates: Sequence[Rows],
        needs: Collection[str],
        needs_labeled: Collection[str],
    ) -> list[Seen]:
        """The arrays of each seed's candidates and labeled rows; a teacher's opinion is part of what is seen."""
        needs = {*needs, "probabilities"}
        seen = self._see(self.model, candidates, needs - {"committee", "vectors", "classes"})
        if "committee" in needs:
            self._ask_committee(number, states, candidates, seen)
        own = [arrays["probabilities"] for arrays in seen]  # (n, C) of each seed
        if self.recipe.teacher:
            self._ask_teachers(number - 1, states, candidates, seen)
        known: list[dict[str, Any]] = [{} for _ in states]
        wanted = {*needs_labeled} - {"labels", "vectors"}
        if wanted:
            known = self._see(self.model, [state.labeled for state in states], wanted)
        for state, rows, arrays, labeled in zip(states, candidates, seen, known, strict=True):
            if "vectors" in needs:
                arrays["vectors"] = self._vectors(rows, state)
            if "classes" in needs:  # as predicted: nobody knows the true ones
                arrays["classes"] = arrays["probabilities"].argmax(axis=1)
            if "labels" in needs_labeled:
                labeled["labels"] = state.answers
            if "vectors" in needs_labeled:
                labeled["vectors"] = self._vectors(state.labeled, state)
        self._heard.clear()  # the next fit has other labels
        return [
            Seen(Pool(rows, **arrays), Labeled(state.labeled, **labeled), probabilities)
            for state, rows, arrays, labeled, probabilities in zip(states, candidates, seen, known, own, strict=True)
        ]

    def _ask_committee(
        self, number: int, states: Sequence[LoopState], candidates: Sequence[Rows], seen: Sequence[dict[str, Any]]
    ) -> None:
        """Train a committee for each seed on its labels, and add what it says of its candidates."""
        each = self.recipe.committee_size
        committee = self.new_model(number + self.rounds, each)
        self._train(committee, number, _labeled_sets(number, states, each))
        opinions = self._see(committee, [rows for rows in candidates for _ in range(each)], {"probabilities"})
        for index, arrays in enumerate(seen):
            members = opinions[index * each : (index + 1) * each]
            arrays["committee"] = np.stack([member["probabilities"] for member in members])  # (K, n, C)

    def _ask_teachers(
        self, number: int, states: Sequence[LoopState], candidates: Sequence[Rows], seen: Sequence[dict[str, Any]]
    ) -> None:
        """Make a committee of student and teacher: a strategy sees their mean, or each of them beside others."""
        for labeled_set, rows, arrays in zip(_labeled_sets(number, states), candidates, seen, strict=True):
            opinion = self._soft_labels(labeled_set).probabilities[rows]  # (n, C)
            arrays["probabilities"] = (arrays["probabilities"] + opinion) / 2
            if "committee" in arrays:
                arrays["committee"] = np.concatenate([arrays["committee"], opinion[None]])  # (K + 1, n, C)

    def _see(
        self, model: LitCommittee, rows: Sequence[Rows], needs: Collection[str], tokens: Tensor | None = None
    ) -> list[dict[str, Any]]:
        """Arrays of each member's own rows; shorter lists are filled up with their last row and cut again."""
        longest = max(len(each) for each in rows)
        filled = np.stack([np.pad(each, (0, longest - len(each)), mode="edge") for each in rows])  # (M, n)
        size = max(1, EVALUATION_BATCH // len(rows))
        batches = Batches(self.tokens if tokens is None else tokens, None, torch.from_numpy(filled), size)
        seen = see(model, batches, frozenset(needs), draws=self.recipe.draws, seed=self.seeds[0])
        return [
            {name: values[..., : len(each), :] for name, values in arrays.items()}
            for each, arrays in zip(rows, seen, strict=True)
        ]

    def _vectors(self, rows: Rows, state: LoopState) -> Float32s:
        if self.vectors is None:
            raise ConfigError(f"{state.strategy.spelling} needs text vectors; pass vectors= to StepTraining")
        return self.vectors[rows]

    def score(self, rows: Rows) -> Floats:
        """(M, n, C) float32 of the model alone, without a teacher."""
        size = EVALUATION_BATCH // len(self.seeds)
        return score(self.model, Batches(self.tokens, None, torch.from_numpy(rows), size))

    # --- State --------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The weights."""
        return {"model": self.model.state_dict()}  # under this name weights are looked at before they are saved

    def load_state_dict(self, state: Mapping[str, Any], number: int, states: Sequence[LoopState]) -> None:
        """Take the weights."""
        self.model.load_state_dict(dict(state["model"]))


def _labeled_sets(number: int, states: Sequence[LoopState], members: int = 1) -> list[LabeledSet]:
    """All labels of a seed for each of its members, which differ in their shuffles."""
    return [
        LabeledSet(state.labeled, state.answers, _seed(state.seed, number, member))
        for state in states
        for member in range(members)
    ]


def _held(states: Sequence[LoopState]) -> list[LabeledSet]:
    return [LabeledSet(state.held, state.held_answers) for state in states]


def _as_targets(held: Sequence[LabeledSet], classes: int) -> tuple[Ints, Float32s]:
    """Rows (M, h) and targets (M, h, C); shorter lists begin again, so that all have the length of the longest."""
    longest = max(len(labeled_set.rows) for labeled_set in held)
    rows = np.stack([np.resize(labeled_set.rows, longest) for labeled_set in held])
    answers = np.stack([np.resize(labeled_set.answers, longest) for labeled_set in held])
    return rows, np.eye(classes, dtype=np.float32)[answers]


def _seed(*parts: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _check_pretraining(recipe: Recipe, pretraining: Pretraining | None) -> None:
    if pretraining is None:
        missing = recipe.studies or recipe.vectors or recipe.pretrain
    else:
        begun = "embedding.weight" in pretraining.weights
        untaught = recipe.teacher and pretraining.features is None
        missing = untaught or ((recipe.vectors or recipe.pretrain) and not begun)
    if missing:
        raise ConfigError("this recipe learns from unlabeled texts; pass pretraining=learn(recipe, ...)")
