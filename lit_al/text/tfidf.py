"""Whole texts as numbers, learned from unlabeled ones: tf-idf of what they are made of, and its latent directions.

A text of ten thousand possible words and pairs says more than a few hundred labels can teach. Latent semantic analysis
(Deerwester et al. 1990) finds the few hundred directions in which the texts differ most. Here every direction is
weighted by the spread of the texts along it, so that a regression with a penalty on its weights believes in the main
directions first, and in a small one only if many labels ask for it.

| texts | made of |
|---|---|
| long | words and pairs of words |
| short | words, pairs and triples, the beginning of the text and the marks that end a sentence; pieces of words |

A short text has few words, so that each sign of it counts: how a question begins, a word's stem, a misspelled word.
Pieces of words are also what texts without spaces are made of. Of long texts they say nothing that words do not.

The features see the whole text, however much of it the network reads. They are computed once for a corpus.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.text.cache import kept
from lit_al.typing import Float32s, Rows

MOST: Final = 200_000  # terms of a kind, the most frequent
DIRECTIONS: Final = 600
SHORT: Final = 500  # characters: half of the texts have no more where texts are short
FORMAT: Final = "3"  # part of the cached file's name: raise it when the same texts give other features
BEGIN: Final = "^"  # a term that stands before the first word


@dataclass(frozen=True)
class Terms:
    """A kind of terms that texts are made of.

    Attributes:
        name: the view's.
        lengths: least and most neighbors that a term joins.
        rarest: texts that a term must stand in; in a small corpus few do.
        analyzer: scikit-learn's: `word`, or `char_wb` for pieces within words.
        pattern: what a word is.
        begins: the beginning of a text is a term, too.
    """

    name: str
    lengths: tuple[int, int]
    rarest: int
    analyzer: str = "word"
    pattern: str = r"(?u)\b\w\w+\b"
    begins: bool = False

    def vectorizer(self, texts: int, known: Mapping[str, int] | None = None) -> Any:
        """What counts the terms of so many texts, or terms that are known, by their columns."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            analyzer=self.analyzer,
            ngram_range=self.lengths,
            min_df=min(self.rarest, max(1, texts // 100)),
            max_features=MOST,
            vocabulary=known,
            sublinear_tf=True,
            token_pattern=self.pattern,
            preprocessor=_with_beginning if self.begins else None,
            dtype=np.float32,
        )


def _with_beginning(text: str) -> str:
    return f"{BEGIN} {text.lower()}"


WORDS: Final = Terms("words", (1, 2), rarest=5)
PHRASES: Final = Terms("words", (1, 3), rarest=2, pattern=rf"(?u)\{BEGIN}|\w+|[?!.]", begins=True)
PIECES: Final = Terms("pieces of words", (1, 5), rarest=5, analyzer="char_wb")
KINDS: Final = {"words": WORDS, "phrases": PHRASES, "pieces": PIECES}  # by the names that a checkpoint has for them


class Reader:
    """Reads new texts as the pool's were: terms, and their latent directions.

    Args:
        kind: of the terms.
        terms: F of them, in the order of their columns.
        rarity: (F,) float32 weight of each.
        axes: (F, D) float32 of the directions, each weighted by the spread of the texts along it.
    """

    def __init__(self, kind: Terms, terms: Sequence[str], rarity: Float32s, axes: Float32s) -> None:
        self.kind, self.terms, self.rarity, self.axes = kind, terms, rarity, axes

    @cached_property
    def _vectorizer(self) -> Any:
        vectorizer = self.kind.vectorizer(1, {term: place for place, term in enumerate(self.terms)})
        vectorizer.idf_ = self.rarity
        return vectorizer

    def read(self, texts: Sequence[str]) -> tuple[Any, Float32s]:
        """Both views of n texts: (n, F) sparse, and (n, D), float32, rows of length 1 or 0."""
        matrix = self._vectorizer.transform(texts)
        return matrix, _unit(matrix @ self.axes)


def readers_of(corpus: Corpus, rows: Rows) -> dict[str, Reader]:
    """What reads new texts as `text_features` with the same arguments has read these; learned once more, not kept."""
    ours, found = corpus.in_order(rows), {}
    kinds = _kinds_for(corpus, ours)
    for name, terms in KINDS.items():
        if terms in kinds and (fitted := _fitted(corpus, ours, terms)):
            vectorizer, matrix = fitted
            words = [str(term) for term in vectorizer.get_feature_names_out()]
            found[name] = Reader(terms, words, vectorizer.idf_.astype(np.float32), _axes(matrix))
    return found


@dataclass(frozen=True)
class View:
    """N texts in one way.

    Attributes:
        name: of it.
        matrix: (N, F) float32, rows of length 1, or 0 for a text of which it knows nothing; sparse tf-idf, or dense.
    """

    name: str
    matrix: Any  # scipy.sparse.csr_matrix, or an array

    @property
    def dense(self) -> bool:
        """A few hundred numbers of a text, each of which says something of every text."""
        return isinstance(self.matrix, np.ndarray)


@dataclass(frozen=True)
class Features:
    """N texts in several views.

    Attributes:
        views: latent directions first, then the terms that they are directions of.
        order: (N,) int64 rows in the order in which a product of many at once takes them (`Corpus.order`): where a row
            stands in it decides how its last bit is rounded.
    """

    views: tuple[View, ...]
    order: Rows

    @property
    def directions(self) -> Float32s:
        """(N, D) float32 of the first view, the latent directions of words."""
        directions: Float32s = self.views[0].matrix
        return directions

    def having(self, name: str, vectors: npt.NDArray[np.floating[Any]]) -> "Features":
        """The same with a view more, of vectors (N, D) that somebody else has made."""
        length = np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True)
        unit = vectors.astype(np.float32) / np.maximum(length, 1e-12)
        return Features((*self.views, View(name, unit)), self.order)


def are_short(texts: Iterable[str]) -> bool:
    """Have half of the texts no more than `SHORT` characters?

    >>> are_short(["Where is it?", "x" * 9_000, "Who was he?"])
    True
    """
    return bool(np.median([len(text) for text in texts]) <= SHORT)


def text_features(corpus: Corpus, rows: Rows) -> Features:
    """Features of every text of a corpus, shaped by these rows alone.

    Args:
        corpus: N texts; no label is read.
        rows: (n,) int64 texts that the terms, their rarity and the directions are learned from, in any order.

    Raises:
        ConfigError: texts that have nothing in common.
    """
    ours = corpus.in_order(rows)
    kinds = _kinds_for(corpus, ours)
    settings = {"features": FORMAT, "most": MOST, "directions": DIRECTIONS, "corpus": corpus.fingerprint, "rows": ours}
    views = []
    for terms in kinds:
        found = kept({**settings, "terms": repr(terms)}, len(corpus), _computed(corpus, ours, terms))
        if found["width"]:
            views += _views(terms, found, len(corpus))
    if not views:
        raise ConfigError(
            "the texts have no words in common, so that a teacher has nothing to go by; leave it out, as in "
            "--recipe scratch (of train.py) or in the row scratch/random of a benchmark"
        )
    return Features(tuple(views), corpus.order)


def _kinds_for(corpus: Corpus, ours: Rows) -> tuple[Terms, ...]:
    return (PHRASES, PIECES) if are_short(corpus.texts[row] for row in ours) else (WORDS,)


def _views(terms: Terms, found: Mapping[str, npt.NDArray[Any]], texts: int) -> list[View]:
    from scipy.sparse import csr_matrix

    matrix = csr_matrix((found["data"], found["indices"], found["indptr"]), (texts, int(found["width"])))
    return [View(f"directions of {terms.name}", found["directions"]), View(terms.name, matrix)]


def _computed(corpus: Corpus, ours: Rows, terms: Terms) -> Callable[[], dict[str, npt.NDArray[Any]]]:
    return lambda: _compute(corpus, ours, terms)


def _compute(corpus: Corpus, ours: Rows, terms: Terms) -> dict[str, npt.NDArray[Any]]:
    """The parts of both views; a width of 0 where the texts have no such term in common."""
    matrix = _counted(corpus, ours, terms)  # (N, F)
    if matrix is None:
        return {"width": np.array(0)}
    directions = _unit(matrix @ _axes(matrix[ours]))  # (N, D)
    parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
    return {**parts, "width": np.array(matrix.shape[1]), "directions": directions}


def _axes(learned: Any) -> Float32s:
    """(F, D) float32 main directions of sparse texts (n, F), each weighted by the spread of the texts along it."""
    from sklearn.decomposition import TruncatedSVD

    most = min(DIRECTIONS, learned.shape[1] - 1, learned.shape[0] - 1)
    if most < 1:
        return np.zeros((learned.shape[1], 1), np.float32)
    axes = TruncatedSVD(most, n_iter=3, random_state=0).fit(learned).components_.T  # (F, D)
    weighted: Float32s = (axes * (learned @ axes).std(axis=0)).astype(np.float32)
    return weighted


def _unit(vectors: Float32s) -> Float32s:
    """Rows of length 1, or 0."""
    unit: Float32s = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit.astype(np.float32)


def _fitted(corpus: Corpus, ours: Rows, terms: Terms) -> tuple[Any, Any] | None:
    """The vectorizer that has learned from texts (n,), and what it has read, (n, F); None without a term."""
    vectorizer = terms.vectorizer(len(ours))
    try:
        return vectorizer, vectorizer.fit_transform(corpus.texts[row] for row in ours)
    except ValueError:  # an empty vocabulary
        return None


def _counted(corpus: Corpus, ours: Rows, terms: Terms) -> Any | None:
    """(N, F) tf-idf; terms and their rarity are those of `ours`."""
    from scipy.sparse import vstack

    fitted = _fitted(corpus, ours, terms)
    if fitted is None:
        return None
    vectorizer, learned = fitted
    others = np.setdiff1d(np.arange(len(corpus)), ours)
    both = [learned, vectorizer.transform(corpus.texts[row] for row in others)] if len(others) else [learned]
    order = np.argsort(np.concatenate([ours, others]))  # back to the order of the corpus
    return vstack(both, format="csr")[order]
