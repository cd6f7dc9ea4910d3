"""Tables of spreadsheets: the first sheet of an XLSX file that holds anything."""

from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from lit_al.data.bounds import Bound
from lit_al.data.tables import DataTable, Reading
from lit_al.exceptions import DataError, LitALError
from lit_al.utils.memory import is_shortage
from lit_al.utils.terminal_text import first_line

_CELL = 64  # bytes, at least, that a cell takes in Python


def read_xlsx(path: Path, reading: Reading) -> DataTable:
    """Read the first sheet with rows; the first row is the header, and rows of empty cells are passed over.

    Raises:
        DataError: openpyxl is missing, the file is no workbook, or it holds no row.
    """
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            f"{path}: reading XLSX needs openpyxl; install it with: pip install 'lit_al[xlsx]', or save it as CSV"
        ) from None
    try:
        with catch_warnings():
            simplefilter("ignore")  # what openpyxl leaves out, such as styles, is nothing to us
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                return _first_sheet(book, path, reading)
            finally:
                book.close()
    except Exception as error:  # whatever a broken archive, or broken XML in it, does to openpyxl
        if isinstance(error, LitALError) or is_shortage(error):
            raise
        raise DataError(f"{path} is no sound XLSX file ({first_line(error)}); save it again, or as CSV") from None


def _first_sheet(book: Any, path: Path, reading: Reading) -> DataTable:
    bound = Bound(path)
    for sheet in book.worksheets:
        rows: list[tuple[int, tuple[object, ...]]] = []
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            bound.take(sum(_CELL + (len(cell) if isinstance(cell, str) else 0) for cell in row))
            if any(cell is not None for cell in row):
                rows.append((number, row))
        if rows:
            return _table(rows, path, reading, sheet.title, len(book.worksheets))
    raise DataError(f"{path} is empty: none of its sheets holds a row")


def _table(
    rows: list[tuple[int, tuple[object, ...]]], path: Path, reading: Reading, title: str, sheets: int
) -> DataTable:
    width = max(len(row) for _, row in rows)
    first = rows[0][1] + (None,) * (width - len(rows[0][1]))
    if reading.no_header:
        names = [str(number) for number in range(1, width + 1)]
    else:
        names, rows = ["" if cell is None else str(cell) for cell in first], rows[1:]
    cells: list[list[object]] = [
        [row[index] if index < len(row) else None for _, row in rows] for index in range(width)
    ]
    kept = [index for index in range(width) if names[index].strip() or any(cell is not None for cell in cells[index])]
    numbers = [number for number, _ in rows]
    said = f"{path.name}: sheet {title!r}, the first of {sheets}"
    return DataTable(
        tuple(names[index] for index in kept),
        tuple(cells[index] for index in kept),
        lambda row: f"{path}, sheet {title!r}, row {numbers[row]}",
        str(path),
        (said,) if sheets > 1 else (),
        header=not reading.no_header,
        loose=True,
    )
