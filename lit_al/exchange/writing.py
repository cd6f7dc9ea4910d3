"""Rows to the bytes of a CSV or JSONL file."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lit_al.exceptions import RunError
from lit_al.exchange.formulas import guard
from lit_al.utils.cells import word_of
from lit_al.utils.folders import write_bytes


def csv_bytes(header: Sequence[str], rows: Iterable[Mapping[str, Any]], *, raw: bool = False) -> bytes:
    """A table for people: UTF-8 with a byte order mark, so that spreadsheets see what it is.

    Args:
        header: names of the columns.
        rows: by column; None is an empty cell.
        raw: leave cells that spreadsheets take for formulas as they are.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([csv_cell(row[name], raw) for name in header])
    return file.getvalue().encode("utf-8-sig")


def csv_cell(cell: Any, raw: bool) -> Any:
    """A cell of any kind as CSV holds it; `raw` leaves what a spreadsheet takes for a formula as it is.

    >>> csv_cell(None, False), csv_cell(2.5, False), csv_cell("=1", False), csv_cell([True], False)
    ('', 2.5, "'=1", '[true]')
    """
    if isinstance(cell, str):
        return cell if raw else guard(cell)
    if cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)):
        return "" if cell is None or cell != cell else cell
    return csv_cell(word_of(cell), raw)


def jsonl_bytes(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A JSON object a line, in UTF-8."""
    return b"".join(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n" for row in rows)


def write_new(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all, and none that stands there: someone may have put answers into it.

    Args:
        path: of the file.
        content: of it.
        overwrite: replace another one.

    Raises:
        RunError: another file stands there, or it cannot be written.
    """
    if not overwrite and path.exists() and not (path.is_file() and path.read_bytes() == content):
        raise RunError(f"{path} is there already and holds something else; give another name, or --overwrite")
    write_bytes(path, content)
