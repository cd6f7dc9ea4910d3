"""Answers from CSV or JSONL, row by row, as they stand there; `checking` says whether they can be believed.

Needed is `label`, and what says which text it is of: `lit_al_sha256`, `text`, or a column of the user's own ids;
`lit_al_id` tells copies apart. `action` may be `skip`; `note`, `annotator`, `round`, `suggestion` and `probability` are
taken where they are there; other columns are passed over. An empty label without an action is a text that has not been
answered yet.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lit_al.exceptions import DataError
from lit_al.exchange.formulas import unguard
from lit_al.exchange.shapes import SCHEMA, Given
from lit_al.record import sha256_of
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.readers import check_text, csv_table, encoding_of, json_objects, reading, separator_hint, shown

FIELDS = {
    "lit_al_id": "id",
    "lit_al_sha256": "sha256",
    "text": "text",
    "label": "label",
    "action": "action",
    "note": "note",
    "annotator": "annotator",
    "round": "round",
    "suggestion": "suggestion",
    "probability": "probability",
}
KEY = "key"  # the field of the user's own ids
_PROOFS = ("sha256", "text", KEY)  # fields of which each says which text a row is about


def read_answers_csv(path: Path, key: str | None = None) -> list[Given]:
    """The rows of a CSV file in UTF-8, or in the encoding that its byte order mark names.

    Args:
        path: of the file.
        key: its column of the user's own ids, if it has it.

    Raises:
        DataError: a file that is missing, empty or in another encoding, broken CSV, a header without what is needed.
    """
    with reading(path):
        encoding = encoding_of(path)
    with reading(path, encoding), csv_table(path, encoding) as (line, header, rows):
        columns = _columns(header, f"{path}, line {line}", key)
        return [_of_cells(_where(path, line, number), row, columns) for number, (line, row) in enumerate(rows, start=2)]


def _where(path: Path, line: int, number: int) -> str:
    """Texts have lines of their own, so that the line in the file and the row of a spreadsheet may differ."""
    return f"{path}, line {line}" if line == number else f"{path}, line {line} (row {number})"


def _columns(header: list[str], where: str, key: str | None) -> dict[str, int]:
    """The column of each field, from 1."""
    for name in header:
        if header.count(name) > 1:
            second = header.index(name, header.index(name) + 1) + 1
            raise DataError(f"{where}, column {second}: the column {name!r} stands twice; rename or remove one")
    _check_names(header, where)
    found = {FIELDS[name]: header.index(name) + 1 for name in header if name in FIELDS}
    if key in header:
        found[KEY] = header.index(key) + 1
    if "label" not in header:
        raise _lack("label", header, where)
    if not found.keys() & set(_PROOFS):
        raise _lack("lit_al_sha256", header, where)
    return found


def _lack(name: str, header: list[str], where: str) -> DataError:
    near = did_you_mean(name, header).replace("did you mean", "rename").replace("? ", f" to {name!r}; ")
    ids = "" if name == "label" else ", and lit-al import --id-column names one of your own ids"
    return DataError(
        f"{where}: no column {name!r}{separator_hint(header)}; {near}its columns are {shown(header)}, and a file that "
        f"lit-al export has written has it{ids}"
    )


def _check_names(names: list[str], where: str) -> None:
    """Nobody's answers are passed over for a capital letter or a blank in the name of their column."""
    for name in names:
        plain = name.strip().lower()
        if plain in FIELDS and name != plain and plain not in names:
            raise DataError(f"{where}: the column {name!r} must be spelled {plain!r}")


def _of_cells(where: str, cells: list[str], columns: Mapping[str, int]) -> Given:
    check_text("\n".join(cells), where, "row")
    raw = {name: cells[column - 1] for name, column in columns.items()}
    values: dict[str, Any] = {name: unguard(cell) for name, cell in raw.items()}
    if "text" in raw and sha256_of(raw["text"]) == raw.get("sha256"):
        values["text"] = raw["text"]  # a file that was written without guards
    return Given(where, **values, columns=columns)


def read_answers_jsonl(path: Path, key: str | None = None) -> list[Given]:
    """The lines of a JSONL file in UTF-8, or in the encoding that its byte order mark names.

    Args:
        path: of the file.
        key: of the user's own ids, where a line has it.

    Raises:
        DataError: a file that is missing, empty or in another encoding, or a line that is no JSON object.
    """
    with reading(path):
        encoding = encoding_of(path)
    with reading(path, encoding):
        return list(_of_lines(path, encoding, key))


def _of_lines(path: Path, encoding: str, key: str | None) -> Iterator[Given]:
    for line, record in json_objects(path, encoding):
        where = f"{path}, line {line}"
        check_version(record, where)
        _check_names(list(record), where)
        values = {FIELDS[name]: value for name, value in record.items() if name in FIELDS}
        if key in record:
            values[KEY] = record[key]
        if not values.keys() & {"id", *_PROOFS}:
            raise DataError(
                f"{where}: no 'lit_al_sha256'; its keys are {shown(list(record))}, and lit-al import --id-column "
                "names one of your own ids"
            )
        yield Given(where, **values)


def check_version(record: Mapping[str, Any], where: str) -> None:
    """Refuse lines of a version that this one does not know.

    Raises:
        DataError: the line says so.
    """
    version = record.get("schema_version", SCHEMA)
    if version != SCHEMA:
        raise DataError(f"{where}: schema_version {version!r}, but this lit_al knows {SCHEMA}; upgrade lit_al")
