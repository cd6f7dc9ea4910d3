"""Readers of CSV, JSONL and Parquet: two columns of a file, every row checked.

CSV and JSONL need the standard library only; `pyarrow` is imported when a Parquet file is read. Lines and rows
are counted from 1 in messages.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_al.errors import DataError
from lit_al.sheets import check_text, csv_table, first_line, json_objects, reading, separator_hint, shown

TEXT_COLUMNS = ("text", "review", "sentence", "content")
LABEL_COLUMNS = ("label", "sentiment", "class", "category", "target")

_ROWS_AT_ONCE = 1_024  # of a Parquet file: memory stays flat however large the file

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
    with reading(path):
        table = _reader(path)(path, text_column, label_column, labeled)
    if not table.texts:
        raise DataError(f"{path} has a header but no rows")
    return table


def _reader(path: Path) -> Callable[[Path, str | None, str | None, bool], Table]:
    readers = {".csv": read_csv, ".jsonl": read_jsonl, ".parquet": read_parquet}
    if path.suffix.lower() not in readers:
        kind = f"of the unknown kind {path.suffix!r}" if path.suffix else "without a suffix"
        raise DataError(f"{path} is a file {kind}; a corpus file ends in {', '.join(readers)}")
    return readers[path.suffix.lower()]


def read_csv(path: Path, text_column: str | None, label_column: str | None, labeled: bool = True) -> Table:
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
    return Table(texts, labels, columns, lambda row: f"{path}, line {lines[row]}")


def read_jsonl(path: Path, text_column: str | None, label_column: str | None, labeled: bool = True) -> Table:
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
                    texts.append(check_text(value, f"{path}, row {len(texts) + 1} of {rows}"))
                labels.extend(batch.column(label).to_pylist() if label else [None] * len(batch))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a sound Parquet file ({first_line(error)}); copy or write it again") from None
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
        raise DataError(
            f"{path} has {lack}{separator_hint(columns)}; its columns are {shown(columns)}; "
            f"name the right one with --{what}-column"
        )
    if columns.count(found[0]) > 1:
        raise DataError(f"{path} has more than one column {found[0]!r}; rename all but one")
    return found[0]


def _plain(column: str) -> str:
    return column.strip().lower()
