"""What a labeling run has come to, counted from its record at one moment: for `lit-al status` and `lit-al report`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

import numpy as np

from lit_al.annotate.agreement import Agreement
from lit_al.annotate.suggesting import Agreed, agreed
from lit_al.annotate.wording import described
from lit_al.delivery.random_labels import controls_of
from lit_al.metrics import Confusion
from lit_al.record import Action, Event, ModelVersion, Record, Resolve, TextVerdict
from lit_al.record.lock import held_by
from lit_al.record.verdicts import conflicts
from lit_al.utils.intervals import wilson

BREAK: Final = 300.0  # seconds without an answer, after which somebody was away
BY_HAND: Final = ("page", "terminal")  # sources whose times are those of people at work


@dataclass(frozen=True)
class Person:
    """What somebody did.

    Attributes:
        name: of the annotator.
        labels: texts that have a label of theirs now.
        skips: texts that they skip now.
        settled: texts whose label is the one that they settled.
        seconds: median between seeing a text and answering it; None where that was not measured.
        per_hour: answers in an hour of work, breaks left out; None with fewer than two answers in a row.
    """

    name: str
    labels: int
    skips: int
    settled: int
    seconds: float | None
    per_hour: float | None


@dataclass(frozen=True)
class ClassFindings:
    """A class, by random controls: each was called by the model of its time, before any had learned its label.

    Attributes:
        name: of the class.
        labels: texts that are of it.
        support: controls that are of it.
        found: of these, called so.
        claimed: controls that were called so.
    """

    name: str
    labels: int
    support: int
    found: int
    claimed: int

    @property
    def recall(self) -> tuple[float, float, float] | None:
        """Share of its controls that were called so, with the ends of its interval; None without one."""
        return _share(self.found, self.support)

    @property
    def precision(self) -> tuple[float, float, float] | None:
        """Share of the controls called so that are of it, likewise."""
        return _share(self.found, self.claimed)


@dataclass(frozen=True)
class Findings:
    """A run at one moment.

    Attributes:
        folder: of the run.
        created: UTC, ISO 8601.
        source: what the texts are from.
        classes: names, in the order of their numbers.
        resolve: what is done about texts on which annotators differ.
        texts: of the run; copies, of which one is asked, count once.
        answered: texts with an answer, a label or a skip, or settled.
        verdicts: by text.
        people: in the order in which they came; those who never answered are left out.
        agreement: of annotators.
        controls: (C, C) random controls, by their label (row) and what they were called.
        models: all of them, the oldest first.
        model: the newest one and what the trainer is at, as the page describes them.
        page: who is at the run now; "" where nobody is.
        suggested: what people made of suggestions from outside; None where there are none.
    """

    folder: Path
    created: str
    source: str
    classes: tuple[str, ...]
    resolve: Resolve
    texts: int
    answered: int
    verdicts: Mapping[int, TextVerdict]
    people: tuple[Person, ...]
    agreement: Agreement
    controls: Confusion
    models: tuple[ModelVersion, ...]
    model: Mapping[str, Any]
    page: str
    suggested: Agreed | None = None

    @classmethod
    def of(cls, record: Record) -> Self:
        """All that answers up to now say; nothing is written."""
        folder = record.path.parent
        page = held_by(folder)
        with record.one_moment():
            verdicts, answers, events = record.verdicts(), record.answers(), list(record.events_of_texts())
            groups, models, suggestions = record.groups(), tuple(record.models()), record.suggestions()
            texts = record.count_items() - len(groups.further)
            model = described(record, training=bool(page))
        labels = {item: one.label for item, one in verdicts.items() if one.label is not None}
        return cls(
            folder,
            record.facts.created,
            str((record.settings.get("source") or {}).get("data", "")),
            record.classes,
            record.resolve,
            texts,
            len({groups.first_of(item) for item in {answer.item for answer in answers} | verdicts.keys()}),
            verdicts,
            tuple(_people(answers, verdicts, events)),
            Agreement.of(answers, record.classes),
            controls_of(groups.first_labels(events).values(), labels, record.classes),
            models,
            model,
            page,
            agreed(suggestions, {event.item: event for event in groups.first_labels(events).values()}),
        )

    @property
    def is_demo(self) -> bool:
        """Are the texts made up?"""
        return self.source == "demo"

    @cached_property
    def labels(self) -> Mapping[str, int]:
        """Texts of each class."""
        counts = Counter(one.label for one in self.verdicts.values())
        return {name: counts[name] for name in self.classes}

    @property
    def labeled(self) -> int:
        """Texts that have a label."""
        return sum(self.labels.values())

    @property
    def left(self) -> int:
        """Texts that nobody has answered."""
        return self.texts - self.answered

    @cached_property
    def conflicts(self) -> Mapping[int, TextVerdict]:
        """Texts on which annotators differ, those without a label first, then those that nobody has settled."""
        return conflicts(self.verdicts)

    @property
    def ties(self) -> int:
        """Texts on which they differ, without a label."""
        return sum(one.tie for one in self.conflicts.values())

    @property
    def shared(self) -> int:
        """Texts that two or more have labeled."""
        return sum(len(one.votes) > 1 for one in self.verdicts.values())

    @cached_property
    def by_class(self) -> tuple[ClassFindings, ...]:
        """Each class, in order."""
        matrix = self.controls.matrix
        figures = zip(matrix.sum(axis=1).tolist(), np.diag(matrix).tolist(), matrix.sum(axis=0).tolist(), strict=True)
        return tuple(
            ClassFindings(name, self.labels[name], *found) for name, found in zip(self.classes, figures, strict=True)
        )


def _people(answers: Iterable[Any], verdicts: Mapping[int, TextVerdict], events: Iterable[Event]) -> Iterable[Person]:
    mine: dict[str, Counter[bool]] = defaultdict(Counter)
    for answer in answers:
        mine[answer.annotator][answer.label is not None] += 1
    settled = Counter(one.settled_by for one in verdicts.values())
    at_work: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.action in (Action.LABEL, Action.SKIP, Action.SETTLE):
            at_work[event.annotator] += [event] if event.source in BY_HAND else []
    for name, by_hand in at_work.items():  # in the order of their first answers
        if mine[name].total() or settled[name]:
            lead = [event.lead_ms / 1_000 for event in by_hand if event.lead_ms is not None]
            seconds = median(lead) if lead else None
            yield Person(name, mine[name][True], mine[name][False], settled[name], seconds, pace(by_hand))


def pace(events: Sequence[Event]) -> float | None:
    """Answers in an hour of work: gaps longer than `BREAK` are no work. None where nobody answered twice in a row.

    Args:
        events: of one annotator, in order, as committed.
    """
    times = [datetime.fromisoformat(event.server_time).timestamp() for event in events]
    gaps = [later - before for before, later in pairwise(times) if 0 <= later - before <= BREAK]
    return 3_600 * len(gaps) / sum(gaps) if sum(gaps) > 0 else None


def _share(part: int, whole: int) -> tuple[float, float, float] | None:
    return (part / whole, *wilson(part / whole, whole)) if whole else None
