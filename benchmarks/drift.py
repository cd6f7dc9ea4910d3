"""How often `lit-al drift` raises an alarm, with a shift and without one: the tables of docs/deploy.md.

    python benchmarks/drift.py --corpora FOLDER/trec.csv FOLDER/subj.csv demo

For each corpus a model is fitted on some of its texts. Of the others two sets are drawn again and again: a reference,
or the model's own, and texts of today, as they are or shifted. Each text is read once, as it is, with typos, or
from another corpus; a draw only picks rows, so that hundreds are quick. Beside our tests stands what needs the texts of
before: the classifier two-sample test (Lopez-Paz and Oquab 2017), logistic regression on tf-idf.
"""

import lit_al  # noqa: F401, I001  # before torch, so that torch's threads do not spin on the kernel's cores

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich import get_console
from rich.console import Console
from rich.table import Table
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from lit_al.data import Corpus, load_corpus
from lit_al.drift.reading import encoder_of, read
from lit_al.drift.model_reference import FILE, Reference
from lit_al.drift.shifts import shifts
from lit_al.drift.text_counts import TextCounts
from lit_al.exchange.table_files import table_file
from lit_al.experiment.final_fit import final_fit
from lit_al.experiment.fit_options import FitOptions
from lit_al.models.checkpoint import load_frozen

LEARNED, BEFORE, LEVEL = 2_000, 2_000, 0.05
QUESTIONS = ("class shares", "confidence", "unknown words", "text lengths", "words")
Rng = np.random.Generator


@dataclass(frozen=True)
class Texts:
    """Texts as a model reads them."""

    texts: Sequence[str]
    labels: Any  # (n,), -1 where the model does not know the class
    tokens: Any  # (n, T)
    said: Any  # (n, C)

    def take(self, rows: Any) -> "Texts":
        """Some of them."""
        return Texts([self.texts[row] for row in rows], self.labels[rows], self.tokens[rows], self.said[rows])

    def and_those(self, other: "Texts") -> "Texts":
        """Both."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in ("labels", "tokens", "said"))
        return Texts([*self.texts, *other.texts], *(np.concatenate(pair) for pair in pairs))

    @cached_property
    def counts(self) -> TextCounts:
        """As `lit-al drift` has them."""
        return TextCounts.of(self.tokens, self.said)

    @property
    def accuracy(self) -> float:
        """Share called right; a class that the model does not know is an error."""
        return float((self.said.argmax(axis=1) == self.labels).mean())


def main() -> None:
    """Fit, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", default=["demo"])
    parser.add_argument("--only", nargs="*", help="names of those to be judged; the others are mixed in alone")
    parser.add_argument("--reference", choices=("file", "own", "both"), default="both")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--today", type=int, default=500, help="texts of today")
    parser.add_argument("--no-classifier", action="store_true", help="leave the classifier two-sample test out")
    asked = parser.parse_args()
    corpora = {Path(name).stem: load_corpus(name, demo_rows=10_000) for name in asked.corpora}
    console = get_console()
    for name, corpus in corpora.items():
        if asked.only is not None and name not in asked.only:
            continue
        others = [other for other in corpora.values() if other is not corpus]
        with TemporaryDirectory() as folder:
            bench = Bench(name, corpus, others, Path(folder))
            for own in (False, True) if asked.reference == "both" else (asked.reference == "own",):
                console.print(bench.table(own, asked.draws, asked.today, not asked.no_classifier and not own))


class Bench:
    """One corpus, its model, and the rest of its texts, as they are and shifted.

    Args:
        name: of the corpus.
        corpus: all of it.
        others: corpora that texts are mixed in from.
        folder: for the model.
    """

    def __init__(self, name: str, corpus: Corpus, others: Sequence[Corpus], folder: Path) -> None:
        self.name = name
        order = np.random.default_rng(0).permutation(len(corpus))
        data = folder / "learned.csv"
        texts, labels = ([values[row] for row in order] for values in (corpus.texts, corpus.labels))
        with table_file(data, ["text", "label"], {"text": str, "label": str}, raw=True) as write:
            write([texts[:LEARNED], [corpus.classes[label] for label in labels[:LEARNED]]])
        options = FitOptions(data=str(data), to=folder / "model", text_column="text", label_column="label")
        final_fit(options, Console(quiet=True))
        self.model = load_frozen(folder / "model" / "checkpoints" / "best.ckpt")
        self.own = Reference.read(folder / "model" / FILE)
        place = {one: number for number, one in enumerate(self.model.classes)}
        known = np.array([place.get(corpus.classes[label], -1) for label in labels[LEARNED:]])
        self.rest = self.read(texts[LEARNED:], known)
        self.typos = {
            share: self.read([typos(text, share) for text in self.rest.texts], known) for share in (0.05, 0.2)
        }
        self.others = {
            other.source: self.read(other.texts[:4_000], np.full(min(4_000, len(other)), -1)) for other in others
        }

    def read(self, texts: Sequence[str], labels: Any) -> Texts:
        """By the model."""
        parts = list(read(self.model, texts))
        return Texts(texts, labels, *(np.concatenate(part) for part in zip(*parts, strict=True)))

    def scenarios(self) -> Iterator[tuple[str, Callable[[Texts, Any, Rng], Texts]]]:
        """Name, and what makes texts of today of untouched ones: those, their rows in `rest`, chance."""
        yield "no shift", lambda today, rows, rng: today
        for share in (0.02, 0.05, 0.1, 0.2):
            yield f"{share:.0%} of other corpora", lambda today, rows, rng, share=share: self.mixed(today, share, rng)
        yield "5% in another language", lambda today, rows, rng: self.mixed(today, 0.05, rng, foreign=True)
        yield "a class doubled", lambda today, rows, rng: self.doubled(today, rng)
        for share, texts in self.typos.items():
            yield f"typos in {share:.0%} of words", lambda today, rows, rng, texts=texts: texts.take(rows)

    def mixed(self, today: Texts, share: float, rng: Rng, foreign: bool = False) -> Texts:
        """Some of the texts are of another corpus, one of those there are; or of that with other letters."""
        others = list(self.others.values())
        other = others[rng.integers(len(others))]
        if foreign:
            other = max(others, key=lambda one: abs(latin(one.texts) - latin(self.rest.texts)))
        new = round(share * len(today.texts))
        kept = today.take(np.arange(new, len(today.texts)))
        return kept.and_those(other.take(rng.choice(len(other.texts), new, replace=False)))

    def doubled(self, today: Texts, rng: Rng) -> Texts:
        """The class whose share is nearest to a third at most, twice as frequent, in as many texts."""
        counts = np.bincount(self.rest.labels[self.rest.labels >= 0], minlength=len(self.model.classes))
        shares = counts / counts.sum()
        few = shares <= 0.35
        label = int(np.argmax(np.where(few, shares, -1))) if few.any() else int(shares.argmin())
        weights = np.where(today.labels == label, 2.0, (1 - 2 * shares[label]) / (1 - shares[label]))
        weights = np.maximum(weights, 0.01)
        return today.take(rng.choice(len(today.texts), len(today.texts), p=weights / weights.sum()))

    def table(self, own: bool, draws: int, today: int, classifier: bool) -> Table:
        """Rates of alarms, by question and in all, and how far off the guesses are."""
        held = "its own reference" if own else f"{BEFORE:,} texts of before"
        table = Table(title=f"{self.name}: {today:,} texts against {held}, {draws} draws", title_justify="left")
        for column in ("", "alarm", *QUESTIONS, "C2ST", "accuracy", "DoC off by", "ATC", "confidence"):
            table.add_column(column, justify="right")
        for name, shift in self.scenarios():
            if "other" in name and not self.others:
                continue
            table.add_row(name, *self.row(own, draws, today, shift, classifier))
        return table

    def row(self, own: bool, draws: int, today: int, shift: Callable[..., Texts], classifier: bool) -> list[str]:
        """The cells of a scenario."""
        alarms, learned, off = [], [], []
        for seed in range(draws):
            rng = np.random.default_rng(seed)
            rows = rng.permutation(len(self.rest.texts))
            before = self.rest.take(rows[:BEFORE])
            texts = shift(self.rest.take(rows[BEFORE : BEFORE + today]), rows[BEFORE : BEFORE + today], rng)
            reference = self.own
            if not own:
                reference = Reference.of(before.counts, encoder_of(self.model), self.model.classes, "")
                reference = reference.knowing(before.said, before.labels)
            found = shifts(reference.counts, texts.counts)
            alarms.append([one.alarms(LEVEL, exact=reference.exact) for one in found])
            guess = reference.known and reference.known.guessed(texts.said)
            off.append([texts.accuracy, *((one - texts.accuracy) for one in (guess.doc, guess.atc, guess.confidence))])
            if classifier and seed < draws // 4:
                learned.append(classifier_test(before.texts, texts.texts, seed) < LEVEL)
        each, errors = np.array(alarms), np.array(off)
        rates = [f"{each.any(axis=1).mean():.2f}", *(f"{rate:.2f}" for rate in each.mean(axis=0))]
        guesses = [f"{errors[:, 0].mean():.3f}", *(f"{error:.3f}" for error in np.abs(errors[:, 1:]).mean(axis=0))]
        return [*rates, f"{np.mean(learned):.2f}" if learned else "–", *guesses]


def latin(texts: Sequence[str]) -> float:
    """Share of ASCII among the characters of the first texts."""
    whole = "".join(texts[:500])
    return sum(map(str.isascii, whole)) / len(whole)


def typos(text: str, share: float) -> str:
    """So large a share of the words of two letters or more with two neighboring letters swapped."""
    rng = np.random.default_rng(len(text) + sum(map(ord, text[:20])))
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 1 and rng.random() < share:
            at = int(rng.integers(len(word) - 1))
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def classifier_test(before: Sequence[str], now: Sequence[str], seed: int) -> float:
    """Which set is a text of? P that a classifier does no better than chance, on texts that it has not learned from."""
    rng = np.random.default_rng(seed)
    size = min(len(before), len(now))
    texts = np.array([*before[:size], *now[:size]], dtype=object)
    labels = np.repeat([0, 1], size)
    order = rng.permutation(2 * size)
    half = order[:size], order[size:]
    vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\w+|[^\w\s]")
    learned = LogisticRegression(C=10, max_iter=1_000).fit(vectorizer.fit_transform(texts[half[0]]), labels[half[0]])
    right = int((learned.predict(vectorizer.transform(texts[half[1]])) == labels[half[1]]).sum())
    return float(stats.binomtest(right, len(half[1]), 0.5, alternative="greater").pvalue)


if __name__ == "__main__":
    main()
