"""`lit-al fit` on a few labels, beside what one would fit instead, on texts that neither has seen.

    python benchmarks/fit.py --data ../shared/data/others --classes 5

Of each corpus 3,000 texts are given, two thirds at most, 400 of them with their label; the rest, up to 2,000, judges.
`fit` is the command's own code, file in and folder out, with the figures it tells of itself: their interval should hold
the accuracy on the rest. The rivals learn the same labels, and the words of the same texts.

With `--classes` a corpus is cut down to its most frequent classes. Corpora, and the columns of their files, are found
as `benchmarks/zoo.py` finds them.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.progress import track
from zoo import columns, corpora

from lit_al.benchmark.inference import bootstrap
from lit_al.data import Corpus, load_corpus
from lit_al.experiment.final_fit import final_fit
from lit_al.experiment.fit_options import FitOptions
from lit_al.loop.state import LoopState
from lit_al.models.checkpoint import load_model
from lit_al.models.prediction import probabilities
from lit_al.strategies import make_strategy
from lit_al.training.linear_training import LinearFeatures, LinearTraining
from lit_al.typing import UNLABELED, Rows
from lit_al.utils.silence import quiet

RIVALS: Final = ("tfidf-lr", "lsa-lr", "chars-lr")
OUTSIDE: Final = 2_000  # texts that judge


@dataclass(frozen=True)
class Cell:
    """A corpus and a seed.

    Attributes:
        accuracy: of each row, on the texts outside.
        told: lower and upper end of what the fit says of itself.
        macro_f1: of the fit, as it says.
    """

    corpus: str
    accuracy: dict[str, float]
    told: tuple[float, float]
    macro_f1: float

    @property
    def covers(self) -> bool:
        """Whether what the fit says of itself holds."""
        return self.told[0] <= self.accuracy["fit"] <= self.told[1]


def largest(corpus: Corpus, classes: int | None) -> Rows:
    """Rows that have a label, of the most frequent classes."""
    rows = np.flatnonzero(corpus.labels != UNLABELED)
    if classes is None:
        return rows
    often = np.argsort(-np.bincount(corpus.labels[rows]), kind="stable")[:classes]
    return rows[np.isin(corpus.labels[rows], often)]


def written(corpus: Corpus, rows: Rows, labeled: Rows, path: Path) -> Path:
    """A file as a user has it: all texts, and the labels there are."""
    known = set(labeled.tolist())
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "label"])
        for row in rows.tolist():
            table.writerow([corpus.texts[row], corpus.classes[corpus.labels[row]] if row in known else ""])
    return path


def rivals(corpus: Corpus, rows: Rows, labeled: Rows, outside: Rows) -> Iterator[tuple[str, float]]:
    """Accuracy of each rival on the texts outside."""
    features = LinearFeatures(corpus, rows)
    for name in RIVALS:
        training = LinearTraining(features, len(corpus.classes), name)
        state = LoopState(0, make_strategy("random"), rows)
        state.labeled, state.answers = labeled, corpus.labels[labeled]
        training.fit(0, [state])
        yield name, float((training.score(outside)[0].argmax(axis=1) == corpus.labels[outside]).mean())


def cell(name: str, corpus: Corpus, known: Rows, seed: int, asked: argparse.Namespace) -> Cell:
    """Fit all of them once."""
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(known)
    given = min(asked.texts, len(known) * 2 // 3)
    rows, outside = drawn[:given], drawn[given:][:OUTSIDE]
    labeled = rows[: asked.labels]
    with tempfile.TemporaryDirectory() as folder:
        data = written(corpus, rng.permutation(rows), labeled, Path(folder, "texts.csv"))
        options = FitOptions(
            data=str(data), text_column="text", label_column="label", to=Path(folder, "model"), seed=seed,
        )  # fmt: skip
        with Path(folder, "said.txt").open("w") as said:
            told = final_fit(options, Console(file=said))["cross_validation"]
        model = load_model(Path(folder, "model", "checkpoints", "best.ckpt"))
    answers = np.concatenate(list(probabilities(model, [corpus.texts[row] for row in outside]))).argmax(axis=1)
    truth = np.array([corpus.classes[label] for label in corpus.labels[outside]])
    right = float((np.array(model.classes)[answers] == truth).mean())
    accuracy = {"fit": right, **dict(rivals(corpus, rows, labeled, outside))}
    return Cell(name, accuracy, (told["low"], told["high"]), told["macro_f1"])


def table(cells: list[Cell]) -> Iterator[str]:
    """Markdown: a row for each corpus."""
    yield f"| corpus | seeds | fit | {' | '.join(RIVALS)} | less the best of them, points | fit's own interval covers |"
    yield "|---|---|---|" + "---|" * (len(RIVALS) + 2)
    for name in dict.fromkeys(one.corpus for one in cells):
        own = [one for one in cells if one.corpus == name]
        means = {row: float(np.mean([one.accuracy[row] for one in own])) for row in own[0].accuracy}
        best = max(RIVALS, key=means.__getitem__)
        gain = bootstrap(np.array([one.accuracy["fit"] - one.accuracy[best] for one in own]))
        covered = sum(one.covers for one in own)
        low, middle, high = (100 * value for value in (gain.low, gain.estimate, gain.high))
        shown = " | ".join(f"{value:.3f}" for value in means.values())
        said = f"{middle:+.1f} ({low:+.1f} to {high:+.1f}), {best} | {covered} of {len(own)}"
        yield f"| {name} | {len(own)} | {shown} | {said} |"


def main() -> None:
    """Fit, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", nargs="+", default=["demo"], help="Folders of files, files, or names as imdb.")
    parser.add_argument("--texts", type=int, default=3_000, help="That the fit is given.")
    parser.add_argument("--labels", type=int, default=400, help="Of them, drawn at random.")
    parser.add_argument("--classes", type=int, help="The most frequent that stay; all by default.")
    parser.add_argument("--seeds", type=int, default=5, help="Draws of texts and labels.")
    asked = parser.parse_args()
    quiet()
    cells = list[Cell]()
    for name, data in corpora(asked.data):
        corpus = load_corpus(data, **columns(data))
        known = largest(corpus, asked.classes)
        cells += [cell(name, corpus, known, seed, asked) for seed in track(range(asked.seeds), name)]
    print("\n".join(table(cells)))


if __name__ == "__main__":
    main()
