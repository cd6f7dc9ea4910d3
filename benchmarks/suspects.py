"""Planted label errors: how many are among the first suspects, by each way of ranking the same predictions.

    python benchmarks/suspects.py --data ../shared/data/others/trec.csv ../shared/data/others/subj.csv demo

Of each corpus 600 labels are drawn, and one in twenty of them is made another class, drawn at random. A model of the
other folds predicts each (`lit-al suspects`), and the labels are ranked four ways: by the odds of the label against the
best other class, which is what `suspects` does, by the label's probability alone, by its difference from that of the
best other class, and so with the suspects of the confident joint first (`lit_al.experiment.confident`). With two
classes the first three are the same order. What a corpus has of errors of its own counts against all alike; the made-up
reviews of `demo`, which have some on purpose, come without them here.

Corpora, and the columns of their files, are found as `benchmarks/zoo.py` finds them.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from zoo import columns, corpora

from lit_al.data import IMDB_CLASSES, Corpus, load_corpus
from lit_al.data.demo import Knobs, generate
from lit_al.experiment import confident
from lit_al.experiment.learning import Learner
from lit_al.typing import UNLABELED, Float64s, Floats, Ints
from lit_al.utils.silence import quiet


def own(probabilities: Floats, labels: Ints) -> Float64s:
    """(n,) probability of the label: self-confidence."""
    found: Float64s = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return found


def margin(probabilities: Floats, labels: Ints) -> Float64s:
    """(n,) probability of the label less that of the most probable other class."""
    others = probabilities.astype(np.float64)
    others[np.arange(len(labels)), labels] = -np.inf
    found: Float64s = own(probabilities, labels) - others.max(axis=1)
    return found


def joint_first(probabilities: Floats, labels: Ints) -> Float64s:
    """(n,) margin, those of the confident joint's suspects below all others."""
    return margin(probabilities, labels) - 2.0 * confident.suspects(probabilities, labels)


SCORES: Final[dict[str, Callable[[Floats, Ints], Float64s]]] = {  # the lower, the likelier wrong
    "odds": confident.log_odds,
    "own probability": own,
    "margin": margin,
    "joint, margin": joint_first,
}


@dataclass(frozen=True)
class Cell:
    """A corpus and a seed.

    Attributes:
        corpus: name of it.
        accuracy: of the out-of-fold predictions, by the true labels.
        found: planted errors among the first suspects, as a share, by ranking.
        named: labels off the diagonal of the confident joint.
    """

    corpus: str
    accuracy: float
    found: dict[str, float]
    named: int


def texts_of(data: str) -> Corpus:
    """A corpus, labels as they are meant."""
    if Path(data).name != "demo":
        return load_corpus(data=data, **columns(data))
    texts, labels = generate(3_000, knobs=Knobs(label_noise=0.0))
    return Corpus(texts, labels, IMDB_CLASSES, "demo, without wrong labels", is_demo=True)


def planted(truth: Ints, classes: int, errors: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Labels (n,) of which some are another class, and the places (errors,) of those."""
    places = rng.permutation(len(truth))[:errors]
    labels = truth.copy()
    labels[places] = (labels[places] + rng.integers(1, classes, errors)) % classes
    return labels, places


def cell(name: str, corpus: Corpus, seed: int, asked: argparse.Namespace) -> Cell:
    """Plant, learn once, rank every way."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(np.flatnonzero(corpus.labels != UNLABELED))[: asked.texts]
    truth = corpus.labels[rows][: asked.labels]
    labels, places = planted(truth, len(corpus.classes), round(asked.errors * len(truth)), rng)
    learner = Learner([corpus.texts[row] for row in rows], corpus.classes, {"seed": seed})
    validated = learner.learn(np.arange(len(labels)), labels, number=1, folds=5).run.validated
    assert validated is not None  # there are folds
    said = validated.probabilities[np.argsort(validated.rows)]  # (n, C)
    found = {
        ranking: float(np.isin(places, np.argsort(score(said, labels), kind="stable")[: asked.first]).mean())
        for ranking, score in SCORES.items()
    }
    accuracy = float((said.argmax(axis=1) == truth).mean())
    return Cell(name, accuracy, found, int(confident.suspects(said, labels).sum()))


def table(cells: list[Cell]) -> Iterator[str]:
    """Markdown: a row for each corpus, means over its seeds."""
    yield f"| corpus | seeds | out-of-fold accuracy | {' | '.join(SCORES)} | named by the joint |"
    yield "|---|---|---|" + "---|" * (len(SCORES) + 1)
    for name in dict.fromkeys(one.corpus for one in cells):
        own = [one for one in cells if one.corpus == name]
        shown = " | ".join(f"{np.mean([one.found[ranking] for one in own]):.0%}" for ranking in SCORES)
        accuracy, named = (np.mean([getattr(one, what) for one in own]) for what in ("accuracy", "named"))
        yield f"| {name} | {len(own)} | {accuracy:.3f} | {shown} | {named:.0f} |"


def main() -> None:
    """Plant, rank, print the table after each cell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", nargs="+", default=["demo"], help="Folders of files, files, or names as imdb.")
    parser.add_argument("--texts", type=int, default=2_000, help="That the model knows.")
    parser.add_argument("--labels", type=int, default=600, help="Of them, drawn at random.")
    parser.add_argument("--errors", type=float, default=0.05, help="Share of the labels that is made wrong.")
    parser.add_argument("--first", type=int, default=60, help="Suspects that are looked at.")
    parser.add_argument("--seeds", type=int, default=3, help="Draws of texts, labels and errors.")
    asked = parser.parse_args()
    quiet()
    cells: list[Cell] = []
    for seed in range(asked.seeds):
        for name, data in corpora(asked.data):
            cells.append(cell(name, texts_of(data), seed, asked))
            print(cells[-1], flush=True)
    print("\n".join(table(cells)))


if __name__ == "__main__":
    main()
