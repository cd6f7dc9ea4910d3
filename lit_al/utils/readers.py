"""Separated cells and JSONL read strictly: every row whole, every error with its place. The standard library alone.

Lines, columns and rows are counted from 1 in messages; a column is one of the table, not of the characters.
"""

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from lit_al.exceptions import DataError
from lit_al.utils import memory
from lit_al.utils.terminal_text import first_line

_BYTES_AT_ONCE = 2**20
_LONGEST_CELL = 2**31 - 1
_BYTE_ORDER_MARKS = {  # the longer ones first: UTF-32's begins like UTF-16's
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_SEPARATORS = ";\t|"


class CellError(DataError):
    """Cells that break the rules of their dialect; another dialect may read them."""


@dataclass(frozen=True)
class Dialect:
    """How cells are written: RFC 4180's way unless told otherwise.

    Args:
        separator: between two cells.
        escapes: a backslash takes the meaning from a quote, a separator or a backslash behind it.
        quotes: cells may stand in quotes; else a quote is a letter like any other.
        blanks: those behind a separator are no part of the next cell.
    """

    separator: str = ","
    escapes: bool = False
    quotes: bool = True
    blanks: bool = False

    def reader(self, lines: Iterable[str], *, strict: bool = True) -> Any:
        """The csv module's reader of these lines."""
        how: dict[str, Any] = {"delimiter": self.separator, "strict": strict, "skipinitialspace": self.blanks}
        if not self.quotes:
            return csv.reader(lines, quoting=csv.QUOTE_NONE, **how)
        if not self.escapes:
            return csv.reader(lines, **how)
        return csv.reader(map(self._guarded, lines), escapechar="\\", **how)

    def _guarded(self, line: str) -> str:
        """A backslash before any other letter stays: the csv module would swallow it."""
        meant = '\\"' + self.separator
        return re.sub(r"\\(.)", lambda pair: pair[0] if pair[1] in meant else "\\\\" + pair[1], line)

    @property
    def sound_cell(self) -> re.Pattern[str]:
        """A cell and the separator behind it."""
        mark = re.escape(self.separator)
        return re.compile(f'(?:"[^"]*(?:""[^"]*)*"|[^"{mark}\r\n][^{mark}\r\n]*)?{mark}')


class Undecodable(NamedTuple):
    """The first byte that cannot be decoded: where it is, which, and whether the file ends within its character."""

    offset: int
    byte: int
    cut: bool

    def __str__(self) -> str:
        return f"byte 0x{self.byte:02x} at offset {self.offset}"


@contextmanager
def reading(path: Path, encoding: str = "utf-8-sig") -> Iterator[None]:
    """Turn what the system says of a file that is read in this block into a `DataError`.

    Raises:
        DataError: the file is missing, a folder, empty, unreadable or not in the encoding.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a file")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise DataError(f"{path} is empty")
        free = memory.available()
        if free is not None and path.stat().st_size > free:
            raise DataError(
                f"{path} has {path.stat().st_size:,} bytes, more than the {free:,} of memory that are free; give fewer "
                "rows of it, or free memory"
            )
        yield
    except UnicodeDecodeError:
        raise DataError(_describe_encoding(path, encoding)) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def marked_encoding(start: bytes) -> str:
    """The codec that the byte order mark at the start of a file names; UTF-8 where there is none.

    >>> marked_encoding("text".encode("utf-16")), marked_encoding(b"text")
    ('utf-16', 'utf-8-sig')
    """
    return next((name.lower() for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), "utf-8-sig")


def encoding_of(path: Path) -> str:
    """The same of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return marked_encoding(file.read(4))


@contextmanager
def csv_table(
    path: Path, encoding: str = "utf-8-sig"
) -> Iterator[tuple[int, list[str], Iterator[tuple[int, list[str]]]]]:
    """The line of the header, its cells, and each row with its line; blank lines are skipped.

    A quoted cell may hold commas, quotes (doubled) and lines, and may be of any length.

    Raises:
        DataError: an empty file, a quote that is never closed, a row that is longer or shorter than the header.
    """
    with path.open(encoding=encoding, newline="") as file, cells_of_any_length():
        rows = csv_rows(file, path)
        line, header = next(rows, (0, []))
        if not header:
            raise DataError(f"{path} is empty: it holds blank lines only")
        check_text("".join(header), f"{path}, line {line}")
        yield line, header, as_long(rows, len(header), path)


def as_long(
    rows: Iterable[tuple[int, list[str]]], cells: int, path: Path, separator: str = ","
) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with as many cells as the header has.

    Raises:
        CellError: one has not.
    """
    held = "commas" if separator == "," else repr(separator)
    for line, row in rows:
        if len(row) != cells:
            raise CellError(
                f"{path}, line {line}, column {min(len(row), cells) + 1}: {len(row)} cells where the header has "
                f"{cells}; a text that holds {held} or line breaks must stand in quotes"
            )
        yield line, row


def csv_rows(
    file: Iterable[str], path: Path, dialect: Dialect | None = None, before: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, with the line on which it begins; blank lines are skipped.

    Args:
        file: lines with their ends.
        path: for messages.
        dialect: by default commas and doubled quotes.
        before: lines of the file that were read already.

    Raises:
        CellError: a cell that breaks the rules of the dialect, such as a quote that is never closed.
    """
    dialect = dialect or Dialect()
    raw: list[str] = []  # lines of the row that is being read, for the message if it cannot be
    reader = dialect.reader(_noted(file, raw))
    while True:
        line = reader.line_num + 1 + before
        raw.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            where = f"{path}, line {line}, column {_broken_column(''.join(raw), dialect)}"
            raise CellError(f"{where}: {_csv_problem(error)}; double the quotes inside a quoted text") from None
        if row:
            yield line, row


def _csv_problem(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quote that opens here is never closed, so the rest of the file would be one cell; close it"
    return f"not valid CSV ({error})"


def _noted(lines: Iterable[str], into: list[str]) -> Iterator[str]:
    for line in lines:
        into.append(line)
        yield line


def _broken_column(raw: str, dialect: Dialect) -> int:
    """Which cell of a row breaks the rules of CSV."""
    at, column, sound = 0, 1, dialect.sound_cell
    while cell := sound.match(raw, at):
        at, column = cell.end(), column + 1
    return column


@contextmanager
def cells_of_any_length() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters per cell, and set it back after."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def json_objects(path: Path, encoding: str = "utf-8-sig") -> Iterator[tuple[int, dict[str, Any]]]:
    """Each JSON object of a file, one on a line, with its line; blank lines are skipped.

    Raises:
        DataError: a line that is no JSON object.
    """
    with path.open(encoding=encoding, newline="\n") as file:
        yield from json_lines(file, path)


def json_lines(lines: Iterable[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The same of lines that are open already.

    Raises:
        DataError: a line that is no JSON object.
    """
    for line, content in enumerate(lines, start=1):
        if content.strip():
            yield line, json_object(content, f"{path}, line {line}")


def json_object(content: str, where: str) -> dict[str, Any]:
    """The JSON object of a line.

    Raises:
        DataError: it is none.
    """
    try:
        record = json.loads(content)
    except (ValueError, RecursionError) as error:
        check_text(content, where)  # NUL characters are the better explanation
        place = f", character {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        reason = error.msg if isinstance(error, json.JSONDecodeError) else error
        raise DataError(f"{where}{place}: not valid JSON ({reason})") from None
    if not isinstance(record, dict):
        raise DataError(f'{where}: {first_line(content)} is not a JSON object like {{"text": …}}')
    return record


def check_text(value: object, where: str, what: str = "text") -> str:
    """The value, if it is a text that can be encoded.

    Raises:
        DataError: it is missing, of another type, or holds a NUL character or half a surrogate pair.
    """
    if value is None:
        raise DataError(f"{where}: the {what} is missing (null); remove the row or write an empty string")
    if not isinstance(value, str):
        raise DataError(f"{where}: the {what} is {first_line(repr(value))} ({type(value).__name__}), not a string")
    if "\0" in value:
        raise DataError(f"{where}: a NUL character, as in UTF-16 or binary content; save the file as plain UTF-8")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{where}: half a surrogate pair at character {error.start + 1} of the {what}") from None
    return value


def _describe_encoding(path: Path, encoding: str) -> str:
    """Where a file stops being in its encoding, found by reading it once more."""
    if encoding != "utf-8-sig":
        return f"{path} is {encoding.upper()} by its byte order mark, but not sound: {_fault(path, encoding)}"
    marked = encoding_of(path)
    if marked != encoding:
        return f"{path} is {marked.upper()} (by its byte order mark), not UTF-8; save it as UTF-8"
    return f"{path} is not UTF-8: {_fault(path, 'utf-8')}; save it as UTF-8"


def _fault(path: Path, encoding: str) -> Undecodable | None:
    with path.open("rb") as file:
        return first_error(file, encoding)


def first_error(file: BinaryIO, encoding: str) -> Undecodable | None:
    """The first byte of a file that is not in an encoding; None where all of them are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    while True:
        chunk = file.read(_BYTES_AT_ONCE)
        kept = len(decoder.getstate()[0])  # bytes of a character that the last chunk cut in two
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return Undecodable(read - kept + error.start, error.object[error.start], cut=not chunk)
        if not chunk:
            return None
        read += len(chunk)


def separator_hint(columns: Sequence[str]) -> str:
    """What to say of a header that is one cell with another separator in it; else nothing."""
    mark = next((mark for mark in _SEPARATORS if len(columns) == 1 and mark in columns[0]), None)
    return f"; it seems to be separated by {mark!r}, not by commas" if mark else ""


def shown(names: Sequence[str], most: int = 12) -> str:
    """Names in quotes, with commas, the first of many."""
    listed = ", ".join(repr(name[:40]) for name in names[:most])
    return listed + (f" and {len(names) - most} more" if len(names) > most else "")
