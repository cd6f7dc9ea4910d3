"""Labels as people write them, cell by cell: what is no label, which spellings are one, where a cell holds several."""

import ast
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lit_al.data.labels import MAX_CLASSES
from lit_al.data.tables import Reading
from lit_al.exceptions import DataError
from lit_al.utils.terminal_text import first_line

# Words that stand for "no label", in small letters: as spreadsheets, pandas, R, databases and people write it.
NO_LABEL = frozenset(
    ["na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "nat", "\\n", "-", "--", "?", "n.a.", "(null)"]
)
_JOINTS = re.compile(r"[#|;,/+&]")  # between the labels of a cell that has several
_IN_NAMES = re.compile(r"[/+&]")  # of these, what names of classes hold too
_MOST_SHOWN = 6


@dataclass(frozen=True)
class LabelCells:
    """The cells of a column of labels, made plain.

    Args:
        values: N integers, floats, words, or None for no label.
        notes: what was taken for what, a line each.
    """

    values: list[object]
    notes: tuple[str, ...] = ()


def plain_labels(
    cells: Sequence[object],
    where: Callable[[int], str],
    reading: Reading | None = None,
    classes: Sequence[str] = (),
) -> LabelCells:
    """One label for each cell, or none.

    Args:
        cells: N cells as the file holds them.
        where: from a row to its place in the file, for messages.
        reading: what the user says of labels.
        classes: names of classes where they are given: none of them is "no label", and spellings are folded to them.

    Raises:
        DataError: a cell with several labels, unless `reading` says what to make of it.

    >>> plain_labels(["Good", " good", "N/A", "bad"], str).values
    ['Good', 'Good', None, 'bad']
    """
    reading = reading or Reading()
    notes: list[str] = []
    values = _booleans([_unwrapped(cell) for cell in cells])
    values = _single(values, where, reading, notes)
    values = _without_missing(values, reading, classes, notes)
    if not reading.exact_labels:
        values = _folded(values, classes, notes)
    return LabelCells(values, tuple(notes))


def _unwrapped(cell: object) -> object:
    """A list that is written as a word, and the choices of Label Studio, as a list; NaN as None."""
    match cell:
        case {"choices": list(choices)}:
            return choices
        case float() if math.isnan(cell):
            return None
        case str() if (cell[:1] == "[" and cell.rstrip()[-1:] == "]") or cell.startswith('{"choices"'):
            try:
                found = ast.literal_eval(cell)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                return cell
            found = found.get("choices") if isinstance(found, dict) else found
            is_words = isinstance(found, list) and all(isinstance(word, str | int) for word in found)
            return found if is_words else cell
        case tuple() | set():
            return list(cell)
    return cell


def _booleans(values: list[object]) -> list[object]:
    """True and False as words where there is nothing else, as they come from CSV; else as 1 and 0."""
    alone = all(isinstance(value, bool) or value is None for value in values)
    return [(str(value) if alone else int(value)) if isinstance(value, bool) else value for value in values]


def _single(values: list[object], where: Callable[[int], str], reading: Reading, notes: list[str]) -> list[object]:
    """Cells with one label or none; those with several are refused, or cut to the first, or taken for none."""
    words = {value for value in values if isinstance(value, str)}
    joint = set() if reading.exact_labels or len(words) > MAX_CLASSES else _joint_labels(words)
    found: list[object] = []
    several: list[int] = []
    for row, value in enumerate(values):
        parts: list[object] = [value]
        if isinstance(value, list) and all(isinstance(part, str | int | float | None) for part in value):
            parts = list(dict.fromkeys(value))
        elif isinstance(value, str) and value in joint:
            parts = [part.strip() for part in _JOINTS.split(value)]
        if len(parts) > 1:
            several.append(row)
            parts = parts[:1] if reading.several_labels == "first" else []
        found.append(parts[0] if parts else None)
    if several and reading.several_labels == "refuse":
        row = several[0]
        example = first_line(repr(values[row]), 60)
        raise DataError(
            f"{where(row)}: the label is {example}, as if of several ({len(several):,} of {len(values):,} are so), "
            "but a text has one label here: choose with --several-labels first or none, split the column into one for "
            "each question and name one with --label-column, or take each cell for one label with --exact-labels"
        )
    if several:
        made = "the first is taken" if reading.several_labels == "first" else "they are left without"
        notes.append(f"{len(several):,} texts have several labels: {made}")
    return found


def _joint_labels(words: set[str]) -> set[str]:
    """Words that are several labels in one cell: parts of them are labels of other cells.

    Signs that names have too, as in Sci/Tech, join labels only where each part stands alone elsewhere.

    >>> sorted(_joint_labels({"food#bad", "bad", "good", "sci/tech", "a;b"}))
    ['food#bad']
    """
    parts = {word: [part.strip().lower() for part in _JOINTS.split(word)] for word in words}
    joint = {word: found for word, found in parts.items() if len(found) > 1 and all(found)}
    alone = {found[0] for found in parts.values() if len(found) == 1}
    used = Counter(part for word, found in joint.items() if not _IN_NAMES.search(word) for part in set(found))

    def is_joint(word: str, found: list[str]) -> bool:
        if _IN_NAMES.search(word):
            return all(part in alone for part in found)
        return any(part in alone or used[part] > 1 for part in found)

    return {word for word, found in joint.items() if is_joint(word, found)}


def _without_missing(values: list[object], reading: Reading, classes: Sequence[str], notes: list[str]) -> list[object]:
    """The same with None for words that mean it."""
    known = {name.strip().casefold() for name in classes}
    missing: Counter[str] = Counter()
    found: list[object] = []
    for value in values:
        if isinstance(value, str):
            word = value.strip()
            plain = word.casefold()
            if not word:
                value = None
            elif plain in NO_LABEL and plain not in known and not reading.keep_na_labels:
                missing[word] += 1
                value = None
        found.append(value)
    if missing:
        said = ", ".join(f"{word!r} {count:,}" for word, count in missing.most_common(_MOST_SHOWN))
        more = ", …" if len(missing) > _MOST_SHOWN else ""
        notes.append(
            f"{missing.total():,} labels are taken for no label ({said}{more}); --keep-na-labels makes classes of them"
        )
    return found


def _folded(values: list[object], classes: Sequence[str], notes: list[str]) -> list[object]:
    """Spellings that differ in case or in blanks around them as one: a given class, or the most frequent of them."""
    spellings: dict[str, Counter[str]] = {}
    for value in values:
        if isinstance(value, str):
            spellings.setdefault(value.strip().casefold(), Counter())[value] += 1
    given: dict[str, list[str]] = {}
    for name in classes:
        given.setdefault(name.strip().casefold(), []).append(name)
    taken: dict[str, str] = {}
    changed: list[str] = []
    for plain, found in spellings.items():
        names = given.get(plain, [])
        if len(names) > 1:  # two classes differ in case alone: a label is whichever it is written as
            taken |= {spelling: spelling if spelling in names else spelling.strip() for spelling in found}
            continue
        stripped: Counter[str] = Counter()
        for spelling, count in found.items():
            stripped[spelling.strip()] += count
        name = names[0] if names else max(stripped, key=lambda word: stripped[word])
        taken |= dict.fromkeys(found, name)
        if len(found) > 1 or next(iter(found)).strip() != name:
            changed.append(f"{len(found)} spellings as {name!r} ({found.total():,})")
    if changed:
        more = f" and {len(changed) - _MOST_SHOWN} more" if len(changed) > _MOST_SHOWN else ""
        notes.append(
            f"labels that differ in case or blanks alone are one: {', '.join(changed[:_MOST_SHOWN])}{more}; "
            "--exact-labels keeps them apart"
        )
    return [taken[value] if isinstance(value, str) else value for value in values]
