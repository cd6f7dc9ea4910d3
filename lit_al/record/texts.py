"""The texts of a record; they are added, and never changed."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from lit_al.errors import RefusedError, StoreError
from lit_al.record.database import Database
from lit_al.record.kinds import Item


class Texts(Database):
    """The part of a record that texts are in; `Record` sets the settings."""

    settings: dict[str, Any]

    def add_items(self, items: Iterable[Item]) -> int:
        """Add texts, all or none; those that are there already are passed over.

        Returns:
            How many were new.

        Raises:
            StoreError: a text of a known id that is another text.
        """
        seed = str(self.settings.get("seed", 0))
        added = 0
        with self.transaction() as db:
            known = dict(db.execute("SELECT id, sha256 FROM item").fetchall())
            for item in items:
                if known.setdefault(item.id, item.sha256) != item.sha256:
                    raise StoreError(f"text {item.id} of {self.path} was another one; texts of a run never change")
                cursor = db.execute(
                    "INSERT OR IGNORE INTO item VALUES (?, ?, ?, ?, ?)",
                    (item.id, item.sha256, item.text, json.dumps(dict(item.meta)), _place(seed, item.id)),
                )
                added += cursor.rowcount
        return added

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
                yield Item(row["id"], row["sha256"], row["text"], json.loads(row["meta"]))

    def count_items(self) -> int:
        """How many texts there are."""
        with self.told():
            return int(self.db.execute("SELECT count(*) FROM item").fetchone()[0])


def _place(seed: str, number: int) -> int:
    """Where a text stands in the order of a cold start: random, and the same at every start."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=7).digest())
