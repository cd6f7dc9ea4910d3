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
from scipy.special import logsumexp, softmax

from lit_al.text.tfidf import Features, View
from lit_al.training.recipe import ClassWeight
from lit_al.training.regression import fitted_regression
from lit_al.typing import Float32s, Float64s, Ints, Rows

STRENGTH: Final = 10.0  # C of the regressions: the inverse of the penalty on their weights
FOLDS: Final = 5
DENSE, SPARSE = 1.5, 0.25  # weights of the views, shared by those of a kind, before any label has spoken
PULL: Final = 0.05  # of these, in nats per squared unit: a handful of labels outweighs it
LEAST: Final = -8.0  # logit, before stacking, of a class that no label has named yet: one in thousands


@dataclass(frozen=True)
class SoftLabels:
    """What the teacher makes of every text.

    Attributes:
        logits: (N, C) float64, softmax of which are its probabilities.
        held_out: (n, C) float64 likewise for the labeled rows, each by models that had not seen its label (the
            weights have seen all of them).
        weights: (V,) of the views.
    """

    logits: Float64s
    held_out: Float64s
    weights: Float64s

    @cached_property
    def probabilities(self) -> Float32s:
        """(N, C) float32."""
        found: Float32s = softmax(self.logits, axis=-1).astype(np.float32)
        return found

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
    """
    views, weighted = features.views, class_weight == "balanced"
    whole = np.empty((len(views), len(features.order), classes))
    for index, view in enumerate(views):
        asked = view.matrix[features.order]
        whole[index, features.order] = _logits(view, rows, answers, asked, classes, weighted)
    folds = np.random.default_rng(seed).permutation(len(rows)) % min(FOLDS, len(rows))  # (n,)
    held_out = np.zeros((len(views), len(rows), classes))
    judges = np.zeros(len(rows), bool)  # (n,) a class of which a fold knows no other label tells nothing of the views
    for fold in range(folds.max() + 1):
        out = folds == fold
        judges[out] = np.isin(answers[out], answers[~out])
        if len(rows) > 1:
            for index, view in enumerate(views):
                asked = view.matrix[rows[out]]
                held_out[index, out] = _logits(view, rows[~out], answers[~out], asked, classes, weighted)
    weights = stacking_weights(held_out[:, judges], answers[judges], prior_of(views))
    return SoftLabels(np.tensordot(weights, whole, 1), np.tensordot(weights, held_out, 1), weights)


def prior_of(views: Sequence[View]) -> Float64s:
    """(V,) what is believed of each view before any label has spoken: dense ones need fewer labels."""
    dense = np.array([view.dense for view in views])
    prior: Float64s = np.where(dense, DENSE / max(dense.sum(), 1), SPARSE / max((~dense).sum(), 1))
    return prior


def _logits(view: View, rows: Rows, answers: Ints, asked: Any, classes: int, weighted: bool) -> Float64s:
    """(m, C) logits of the texts asked for, by a regression on labeled rows of a view; means over C are 0 or less."""
    logits = np.full((asked.shape[0], classes), LEAST)
    seen = np.unique(answers)
    if len(seen) == 1:  # there is nothing to regress on: the one class known is the likeliest everywhere
        logits[:, seen] = 0.0
        return logits
    learned = view.matrix[rows]
    if not view.dense:  # a term that no labeled text holds keeps its weight of 0: it need not be there
        terms = np.unique(learned.indices)
        learned, asked = learned[:, terms], asked[:, terms]
    regression = fitted_regression(learned, answers, strength=STRENGTH, balanced=weighted, tolerance=1e-3)
    found = regression.decision_function(asked)
    logits[:, seen] = np.stack([-found / 2, found / 2], axis=1) if len(seen) == 2 else found
    return logits


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
