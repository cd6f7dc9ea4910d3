"""Judge a model and score texts outside a Trainer.

A Trainer cannot be entered again from its own hooks (its state would be wrong afterwards), so what happens between two
fits is a plain loop.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from lit_al.committee import LitCommittee
from lit_al.datamodule import Batches
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


def score(model: LitBiLSTM | LitCommittee, batches: Batches) -> npt.NDArray[np.float32]:
    """Probability of each class, in the order of the batches.

    Memory is that of the result and of one batch: 5 million texts take no more than 5 thousand but for their tokens.

    Returns:
        (n, C) float32; of a committee (M, n, C).
    """
    members = (model.net.size,) if isinstance(model, LitCommittee) else ()
    scores = np.empty((*members, len(batches.rows), len(model.classes)), np.float32)
    done = 0
    with inference(model):
        for index, batch in enumerate(batches):
            part = model.predict_step(batch, index)  # (B, C) or (M, B, C)
            scores[..., done : done + part.shape[-2], :] = part.float().cpu().numpy()
            done += part.shape[-2]
    return scores
