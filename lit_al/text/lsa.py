"""Text vectors that need no model: latent semantic analysis of the encoded texts (Deerwester et al. 1990).

A text is the tf-idf weights of its words, projected on the directions in which the texts differ most. The directions
are eigenvectors of X'X, the words' table of products, which is summed up over chunks of texts: time grows with the
number of texts, and memory only by the result.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lit_al.exceptions import ConfigError
from lit_al.text.encoder import RESERVED
from lit_al.typing import Float32s, Ints

WORDS: Final = 4_096  # of the vocabulary, by frequency: the table of products has as many rows and columns
_CHUNK: Final = 2_048  # texts as rows of X at once: 32 MB


def text_vectors(tokens: Tensor | npt.NDArray[np.integer[Any]], vocabulary: int, size: int = 64) -> Float32s:
    """Vectors of texts, close to each other where the texts use words that occur together.

    Padding and unknown words do not count. A text of no known word gets the zero vector, all others length 1. Equal
    input gives equal output; eigenvectors are turned so that their largest number is positive.

    Args:
        tokens: (N, T) word ids, any integer type; a tensor is worked on where it lies.
        vocabulary: V, ids there are. Ids grow as words get rarer; of more than `WORDS` the rarest are left out.
        size: D, numbers in a vector; where there are fewer words than that, the last ones are 0.

    Returns:
        (N, D) float32.

    Raises:
        ConfigError: a size below one.

    >>> films, dinner = [2, 3, 4, 0], [5, 6, 7, 0]
    >>> vectors = text_vectors(np.array([films, dinner, [3, 2, 4, 4]]), 8, size=2)
    >>> np.abs(vectors @ vectors[0]).round(2) + 0
    array([1., 0., 1.], dtype=float32)
    """
    if size < 1:
        raise ConfigError(f"size={size} leaves no number in a text vector; give 1 or more")
    texts = torch.as_tensor(tokens)
    words = min(vocabulary, WORDS)
    weights = _rarity(texts, words)  # (W,)
    products = torch.zeros(words, words, device=texts.device)
    for rows in _weighted(texts, weights):
        products.addmm_(rows.T, rows)
    axes = _principal_axes(products, min(size, words))  # (W, D)
    vectors = torch.zeros(len(texts), size)
    done = 0
    for rows in _weighted(texts, weights):
        projected = torch.nn.functional.normalize(rows @ axes)  # (n, D)
        vectors[done : done + len(rows), : axes.shape[1]] = projected.cpu()
        done += len(rows)
    return vectors.numpy()


def vectors_of(rows: Ints, tokens: Tensor, vocabulary: int) -> Float32s:
    """(N, D) `text_vectors` that these rows (n,) alone have shaped; 0 for all other rows.

    Sums run in the order of the rows: give one that is the texts' own, such as that of `Corpus.in_order`.
    """
    made = text_vectors(tokens[torch.from_numpy(rows)], vocabulary)  # (n, D)
    vectors = np.zeros((len(tokens), made.shape[1]), np.float32)
    vectors[rows] = made
    return vectors


def _counts(texts: Tensor, words: int) -> Iterator[Tensor]:
    """How often each word occurs in each text, (n, W) float32, a chunk of texts at a time."""
    for chunk in torch.split(texts, _CHUNK):
        ids = chunk.long()  # (n, T)
        ids = ids.where(ids < words, 0)  # too rare: as if it were padding
        counts = torch.zeros(len(ids), words, device=ids.device)
        counts.scatter_add_(1, ids, torch.ones_like(ids, dtype=torch.float32))
        counts[:, : len(RESERVED)] = 0
        yield counts


def _rarity(texts: Tensor, words: int) -> Tensor:
    """(W,) inverse document frequency 1 + log((1 + N) / (1 + texts with the word))."""
    having = torch.zeros(words, device=texts.device)
    for counts in _counts(texts, words):
        having += (counts > 0).sum(dim=0)
    return 1 + torch.log((1 + len(texts)) / (1 + having))


def _weighted(texts: Tensor, weights: Tensor) -> Iterator[Tensor]:
    """tf-idf with 1 + log count as the term's frequency, rows of length 1 or 0: (n, W)."""
    for counts in _counts(texts, len(weights)):
        frequency = torch.where(counts > 0, 1 + counts.log(), 0.0)
        yield torch.nn.functional.normalize(frequency * weights)


def _principal_axes(products: Tensor, size: int) -> Tensor:
    """(W, D) eigenvectors of the largest eigenvalues, the largest first, the largest number of each positive."""
    axes = torch.linalg.eigh(products).eigenvectors[:, -size:].flip(1)
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))  # (1, D)
    turned: Tensor = axes * torch.where(largest < 0, -1.0, 1.0)
    return turned
