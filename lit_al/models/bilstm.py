"""The network of the Keras example, with Keras's initial weights: 426,537 parameters in its default size.

    tokens → embedding → LSTM forward and backward → maximum over time → dense, ReLU, dropout → logits

Two things differ from `torch.nn.LSTM`. Each gate has one bias, as in Keras (torch has two that add up). And padding is
not masked, as on the Keras page: the LSTM runs over it, and the maximum is over all positions. With `masked` it is: a
text's features are then those of its words, however much padding follows.
"""

from typing import Final

import torch
from torch import Tensor, nn

from lit_al.models.kernels import pooled_states

GATES: Final = 4  # input, forget, cell, output: the order of Keras and of torch


class MaxPooledLSTM(nn.Module):
    """A bidirectional LSTM and the maximum over time of its hidden states.

    Args:
        inputs: E, size of a word vector.
        hidden: H, units per direction.
        kernel: which implementation runs the recurrence; see `lit_al.models.kernels`.
        masked: padding has no state.
    """

    def __init__(self, inputs: int, hidden: int, kernel: str = "auto", masked: bool = False) -> None:
        super().__init__()
        self.kernel, self.masked = kernel, masked
        self.input_kernel = nn.Parameter(torch.empty(2, inputs, GATES * hidden))
        self.recurrent_kernel = nn.Parameter(torch.empty(2, hidden, GATES * hidden))
        self.bias = nn.Parameter(torch.empty(2, GATES * hidden))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights as Keras does: Glorot uniform, orthogonal, and a bias of 1 that keeps memories at first."""
        hidden = self.recurrent_kernel.shape[1]
        for direction in range(2):
            nn.init.xavier_uniform_(self.input_kernel[direction])
            nn.init.orthogonal_(self.recurrent_kernel[direction])
        nn.init.zeros_(self.bias)
        nn.init.ones_(self.bias[:, hidden : 2 * hidden])

    def forward(self, tokens: Tensor, embedding: Tensor) -> Tensor:
        """Pooled hidden states.

        Args:
            tokens: (B, T) word ids, any integer type.
            embedding: (V, E) the word vectors; the kernel looks them up, because it can save work by doing so.

        Returns:
            (B, 2H), forward units first.
        """
        pooled = pooled_states(  # (1, B, 2H): a committee of one
            tokens,
            embedding[None],
            self.input_kernel[None],
            self.bias[None],
            self.recurrent_kernel[None],
            kernel=self.kernel,
            masked=self.masked,
        )
        return pooled[0]


class BiLSTM(nn.Module):
    """Texts as word ids in, logits out.

    Args:
        vocabulary_size: V, words including padding and unknown.
        classes: C; two classes share one logit, that of class 1.
        embedding_size: E, size of a word vector.
        hidden_size: H, units per direction.
        dense_size: units of the dense layer.
        dropout: share of dense units silenced in training.
        kernel: see `lit_al.models.kernels`.
        masked: padding has no state, so that a text's logits depend on its words alone.

    Attributes:
        width: the dense units, numbers in the features of a text.
    """

    def __init__(
        self,
        vocabulary_size: int = 3_000,
        classes: int = 2,
        embedding_size: int = 128,
        hidden_size: int = 32,
        dense_size: int = 20,
        dropout: float = 0.5,
        kernel: str = "auto",
        masked: bool = False,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.lstm = MaxPooledLSTM(embedding_size, hidden_size, kernel, masked)
        self.dense = nn.Linear(2 * hidden_size, dense_size)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(dense_size, 1 if classes == 2 else classes)
        self.width = dense_size
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights as Keras does."""
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        self.lstm.reset_parameters()
        for layer in (self.dense, self.head):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of the texts.

        Args:
            tokens: (B, T) word ids, any integer type.

        Returns:
            (B,) for two classes, else (B, C).
        """
        return self.logits_of(self.dropout(self.features(tokens)))

    def features(self, tokens: Tensor) -> Tensor:
        """(B, dense), what the last layer sees of tokens (B, T), before dropout."""
        pooled = self.lstm(tokens, self.embedding.weight)  # (B, 2H)
        return torch.relu(self.dense(pooled))

    def logits_of(self, features: Tensor) -> Tensor:
        """The last layer: (B,) or (B, C) of features (B, dense)."""
        logits: Tensor = self.head(features)  # (B, 1) or (B, C)
        return logits.squeeze(-1) if logits.shape[-1] == 1 else logits


def probabilities_of(logits: Tensor) -> Tensor:
    """Probability of each class, (B, C), of logits (B,) or (B, C)."""
    if logits.ndim == 1:
        return torch.stack([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=-1)
    return logits.softmax(dim=-1)
