"""`Classifier`: what is asked of a network. `LitBiLSTM` has it, and so can a LightningModule of your own."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]  # inputs (B, …) as an encoder made them, labels (B,) int64


@runtime_checkable
class Classifier(Protocol):
    """A LightningModule that says how likely each class is.

    That is all that acquisition, stopping rules and evaluation ask. A strategy that looks at features asks for
    `embeddings(inputs)` besides, (B, D) of inputs (B, …); one that asks the model under dropout wants `LitBiLSTM`. A
    Trainer that keeps the best weights follows what `validation_step` logs as `val_loss`.
    """

    @property
    def classes(self) -> Sequence[str]:
        """C names; an attribute will do."""

    @property
    def device(self) -> torch.device:
        """Where it is; every LightningModule knows."""

    def predict_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Probability of each class, (B, C)."""


class Encoder(Protocol):
    """Texts to what a network reads; `TextEncoder` is one."""

    def encode(self, texts: Sequence[str]) -> Any:
        """(n, …) array or tensor, a row for each text."""
