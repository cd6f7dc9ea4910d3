"""The texts of a record; they are added, and never changed."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from lit_al.exceptions import RefusedError, StoreError
from lit_al.record.checksums import of_text
from lit_al.record.database import Database, json_object
from lit_al.record.entries import Item

_KNOWN = "SELECT id, sha256, text IS NOT NULL, meta = '{}' FROM item"
_INSERT = "INSERT INTO item VALUES (:id, :sha256, :text, :meta, :place, :checksum)"
_FILL = """
    UPDATE item SET sha256 = :sha256, text = :text, meta = :meta, place = :place, checksum = :checksum WHERE id = :id
"""
_JOIN = "UPDATE item SET meta = :meta, checksum = :checksum WHERE id = :id"
_COLUMNS = """
    SELECT j.key, min(item.id) first, min(j.id) place FROM item, json_each(item.meta) j
    GROUP BY j.key ORDER BY first, place
"""


class Texts(Database):
    """The part of a record that texts are in; `Record` sets the settings."""

    settings: dict[str, Any]

    def add_items(self, items: Iterable[Item]) -> int:
        """Add texts, all or none; those that are there already are passed over, those that were lost come back.

        What comes with a text joins it where it has come alone so far, as in records of before that was kept.

        Returns:
            How many were new, had been lost, or were joined.

        Raises:
            StoreError: a text of a known id that is another text.
        """
        added = 0
        with self.transaction() as db:
            known = {number: (sha256, there, alone) for number, sha256, there, alone in db.execute(_KNOWN)}
            for item in items:
                sha256, there, alone = known.get(item.id, (None, False, True))
                if sha256 is None:
                    db.execute(_INSERT, self.row_of(item))
                elif sha256 not in (item.sha256, ""):
                    raise StoreError(f"text {item.id} of {self.path} was another one; texts of a run never change")
                elif not there and item.text is not None:
                    db.execute(_FILL, self.row_of(item))
                elif there and item.text is not None and item.meta and alone:
                    db.execute(_JOIN, self.row_of(item))
                else:
                    continue
                known[item.id] = (item.sha256, item.text is not None, not item.meta)
                added += 1
        if added:
            self.after_texts()
        return added

    def row_of(self, item: Item) -> dict[str, Any]:
        """A text as it is stored."""
        row = {"id": item.id, "sha256": item.sha256, "text": item.text, "meta": json.dumps(dict(item.meta))}
        row["place"] = place_of(str(self.settings.get("seed", 0)), item.sha256)
        return {**row, "checksum": of_text(row)}

    def after_texts(self) -> None:
        """What follows once texts are on the disk."""

    def item(self, number: int) -> Item:
        """A text.

        Raises:
            RefusedError: there is none of this id.
        """
        for item in self.items([number]):
            return item
        raise RefusedError(f"there is no text {number} in this run")

    def items(self, numbers: Iterable[int] | None = None) -> Iterator[Item]:
        """All texts by id, or those asked for, in the order asked."""
        with self.told():
            if numbers is None:
                rows: Iterable[sqlite3.Row] = self.db.execute("SELECT * FROM item ORDER BY id")
            else:
                query = "SELECT item.* FROM json_each(?) j JOIN item ON item.id = j.value ORDER BY j.key"
                rows = self.db.execute(query, (json.dumps([int(number) for number in numbers]),))
            for row in rows:
                yield as_item(row)

    def digests(self) -> dict[int, str]:
        """The sha256 of each text, by id; "" of one that was lost whole."""
        with self.told():
            return {row["id"]: row["sha256"] for row in self.db.execute("SELECT id, sha256 FROM item ORDER BY id")}

    def columns(self) -> tuple[str, ...]:
        """Names of what came with the texts, in the order of its coming."""
        with self.told():
            return tuple(row["key"] for row in self.db.execute(_COLUMNS))

    def count_items(self) -> int:
        """How many texts there are."""
        with self.told():
            return int(self.db.execute("SELECT count(*) FROM item").fetchone()[0])

    def count_alone(self) -> int:
        """How many came alone, without any columns."""
        with self.told():
            return int(self.db.execute("SELECT count(*) FROM item WHERE meta = '{}'").fetchone()[0])

    def count_texts(self) -> int:
        """How many of them are there to be read."""
        with self.told():
            return int(self.db.execute("SELECT count(text) FROM item").fetchone()[0])


def as_item(row: sqlite3.Row) -> Item:
    """A row of `item`."""
    return Item(row["id"], row["sha256"], row["text"], json_object(row["meta"], f"what came with text {row['id']}"))


def place_of(seed: str, sha256: str) -> int:
    """Where a text stands in the order of a cold start: drawn by seed and words, not by its label or its row."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{sha256}".encode(), digest_size=7).digest())
