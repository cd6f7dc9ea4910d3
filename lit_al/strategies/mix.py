"""The class mix of a batch or of a model's answers, and whether a model has collapsed to one answer.

Uncertainty from a poor model can feed itself: it picks texts of one class, learns that class alone, and picks more of
them. A look at the mix tells.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_al.typing import Float64s, Floats


def mix(answers: npt.NDArray[Any], classes: int) -> Float64s:
    """(C,) share of each class; of nothing, zeros.

    Args:
        answers: (n,) int64 labels, or (n, C) probabilities, whose likeliest class counts.
        classes: C.

    >>> mix(np.array([0, 1, 1, 1]), 2)
    array([0.25, 0.75])
    """
    labels = answers.argmax(axis=1) if answers.ndim == 2 else answers
    return np.bincount(labels, minlength=classes) / max(len(labels), 1)


@dataclass(frozen=True)
class Collapse:
    """A model that answers nearly one class.

    Attributes:
        label: the class.
        share: of the rows that are called it.
        of: what these rows are, in words.
    """

    label: int
    share: float
    of: str = "candidates"


def collapsed(probabilities: Floats, threshold: float = 0.95) -> Collapse | None:
    """Does the model call nearly all rows (n, C) one class? None where it does not, or there is no row.

    >>> collapsed(np.array([[0.9, 0.1], [0.6, 0.4]]))
    Collapse(label=0, share=1.0, of='candidates')
    >>> collapsed(np.array([[0.9, 0.1], [0.4, 0.6]]))
    """
    return one_class(mix(probabilities, probabilities.shape[1]), threshold)


def one_class(shares: Float64s, threshold: float = 0.95) -> Collapse | None:
    """The class that has nearly all of the shares (C,), if one has.

    >>> one_class(np.array([0.02, 0.98]))
    Collapse(label=1, share=0.98, of='candidates')
    """
    label = int(shares.argmax())
    return Collapse(label, float(shares[label])) if shares[label] >= threshold else None
