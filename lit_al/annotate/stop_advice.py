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

from lit_al.record.class_history import ClassHistory
from lit_al.stopping import Progress, Rule, make_rule
from lit_al.stopping.rules import OverallUncertainty, successive_predictions

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
    'keep labeling: the model is still unsure of the other texts: 0.62 on a scale to 1; it should be 0.05 or less'
    """
    last = history[-1]
    if last.pool == 0:
        return Advice(True, f"you may stop: all texts are answered, {last.labels:,} of them")
    steps = in_steps(history)
    stop, _ = make_rule(RULE).check(steps)
    return Advice(True, f"you may stop: {_why(steps)}") if stop else Advice(False, f"keep labeling: {_why_not(steps)}")


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


def _why(steps: Sequence[Progress]) -> str:
    """What the rules found, in the words of who labels."""
    if make_rule("kappa").check(steps)[0]:
        return f"predictions hardly change any more: on {_changed(steps)} of texts by the last {STEP} labels"
    return "accuracy has stopped growing, and the model is sure of the other texts"


def _why_not(steps: Sequence[Progress]) -> str:
    """The most telling number: agreement of models once there are enough, before that how sure the newest is."""
    sure: Rule = make_rule("uncertainty")
    stop, _ = sure.check(steps)
    if len(steps) >= ROUNDS and successive_predictions(steps):
        return f"predictions still change on {_changed(steps)} of texts by {STEP} labels more"
    unsure = steps[-1].uncertainty
    if not stop and unsure is not None:
        wanted = OverallUncertainty().threshold
        return (
            f"the model is still unsure of the other texts: {unsure:.2f} on a scale to 1; it should be {wanted} or less"
        )
    return f"{steps[-1].labels:,} answers are too few to tell; models {STEP} labels apart are compared from the fourth"


def _changed(steps: Sequence[Progress]) -> str:
    """Share of the stop set whose class changed from one model to the next, over those that the rule looks at."""
    pairs = successive_predictions(steps)[-(ROUNDS - 1) :]
    share = 100 * float(np.mean([np.mean(before != after) for before, after in pairs]))
    return f"{share:.1f} %" if 0 < share < 1 else f"{share:.0f} %"


def noted(progress: Progress, texts: int, classes: Sequence[str]) -> dict[str, Any]:
    """A model's figures as JSON has them, with how many texts its stop set was drawn from, and its classes."""
    predictions = None if progress.predictions is None else progress.predictions.tolist()
    return {"texts": texts, "classes": list(classes), "progress": {**asdict(progress), "predictions": predictions}}


def remembered(notes: Mapping[int, Mapping[str, Any] | None], texts: int, history: ClassHistory) -> list[Progress]:
    """The figures behind what was `noted`, by model, but for those of other texts or classes, which do not compare."""
    now = list(history.names)
    ours = [
        (model, note["progress"])
        for model, note in notes.items()
        if note and note["texts"] == texts and [*map(history.present, note.get("classes", now))] == now
    ]
    return [
        Progress(**{**one, "model": model, "predictions": np.array(one["predictions"], np.int64)})
        for model, one in ours
    ]
