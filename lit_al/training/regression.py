"""Logistic regression as scikit-learn has it, for a few labels of perhaps many classes."""

import warnings
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from lit_al.typing import Float32s, Float64s, Ints

LEAST: Final = -8.0  # logit of a class that no label has named yet: one in thousands


@dataclass(frozen=True)
class Linear:
    """Logits that are sums of a text's numbers.

    Attributes:
        weights: (F, C) float32.
        bias: (C,) float64.
    """

    weights: Float32s
    bias: Float64s

    def __call__(self, x: Any) -> Float64s:
        """(m, C) logits of an array or sparse matrix (m, F)."""
        found: Float64s = np.asarray(x @ self.weights) + self.bias
        return found

    @classmethod
    def of(cls, x: Any, answers: Ints, classes: int, *, strength: float, balanced: bool, tolerance: float) -> Self:
        """Learn from labeled texts, of one class or more.

        Args:
            x: (n, F) array or sparse matrix.
            answers: (n,) int64 labels.
            classes: C.
            strength: as in `fitted_regression`, as are the others.
            balanced: likewise.
            tolerance: likewise.
        """
        weights, bias = np.zeros((x.shape[1], classes), np.float32), np.full(classes, LEAST)
        seen = np.unique(answers)
        bias[seen] = 0.0
        if len(seen) > 1:  # else there is nothing to regress on: the one class known is the likeliest everywhere
            found = fitted_regression(x, answers, strength=strength, balanced=balanced, tolerance=tolerance)
            halves = np.array([-0.5, 0.5])
            weights[:, seen] = found.coef_.T if len(seen) > 2 else found.coef_.T * halves
            bias[seen] = found.intercept_ if len(seen) > 2 else found.intercept_ * halves
        return cls(weights, bias)


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
