"""Events: append them, take them back by others, and see what is current."""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any
from uuid import uuid4

from lit_al.exceptions import ConflictError, RefusedError
from lit_al.record.checksums import FLAGS, as_row, of_event
from lit_al.record.class_history import ClassChange, ClassHistory
from lit_al.record.classes import Classes, change_of
from lit_al.record.database import Unreadable, now
from lit_al.record.entries import NAMING, NO_TEXT, Action, Answer, Event, NewEvent, misfit
from lit_al.record.facts import schema_hash
from lit_al.record.sealing import seal_annotator
from lit_al.record.verdicts import Resolve, TextVerdict, verdict

_FIELDS = tuple(item.name for item in fields(NewEvent))
_SAME = ("item", "annotator", "action", "label", "note", "undoes")  # what makes two events of one uuid the same
_ALL = tuple(item.name for item in fields(Event))
_INSERT = f"INSERT INTO event({', '.join(_ALL)}) VALUES ({', '.join(f':{name}' for name in _ALL)})"

_SAID = """
    SELECT item, annotator, label, action, seq FROM answer WHERE label IS NOT NULL
    UNION ALL SELECT item, annotator, label, action, seq FROM settlement ORDER BY seq
"""


class Events(Classes):
    """The part of a record that answers are in; `Record` sets what they are held against."""

    run_id: str
    settings: dict[str, Any]

    @property
    def resolve(self) -> Resolve:
        """What the run does about texts on which annotators differ and that nobody has settled."""
        found: Resolve = self.settings.get("resolve") or "majority"
        return found

    def append(self, event: NewEvent) -> Event:
        """Add an event; it is on the disk when this returns.

        Sent again, an event is found, not added.

        Raises:
            RefusedError: an unknown text, a label outside the set, an undo of nothing or of someone else's answer.
            ConflictError: its uuid stands there with other content, or what it takes back is taken back already.
            StoreError: it could not be written.
        """
        return self.append_all([event])[0]

    def append_all(self, events: Sequence[NewEvent]) -> list[Event]:
        """Add several events, all or none.

        Raises:
            StoreError: as `append`; none was added.
        """
        for event in events:
            _check(event)
        with self.transaction() as db:
            added = [self._append(db, event) for event in events]
        self.after_commit()
        return added

    # --- Classes ------------------------------------------------------------------------------------------------------

    def change_classes(self, change: ClassChange, annotator: str, source: str = "project") -> Event:
        """Add, rename or merge classes, from now on and for all that was said.

        Args:
            change: what becomes of them.
            annotator: who did it.
            source: as of an event.

        Raises:
            RefusedError: as `ClassHistory.after`.
            StoreError: it could not be written.
        """
        uuid = str(uuid4())
        return self.append(NewEvent(uuid, NO_TEXT, annotator, Action.CLASSES, note=change.note, source=source))

    # --- Events -------------------------------------------------------------------------------------------------------

    def after_commit(self) -> None:
        """What follows once events are on the disk."""

    def _append(self, db: sqlite3.Connection, event: NewEvent) -> Event:
        history = self.class_history
        label = history.present(event.label)
        if event.action in NAMING and label is None:
            known = ", ".join(map(repr, history.names))
            raise RefusedError(f"{event.label!r} is not a label of this run; its labels are {known}")
        there = db.execute("SELECT * FROM event WHERE uuid = ?", (event.uuid,)).fetchone()
        if there is not None:
            return _same(_event(there), event, history)
        event = replace(event, label=label)  # a page may not know yet what a class is called now
        if event.action is Action.CLASSES:
            history.after(0, change_of(vars(event)))
        elif db.execute("SELECT 1 FROM item WHERE id = ?", (event.item,)).fetchone() is None:
            raise RefusedError(f"there is no text {event.item} in this run")
        if event.action is Action.UNDO:
            _check_undo(db, event)
        moment = now()
        met = db.execute("INSERT OR IGNORE INTO annotator(name, created) VALUES (?, ?)", (event.annotator, moment))
        if met.rowcount:
            seal_annotator(db, event.annotator)
        late = _end_lease(db, event) if event.action in (Action.LABEL, Action.SKIP) else False
        last = db.execute("SELECT seq, checksum FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        values: dict[str, Any] = {name: getattr(event, name) for name in _FIELDS}
        if event.probability is not None:
            values["probability"] = float(event.probability)  # as it comes back, and so as it is checked
        values |= {"seq": last["seq"] + 1 if last else 1, "server_time": moment, "late": late}
        values |= {"schema_hash": schema_hash(history.names)}
        values["checksum"] = of_event(values, last["checksum"] if last else self.run_id)
        db.execute(_INSERT, as_row(values))
        return Event(**values)

    def event(self, uuid: str) -> Event | None:
        """The event of a uuid, with classes as they are called now."""
        with self.told():
            row = self.db.execute("SELECT * FROM event WHERE uuid = ?", (uuid,)).fetchone()
            return None if row is None else _as_now(_event(row), self.class_history)

    def events(self, since: int = 0) -> Iterator[Event]:
        """All events after a sequence number, in order, to the letter."""
        with self.told():
            for row in self.db.execute("SELECT * FROM event WHERE seq > ? ORDER BY seq", (since,)):
                yield _event(row)

    def events_of_texts(self, since: int = 0) -> Iterator[Event]:
        """Those that are about texts, with classes as they are called now."""
        history = self.class_history
        return (_as_now(event, history) for event in self.events(since) if event.action is not Action.CLASSES)

    def last_seq(self) -> int:
        """Of the newest event; 0 where there is none."""
        with self.told():
            return int(self.db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])

    def answers(self, annotator: str | None = None) -> list[Answer]:
        """What each annotator, or one, says of each text now, in the order of saying it."""
        query = "SELECT * FROM answer WHERE ?1 IS NULL OR annotator = ?1 ORDER BY seq"
        with self.told():
            history = self.class_history
            return [_answer(row, history) for row in self.db.execute(query, (annotator,))]

    def history(self, annotator: str, limit: int = 50, before: int | None = None) -> list[Event]:
        """An annotator's labels and skips, the newest first, without those taken back or given anew since.

        Args:
            annotator: whose.
            limit: of the list.
            before: a sequence number to begin below.
        """
        query = "SELECT * FROM answer WHERE annotator = ?1 AND (?2 IS NULL OR seq < ?2) ORDER BY seq DESC LIMIT ?3"
        with self.told():
            history = self.class_history
            return [_as_now(_event(row), history) for row in self.db.execute(query, (annotator, before, limit))]

    def verdicts(self, resolve: Resolve | None = None) -> dict[int, TextVerdict]:
        """What each text is that somebody has labeled or settled, and why (`record.verdicts`); skips count for nothing.

        Args:
            resolve: what a text is on which annotators differ and that nobody has settled; as the run does if not
                given.
        """
        resolve = resolve or self.resolve
        votes: dict[int, list[tuple[str, str]]] = defaultdict(list)
        settled: dict[int, tuple[str, str]] = {}
        with self.told():
            history = self.class_history
            for item, annotator, word, action, seq in self.db.execute(_SAID):
                label = history.meaning(word, seq)
                if action == Action.SETTLE:
                    settled[item] = annotator, label
                else:
                    votes[item].append((annotator, label))
        return {item: verdict(votes[item], settled.get(item), resolve) for item in sorted(votes.keys() | settled)}

    def labels(self, resolve: Resolve | None = None) -> dict[int, str]:
        """One label for each text that has one, the label of its verdict.

        Args:
            resolve: as of `verdicts`.
        """
        found = ((item, one.label) for item, one in self.verdicts(resolve).items())
        return {item: label for item, label in found if label is not None}

    def flags(self) -> set[tuple[int, str]]:
        """Texts that are flagged now, each with the annotator who did it."""
        last: dict[tuple[int, str], str] = {}
        query = "SELECT item, annotator, action FROM event WHERE action IN ('flag', 'unflag') ORDER BY seq"
        with self.told():
            for row in self.db.execute(query):
                last[row["item"], row["annotator"]] = row["action"]
        return {key for key, action in last.items() if action == "flag"}

    def notes(self) -> dict[tuple[int, str], str]:
        """The last note of each annotator on each text; an empty one takes it away."""
        query = "SELECT item, annotator, note FROM event WHERE action = 'note' ORDER BY seq"
        with self.told():
            last = {(row["item"], row["annotator"]): str(row["note"]) for row in self.db.execute(query)}
        return {key: note for key, note in last.items() if note}


def _check(event: NewEvent) -> None:
    """What can be seen without the file."""
    if not event.uuid or not event.annotator:
        raise RefusedError("an event needs a uuid and an annotator")
    if why := misfit(vars(event)):
        raise RefusedError(f"an event's {why}; mend it")


def _check_undo(db: sqlite3.Connection, event: NewEvent) -> None:
    target = db.execute("SELECT * FROM event WHERE uuid = ?", (event.undoes,)).fetchone()
    if target is None:
        raise RefusedError(f"there is no answer {event.undoes!r} to take back")
    if (target["annotator"], target["item"]) != (event.annotator, event.item):
        raise RefusedError("an annotator can take back an answer of their own alone, by the text that it was given to")
    if target["action"] not in (*NAMING, Action.SKIP):
        raise RefusedError(f"a {target['action']} cannot be taken back; a label, a skip or a settlement can")
    if db.execute("SELECT 1 FROM event WHERE undoes = ?", (event.undoes,)).fetchone():
        raise ConflictError("this answer has been taken back already")


def _end_lease(db: sqlite3.Connection, event: NewEvent) -> bool:
    """Give the text free; was the answer late?"""
    key = (event.item, event.annotator)
    lease = db.execute("SELECT until FROM lease WHERE item = ? AND annotator = ?", key).fetchone()
    if lease is None:
        return False
    db.execute("DELETE FROM lease WHERE item = ? AND annotator = ?", key)
    return float(lease["until"]) <= time.time()


def _same(there: Event, event: NewEvent, history: ClassHistory) -> Event:
    for name in _SAME:
        if getattr(there, name) != getattr(event, name):
            if name == "label" and _is_same_class(there, event, history):
                continue  # another word for it
            raise ConflictError(
                f"event {event.uuid} is on record with {name} {getattr(there, name)!r}, not {getattr(event, name)!r}; "
                "a new event needs a new uuid"
            )
    return there


def _is_same_class(there: Event, event: NewEvent, history: ClassHistory) -> bool:
    return there.label is not None and history.meaning(there.label, there.seq) == history.present(event.label)


def _event(row: sqlite3.Row) -> Event:
    values: dict[str, Any] = dict(row)
    values.update({name: bool(values[name]) for name in FLAGS})
    values["item"] = NO_TEXT if values["item"] is None else values["item"]
    try:
        return Event(**{**values, "action": Action(values["action"])})
    except ValueError:
        raise Unreadable(f"event {values['seq']} has the action {values['action']!r}") from None


def _answer(row: sqlite3.Row, history: ClassHistory) -> Answer:
    values = {item.name: row[item.name] for item in fields(Answer)}
    values |= {"control": bool(values["control"]), **_words_now(row, history)}
    return Answer(**values)


def _as_now(event: Event, history: ClassHistory) -> Event:
    """The event with classes as they are called now."""
    return replace(event, **_words_now(vars(event), history)) if history.seqs else event


def _words_now(values: Any, history: ClassHistory) -> dict[str, Any]:
    words = {name: values[name] for name in ("label", "predicted")}
    return {name: word and history.meaning(word, values["seq"]) for name, word in words.items()}
