"""Texts whose labels the model has not learned: what it says of them, and how good it is by them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lit_al.data import load_corpus
from lit_al.delivery.delivery_options import HeldOutOptions
from lit_al.exceptions import CheckpointError, DataError
from lit_al.models.checkpoint import load_frozen
from lit_al.models.frozen import FrozenBiLSTM
from lit_al.models.prediction import probabilities
from lit_al.models.request import weights_at
from lit_al.models.text_teacher import TextTeacher
from lit_al.typing import UNLABELED, Floats, Ints


@dataclass(frozen=True)
class HeldOut:
    """Labeled texts, in the numbers of a model's classes.

    Attributes:
        texts: n of them.
        labels: (n,) int64.
        source: where they are from, in a few words.
        notes: what else a user should read, a sentence each.
    """

    texts: Sequence[str]
    labels: Ints
    source: str
    notes: tuple[str, ...]

    @classmethod
    def read(cls, asked: HeldOutOptions, classes: Sequence[str]) -> "HeldOut":
        """Those that `--data` names.

        Raises:
            DataError: they cannot be read, none has a label, or one has a label that the model does not know.
        """
        assert asked.data is not None  # whoever calls has looked
        corpus = load_corpus(asked.data, classes=tuple(classes), **asked.corpus)
        rows = np.flatnonzero(corpus.labels != UNLABELED)
        if not len(rows):
            raise DataError(
                f"{asked.data} has no label, so that nothing can be judged by it; give labeled texts, and name their "
                "column with --label-column"
            )
        without = len(corpus) - len(rows)
        notes = (f"{without:,} texts of {corpus.source} have no label and judge nothing",) if without else ()
        return cls(
            [corpus.texts[row] for row in rows.tolist()], corpus.labels[rows], corpus.source, (*corpus.notes, *notes)
        )


def reading_model(path: Path) -> FrozenBiLSTM | TextTeacher:
    """The model of a file or a folder, as texts are read with it.

    Raises:
        CheckpointError: there is none, or one that reads no texts.
    """
    model = load_frozen(weights_at(path))
    if isinstance(model, FrozenBiLSTM) and model.encoder is None:
        raise CheckpointError(f"{path} carries no vocabulary, so that it reads no texts; give a .ckpt file of a run")
    return model


def said_of(model: FrozenBiLSTM | TextTeacher, texts: Iterable[str]) -> Floats:
    """(n, C) float32 probabilities of n texts."""
    return np.concatenate([np.empty((0, len(model.classes)), np.float32), *probabilities(model, texts)])
