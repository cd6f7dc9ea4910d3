"""Cells of tables: as JSON holds them, as words, as ids, and those inside others."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from lit_al.exceptions import DataError
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.readers import shown

_DEEPEST = 20  # lists and objects inside each other; what lies deeper is kept as words


def plain_cell(cell: object, depth: int = 0) -> Any:
    """A cell as JSON holds it: dates and decimals as words, what is no number as none.

    >>> plain_cell([1, float("nan"), {"a": b"x"}])
    [1, None, {'a': 'x'}]
    """
    if cell is None or isinstance(cell, bool | int):
        return cell
    if isinstance(cell, str):
        return sayable(cell)
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, bytes):
        return cell.decode(errors="replace")
    if depth < _DEEPEST and isinstance(cell, list | tuple):
        return [plain_cell(one, depth + 1) for one in cell]
    if depth < _DEEPEST and isinstance(cell, dict):
        return {sayable(str(key)): plain_cell(one, depth + 1) for key, one in cell.items()}
    return sayable(str(cell))


def sayable(words: str) -> str:
    """The same words without halves of surrogate pairs, which no file can hold."""
    return words if words.isascii() else words.encode(errors="replace").decode()


def word_of(cell: Any) -> str:
    """A cell of any kind as a word: what JSON knows as JSON writes it.

    >>> word_of("so so"), word_of(2.5), word_of([1, True]), word_of(False)
    ('so so', '2.5', '[1, true]', 'false')
    """
    if isinstance(cell, str):
        return cell
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, bool | list | dict) else str(cell)


def id_word(cell: object) -> str:
    """An id as a word: the same whether a file holds it as a number or as digits; "" for none.

    >>> id_word(9000), id_word(9000.0), id_word("0090"), id_word(None), id_word(" ")
    ('9000', '9000', '0090', '', '')
    """
    if cell is None or cell != cell:
        return ""
    word = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return word if word.strip() else ""


def cell_at(columns: Mapping[str, Any], name: str) -> Any:
    """The cell of a column, or the one at a place inside it, as `a.b`; None where there is none.

    >>> cell_at({"doc": {"id": 7}, "a.b": 8}, "doc.id"), cell_at({"a.b": 8}, "a.b"), cell_at({"a": 1}, "a.b")
    (7, 8, None)
    """
    if name in columns:
        return columns[name]
    outer, *inner = name.split(".")
    cell = columns.get(outer)
    for key in inner:
        cell = cell.get(key) if isinstance(cell, dict) else None
    return cell


def check_column(name: str, names: Sequence[str], origin: str, option: str) -> None:
    """Refuse a column that is not there.

    Args:
        name: of the column, or of a place inside it.
        names: of the columns beside the texts.
        origin: the file or the run, for the message.
        option: that named it.

    Raises:
        DataError: it is not there; with those that are.
    """
    if name in names or ("." in name and name.split(".")[0] in names):
        return
    there = f"its columns beside the text are {shown(list(names))}" if names else "it has no columns beside the text"
    way = f"name one of them with {option}" if names else f"leave {option} out"
    raise DataError(f"{origin} has no column {name!r}; {did_you_mean(name, names)}{there}; {way}")
