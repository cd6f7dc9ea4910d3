"""Rows to a file or to standard output, some at a time: CSV, JSONL or Parquet, by the suffix.

A file is written beside its place and takes it when it is whole, so that whatever stood there is there until then.
"""

import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from lit_al.exceptions import ConfigError, DataError, RunError
from lit_al.exchange.writing import csv_cell
from lit_al.utils.cells import word_of
from lit_al.utils.files import replacing, way_out
from lit_al.utils.terminal_text import plain

SUFFIXES: Final = (".csv", ".jsonl", ".parquet")
Columns = Sequence[Sequence[Any]]  # cells of some rows, column by column
Write = Callable[[Columns], None]


def check_suffix(path: Path) -> None:
    """Raise `ConfigError` where a suffix says no format."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"--to {path} says no format; end its name in one of {', '.join(SUFFIXES)}")


@contextmanager
def table_file(path: Path, names: Sequence[str], whole: Mapping[str, Any], *, raw: bool = False) -> Iterator[Write]:
    """Write a table to a file that is whole in the end, or not touched.

    Args:
        path: of the file; another one there is replaced.
        names: of its columns, each once.
        whole: by column, all its cells or their type (str, float, bool), for formats that want it before the first row.
        raw: leave cells of a CSV that spreadsheets take for formulas as they are.

    Raises:
        ConfigError: a suffix that says no format.
        DataError: pyarrow is missing.
        RunError: it cannot be written.
    """
    check_suffix(path)
    try:
        with replacing(path) as temporary, _OPENED[path.suffix.lower()](temporary, names, whole, raw) as write:
            yield write
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}; {way_out(error, path)}") from error


@contextmanager
def table_on_screen(names: Sequence[str], *, as_json: bool = False, raw: bool = False) -> Iterator[Write]:
    """Write a table to standard output: CSV, or a JSON object on each line; a terminal obeys nothing in it."""
    if as_json:
        yield lambda columns: _show(_json_lines(names, columns))
    else:
        _show(_csv_lines([[name] for name in names], raw=True, end="\n"))
        yield lambda columns: _show(_csv_lines(columns, raw=raw, end="\n"))
    sys.stdout.flush()


def _show(lines: str) -> None:
    sys.stdout.write(plain(lines, lines=True) if sys.stdout.isatty() else lines)


@contextmanager
def _csv_file(path: Path, names: Sequence[str], whole: Mapping[str, Any], raw: bool) -> Iterator[Write]:
    """For people: UTF-8 with a byte order mark, so that spreadsheets see what it is."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(_csv_lines([[name] for name in names], raw=True))
        yield lambda columns: _ignored(file.write(_csv_lines(columns, raw=raw)))


@contextmanager
def _jsonl_file(path: Path, names: Sequence[str], whole: Mapping[str, Any], raw: bool) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        yield lambda columns: _ignored(file.write(_json_lines(names, columns)))


@contextmanager
def _parquet_file(path: Path, names: Sequence[str], whole: Mapping[str, Any], raw: bool) -> Iterator[Write]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise DataError("writing Parquet needs pyarrow; install it, or write CSV or JSONL") from None
    plain = {str: pa.string(), float: pa.float64(), bool: pa.bool_()}
    kinds = {name: plain[cells] if isinstance(cells, type) else _kind(cells) for name, cells in whole.items()}
    schema = pa.schema([(name, kinds[name] or pa.string()) for name in names])

    def write(columns: Columns) -> None:
        cells = [
            pa.array(column if kinds[name] else [None if cell is None else word_of(cell) for cell in column], kind.type)
            for name, column, kind in zip(names, columns, schema, strict=True)
        ]
        file.write_batch(pa.record_batch(cells, schema=schema))

    with parquet.ParquetWriter(path, schema) as file:
        yield write


def _kind(cells: Sequence[Any]) -> Any:
    """The Arrow type of cells; None where they are of several kinds, which only words can hold."""
    import pyarrow as pa

    try:
        found = pa.array(cells).type
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return pa.string() if pa.types.is_null(found) else found


def _csv_lines(columns: Columns, *, raw: bool, end: str = "\r\n") -> str:
    lines = io.StringIO(newline="")
    cells = [[csv_cell(cell, raw) for cell in column] for column in columns]
    csv.writer(lines, lineterminator=end).writerows(zip(*cells, strict=True))
    return lines.getvalue()


def _json_lines(names: Sequence[str], columns: Columns) -> str:
    rows = (dict(zip(names, map(_of_json, row), strict=True)) for row in zip(*columns, strict=True))
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)


def _of_json(cell: Any) -> Any:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _ignored(value: object) -> None:
    """What a file says of itself is of no use here."""


_OPENED = {".csv": _csv_file, ".jsonl": _jsonl_file, ".parquet": _parquet_file}
