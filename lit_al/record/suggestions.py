"""The part of a record that holds what somebody else's model says of texts; no answer and no label depends on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lit_al.record.classes import Classes
from lit_al.record.database import now

_KEEP = "INSERT OR REPLACE INTO suggestion VALUES (:item, :label, :probability, :source, :seq, :created)"


@dataclass(frozen=True)
class Suggestion:
    """What a model from outside says of a text.

    Attributes:
        item: the text.
        label: the class by name.
        probability: of that class; None where it does not say.
        source: which model says so.
        created: when it came, UTC, ISO 8601; filled in by the record.
    """

    item: int
    label: str
    probability: float | None
    source: str
    created: str = ""


class Suggestions(Classes):
    """One for a text at most: the newest that came."""

    def keep_suggestions(self, suggestions: Iterable[Suggestion]) -> None:
        """Note suggestions, in place of earlier ones of the same texts; all or none.

        Raises:
            StoreError: they could not be written.
        """
        moment = now()
        with self.transaction() as db:
            seq = db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]
            db.executemany(_KEEP, ({**vars(one), "seq": seq, "created": moment} for one in suggestions))

    def suggestion(self, item: int) -> Suggestion | None:
        """Of a text; None where there is none."""
        with self.told():
            row = self.db.execute("SELECT * FROM suggestion WHERE item = ?", (item,)).fetchone()
            return None if row is None else self._suggestion(row)

    def suggestions(self) -> list[Suggestion]:
        """All of them, by text."""
        with self.told():
            return [self._suggestion(row) for row in self.db.execute("SELECT * FROM suggestion ORDER BY item")]

    def _suggestion(self, row: Any) -> Suggestion:
        """A row, its class as it is called now."""
        label = self.class_history.meaning(row["label"], row["seq"])
        return Suggestion(row["item"], label, row["probability"], row["source"], row["created"])
