"""Texts and labels as Python has them: lists, numpy arrays, columns of pandas and `datasets`, checked one by one.

Files and whole tables are read elsewhere (`load`); here are the two arguments of `fit(texts, labels)`.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_al.data.labels import MAX_CLASSES
from lit_al.exceptions import DataError, InputError
from lit_al.typing import UNLABELED, Ints
from lit_al.utils.readers import check_text
from lit_al.utils.terminal_text import first_line

_MISSING = ("NAType", "NaTType")  # pandas' own words for a cell without content
_WHOLE = "a table is not one: take a column of it, as in frame['text']"


def texts_of(texts: Any, name: str = "X") -> list[str]:
    """The texts, as plain strings in their order.

    Args:
        texts: a list or tuple, a numpy array (n,), a column of pandas, polars, Arrow or `datasets`, or an iterator.
        name: of the argument, for messages.

    Raises:
        InputError: no texts, a single string, a table, or one among them that is no string.

    >>> texts_of(np.array(["dull", "a gem"]))
    ['dull', 'a gem']
    """
    found = _cells(texts, name, "texts")
    if not found:
        raise InputError(f"{name} holds no text; give one at least")
    try:
        return [str(check_text(text, f"{name}[{place}]")) for place, text in enumerate(found)]
    except InputError:
        raise
    except DataError as error:
        raise InputError(str(error)) from None


def labels_of(labels: Any, texts: int) -> tuple[Ints, npt.NDArray[Any]]:
    """The class of each text, and the classes as the user has them.

    No label is written None, NaN (pandas' NA, too), as an empty string, or as the whole number -1, which is what
    `Corpus.labels` and `sklearn.semi_supervised` have.

    Args:
        labels: n labels, in whatever texts may come in: words, whole numbers, or truth values, not a mixture of them.
        texts: n.

    Returns:
        (n,) int64 places in the classes, -1 for no label; (C,) the classes, sorted.

    Raises:
        InputError: not as many labels as texts, one that is no class, fewer than two classes, or more than 1,000.

    >>> labels_of(["spam", None, "ham"], 3)
    (array([ 1, -1,  0]), array(['ham', 'spam'], dtype='<U4'))
    >>> labels_of([True, False, float("nan")], 3)
    (array([ 1,  0, -1]), array([False,  True]))
    """
    if labels is None:
        raise InputError("fit requires y to be passed, but the target y is None; give a label for each text, or None")
    cells = _cells(labels, "y", "labels")
    if len(cells) != texts:
        raise InputError(f"{texts:,} texts need as many labels, got {len(cells):,}; give None for a text without one")
    given = np.array([not _is_missing(cell) for cell in cells], np.bool_)
    known = [cell for cell, there in zip(cells, given.tolist(), strict=True) if there]
    _check_kinds(cells, given)
    classes, places = np.unique(np.array(known), return_inverse=True)
    if len(classes) < 2:
        minus = "; -1 means no label: call the classes 0 and 1" if len(known) < texts and _has_minus_one(cells) else ""
        have = f"all labels are of one class, {first_line(repr(known[0]))}" if known else "no text has a label"
        raise InputError(f"{have}, but a classifier needs two classes or more{minus}")
    if len(classes) > MAX_CLASSES:
        raise InputError(f"y has {len(classes):,} different labels, more than {MAX_CLASSES:,}; give classes")
    numbers = np.full(texts, UNLABELED, np.int64)
    numbers[given] = places
    return numbers, classes


def name_of_class(label: Any) -> str:
    """A label in words, as checkpoints have it.

    >>> name_of_class(np.float64(2.0)), name_of_class(np.bool_(True)), name_of_class("spam")
    ('2', 'True', 'spam')
    """
    return str(int(label)) if _kind(label) == "number" else str(label)


def _cells(values: Any, name: str, what: str) -> list[Any]:
    """The cells of whatever holds a row of them."""
    if not isinstance(values, Iterable) and hasattr(values, "__array__"):
        values = np.asarray(values)
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        shown = first_line(repr(values), 40)
        raise InputError(f"{name} is {shown} ({type(values).__name__}), not a row of {what}; give a list of them")
    shape = getattr(values, "shape", (0,))
    if isinstance(values, dict) or hasattr(values, "column_names") or len(shape) != 1:
        raise InputError(f"{name} is a {type(values).__name__}, but should be a 1d array or list of {what}; {_WHOLE}")
    return list(values.to_pylist() if hasattr(values, "to_pylist") else values)


def _is_missing(cell: Any) -> bool:
    if cell is None or type(cell).__name__ in _MISSING:
        return True
    if isinstance(cell, str):
        return cell == ""
    if isinstance(cell, bool | np.bool_):
        return False
    if isinstance(cell, float | np.floating) and math.isnan(cell):
        return True
    return isinstance(cell, int | float | np.number) and bool(cell == UNLABELED)


def _has_minus_one(cells: list[Any]) -> bool:
    return any(isinstance(cell, int | float | np.number) and cell == UNLABELED for cell in cells)


def _kind(label: Any) -> str:
    """Word, number or truth value; "" for what is no class."""
    match label:
        case str():
            return "word"
        case bool() | np.bool_():
            return "truth value"
        case int() | np.integer():
            return "number"
        case float() | np.floating() if float(label).is_integer():
            return "number"
    return ""


def _check_kinds(cells: list[Any], given: npt.NDArray[np.bool_]) -> None:
    """Refuse what is no class, and classes of two kinds.

    Raises:
        InputError: there is one.
    """
    first: tuple[int, str] | None = None
    for place in np.flatnonzero(given).tolist():
        cell, kind = cells[place], _kind(cells[place])
        shown = f"y[{place}] is {first_line(repr(cell), 40)}"
        if isinstance(cell, float | np.floating) and not kind:
            raise InputError(f"Unknown label type: {shown}, a number on a scale; give classes: words or whole numbers")
        if not kind:
            raise InputError(f"{shown} ({type(cell).__name__}); give each text one class, a word or a whole number")
        if first is None:
            first = place, kind
        elif kind != first[1]:
            other = first_line(repr(cells[first[0]]), 40)
            raise InputError(f"{shown}, a {kind}, but y[{first[0]}] is {other}, a {first[1]}; give labels of one kind")
