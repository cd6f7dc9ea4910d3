"""A text on each line: plain, or behind its labels as fastText writes them."""

import re
from itertools import islice

from lit_al.data.delimited import read_delimited
from lit_al.data.sources import Source
from lit_al.data.tables import DataTable, Reading

_LABELS = re.compile(r"\s*((?:__label__\S+\s*)+)")
_SAMPLE_LINES = 100


def read_lines(source: Source, reading: Reading) -> DataTable:
    """Read a text from each line; a blank line is an empty text, so that texts and lines have the same numbers.

    Lines that begin with `__label__x` have that label. Where a separator is named, or that there is no header, the
    lines are rows of cells.

    Raises:
        DataError: bytes that are no text.
    """
    if reading.separator is not None or reading.no_header:
        return read_delimited(source, reading)
    with source.text() as file:
        file.reconfigure(newline=None)  # "\\n", "\\r\\n" and "\\r" end lines, nothing else does
        lines = [line.removesuffix("\n") for line in file]
    first = [line for line in islice(lines, _SAMPLE_LINES) if line.strip()]
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
