"""What the parts hand each other: small frozen records, free of Lightning and of devices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lit_al.typing import Float32s, Float64s, Ints, Mask
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


@dataclass(frozen=True)
class Query:
    """A batch that was put to the oracle.

    Attributes:
        number: of its round, from 1.
        rows: (n,) int64 row ids, in the order chosen.
        answers: (n,) int64 classes, as the oracle gave them; -1 for a row that it skipped.
        probabilities: (n, C) float32 of the rows under the model that chose.
        scores: (n,) float64 how much each row was wanted.
        reasons: n sentences, why each row was chosen.
        controls: (n,) bool, rows drawn uniformly from the whole pool.
    """

    number: int
    rows: Ints
    answers: Ints
    probabilities: Float32s
    scores: Float64s
    reasons: tuple[str, ...]
    controls: Mask


@dataclass(frozen=True)
class Round:
    """One acquisition: what steered it, what it took, what it cost.

    Attributes:
        number: 1 for the first acquisition.
        steering: the evaluation that the choice followed.
        shares: (C,) wanted share of each class; () where the strategy has none.
        taken: (C,) rows taken of each true class.
        rows: (n,) int64 row ids, in the order taken.
        probabilities: (n, C) float32 of the rows under the model that chose.
        labels: training labels after the round.
        seconds: of the fit before, the evaluation and the choice together.
        short: the pool could not fill the query.
        strategy: spelling of what chose.
        answers: (n,) int64 classes of the rows, as the oracle gave them.
        scores: (n,) float64 how much each row was wanted.
        reasons: n sentences, why each row was chosen.
        controls: (n,) bool, rows drawn uniformly from the whole pool.
        warning: the model answers nearly one class, in a sentence; "" where it does not.
    """

    number: int
    steering: Evaluation
    shares: tuple[float, ...]
    taken: tuple[int, ...]
    rows: Ints
    probabilities: Float32s
    labels: int
    seconds: float
    short: bool
    strategy: str = ""
    answers: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    scores: Float64s = field(default_factory=lambda: np.empty(0, np.float64))
    reasons: tuple[str, ...] = ()
    controls: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    warning: str = ""

    @property
    def predicted(self) -> tuple[int, ...]:
        """(C,) rows taken of each class that the model gave them before."""
        classes = self.probabilities.shape[1]
        return tuple(np.bincount(self.probabilities.argmax(axis=1), minlength=classes).tolist())


def percent(share: float) -> str:
    """A share, as a whole percent.

    >>> percent(.347), percent(-.05)
    ('35 %', '−5 %')
    """
    return f"{100 * share:.0f} %".replace("-", "−")
