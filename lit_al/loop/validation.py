"""How a run learns of its own accuracy from labels it has paid for: a share never trained on, or folds in turn.

Either way every label stands in the bill once. A held-out share costs labels that nothing is learned from; folds cost
no label, but time: as many further fits as there are folds.
"""

from dataclasses import dataclass

import numpy as np

from lit_al.exceptions import ConfigError
from lit_al.typing import Ints, Mask

USAGE = "none, holdout:0.2 or cross:5"


@dataclass(frozen=True)
class HoldOut:
    """A share of the labels is never trained on; the fit keeps its weights of the lowest loss on them.

    Attributes:
        share: of all labels, drawn from every batch.
    """

    share: float

    def __post_init__(self) -> None:
        """Refuse a share that leaves nothing on one side."""
        if not 0 < self.share < 1:
            raise ConfigError(f"validation {self} must hold out a share above 0 and below 1, as in holdout:0.2")

    def __str__(self) -> str:
        """As `make_validation` reads it."""
        return f"holdout:{self.share:g}"

    def check(self, labels: int) -> None:
        """Raise `ConfigError` where the first labels are too few to be shared out."""
        if not 0 < round(self.share * labels) < labels:
            side = "learn from" if labels and round(self.share * labels) else "hold out"
            raise ConfigError(f"validation {self} finds none of {labels:,} labels to {side}; begin with more labels")

    def draw(self, n: int, trained: int, held: int, rng: np.random.Generator) -> Mask:
        """Which of a batch's labels are held out, (n,) bool.

        Their number keeps the share of all labels so far, so that batches of one text are shared out as well.

        Args:
            n: labels in the batch.
            trained: labels before it that are learned from.
            held: labels before it that were held out.
            rng: draws.

        >>> int(HoldOut(0.2).draw(10, 0, 0, np.random.default_rng(0)).sum())
        2
        """
        wanted = round(self.share * (n + trained + held)) - held
        out = np.zeros(n, np.bool_)
        out[rng.choice(n, wanted, replace=False)] = True
        return out


@dataclass(frozen=True)
class CrossFit:
    """Each label is predicted by a model that learned from all folds but its own (out-of-fold predictions).

    Attributes:
        folds: K models, trained beside the one that is delivered, which learns from all labels.
    """

    folds: int

    def __post_init__(self) -> None:
        """Refuse one fold: a model would be left without labels."""
        if self.folds < 2:
            raise ConfigError(f"validation {self} needs 2 folds or more, as in cross:5")

    def __str__(self) -> str:
        """As `make_validation` reads it."""
        return f"cross:{self.folds}"

    def check(self, labels: int) -> None:
        """Raise `ConfigError` where there are fewer labels than folds."""
        if labels < self.folds:
            raise ConfigError(
                f"validation {self} has more folds than the first {labels:,} labels; give fewer folds or begin with "
                "more labels"
            )

    def draw(self, texts: Ints, rng: np.random.Generator) -> Ints:
        """The fold of each label, (n,) int64 from 0; folds differ by one text at most.

        Copies of a text share a fold, for a model that has learned one knows the others; only where there are fewer
        texts than folds do they not.

        Args:
            texts: (n,) int64 number of the text of each label, from 0; copies have the same.
            rng: draws.

        >>> np.bincount(CrossFit(3).draw(np.arange(10), np.random.default_rng(0))).tolist()
        [4, 3, 3]
        >>> len(set(CrossFit(2).draw(np.array([0, 1, 0, 0]), np.random.default_rng(0))[[0, 2, 3]]))
        1
        """
        different = int(texts.max()) + 1
        if different < self.folds:
            return rng.permutation(np.arange(len(texts)) % self.folds)
        return rng.permutation(np.arange(different) % self.folds)[texts]


Validation = HoldOut | CrossFit


def make_validation(text: str) -> Validation | None:
    """What a text spells: none, holdout:SHARE or cross:FOLDS.

    Raises:
        ConfigError: another word, or a number that does not fit.

    >>> make_validation("holdout:0.2"), str(make_validation("cross:5")), make_validation("none")
    (HoldOut(share=0.2), 'cross:5', None)
    """
    name, _, number = (part.strip() for part in text.partition(":"))
    try:
        if name == "holdout":
            return HoldOut(float(number))
        if name == "cross":
            return CrossFit(int(number))
    except ValueError:
        raise ConfigError(f"validation {text!r} has no number that fits; give {USAGE}") from None
    if text.strip() != "none":
        raise ConfigError(f"validation {text!r} is unknown; give {USAGE}")
    return None
