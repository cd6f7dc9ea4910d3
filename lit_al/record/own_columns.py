"""What came with the texts of a record: the columns of the user's own file, kept as `Item.meta`, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from lit_al.exceptions import DataError
from lit_al.record.entries import Item
from lit_al.record.store import Record
from lit_al.utils.cells import cell_at, check_column, id_word, word_of

_STATE = "columns"  # key of the record's small facts


@dataclass(frozen=True)
class OwnColumns:
    """Which of a user's own columns is what; the newest that was said counts.

    Attributes:
        id: the column of ids; None where none was named.
        label: the column of labels that the file had, whether or not they were taken.
        shown: columns that annotators see beside a text.
    """

    id: str | None = None
    label: str | None = None
    shown: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: Record) -> Self:
        """Those of a record."""
        found = record.state(_STATE) or {}
        names = {name: value for name in ("id", "label") if isinstance(value := found.get(name), str)}
        shown = found.get("shown")
        return cls(**names, shown=tuple(map(str, shown)) if isinstance(shown, list) else ())

    def keep(self, record: Record) -> None:
        """Note them in a record that has the columns already.

        Raises:
            DataError: one of them is not there, or ids that are missing or there twice.
        """
        self.check(record)
        record.set_state(_STATE, {"id": self.id, "label": self.label, "shown": list(self.shown)})

    def check(self, record: Record) -> None:
        """See that a record has the columns, and that ids are ids.

        Raises:
            DataError: one of them is not there, or ids that are missing or there twice.
        """
        names, origin = record.columns(), f"the run {record.path.parent}"
        if not names and (self.id or self.shown):
            raise DataError(f"{origin} holds texts alone; lit-al annotate --data FILE brings the columns of their file")
        for name in self.shown:
            check_column(name, names, origin, "--show-columns")
        if self.id is not None:
            check_column(self.id, names, origin, "--id-column")
            self._check_ids(record)

    def _check_ids(self, record: Record) -> None:
        first: dict[str, int] = {}
        for item in record.items():
            word = self.id_of(item)
            if not word and not item.meta:
                continue  # of before columns were kept, or lost and not back yet
            if not word or first.setdefault(word, item.id) != item.id:
                problem = f"the id {word!r:.60} stands there twice" if word else "a row has no id"
                raise DataError(
                    f"column {self.id!r} of the run {record.path.parent}: {problem}; ids are unique, so name another "
                    "column with --id-column"
                )

    def id_of(self, item: Item) -> str:
        """A text's id of the user's own; "" where there is none."""
        return "" if self.id is None else id_word(cell_at(item.meta, self.id))

    def ids(self, record: Record) -> dict[str, int]:
        """The texts that have one, by their ids."""
        if self.id is None:
            return {}
        return {word: item.id for item in record.items() if (word := self.id_of(item))}

    def beside(self, item: Item) -> list[tuple[str, str]]:
        """What annotators see beside a text: names of columns and their cells as words, empty ones left out."""
        wanted = dict.fromkeys([*([self.id] if self.id else ()), *self.shown])
        cells = [(name, cell_at(item.meta, name)) for name in wanted]
        return [(name, word_of(cell)) for name, cell in cells if cell not in (None, "")]

    def in_order(self, names: Sequence[str]) -> list[str]:
        """The id's column first, also where it lies inside another, then all in the order of the file."""
        return list(dict.fromkeys([*([self.id] if self.id else ()), *names]))

    def row_of(self, item: Item, names: Sequence[str]) -> dict[str, Any]:
        """The cells of a text by column; None where it has none."""
        return {name: cell_at(item.meta, name) for name in names}
