"""Labels of a labeling run that a model has not learned: those of an audit, and those of random controls."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lit_al.delivery.held_out import HeldOut
from lit_al.delivery.random_labels import by_chance, labels_of
from lit_al.exceptions import DataError
from lit_al.record import RECORD_FILE, Record
from lit_al.record.audit import Audit, HeldBack, audits
from lit_al.utils.terminal_text import counted


def is_labeling_run(run: Path) -> bool:
    """Do people label there?"""
    if not (run / RECORD_FILE).is_file():
        return False
    with Record.open(run, check=False) as record:
        return record.count_texts() > 0


def newest_audit(run: Path, models: Iterable[Mapping[str, Any]]) -> Audit | None:
    """The newest audit of a run, where models have not learned its labels; else None.

    Args:
        run: its folder.
        models: what is known of each, `seen` and `audits_closed` among it.
    """
    found = audits(run)
    known = [(facts.get("seen"), facts.get("audits_closed")) for facts in models]
    return found[-1] if found and all(found[-1].unlearned_by(*one) for one in known) else None


def present_classes(record: Record, classes: Sequence[str], seen: int | None) -> list[str]:
    """What classes of a model are called now; those that were merged since have one name.

    Args:
        record: of the run.
        classes: C names, as the model knows them.
        seen: number of the newest event that it knew; None where that is not known.
    """
    history = record.class_history
    if seen is None:
        return [history.present(name) or name for name in classes]
    return [history.meaning(name, seen) for name in classes]


def of_audit(record: Record, audit: Audit, classes: Sequence[str]) -> HeldOut:
    """The texts of an audit and their labels, numbered by classes as they are called now.

    Raises:
        DataError: not all of them are answered, for who stops where it looks well judges by luck; or none has a label.
    """
    run, labels, groups = record.path.parent, labels_of(record), record.groups()
    answered = {groups.first_of(answer.item) for answer in record.answers()} | labels.keys()
    missing = sum(item not in answered for item in audit.items)
    if missing:
        raise DataError(
            f"{missing:,} of the {counted(len(audit.items), 'text')} of the audit have no answer yet, and it judges "
            f"when all have; they are asked first: lit-al annotate --run {run}, or lit-al label --run {run}"
        )
    found = {item: labels[item] for item in audit.items if item in labels}
    skipped = len(audit.items) - len(found)
    words = f"{counted(skipped, 'text')} of the audit have answers but no label, and judge nothing"
    notes = (words,) if skipped else ()
    source = f"audit {audit.number}, drawn at random from {audit.pool:,} that nobody had answered"
    return _held(record, found, classes, source, notes)


def since(record: Record, seen: int, classes: Sequence[str]) -> HeldOut | None:
    """Texts that chance chose and that were labeled first after an event; None where there are none.

    Who has learned no later event than that has not learned them.
    """
    labels, held = labels_of(record), set(HeldBack.of(record.path.parent).items)
    first = record.groups().first_labels(record.events_of_texts())
    drawn = {item for item, event in first.items() if event.seq > seen and by_chance(event) and item not in held}
    found = {item: label for item, label in labels.items() if item in drawn}
    return _held(record, found, classes, "random labels since", ()) if found else None


def together(one: HeldOut, other: HeldOut | None) -> HeldOut:
    """The texts of both."""
    if other is None:
        return one
    texts, labels = [*one.texts, *other.texts], np.concatenate([one.labels, other.labels])
    return HeldOut(texts, labels, f"{one.source}, and {other.source}", (*one.notes, *other.notes))


def _held(
    record: Record, labels: Mapping[int, str], classes: Sequence[str], source: str, notes: tuple[str, ...]
) -> HeldOut:
    run = record.path.parent.resolve().name
    if not labels:
        raise DataError(f"no text of {source} of {run} has a label, so that nothing can be judged by them")
    texts = {item.id: item.text or "" for item in record.items(labels)}
    number = {name: place for place, name in enumerate(classes)}
    if strangers := sorted(set(labels.values()) - number.keys()):
        raise DataError(f"the model has no class {strangers[0]!r}, which texts of {run} have; train it anew")
    values = np.array([number[label] for label in labels.values()], np.int64)
    return HeldOut([texts[item] for item in labels], values, f"{run}: {source}", notes)
