"""`Learner`: labels in, a ranking of what to label next out; it knows neither the record nor processes.

    learner = Learner(texts, ["negative", "positive"], {"seed": 0})
    first = learner.cold_start(200)  # before anybody has labeled anything
    learned = learner.learn(rows, labels, number=1)
    ranked = learner.rank(200)
    learned = learner.learn(rows, labels, number=2, folds=5)  # and learned.run.validated judges by cross-validation

It is the loop (`loop.active_loop`) with people in the place of its oracle. A fit begins with fresh weights drawn from
the seed and the number of the model, never with what the process did before, so that the same labels under the same
number give the same model and the same ranking, whoever was killed in between.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from scipy.special import softmax

from lit_al.data import Corpus
from lit_al.data.split import shuffled
from lit_al.exceptions import ConfigError, FitError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.protocol import recipe_of
from lit_al.loop.active_loop import ActiveLoop
from lit_al.loop.query import Query
from lit_al.loop.state import LoopState, Validated
from lit_al.loop.validation import CrossFit
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.text_teacher import TextTeacher, teacher_of
from lit_al.record import Ranked
from lit_al.strategies import Choice, Collapse, Context, Pool, choose, make_strategy
from lit_al.text.cache import encoded
from lit_al.text.embeddings import embeddings_of
from lit_al.text.encoder import suited_encoder
from lit_al.text.lsa import vectors_of
from lit_al.text.tfidf import readers_of
from lit_al.training.fitting import device_of
from lit_al.training.pretraining import Pretraining, learn
from lit_al.training.step_training import StepTraining
from lit_al.training.teacher import SoftLabels
from lit_al.typing import UNLABELED, Float16s, Float32s, Floats, Ints, Mask, Rows
from lit_al.utils.countdown import Countdown

SETTINGS: Final = (  # of a run, those that a lean run has too; the others are not about learning
    "seed", "strategy", "recipe", "units", "vocabulary_size", "max_length", "steps", "study_steps", "batch_size",
    "learning_rate", "committee_size", "accelerator", "encoder", "embeddings",
)  # fmt: skip
COLD_STARTS: Final = {"random": "random", "typicality": "typicality:vectors", "kmeans": "kmeans:vectors"}
RETRAIN_EVERY: Final = 10  # answers
COLD, SPREADING = 3, 4  # streams of chance of their own, beside those of the loop


@dataclass(frozen=True)
class Learned:
    """A model, and what it was made from.

    Attributes:
        number: of the model.
        model: reads new texts by itself.
        run: the rows and labels that it learned from, and the pool that is left.
        opinion: of its teacher; None where there is none.
    """

    number: int
    model: LitBiLSTM
    run: LoopState
    opinion: SoftLabels | None = None

    @property
    def teacher_validated(self) -> Validated | None:
        """What its teacher said of each label while it had not learned it."""
        if self.opinion is None:
            return None
        said = softmax(self.opinion.held_out, axis=1).astype(np.float32)  # (n, C)
        return Validated(self.run.labeled, self.run.answers, said)


class Learner:
    """Learns from labels of texts that are known by their place in a list.

    Args:
        texts: N, in an order that never changes. They are kept until `prepare` is through.
        classes: C names.
        settings: of the run; what is missing is as in a lean run.
        report: called with what is being done.
        groups: (N,) int64 copies of a text have the same number, from 0; None where there are none. Of a group one is
            asked, that of the least sha256, and none once one of them was; judged is by labels of other groups.

    Raises:
        LitALError: settings that cannot work.

    Attributes:
        rows: (N,) int64 places of the texts, in an order that depends on seed and texts alone (`data.split.shuffled`).
        tokens: (N, T) uint16, mapped from a file where there are many.
        encoder: of the tokens.
        reading: which units they are, and why; "" where there was no choice.
        collapse: what the newest model answers nearly always, if it does; the guard then ranks at random.
    """

    def __init__(
        self,
        texts: Sequence[str],
        classes: Sequence[str],
        settings: Mapping[str, Any],
        report: Callable[[str], object] = lambda doing: None,
        groups: Ints | None = None,
    ) -> None:
        given = {name: settings[name] for name in SETTINGS if settings.get(name) not in (None, "")}
        self.config = TrainConfig(protocol="lean", **given).resolved()
        self.recipe, self.classes, self.report = recipe_of(self.config), tuple(classes), report
        self.first_batch = int(settings.get("retrain_every") or RETRAIN_EVERY)
        self.cold = str(settings.get("cold_start") or "random")
        if self.cold not in COLD_STARTS:
            raise ConfigError(f"the cold start {self.cold!r} is unknown; take one of {', '.join(COLD_STARTS)}")
        report(f"reading {len(texts):,} texts")
        self._corpus: Corpus | None = Corpus(texts, np.full(len(texts), UNLABELED), self.classes)
        self.rows = shuffled(self._corpus, self.config.seed)
        self._place = np.argsort(self.rows)  # (N,) of each row in that order
        self.groups = np.arange(len(texts)) if groups is None else groups
        order = self._corpus.order
        _, first = np.unique(self.groups[order], return_index=True)
        self._first = order[first]  # (G,) the text of each group that is asked
        self.encoder, self.reading = suited_encoder(
            [texts[row] for row in self.rows],
            units=self.config.units,  # type: ignore[arg-type]  # as below
            vocabulary_size=self.config.vocabulary_size,  # type: ignore[arg-type]  # resolved: not None
            max_length=self.config.max_length,  # type: ignore[arg-type]  # as above
            how=self.config.standardize,  # type: ignore[arg-type]  # as above
            cut=self.config.cut,  # type: ignore[arg-type]  # as above
        )
        if self.reading:
            report(self.reading)
        self.tokens = torch.from_numpy(encoded(self._corpus, self.encoder))  # (N, T)
        self.collapse: Collapse | None = None
        self._number = 0
        self._pretraining: Pretraining | None = None
        self._loop: ActiveLoop | None = None
        self._vectors: Float32s | None = None
        self._embeddings: Float16s | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be done, a sentence each."""
        return self._pretraining.notes if self._pretraining else ()

    @property
    def ahead(self) -> int:
        """Texts to rank, so that nobody runs dry while the next model learns."""
        return max(200, 20 * self.first_batch)

    def prepare(self) -> None:
        """Learn what the texts teach without labels, once; of many texts it is kept in the cache."""
        if self._corpus is None:
            return
        strategy = make_strategy(str(self.config.strategy))
        if "vectors" in strategy.needs | strategy.needs_labeled:
            self._text_vectors()
        self._pretraining = learn(
            self.recipe,
            self._corpus,
            self.rows,
            self.encoder,
            self.tokens,
            self.report,
            self.config.accelerator,
            embeddings=self._from_outside(),
        )
        self._corpus = None

    def learn(self, rows: Rows, labels: Ints, number: int, passed: Rows | None = None, *, folds: int = 0) -> Learned:
        """Train a model on all labels, and judge it, where that is wanted, by others like it.

        Args:
            rows: (n,) int64 labeled texts, in any order.
            labels: (n,) int64 their classes.
            number: of the model, from 1.
            passed: (p,) int64 texts that are not to be asked for although they have no label, such as skipped ones.
            folds: 0, or K: each label is predicted by one of K further models that has not learned from it, nor from a
                copy of its text; `run.validated` of what is returned holds what they said, in the order of the folds.
                No more are made than there are labels.

        Raises:
            FitError: labels of one class alone, or a fit that came to nothing.
        """
        loop, method = self._begun(rows, labels, passed)
        loop.fit(number)
        [run] = loop.states
        if folds:
            self._cross_fit(loop, method, number, folds)
        if not all(bool(torch.isfinite(weight).all()) for weight in method.model.parameters()):
            raise FitError(f"model {number} came to nothing: its weights are no numbers any more (NaN)")
        self._loop, self._number, self.collapse = loop, number, None
        opinion = method.opinion(run) if self.recipe.teacher else None
        return Learned(number, method.model.member(0, self.encoder), run, opinion)

    def judge(self, rows: Rows, labels: Ints, folds: int) -> Validated:
        """What models say of labels that they have not learned from, as `learn` with `folds`, but for its own model.

        Raises:
            FitError: labels of one class alone.
        """
        loop, method = self._begun(rows, labels)
        self._cross_fit(loop, method, 1, folds)
        validated = loop.states[0].validated
        assert validated is not None  # as just found
        return validated

    def _begun(self, rows: Rows, labels: Ints, passed: Rows | None = None) -> tuple[ActiveLoop, StepTraining]:
        """A loop that knows these labels, and how it trains."""
        if len(np.unique(labels)) < 2:
            raise FitError("a model needs labels of two classes; label more texts")
        self.prepare()
        method = self._training()
        loop = self._new_loop(method)
        [run] = loop.states
        order = np.argsort(self._place[rows])
        run.labeled, run.answers = rows[order], labels[order]
        run.pool = self.askable(rows if passed is None else np.concatenate([rows, passed]))
        run.asked = len(self._first) - len(run.pool)
        return loop, method

    def _cross_fit(self, loop: ActiveLoop, method: StepTraining, number: int, folds: int) -> None:
        """Fold by fold, as many as there are labels at most."""
        folds = min(folds, len(loop.states[0].labeled))
        self.report(f"cross-validating, {folds} folds")
        method.cross_fit(number, loop.states, CrossFit(folds))

    def deliverable(self, learned: Learned, corpus: Corpus) -> TextTeacher:
        """The teacher of a model, to read new texts with; its terms are learned once more from the corpus."""
        self.report("making the teacher ready to be delivered")
        assert learned.opinion is not None  # as checked
        return teacher_of(self.classes, readers_of(corpus, self.rows), learned.opinion.shares)

    def askable(self, taken: Rows) -> Rows:
        """(p,) texts in the order of `rows` that may be asked, when those taken and their copies are not any more."""
        askable = np.zeros(len(self.rows), np.bool_)  # (N,) by text
        askable[self._first] = True
        askable[self._first[self.groups[taken]]] = False
        return self.rows[askable[self.rows]]

    def score(self, rows: Rows) -> Floats:
        """(n, C) probabilities of texts under the newest model."""
        assert self._loop is not None  # it has learned
        found: Floats = self._loop.method.score(rows)[0]
        return found

    def rank(self, n: int | None = None) -> list[Ranked]:
        """The texts to label next by the newest model, the most wanted first.

        They are chosen in batches that grow, of the size after which a model is trained again at first: wherever
        labelers are when the next ranking comes, what they have labeled is as if chosen in one piece, with its share of
        each class and of random controls, which stand at random places.

        Args:
            n: of them; `ahead` if not given.

        Returns:
            Fewer where the pool has no more; `item` is a place in the list of texts.
        """
        if self._loop is None:
            raise FitError("there is no model to rank by; learn first, or take the cold start")
        n = min(n or self.ahead, len(self._loop.states[0].pool))
        if n == 0:
            return []
        sizes = growing(self.first_batch, n)
        [query] = self._loop.propose(self._number + 1, *sizes)
        self.collapse = query.collapse
        rng = np.random.default_rng([self.config.seed, self._number, SPREADING])
        choice = query.choice
        if self.config.strategy == "random":  # alone it draws as controls are drawn
            choice = replace(choice, controls=np.ones(n, np.bool_))
        order = spread(choice.controls, sizes, rng)
        assert query.probabilities is not None  # there is a model
        return self._ranked(choice.take(order), query.probabilities[order])

    def propose(self, n: int, strategy: str) -> Query:
        """The texts that a strategy would label next by the newest model, in one batch; nobody is asked.

        Args:
            n: of them; fewer where the pool has no more.
            strategy: a spelling for `make_strategy`, whatever the settings name.

        Raises:
            ConfigError: no such strategy.
            FitError: there is no model.
        """
        if self._loop is None:
            raise FitError("there is no model to choose by; learn first")
        [run] = self._loop.states
        before, run.strategy = run.strategy, make_strategy(strategy)
        try:
            if "vectors" in run.strategy.needs | run.strategy.needs_labeled:
                assert isinstance(self._loop.method, StepTraining)  # as `learn` makes it
                self._loop.method.vectors = self._text_vectors()
            [query] = self._loop.propose(self._number + 1, min(n, len(run.pool)))
        finally:
            run.strategy = before
        return query

    def cold_start(self, n: int | None = None, passed: Collection[int] = ()) -> list[Ranked]:
        """The texts to label before there is a model.

        Args:
            n: of them; `ahead` if not given.
            passed: texts that have been answered already.
        """
        strategy = make_strategy(COLD_STARTS[self.cold])
        rows = self.askable(np.fromiter(passed, np.int64))
        vectors = self._text_vectors()[rows] if strategy.needs else None
        context = Context(np.random.default_rng([self.config.seed, COLD]))
        return self._ranked(choose(strategy, Pool(rows, vectors=vectors), n or self.ahead, context))

    def chosen_by(self) -> str:
        """Spelling of what made the newest ranking."""
        if self._loop is None:
            return COLD_STARTS[self.cold]
        guarded = self.collapse is not None and self.recipe.guard
        return "random" if guarded else self._loop.states[0].strategy.spelling

    def _training(self) -> StepTraining:
        return StepTraining(
            self.tokens,
            len(self.encoder.vocabulary),
            self.classes,
            recipe=self.recipe,
            pretraining=self._pretraining,
            vectors=self._vectors,
            groups=self.groups,
            accelerator=self.config.accelerator,
        )

    def _new_loop(self, method: StepTraining) -> ActiveLoop:
        """A loop with nothing behind it: what is learned depends on labels and number alone."""
        return ActiveLoop(
            method,
            self.rows,
            None,
            classes=len(self.classes),
            seeds=[self.config.seed],
            strategy=str(self.config.strategy),
            schedule=range(1, len(self.rows) + 1),
        )

    def _text_vectors(self) -> Float32s:
        """(N, D) for strategies: those from outside, or latent directions of the texts themselves."""
        if self._vectors is None:
            found = self._from_outside()
            if found is not None:
                self._vectors = found.astype(np.float32)
            else:
                self.report("computing text vectors")
                self._vectors = vectors_of(self.rows, self.tokens, len(self.encoder.vocabulary))
        return self._vectors

    def _from_outside(self) -> Float16s | None:
        """(N, D) vectors of an encoder or of a file, where the settings name one."""
        if self._embeddings is None and self._corpus is not None:
            self._embeddings = embeddings_of(
                self._corpus,
                self.config.encoder,
                self.config.embeddings,
                device=str(device_of(self.config.accelerator)) if self.config.encoder else None,
                advance=Countdown(self.report, "vectors of the texts", len(self._corpus)),
            )
        return self._embeddings

    def _ranked(self, choice: Choice, probabilities: Floats | None = None) -> list[Ranked]:
        rows = [{}] * len(choice.rows) if probabilities is None else [
            dict(zip(self.classes, row, strict=True)) for row in probabilities.tolist()
        ]  # fmt: skip
        parts = choice.rows.tolist(), choice.scores.tolist(), choice.reasons, rows, choice.controls.tolist()
        return [Ranked(*one) for one in zip(*parts, strict=True)]


def growing(first: int, total: int) -> list[int]:
    """Sizes of batches, each double the one before, that add up to a total.

    >>> growing(10, 200)
    [10, 20, 40, 80, 50]
    """
    sizes: list[int] = []
    while sum(sizes) < total:
        sizes.append(min(first * 2 ** len(sizes), total - sum(sizes)))
    return sizes


def spread(marked: Mask, sizes: Sequence[int], rng: np.random.Generator) -> Ints:
    """(n,) an order in which the marked ones stand at random places of their batch, the others as before."""
    places = np.arange(len(marked), dtype=np.float64)
    for end, size in zip(np.cumsum(sizes).tolist(), sizes, strict=True):
        here = np.flatnonzero(marked[end - size : end]) + end - size
        places[here] = rng.uniform(end - size - 0.5, end - 0.5, len(here))
    return np.argsort(places, kind="stable")
