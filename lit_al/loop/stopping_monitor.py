"""What stopping rules see of a run: predictions for the stop set, the labels spent, the estimate that steers."""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any, Literal

import numpy as np
import torch

from lit_al.loop.estimation import ByValidation, Estimate, newest
from lit_al.loop.state import LoopState
from lit_al.stopping import RULES, AnyOf, Progress, Rule, make_rule, mean_uncertainty, report, shadow
from lit_al.typing import Floats, Ints, Rows

Source = Literal["controls", "validation", "steering"]
STOP_SET = 2_000  # rows, as in Bloodgood and Vijay-Shanker 2009


class StoppingMonitor:
    """Keeps a record of each round and asks the rules.

    Args:
        rule: in force, or None.
        pool: (n,) int64 rows that the run begins with.
        seed: of the draw of the stop set.
        follows: the estimate of accuracy that rules see.
        source: where it comes from, in words, for the rules' reasons.

    Attributes:
        rows: (k,) int64 the stop set; rows of it that get labels stay in it, so that every round is asked the same.
        history: a record of each round.
        estimate: of the newest model's accuracy, by random controls; None where nothing is known yet.
    """

    def __init__(
        self,
        rule: Rule | None,
        pool: Rows,
        seed: int,
        follows: Source | None = "controls",
        source: str = "by random controls",
    ) -> None:
        self.rule, self.follows, self.source = rule, follows, source
        rng = np.random.default_rng([seed, STOP_SET])  # a stream of its own, apart from those of the rounds
        self.rows = rng.choice(pool, min(STOP_SET, len(pool)), replace=False)
        self.history: list[Progress] = []
        self.estimate: Estimate | None = None

    def record(self, found: Floats, run: LoopState, number: int | None = None) -> str:
        """Record a round; why to stop now, or "" to go on.

        Args:
            found: (k, C) probabilities that its model gives the stop set.
            run: after the fit.
            number: of the model; None takes the next one.
        """
        left = np.isin(self.rows, run.pool)  # (k,) of the labeled ones the model should be sure
        predictions = found.argmax(axis=1)
        self.estimate = newest(run.judgments, self._distances(predictions))
        estimate = self._followed(run)
        self.history.append(
            Progress(
                model=len(self.history) if number is None else number,
                labels=run.asked,
                pool=len(run.pool),
                accuracy=estimate.accuracy if estimate else None,
                standard_error=estimate.standard_error if estimate else None,
                source=self.source,
                uncertainty=mean_uncertainty(found[left]) if left.any() else None,
                predictions=predictions,
            )
        )
        stop, reason = self.rule.check(self.history) if self.rule else (False, "")
        return reason if stop else ""

    def would_stop(self) -> dict[str, bool]:
        """By rule: would it stop now? Rules that look at no model, or lack what they need, are not asked."""
        last = self.history[-1]
        asked = [rule for rule in shadow_rules(self.rule) if rule.needs]
        able = [rule for rule in asked if all(getattr(last, need) is not None for need in rule.needs)]
        return {str(rule): rule.check(self.history)[0] for rule in able}

    def state(self) -> list[dict[str, Any]]:
        """The record as tensors and plain types."""
        return [{**vars(one), "predictions": torch.as_tensor(one.predictions)} for one in self.history]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Go on from a `state`."""
        self.history = [Progress(**{**one, "predictions": one["predictions"].numpy()}) for one in state]

    def _followed(self, run: LoopState) -> Estimate | None:
        if self.follows == "validation":
            found = ByValidation.of(run)
            return found.all if found else None
        if self.follows == "steering" and run.steering:
            rows = run.steering.confusion.rows
            return Estimate(run.steering.accuracy, rows, rows)
        return self.estimate if self.follows else None

    def _distances(self, predictions: Ints) -> dict[int, float]:
        """By model, the share of the stop set that it calls otherwise than the newest one does, (k,) predictions.

        Labeled texts are among them. Of those the newest model repeats what it was told, which makes other models look
        farther than they are; the texts that a strategy leaves to the last are easy, and would make them look near.
        """
        return {
            one.model: float((one.predictions != predictions).mean())
            for one in self.history
            if one.predictions is not None and one.predictions.shape == predictions.shape
        }

    def in_shadow(self, accuracies: Sequence[float] | None) -> list[dict[str, Any]]:
        """Where each rule would have stopped the run, those in force among them.

        Args:
            accuracies: of each round on rows that no rule saw; None where there are no such rows.
        """
        stops = shadow(shadow_rules(self.rule), self.history)
        return [
            {
                "rule": str(stop.rule),
                "round": stop.position,
                "labels": None if stop.position is None else self.history[stop.position].labels,
                "reason": stop.reason,
                "sentence": sentence,
            }
            for stop, sentence in zip(stops, report(stops, self.history, accuracies), strict=True)
        ]


def shadow_rules(rule: Rule | None) -> list[Rule]:
    """The rules in force, one by one, and after them every other that needs no number from the user.

    >>> [str(rule) for rule in shadow_rules(make_rule("budget:200,plateau"))][:3]
    ['budget:200', 'plateau:3:0.005', 'uncertainty:0.05']
    """
    in_force = [] if rule is None else list(rule.rules) if isinstance(rule, AnyOf) else [rule]
    free = [name for name, kind in RULES.items() if all(item.default is not MISSING for item in fields(kind))]
    named = {str(one): one for one in (*in_force, *map(make_rule, free))}
    return list(named.values())
