"""What the record says at one moment, in the trainer's terms: places in the list of texts, and class numbers.

Copies of a text are one: learned from once, judged once, waited for once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from lit_al.loop.state import Judgment
from lit_al.record import Action, Event, Record
from lit_al.record.audit import HeldBack
from lit_al.typing import Ints

ANSWERING = (Action.LABEL, Action.SETTLE, Action.SKIP, Action.UNDO)


@dataclass(frozen=True)
class Snapshot:
    """Labels to learn from, and what else decides what comes next.

    Attributes:
        seq: of the newest event.
        rows: (n,) int64 places of the texts with a label, in ascending order.
        labels: (n,) int64 their classes.
        passed: (p,) int64 places of texts that were answered and yet have no label: skipped, or nobody agrees.
        waiting: places of texts with labels of fewer annotators than wanted that nobody has settled, the first labeled
            first.
        audited: places of the texts of an open audit, which are asked first and not learned from.
        audits_closed: those whose labels may be among them.
        classes: C names of them, by number.
        judgments: by each model that put texts before their first annotators, whether it called them as their labels
            are now.
    """

    seq: int
    rows: Ints
    labels: Ints
    passed: Ints
    waiting: tuple[int, ...]
    audited: tuple[int, ...]
    audits_closed: int
    classes: tuple[str, ...]
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
            seq, answers, verdicts = record.last_seq(), record.answers(), record.verdicts()
            groups, classes = record.groups(), record.classes
            first = groups.first_labels(record.events_of_texts())
        back = HeldBack.of(record.path.parent)
        held = dict.fromkeys(back.items)
        labels = groups.once({item: one.label for item, one in verdicts.items() if one.label is not None})
        labels = {item: label for item, label in labels.items() if groups.first_of(item) not in held}
        settled = {item: str(one.label) for item, one in verdicts.items() if one.settled_by}
        place = {item: index for index, item in enumerate(items)}
        number = {name: index for index, name in enumerate(classes)}
        known = {place[item]: number[label] for item, label in labels.items()}
        rows = sorted(known)
        given = {(groups.first_of(one.item), one.annotator): None for one in answers if one.label is not None}
        said = Counter(item for item, _ in given)
        judged = groups.of_each(answers, record.resolve, settled)
        done = {groups.first_of(item) for item in settled}
        passed = {groups.first_of(answer.item) for answer in answers} - judged.keys()
        asked, wanted = held.keys() | {one.item for one in answers}, int(record.settings.get("overlap") or 1)
        return cls(
            seq,
            np.array(rows, np.int64),
            np.array([known[row] for row in rows], np.int64),
            np.array(sorted({place[item] for item in asked} - known.keys()), np.int64),
            tuple(place[item] for item, count in said.items() if count < wanted and item not in done | held.keys()),
            tuple(place[item] for item in held if said[item] < wanted and item not in done),
            back.closed,
            classes,
            _judgments(first, judged, len(items) - len(groups.further) - len(passed)),
        )

    @property
    def soft_labels(self) -> int:
        """Classes that have a label."""
        return len(np.unique(self.labels))


def _judgments(first: Mapping[int, Event], labels: Mapping[int, str], texts: int) -> tuple[Judgment, ...]:
    """One by model, in the order in which they spoke first.

    Args:
        first: by text the event that labeled it first, in order.
        labels: as they are now, by text; the others do not count.
        texts: that have a label or are still to be asked for.
    """
    spoke: dict[int, list[tuple[bool, bool]]] = {}  # called right, drawn at random
    pool: dict[int, int] = {}  # texts that were left when a model spoke first
    for place, (item, event) in enumerate((item, event) for item, event in first.items() if item in labels):
        if event.predicted is not None:
            model = -1 if event.model_version is None else event.model_version
            pool.setdefault(model, texts - place)
            spoke.setdefault(model, []).append((event.predicted == labels[item], event.control))
    return tuple(
        Judgment.of(
            model,
            pool[model],
            np.array([right for right, _ in calls]),
            np.array([control for _, control in calls]),
        )
        for model, calls in spoke.items()
    )


def changed_since(record: Record, seq: int) -> int:
    """Answers that are new, changed or taken back since an event: one changed twice once, one of an audit never."""
    changed = {(event.item, event.annotator) for event in record.events(seq) if event.action in ANSWERING}
    held = set(HeldBack.of(record.path.parent).items) if changed else set()
    return sum(item not in held for item, _ in changed)
