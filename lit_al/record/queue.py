"""Who gets which text next.

A text is leased to whom it was handed to, so that nobody else gets it meanwhile; a lease that runs out gives it free
again. Clocks may jump: a lease that ends further ahead than any lease can has run out too. Of copies one is handed out,
and whoever has answered one has answered all.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Literal

from lit_al.record.class_history import ClassHistory
from lit_al.record.entries import Queued
from lit_al.record.groups import Groups
from lit_al.record.rankings import as_ranked
from lit_al.record.schema import run
from lit_al.record.texts import as_item

QueueState = Literal["open", "wait", "skipped", "finished"]

LONGEST_LEASE = 3_600.0  # seconds

# Texts that an annotator may be given: not answered or skipped by them, settled by nobody, and wanted by fewer others
# than overlap allows. Said of ids alone, so that the texts that many have answered are passed over without being read.
# `copy` is filled for each connection: a text of a group, and the one of them that is handed out.
_COPY = """
    CREATE TEMP TABLE IF NOT EXISTS copy(item INTEGER PRIMARY KEY, first INTEGER NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS temp.copy_first ON copy(first);
    DELETE FROM copy;
"""
_ALIKE = "(SELECT {id} UNION ALL SELECT c.item FROM copy c WHERE c.first = {id} AND c.item <> {id})"
_FREE = """
    NOT EXISTS (SELECT 1 FROM copy d WHERE d.item = {id} AND d.first <> {id})
    AND NOT EXISTS (SELECT 1 FROM standing m WHERE m.item IN {alike} AND m.annotator = :me)
    AND {id} NOT IN (SELECT value FROM json_each(:exclude))
    AND NOT EXISTS (SELECT 1 FROM settlement e WHERE e.item IN {alike})
    AND (
        SELECT count(DISTINCT a.annotator) FROM answer a
        WHERE a.item IN {alike} AND a.annotator <> :me AND a.label IS NOT NULL
    ) + (
        SELECT count(*) FROM lease l
        WHERE :leases AND l.item = {id} AND l.annotator <> :me AND l.until > :now AND l.until <= :latest
        AND NOT EXISTS (
            SELECT 1 FROM answer b WHERE b.item IN {alike} AND b.annotator = l.annotator AND b.label IS NOT NULL
        )
    ) < :overlap
"""


def _free(id: str) -> str:
    """For a column of ids."""
    return _FREE.format(id=id, alike=_ALIKE.format(id=id))


_RANKED = f"""
    SELECT i.*, f.*, g.model_version, g.strategy, g.labels_seen FROM (
        SELECT * FROM ranking r WHERE r.generation = (SELECT max(id) FROM generation) AND {_free("r.item")}
        ORDER BY r.rank LIMIT :n
    ) f JOIN item i ON i.id = f.item JOIN generation g ON g.id = f.generation WHERE i.text IS NOT NULL ORDER BY f.rank
"""
_UNRANKED = f"""
    SELECT i.* FROM (
        SELECT p.id, p.place FROM item p WHERE {_free("p.id")} ORDER BY p.place LIMIT :n
    ) f JOIN item i ON i.id = f.id WHERE i.text IS NOT NULL ORDER BY f.place
"""
_SKIPPED = f"""
    SELECT 1 FROM answer s WHERE s.annotator = :me AND s.label IS NULL
    AND NOT EXISTS (SELECT 1 FROM settlement e WHERE e.item IN {_ALIKE.format(id="s.item")}) AND (
        SELECT count(DISTINCT a.annotator) FROM answer a
        WHERE a.item IN {_ALIKE.format(id="s.item")} AND a.label IS NOT NULL
    ) < :overlap LIMIT 1
"""


class Queue(Groups):
    """The part of a record that hands texts out."""

    def _know_copies(self) -> None:
        """Put the copies where the queries of this thread's connection find them."""
        groups = self.groups()
        if getattr(self._own, "groups", None) is not groups:
            run(self.db, _COPY)
            pairs = ((item, group[0]) for group in groups.members for item in group)
            with self.one_moment():
                self.db.executemany("INSERT INTO copy VALUES (?, ?)", pairs)
            self._own.groups = groups

    def next_items(
        self,
        annotator: str,
        n: int,
        *,
        overlap: int = 1,
        lease_seconds: float = 600.0,
        exclude: Iterable[int] = (),
    ) -> tuple[list[Queued], QueueState]:
        """Hand out the next texts and lease them.

        They come from the newest ranking; where it is used up, or there is none, from all texts in an order of their
        own.

        Args:
            annotator: to whom; on record.
            n: texts at most.
            overlap: annotators that each text is to be labeled by.
            lease_seconds: how long nobody else gets them.
            exclude: texts that this annotator holds already; their leases are renewed.

        Returns:
            The texts, and `open`; where there are none, `wait` if others hold all that is left, `skipped` if only texts
            are left that this annotator skipped, else `finished`.
        """
        held = [int(item) for item in exclude]
        clock = time.time()
        values = {
            "me": annotator,
            "exclude": json.dumps(held),
            "now": clock,
            "latest": clock + LONGEST_LEASE,
            "overlap": overlap,
            "leases": 1,
            "n": n,
        }
        until = clock + min(lease_seconds, LONGEST_LEASE)
        self._know_copies()
        with self.transaction() as db:
            history = self.class_history
            found = [_queued(row, history) for row in db.execute(_RANKED, values)]
            if len(found) < n:
                taken = held + [one.item.id for one in found]
                rest = {**values, "exclude": json.dumps(taken), "n": n - len(found)}
                found += [Queued(as_item(row)) for row in db.execute(_UNRANKED, rest)]
            _lease(db, annotator, [one.item.id for one in found] + held, until)
            state = _state(db, values) if not found and not held else "open"
        return found, state

    def release(self, annotator: str | None = None) -> None:
        """Give free all that an annotator, or everyone, holds."""
        with self.transaction() as db:
            db.execute("DELETE FROM lease WHERE ?1 IS NULL OR annotator = ?1", (annotator,))


def _lease(db: sqlite3.Connection, annotator: str, items: Sequence[int], until: float) -> None:
    db.executemany(
        "INSERT INTO lease SELECT id, ?, ? FROM item WHERE id = ? "
        "AND NOT EXISTS (SELECT 1 FROM standing s WHERE s.item = item.id AND s.annotator = ?1) "
        "ON CONFLICT (item, annotator) DO UPDATE SET until = excluded.until",
        ((annotator, until, item) for item in items),
    )


def _state(db: sqlite3.Connection, values: dict[str, object]) -> QueueState:
    """Why there is nothing."""
    if db.execute(_UNRANKED, {**values, "leases": 0, "n": 1}).fetchone():
        return "wait"
    return "skipped" if db.execute(_SKIPPED, values).fetchone() else "finished"


def _queued(row: sqlite3.Row, history: ClassHistory) -> Queued:
    ranked = as_ranked(row, history)
    predicted = ranked.predicted
    return Queued(
        as_item(row),
        row["generation"],
        row["rank"],
        ranked.control,
        row["model_version"],
        predicted,
        ranked.probabilities[predicted] if predicted else None,
        row["strategy"],
        ranked.reason,
    )
