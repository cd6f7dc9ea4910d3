"""Texts of like length side by side, so that a masked network's work grows with the words and not with the padding.

`models.kernels.pooled_states` leaves out what is padding in every text of a batch. So batches of like texts cost least:
scoring sorts its texts; training sorts within windows of a few batches and shuffles the batches, so that chance still
decides what is learned beside what.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lit_al.typing import Ints

WINDOW: Final = 50  # batches among which texts are sorted
_CHUNK: Final = 8_192  # rows looked at together


def lengths_of(tokens: Tensor, rows: Tensor) -> Ints:
    """Words of texts, unknown ones included.

    Args:
        tokens: (N, T) ids of any integer type; 0 is padding.
        rows: (...) int64.

    Returns:
        Of the shape of `rows`.

    >>> lengths_of(torch.tensor([[5, 1, 0], [0, 0, 0]]), torch.tensor([1, 0, 0])).tolist()
    [0, 2, 2]
    """
    parts = torch.split(rows.flatten().to(tokens.device), _CHUNK)
    found = [(tokens[part].to(torch.int32) != 0).sum(dim=1) for part in parts]
    return torch.cat(found).reshape(rows.shape).cpu().numpy()


def in_windows(lengths: Ints, batch_size: int, rng: np.random.Generator, window: int = WINDOW) -> Ints:
    """An order for training in which the texts of a batch have like lengths.

    Args:
        lengths: (M, n) words of texts that have been shuffled, for each member of a committee its own.
        batch_size: B; of n texts the last batch may take fewer.
        rng: shuffles the batches, for all members alike, so that the b-th batch is short for one where it is for all. A
            batch that is not full stays the last.
        window: batches within which texts are sorted. No text should occur twice in them: sorted, it would meet itself.

    Returns:
        (M, n) int64 places.

    >>> in_windows(np.array([[3, 9, 2, 8, 1]]), 2, np.random.default_rng(0), window=2).tolist()
    [[2, 0, 3, 1, 4]]
    """
    total = lengths.shape[1]
    span = window * batch_size
    pieces: list[npt.NDArray[Any]] = [
        first + np.argsort(lengths[:, first : first + span], axis=1, kind="stable") for first in range(0, total, span)
    ]
    full = total // batch_size
    sorted_places = np.concatenate(pieces, axis=1)  # (M, n)
    shuffled = (rng.permutation(full)[:, None] * batch_size + np.arange(batch_size)).ravel()
    return sorted_places[:, np.concatenate([shuffled, np.arange(full * batch_size, total)])]
