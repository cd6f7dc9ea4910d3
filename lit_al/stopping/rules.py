"""The stopping rules, one small frozen class each; `str(rule)` is the spelling that `make_rule` reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from lit_al.stopping.rule import Named, Progress, check_range, check_same_rows, kappa
from lit_al.typing import Ints


@dataclass(frozen=True)
class Budget(Named):
    """The money is spent.

    Attributes:
        labels: to spend in all.

    >>> Budget(200).check([Progress(labels=200, pool=800)])
    (True, '200 labels are spent, of a budget of 200')
    """

    labels: int
    name: ClassVar[str] = "budget"

    def __post_init__(self) -> None:
        """Refuse a budget below one."""
        check_range(self.name, "labels", self.labels, 1, float("inf"))

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """Stop once as many labels are spent."""
        spent = history[-1].labels
        return spent >= self.labels, f"{spent:,} labels are spent, of a budget of {self.labels:,}"


@dataclass(frozen=True)
class PoolEmpty(Named):
    """Nothing is left to label."""

    name: ClassVar[str] = "pool-empty"

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """Stop once the pool is empty."""
        left = history[-1].pool
        return left == 0, f"the pool holds {left:,} rows" if left else "the pool is empty"


@dataclass(frozen=True)
class Target(Named):
    """The model is good enough, by the estimate that steers the run.

    Attributes:
        accuracy: wanted, a share.
        errors: standard errors by which the estimate must lie above it; at 0 noise alone may carry it there, and the
            rule, which tries in every round, is drawn to lucky rounds.
    """

    accuracy: float
    errors: float = 0.0
    name: ClassVar[str] = "target"
    needs: ClassVar[frozenset[str]] = frozenset({"accuracy"})

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        check_range(self.name, "accuracy", self.accuracy, 0, 1)
        check_range(self.name, "errors", self.errors, 0, 10)

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """Stop once the estimate, less its margin, reaches the target."""
        last = history[-1]
        if last.accuracy is None or (self.errors and last.standard_error is None):
            return False, "the steering accuracy, or its standard error, is not known in this round"
        sure = last.accuracy - self.errors * (last.standard_error or 0.0)
        margin = f" {last.source}" if last.source else ""
        margin += f" less {self.errors:g} standard errors" if self.errors else ""
        verb = "reached" if sure >= self.accuracy else "is below"
        return sure >= self.accuracy, f"the steering accuracy{margin} {verb} {self.accuracy:g}: {sure:.4f}"


@dataclass(frozen=True)
class Plateau(Named):
    """More labels no longer help.

    Attributes:
        rounds: without a gain before it stops.
        gain: that counts as one, as a share of the steering set; 0 takes every rise for a gain, noise too.
    """

    rounds: int = 3
    gain: float = 0.005
    name: ClassVar[str] = "plateau"
    needs: ClassVar[frozenset[str]] = frozenset({"accuracy"})

    def __post_init__(self) -> None:
        """Refuse a plateau of no round and a gain that is no share."""
        check_range(self.name, "rounds", self.rounds, 1, float("inf"))
        check_range(self.name, "gain", self.gain, 0, 1)

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """Stop once the best of the last rounds is no gain over the best before them."""
        known = [record.accuracy for record in history if record.accuracy is not None]
        if len(known) <= self.rounds:
            return False, f"only {len(known)} rounds with a steering accuracy, {self.rounds + 1} are needed"
        gained = max(known[-self.rounds :]) - max(known[: -self.rounds])
        words = f"the last {self.rounds} rounds gained {100 * gained:.1f} points over the best before"
        words += f" by the accuracy {history[-1].source}" if history[-1].source else ""
        return gained < self.gain or gained <= 0, f"{words}; {100 * self.gain:g} count as a gain"


@dataclass(frozen=True)
class OverallUncertainty(Named):
    """The model is sure of what is left in the pool (Zhu, Wang, Hovy and Ma 2010).

    Attributes:
        threshold: of `mean_uncertainty`. A model can be sure and wrong, and a small network often is.
    """

    threshold: float = 0.05
    name: ClassVar[str] = "uncertainty"
    needs: ClassVar[frozenset[str]] = frozenset({"uncertainty"})

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        check_range(self.name, "threshold", self.threshold, 0, 1)

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """Stop once the mean entropy of the pool, as a share of the largest, falls to the threshold."""
        found = history[-1].uncertainty
        if found is None:
            return False, "the uncertainty of the pool is not known in this round"
        verb = "fell to" if found <= self.threshold else "is above"
        return found <= self.threshold, f"the mean uncertainty of the pool {verb} {self.threshold:g}: {found:.3f}"


@dataclass(frozen=True)
class ClassificationChange(Named):
    """Retraining no longer changes the answers (Zhu, Wang and Hovy 2008).

    Attributes:
        threshold: share of the stop set whose predicted class may change between two rounds; 0 in the paper.
    """

    threshold: float = 0.0
    name: ClassVar[str] = "change"
    needs: ClassVar[frozenset[str]] = frozenset({"predictions"})

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        check_range(self.name, "threshold", self.threshold, 0, 1)

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """Stop once two successive models give the stop set the same classes."""
        pairs = successive_predictions(history)
        if not pairs:
            return False, "only one model has seen the stop set, 2 are needed"
        before, after = pairs[-1]
        check_same_rows(before, after)
        if np.unique(np.concatenate([before, after])).size == 1:
            return False, "both models give every row one class: they have not settled, they have collapsed"
        changed = float(np.mean(before != after))
        return changed <= self.threshold, f"the last round changed the class of {changed:.1%} of the stop set"


@dataclass(frozen=True)
class Kappa(Named):
    """Successive models agree (Bloodgood and Vijay-Shanker 2009: the mean of the last 3 kappas reaches .99).

    Attributes:
        threshold: of the mean kappa.
        window: kappas that are averaged, each of two successive models.
    """

    threshold: float = 0.99
    window: int = 3
    name: ClassVar[str] = "kappa"
    needs: ClassVar[frozenset[str]] = frozenset({"predictions"})

    def __post_init__(self) -> None:
        """Refuse what cannot be reached and a window of none."""
        check_range(self.name, "threshold", self.threshold, 0, 1)
        check_range(self.name, "window", self.window, 1, float("inf"))

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """Stop once the models of the last rounds agree on the stop set."""
        found = [kappa(before, after) for before, after in successive_predictions(history)[-self.window :]]
        if len(found) < self.window:
            return False, f"only {len(found)} kappas of successive models, {self.window} are needed"
        mean = float(np.mean(found))
        verb = "reached" if mean >= self.threshold else "is below"
        return (
            mean >= self.threshold,
            f"the mean of the last {self.window} kappas {verb} {self.threshold:g}: {mean:.3f}",
        )


Predictions = Ints


def successive_predictions(history: Sequence[Progress]) -> list[tuple[Predictions, Predictions]]:
    """Pairs of predictions of two rounds in a row; a round without any breaks the chain."""
    return [
        (one.predictions, two.predictions)
        for one, two in pairwise(history)
        if one.predictions is not None and two.predictions is not None
    ]
