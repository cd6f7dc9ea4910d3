"""`LinearTraining`: what a user would take instead of a network, logistic regression on the whole text (scikit-learn).

| name | features | regression |
|---|---|---|
| `tfidf-lr` | tf-idf of single words, at least five texts each, 30,000 at most | C = 10 |
| `lsa-lr` | the same, projected on 300 directions (latent semantic analysis) | C = 10, classes weighted to balance |
| `chars-lr` | tf-idf of one to five characters in a row within words, 100,000 at most | C = 10 |
| `encoder-lr` | vectors from outside: of a pretrained encoder, or of a file | C = 10 |

All but the last come from the pool's texts, which costs no label.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

import numpy as np

from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.loop.method import FitRecord, Seen
from lit_al.loop.state import LoopState
from lit_al.strategies import Labeled, Pool
from lit_al.training.regression import fitted_regression
from lit_al.training.steps import LabeledSet, fewest
from lit_al.typing import Float16s, Float32s, Float64s, Floats, Rows

DIRECTIONS = 300
CHARACTERS: Final = 100_000  # sequences of them, the most frequent
FEATURES: Final = {"tfidf-lr": "words", "lsa-lr": "directions", "chars-lr": "characters", "encoder-lr": "vectors"}
BALANCED: Final = "lsa-lr"
SEEN = ("probabilities", "classes")  # that a linear model can tell a strategy


class LinearFeatures:
    """Features of every text, learned from some and computed once for all methods.

    Args:
        corpus: N texts; no label is read.
        pool: (n,) int64 rows that the features are learned from.
        embeddings: (N, D) float16 vectors from outside, for `encoder-lr`.
    """

    def __init__(self, corpus: Corpus, pool: Rows, embeddings: Float16s | None = None) -> None:
        self.corpus, self.pool, self.embeddings = corpus, pool, embeddings

    @cached_property
    def words(self) -> Any:
        """(N, F) float64 sparse, tf-idf of single words."""
        return self._tfidf(max_features=30_000)

    @cached_property
    def characters(self) -> Any:
        """(N, F) float32 sparse, tf-idf of characters in a row, in texts of any script, with spaces or without."""
        return self._tfidf(analyzer="char_wb", ngram_range=(1, 5), max_features=CHARACTERS, dtype=np.float32)

    def _tfidf(self, **options: Any) -> Any:
        """(N, F) sparse, with the rarity of the pool's texts.

        Raises:
            ConfigError: the texts have not one term.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        rarest = min(5, max(1, len(self.pool) // 100))  # in a small corpus few words stand in five texts
        for least in (rarest, 1):  # nor do they where there are no spaces, and a word is a clause
            vectorizer = TfidfVectorizer(min_df=least, sublinear_tf=True, **options)
            with suppress(ValueError):  # no term is left
                vectorizer.fit(self.corpus.texts[row] for row in self.pool)
                return vectorizer.transform(self.corpus.texts)
        raise ConfigError("the texts hold no words that tfidf-lr and lsa-lr could go by; leave these rows out")

    @cached_property
    def vectors(self) -> Float32s:
        """(N, D) float32, those from outside."""
        if self.embeddings is None:
            raise ConfigError("encoder-lr needs vectors from outside; pass embeddings= to LinearFeatures")
        return self.embeddings.astype(np.float32)

    @cached_property
    def directions(self) -> Float64s:
        """(N, D) float64, the main latent directions of the words, rows of length 1."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.preprocessing import normalize

        found = TruncatedSVD(min(DIRECTIONS, self.words.shape[1] - 1), random_state=0).fit(self.words[self.pool])
        directions: Float64s = normalize(found.transform(self.words))
        return directions


class LinearTraining:
    """A regression for each seed, fitted anew in each round.

    Args:
        features: of every text.
        classes: C.
        name: of the table above.
    """

    def __init__(self, features: LinearFeatures, classes: int, name: str) -> None:
        self.features, self.classes, self.name = features, classes, name
        self._probabilities = np.empty((0, 0, classes))  # (M, N, C) of all texts, by the newest models

    @property
    def guard(self) -> bool:
        """A strategy chooses whatever the model answers."""
        return False

    @property
    def record(self) -> FitRecord:
        """A regression has no steps to look at."""
        return FitRecord()

    @property
    def validation(self) -> None:
        """Nothing is held out."""

    def begin(self, seeds: Sequence[int], rounds: int) -> None:
        """There is nothing to make ready."""

    def fit(self, number: int, states: Sequence[LoopState]) -> None:
        """Fit each seed's regression to its labels.

        Raises:
            FitError: a seed without a label.
        """
        fewest([LabeledSet(state.labeled, state.answers) for state in states])
        self._probabilities = np.stack([self._fitted(state) for state in states])

    def validate(self, number: int, states: Sequence[LoopState]) -> None:
        """Nothing is held out."""

    def look(
        self,
        number: int,
        states: Sequence[LoopState],
        candidates: Sequence[Rows],
        needs: Collection[str],
        needs_labeled: Collection[str],
    ) -> list[Seen]:
        """The probabilities of each seed's candidates; there is nothing else that such a model could tell."""
        found = []
        for state, rows, probabilities in zip(states, candidates, self._probabilities, strict=True):
            own = probabilities[rows].astype(np.float32)
            columns = {"classes": own.argmax(axis=1)} if "classes" in needs else {}
            pool = Pool(rows, probabilities=own, **columns)
            found.append(Seen(pool, Labeled(state.labeled, labels=state.answers), own))
        return found

    def score(self, rows: Rows) -> Floats:
        """(M, n, C) float64."""
        each = rows if rows.ndim == 2 else np.broadcast_to(rows, (len(self._probabilities), len(rows)))  # (M, n)
        return np.stack([one[own] for one, own in zip(self._probabilities, each, strict=True)])

    def state_dict(self) -> dict[str, Any]:
        """A regression is its labels."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any], number: int, states: Sequence[LoopState]) -> None:
        """Fit again."""
        if number >= 0:
            self.fit(number, states)

    def _fitted(self, state: LoopState) -> Float64s:
        """Probability of each class for every text, (N, C); a class without a label has none."""
        x = getattr(self.features, FEATURES[self.name])  # (N, F)
        probabilities = np.zeros((x.shape[0], self.classes))
        seen = np.unique(state.answers)
        if len(seen) == 1:  # there is nothing to regress on
            probabilities[:, seen[0]] = 1.0
            return probabilities
        model = fitted_regression(x[state.labeled], state.answers, strength=10.0, balanced=self.name == BALANCED)
        probabilities[:, seen] = model.predict_proba(x)
        return probabilities
