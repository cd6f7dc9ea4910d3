"""Classify new texts with a checkpoint: it carries the weights, the vocabulary and the class names."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch

from lit_al.exceptions import CheckpointError
from lit_al.models.batches import Batches
from lit_al.models.classifier import Classifier, Encoder
from lit_al.models.scoring import score

CHUNK = 1_024  # texts at once, so that a file of any length runs in the same memory


@dataclass(frozen=True)
class Prediction:
    """What the model says of a text.

    Attributes:
        label: name of the most probable class.
        probability: of that class.
        probabilities: of every class, by name.
    """

    label: str
    probability: float
    probabilities: dict[str, float]


def classify(model: Classifier, texts: Iterable[str]) -> Iterator[Prediction]:
    """Classify texts, in their order, a chunk at a time.

    Args:
        model: with an `encoder`, or a network of one's own with `encode`.
        texts: any number.

    Raises:
        CheckpointError: the model cannot read texts.
    """
    encoder: Any = model if hasattr(model, "encode") else getattr(model, "encoder", None)
    if encoder is None:
        raise CheckpointError("this model carries no vocabulary; give LitBiLSTM an encoder before training it")
    waiting = iter(texts)
    while chunk := list(islice(waiting, CHUNK)):
        yield from _predict(model, encoder, chunk)


def _predict(model: Classifier, encoder: Encoder, texts: Sequence[str]) -> Iterator[Prediction]:
    tokens = torch.as_tensor(encoder.encode(texts)).to(model.device)  # (n, T), or as the network reads them
    batches = Batches(tokens, None, torch.arange(len(texts)), CHUNK)
    for row in score(model, batches).tolist():  # (n, C)
        probabilities = dict(zip(model.classes, row, strict=True))
        # as in training, a tie of two classes goes to the first
        label = max(probabilities, key=lambda name: probabilities[name])
        yield Prediction(label, probabilities[label], probabilities)
