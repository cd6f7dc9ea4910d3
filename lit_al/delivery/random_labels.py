"""Labels of texts that chance chose: which they are, and what models called them before any had learned them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from lit_al.metrics import Confusion
from lit_al.record import Event, Record
from lit_al.record.audit import STRATEGY as AUDIT

RANDOM: Final = ("random", AUDIT)  # strategies that chance alone decides


def labels_of(record: Record) -> dict[int, str]:
    """One label for each text that has one, whatever its copies; by the text that is asked."""
    settled = {item: str(one.label) for item, one in record.verdicts().items() if one.settled_by}
    return record.groups().of_each(record.answers(), record.resolve, settled)


def by_chance(event: Event) -> bool:
    """Was the text of a label drawn at random?"""
    return event.control or event.strategy in RANDOM


def controls_of(first: Iterable[Event], labels: Mapping[int, str], classes: Sequence[str]) -> Confusion:
    """What models called random controls, each before any had learned it, by their labels now.

    Args:
        first: of each text the event that labeled it first.
        labels: by text.
        classes: names, in the order of the rows.
    """
    number = {name: place for place, name in enumerate(classes)}
    matrix = np.zeros((len(classes),) * 2, np.int64)
    for event in first:
        if event.control and event.predicted in number and event.item in labels:
            matrix[number[labels[event.item]], number[event.predicted]] += 1
    return Confusion(matrix)
