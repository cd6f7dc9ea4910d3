"""Whole texts as numbers, learned from unlabeled ones: tf-idf of words and word pairs, and their latent directions.

A text of ten thousand possible words and pairs says more than a few hundred labels can teach. Latent semantic analysis
(Deerwester et al. 1990) finds the few hundred directions in which the texts differ most. Here every direction is
weighted by the spread of the texts along it, so that a regression with a penalty on its weights believes in the main
directions first, and in a small one only if many labels ask for it.

The features see the whole text, however much of it the network reads. They are computed once for a corpus.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.text.cache import kept
from lit_al.typing import Float32s, Rows

MOST: Final = 200_000  # words and pairs, the most frequent
DIRECTIONS: Final = 600
RAREST: Final = 5  # texts that a word or pair must stand in; in a small corpus few do
FORMAT: Final = "2"  # part of the cached file's name: raise it when the same texts give other features


@dataclass(frozen=True)
class Features:
    """N texts in two views.

    Attributes:
        words: (N, F) float32 tf-idf of words and pairs, sparse rows of length 1, or 0 for a text of unknown words.
        directions: (N, D) float32 latent directions, rows of length 1 or 0.
        order: (N,) int64 rows in the order in which a product of many at once takes them (`Corpus.order`): where a row
            stands in it decides how its last bit is rounded.
    """

    words: Any  # scipy.sparse.csr_matrix
    directions: Float32s
    order: Rows


def text_features(corpus: Corpus, rows: Rows) -> Features:
    """Features of every text of a corpus, shaped by these rows alone.

    Args:
        corpus: N texts; no label is read.
        rows: (n,) int64 texts that the words, their rarity and the directions are learned from, in any order.

    Raises:
        ConfigError: texts without a single word.
    """
    from scipy.sparse import csr_matrix

    ours = corpus.in_order(rows)
    settings = {"features": FORMAT, "most": MOST, "directions": DIRECTIONS, "rarest": RAREST}
    found = kept({**settings, "corpus": corpus.fingerprint, "rows": ours}, len(corpus), lambda: _compute(corpus, ours))
    shape = len(corpus), int(found["width"])
    words = csr_matrix((found["data"], found["indices"], found["indptr"]), shape)
    return Features(words, found["directions"], corpus.order)


def _compute(corpus: Corpus, ours: Rows) -> dict[str, npt.NDArray[Any]]:
    from sklearn.decomposition import TruncatedSVD

    words = _words(corpus, ours)  # (N, F)
    most = min(DIRECTIONS, words.shape[1] - 1, len(ours) - 1)
    directions = np.zeros((len(corpus), max(most, 1)), np.float32)
    if most > 0:
        projected = TruncatedSVD(most, n_iter=3, random_state=0).fit(words[ours]).transform(words)  # (N, D)
        weighted = projected * projected[ours].std(axis=0)
        directions = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-12)
    parts = {"data": words.data, "indices": words.indices, "indptr": words.indptr, "width": np.array(words.shape[1])}
    return {**parts, "directions": directions.astype(np.float32)}


def _words(corpus: Corpus, ours: Rows) -> Any:
    """(N, F) tf-idf; words, pairs and their rarity are those of `ours`."""
    from scipy.sparse import vstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    rarest = min(RAREST, max(1, len(ours) // 100))
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), min_df=rarest, max_features=MOST, sublinear_tf=True, dtype=np.float32
    )
    others = np.setdiff1d(np.arange(len(corpus)), ours)
    try:
        learned = vectorizer.fit_transform(corpus.texts[row] for row in ours)
    except ValueError:
        raise ConfigError(
            "the texts have no words in common, so that a teacher has nothing to go by; leave it out, as in "
            "--recipe scratch (of train.py) or in the row scratch/random of a benchmark"
        ) from None
    both = [learned, vectorizer.transform(corpus.texts[row] for row in others)] if len(others) else [learned]
    order = np.argsort(np.concatenate([ours, others]))  # back to the order of the corpus
    return vstack(both, format="csr")[order]
