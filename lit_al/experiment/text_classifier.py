"""`TextClassifier`: texts and labels in, classes of new texts out, in scikit-learn's manners.

    classifier = TextClassifier().fit(texts, labels, unlabeled=others)
    classifier.predict(new_texts)
    classifier.query(20).rows  # places in `others` of the texts to label next

One fit is one fit of the lean recipe (`experiment.learning`) on all labels there are; docs/classifier.md has examples.
"""

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from lit_al.data import CopyGroups, Corpus, shorten
from lit_al.data.in_memory import labels_of, name_of_class, texts_of
from lit_al.data.split import without
from lit_al.exceptions import ConfigError, InputError
from lit_al.experiment.learning import Learner
from lit_al.loop.acquisition import Acquisition
from lit_al.loop.method import Seen
from lit_al.loop.query import Query
from lit_al.loop.state import LoopState
from lit_al.models.batches import EVALUATION_BATCH, Batches
from lit_al.models.checkpoint import load_model, read_checkpoint, save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.prediction import probabilities
from lit_al.models.scoring import score, see
from lit_al.models.text_teacher import TextTeacher
from lit_al.strategies import Labeled, Pool, make_strategy
from lit_al.typing import UNLABELED, Floats, Ints, Rows
from lit_al.utils.notebook import html_table
from lit_al.utils.silence import quietly
from lit_al.utils.terminal_text import markup

STRATEGY = "margin+balanced+random:0.1"
KINDS: dict[str, Callable[[str], object]] = {  # what labels were, from the names of classes in a checkpoint
    "b": lambda name: name == "True",
    "i": int,
    "u": int,
    "f": float,
    "U": str,
}


@dataclass(frozen=True)
class TextQuery(Query):
    """Texts worth a label, the most wanted first; `rows` are their places in the list that they were chosen from.

    Attributes:
        texts: k of them.
        classes: (C,) labels, in the order of the probabilities.
    """

    texts: tuple[str, ...] = ()
    classes: tuple[object, ...] = ()

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """(k,) how much each is wanted, higher is more."""
        return self.choice.scores

    def _repr_html_(self) -> str:
        """For a notebook: a line for each text."""
        sure = self.probabilities.max(axis=1).tolist() if self.probabilities is not None else []
        called = [self.classes[place] for place in self.predicted.tolist()]
        parts = self.rows.tolist(), map(shorten, self.texts), called, sure, self.choice.reasons
        caption = f"{len(self.rows):,} texts to label next, by {self.strategy}"
        return html_table(caption, ("place", "text", "predicted", "probability", "why"), zip(*parts, strict=True))


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Learns from a few labels and from all texts, and says what to label next.

    Texts are strings: in a list, a numpy array, a column of pandas or `datasets`. Labels are words, whole numbers or
    truth values; None, NaN, an empty string and the whole number -1 mean "no label". The order of the texts does not
    matter: the same texts with the same labels give the same model.

    Args:
        recipe: how a fit trains (`training.recipe`), as in `"lean-teacher"`; None takes `lean`, here and below
            everything as in `lit-al train --protocol lean`.
        units: what texts are cut into: `words`, `subwords`, `characters`; None lets the texts decide.
        vocabulary_size: units that have an id.
        max_length: units read of each text.
        class_weight: `balanced`, so that rare classes are not passed over, or `none`.
        study_steps: training steps, at most, of a fit that learns from all texts.
        steps: training steps of a fit on labels alone.
        encoder: a pretrained encoder whose vectors help in training; predictions do without it.
        accelerator: Lightning's: `auto`, `cpu`, `gpu`, `mps`.
        random_state: seed of weights, dropout and shuffles: a whole number gives the same model each time; None, or a
            `numpy.random.RandomState`, a new one.
        verbose: show what is being done.

    Attributes:
        classes_: (C,) the labels, sorted.
        model_: the network; with its vocabulary it is what `save` writes.
        notes_: what could not be done, a sentence each.

    >>> texts = ["a gem of a film", "dull and long", "what a joy", "a dull mess", "a joy, a gem", "long and a mess"]
    >>> classifier = TextClassifier(recipe="scratch", steps=60, accelerator="cpu")
    >>> classifier.fit(texts, ["good", "bad"] * 3).predict(["a joy and a gem", "a dull mess"]).tolist()
    ['good', 'bad']
    """

    _learner: Learner | None  # None where the classifier was loaded
    model_: LitBiLSTM | TextTeacher

    def __init__(
        self,
        *,
        recipe: str | None = None,
        units: str | None = None,
        vocabulary_size: int | None = None,
        max_length: int | None = None,
        class_weight: str | None = None,
        study_steps: int | None = None,
        steps: int | None = None,
        encoder: str | None = None,
        accelerator: str = "auto",
        random_state: Any = 0,
        verbose: bool = False,
    ) -> None:
        self.recipe = recipe
        self.units = units
        self.vocabulary_size = vocabulary_size
        self.max_length = max_length
        self.class_weight = class_weight
        self.study_steps = study_steps
        self.steps = steps
        self.encoder = encoder
        self.accelerator = accelerator
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        """Texts are strings in one dimension, not numbers in two."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    # --- Fit ----------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, unlabeled: Any = None) -> Self:
        """Learn from labels, and from what the texts themselves teach.

        Args:
            X: n texts.
            y: their labels; some may be missing. Their texts are learned from without a label, and `query` chooses
                among them.
            unlabeled: m further texts, of which none has a label, instead of missing ones.

        Raises:
            InputError: texts or labels that nothing can be learned from; a `ValueError`, too.
            ConfigError: settings that cannot work.
            FitError: a fit that came to nothing.
        """
        texts = texts_of(X)
        labels, classes = labels_of(y, len(texts))
        further = [] if unlabeled is None else texts_of(unlabeled, "unlabeled")
        if further and (labels == UNLABELED).any():
            raise InputError(
                f"{int((labels == UNLABELED).sum()):,} labels are missing and unlabeled= gives further texts; "
                "move the texts without a label to unlabeled="
            )
        names = tuple(map(name_of_class, classes.tolist()))
        corpus, places = _sorted([*texts, *further], np.append(labels, np.full(len(further), UNLABELED)), names)
        rows = np.flatnonzero(corpus.labels != UNLABELED)
        with quietly(), self._reporting() as report:
            learner = Learner(corpus.texts, names, self._settings(), report, corpus.grouped.numbers)
            learner.prepare()
            report("training")
            empty = np.flatnonzero((corpus.labels == UNLABELED) & _are_empty(corpus.texts))
            learned = learner.learn(rows, corpus.labels[rows], 1, empty)
        learner.report = _silence  # what it reported to is gone
        self.classes_, self.model_, self.notes_ = classes, learned.model, learner.notes
        self._learner, self._texts = learner, corpus.texts
        self._places = places - len(texts) if further else places
        return self

    def _settings(self) -> dict[str, Any]:
        """As a run has them."""
        seed = self.random_state
        if seed is None or isinstance(seed, np.random.RandomState):
            seed = int(check_random_state(seed).randint(2**31 - 1))
        names = ("recipe", "units", "vocabulary_size", "max_length", "class_weight", "study_steps", "steps", "encoder")
        return {**{name: getattr(self, name) for name in names}, "accelerator": self.accelerator, "seed": int(seed)}

    @contextmanager
    def _reporting(self) -> Iterator[Callable[[str], object]]:
        """Something to report to: a line that tells what is being done, in a terminal or a notebook, or nothing."""
        if not self.verbose:
            yield _silence
            return
        with Console().status("reading the texts") as status:
            yield lambda doing: status.update(markup(doing))

    # --- Predict ------------------------------------------------------------------------------------------------------

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """(n,) the likeliest class of each text; of two alike the first.

        Raises:
            NotFittedError: before `fit`.
            InputError: no texts, or one that is no string.
        """
        found: npt.NDArray[Any] = self.classes_of(self.predict_proba(X))
        return found

    def classes_of(self, found: Floats) -> npt.NDArray[Any]:
        """(n,) the likeliest classes by probabilities (n, C)."""
        likeliest: npt.NDArray[Any] = self.classes_[found.argmax(axis=1)]
        return likeliest

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """(n, C) float32 probability of each class, in the order of `classes_`.

        Raises:
            NotFittedError: before `fit`.
            InputError: no texts, or one that is no string.
        """
        check_is_fitted(self, "model_")
        return np.concatenate(list(probabilities(self.model_, texts_of(X))))

    # --- Ask ----------------------------------------------------------------------------------------------------------

    def query(self, n: int = 10, texts: Any = None, strategy: str = STRATEGY) -> TextQuery:
        """The texts that are worth a label next, the most wanted first.

        Copies and near copies of labeled texts, further ones of a text, and empty texts are not asked for.

        Args:
            n: of them; fewer where there are no more.
            texts: to choose from; None takes the unlabeled ones of `fit`, where teacher and student look together and
                every strategy can choose. Of other texts the network alone knows something.
            strategy: as in docs/strategies.md; `+random:0.1` draws a tenth at random, which keeps what you label fit to
                judge the model.

        Returns:
            A `TextQuery`: `rows` (k,) are places in `texts`, or in `unlabeled=` of `fit`, or in its `X` where labels
            were missing there; `scores` (k,), `texts`, `probabilities` (k, C) and reasons stand beside.

        Raises:
            NotFittedError: before `fit`.
            ConfigError: no such strategy, n below 1, or nothing to choose from.
            InputError: texts that are none.
        """
        check_is_fitted(self, "model_")
        if n < 1:
            raise ConfigError(f"n={n} texts to label must be 1 or more")
        if texts is not None:
            found = texts_of(texts)
            return self._told(self._query_among(found, n, strategy), found, np.arange(len(found)))
        if self._learner is None:
            raise ConfigError("a classifier that was loaded has no unlabeled texts; give query(n, texts=...) some")
        with quietly():
            query = self._learner.propose(n, strategy)
        if not len(query.rows):
            raise ConfigError("no text is left to label; give fit(..., unlabeled=...) or query(n, texts=...) some")
        return self._told(query, self._texts, self._places)

    def _query_among(self, texts: Sequence[str], n: int, strategy: str) -> Query:
        _, first = np.unique(CopyGroups.of(texts).numbers, return_index=True)
        pool = without(np.sort(first), np.flatnonzero(_are_empty(texts)))
        if not len(pool):
            raise ConfigError("all texts= are empty; give query(n, texts=...) texts with words")
        seed = self._settings()["seed"]
        state = LoopState(seed, make_strategy(strategy), pool)
        acquisition = Acquisition(_NewTexts(self.model_, texts), None, [state], classes=len(self.classes_))
        [query] = acquisition.propose(1, min(n, len(pool)))
        return query

    def _told(self, query: Query, texts: Sequence[str], places: Ints) -> TextQuery:
        """The query of texts that are known by other numbers outside."""
        return TextQuery(
            query.number,
            query.strategy,
            replace(query.choice, rows=places[query.rows]),
            query.probabilities,
            query.collapse,
            texts=tuple(texts[row] for row in query.rows.tolist()),
            classes=tuple(self.classes_.tolist()),
        )

    # --- Keep ---------------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """What pickle keeps: all, the learner as torch writes it, for pickle alone loses tensors of uint16."""
        state: dict[str, Any] = dict(super().__getstate__())
        if state.get("_learner") is not None:
            written = io.BytesIO()
            torch.save(state["_learner"], written)
            state["_learner"] = written.getvalue()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Bring back what `__getstate__` kept."""
        if state.get("_learner") is not None:
            learner = torch.load(io.BytesIO(state["_learner"]), weights_only=False)  # as safe as the pickle around it
            state = {**state, "_learner": learner}
        super().__setstate__(state)

    def save(self, path: Path | str) -> Path:
        """Write the network with its vocabulary and classes: a checkpoint, which `lit-al predict` reads as well.

        Settings and unlabeled texts stay behind; `pickle` and `joblib` keep all.

        Raises:
            NotFittedError: before `fit`.
            CheckpointError: it cannot be written.
        """
        check_is_fitted(self, "model_")
        kind = self.classes_.dtype.kind
        hook = lambda checkpoint: checkpoint.update(labels=kind)  # noqa: E731  # Lightning calls it
        self.model_.on_save_checkpoint = hook  # type: ignore[method-assign]
        try:
            with quietly():
                return save_model(self.model_, Path(path))
        finally:
            del self.model_.on_save_checkpoint

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """The classifier of a checkpoint: of `save`, or of any run of the project, whose labels are words then.

        Raises:
            CheckpointError: the file is missing, broken, or of another model.
        """
        loaded = cls()
        loaded.model_ = load_model(path)
        of_kind = KINDS.get(str(read_checkpoint(path).get("labels")), str)
        loaded.classes_ = np.array([of_kind(name) for name in loaded.model_.classes])
        loaded.notes_ = ()
        loaded._learner = None
        return loaded


class _NewTexts:
    """What a model alone makes of texts that it has not learned from (`loop.method.Models`).

    Args:
        model: with its encoder.
        texts: N; rows are places among them.
    """

    guard = True
    validation = None

    def __init__(self, model: LitBiLSTM | TextTeacher, texts: Sequence[str]) -> None:
        self.texts = texts
        if isinstance(model, TextTeacher):
            self.model: LitBiLSTM | TextTeacher = model
            return
        assert model.encoder is not None  # `fit` and `load` see to it
        tokens = torch.from_numpy(model.encoder.encode(texts)).to(model.device)  # (N, T)
        self.model, self.batches = model, Batches(tokens, None, torch.arange(len(texts)), EVALUATION_BATCH)

    def look(
        self,
        number: int,
        states: Sequence[LoopState],
        candidates: Sequence[Rows],
        needs: Collection[str],
        needs_labeled: Collection[str],
    ) -> list[Seen]:
        """The arrays named, where the network alone gives them.

        Raises:
            ConfigError: it does not.
        """
        taught = isinstance(self.model, TextTeacher)
        missing = sorted({*needs} - {"probabilities", "classes", *(() if taught else ("embeddings", "draws"))})
        if missing or needs_labeled:
            asked = f"{', '.join(missing)} of the texts" if missing else "a look at the labeled texts"
            raise ConfigError(
                f"{states[0].strategy.spelling} needs {asked}, which only the texts of a fit have; give them to "
                "fit(..., unlabeled=...), or take a strategy such as margin"
            )
        [rows] = candidates
        if isinstance(self.model, TextTeacher):
            seen = {"probabilities": self.score(rows)[0]}
        else:
            [seen] = see(self.model, self._of(rows), {*needs, "probabilities"})
        columns: dict[str, Any] = dict(seen)
        if "classes" in needs:
            columns["classes"] = seen["probabilities"].argmax(axis=1)
        return [Seen(Pool(rows, **columns), Labeled.none(), seen["probabilities"])]

    def score(self, rows: Rows) -> Floats:
        """(1, n, C) float32."""
        if isinstance(self.model, TextTeacher):
            return self.model.read([self.texts[row] for row in rows.tolist()])[None]
        return score(self.model, self._of(rows))[None]

    def _of(self, rows: Rows) -> Batches:
        return replace(self.batches, rows=torch.from_numpy(rows))


def _sorted(texts: Sequence[str], labels: Ints, names: tuple[str, ...]) -> tuple[Corpus, Ints]:
    """A corpus in an order that texts and labels alone decide, and (N,) the place of each row in the order given."""
    keys = Corpus(texts, labels, names).keys
    order = np.lexsort((labels, *keys.T[::-1]))  # by sha256, copies by their labels
    return Corpus([texts[place] for place in order], labels[order], names), order


def _are_empty(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    return np.array([not text or text.isspace() for text in texts], np.bool_)


def _silence(doing: str) -> None:
    """Nobody wants to know."""
