"""Readers of CSV, JSONL and Parquet: two columns of a file, every row checked.

CSV and JSONL need the standard library only; `pyarrow` is imported when a Parquet file is read. Lines and rows
are counted from 1 in messages.
"""

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from lit_al.errors import DataError

TEXT_COLUMNS = ("text", "review", "sentence", "content")
LABEL_COLUMNS = ("label", "sentiment", "class", "category", "target")

_ROWS_AT_ONCE = 1_024  # of a Parquet file: memory stays flat however large the file
_BYTES_AT_ONCE = 2**20
_LONGEST_CELL = 2**31 - 1
_BYTE_ORDER_MARKS = {  # the longer ones first: UTF-32's begins like UTF-16's
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


Columns = tuple[str, str | None]


@dataclass(frozen=True)
class Table:
    """Texts and labels of one file.

    Args:
        texts: N texts.
        labels: N labels as the file holds them; None where it holds none.
        columns: the names of the text column and of the label column; None where it has no labels.
        where: from a row, counted from 0, to its place in the file, for messages.
        names: the class names, where the file brings them.
    """

    texts: list[str]
    labels: list[object]
    columns: Columns
    where: Callable[[int], str]
    names: tuple[str, ...] | None = None


def read_table(
    path: Path, text_column: str | None = None, label_column: str | None = None, *, labeled: bool = True
) -> Table:
    """Read one `.csv`, `.jsonl` or `.parquet` file.

    Args:
        path: the file; CSV and JSONL are UTF-8, with or without a byte order mark.
        text_column: the column of the texts; by default the first of `TEXT_COLUMNS` that is there, in any case.
        label_column: the column of the labels; by default the first of `LABEL_COLUMNS` that is there.
        labeled: a label column is needed; else a file without one is a file of unlabeled texts.

    Raises:
        DataError: a file that is missing, unreadable, empty, of another kind, or broken; a column that is missing;
            a text that is no text.
    """
    readers = {".csv": read_csv, ".jsonl": read_jsonl, ".parquet": read_parquet}
    reader = readers.get(path.suffix.lower())
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a file")
    if reader is None:
        kind = f"of the unknown kind {path.suffix!r}" if path.suffix else "without a suffix"
        raise DataError(f"{path} is a file {kind}; a corpus file ends in {', '.join(readers)}")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise DataError(f"{path} is empty")
        table = reader(path, text_column, label_column, labeled)
    except UnicodeDecodeError:
        raise DataError(_describe_encoding(path)) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if not table.texts:
        raise DataError(f"{path} has a header but no rows")
    return table


def read_csv(path: Path, text_column: str | None, label_column: str | None, labeled: bool = True) -> Table:
    """Read a comma-separated file with a header; a quoted cell may hold commas, quotes (doubled) and lines."""
    texts: list[str] = []
    labels: list[object] = []
    lines: list[int] = []
    with path.open(encoding="utf-8-sig", newline="") as file, _cells_of_any_length():
        rows = _csv_rows(file, path)
        first, header = next(rows, (0, []))
        if not header:
            raise DataError(f"{path} is empty: it holds blank lines only")
        _check_text("".join(header), f"{path}, line {first}")
        columns = choose_columns(header, text_column, label_column, path, labeled)
        text_at, label_at = header.index(columns[0]), None if columns[1] is None else header.index(columns[1])
        for line, row in rows:
            if len(row) != len(header):
                raise DataError(
                    f"{path}, line {line}: {len(row)} cells where the header has {len(header)}; "
                    "a text that holds commas or line breaks must stand in quotes"
                )
            texts.append(_check_text(row[text_at], f"{path}, line {line}"))
            labels.append(None if label_at is None else row[label_at])
            lines.append(line)
    return Table(texts, labels, columns, lambda row: f"{path}, line {lines[row]}")


def read_jsonl(path: Path, text_column: str | None, label_column: str | None, labeled: bool = True) -> Table:
    """Read a file with one JSON object per line; blank lines are skipped, a missing label is no label."""
    wanted = {*TEXT_COLUMNS, *LABEL_COLUMNS, text_column, label_column}
    seen: dict[str, None] = {}  # an ordered set of all keys
    records: list[dict[str, object]] = []
    lines: list[int] = []
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for line, record in _json_objects(file, path):
            seen.update(dict.fromkeys(record))
            records.append({key: record[key] for key in record if key in wanted or _plain(key) in wanted})
            lines.append(line)
    if not records:
        raise DataError(f"{path} is empty: it holds no JSON object")
    text, label = choose_columns(list(seen), text_column, label_column, path, labeled)

    def where(row: int) -> str:
        return f"{path}, line {lines[row]}"

    texts = [_check_text(record.get(text), where(row)) for row, record in enumerate(records)]
    labels = [None if label is None else record.get(label) for record in records]
    return Table(texts, labels, (text, label), where)


def read_parquet(path: Path, text_column: str | None, label_column: str | None, labeled: bool = True) -> Table:
    """Read a Parquet file; class names come from the metadata that Hugging Face `datasets` writes, if there."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise DataError(f"{path}: reading Parquet needs pyarrow; install it, or convert the file to CSV") from None
    texts: list[str] = []
    labels: list[object] = []
    try:
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            text, label = choose_columns(schema.names, text_column, label_column, path, labeled)
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=[text, label] if label else [text]):
                for value in batch.column(text).to_pylist():
                    texts.append(_check_text(value, f"{path}, row {len(texts) + 1} of {rows}"))
                labels.extend(batch.column(label).to_pylist() if label else [None] * len(batch))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a sound Parquet file ({_first_line(error)}); copy or write it again") from None
    names = class_names(schema.metadata or {}, label) if label else None
    return Table(texts, labels, (text, label), lambda row: f"{path}, row {row + 1} of {rows}", names)


def choose_columns(
    columns: Sequence[str], text_column: str | None, label_column: str | None, path: Path, labeled: bool = True
) -> Columns:
    """The text column and the label column: those named, else the first of the usual names; None for no labels.

    Raises:
        DataError: a column that is missing, stands twice, or is to be both.

    >>> choose_columns(["id", "Review", "sentiment"], None, None, Path("reviews.csv"))
    ('Review', 'sentiment')
    """
    text = _choose(columns, text_column, TEXT_COLUMNS, "text", path)
    without = not labeled and label_column is None and not {_plain(column) for column in columns} & {*LABEL_COLUMNS}
    label = None if without else _choose(columns, label_column, LABEL_COLUMNS, "label", path)
    if text == label:
        raise DataError(f"{path}: {text!r} cannot be the text column and the label column at once")
    return text, label


def class_names(metadata: dict[bytes, bytes], column: str) -> tuple[str, ...] | None:
    """The names of a `ClassLabel` column, from the schema metadata of a Hugging Face Parquet file."""
    try:
        feature = json.loads(metadata[b"huggingface"])["info"]["features"][column]
        names = feature["names"] if feature["_type"] == "ClassLabel" else None
    except (KeyError, TypeError, ValueError):
        return None
    return tuple(map(str, names)) if names else None


def _choose(columns: Sequence[str], wanted: str | None, usual: tuple[str, ...], what: str, path: Path) -> str:
    if wanted is None:
        found = [column for name in usual for column in columns if _plain(column) == name][:1]
        lack = f"no {what} column ({', '.join(usual)})"
    else:
        found = [column for column in columns if column == wanted]
        lack = f"no column {wanted!r}"
    if not found:
        separator = next((mark for mark in ";\t|" if len(columns) == 1 and mark in columns[0]), None)
        hint = f"; it seems to be separated by {separator!r}, not by commas" if separator else ""
        raise DataError(
            f"{path} has {lack}{hint}; its columns are {_shown(columns)}; name the right one with --{what}-column"
        )
    if columns.count(found[0]) > 1:
        raise DataError(f"{path} has more than one column {found[0]!r}; rename all but one")
    return found[0]


def _csv_rows(file: TextIO, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it begins; blank lines are skipped."""
    reader = csv.reader(file, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise DataError(
                    f"{path}, line {line}: a quote that opens in this row is never closed, so the rest of the file "
                    "would be one cell; close it, and double the quotes inside a quoted text"
                ) from None
            raise DataError(
                f"{path}, line {line}: not valid CSV ({error}); double the quotes inside a quoted text"
            ) from None
        if row:
            yield line, row


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters per cell, and set it back after."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _json_objects(file: TextIO, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each JSON object with its line."""
    for line, content in enumerate(file, start=1):
        if not content.strip():
            continue
        try:
            record = json.loads(content)
        except (ValueError, RecursionError) as error:
            _check_text(content, f"{path}, line {line}")  # NUL characters are the better explanation
            raise DataError(f"{path}, line {line}: not valid JSON ({error})") from None
        if not isinstance(record, dict):
            raise DataError(f'{path}, line {line}: {_first_line(content)} is not a JSON object like {{"text": …}}')
        yield line, record


def _check_text(value: object, where: str) -> str:
    """The value, if it is a text that can be encoded."""
    if value is None:
        raise DataError(f"{where}: the text is missing (null); remove the row or write an empty string")
    if not isinstance(value, str):
        raise DataError(f"{where}: the text is {_first_line(repr(value))} ({type(value).__name__}), not a string")
    if "\0" in value:
        raise DataError(f"{where}: a NUL character, as in UTF-16 or binary content; save the file as plain UTF-8")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{where}: half a surrogate pair at character {error.start + 1} of the text") from None
    return value


def _describe_encoding(path: Path) -> str:
    """Where the file stops being UTF-8, found by reading it once more."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    with path.open("rb") as file:
        while chunk := file.read(_BYTES_AT_ONCE):
            kept = len(decoder.getstate()[0])  # bytes of a character that the last chunk cut in two
            if read == 0:
                for mark, name in _BYTE_ORDER_MARKS.items():
                    if chunk.startswith(mark):
                        return f"{path} is {name} (by its byte order mark), not UTF-8; save it as UTF-8"
            try:
                decoder.decode(chunk, final=len(chunk) < _BYTES_AT_ONCE)
            except UnicodeDecodeError as error:
                offset = read - kept + error.start
                byte = error.object[error.start]
                return f"{path} is not UTF-8: byte 0x{byte:02x} at offset {offset}; save it as UTF-8"
            read += len(chunk)
    return f"{path} is not UTF-8: it ends in the middle of a character; save it as UTF-8"


def _plain(column: str) -> str:
    return column.strip().lower()


def _shown(columns: Sequence[str], most: int = 12) -> str:
    names = ", ".join(repr(column[:40]) for column in columns[:most])
    return names + (f" and {len(columns) - most} more" if len(columns) > most else "")


def _first_line(thing: object, most: int = 80) -> str:
    line = str(thing).strip().split("\n", 1)[0]
    return line if len(line) <= most else line[:most] + "…"
