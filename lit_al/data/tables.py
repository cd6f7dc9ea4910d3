"""A table: the columns of a file, of a folder or of an object in memory, whatever its format; `formats` makes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from lit_al.exceptions import ConfigError, DataError
from lit_al.utils.options import flag

PART = "split"  # name of the column that says which file of a folder a row is from

SeveralLabels = Literal["refuse", "first", "none"]
Resolution = Literal["keep", "majority", "first", "drop"]


@dataclass(frozen=True)
class Reading:
    """What a user says of a file; each is an option of that name (`lit_al.utils.options.CorpusOptions`).

    Args:
        text_column: name or number of the column of the texts; several with commas are joined, `a.b` is nested.
        label_column: likewise of the labels.
        id_column: likewise of ids, which are unique.
        encoding: of a text file; None to find out.
        separator: of cells; None to find out.
        no_header: the first row is a row like any other; columns are named by their numbers, from 1.
        exact_labels: labels are taken letter by letter.
        keep_na_labels: words such as NA and None are labels.
        several_labels: what to make of a cell with several labels.
        resolve: what to make of a text that stands there under two labels.
        drop_empty: rows without a text are left out.

    Raises:
        ConfigError: a choice that there is not.
    """

    text_column: str | None = None
    label_column: str | None = None
    id_column: str | None = None
    encoding: str | None = None
    separator: str | None = None
    no_header: bool = False
    exact_labels: bool = False
    keep_na_labels: bool = False
    several_labels: SeveralLabels = "refuse"
    resolve: Resolution = "keep"
    drop_empty: bool = False

    def __post_init__(self) -> None:
        for name, known in (("several_labels", SeveralLabels), ("resolve", Resolution)):
            if getattr(self, name) not in get_args(known):
                raise ConfigError(f"{flag(name)} {getattr(self, name)} must be one of {', '.join(get_args(known))}")


@dataclass(frozen=True)
class DataTable:
    """Rows as columns, with all that is there.

    Args:
        names: of the C columns, as they stand there; two may be alike.
        cells: C lists of N cells, as the format holds them.
        where: from a row, counted from 0, to its place, for messages.
        origin: the file, for messages.
        notes: what was guessed, a line each.
        class_names: of a column that numbers its classes, where the file brings them.
        text: the column of the texts, where the format says so.
        label: likewise of the labels.
        header: whether the names come from the file.
        loose: numbers may be meant as texts, as in a spreadsheet.
    """

    names: tuple[str, ...]
    cells: tuple[list[object], ...] = field(repr=False)
    where: Callable[[int], str] = field(repr=False)
    origin: str
    notes: tuple[str, ...] = ()
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str | None = None
    label: str | None = None
    header: bool = True
    loose: bool = False

    def __len__(self) -> int:
        return len(self.cells[0]) if self.cells else 0

    def column(self, name: str) -> list[object]:
        """The cells of the first column of that name.

        Raises:
            KeyError: there is none.
        """
        if name not in self.names:
            raise KeyError(name)
        return self.cells[self.names.index(name)]


def joined(parts: Mapping[str, DataTable], origin: str, column: str | None = PART) -> DataTable:
    """The rows of several tables, one after the other; a column that one lacks is empty there.

    Args:
        parts: at least one table, each under the name of its part.
        origin: of them all, for messages.
        column: that says of a row which part it is from, where there are two parts or more and no column of that name.

    Raises:
        DataError: two tables name the classes of a column differently.
    """
    tables = list(parts.values())
    if len(tables) == 1:
        return tables[0]
    names = list(dict.fromkeys(name for table in tables for name in table.names))
    columns = [_stacked(tables, name) for name in names]
    if column is not None and column not in names:
        names.append(column)
        columns.append([part for part, table in parts.items() for _ in range(len(table))])
    sizes = [len(table) for table in tables]

    def where(row: int) -> str:
        for table, size in zip(tables, sizes, strict=True):
            if row < size:
                return table.where(row)
            row -= size
        raise IndexError(row)

    return DataTable(
        tuple(names),
        tuple(columns),
        where,
        origin,
        tuple(dict.fromkeys(note for table in tables for note in table.notes)),
        _common_classes(tables, names, origin),
        next((table.text for table in tables if table.text), None),
        next((table.label for table in tables if table.label), None),
        all(table.header for table in tables),
        any(table.loose for table in tables),
    )


def _stacked(tables: Sequence[DataTable], name: str) -> list[object]:
    cells: list[object] = []
    for table in tables:
        cells += table.column(name) if name in table.names else [None] * len(table)
    return cells


def _common_classes(tables: Sequence[DataTable], names: Sequence[str], origin: str) -> dict[str, tuple[str, ...]]:
    """What all tables with a column say that its numbers mean."""
    found = {}
    for name in names:
        said = list(dict.fromkeys(table.class_names.get(name) for table in tables if name in table.names))
        if len(said) > 1:
            raise DataError(f"the files of {origin} name their classes differently: {said[0]} and {said[1]}")
        if said and said[0]:
            found[name] = said[0]
    return found
