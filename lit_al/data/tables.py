"""Readers of CSV, JSONL and Parquet: two columns of a file, every row checked.

CSV and JSONL need the standard library only; `pyarrow` is imported when a Parquet file is read. Lines and rows
are counted from 1 in messages.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_al.data.bounds import ROW, Bound, row_size, rows_at_once
from lit_al.data.labels import MAX_CLASSES
from lit_al.exceptions import DataError, LitALError
from lit_al.utils.memory import is_shortage
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.readers import check_text, csv_table, json_objects, reading, separator_hint, shown
from lit_al.utils.terminal_text import first_line

TEXT_COLUMNS = ("text", "review", "sentence", "content")
LABEL_COLUMNS = ("label", "sentiment", "class", "category", "target")

Columns = tuple[str, str | None]


@dataclass(frozen=True)
class TextTable:
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
) -> TextTable:
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
    with reading(path):
        table = _reader(path)(path, text_column, label_column, labeled)
    if not table.texts:
        raise DataError(f"{path} has a header but no rows")
    return table


def _reader(path: Path) -> Callable[[Path, str | None, str | None, bool], TextTable]:
    readers = {".csv": read_csv, ".jsonl": read_jsonl, ".parquet": read_parquet}
    if path.suffix.lower() not in readers:
        kind = f"of the unknown kind {path.suffix!r}" if path.suffix else "without a suffix"
        raise DataError(f"{path} is a file {kind}; a corpus file ends in {', '.join(readers)}")
    return readers[path.suffix.lower()]


def read_csv(path: Path, text_column: str | None, label_column: str | None, labeled: bool = True) -> TextTable:
    """Read a comma-separated file with a header; a quoted cell may hold commas, quotes (doubled) and lines."""
    texts: list[str] = []
    labels: list[object] = []
    lines: list[int] = []
    with csv_table(path) as (_, header, rows):
        columns = choose_columns(header, text_column, label_column, path, labeled)
        text_at, label_at = header.index(columns[0]), None if columns[1] is None else header.index(columns[1])
        for line, row in rows:
            texts.append(check_text(row[text_at], f"{path}, line {line}"))
            labels.append(None if label_at is None else row[label_at])
            lines.append(line)
    return TextTable(texts, labels, columns, lambda row: f"{path}, line {lines[row]}")


def read_jsonl(path: Path, text_column: str | None, label_column: str | None, labeled: bool = True) -> TextTable:
    """Read a file with one JSON object per line; blank lines are skipped, a missing label is no label."""
    wanted = {*TEXT_COLUMNS, *LABEL_COLUMNS, text_column, label_column}
    seen: dict[str, None] = {}  # an ordered set of all keys
    records: list[dict[str, object]] = []
    lines: list[int] = []
    for line, record in json_objects(path):
        seen.update(dict.fromkeys(record))
        records.append({key: record[key] for key in record if key in wanted or _plain(key) in wanted})
        lines.append(line)
    if not records:
        raise DataError(f"{path} is empty: it holds no JSON object")
    text, label = choose_columns(list(seen), text_column, label_column, path, labeled)

    def where(row: int) -> str:
        return f"{path}, line {lines[row]}"

    texts = [check_text(record.get(text), where(row)) for row, record in enumerate(records)]
    labels = [None if label is None else record.get(label) for record in records]
    return TextTable(texts, labels, (text, label), where)


def read_parquet(path: Path, text_column: str | None, label_column: str | None, labeled: bool = True) -> TextTable:
    """Read a Parquet file; class names come from the metadata that Hugging Face `datasets` writes, if there."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise DataError(f"{path}: reading Parquet needs pyarrow; install it, or convert the file to CSV") from None
    texts: list[str] = []
    labels: list[object] = []
    bound = Bound(path)
    try:
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            text, label = choose_columns(schema.names, text_column, label_column, path, labeled)
            columns = [text, label] if label else [text]
            for name in columns:
                if pa.types.is_nested(schema.field(name).type):
                    raise DataError(f"{path}: column {name!r} holds lists, not texts or labels; name another one")
            for batch in _batches(file, path, columns, bound):
                for value in batch.column(text).to_pylist():
                    texts.append(check_text(value, f"{path}, row {len(texts) + 1} of {rows}"))
                labels.extend(batch.column(label).to_pylist() if label else [None] * len(batch))
    except Exception as error:  # whatever a broken file does to Arrow
        if isinstance(error, LitALError) or is_shortage(error):
            raise
        raise DataError(f"{path} is not a sound Parquet file ({first_line(error)}); copy or write it again") from None
    try:
        names = class_names(schema.metadata or {}, label) if label else None
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return TextTable(texts, labels, (text, label), lambda row: f"{path}, row {row + 1} of {rows}", names)


def _batches(file: Any, path: Path, columns: list[str], bound: Bound) -> Iterator[Any]:
    """The rows of a Parquet file, some at a time, until they no longer fit into memory."""
    bound.check(ROW * file.metadata.num_rows)
    for group in range(file.metadata.num_row_groups):
        most = rows_at_once(path, group, columns, bound)
        for batch in file.iter_batches(most, row_groups=[group], columns=columns):
            bound.take(row_size(batch))
            yield batch


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
    """The names of a `ClassLabel` column, from the schema metadata of a Hugging Face Parquet file.

    Raises:
        DataError: it has names that `datasets` does not write.
    """
    try:
        feature = json.loads(metadata[b"huggingface"])["info"]["features"][column]
        if feature["_type"] != "ClassLabel":
            return None
        names = feature["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    if names is None or names == []:
        return None
    if not isinstance(names, list) or len(names) > MAX_CLASSES or not all(isinstance(name, str) for name in names):
        raise DataError(
            f"the metadata of column {column!r} names its classes {first_line(repr(names))}, which is no list of 2 to "
            f"{MAX_CLASSES:,} names as `datasets` writes it; write the file again without the metadata"
        )
    if len(set(names)) < len(names):
        raise DataError(f"the metadata of column {column!r} names two classes alike; write the file again without it")
    for name in names:
        check_text(name, f"the metadata of column {column!r}", "name of a class")
    return tuple(names)


def _choose(columns: Sequence[str], wanted: str | None, usual: tuple[str, ...], what: str, path: Path) -> str:
    if wanted is None:
        found = [column for name in usual for column in columns if _plain(column) == name][:1]
        lack, guess = f"no {what} column ({', '.join(usual)})", ""
    else:
        found = [column for column in columns if column == wanted]
        lack = f"no column {wanted!r}"
        guess = did_you_mean(wanted, columns)
    if not found:
        raise DataError(
            f"{path} has {lack}{separator_hint(columns)}; {guess}its columns are {shown(columns)}; "
            f"name the right one with --{what}-column"
        )
    if columns.count(found[0]) > 1:
        raise DataError(f"{path} has more than one column {found[0]!r}; rename all but one")
    return found[0]


def _plain(column: str) -> str:
    return column.strip().lower()
