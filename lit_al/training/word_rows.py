"""An embedding table learned by the words of a batch: a step costs what it reads, not what the vocabulary holds.

A word that no text of a batch holds has no gradient. RMSprop then leaves its vector as it is, and only its mean square
fades, by the same factor in every step, which can be made up for when the word comes again. So the weights are those of
torch's RMSprop on the whole table, while of 20,000 words a step moves the few hundred that its texts hold.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import Tensor, nn

from lit_al.models.kernels.fold import held_words
from lit_al.models.lit_bilstm import rms_prop


class WordRows:
    """Takes the vectors of a batch's words out of the tables, and puts them back after a step.

    Args:
        table: (M, V, E) embedding tables.

    Attributes:
        held: (W,) int64 the words of the batch at hand; the first is that of padding, even if no text holds it.
        rows: (M, W, E) their vectors, which the gradient goes to.
    """

    held: Tensor
    rows: Tensor

    def __init__(self, table: nn.Parameter) -> None:
        self.table = table
        self._squares = torch.zeros_like(table)  # (M, V, E) mean squares of gradients, as they were
        self._as_of = torch.zeros(table.shape[1], dtype=torch.int64, device=table.device)  # (V,) in this step
        self._steps = 0

    def take(self, tokens: Tensor) -> Tensor:
        """Take the words of tokens (M, B, T), any integer type, and return them as places among `held`, int64."""
        self.held, places = held_words(tokens.long(), self.table.shape[1])
        self.rows = self.table.detach()[:, self.held].requires_grad_()
        return places

    @torch.no_grad()
    def step(self, rate: float, alpha: float, epsilon: float) -> None:
        """Move the words at hand as RMSprop does, and put them back."""
        gradient = self.rows.grad
        assert gradient is not None  # the loss depends on every batch's words
        self._steps += 1
        faded = alpha ** (self._steps - self._as_of[self.held]).to(gradient.dtype)  # (W,)
        squares = self._squares[:, self.held].mul_(faded[:, None]).addcmul_(gradient, gradient, value=1 - alpha)
        moved = self.rows.addcdiv(gradient, squares.sqrt().add_(epsilon), value=-rate)
        self.table.index_copy_(1, self.held, moved)
        self._squares.index_copy_(1, self.held, squares)
        self._as_of[self.held] = self._steps


class RowwiseRMSprop(torch.optim.Optimizer):
    """RMSprop (`models.lit_bilstm.rms_prop`) that moves of an embedding table the rows at hand.

    Args:
        others: all weights but the table.
        words: of the table.
        rate: learning rate.
    """

    def __init__(self, others: Iterable[nn.Parameter], words: WordRows, rate: float) -> None:
        self.whole: Final = rms_prop(others, rate)
        self.words = words
        super().__init__(self.whole.param_groups, {})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Compute the loss, then move."""
        loss = self.whole.step(closure)
        [settings] = self.whole.param_groups
        self.words.step(settings["lr"], settings["alpha"], settings["eps"])
        return loss
