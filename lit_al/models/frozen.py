"""`FrozenBiLSTM`: the network of a checkpoint, to read texts with: no Lightning, no metrics, nothing that trains."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lit_al.models.batches import Batches
from lit_al.models.bilstm import BiLSTM, probabilities_of
from lit_al.models.classifier import Batch
from lit_al.text.bucketing import lengths_of
from lit_al.text.encoder import TextEncoder
from lit_al.typing import Float32s


class FrozenBiLSTM(nn.Module):
    """A `Classifier` with the weights, the vocabulary and the class names of a `LitBiLSTM`, whose arguments it takes.

    >>> FrozenBiLSTM(("a", "b", "c")).scores(torch.zeros(7, 10, dtype=torch.int64), 4).shape
    (7, 3)
    """

    def __init__(
        self,
        classes: Sequence[str] = ("negative", "positive"),
        encoder: Mapping[str, Any] | None = None,
        vocabulary_size: int = 3_000,
        embedding_size: int = 128,
        hidden_size: int = 32,
        dense_size: int = 20,
        dropout: float = 0.5,
        learning_rate: float = 1e-3,  # of training: passed over
        kernel: str = "auto",
        masked: bool = False,
    ) -> None:
        super().__init__()
        self.classes = tuple(classes)
        self.encoder = TextEncoder.from_state_dict(encoder) if encoder is not None else None
        words = len(self.encoder.vocabulary) if self.encoder else vocabulary_size
        self.net = BiLSTM(words, len(self.classes), embedding_size, hidden_size, dense_size, dropout, kernel, masked)
        self.eval()

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.net.embedding.weight.device

    def predict_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Probability of each class, (B, C)."""
        return probabilities_of(self.net(batch[0]))

    @torch.no_grad()
    def scores(self, tokens: Tensor, batch_size: int) -> Float32s:
        """Probability of each class, (n, C), of tokens (n, T); texts of like length go through together."""
        order = torch.from_numpy(np.argsort(lengths_of(tokens, torch.arange(len(tokens))), kind="stable"))  # (n,)
        found = np.empty((len(tokens), len(self.classes)), np.float32)
        for batch in Batches(tokens, None, order, batch_size):
            found[batch[1]] = self.predict_step(batch, 0).cpu().numpy()
        return found
