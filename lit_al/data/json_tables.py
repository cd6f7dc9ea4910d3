"""Tables of JSON: an object on each line, a list of objects, or an object of columns."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lit_al.data.annotation_exports import flattened
from lit_al.data.parts import in_order, part_of
from lit_al.data.sources import Source
from lit_al.data.tables import PART, DataTable, Reading
from lit_al.exceptions import DataError
from lit_al.utils.readers import check_text, json_lines
from lit_al.utils.terminal_text import first_line

Record = dict[str, Any]


def read_json_lines(source: Source, reading: Reading) -> DataTable:
    """Read an object on each line; blank lines are passed over, a key that a line lacks is an empty cell.

    Raises:
        DataError: a line that is no object, or no line at all.
    """
    records: list[Record] = []
    lines: list[int] = []
    with source.unpacked() as file:
        codec = source.encoding
        text = io.TextIOWrapper(file, encoding=codec, newline="\n")  # a text may hold all other signs that end lines
        for line, record in json_lines(text, source.path):
            records.append(record)
            lines.append(line)
    return _table(records, source, lambda row: f"{source.path}, line {lines[row]}")


def read_json(source: Source, reading: Reading) -> DataTable:
    """Read a list of objects, an object that holds one, an object of columns, or, for all its name, lines of objects.

    Raises:
        DataError: no such thing, or no JSON.
    """
    with source.text() as file:
        content = file.read()
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
            return read_json_lines(source, reading)
        check_text(content, str(source.path))
        if isinstance(error, json.JSONDecodeError):
            place = f"line {error.lineno}, character {error.colno}"
            raise DataError(f"{source.path}, {place}: not valid JSON ({error.msg})") from None
        raise DataError(f"{source.path}: not valid JSON ({first_line(error)})") from None
    records = _records(found)
    if records is None:
        raise DataError(
            f"{source.path} holds neither a list of objects nor an object of columns, but {first_line(content)}; "
            'write it as [{"text": …, "label": …}, …], or one such object a line'
        )
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise DataError(
                f'{source.path}, item {number}: {first_line(repr(record))} is not a JSON object like {{"text": …}}'
            )
    return _table(records, source, lambda row: f"{source.path}, item {row + 1}")


def _records(found: object) -> list[Any] | None:
    """The rows of a document."""
    if isinstance(found, list):
        return found
    if not isinstance(found, dict) or not found:
        return None
    lists = [value for value in found.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) == 1:
        return lists[0]
    if len(lists) == len(found) and all(map(part_of, found)):
        parts = in_order(list(found))
        return [row | {PART: part} if isinstance(row, dict) else row for part in parts for row in found[part]]
    if all(isinstance(column, list) for column in found.values()) and len({*map(len, found.values())}) == 1:
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    if all(isinstance(column, dict) for column in found.values()):  # as pandas writes a frame: by column, then by row
        rows = dict.fromkeys(key for column in found.values() for key in column)
        return [{name: column.get(row) for name, column in found.items()} for row in rows]
    return [found] if all(not isinstance(value, list | dict) for value in found.values()) else None


def _table(records: Sequence[Record], source: Source, where: Callable[[int], str]) -> DataTable:
    if not records:
        raise DataError(f"{source.path} is empty: it holds no JSON object")
    flat = flattened(records, source.path.name)
    rows: Sequence[Mapping[str, object]] = flat.rows if flat else records
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return DataTable(
        names,
        tuple([row.get(name) for row in rows] for name in names),
        where,
        str(source.path),
        (*source.notes, *(flat.notes if flat else ())),
        text=flat.text if flat else None,
        label=flat.label if flat else None,
    )
