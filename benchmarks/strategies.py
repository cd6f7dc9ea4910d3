"""How fast batches are chosen, beside scikit-activeml and small-text (the extra `peers`).

    python benchmarks/strategies.py --quick --json strategies.json

The pool is made up: points around 50 centers in 64 dimensions, two classes, 100 rows labeled. Every figure is the time
of one query with features and probabilities at hand. Where a rival needs minutes for 1,000 of 100,000 rows, both are
timed on the smaller query in its line; the first lines give our time for the whole one.

`ratio` is the rival's seconds over ours. `same picks` counts the rows that both chose, where the method leaves nothing
to chance. `spread` is the mean distance of a pool row to the nearest chosen row, ours and theirs: lower covers better.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lit_al.strategies import Context, Labeled, Pool, choose, make_strategy
from lit_al.strategies.geometry import nearest

FEATURES, CENTERS, LABELED = 64, 50, 100
Picks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """A made-up round: the labeled rows come after the pool, so that positions in the pool are row ids."""

    points: npt.NDArray[np.float32]  # (n + 100, D)
    labels: npt.NDArray[np.int64]  # (n + 100,)
    probabilities: npt.NDArray[np.float32]  # (n + 100, 2)

    @property
    def rows(self) -> int:
        """Of the pool."""
        return len(self.points) - LABELED

    @property
    def pool(self) -> Pool:
        """As our strategies see it."""
        n = self.rows
        return Pool(np.arange(n), probabilities=self.probabilities[:n], embeddings=self.points[:n])

    @property
    def labeled(self) -> Labeled:
        """As our strategies see it."""
        n = self.rows
        return Labeled(np.arange(n, n + LABELED), embeddings=self.points[n:])


def make_data(rows: int, seed: int = 0) -> Data:
    """Points around centers, a class by one direction, and a logistic model that knows it roughly."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(CENTERS, FEATURES)) * 2
    points = (rng.normal(size=(rows + LABELED, FEATURES)) + centers[rng.integers(CENTERS, size=rows + LABELED)]).astype(
        np.float32
    )
    logits = points[:, 0] + 0.3 * points[:, 1]
    positive = 1 / (1 + np.exp(-logits))
    return Data(points, (points[:, 0] > 0).astype(np.int64), np.stack([1 - positive, positive], axis=1))


def ours(name: str) -> Callable[[Data, int], Picks]:
    """A query through the same door as in a run."""

    def query(data: Data, n: int) -> Picks:
        return choose(make_strategy(name), data.pool, n, Context(np.random.default_rng(0), data.labeled)).rows

    return query


def skactiveml_coreset(data: Data, n: int) -> Picks:
    """k_greedy_center of scikit-activeml from the same labeled rows."""
    from skactiveml.pool._core_set import k_greedy_center

    labels = np.full(len(data.points), np.nan)
    labels[data.rows :] = data.labels[data.rows :]
    picks, _ = k_greedy_center(data.points, labels, batch_size=n, random_state=0)
    return np.asarray(picks)


def smalltext_coreset(data: Data, n: int) -> Picks:
    """greedy_coreset of small-text from the same labeled rows."""
    from small_text.query_strategies.coresets import greedy_coreset

    unlabeled, labeled = np.arange(data.rows), np.arange(data.rows, len(data.points))
    return np.asarray(greedy_coreset(data.points, unlabeled, labeled, n, distance_metric="euclidean"))


def skactiveml_badge(data: Data, n: int) -> Picks:
    """Badge of scikit-activeml with a model that answers the same probabilities."""
    from skactiveml.base import SkactivemlClassifier
    from skactiveml.pool import Badge

    class Given(SkactivemlClassifier):
        """Answers what it was given."""

        def fit(self, X, y, sample_weight=None):
            return self

        def predict_proba(self, X):
            return data.probabilities[: len(X)]

    labels = np.full(len(data.points), np.nan)
    labels[data.rows :] = data.labels[data.rows :]
    picks = Badge(random_state=0).query(data.points, labels, Given(classes=[0, 1]), fit_clf=False, batch_size=n)
    return np.asarray(picks)


def smalltext_badge(data: Data, n: int) -> Picks:
    """BADGE of small-text; with two classes it clusters the embeddings alone, so only the time compares."""
    from small_text.integrations.pytorch.query_strategies import BADGE

    picks = BADGE(2).sample(
        None, None, np.arange(data.rows), None, None, n, data.points, embeddings_proba=data.probabilities
    )
    return np.asarray(picks)


def smalltext_kmeans(data: Data, n: int) -> Picks:
    """EmbeddingKMeans of small-text: scikit-learn's k-means, then the nearest rows."""
    from small_text.query_strategies.strategies import EmbeddingKMeans

    strategy = EmbeddingKMeans(normalize=False)
    return np.asarray(strategy.sample(None, None, np.arange(data.rows), None, None, n, data.points))


@dataclass(frozen=True)
class Duel:
    """One method, one rival, and the query that the rival can answer in a minute."""

    method: str
    rival: str
    package: str
    query: Callable[[Data, int], Picks]
    rows: int
    picks: int
    exact: bool = False  # nothing is left to chance


DUELS = [
    Duel("coreset", "scikit-activeml", "skactiveml", skactiveml_coreset, 100_000, 1_000, exact=True),
    Duel("coreset", "small-text", "small_text", smalltext_coreset, 20_000, 50, exact=True),
    Duel("badge", "scikit-activeml", "skactiveml", skactiveml_badge, 100_000, 1_000),
    Duel("badge", "small-text", "small_text", smalltext_badge, 100_000, 1_000),
    Duel("kmeans", "small-text", "small_text", smalltext_kmeans, 50_000, 500),
]
QUICK = (10_000, 50)


@dataclass
class Result:
    """A line of the table; None where there is nothing to compare."""

    method: str
    rows: int
    picks: int
    seconds: float
    rival: str | None = None
    rival_seconds: float | None = None
    ratio: float | None = None
    same_picks: int | None = None
    spread: float | None = None
    rival_spread: float | None = None


def timed(query: Callable[[Data, int], Picks], data: Data, n: int) -> tuple[float, Picks]:
    """Seconds of a query, and its picks; a small query before it takes imports and first calls."""
    query(make_data(500), 5)
    began = time.perf_counter()
    picks = query(data, n)
    return time.perf_counter() - began, picks


def spread(data: Data, picks: Picks) -> float:
    """Mean distance of a pool row to the nearest pick."""
    _, squared = nearest(data.points[: data.rows], data.points[picks])
    return float(np.sqrt(squared).mean())


def alone(method: str, rows: int, picks: int) -> Result:
    """Our time for the whole query."""
    seconds, _ = timed(ours(method), make_data(rows), picks)
    return Result(method, rows, picks, seconds)


def compare(duel: Duel, rows: int, picks: int) -> Result:
    """Both on the same query."""
    data = make_data(rows)
    seconds, mine = timed(ours(duel.method), data, picks)
    result = Result(duel.method, rows, picks, seconds, duel.rival, spread=spread(data, mine))
    if find_spec(duel.package) is None:
        return result
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the rival's own making
        try:
            result.rival_seconds, theirs = timed(duel.query, data, picks)
        except ImportError:  # small-text without torch
            return result
    result.ratio = result.rival_seconds / seconds
    result.rival_spread = spread(data, theirs)
    result.same_picks = len(np.intersect1d(mine, theirs)) if duel.exact else None
    return result


def show(result: Result) -> str:
    """A line of a Markdown table."""

    def cell(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    return (
        f"| {result.method} | {result.picks:,} of {result.rows:,} | {result.seconds:.2f} | {result.rival or ''} "
        f"| {cell(result.rival_seconds, '.2f')} | {cell(result.ratio, '.1f')} | {cell(result.same_picks, 'd')} "
        f"| {cell(result.spread, '.2f')} | {cell(result.rival_spread, '.2f')} |"
    )


def main() -> None:
    """Run and print as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="50 of 10,000 rows everywhere: seconds in all")
    parser.add_argument("--method", choices=["coreset", "badge", "kmeans"], help="this one alone")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    methods = [options.method] if options.method else ["coreset", "badge", "kmeans"]
    print("| method | query | lit_al, s | rival | rival, s | ratio | same picks | spread | rival's |")
    print("|---|---|---|---|---|---|---|---|---|")
    results = []
    if not options.quick:
        for method in methods:
            results.append(alone(method, 100_000, 1_000))
            print(show(results[-1]), flush=True)
    for duel in DUELS:
        if duel.method in methods:
            results.append(compare(duel, *(QUICK if options.quick else (duel.rows, duel.picks))))
            print(show(results[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
