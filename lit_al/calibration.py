"""Calibration: does a model that says 90 % be right nine times in ten, and what one temperature can mend.

A network is often too sure of itself. Dividing its logits by one number, the temperature, changes no answer and mends
most of it (Guo et al. 2017). It is fitted by labels that the model has not learned from.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from scipy.optimize import minimize_scalar

from lit_al.typing import Float64s, Floats, Ints

BINS: Final = 15  # of confidence, as in Guo et al.
LEAST: Final = 50  # labels, under which a temperature is mostly chance
FOLDS: Final = 5
COOLEST, HOTTEST = 0.05, 20.0
_TINY: Final = 1e-12  # a probability of 0 has no logarithm


@dataclass(frozen=True)
class Calibration:
    """A temperature, and what it does.

    Attributes:
        temperature: that logits are divided by; above 1 the model was too sure.
        rows: labels it was fitted by.
        before: expected calibration error of the model as it is.
        after: the same of the calibrated model, of labels that its temperature was not fitted by.
    """

    temperature: float
    rows: int
    before: float
    after: float

    @classmethod
    def of(cls, probabilities: Floats, labels: Ints) -> Self | None:
        """Of probabilities (n, C) of a model that had not learned labels (n,); None with fewer than `LEAST` of them.

        The rows are dealt out in turn, so that `after` is of temperatures of the other folds.
        """
        if len(labels) < LEAST:
            return None
        fold, cooled = np.arange(len(labels)) % FOLDS, np.empty(probabilities.shape)
        for number in range(FOLDS):
            rest, here = fold != number, fold == number
            cooled[here] = tempered(probabilities[here], temperature(probabilities[rest], labels[rest]))
        found = temperature(probabilities, labels), len(labels)
        return cls(*found, calibration_error(probabilities, labels), calibration_error(cooled, labels))

    def described(self) -> dict[str, Any]:
        """As `results.json` and `config.json` have it."""
        return {
            "temperature": round(self.temperature, 4),
            "rows": self.rows,
            "ece_before": round(self.before, 4),
            "ece_after": round(self.after, 4),
        }


def temperature(probabilities: Floats, labels: Ints) -> float:
    """The temperature under which probabilities (n, C) give labels (n,) the least cross-entropy.

    Each label stands for a share of (n + 1) / (n + C), not for certainty (Platt 1999): where a model was right with all
    of a hundred labels, it has not earned to be sure beyond one in a hundred.

    >>> sure = np.array([[0.99, 0.01]] * 8 + [[0.01, 0.99]] * 8)
    >>> temperature(sure, np.array([0] * 6 + [1] * 2 + [1] * 6 + [0] * 2)) > 1
    True
    """
    rows, classes = probabilities.shape
    truth = (np.eye(classes)[labels] * rows + 1) / (rows + classes)  # (n, C)

    def loss(logarithm: float) -> float:
        said = tempered(probabilities, float(np.exp(logarithm)))  # (n, C)
        return float(-(truth * np.log(np.maximum(said, _TINY))).sum(axis=1).mean())

    bounds = float(np.log(COOLEST)), float(np.log(HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def tempered(probabilities: Floats, temperature: float) -> Float64s:
    """(n, C), probabilities (n, C) whose logits are divided by a temperature.

    >>> tempered(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), _TINY)) / temperature  # (n, C)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Float64s = powers / powers.sum(axis=1, keepdims=True)
    return shares


def calibration_error(probabilities: Floats, labels: Ints) -> float:
    """Expected calibration error: how far, on the average, the share of right answers is from what the model said.

    Args:
        probabilities: (n, C).
        labels: (n,) true classes.

    >>> calibration_error(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1]))
    0.0
    """
    said, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    gaps = (abs(right[place == bin_].sum() - said[place == bin_].sum()) for bin_ in range(BINS))
    return float(sum(gaps) / len(labels))
