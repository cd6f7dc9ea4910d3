"""Confident learning: labels that a model, which has not learned from them, is confident are others.

Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels (JAIR 70, 2021), sections 3.1
and 3.2, written anew from the paper. The model is known by out-of-fold probabilities alone, so that any will do.

    threshold t_j    mean probability of class j over the texts labeled j: what confidence in j is worth with this model
    confident class  of a text, the most probable among the classes whose probability reaches their threshold
    confident joint  C[i, j], texts labeled i whose confident class is j; off its diagonal stand the suspects

A model that is unsure of a class, or too sure of it, moves that class's threshold with it, where one threshold for all
would name every text of a hard class and none of an easy one.
"""

from typing import Final

import numpy as np

from lit_al.typing import Float64s, Floats, Ints, Mask

TINY: Final = 1e-12  # less is none: a model's float32 may say 0


def thresholds(probabilities: Floats, labels: Ints) -> Float64s:
    """(C,) mean probability of each class over the texts labeled so; infinite for a class without a label.

    Args:
        probabilities: (n, C) out of fold.
        labels: (n,) int64.
    """
    texts = np.bincount(labels, minlength=probabilities.shape[1])  # (C,)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)  # (n,)
    sums = np.bincount(labels, weights=own, minlength=len(texts))
    found: Float64s = np.divide(sums, texts, out=np.full(len(texts), np.inf), where=texts > 0)
    return found


def confident_classes(probabilities: Floats, labels: Ints) -> Ints:
    """(n,) int64 confident class of each text, -1 for one that reaches no threshold.

    >>> said = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.9, 0.1]])
    >>> confident_classes(said, np.array([0, 0, 1, 1])).tolist()  # thresholds 0.8 and 0.45
    [0, -1, 1, 0]
    """
    reached = probabilities >= thresholds(probabilities, labels)  # (n, C)
    best = np.where(reached, probabilities, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), best, -1)


def confident_joint(probabilities: Floats, labels: Ints) -> Ints:
    """(C, C) int64 texts by label (row) and confident class (column).

    >>> said = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.9, 0.1]])
    >>> confident_joint(said, np.array([0, 0, 1, 1])).tolist()
    [[1, 0], [1, 1]]
    """
    found = confident_classes(probabilities, labels)
    joint = np.zeros((probabilities.shape[1],) * 2, np.int64)
    np.add.at(joint, (labels[found >= 0], found[found >= 0]), 1)
    return joint


def suspects(probabilities: Floats, labels: Ints) -> Mask:
    """(n,) bool, texts off the diagonal of the confident joint."""
    found = confident_classes(probabilities, labels)
    named: Mask = (found >= 0) & (found != labels)
    return named


def log_odds(probabilities: Floats, labels: Ints) -> Float64s:
    """(n,) log of the probability of the label over that of the most probable other class.

    The lower, the likelier is the label wrong. The paper ranks by the difference of the two. Where classes are many and
    a model is unsure of them all, small differences between small probabilities are common, and ratios are not
    (benchmarks/suspects.py).

    >>> log_odds(np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]), np.array([0, 0])).round(1).tolist()
    [1.3, -1.8]
    """
    rows = np.arange(len(labels))
    logs = np.log(np.maximum(probabilities.astype(np.float64), TINY))  # (n, C)
    own = logs[rows, labels]
    logs[rows, labels] = -np.inf
    found: Float64s = own - logs.max(axis=1)
    return found
