"""What a stopping rule may see, and the two measures that several rules are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import ConfigError
from lit_al.strategies.uncertainty import entropy
from lit_al.typing import Ints


@dataclass(frozen=True, eq=False)
class Progress:
    """What is known after a fit. No field holds anything of the test set, so that no rule can stop by it.

    Attributes:
        labels: labels spent so far, those for steering included.
        pool: rows left without a label.
        accuracy: steering estimate, a share; None where nothing is held out to steer by.
        standard_error: of that estimate; None where it is not known.
        source: where it comes from, for the rules' reasons, as in "by random controls"; "" says nothing.
        uncertainty: `mean_uncertainty` of the pool; None where the pool was not scored.
        predictions: (n,) int64 predicted class of each row of the stop set, a fixed sample of unlabeled rows that is
            the same in every round (Bloodgood and Vijay-Shanker take 2,000); None where there is none.
        model: number of the model; -1 where models are not counted.
    """

    labels: int
    pool: int
    accuracy: float | None = None
    standard_error: float | None = None
    source: str = ""
    uncertainty: float | None = None
    predictions: Ints | None = None
    model: int = -1


class Rule(Protocol):
    """The contract of a stopping rule.

    Attributes:
        needs: fields of `Progress` that the loop has to fill for the rule to have a say.
    """

    @property
    def needs(self) -> frozenset[str]:
        """Fields of `Progress` without which the rule never stops."""

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """Stop now? With the reason for stopping, or for going on.

        Args:
            history: one record per fit so far, oldest first, at least one.
        """


@dataclass(frozen=True)
class Named:
    """A rule that can be spelled: its name, then its numbers in the order of its fields.

    Attributes:
        name: what `make_rule` takes.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()

    def __str__(self) -> str:
        """As `make_rule` reads it."""
        return ":".join([self.name, *map(str, vars(self).values())])


def check_range(rule: str, name: str, value: float, low: float, high: float) -> None:
    """Raise `ConfigError` unless low <= value <= high (NaN is refused as well)."""
    if not low <= value <= high:
        bound = f"be {low:g} or more" if high == float("inf") else f"lie between {low:g} and {high:g}"
        raise ConfigError(f"stopping rule {rule!r} got {name}={value:g}, which must {bound}")


def check_same_rows(before: Ints, after: Ints) -> None:
    """Raise `ConfigError` where the predictions of two rounds cannot be of the same rows."""
    if before.shape != after.shape:
        raise ConfigError(
            f"the stop set had {before.size:,} predictions in one round and {after.size:,} in the next; "
            "keep the same rows in every round"
        )


def mean_uncertainty(probabilities: npt.NDArray[np.floating]) -> float:
    """Mean entropy of the predictions as a share of the largest possible, from 0 (certain) to 1 (knows nothing).

    Args:
        probabilities: (n, C) predicted for the rows of the pool, n > 0.

    >>> round(mean_uncertainty(np.array([[.5, .5], [1., 0.]])), 3)
    0.5
    """
    return float(entropy(probabilities).mean() / np.log(probabilities.shape[1]))


def kappa(before: Ints, after: Ints) -> float:
    """Agreement of two models beyond chance (Cohen 1960): 1 is full, 0 no better than chance.

    Two models that give every row one and the same class agree by chance alone, and get 0: a model that has collapsed
    onto one class must not pass for one that has settled.

    Args:
        before: (n,) classes predicted by one model.
        after: (n,) classes predicted by the other for the same rows.

    Raises:
        ConfigError: not the same rows.

    >>> kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
    0.5
    >>> kappa(np.array([1, 1]), np.array([1, 1]))
    0.0
    """
    check_same_rows(before, after)
    observed = float(np.mean(before == after))
    classes = np.union1d(before, after)
    expected = sum(float(np.mean(before == index) * np.mean(after == index)) for index in classes)
    return (observed - expected) / (1 - expected) if expected < 1 else 0.0
