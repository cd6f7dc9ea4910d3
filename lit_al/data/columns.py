"""From the columns of a table to texts, labels and ids: the one place where columns are chosen, named or likely."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from lit_al.data.tables import DataTable, Reading
from lit_al.exceptions import DataError
from lit_al.utils.cells import id_word
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.readers import check_text, separator_hint, shown

TEXT_COLUMNS = ("text", "review", "sentence", "content")
LABEL_COLUMNS = ("label", "sentiment", "class", "category", "target", "labels")

Guess = tuple[str | None, str | None]  # the column of the texts, that of the labels

_SAMPLE = 500  # rows from which columns are judged
_LONG = 20  # characters that a cell of texts has on average, at least
_FEW = 50  # different labels among them, at most
_LABEL_LIKE = re.compile(r"label|sentiment|class|categor|target|topic|intent|stars|rating|polarity|tag", re.IGNORECASE)
_TEXT_LIKE = re.compile(r"text|tweet|message|comment|body|review|content|sentence|title", re.IGNORECASE)


@dataclass(frozen=True)
class TextTable:
    """Texts of a table, with what stands beside them.

    Args:
        texts: N texts; "" where one is missing.
        labels: N labels as the file holds them; None where it holds none.
        columns: the names of the text column and of the label column; None where it has no labels.
        where: from a row, counted from 0, to its place in the file, for messages.
        names: the class names, where the file brings them.
        ids: N of them, where a column of ids was named.
        id_column: its name.
        others: all columns but that of the texts, by name, each with N cells as the file holds them.
        notes: what was guessed, a line each.
    """

    texts: list[str]
    labels: list[object]
    columns: tuple[str, str | None]
    where: Callable[[int], str]
    names: tuple[str, ...] | None = None
    ids: list[str] | None = None
    id_column: str | None = None
    others: dict[str, list[object]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def texts_of(table: DataTable, reading: Reading, *, labeled: bool = True) -> TextTable:
    """The texts of a table, its labels, its ids, and all other columns.

    Args:
        table: of any format.
        reading: which columns are which; else they are found by their usual names.
        labeled: a label column is needed; else a table without one is one of unlabeled texts.

    Raises:
        DataError: a table without rows, a column that is missing or is two things, a text that is no text, an id that
            is missing or stands there twice.
    """
    text, label, notes = choose_columns(table, reading, labeled=labeled)
    if not len(table):
        raise DataError(f"{table.origin} has a header but no rows")
    texts = _texts(table, text)
    labels: list[object] = [None] * len(texts) if label is None else _cells(table, label)
    key = None if reading.id_column is None else _found(table, reading.id_column, "id")
    ids = None if key is None else _ids(table, key)
    rest = _others(table, text)
    for name, cells in rest.items():
        for row, cell in enumerate(cells):
            if isinstance(cell, str) and (not cell.isascii() or "\0" in cell):
                check_text(cell, f"{table.where(row)}, column {name!r}", "cell")
    names = None if label is None else table.class_names.get(label)
    return TextTable(texts, labels, (",".join(text), label), table.where, names, ids, key, rest, (*table.notes, *notes))


def choose_columns(
    table: DataTable, reading: Reading, *, labeled: bool = True
) -> tuple[tuple[str, ...], str | None, tuple[str, ...]]:
    """The text columns, the label column or None, and what was guessed.

    They are those named, else those that the format knows, else the first of the usual names, else, of two columns,
    the one of long texts and the one of few words.

    Raises:
        DataError: a column that is missing, stands twice, or is to be both; with the most likely ones.
    """
    notes: list[str] = []
    guess = _likely(table)
    two = len(table.names) == 2 and None not in guess and not _without_header(table, guess)
    text = _text_columns(table, reading, guess, two)
    if text is None:
        text = (str(guess[0]),)
        notes.append(f"texts are those of column {text[0]!r}, a guess; --text-column names another")
    label = _label_column(table, reading, guess, labeled)
    if label is None and labeled:
        if not (two and guess[1] not in text):
            raise _lack(table, "label", LABEL_COLUMNS, guess)
        label = str(guess[1])
        notes.append(f"labels are those of column {label!r}, a guess; --label-column names another")
    if label in text:
        raise DataError(f"{table.origin}: {label!r} cannot be the text column and the label column at once")
    if len(text) > 1:
        notes.append(f"texts are those of columns {', '.join(map(repr, text))}, joined by line breaks")
    return text, label, tuple(notes)


def _text_columns(table: DataTable, reading: Reading, guess: Guess, two: bool) -> tuple[str, ...] | None:
    """Those named or known; None to take the likely one."""
    wished = reading.text_column
    if wished is not None:
        if wished in table.names or "," not in wished:
            return (_found(table, wished, "text", guess),)
        return tuple(_found(table, name.strip(), "text", guess) for name in wished.split(",") if name.strip())
    if table.text is not None:
        return (table.text,)
    usual = _usual(table, TEXT_COLUMNS)
    if usual is not None:
        return (usual,)
    if two or (len(table.names) == 1 and guess[0] and not _without_header(table, guess)):
        return None
    raise _lack(table, "text", TEXT_COLUMNS, guess)


def _label_column(table: DataTable, reading: Reading, guess: Guess, labeled: bool) -> str | None:
    if reading.label_column is not None:
        return _found(table, reading.label_column, "label", guess)
    return table.label or _usual(table, LABEL_COLUMNS)


def _usual(table: DataTable, usual: Sequence[str]) -> str | None:
    """The first column of the usual names, in any case.

    Raises:
        DataError: it stands there twice.
    """
    found = next((column for name in usual for column in table.names if column.strip().lower() == name), None)
    return found if found is None else _once(table, found)


def _found(table: DataTable, wanted: str, what: str, guess: Guess = (None, None)) -> str:
    """The column of a name, of a place inside nested cells, or, where no name is so, of a number."""
    if wanted in table.names:
        return _once(table, wanted)
    if wanted.isdigit() and 1 <= int(wanted) <= len(table.names):
        return _once(table, table.names[int(wanted) - 1])
    if "." in wanted and wanted.split(".")[0] in table.names:
        return wanted
    raise DataError(
        f"{table.origin} has no column {wanted!r}{separator_hint(table.names)}; "
        f"{did_you_mean(wanted, table.names)}its columns are {shown(table.names)}; name the right one with "
        f"--{what}-column{_without_header(table, guess)}"
    )


def _once(table: DataTable, name: str) -> str:
    if table.names.count(name) > 1:
        raise DataError(f"{table.origin} has more than one column {name!r}; rename all but one")
    return name


def _lack(table: DataTable, what: str, usual: Sequence[str], guess: Guess) -> DataError:
    """No column of the usual names: which there are, and which are likely."""
    options = [f"--{role}-column {_quoted(name)}" for role, name in zip(("text", "label"), guess, strict=True) if name]
    likely = [word for word in options if what == "text" or word.startswith("--label")]
    way = f"name the right one with --{what}-column"
    without = _without_header(table, guess)
    if without:
        way += without
    elif likely:
        way += f", most likely {' '.join(likely)}"
    if what == "label":
        way += ", or label the texts with lit-al annotate"
    return DataError(
        f"{table.origin} has no {what} column ({', '.join(usual)}){separator_hint(table.names)}; its columns are "
        f"{shown(table.names)}; {way}"
    )


def _quoted(name: str) -> str:
    return f"'{name}'" if re.search(r"[^\w.-]", name) else name


def _without_header(table: DataTable, guess: Guess) -> str:
    """What to say where the first row looks like the others: a long text, or a label that others have too."""
    if not table.header:
        return ""
    text, label = guess
    is_label = label is not None and label.strip().lower() in {
        str(cell).strip().lower() for cell in table.column(label)
    }
    if not is_label and max(map(len, table.names), default=0) <= 2 * _LONG:
        return ""
    long = [number for number, name in enumerate(table.names, 1) if len(name) >= _LONG]
    long = long or ([table.names.index(text) + 1] if text is not None else [])
    columns = f" --text-column {','.join(map(str, long))}" if long else ""
    columns += f" --label-column {table.names.index(label) + 1}" if label is not None else ""
    return f"; if its first line is a row like the others and no header, give --no-header{columns}"


def _likely(table: DataTable) -> Guess:
    """The columns that look most like texts and like labels, by the first rows."""
    texts: dict[str, float] = {}
    labels: dict[str, tuple[bool, int]] = {}
    for name, column in zip(table.names, table.cells, strict=True):
        cells = [
            cell for cell in islice(column, _SAMPLE) if cell not in (None, "") and not isinstance(cell, list | dict)
        ]
        if not cells:
            continue
        length = sum(len(str(cell)) for cell in cells) / len(cells)
        different = len({str(cell).strip().lower() for cell in cells})
        if all(isinstance(cell, str) for cell in cells) and (length >= _LONG or _TEXT_LIKE.search(name)):
            texts[name] = length
        if 1 < different <= min(_FEW, len(cells) // 2) and length < 2 * _LONG:
            labels[name] = (bool(_LABEL_LIKE.search(name)), -different)
    text = max(texts, key=lambda name: texts[name], default=None)
    labels.pop(text or "", None)
    return text, max(labels, key=lambda name: labels[name], default=None)


def _cells(table: DataTable, name: str) -> list[object]:
    """The cells of a column; of `a.b` what stands under `b` in those of `a`."""
    if name in table.names:
        return table.column(name)
    outer, *inner = name.split(".")
    cells = table.column(outer)
    for key in inner:
        cells = [cell.get(key) if isinstance(cell, dict) else None for cell in cells]
    if all(cell is None for cell in cells):
        keys = next((list(cell) for cell in table.column(outer) if isinstance(cell, dict)), [])
        raise DataError(f"{table.origin} has nothing at {name!r}; {outer!r} holds {shown(keys) or 'no objects'}")
    return cells


def _texts(table: DataTable, names: Sequence[str]) -> list[str]:
    columns = [_cells(table, name) for name in names]
    if len(columns) == 1:
        return [_text(cell, row, table) for row, cell in enumerate(columns[0])]
    rows = zip(*columns, strict=True)
    return ["\n".join(filter(None, (_text(cell, row, table) for cell in cells))) for row, cells in enumerate(rows)]


def _text(cell: object, row: int, table: DataTable) -> str:
    if cell is None or cell != cell:  # NaN is what frames hold for a text that is missing
        return ""
    if table.loose and isinstance(cell, int | float) and not isinstance(cell, bool):
        return f"{cell:g}" if isinstance(cell, float) else str(cell)
    return check_text(cell, table.where(row))


def _ids(table: DataTable, name: str) -> list[str]:
    """The ids of all rows, as words.

    Raises:
        DataError: one is missing, or stands there twice.
    """
    ids: list[str] = []
    first: dict[str, int] = {}
    for row, cell in enumerate(_cells(table, name)):
        word = id_word(cell)
        if not word:
            raise DataError(f"{table.where(row)}: no id in column {name!r}; give each row one, or no --id-column")
        if first.setdefault(word, row) != row:
            raise DataError(
                f"{table.where(row)}: the id {word!r:.60} stands at {table.where(first[word])} too; ids are unique, so "
                "name another column with --id-column"
            )
        ids.append(word)
    return ids


def _others(table: DataTable, text: Sequence[str]) -> dict[str, list[object]]:
    """All columns but those of the texts; of two of one name the second is numbered."""
    found: dict[str, list[object]] = {}
    for place, (name, cells) in enumerate(zip(table.names, table.cells, strict=True), 1):
        if name not in text or len(text) > 1:
            found[name if name not in found else f"{name} ({place})"] = cells
    return found
