"""Word vectors from unlabeled texts: how much more often two words meet than chance would have it (Levy et al. 2015).

Two words that stand within a few words of each other meet. The positive pointwise mutual information of word and
neighbor, max(0, log P(w, c) / P(w) P(c)), is large where they seek each other's company; its strongest directions are
the vectors. Words that are used alike get vectors that are alike, before a single text is labeled.

Meetings are summed up over chunks of texts: time grows with the texts, memory with the vocabulary alone.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lit_al.exceptions import ConfigError
from lit_al.text.encoder import RESERVED, UNKNOWN

NEIGHBORS: Final = 8_192  # the most frequent words; only they count as neighbors, so the table has no more columns
WINDOW: Final = 5  # words to either side
SMOOTHING: Final = 0.75  # exponent of the neighbors' frequencies: without it rare neighbors weigh too much
_CHUNK: Final = 4_096  # texts at once


def word_vectors(
    tokens: Tensor | npt.NDArray[np.integer[Any]], vocabulary: int, size: int = 128, window: int = WINDOW
) -> Tensor:
    """Vectors of words, alike where the words have like neighbors. Equal input gives equal output.

    A neighbor d words away counts 1 / d. Padding and unknown words are no neighbors and have no vector.

    Args:
        tokens: (N, T) word ids, any integer type; a tensor is worked on where it lies.
        vocabulary: V, ids there are. Ids grow as words get rarer.
        size: D, numbers in a vector; where there are fewer neighbors than that, the last ones are 0.
        window: farthest neighbor, in words.

    Returns:
        (V, D) float32, strongest directions first.

    Raises:
        ConfigError: a size or a window below one.

    >>> texts = torch.tensor([[2, 3, 4], [2, 5, 4], [6, 7, 8]] * 9)  # 3 and 5 have the same neighbors
    >>> vectors = word_vectors(texts, 9, size=3)
    >>> bool(torch.cosine_similarity(vectors[3], vectors[5], dim=0) > 0.9)
    True
    """
    if size < 1 or window < 1:
        raise ConfigError(f"size={size} and window={window} of word vectors must be 1 or more")
    meetings = _meetings(torch.as_tensor(tokens), vocabulary, window)  # (V, W)
    strength = _positive_information(meetings)
    directions = min(size, *strength.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of the sketch that the directions are found with
        axes, spread, _ = torch.svd_lowrank(strength, q=min(directions + 16, *strength.shape), niter=3)
    vectors = torch.zeros(vocabulary, size)
    vectors[:, :directions] = (axes * spread.sqrt())[:, :directions].cpu()
    return vectors


def _meetings(texts: Tensor, vocabulary: int, window: int) -> Tensor:
    """(V, W) how often each word met each neighbor, nearer ones counting more."""
    neighbors = min(vocabulary, NEIGHBORS)
    counts = torch.zeros(vocabulary * neighbors, device=texts.device)
    for chunk in torch.split(texts, _CHUNK):
        ids = chunk.long()  # (n, T)
        for distance in range(1, min(window, ids.shape[1] - 1) + 1):
            first, second = ids[:, :-distance].flatten(), ids[:, distance:].flatten()
            for word, neighbor in ((first, second), (second, first)):
                meet = (word > UNKNOWN) & (neighbor > UNKNOWN) & (neighbor < neighbors)
                places = (word * neighbors + neighbor)[meet]
                counts.index_add_(0, places, torch.full(places.shape, 1 / distance, device=counts.device))
    return counts.view(vocabulary, neighbors)


def _positive_information(meetings: Tensor) -> Tensor:
    """Positive pointwise mutual information of (V, W) meetings, in their place, which may be gigabytes."""
    words = meetings.sum(dim=1, keepdim=True).clamp_(min=1e-9)  # (V, 1)
    neighbors = meetings.sum(dim=0, keepdim=True) ** SMOOTHING  # (1, W)
    neighbors = (neighbors / neighbors.sum().clamp(min=1e-9)).clamp_(min=1e-12)
    information = meetings.div_(words).div_(neighbors).clamp_(min=1.0).log_()
    information[: len(RESERVED)] = 0
    return information
