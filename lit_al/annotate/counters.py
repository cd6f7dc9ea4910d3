"""What stands in a record, counted event by event: a status costs what is new since the last one, not all of it.

A text and its copies are counted as one that is done.
"""

import threading
from collections import Counter, defaultdict

from lit_al.record import Action, Event, Record


class Tally:
    """Answers, flags and notes as they are now; safe to use from several threads.

    Args:
        record: read when asked, also for what other processes have added.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        """Nothing is counted yet, and which texts are copies, and what classes are called, is as it is now."""
        self._groups, self._history = self._record.groups(), self._record.class_history
        self._first_of = self._groups.first_of
        self._seq = 0
        self._given: dict[tuple[int, str], list[tuple[str, str | None]]] = {}  # (uuid, label) that stand, oldest first
        self._labelers: dict[int, Counter[str]] = defaultdict(Counter)  # of each text or its copies, by annotator
        self._flags: set[tuple[int, str]] = set()
        self._notes: dict[tuple[int, str], str] = {}
        self._settled: dict[str, int] = {}  # texts by the event that settled them and stands
        self._by_annotator: dict[str, Counter[bool]] = defaultdict(Counter)  # labels (True) and skips (False)
        self._by_class: Counter[str] = Counter()
        self._by_depth: Counter[int] = Counter()  # texts by the number of who labeled them

    def refresh(self) -> None:
        """Count what is new."""
        with self._lock:
            if self._groups is not self._record.groups() or self._history != self._record.class_history:
                self._begin()  # texts or classes are other ones now
            for event in self._record.events_of_texts(self._seq):
                self._add(event)
                self._seq = event.seq

    def _add(self, event: Event) -> None:
        key = (event.item, event.annotator)
        match event.action:
            case Action.LABEL | Action.SKIP | Action.UNDO:
                self._change(key, event)
            case Action.SETTLE:
                self._settled[event.uuid] = event.item
            case Action.FLAG:
                self._flags.add(key)
            case Action.UNFLAG:
                self._flags.discard(key)
            case Action.NOTE:
                self._notes[key] = event.note or ""

    def _change(self, key: tuple[int, str], event: Event) -> None:
        """The last answer that stands is the one that counts: take it out, change the pile, count the new last one."""
        pile = self._given.setdefault(key, [])
        self._count(key, pile, -1)
        if event.action is Action.UNDO:
            self._settled.pop(event.undoes or "", None)
            pile[:] = [one for one in pile if one[0] != event.undoes]
        else:
            pile.append((event.uuid, event.label))
        self._count(key, pile, +1)

    def _count(self, key: tuple[int, str], pile: list[tuple[str, str | None]], sign: int) -> None:
        if not pile:
            return
        label = pile[-1][1]
        self._by_annotator[key[1]][label is not None] += sign
        if label is None:
            return
        labelers = self._labelers[self._first_of(key[0])]
        self._by_depth[len(labelers)] -= 1
        labelers[key[1]] += sign
        if not labelers[key[1]]:
            del labelers[key[1]]
        self._by_depth[len(labelers)] += 1
        self._by_class[label] += sign

    def of(self, annotator: str) -> tuple[int, int]:
        """Texts that someone has labeled, and those that they have skipped."""
        counts = self._by_annotator.get(annotator, Counter())
        return counts[True], counts[False]

    def by_class(self) -> dict[str, int]:
        """Labels given, by class, those of all annotators together."""
        return {name: self._by_class[name] for name in self._history.names}

    def labeled_by(self, annotators: int) -> int:
        """Texts labeled by so many, or by more, or settled."""
        with self._lock:
            settled = {self._first_of(item) for item in self._settled.values()}
            by_word = sum(len(self._labelers[first]) < annotators for first in settled)
            return by_word + sum(texts for depth, texts in self._by_depth.items() if depth >= annotators)

    def flagged(self, item: int, annotator: str) -> bool:
        """Has this annotator flagged this text?"""
        return (item, annotator) in self._flags

    def note(self, item: int, annotator: str) -> str:
        """This annotator's note on this text; empty where there is none."""
        return self._notes.get((item, annotator), "")
