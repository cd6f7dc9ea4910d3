"""`lit-al gate`: may this model go where it is to go? Each criterion with its value, its interval, and a verdict.

A criterion holds by the end of its 95 % interval that is worse, so that a lucky sample opens no gate: Wilson's interval
for shares of single texts, posterior quantiles for F1 (`metrics.Confusion`), the bootstrap for the mean loss, order
statistics for latencies. With `--point` the values decide.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import stats

from lit_al.criteria import TIMES, Criterion, read_criteria
from lit_al.delivery.baseline import PairedComparison
from lit_al.delivery.delivery_options import GateOptions
from lit_al.delivery.held_out import HeldOut, reading_model, said_of
from lit_al.exceptions import ConfigError, DataError
from lit_al.metrics import Confusion, Evaluation, losses_of
from lit_al.models.frozen import FrozenBiLSTM
from lit_al.models.prediction import classify
from lit_al.models.request import model_at
from lit_al.models.text_teacher import TextTeacher
from lit_al.typing import Float64s, Floats
from lit_al.utils.folders import write_text
from lit_al.utils.intervals import LEVEL, wilson

TIMED: Final = 500  # texts, one by one, that a latency is measured by
_WARMING: Final = 10  # texts before, that are not counted
_RESAMPLES: Final = 9_999

Range = tuple[float, float]


@dataclass(frozen=True)
class Ruling:
    """A criterion, judged.

    Attributes:
        criterion: what was asked.
        value: what was found.
        low: end of its 95 % interval.
        high: likewise.
        holds: whether it holds.
        rows: texts that the value rests on.
    """

    criterion: Criterion
    value: float
    low: float
    high: float
    holds: bool
    rows: int

    def described(self) -> dict[str, Any]:
        """As JSON."""
        found = {"criterion": str(self.criterion), "measure": self.criterion.name, "bound": self.criterion.bound}
        return {
            **found,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "rows": self.rows,
            "holds": self.holds,
        }


@dataclass(frozen=True)
class Judgement:
    """What a gate says.

    Attributes:
        model: that was judged.
        source: of the texts.
        rows: how many.
        verdicts: one for each criterion.
        point: criteria hold by the values themselves.
        comparison: with a model of before; None without one.
        notes: what else a user should read.
    """

    model: str
    source: str
    rows: int
    verdicts: tuple[Ruling, ...]
    point: bool
    comparison: PairedComparison | None
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Do all criteria hold?"""
        return all(verdict.holds for verdict in self.verdicts)

    def described(self) -> dict[str, Any]:
        """As JSON; docs/deploy.md describes it."""
        return {
            "schema": 1,
            "model": self.model,
            "data": self.source,
            "rows": self.rows,
            "passed": self.passed,
            "by": "value" if self.point else "interval",
            "criteria": [verdict.described() for verdict in self.verdicts],
            "baseline": self.comparison.described() if self.comparison else None,
        }


def judge(asked: GateOptions) -> Judgement:
    """Judge a model by held-out labels.

    Raises:
        LitALError: criteria, a model or texts that cannot be read, or that do not fit together.
    """
    assert asked.require is not None  # as the options say
    return judge_by(asked, read_criteria(asked.require))


def judge_by(asked: GateOptions, criteria: Sequence[Criterion], held: HeldOut | None = None) -> Judgement:
    """Judge a model by held-out labels, those that `--data` names if no others are given.

    Raises:
        LitALError: as `judge`.
    """
    for criterion in criteria:
        if criterion.measure == "gain" and asked.baseline is None:
            raise ConfigError(f"{criterion} compares with a model of before; name it with --baseline")
    model = reading_model(asked.model)
    for criterion in criteria:
        criterion.check_class(model.classes)
    before = reading_model(asked.baseline) if asked.baseline is not None else None
    held = held or HeldOut.read(asked, model.classes)
    said = said_of(model, held.texts)
    comparison = None
    if before is not None:
        comparison = PairedComparison.of(held, model.classes, said, before.classes, said_of(before, held.texts))
    found = _Found(model, held, Evaluation.of(said, held.labels), said, comparison)
    verdicts = tuple(_verdict(criterion, found, asked.point) for criterion in criteria)
    named = model_at(asked.model).words or str(asked.model)
    return Judgement(named, held.source, len(held.texts), verdicts, asked.point, comparison, held.notes)


def write_judgement(judgement: Judgement, path: Path) -> None:
    """Write everything, as JSON.

    Raises:
        RunError: it cannot be written.
    """
    write_text(path, json.dumps(judgement.described(), indent=2, ensure_ascii=False) + "\n")


def measured_by(
    criterion: Criterion, confusion: Confusion, classes: Sequence[str], source: str, *, point: bool
) -> Ruling:
    """A criterion that needs no more than what was called what.

    Args:
        criterion: accuracy, macro-F1, or one of a class.
        confusion: (C, C).
        classes: names, in the order of its rows.
        source: of the texts, for what there is to say.
        point: it holds by the value itself.

    Raises:
        DataError: no text is of its class.
    """
    if criterion.of:
        return _ruled(criterion, _of_a_class(criterion, confusion, classes, source), point)
    measure = _accuracy if criterion.measure == "accuracy" else _macro_f1
    return _ruled(criterion, measure(confusion), point)


@dataclass(frozen=True)
class _Found:
    """What measures are taken of."""

    model: FrozenBiLSTM | TextTeacher
    held: HeldOut
    evaluation: Evaluation
    said: Floats  # (n, C) probabilities
    comparison: PairedComparison | None

    @cached_property
    def times(self) -> Float64s:
        """(k,) milliseconds that each of the first texts takes by itself."""
        return _timed(self.model, self.held.texts)


def _verdict(criterion: Criterion, found: _Found, point: bool) -> Ruling:
    if criterion.measure in _MEASURED:
        return _ruled(criterion, _MEASURED[criterion.measure](criterion, found), point)
    classes, source = found.model.classes, found.held.source
    return measured_by(criterion, found.evaluation.confusion, classes, source, point=point)


def _ruled(criterion: Criterion, measured: "Measured", point: bool) -> Ruling:
    value, (low, high), rows = measured
    worse = low if criterion.way == ">=" else high
    return Ruling(criterion, value, low, high, criterion.holds(value if point else worse), rows)


Measured = tuple[float, Range, int]  # value, 95 % interval, texts it rests on


def _accuracy(confusion: Confusion) -> Measured:
    return confusion.accuracy, confusion.interval, confusion.rows


def _macro_f1(confusion: Confusion) -> Measured:
    return confusion.macro_f1, confusion.macro_f1_interval, confusion.rows


def _of_a_class(criterion: Criterion, confusion: Confusion, classes: Sequence[str], source: str) -> Measured:
    """Recall is a share of the rows of a class, precision one of those taken for it."""
    place = [*classes].index(criterion.of)
    rows = int(confusion.support[place])
    if not rows:
        raise DataError(
            f"{criterion} cannot be judged, for no text of {source} has the label {criterion.of!r}; give "
            "--data with some, or leave the criterion away"
        )
    if criterion.measure == "recall":
        value = float(confusion.recall[place])
        return value, wilson(value, rows), rows
    if criterion.measure == "precision":
        value, taken = float(confusion.precision[place]), int(confusion.matrix[:, place].sum())
        return value, wilson(value, taken) if taken else (0.0, 1.0), taken
    return float(confusion.f1[place]), confusion.f1_interval(place), rows


def _loss(_: Criterion, found: _Found) -> Measured:
    losses = losses_of(found.said, found.held.labels)  # (n,) nats
    mean = float(losses.mean())
    if len(losses) < 2 or np.ptp(losses) == 0:
        return mean, (mean, mean), len(losses)
    drawn = stats.bootstrap((losses,), np.mean, n_resamples=_RESAMPLES, method="percentile", batch=100, rng=0,
                            confidence_level=LEVEL)  # fmt: skip
    return mean, (float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)), len(losses)


def _gain(_: Criterion, found: _Found) -> Measured:
    assert found.comparison is not None  # as `judge` has seen
    return found.comparison.gain, found.comparison.gain_interval, found.comparison.rows


def _latency(criterion: Criterion, found: _Found) -> Measured:
    """Milliseconds from a text to its class, one text at a time, on this machine as it is now."""
    share, times = int(criterion.measure.rpartition("p")[2]) / 100, found.times
    value = float(np.quantile(times, share, method="inverted_cdf"))
    ends = stats.quantile_test(times, q=value, p=share).confidence_interval(LEVEL)
    low, high = float(ends.low), float(ends.high)
    return value, (low if np.isfinite(low) else 0.0, high if np.isfinite(high) else np.inf), len(times)


def _timed(model: FrozenBiLSTM | TextTeacher, texts: Sequence[str]) -> Float64s:
    shown = [texts[place % len(texts)] for place in range(_WARMING + TIMED)]
    times = np.empty(len(shown))
    for place, text in enumerate(shown):
        began = time.perf_counter()
        next(iter(classify(model, [text])))
        times[place] = 1_000 * (time.perf_counter() - began)
    return times[_WARMING:]


_MEASURED: Final[dict[str, Callable[[Criterion, _Found], Measured]]] = {
    "loss": _loss,
    "gain": _gain,
    **dict.fromkeys(TIMES, _latency),
}
