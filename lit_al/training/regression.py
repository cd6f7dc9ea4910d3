"""Logistic regression as scikit-learn has it, for a few labels of perhaps many classes."""

import warnings
from typing import Any

from lit_al.typing import Ints


def fitted_regression(x: Any, answers: Ints, *, strength: float, balanced: bool, tolerance: float = 1e-4) -> Any:
    """Fit a regression, softmax over more than two classes.

    One of its warnings says nothing here: more classes than half of the labels are what active learning begins with.

    Args:
        x: (n, F) array or sparse matrix.
        answers: (n,) int64 labels, two classes or more.
        strength: inverse of the penalty on the weights.
        balanced: the labels of each class weigh the same together.
        tolerance: of the gradient, at which the fit ends.
    """
    from sklearn.linear_model import LogisticRegression

    weight = "balanced" if balanced else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes")
        return LogisticRegression(C=strength, tol=tolerance, max_iter=1_000, class_weight=weight).fit(x, answers)
