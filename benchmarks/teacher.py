"""What each view brings the teacher, alone and left out; what classes' weights, neighbors and self-training would.

    python benchmarks/teacher.py --data ../shared/data/others/trec.csv ../shared/data/others/subj.csv demo

Judged on the validation part of each corpus, which is what settings are chosen on; features come from the pool alone.
A variant is the teacher with something changed:

| variant | what |
|---|---|
| all | as it is |
| only … | one view |
| without … | all but one view |
| none | each label weighs the same (`--class-weight none`) |
| neighbors | one view more: votes of the ten nearest labels in the latent directions |
| self-training | all views learn again from the labels and the surest fifth of the pool, which weighs a third |
"""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from lit_al.data import Corpus, load_corpus
from lit_al.data.split import shuffled, stratified_split, without
from lit_al.text.tfidf import Features, View, text_features
from lit_al.training.recipe import ClassWeight
from lit_al.training.teacher import FOLDS, stacking_weights, teach
from lit_al.typing import Float64s, Ints, Rows

BUDGETS: Final = (100, 250, 1_000)
NEIGHBORS: Final = 10
SURE, WORTH = 0.2, 3  # share of the pool that is taken for labeled, and how many of them weigh as much as a label


def variants(features: Features, rows: Rows, answers: Ints, classes: int, pool: Rows) -> Iterator[tuple[str, Float64s]]:
    """Logits (N, C) of each variant."""

    def taught(views: tuple[View, ...], weight: ClassWeight = "balanced") -> Float64s:
        of = Features(views, features.order)
        return teach(of, rows, answers, classes, 0, weight).logits

    everything = taught(features.views)
    yield "all", everything
    for view in features.views:
        yield f"only {view.name}", taught((view,))
        rest = tuple(other for other in features.views if other is not view)
        if rest:
            yield f"without {view.name}", taught(rest)
    yield "none", taught(features.views, "none")
    yield "neighbors", with_neighbors(features, rows, answers, classes)
    yield "self-training", self_trained(features, rows, answers, classes, everything, pool)


def votes(vectors: Float64s, rows: Rows, answers: Ints, asked: Rows, classes: int) -> Float64s:
    """(m, C) log of the votes of the nearest labels, weighted by their squared likeness, smoothed."""
    likeness = vectors[asked] @ vectors[rows].T  # (m, n)
    many = min(NEIGHBORS, len(rows))
    nearest = np.argpartition(-likeness, many - 1, axis=1)[:, :many]
    weight = np.maximum(np.take_along_axis(likeness, nearest, axis=1), 0) ** 2
    counted = np.zeros((len(asked), classes))
    for place in range(many):
        np.add.at(counted, (np.arange(len(asked)), answers[nearest[:, place]]), weight[:, place])
    return np.log(counted + 0.05 * np.maximum(weight.sum(axis=1, keepdims=True), 1e-3) / classes + 1e-4)


def with_neighbors(features: Features, rows: Rows, answers: Ints, classes: int) -> Float64s:
    """The teacher's sum and the votes, stacked by held-out labels."""
    whole = teach(features, rows, answers, classes, 0)
    vectors = features.directions.astype(np.float64)
    folds = np.random.default_rng(0).permutation(len(rows)) % min(FOLDS, len(rows))
    held_out = np.zeros((len(rows), classes))
    for fold in range(folds.max() + 1):
        out = folds == fold
        held_out[out] = votes(vectors, rows[~out], answers[~out], rows[out], classes)
    both = np.stack([whole.held_out, held_out])
    weights = stacking_weights(both, answers, np.array([1.0, 0.3]))
    every = votes(vectors, rows, answers, np.arange(len(vectors)), classes)
    return weights[0] * whole.logits + weights[1] * every


def self_trained(features: Features, rows: Rows, answers: Ints, classes: int, logits: Float64s, pool: Rows) -> Float64s:
    """All views once more, labels thrice beside the surest answers of the pool."""
    free = without(pool, rows)
    called, ordered = logits[free].argmax(axis=1), np.sort(logits[free], axis=1)
    sure = np.argsort(ordered[:, -2] - ordered[:, -1], kind="stable")[: int(SURE * len(free))]
    more = np.concatenate([np.repeat(rows, WORTH), free[sure]])
    again = teach(features, more, np.concatenate([np.repeat(answers, WORTH), called[sure]]), classes, 0)
    return again.logits


def measured(corpus: Corpus, budgets: tuple[int, ...], seeds: int) -> dict[str, dict[int, list[float]]]:
    """Accuracy on the validation part, by variant and budget."""
    split = stratified_split(corpus, seed=0)
    pool = without(shuffled(corpus, 0), split.test, split.validation)
    pool = pool[corpus.labels[pool] >= 0]
    features, found = text_features(corpus, pool), dict[str, dict[int, list[float]]]()
    for labels in budgets:
        for seed in range(seeds):
            rows = np.random.default_rng(seed).permutation(pool)[:labels]
            for name, logits in variants(features, rows, corpus.labels[rows], len(corpus.classes), pool):
                right = float((logits[split.validation].argmax(axis=1) == corpus.labels[split.validation]).mean())
                found.setdefault(name, {}).setdefault(labels, []).append(right)
    return found


def main() -> None:
    """Measure and print a table for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", nargs="+", default=["demo"], help="As of train.py, each a corpus.")
    parser.add_argument("--label-column", default=None, help="Of CSV files whose label column has no usual name.")
    parser.add_argument("--demo-rows", type=int, default=6_000, help="Reviews to generate.")
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    for data in asked.data:
        corpus = load_corpus(data, demo_rows=asked.demo_rows, label_column=asked.label_column)
        print(f"\n| {Path(data).stem} | {' | '.join(f'{labels:,}' for labels in asked.budgets)} |")
        print("|---|" + "---|" * len(asked.budgets))
        for name, by_budget in measured(corpus, tuple(asked.budgets), asked.seeds).items():
            print(
                f"| {name} | " + " | ".join(f"{np.mean(scores):.3f}" for scores in by_budget.values()) + " |",
                flush=True,
            )


if __name__ == "__main__":
    main()
