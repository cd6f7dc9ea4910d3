"""A text on each line: plain, or behind its labels as fastText writes them."""

import re
from dataclasses import replace
from itertools import islice

from lit_al.data.columns import LABEL_COLUMNS, TEXT_COLUMNS
from lit_al.data.delimited import read_delimited
from lit_al.data.sources import Source
from lit_al.data.tables import DataTable, Reading

_LABELS = re.compile(r"\s*((?:__label__\S+\s*)+)")
_SAMPLE_LINES = 100


def read_lines(source: Source, reading: Reading) -> DataTable:
    """Read a text from each line; a blank line is an empty text, so that texts and lines have the same numbers.

    Lines that begin with `__label__x` have that label. Where each has as many tabs, or a separator is named, or that
    there is no header, the lines are rows of cells.

    Raises:
        DataError: bytes that are no text.
    """
    if reading.separator is not None or reading.no_header:
        return read_delimited(source, reading)
    with source.text() as file:
        file.reconfigure(newline=None)  # "\n", "\r\n" and "\r" end lines, nothing else does
        lines = [line.removesuffix("\n") for line in file]
    first = [line for line in islice(lines, _SAMPLE_LINES) if line.strip()]
    if len(first) > 1 and "\t" in first[0] and len({line.count("\t") for line in first}) == 1:
        return _cells(source, reading, first[0].split("\t"))
    labeled = bool(first) and all(_LABELS.match(line) for line in first)
    path, name = source.path, source.path.name

    def where(row: int) -> str:
        return f"{path}, line {row + 1}"

    if not labeled:
        said = f"{name}: each of its {len(lines):,} lines is a text"
        return DataTable(("text",), (list(lines),), where, str(path), (*source.notes, said), text="text", header=False)
    texts: list[object] = []
    labels: list[object] = []
    for line in lines:
        found = _LABELS.match(line)
        words = found[1].split() if found else []
        labels.append([word.removeprefix("__label__") for word in words] if words else None)
        texts.append(line[found.end() :] if found else line)
    said = f"{name}: lines of fastText, __label__ and a text"
    columns, cells = ("text", "label"), (texts, labels)
    return DataTable(columns, cells, where, str(path), (*source.notes, said), text="text", label="label", header=False)


def _cells(source: Source, reading: Reading, first: list[str]) -> DataTable:
    """Lines with as many tabs each, as rows; the first is a header if it names a column as columns are named."""
    named = {reading.text_column, reading.label_column, reading.id_column, *TEXT_COLUMNS, *LABEL_COLUMNS}
    header = any(cell in named or cell.strip().lower() in named for cell in first)
    table = read_delimited(source, replace(reading, separator="\t", no_header=not header))
    what = "a header and rows" if header else "rows without a header"
    return replace(
        table, notes=(*table.notes, f"{source.path.name}: lines of {len(first)} cells with tabs, read as {what}")
    )
