"""Mini-batches gathered from one tensor of token ids: no worker process, no collation, nothing copied but the batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

EVALUATION_BATCH = 1_000  # without gradients nothing is kept between layers, so a batch can be large


@dataclass
class Batches:
    """Mini-batches gathered from one tensor.

    Attributes:
        tokens: (N, T) uint16 of the whole corpus.
        labels: (N,) int64 what comes beside the tokens; None gives the row ids themselves.
        rows: (n,) int64 the rows to serve; or (M, n), rows of its own for each member of a committee.
        batch_size: B; the last batch may be smaller.
        generator: shuffles anew on each pass; one for each member where they have rows of their own. None keeps the
            order.

    Yields:
        tokens (B, T) uint16 and labels or row ids (B,) int64, on the tokens' device; (M, B, T) and (M, B) of (M, n)
        rows.
    """

    tokens: Tensor
    labels: Tensor | None
    rows: Tensor
    batch_size: int
    generator: torch.Generator | Sequence[torch.Generator] | None = None

    def __len__(self) -> int:
        """Number of batches in a pass."""
        return -(-self.rows.shape[-1] // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass."""
        rows = self._shuffled().to(self.tokens.device)
        for index in torch.split(rows, self.batch_size, dim=-1):  # (B,) or (M, B)
            yield self.tokens[index], index if self.labels is None else self.labels[index]

    def _shuffled(self) -> Tensor:
        if self.generator is None:
            return self.rows
        if isinstance(self.generator, torch.Generator):
            return self.rows[..., torch.randperm(self.rows.shape[-1], generator=self.generator)]
        pairs = zip(self.rows, self.generator, strict=True)
        return torch.stack([rows[torch.randperm(len(rows), generator=generator)] for rows, generator in pairs])
