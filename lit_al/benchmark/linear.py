"""What a user would take instead: logistic regression on the whole text, with random or margin picks (scikit-learn).

| name | features | regression |
|---|---|---|
| `tfidf-lr` | tf-idf of single words, at least five texts each, 30,000 at most | C = 10 |
| `lsa-lr` | the same, projected on 300 directions (latent semantic analysis) | C = 10, classes weighted to balance |

Features come from the pool's texts, which costs no label. `:margin` picks the texts with the smallest margin instead of
random ones. The first labels of a seed are those of the network's runs under that seed.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lit_al.benchmark.judging import accuracy_and_loss, counts
from lit_al.benchmark.methods import RANDOM, Method
from lit_al.benchmark.results_table import Result
from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.loop.state import LoopState
from lit_al.oracles import Oracle, SimulatedOracle
from lit_al.strategies import Context, Pool, choose, make_strategy
from lit_al.typing import Float64s, Rows

DIRECTIONS = 300


def check_baseline(row: Method) -> None:
    """Refuse a row that is none of the above.

    Raises:
        ConfigError: no such way to pick.
    """
    if row.picks not in (RANDOM, "margin"):
        name = row.how.name
        raise ConfigError(f"{row.spelling!r} is no baseline: they pick at random or by margin, as in {name}:margin")


class Linear:
    """Features of a corpus, computed once, and the cells of every baseline on them.

    Args:
        corpus: N texts.
        pool: rows that may be labeled; the features are learned from them.
        judged: rows that judge.
        oracle: answers for the pool; the corpus's own labels if not given.
    """

    def __init__(self, corpus: Corpus, pool: Rows, judged: Rows, oracle: Oracle | None = None) -> None:
        self.corpus, self.pool, self.judged = corpus, pool, judged
        self.oracle = oracle or SimulatedOracle(corpus.labels)
        self._matrices: dict[str, Any] = {}

    def cells(self, row: Method, seed: int, budgets: Sequence[int]) -> Iterator[Result]:
        """Every budget of a seed, one after the other."""
        x = self._features(row.how.name)
        run, seconds = LoopState(seed, make_strategy(row.picks), self.pool), (0.0, 0.0)
        probabilities: Float64s | None = None  # of all rows, by the last model
        for number, budget in enumerate(budgets):
            if number == 0:
                self._take(run, make_strategy(RANDOM), Pool(run.pool), budget, number)
            else:
                began = time.perf_counter()
                assert probabilities is not None  # a model was fitted before
                pool = Pool(run.pool, probabilities=probabilities[run.pool].astype(np.float32))
                scored = time.perf_counter()
                self._take(run, run.strategy, pool, budget, number)
                seconds = scored - began, time.perf_counter() - scored
            began = time.perf_counter()
            probabilities = self._fit(x, run, balanced=row.how.name == "lsa-lr")
            yield self._cell(row, number, run, probabilities, time.perf_counter() - began, *seconds)

    def _features(self, features: str) -> Any:
        """(N, D) features of every row, sparse for tf-idf."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import normalize

        if "tfidf-lr" not in self._matrices:
            rarest = min(5, max(1, len(self.pool) // 100))  # in a small corpus few words stand in five texts
            vectorizer = TfidfVectorizer(min_df=rarest, sublinear_tf=True, max_features=30_000)
            vectorizer.fit(self.corpus.texts[row] for row in self.pool)
            self._matrices["tfidf-lr"] = vectorizer.transform(self.corpus.texts)
        if features not in self._matrices:
            words = self._matrices["tfidf-lr"]
            directions = TruncatedSVD(min(DIRECTIONS, words.shape[1] - 1), random_state=0).fit(words[self.pool])
            self._matrices[features] = normalize(directions.transform(words))
        return self._matrices[features]

    def _take(self, run: LoopState, strategy: Any, pool: Pool, budget: int, number: int) -> None:
        choice = choose(strategy, pool, budget - run.asked, Context(run.rng(number)))
        run.take(choice, self.oracle.ask(choice.rows))

    def _fit(self, x: Any, run: LoopState, *, balanced: bool) -> Float64s:
        """Probability of each class for every row, (N, C); a class without a label has none."""
        from sklearn.linear_model import LogisticRegression

        probabilities = np.zeros((len(self.corpus), len(self.corpus.classes)))
        seen = np.unique(run.answers)
        if len(seen) == 1:  # there is nothing to regress on
            probabilities[:, seen[0]] = 1.0
            return probabilities
        model = LogisticRegression(C=10, class_weight="balanced" if balanced else None, max_iter=1_000)
        probabilities[:, seen] = model.fit(x[run.labeled], run.answers).predict_proba(x)
        return probabilities

    def _cell(
        self, row: Method, number: int, run: LoopState, probabilities: Float64s, fit: float, score: float,
        select: float,
    ) -> Result:  # fmt: skip
        return Result(
            strategy=row.spelling,
            seed=run.seed,
            round=number,
            labels=len(run.labeled),
            labels_spent=run.asked,
            **accuracy_and_loss(probabilities[self.judged], self.corpus.labels[self.judged]),
            taken=counts(self.corpus.labels[run.choice.rows], len(self.corpus.classes))
            if number and run.choice
            else None,
            fit_seconds=fit,
            score_seconds=score,
            select_seconds=select,
        )
