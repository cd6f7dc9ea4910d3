"""What the record says at one moment, in the trainer's terms: places in the list of texts, and class numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from lit_al.loop.state import Judgment
from lit_al.record import Action, Event, Record
from lit_al.typing import Ints

ANSWERING = (Action.LABEL, Action.SKIP, Action.UNDO)


@dataclass(frozen=True)
class Snapshot:
    """Labels to learn from, and what else decides what comes next.

    Attributes:
        seq: of the newest event.
        rows: (n,) int64 places of the texts with a label, in ascending order.
        labels: (n,) int64 their classes.
        passed: (p,) int64 places of texts that were answered and yet have no label: skipped, or nobody agrees.
        waiting: places of texts with labels of fewer annotators than wanted, the first labeled first.
        judgments: by each model that put texts before their first annotators, whether it called them as their labels
            are now.
    """

    seq: int
    rows: Ints
    labels: Ints
    passed: Ints
    waiting: tuple[int, ...]
    judgments: tuple[Judgment, ...]

    @classmethod
    def of(cls, record: Record, items: Sequence[int]) -> Self:
        """The snapshot of now.

        Args:
            record: of the run; its settings say how disagreement is resolved and how many annotators are wanted.
            items: id of the text at each place.

        Raises:
            DamagedError: an event is not what was written; nothing is learned from any then.
        """
        with record.one_moment():
            record.check_events()
            seq, answers = record.last_seq(), record.answers()
            labels = record.labels(record.settings.get("resolve") or "majority")
            first = _first_labels(record)
        place = {item: index for index, item in enumerate(items)}
        number = {name: index for index, name in enumerate(record.classes)}
        known = {place[item]: number[label] for item, label in labels.items()}
        rows = sorted(known)
        said = Counter(answer.item for answer in answers if answer.label is not None)
        wanted = int(record.settings.get("overlap") or 1)
        return cls(
            seq,
            np.array(rows, np.int64),
            np.array([known[row] for row in rows], np.int64),
            np.array(sorted({place[answer.item] for answer in answers} - known.keys()), np.int64),
            tuple(place[item] for item, count in said.items() if count < wanted),
            _judgments(first, labels, len(items) - len({answer.item for answer in answers} - labels.keys())),
        )

    @property
    def soft_labels(self) -> int:
        """Classes that have a label."""
        return len(np.unique(self.labels))


def _first_labels(record: Record) -> list[Event]:
    """The event that labeled each text first: no model had learned its label when it was shown."""
    first: dict[int, Event] = {}
    for event in record.events():
        if event.action is Action.LABEL:
            first.setdefault(event.item, event)
    return list(first.values())


def _judgments(first: Sequence[Event], labels: Mapping[int, str], texts: int) -> tuple[Judgment, ...]:
    """One by model, in the order in which they spoke first.

    Args:
        first: event that labeled each text first, in order.
        labels: as they are now, by text; the others do not count.
        texts: that have a label or are still to be asked for.
    """
    spoke: dict[int, list[Event]] = {}
    pool: dict[int, int] = {}  # texts that were left when a model spoke first
    for place, event in enumerate(event for event in first if event.item in labels):
        if event.predicted is not None:
            model = -1 if event.model_version is None else event.model_version
            pool.setdefault(model, texts - place)
            spoke.setdefault(model, []).append(event)
    return tuple(
        Judgment.of(
            model,
            pool[model],
            np.array([event.predicted == labels[event.item] for event in events]),
            np.array([event.control for event in events]),
        )
        for model, events in spoke.items()
    )


def changed_since(record: Record, seq: int) -> int:
    """Answers that are new, changed or taken back since an event; one changed twice counts once."""
    return len({(event.item, event.annotator) for event in record.events(seq) if event.action in ANSWERING})
