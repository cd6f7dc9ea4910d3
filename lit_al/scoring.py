"""Judge a model and score texts outside a Trainer.

A Trainer cannot be entered again from its own hooks (its state would be wrong afterwards), so what happens between two
fits is a plain loop.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from lit_al.model import Batch, LitBiLSTM
from lit_al.outputs import Evaluation


@contextmanager
def inference(model: nn.Module) -> Iterator[None]:
    """Dropout off and no gradients inside; the mode of before afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def evaluate(model: LitBiLSTM, batches: Iterable[Batch]) -> Evaluation:
    """Loss and confusion of a model on labeled batches."""
    with inference(model):
        for index, batch in enumerate(batches):
            model.test_step(batch, index)
        return model.take_evaluation("test")


def score(model: LitBiLSTM, batches: Iterable[tuple[Tensor, Tensor]]) -> npt.NDArray[np.float32]:
    """Probability of each class, (n, C) float32, in the order of the batches."""
    with inference(model):
        pieces = [model.predict_step(batch, index) for index, batch in enumerate(batches)]
    if not pieces:
        return np.empty((0, len(model.classes)), np.float32)
    return torch.cat(pieces).float().cpu().numpy()
