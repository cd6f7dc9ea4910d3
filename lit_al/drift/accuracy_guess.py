"""How right a model may be on texts without labels, by how sure it is of them. A guess: only labels know.

Three guesses are made, all of probabilities that one temperature has calibrated:

- the average confidence, as it is;
- ATC (Garg et al. 2022): the share of texts of which it is surer than a threshold, set so that this share is the
  accuracy on the reference;
- DoC (Guillory et al. 2021): the accuracy on the reference, less what the confidence has lost since.

All believe that the model's sureness means today what it meant on the reference. Where a word has changed its meaning,
or a class has come that nobody named, a model errs without being less sure, and no such figure sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from lit_al.calibration import temperature, tempered
from lit_al.typing import Floats, Ints


@dataclass(frozen=True)
class Known:
    """A model on labeled texts that it had not learned from.

    Attributes:
        rows: k of them.
        accuracy: share that it called right.
        temperature: that calibrates it.
        confidence: mean probability of the likeliest class, calibrated.
        threshold: a share of `accuracy` of the texts had a confidence above it.
    """

    rows: int
    accuracy: float
    temperature: float
    confidence: float
    threshold: float

    @classmethod
    def of(cls, said: Floats, labels: Ints) -> Self:
        """Of probabilities (k, C) and labels (k,) int64.

        >>> sure = np.array([[0.99, 0.01]] * 8 + [[0.4, 0.6]] * 2)
        >>> Known.of(sure, np.array([0] * 8 + [0, 1])).accuracy
        0.9
        """
        heat = temperature(said, labels)
        sureness = tempered(said, heat).max(axis=1)  # (k,)
        accuracy = float((said.argmax(axis=1) == labels).mean())
        threshold = float(np.quantile(sureness, 1 - accuracy, method="lower"))
        return cls(len(labels), accuracy, heat, float(sureness.mean()), threshold)

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """From JSON.

        Raises:
            ValueError: it is not of such numbers.
        """
        values: dict[str, Any] = {item.name: found.get(item.name) for item in fields(cls)}
        if not all(isinstance(value, int | float) and value >= 0 for value in values.values()):
            raise ValueError("what is known of its accuracy is no numbers")
        if not values["temperature"] or max(values["accuracy"], values["confidence"], values["threshold"]) > 1:
            raise ValueError("what is known of its accuracy is out of bounds")
        return cls(**values)

    def guessed(self, said: Floats) -> "AccuracyGuess":
        """The accuracy on texts without labels, of probabilities (n, C)."""
        sureness = tempered(said, self.temperature).max(axis=1)  # (n,)
        confidence = float(sureness.mean())
        drop = min(max(self.accuracy - (self.confidence - confidence), 0.0), 1.0)
        return AccuracyGuess(self.rows, self.accuracy, confidence, float((sureness >= self.threshold).mean()), drop)


@dataclass(frozen=True)
class AccuracyGuess:
    """Three guesses of an accuracy.

    Attributes:
        rows: labeled texts of the reference that they rest on.
        before: accuracy on these.
        confidence: average confidence.
        atc: by the threshold.
        doc: by the difference of confidences.
    """

    rows: int
    before: float
    confidence: float
    atc: float
    doc: float
