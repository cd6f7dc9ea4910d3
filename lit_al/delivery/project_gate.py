"""`lit-al gate RUN` without held-out texts: a labeling run judged by its audit, else by its random controls.

Both are honest: no model has learned the labels of an audit, and each control was called by the model of its time
before any had learned it. An audit judges the very model that is asked about; controls say how models like it did.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lit_al.criteria import Criterion, read_criteria
from lit_al.delivery.delivery_options import GateOptions
from lit_al.delivery.gate import Judgement, Ruling, judge_by, measured_by
from lit_al.delivery.held_out import reading_model
from lit_al.delivery.project_versions import Version, version_of
from lit_al.delivery.random_labels import controls_of, labels_of
from lit_al.delivery.unlearned import is_labeling_run, newest_audit, of_audit, present_classes
from lit_al.exceptions import ConfigError, DataError
from lit_al.loop.estimation import LEAST
from lit_al.metrics import Confusion
from lit_al.models.model_registry import digest_of
from lit_al.models.named_model import split_version
from lit_al.models.request import model_at
from lit_al.record import Record
from lit_al.record.audit import Audit, close, draw, note_look
from lit_al.utils.terminal_text import counted

OF_SHARES = ("accuracy", "macro-f1", "recall", "precision", "f1")  # measures that need no probabilities


def manage_audit(asked: GateOptions) -> str:
    """Draw an audit, or close it; what was done, in words.

    Raises:
        LitALError: it cannot be done.
    """
    run = _run_of(asked)
    with Record.open(run) as record:
        if asked.close_audit:
            audit = close(record)
            return f"audit {audit.number} is closed; models learn its {counted(len(audit.items), 'text')} from now on"
        assert asked.audit is not None  # as the options say
        audit = draw(record, asked.audit)
        left = _left(record, audit)
    if not left:
        return f"all {counted(len(audit.items), 'text')} of audit {audit.number} have an answer; judge with --require"
    return (
        f"audit {audit.number}: {left:,} of {counted(len(audit.items), 'text')} have no answer yet, drawn at random "
        f"from {audit.pool:,} that nobody had answered; they are asked first, and no model learns them: "
        f"lit-al annotate --run {run}, or lit-al label --run {run}"
    )


def judge_project(asked: GateOptions) -> Judgement:
    """Judge a model of a labeling run by labels of the run that it has not learned.

    Raises:
        LitALError: criteria or a model that cannot be read, labels that are missing, or that judge no such criterion.
    """
    assert asked.require is not None  # as the options say
    run, criteria = _run_of(asked), read_criteria(asked.require)
    found = model_at(asked.model)
    version = version_of(run, found.version) if found.version else None
    with Record.open(run) as record:
        audit = draw(record, asked.audit) if asked.audit else newest_audit(run, [version.facts if version else {}])
        if audit is not None:
            known = reading_model(found.weights).classes
            classes = present_classes(record, known, version.facts.get("seen") if version else None)
            if len(set(classes)) < len(known):
                raise DataError(f"classes of {run} were merged since {asked.model} learned them; train it anew")
            held = of_audit(record, audit, classes)
            judgement = judge_by(asked, criteria, held)
            look = {"at": "", "model": digest_of(found.weights), "labels": len(held.texts), "criteria": asked.require,
                    "passed": judgement.passed}  # fmt: skip
            looks = note_look(run, look)
            return replace(judgement, notes=(*judgement.notes, *_said_of_looks(looks, audit)))
        if asked.baseline is not None:
            raise ConfigError("--baseline compares on texts that neither has learned; give --data, or draw an --audit")
        if version is None:
            raise ConfigError(f"{asked.model} is no version of {run}; give --data with labels that it has not learned")
        return _by_controls(asked, criteria, version, record)


def _run_of(asked: GateOptions) -> Path:
    run, _ = split_version(asked.model)
    if not is_labeling_run(run):
        raise ConfigError(
            f"{run} is no run in which people label, so that it has no labels to judge by; give --data with labeled "
            "texts that the model has not learned from"
        )
    return run


def _left(record: Record, audit: Audit) -> int:
    groups = record.groups()
    answered = {groups.first_of(answer.item) for answer in record.answers()} | labels_of(record).keys()
    return sum(item not in answered for item in audit.items)


def _said_of_looks(looks: int, audit: Audit) -> Iterator[str]:
    if looks > 1:
        yield (
            f"this is look {looks} at audit {audit.number}: a model that is not good enough has had {looks} chances to "
            "pass by luck, which the intervals do not count; after a few, close it and draw another (--close-audit)"
        )


# --- By random controls -----------------------------------------------------------------------------------------------


def _by_controls(asked: GateOptions, criteria: tuple[Criterion, ...], version: Version, record: Record) -> Judgement:
    """Accuracy as the run estimates it of this version (docs/estimate.md), the rest by all its random controls."""
    for criterion in criteria:
        criterion.check_class(record.classes)
        if criterion.measure not in OF_SHARES:
            raise ConfigError(f"{criterion} is of one model and of held-out texts; give --data, or draw an --audit")
        if version.facts["by"] != "annotate" and criterion.measure != "accuracy":
            raise ConfigError(
                f"{criterion} of a version of lit-al fit is judged by texts that it has not learned; give --data, or "
                "draw an --audit"
            )
    labels = {item: one.label for item, one in record.verdicts().items() if one.label is not None}
    confusion = controls_of(record.groups().first_labels(record.events_of_texts()).values(), labels, record.classes)
    rulings = tuple(_ruling(one, version, confusion, record, point=asked.point) for one in criteria)
    words = "recall, precision and F1 are those of the models of their time, which had learned less than this one"
    notes = (words,) if any(one.measure != "accuracy" for one in criteria) else ()
    run = record.path.parent.resolve().name
    source = f"{run} that chance chose" if version.facts["by"] != "annotate" else f"{run}, random controls"
    rows = max(ruling.rows for ruling in rulings)
    return Judgement(f"version {version.number} of {run}", source, rows, rulings, asked.point, None, notes)


def _ruling(criterion: Criterion, version: Version, confusion: Confusion, record: Record, *, point: bool) -> Ruling:
    if criterion.measure != "accuracy":
        if confusion.rows < LEAST:
            raise DataError(_too_few(record, version))
        return measured_by(criterion, confusion, record.classes, "the random controls", point=point)
    figures = version.facts["figures"]
    if version.facts["by"] != "annotate":
        figures = ((version.facts.get("results") or {}).get("cross_validation") or {}).get("drawn")
    if not figures:
        raise DataError(_too_few(record, version))
    worse = figures["low"] if criterion.way == ">=" else figures["high"]
    value = figures["accuracy"]
    holds = criterion.holds(value if point else worse)
    return Ruling(criterion, value, figures["low"], figures["high"], holds, figures["rows"])


def _too_few(record: Record, version: Version) -> str:
    run = record.path.parent
    return (
        f"version {version.number} of {run} cannot be judged: fewer than {LEAST} labels are of texts that chance "
        f"chose; label on, draw an audit with lit-al gate {run} --audit 200, or give --data"
    )
