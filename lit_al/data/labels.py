"""From the labels of a file to class numbers and class names."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lit_al.exceptions import DataError
from lit_al.typing import UNLABELED, Ints
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.readers import shown

MAX_CLASSES = 1_000
_INTEGER = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0*)?")  # "1", "-1", "1.0"; "007" is a name


def encode_labels(
    values: Sequence[object],
    where: Callable[[int], str],
    origin: str,
    names: tuple[str, ...] | None = None,
) -> tuple[Ints, tuple[str, ...]]:
    """Number the classes: integers by value, names by alphabet.

    Integers may come as floats without a fraction, or as strings when all strings of the column are integers. `None`,
    empty strings and the integer -1 mean "no label"; whatever else may mean it is `label_cells`' affair.

    Args:
        values: N labels as the file holds them.
        where: from a row to its place in the file, for messages.
        origin: the file and its label column, for messages.
        names: the class names, where the file brings them; then the labels are integers that count from 0.

    Returns:
        (N,) int64 classes, -1 for no label, and the C names.

    Raises:
        DataError: a label that is neither an integer nor a string, integers mixed with strings, one class
            only, no label at all, more than 1,000 classes, or an integer beyond `names`.

    >>> encode_labels(["pos", None, "neg"], str, "doc")
    (array([ 1, -1,  0]), ('neg', 'pos'))
    >>> encode_labels([10, 9.0, -1], str, "doc")
    (array([ 1,  0, -1]), ('9', '10'))
    """
    labels = _integers_or_words([_read(value, row, where) for row, value in enumerate(values)], where)
    kinds: set[Any] = set(labels) - {None, UNLABELED}
    found = sorted(kinds)
    _check_number_of_classes(found, origin, minus_one=UNLABELED in labels)
    if names is not None:
        _check_range(labels, names, where)
        found = list(range(len(names)))
    index: dict[int | str | None, int] = {label: number for number, label in enumerate(found)}
    numbers = np.array([index.get(label, UNLABELED) for label in labels], dtype=np.int64)
    return numbers, names or tuple(map(str, found))


def encode_as(values: Sequence[object], where: Callable[[int], str], classes: Sequence[str]) -> Ints:
    """Number the labels by classes that are given; none need be there.

    Args:
        values: N labels as the file holds them; `None`, empty strings and the integer -1 mean "no label".
        where: from a row to its place in the file, for messages.
        classes: the C names.

    Returns:
        (N,) int64 classes, -1 for no label.

    Raises:
        DataError: a label that is not one of the classes.

    >>> encode_as(["pos", None, "neg"], str, ("neg", "pos"))
    array([ 1, -1,  0])
    """
    index: dict[int | str | None, int] = {name: number for number, name in enumerate(classes)}
    numbers = np.full(len(values), UNLABELED, np.int64)
    for row, value in enumerate(values):
        label = _read(value, row, where)
        if label is None or label == UNLABELED:
            continue
        name = str(label)
        if name not in index:
            raise DataError(
                f"{where(row)}: {name!r:.60} is not one of the labels; {did_you_mean(name, classes)}they are "
                f"{shown(classes)}, as --labels or the model says"
            )
        numbers[row] = index[name]
    return numbers


def _read(value: object, row: int, where: Callable[[int], str]) -> int | str | None:
    """One label: an integer, a word, or None."""
    match value:
        case None:
            return None
        case bool() | int():
            return int(value)
        case float() if value.is_integer():
            return int(value)
        case float() if math.isnan(value):
            return None
        case str():
            return value or None
    shown = repr(value)[:60]
    raise DataError(f"{where(row)}: the label is {shown}; a label is an integer or a string")


def _integers_or_words(labels: list[int | str | None], where: Callable[[int], str]) -> list[int | str | None]:
    """The labels, all of one type; integers that were written as strings become integers."""
    matches = {label: _INTEGER.fullmatch(label) for label in labels if isinstance(label, str)}
    if not all(matches.values()):
        word = next(row for row, label in enumerate(labels) if isinstance(label, str) and not matches[label])
        integer = next((row for row, label in enumerate(labels) if isinstance(label, int)), None)
        if integer is not None:
            raise DataError(
                f"labels must be all integers or all strings: {where(integer)} has {labels[integer]!r}, "
                f"{where(word)} has {labels[word]!r}"
            )
        return labels
    integers: dict[int | str | None, int] = {label: int(match[1]) for label, match in matches.items() if match}
    return [integers.get(label, label) for label in labels]


def _check_number_of_classes(found: Sequence[int | str | None], origin: str, *, minus_one: bool) -> None:
    if not found:
        raise DataError(f"{origin}: no row has a label; name the right column with --label-column")
    if len(found) == 1:
        raise DataError(
            f"{origin}: all labels are {found[0]!r}, but a classifier needs two classes or more{_one_class(minus_one)}"
        )
    if len(found) > MAX_CLASSES:
        raise DataError(
            f"{origin}: {len(found):,} different labels, more than the {MAX_CLASSES:,} allowed; "
            "this is probably not the label column: name that with --label-column"
        )


def _one_class(minus_one: bool) -> str:
    """The ways out where there is one class only."""
    if minus_one:
        return "; -1 means no label, so number the classes 0 and 1"
    return "; name both with --labels, and label texts of the other one with lit-al annotate"


def _check_range(labels: Sequence[int | str | None], names: tuple[str, ...], where: Callable[[int], str]) -> None:
    """Every integer label must be the position of a name."""
    for row, label in enumerate(labels):
        if label is not None and not (isinstance(label, int) and UNLABELED <= label < len(names)):
            raise DataError(f"{where(row)}: the label is {label!r}, but the file names only {len(names)} classes")
