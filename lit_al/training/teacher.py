"""The teacher: linear models of the whole text that label the pool softly, for the network to learn from.

With a few hundred labels a linear model over features of a hundred thousand unlabeled texts beats a network from
scratch, and it says how sure it is. Several of them look at the texts in different ways (`text.tfidf`): at latent
directions, which need few labels; at single words, pairs and pieces of words, which gain with every label; at the
vectors of a pretrained encoder, where there is one. Cross-fitting (each label predicted by a model that has not seen
it) tells how much to trust each: the weights of their sum are those of the lowest loss on held-out labels (stacking,
Wolpert 1992; Breiman 1996), which also makes its probabilities honest.

The soft labels are the network's lesson (distillation, Hinton et al. 2015): it learns from all texts, not from the few
that were paid for, and in the end predicts alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp, softmax

from lit_al.text.tfidf import Features, View
from lit_al.training.recipe import ClassWeight
from lit_al.training.regression import Linear
from lit_al.typing import Float32s, Float64s, Ints, Rows

STRENGTH: Final = 10.0  # C of the regressions: the inverse of the penalty on their weights
FOLDS: Final = 5
DENSE, SPARSE = 1.5, 0.25  # weights of the views, shared by those of a kind, before any label has spoken
PULL: Final = 0.05  # of these, in nats per squared unit: a handful of labels outweighs it
TOLERANCE: Final = 1e-3  # of the gradient of the mean loss
MOST_TEXTS: Final = 2_500  # that are held as their inner products
ALIKE: Final = 1e-6  # added to the product of a text with itself: two that are alike are no error


@dataclass(frozen=True)
class SoftLabels:
    """What the teacher makes of every text.

    Attributes:
        logits: (N, C) float64, softmax of which are its probabilities.
        held_out: (n, C) float64 likewise for the labeled rows, each by models that had not seen its label (the
            weights have seen all of them).
        weights: (V,) of the views.
        parts: V, the regression of each view.
    """

    logits: Float64s
    held_out: Float64s
    weights: Float64s
    parts: tuple[Linear, ...] = ()

    @cached_property
    def probabilities(self) -> Float32s:
        """(N, C) float32."""
        found: Float32s = softmax(self.logits, axis=-1).astype(np.float32)
        return found

    @property
    def shares(self) -> list[tuple[Float32s, Float64s]]:
        """Weights (F, C) and bias (C,) of each view, whose logits add up to these."""
        return [
            ((weight * part.weights).astype(np.float32), weight * part.bias)
            for weight, part in zip(self.weights, self.parts, strict=True)
        ]

    def times(self, factor: float) -> Self:
        """The same with all logits multiplied: surer above 1, with the same answers."""
        return replace(self, logits=factor * self.logits, held_out=factor * self.held_out)


def teach(
    features: Features,
    rows: Rows,
    answers: Ints,
    classes: int,
    seed: int,
    class_weight: ClassWeight = "balanced",
    copies: Ints | None = None,
) -> SoftLabels:
    """Learn from labels, and tell what every text of the corpus is likely to be.

    Args:
        features: of N texts.
        rows: (n,) int64 labeled texts, one at least.
        answers: (n,) int64 their labels.
        classes: C.
        seed: of the folds.
        class_weight: `balanced`: the labels of each class weigh the same together, so that a rare class is not passed
            over; `none`: each label weighs the same.
        copies: (n,) int64 a number for each labeled text, from 0 as they come, the same for texts that read alike: they
            share a fold. None where all differ.
    """
    views, weighted = features.views, class_weight == "balanced"
    copies = np.arange(len(rows)) if copies is None else copies
    different = int(copies.max()) + 1
    folds = (np.random.default_rng(seed).permutation(different) % min(FOLDS, different))[copies]  # (n,)
    judges = np.zeros(len(rows), bool)  # (n,) a class of which a fold knows no other label tells nothing of the views
    for fold in range(folds.max() + 1):
        out = folds == fold
        judges[out] = np.isin(answers[out], answers[~out])
    whole = np.empty((len(views), len(features.order), classes))
    held_out = np.zeros((len(views), len(rows), classes))
    parts = []
    for index, view in enumerate(views):
        lesson = Lesson.of(view, rows)
        parts.append(lesson.in_view(_learned(lesson.numbers, answers, classes, weighted)))
        whole[index, features.order] = parts[-1](view.matrix[features.order])
        for fold in range(folds.max() + 1) if different > 1 else ():
            out = folds == fold
            held_out[index, out] = _learned(lesson.numbers[~out], answers[~out], classes, weighted)(lesson.numbers[out])
    weights = stacking_weights(held_out[:, judges], answers[judges], prior_of(views))
    return SoftLabels(np.tensordot(weights, whole, 1), np.tensordot(weights, held_out, 1), weights, tuple(parts))


@dataclass(frozen=True)
class Lesson:
    """Labeled texts in a view, in as few numbers as there are texts.

    A regression with a penalty on its weights knows of its texts nothing but their inner products. So n texts of ten
    thousand terms can be any n numbers each that have the same inner products, such as Cholesky's: the regression is
    the same, a step of it is many times faster, and one such table serves the whole and all folds.

    Attributes:
        learned: (n, f) of the view, of a sparse one the terms that a labeled text holds: others keep a weight of 0.
        terms: (f,) int64 the places of these numbers in the view.
        width: F of the view.
        triangle: (n, n) float64, whose product with its transpose holds the inner products; None where it would be no
            smaller than `learned`, or too large.
    """

    learned: Any
    terms: Ints
    width: int
    triangle: Float64s | None

    @classmethod
    def of(cls, view: View, rows: Rows) -> Self:
        """The labeled rows (n,) of a view."""
        learned, width = view.matrix[rows], view.matrix.shape[1]
        terms = np.arange(width) if view.dense else np.unique(learned.indices).astype(np.int64)
        if not view.dense:
            learned = learned[:, terms]
        if len(rows) >= learned.shape[1] or len(rows) > MOST_TEXTS:
            return cls(learned, terms, width, None)
        exact = learned.astype(np.float64)  # rounded, products of texts that read nearly alike have no root
        products = exact @ exact.T if view.dense else (exact @ exact.T).toarray()  # (n, n)
        return cls(learned, terms, width, np.linalg.cholesky(products + ALIKE * np.eye(len(rows))))

    @cached_property
    def numbers(self) -> Any:
        """(n, n) float32, or `learned`."""
        return self.learned if self.triangle is None else self.triangle.astype(np.float32)

    def in_view(self, made: Linear) -> Linear:
        """A regression on `numbers` as one on all F numbers of the view."""
        weights = made.weights  # (n or f, C)
        if self.triangle is not None:
            weights = self.learned.T @ solve_triangular(self.triangle, weights, trans="T", lower=True).astype(
                np.float32
            )
        everywhere = np.zeros((self.width, weights.shape[1]), np.float32)
        everywhere[self.terms] = weights
        return Linear(everywhere, made.bias)


def _learned(x: Any, answers: Ints, classes: int, weighted: bool) -> Linear:
    return Linear.of(x, answers, classes, strength=STRENGTH, balanced=weighted, tolerance=TOLERANCE)


def prior_of(views: Sequence[View]) -> Float64s:
    """(V,) what is believed of each view before any label has spoken: dense ones need fewer labels."""
    dense = np.array([view.dense for view in views])
    prior: Float64s = np.where(dense, DENSE / max(dense.sum(), 1), SPARSE / max((~dense).sum(), 1))
    return prior


def stacking_weights(logits: Float64s, answers: Ints, prior: Float64s) -> Float64s:
    """(V,) weights, none negative, of the lowest loss on held-out logits (V, n, C), pulled to a prior (V,)."""
    from scipy.optimize import minimize

    truth = np.eye(logits.shape[-1])[answers]  # (n, C)

    def loss(weights: Float64s) -> tuple[float, Float64s]:
        mixed = np.tensordot(weights, logits, 1)  # (n, C)
        losses = logsumexp(mixed, axis=1) - (mixed * truth).sum(axis=1)  # (n,)
        slope = np.tensordot(logits, softmax(mixed, axis=1) - truth, 2)  # (V,)
        away = weights - prior
        return float(losses.sum() + PULL * (away**2).sum()), slope + 2 * PULL * away

    found: Float64s = minimize(loss, prior, jac=True, bounds=[(0, None)] * len(prior), method="L-BFGS-B").x
    return found
