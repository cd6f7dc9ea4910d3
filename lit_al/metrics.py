"""How a model is judged: errors by class, accuracy with its interval, loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from lit_al.typing import Floats, Ints
from lit_al.utils.intervals import standard_error, wilson

COLLAPSED = 0.95  # a batch with a larger share of one class says that the model knew only that class


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
        right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
        matrix = np.zeros((probabilities.shape[1],) * 2, np.int64)
        np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
        return cls(float(-np.log(np.maximum(right, np.finfo(np.float32).tiny)).mean()), Confusion(matrix))

    @property
    def accuracy(self) -> float:
        """Share of the rows whose class was found."""
        return self.confusion.accuracy

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
