"""Text vectors that need no model: latent semantic analysis of the encoded texts (Deerwester et al. 1990).

A text is the tf-idf weights of its words, projected on the directions in which the texts differ most. The directions
are eigenvectors of X'X, the words' table of products: exact, as sketches of so many directions are not, and of a size
that the number of texts does not enter.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lit_al.exceptions import ConfigError
from lit_al.text.encoder import RESERVED
from lit_al.typing import Float32s, Ints

WORDS: Final = 4_096  # of the vocabulary, by frequency: the table of products has as many rows and columns


def text_vectors(tokens: Tensor | npt.NDArray[np.integer[Any]], vocabulary: int, size: int = 64) -> Float32s:
    """Vectors of texts, close to each other where the texts use words that occur together.

    Padding and unknown words do not count. A text of no known word gets the zero vector, all others length 1. Equal
    input gives equal output; eigenvectors are turned so that their largest number is positive.

    Args:
        tokens: (N, T) word ids, any integer type.
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
    from sklearn.preprocessing import normalize

    vectors = np.zeros((len(tokens), size), np.float32)
    if len(tokens):
        ids = tokens.cpu().numpy() if isinstance(tokens, Tensor) else tokens  # they may lie on a device
        weighted = _weighted(ids, min(vocabulary, WORDS))
        axes = _principal_axes((weighted.T @ weighted).toarray(), size)  # (W, D)
        vectors[:, : axes.shape[1]] = normalize(weighted @ axes)
    return vectors


def vectors_of(rows: Ints, tokens: Tensor, vocabulary: int) -> Float32s:
    """(N, D) `text_vectors` that these rows (n,) alone have shaped; 0 for all other rows.

    Sums run in the order of the rows: give one that is the texts' own, such as that of `Corpus.in_order`.
    """
    made = text_vectors(tokens[torch.from_numpy(rows)], vocabulary)  # (n, D)
    vectors = np.zeros((len(tokens), made.shape[1]), np.float32)
    vectors[rows] = made
    return vectors


def _weighted(ids: npt.NDArray[np.integer[Any]], words: int) -> Any:
    """(N, W) float32 sparse tf-idf with 1 + log count as the term's frequency, rows of length 1 or 0."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer

    counted = (ids >= len(RESERVED)) & (ids < words)  # (N, T); what is too rare, or padding, is left out
    ends = np.append(0, counted.sum(axis=1).cumsum())
    counts = csr_matrix((np.ones(ends[-1], np.float32), ids[counted].astype(np.int32), ends), (len(ids), words))
    counts.sum_duplicates()
    return TfidfTransformer(sublinear_tf=True).fit_transform(counts)


def _principal_axes(products: Float32s, size: int) -> Float32s:
    """(W, D) eigenvectors of the largest eigenvalues, the largest first, the largest number of each positive."""
    from scipy.linalg import eigh

    words = len(products)
    axes: Float32s = eigh(products, subset_by_index=[max(words - size, 0), words - 1])[1][:, ::-1]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0, keepdims=True), axis=0)  # (1, D)
    return axes * np.where(largest < 0, np.float32(-1), np.float32(1))
