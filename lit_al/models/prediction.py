"""Classify new texts with a checkpoint: it carries the weights, the vocabulary and the class names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch

from lit_al.exceptions import CheckpointError
from lit_al.models.batches import Batches
from lit_al.models.classifier import Classifier
from lit_al.models.frozen import FrozenBiLSTM
from lit_al.models.text_teacher import TextTeacher
from lit_al.typing import Float32s

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
    for scores in probabilities(model, texts):
        for row in scores.tolist():
            found = dict(zip(model.classes, row, strict=True))
            # as in training, a tie of two classes goes to the first
            label = max(found, key=lambda name: found[name])
            yield Prediction(label, found[label], found)


def probabilities(model: Classifier, texts: Iterable[str], at_once: int = CHUNK) -> Iterator[Float32s]:
    """Probability of each class of each text, (n, C) float32 of up to `at_once` texts at a time, in their order.

    Raises:
        CheckpointError: the model cannot read texts.
    """
    waiting = iter(texts)
    if isinstance(model, TextTeacher):
        while chunk := list(islice(waiting, at_once)):
            yield model.read(chunk)
        return
    encoder: Any = model if hasattr(model, "encode") else getattr(model, "encoder", None)
    if encoder is None:
        raise CheckpointError("this model carries no vocabulary; give LitBiLSTM an encoder before training it")
    while chunk := list(islice(waiting, at_once)):
        tokens = torch.as_tensor(encoder.encode(chunk)).to(model.device)  # (n, T), or as the network reads them
        if isinstance(model, FrozenBiLSTM):
            yield model.scores(tokens, CHUNK)
            continue
        from lit_al.models.scoring import score  # and Lightning with it, which a network of one's own has loaded

        yield score(model, Batches(tokens, None, torch.arange(len(chunk)), CHUNK))
