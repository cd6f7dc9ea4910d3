"""How a model is judged: errors by class, accuracy with its interval, precision, recall and F1, loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, Self

import numpy as np

from lit_al.typing import Float64s, Floats, Ints
from lit_al.utils.intervals import standard_error, wilson

COLLAPSED = 0.95  # a batch with a larger share of one class says that the model knew only that class
RARE: Final = 10  # a class with fewer judged rows is too rare to be judged: its recall moves by 10 points with one row
DRAWS: Final = 1_000  # of a posterior, for quantiles that move by less than their third digit
UNEVEN: Final = 1.5  # times as many rows as the smallest class has: more, and accuracy hides the small one

Metric = Literal["accuracy", "macro-f1"]
METRIC_WORDS: Final[dict[Metric, str]] = {"accuracy": "accuracy", "macro-f1": "macro-F1"}  # as reports print them


@dataclass(frozen=True)
class Confusion:
    """Which class was taken for which.

    Attributes:
        matrix: (C, C) int64; row: true class, column: predicted class.

    >>> two = Confusion(np.array([[90, 10], [30, 70]]))
    >>> two.false_negatives, two.false_positives, two.accuracy
    (30, 10, 0.8)
    """

    matrix: Ints

    @property
    def rows(self) -> int:
        """N, how many rows were judged."""
        return int(self.matrix.sum())

    @property
    def accuracy(self) -> float:
        """Share of the rows whose class was found."""
        return float(np.trace(self.matrix) / self.matrix.sum())

    @property
    def standard_error(self) -> float:
        """Of the accuracy, as of a share of N independent rows: differences below two of it are noise; never 0."""
        return standard_error(self.accuracy, self.rows)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy, as of a share of N independent rows."""
        return wilson(self.accuracy, self.rows)

    @property
    def support(self) -> Ints:
        """(C,) judged rows of each class."""
        support: Ints = self.matrix.sum(axis=1)
        return support

    @property
    def precision(self) -> Float64s:
        """(C,) share of the rows taken for a class that are of it; 0 where none was taken for it."""
        return _ratio(np.diag(self.matrix), self.matrix.sum(axis=0))

    @property
    def recall(self) -> Float64s:
        """(C,) share of the rows of a class that were found; 0 where it has no row."""
        return _ratio(np.diag(self.matrix), self.support)

    @property
    def f1(self) -> Float64s:
        """(C,) harmonic mean of precision and recall; 0 where no row was found (van Rijsbergen 1979)."""
        return _ratio(2 * np.diag(self.matrix), self.support + self.matrix.sum(axis=0))

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that have a judged row, each counted alike, whatever its size.

        A class without a row is left out: no model could have found it. Rows wrongly taken for it still lower the
        recall of their own classes. It is scikit-learn's `f1_score` with `average="macro"`, `zero_division=0`, and the
        classes that have a row as `labels`.

        >>> Confusion(np.array([[8, 2, 0], [0, 0, 0], [0, 0, 4]])).f1.round(3).tolist()
        [0.889, 0.0, 1.0]
        >>> round(Confusion(np.array([[8, 2, 0], [0, 0, 0], [0, 0, 4]])).macro_f1, 3)
        0.944
        """
        return float(self.f1[self.support > 0].mean())

    @property
    def macro_f1_interval(self) -> tuple[float, float]:
        """A 95 % interval of the macro-F1: posterior quantiles, after Goutte and Gaussier (2005).

        The shares of the cells have a Dirichlet posterior whose prior is half a row found of each class, and half a row
        missed of all classes together. A bootstrap would draw nothing but the rows that there are, and call
        30 of 30 right certain; this does not. The macro-F1 itself always lies inside.

        >>> low, high = Confusion(np.array([[15, 0], [0, 15]])).macro_f1_interval
        >>> round(low, 1), high
        (0.9, 1.0)
        """
        low, high = np.quantile(self._drawn_f1.mean(axis=1), [0.025, 0.975]).tolist()
        return min(low, self.macro_f1), max(high, self.macro_f1)

    def f1_interval(self, number: int) -> tuple[float, float]:
        """A 95 % interval of the F1 of a class that has a row, by the same posterior.

        >>> low, high = Confusion(np.array([[15, 0], [0, 15]])).f1_interval(1)
        >>> round(low, 1), high
        (0.9, 1.0)
        """
        place, f1 = int(np.flatnonzero(np.flatnonzero(self.support) == number)[0]), float(self.f1[number])
        low, high = np.quantile(self._drawn_f1[:, place], [0.025, 0.975]).tolist()
        return min(low, f1), max(high, f1)

    @cached_property
    def _drawn_f1(self) -> Float64s:
        """(DRAWS, K) F1 of each of the K classes that have a row, in draws of the posterior."""
        present, classes = np.flatnonzero(self.support), len(self.matrix)
        prior = np.full((len(present), classes), 0.5 / len(present) / max(classes - 1, 1))
        prior[np.arange(len(present)), present] = 0.5
        rng, cells = np.random.default_rng(0), self.matrix[present] + prior  # (K, C) of the K classes that have a row
        found = np.empty((DRAWS, len(present)))
        for row in found:
            drawn = rng.standard_gamma(cells)
            right = drawn[np.arange(len(present)), present]
            row[:] = 2 * right / (drawn.sum(axis=1) + drawn.sum(axis=0)[present])
        return found

    @property
    def uneven(self) -> bool:
        """Has the largest class more than `UNEVEN` times the rows of the smallest?"""
        return bool(self.support.max() > UNEVEN * self.support.min())

    @property
    def missed(self) -> Ints:
        """(C,) false negatives of each class: its rows that were taken for another."""
        missed: Ints = self.matrix.sum(axis=1) - np.diag(self.matrix)
        return missed

    @property
    def claimed(self) -> Ints:
        """(C,) false positives of each class: rows of others that were taken for it."""
        claimed: Ints = self.matrix.sum(axis=0) - np.diag(self.matrix)
        return claimed

    @property
    def false_negatives(self) -> int:
        """Of the positive class (class 1) where there are two; else all errors."""
        return int(self.missed[1] if len(self.matrix) == 2 else self.missed.sum())

    @property
    def false_positives(self) -> int:
        """Of the positive class (class 1) where there are two; else all errors."""
        return int(self.claimed[1] if len(self.matrix) == 2 else self.claimed.sum())

    def per_class(self, classes: Sequence[str]) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and support of each class by its name, as `results.json` has them."""
        columns = (self.precision.tolist(), self.recall.tolist(), self.f1.tolist(), self.support.tolist())
        names = ("precision", "recall", "f1", "support")
        return {name: dict(zip(names, row, strict=True)) for name, *row in zip(classes, *columns, strict=True)}


def _ratio(part: Ints, whole: Ints) -> Float64s:
    """(C,) part / whole; 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def losses_of(probabilities: Floats, labels: Ints) -> Float64s:
    """(n,) cross-entropy of each row in nats: of probabilities (n, C) for true classes (n,), none of them infinite."""
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    losses: Float64s = -np.log(np.maximum(right, np.finfo(np.float32).tiny))
    return losses


@dataclass(frozen=True)
class Evaluation:
    """A model judged on labeled rows.

    Attributes:
        loss: mean cross-entropy in nats.
        confusion: the counts behind accuracy, false negatives and false positives.
    """

    loss: float
    confusion: Confusion

    @classmethod
    def of(cls, probabilities: Floats, labels: Ints) -> Self:
        """Of probabilities (n, C) for true classes (n,); where two compete, class 1 needs one above 0.5.

        >>> Evaluation.of(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([0, 1])).confusion.matrix.tolist()
        [[1, 0], [1, 0]]
        """
        matrix = np.zeros((probabilities.shape[1],) * 2, np.int64)
        np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
        return cls(float(losses_of(probabilities, labels).mean()), Confusion(matrix))

    @property
    def accuracy(self) -> float:
        """Share of the rows whose class was found."""
        return self.confusion.accuracy

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that have a judged row."""
        return self.confusion.macro_f1

    def described(self, classes: Sequence[str]) -> dict[str, Any]:
        """As `results.json` has it; docs/results-schema.md describes it."""
        confusion = self.confusion
        pairs = zip(classes, confusion.missed.tolist(), confusion.claimed.tolist(), strict=True)
        low, high = confusion.interval
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "low": low,
            "high": high,
            "macro_f1": self.macro_f1,
            "false_negatives": confusion.false_negatives,
            "false_positives": confusion.false_positives,
            "errors": {name: {"false_negatives": fn, "false_positives": fp} for name, fn, fp in pairs},
        }


def counts(classes: Ints, total: int) -> tuple[int, ...]:
    """(C,) how often each of C classes stands among (n,).

    >>> counts(np.array([0, 1, 1]), 3)
    (1, 2, 0)
    """
    return tuple(np.bincount(classes, minlength=total).tolist())


def percent(share: float) -> str:
    """A share, as a whole percent.

    >>> percent(.347), percent(-.05)
    ('35 %', '−5 %')
    """
    return f"{100 * share:.0f} %".replace("-", "−")
