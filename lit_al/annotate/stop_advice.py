"""Whether more labels pay, by the stopping rules.

Advice never stops anything. In measured runs no single rule could be trusted (docs/findings.md): a young network is
sure of everything, and an estimate by few controls stands still by chance. So two signs are asked for: successive
models agree, or the accuracy has stopped growing and the model is sure of the rest as well. Models of ten more labels
differ little however much is left to learn; the rules compare models a hundred labels apart, as they were measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from lit_al.stopping import Progress, Rule, make_rule

STEP: Final = 100  # labels between models that the rules compare
RULE: Final = "kappa,plateau+uncertainty"
ROUNDS: Final = 4  # that kappa and plateau look at


@dataclass(frozen=True)
class Advice:
    """What to do.

    Attributes:
        stop: labeling may end.
        text: the same in a sentence, with its number.
    """

    stop: bool
    text: str


def advise(history: Sequence[Progress]) -> Advice:
    """Advice by the models so far, the oldest first, at least one.

    >>> advise([Progress(labels=40, pool=960, uncertainty=0.62)]).text
    'keep labeling: the mean uncertainty of the pool is above 0.05: 0.620'
    """
    last = history[-1]
    if last.pool == 0:
        return Advice(True, f"you may stop: all texts are answered, {last.labels:,} of them")
    steps = in_steps(history)
    stop, reason = make_rule(RULE).check(steps)
    return Advice(True, f"you may stop: {reason}") if stop else Advice(False, f"keep labeling: {_why_not(steps)}")


def in_steps(history: Sequence[Progress]) -> list[Progress]:
    """The newest model, and of the earlier ones those that are a step of labels before the next.

    >>> [one.labels for one in in_steps([Progress(labels, 900) for labels in (10, 90, 110, 150, 215)])]
    [10, 110, 215]
    """
    kept = [history[-1]]
    for progress in reversed(history[:-1]):
        if kept[-1].labels - progress.labels >= STEP:
            kept.append(progress)
    return kept[::-1]


def _why_not(steps: Sequence[Progress]) -> str:
    """The most telling number: agreement of models once there are enough, before that how sure the newest is."""
    sure: Rule = make_rule("uncertainty")
    stop, reason = sure.check(steps)
    if len(steps) >= ROUNDS:
        return make_rule("kappa").check(steps)[1]
    if not stop and steps[-1].uncertainty is not None:
        return reason
    return f"{steps[-1].labels:,} answers are too few to tell; models {STEP} labels apart are compared from the fourth"


def noted(progress: Progress, texts: int) -> dict[str, Any]:
    """A model's figures as JSON has them, with the number of texts that its stop set was drawn from."""
    predictions = None if progress.predictions is None else progress.predictions.tolist()
    return {"texts": texts, "progress": {**asdict(progress), "predictions": predictions}}


def remembered(notes: Mapping[int, Mapping[str, Any] | None], texts: int) -> list[Progress]:
    """The figures behind what was `noted`, by model, but for those of other texts: their stop set was another."""
    ours = [(model, note["progress"]) for model, note in notes.items() if note and note["texts"] == texts]
    return [
        Progress(**{**one, "model": model, "predictions": np.array(one["predictions"], np.int64)})
        for model, one in ours
    ]
