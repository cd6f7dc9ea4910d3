"""Tables of separated cells: CSV and its kin. The separator and the way of quoting are found out, and said."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from lit_al.data.sources import Source
from lit_al.data.tables import DataTable, Reading
from lit_al.exceptions import ConfigError, DataError
from lit_al.utils.readers import CellError, Dialect, as_long, cells_of_any_length, check_text, csv_rows

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_NAMES = {mark: name for name, mark in SEPARATORS.items()}
_SAID = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)  # Excel's first line
_SAMPLE_LINES = 300
_SAMPLE_LETTERS = 2**18

Rows = Iterator[tuple[int, list[str]]]


def read_delimited(source: Source, reading: Reading) -> DataTable:
    """Read separated cells under a header; a quoted cell may hold separators, quotes and lines.

    Quotes inside a quoted cell are doubled; where a file cannot be read so, they may stand behind a backslash, and
    between tabs a quote may be a letter like any other. Passed over are blank lines, rows of empty cells, and empty
    cells beyond the header's.

    Raises:
        DataError: an empty file, broken cells, a row that is longer or shorter than the header.
    """
    separator, skipped, said = _separator(source, reading)
    path = source.path
    with source.text() as file:
        header = next(islice(file, skipped, None), "")
    plain = Dialect(separator, blanks=re.search(re.escape(separator) + ' +"', header) is not None)
    if plain.blanks:
        said = (*said, f"{path.name}: blanks between a separator and a quote are passed over")
    try:
        return _table(source, reading, plain, skipped, said)
    except CellError as error:
        for dialect, note in _ways_out(plain):
            try:
                return _table(source, reading, dialect, skipped, (*said, f"{path.name}: {note}"))
            except DataError:
                continue
        raise error from None


def _ways_out(plain: Dialect) -> Iterator[tuple[Dialect, str]]:
    """Other dialects, and what to say of each."""
    if plain.blanks:
        yield replace(plain, blanks=False), "quotes behind blanks are letters like any other"
    yield replace(plain, escapes=True), "quotes or separators inside texts are escaped by backslashes"
    if plain.separator == "\t":
        yield replace(plain, quotes=False), "quotes are letters like any other"


def _separator(source: Source, reading: Reading) -> tuple[str, int, tuple[str, ...]]:
    """The separator, the lines before the header, and what is to be said of it."""
    wished = None if reading.separator is None else _wished(reading.separator)
    with source.text() as file:
        lines = list(_beginning(file))
    named = _SAID.fullmatch(lines[0]) if lines else None
    usual = "\t" if source.suffix in (".tsv", ".tab") else ","
    if wished is not None:
        return wished, bool(named), ()
    if named is not None:
        return named[1], 1, (f"{source.path.name}: separated by {_spoken(named[1])}, as its first line says",)
    found = sniffed(lines, usual, header=not reading.no_header)
    said = f"{source.path.name}: separated by {_spoken(found)}, a guess; --separator names another"
    return found, 0, () if found == usual else (said,)


def _beginning(lines: Iterator[str]) -> Iterator[str]:
    letters = 0
    for line in islice(lines, _SAMPLE_LINES):
        yield line
        letters += len(line)
        if letters > _SAMPLE_LETTERS:
            return


def _wished(separator: str) -> str:
    mark = SEPARATORS.get(separator.lower(), separator.replace("\\t", "\t"))
    if len(mark) != 1 or mark in '"\r\n':
        raise ConfigError(f"--separator {separator} is no separator; give one character, or {', '.join(SEPARATORS)}")
    return mark


def _spoken(mark: str) -> str:
    return f"{_NAMES[mark]}s" if mark in _NAMES else repr(mark)


def sniffed(lines: Sequence[str], usual: str = ",", *, header: bool = True) -> str:
    r"""The separator of a table: one that its header has, and that most rows have as often.

    Args:
        lines: the first ones, with their ends.
        usual: what is taken where no separator stands in the header.
        header: whether the first line is one; it counts most, for texts hold separators too.

    >>> sniffed(["text;label\n", "so, so;dull\n"]), sniffed(["a|b\n"]), sniffed(["text\n", "a;b\n"])
    (';', '|', ',')
    """
    scores = {}
    for place, mark in enumerate(dict.fromkeys(["\t", usual, *_NAMES])):  # texts hold commas, and hardly ever tabs
        with cells_of_any_length():
            rows = [row for row in Dialect(mark).reader(lines, strict=False) if row]
        width = len(rows[0]) if rows else 0
        if width > 1:
            fitting = sum(len(row) == width for row in rows) / len(rows)
            scores[mark] = (fitting, 0 if header else -place, width, -place)
    return max(scores, key=lambda mark: scores[mark], default=usual)


def _table(source: Source, reading: Reading, dialect: Dialect, skipped: int, said: tuple[str, ...]) -> DataTable:
    path = source.path
    with source.text() as file, cells_of_any_length():
        for _ in range(skipped):
            next(file)
        rows = csv_rows(file, path, dialect, skipped)
        line, first = next(rows, (0, []))
        if not first:
            raise DataError(f"{path} is empty: it holds blank lines only")
        names = [str(number) for number in range(1, len(first) + 1)] if reading.no_header else first
        check_text("".join(first), f"{path}, line {line}")
        if reading.no_header:
            rows = chain([(line, first)], rows)
        cells: tuple[list[object], ...] = tuple([] for _ in names)
        lines: list[int] = []
        blank = 0
        rows = _trimmed(rows, len(names), max((place for place, name in enumerate(names, 1) if name), default=0))
        for line, row in as_long(rows, len(names), path, dialect.separator):
            if not any(row):
                blank += 1
                continue
            lines.append(line)
            for column, cell in zip(cells, row, strict=True):
                column.append(cell)
    if blank:
        said = (*said, f"{path.name}: {blank:,} rows of empty cells are passed over, as blank lines are")
    kept = [index for index, name in enumerate(names) if name.strip() or any(cells[index])]
    return DataTable(
        tuple(names[index] for index in kept),
        tuple(cells[index] for index in kept),
        lambda row: f"{path}, line {lines[row]}",
        str(path),
        (*source.notes, *said),
        header=not reading.no_header,
    )


def _trimmed(rows: Rows, width: int, named: int) -> Rows:
    """The rows as wide as the header where all that differs is empty cells at their ends, or beyond its last name."""
    for line, row in rows:
        if len(row) > width and not any(row[width:]):
            yield line, row[:width]
        elif len(row) < width and not any(cell.strip() for cell in row):
            yield line, [""] * width
        elif named <= len(row) < width:
            yield line, row + [""] * (width - len(row))
        else:
            yield line, row
