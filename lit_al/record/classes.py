"""The part of a record that knows its classes, also those that another process has changed a moment ago."""

from typing import Any

from lit_al.record.class_history import ClassChange, ClassHistory
from lit_al.record.database import Database, Unreadable
from lit_al.record.facts import Facts

_NEWEST = "SELECT coalesce(max(seq), 0) FROM event WHERE action = 'classes'"
_CHANGES = "SELECT seq, note FROM event WHERE action = 'classes' ORDER BY seq"


class Classes(Database):
    """`Record` sets the facts."""

    facts: Facts
    _history: ClassHistory | None = None

    @property
    def class_history(self) -> ClassHistory:
        """The classes, as they are and as they were."""
        with self.told():
            newest = self.db.execute(_NEWEST).fetchone()[0]
            if self._history is None or (self._history.seqs or (0,))[-1] != newest:
                found = ClassHistory(self.facts.classes)
                for row in self.db.execute(_CHANGES):
                    found = found.after(row["seq"], change_of(row))
                self._history = found
            return self._history

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers."""
        return self.class_history.names


def change_of(values: Any) -> ClassChange:
    """The change that an event, or its row, holds.

    Raises:
        Unreadable: it holds none.
    """
    try:
        return ClassChange.of_note(values["note"])
    except ValueError:
        raise Unreadable("an event changes classes and does not say how") from None
