"""Texts found in a record, by what they say and by what was said of them; and all that was said of a few.

A search reads texts in the order of their ids, a window at a time, and stops where it has found enough or has taken
long enough: whoever asks goes on from there. SQLite compares words outside the interpreter's lock, so that a search of
100,000 texts holds up nobody's answer.
"""

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from lit_al.record.entries import Action, Item
from lit_al.record.store import Record
from lit_al.record.texts import as_item
from lit_al.record.verdicts import Resolve, TextVerdict, verdict

Only = Literal["", "labeled", "unlabeled", "skipped", "flagged", "noted", "disagreement", "settled"]

WINDOW: Final = 5_000  # texts between two looks at the clock
PATIENCE: Final = 0.4  # seconds

_MINE = "(:annotator = '' OR {}.annotator = :annotator)"
_ANSWERED = f"EXISTS (SELECT 1 FROM answer a WHERE a.item = item.id AND {_MINE.format('a')} AND a.label IS {{}})"
_SETTLED = "EXISTS (SELECT 1 FROM settlement s WHERE s.item = item.id{})"
_MARKED = f"""
    EXISTS (SELECT 1 FROM event e WHERE e.item = item.id AND {_MINE.format("e")} AND {{is_set}} AND NOT EXISTS (
        SELECT 1 FROM event l WHERE l.item = e.item AND l.annotator = e.annotator AND l.action IN ({{actions}})
        AND l.seq > e.seq
    ))
"""
_CALLED = "called({0}.label, {0}.seq)"  # a class by its present name; see `_know_classes`
_GIVEN = f"""
    (EXISTS (SELECT 1 FROM answer a WHERE a.item = item.id AND {_MINE.format("a")} AND {_CALLED.format("a")} = :label)
    OR :annotator = '' AND {_SETTLED.format(f" AND {_CALLED.format('s')} = :label")})
"""
_LABELED = f"({_ANSWERED.format('NOT NULL')} OR :annotator = '' AND {_SETTLED.format('')})"
_DIFFER = f"(SELECT count(DISTINCT {_CALLED.format('a')}) FROM answer a WHERE a.item = item.id) > 1"
_ONLY: dict[str, str] = {
    "labeled": _LABELED,
    "unlabeled": f"NOT {_LABELED}",
    "skipped": _ANSWERED.format("NULL"),
    "flagged": _MARKED.format(is_set="e.action = 'flag'", actions="'flag', 'unflag'"),
    "noted": _MARKED.format(is_set="e.action = 'note' AND e.note <> ''", actions="'note'"),
    "disagreement": _DIFFER,
    "settled": _SETTLED.format(""),
}
_PART = "item.id IN (SELECT value FROM json_each(:items))"
_SAID = """
    SELECT item, annotator, label, action, uuid, seq FROM answer WHERE item IN (SELECT value FROM json_each(:items))
    UNION ALL SELECT item, annotator, label, action, uuid, seq FROM settlement
    WHERE item IN (SELECT value FROM json_each(:items)) ORDER BY seq
"""
_MARKS = """
    SELECT item, annotator, action, note FROM event
    WHERE action IN ('flag', 'unflag', 'note') AND item IN (SELECT value FROM json_each(:items)) ORDER BY seq
"""
_IN_CONFLICT = f"""
    SELECT item FROM answer a WHERE label IS NOT NULL GROUP BY item HAVING count(DISTINCT {_CALLED.format("a")}) > 1
"""


@dataclass(frozen=True)
class Search:
    """Which texts are wanted; what is left empty does not matter.

    Attributes:
        words: that stand in the text side by side, in capitals or not.
        label: that was given to it.
        annotator: whose answers, flags and notes are asked about; "" for those of all, and settlements too.
        only: those that are so.
        among: ids of texts, others are left out; None for all.
    """

    words: str = ""
    label: str = ""
    annotator: str = ""
    only: Only = ""
    among: Collection[int] | None = None


@dataclass
class Opinions:
    """All that stands of a text.

    Attributes:
        answers: annotators, labels (None for a skip) and uuids, in the order of saying.
        settled: who settled it, as what, and the uuid; None where nobody has.
        flags: who flagged it.
        notes: by annotator, empty ones left out.
    """

    answers: list[tuple[str, str | None, str]] = field(default_factory=list)
    settled: tuple[str, str, str] | None = None
    flags: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)

    def verdict(self, resolve: Resolve) -> TextVerdict:
        """What the text is."""
        votes = [(annotator, label) for annotator, label, _ in self.answers if label is not None]
        said = votes or self.settled  # a rule makes a label of one vote or more
        return verdict(votes, self.settled and self.settled[:2], resolve) if said else TextVerdict((), None)


def found(record: Record, search: Search, after: int, n: int) -> tuple[list[Item], int | None]:
    """The next texts that are wanted, by id.

    Args:
        record: of the run.
        search: what is wanted; of copies that nobody is asked for none is `unlabeled`.
        after: an id, to go on behind it.
        n: texts at most.

    Returns:
        The texts, and the id to go on after; None where all were looked at.
    """
    words = search.words.casefold() if not search.words.isascii() else search.words.lower()
    values: dict[str, Any] = {"words": words, "label": search.label, "annotator": search.annotator}
    values["items"] = json.dumps(None if search.among is None else [*search.among])
    query = f"SELECT item.* FROM item WHERE {' AND '.join(_conditions(search))} ORDER BY item.id"
    passed = record.groups().further if search.only == "unlabeled" else frozenset[int]()
    texts: list[Item] = []
    until = time.monotonic() + PATIENCE
    with record.told():
        db = _know_classes(record)
        if not words.isascii():
            db.create_function("folded", 1, _folded, deterministic=True)
        while (last := _window(record, after)) is not None:
            for row in db.execute(query, {**values, "after": after, "last": last}):
                if row["id"] in passed:
                    continue
                texts.append(as_item(row))
                if len(texts) == n:
                    return texts, texts[-1].id
            after = last
            if time.monotonic() > until:
                return texts, after
    return texts, None


def _window(record: Record, after: int) -> int | None:
    """The last id of the texts to look at next; None where there are none."""
    query = "SELECT max(id) FROM (SELECT id FROM item WHERE id > ? ORDER BY id LIMIT ?)"
    last: int | None = record.db.execute(query, (after, WINDOW)).fetchone()[0]
    return last


def _conditions(search: Search) -> Iterable[str]:
    yield "item.id > :after AND item.id <= :last AND item.text IS NOT NULL"
    if search.among is not None:
        yield _PART
    if search.only:
        yield _ONLY[search.only]
    if search.label:
        yield _GIVEN
    if search.words:  # SQLite's own `lower` knows the letters of ASCII
        yield f"instr({'lower' if search.words.isascii() else 'folded'}(item.text), :words) > 0"


def _know_classes(record: Record) -> sqlite3.Connection:
    """This thread's connection, in which `called` is what a class is called now."""
    meaning = record.class_history.meaning
    record.db.create_function("called", 2, lambda word, seq: word and meaning(word, seq))
    return record.db


def _folded(text: object) -> str:
    return text.casefold() if isinstance(text, str) else ""


def said(record: Record, items: Collection[int]) -> dict[int, Opinions]:
    """What stands of each of a few texts."""
    known: dict[int, Opinions] = defaultdict(Opinions)
    values = {"items": json.dumps([*items])}
    history = record.class_history
    with record.told():
        for item, annotator, word, action, uuid, seq in record.db.execute(_SAID, values):
            label = word and history.meaning(word, seq)
            if action == Action.SETTLE:
                known[item].settled = (annotator, label, uuid)
            else:
                known[item].answers.append((annotator, label, uuid))
        for item, annotator, action, note in record.db.execute(_MARKS, values):
            if action == Action.NOTE:
                known[item].notes[annotator] = note
            elif action == Action.FLAG:
                known[item].flags.add(annotator)
            else:
                known[item].flags.discard(annotator)
    for one in known.values():
        one.notes = {annotator: note for annotator, note in one.notes.items() if note}
    return {item: known[item] for item in items}


def in_conflict(record: Record) -> list[int]:
    """Texts on which annotators differ, settled or not."""
    with record.told():
        return [int(row[0]) for row in _know_classes(record).execute(_IN_CONFLICT)]


def settlements(record: Record, annotator: str, n: int, before: int | None = None) -> list[tuple[int, str, int]]:
    """Texts that someone has settled, the latest first, each with the uuid and the sequence number of the event."""
    query = """
        SELECT item, uuid, seq FROM settlement WHERE annotator = ?1 AND (?2 IS NULL OR seq < ?2)
        ORDER BY seq DESC LIMIT ?3
    """
    with record.told():
        return [tuple(row) for row in record.db.execute(query, (annotator, before, n))]
