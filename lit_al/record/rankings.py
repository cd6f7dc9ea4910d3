"""What models leave in a record: rankings, checkpoints, rounds, small facts."""

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from lit_al.exceptions import StoreError
from lit_al.record.class_history import ClassHistory
from lit_al.record.classes import Classes
from lit_al.record.database import Unreadable, json_object, now
from lit_al.record.entries import Generation, ModelVersion, NewGeneration, Ranked, RoundFacts

_RANKED = "SELECT r.*, g.labels_seen FROM ranking r JOIN generation g ON g.id = r.generation"


class Rankings(Classes):
    """The part of a record that trainers write."""

    def publish(self, generation: NewGeneration, ranked: Sequence[Ranked]) -> int:
        """Put a whole ranking in force; readers see the old one until it is there.

        Returns:
            The number of the generation.
        """
        with self.transaction() as db:
            cursor = db.execute(
                "INSERT INTO generation(model_version, strategy, labels_seen, n, created) VALUES (?, ?, ?, ?, ?)",
                (generation.model_version, generation.strategy, generation.labels_seen, len(ranked), now()),
            )
            number = cursor.lastrowid or 0
            db.executemany(
                "INSERT INTO ranking VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (number, rank, one.item, _finite(one.score), one.reason, json.dumps(dict(one.probabilities)),
                     one.control)
                    for rank, one in enumerate(ranked)
                ),
            )  # fmt: skip
        return number

    def newest_generation(self) -> Generation | None:
        """The ranking in force."""
        with self.told():
            row = self.db.execute("SELECT * FROM generation ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else _generation(row)

    def generations(self) -> list[Generation]:
        """All rankings, the oldest first."""
        with self.told():
            return [_generation(row) for row in self.db.execute("SELECT * FROM generation ORDER BY id")]

    def ranked(self, generation: int) -> list[Ranked]:
        """The texts of a ranking, the most wanted first."""
        query = f"{_RANKED} WHERE generation = ? ORDER BY rank"
        with self.told():
            history = self.class_history
            return [as_ranked(row, history) for row in self.db.execute(query, (generation,))]

    def ranked_item(self, generation: int, item: int) -> Ranked | None:
        """What a ranking says of a text; None where it does not hold it."""
        query = f"{_RANKED} WHERE generation = ? AND item = ?"
        with self.told():
            row = self.db.execute(query, (generation, item)).fetchone()
            return None if row is None else as_ranked(row, self.class_history)

    def add_model(self, model: ModelVersion) -> None:
        """Note a checkpoint that has been written and read back."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO model VALUES (?, ?, ?, ?, ?, ?, ?)",
                (model.version, model.path, model.sha256, model.labels_seen, model.labels,
                 json.dumps(dict(model.facts)), now()),
            )  # fmt: skip

    def models(self) -> list[ModelVersion]:
        """All of them, the oldest first."""
        with self.told():
            return [_model(row) for row in self.db.execute("SELECT * FROM model ORDER BY version")]

    def newest_model(self) -> ModelVersion | None:
        """The last one noted; the page asks with every answer, and so no other is read."""
        with self.told():
            row = self.db.execute("SELECT * FROM model ORDER BY version DESC LIMIT 1").fetchone()
            return None if row is None else _model(row)

    def begin_round(
        self, number: int, rows: Sequence[int], strategy: str, facts: Mapping[str, Any] | None = None
    ) -> None:
        """Note what a round asks for; begun again, it must ask for the same.

        Raises:
            StoreError: the round stands there with other texts.
        """
        there = {found.number: found for found in self.rounds()}.get(number)
        if there is not None:
            if there.rows != tuple(map(int, rows)):
                raise StoreError(
                    f"round {number} of {self.path} asked for other texts; was it begun with other settings or data?"
                )
            return
        with self.transaction() as db:
            db.execute(
                "INSERT INTO round(number, strategy, facts, begun) VALUES (?, ?, ?, ?)",
                (number, strategy, json.dumps(dict(facts or {})), now()),
            )
            places = ((number, place, int(row)) for place, row in enumerate(rows))
            db.executemany("INSERT INTO question VALUES (?, ?, ?)", places)

    def end_round(self, number: int, facts: Mapping[str, Any]) -> None:
        """Note that a round was learned from, and what there is to know of it, such as the file of its state."""
        with self.transaction() as db:
            found = db.execute("SELECT facts FROM round WHERE number = ?", (number,)).fetchone()
            if found is None:
                raise StoreError(f"round {number} of {self.path} has not begun")
            known = json.dumps({**json_object(found["facts"], f"round {number}"), **facts})
            db.execute("UPDATE round SET facts = ?, ended = ? WHERE number = ?", (known, now(), number))

    def rounds(self) -> list[RoundFacts]:
        """All rounds, in order."""
        with self.told():
            rows: dict[int, list[int]] = {}
            for row in self.db.execute("SELECT round, item FROM question ORDER BY round, place"):
                rows.setdefault(row["round"], []).append(row["item"])
            return [
                RoundFacts(
                    row["number"],
                    row["strategy"],
                    tuple(rows.get(row["number"], ())),
                    json_object(row["facts"], f"round {row['number']}"),
                    row["ended"] is not None,
                )
                for row in self.db.execute("SELECT * FROM round ORDER BY number")
            ]

    def set_state(self, key: str, value: Mapping[str, Any]) -> None:
        """Note a small fact that changes, such as what the trainer is at."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (key, json.dumps(dict(value)), now()))

    def state(self, key: str) -> dict[str, Any] | None:
        """The fact; None where nobody noted one."""
        with self.told():
            row = self.db.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
            return None if row is None else json_object(row["value"], f"the state {key!r}")


def as_ranked(row: sqlite3.Row, history: ClassHistory) -> Ranked:
    """A line of `ranking` with `labels_seen` of its generation; the classes are called as they are now."""
    score = math.nan if row["score"] is None else row["score"]
    probabilities = json_object(row["probabilities"], f"the ranking of text {row['item']}")
    if not all(type(one) in (int, float) for one in probabilities.values()):
        raise Unreadable(f"a probability in the ranking of text {row['item']} is no number")
    now_called = history.distribution(probabilities, row["labels_seen"])
    return Ranked(row["item"], score, row["reason"], now_called, bool(row["control"]))


def _model(row: sqlite3.Row) -> ModelVersion:
    return ModelVersion(**{**dict(row), "facts": json_object(row["facts"], f"model {row['version']}")})


def _generation(row: sqlite3.Row) -> Generation:
    return Generation(**dict(row))


def _finite(score: float) -> float | None:
    """Infinite scores, as of a first center, are none in a database."""
    return float(score) if math.isfinite(score) else None
