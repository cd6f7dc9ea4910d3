"""Tables classified: all columns of the input, and behind them what a model says of each text."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lit_al.data.columns import texts_of
from lit_al.data.load import read_table
from lit_al.data.tables import DataTable, Reading
from lit_al.exchange.carried import free_names
from lit_al.exchange.table_files import table_file, table_on_screen
from lit_al.models.classifier import Classifier
from lit_al.models.prediction import probabilities
from lit_al.typing import Float32s
from lit_al.utils.signals import interruptible
from lit_al.utils.terminal_text import say

AT_ONCE = 8_192  # texts: enough for all cores to read at once, and few enough that nobody sees the memory
DIGITS = 6  # of a probability


@dataclass(frozen=True)
class Wanted:
    """What is written.

    Attributes:
        to: the file; None for standard output.
        each: a column for each class, too.
        abstain_below: a probability under which there is no label; None gives every text one.
        as_json: to standard output as JSON.
        raw: leave cells of a CSV that spreadsheets take for formulas as they are.
    """

    to: Path | None = None
    each: bool = False
    abstain_below: float | None = None
    as_json: bool = False
    raw: bool = False


def classify_table(model: Classifier, data: Any, reading: Reading, wanted: Wanted) -> str:
    """Classify the texts of a file, a folder or a table, and write them with all that stands beside them.

    Args:
        model: with an encoder.
        data: as `read_table` takes it, or a table.
        reading: which column holds the texts.
        wanted: what is written, and where.

    Returns:
        What was done, a sentence.

    Raises:
        LitALError: a table that cannot be read, or a file that cannot be written.
    """
    table, source = (data, data.origin) if isinstance(data, DataTable) else read_table(data, reading)
    found = texts_of(table, reading, labeled=False)
    for note in found.notes:
        say(f"note: {note}", sys.stderr)
    names = _each_once(table.names)
    ours = added_columns(model.classes, wanted)
    added = dict(zip(ours, free_names(ours, names, "predicted_"), strict=True))
    for name, free in added.items():
        if name != free:
            say(f"note: {table.origin} has a column {name!r} of its own; the model's is {free!r}", sys.stderr)
    kinds: dict[str, Any] = dict(zip(names, table.cells, strict=True))
    kinds |= {free: _KINDS.get(name, float) for name, free in added.items()}
    counted, done = np.zeros(len(model.classes) + 1, np.int64), 0
    with ExitStack() as stack:
        stack.enter_context(interruptible())
        advance = stack.enter_context(_bar(len(found.texts)))
        every = [*names, *added.values()]
        if wanted.to is None:
            write = stack.enter_context(table_on_screen(every, as_json=wanted.as_json, raw=wanted.raw))
        else:
            write = stack.enter_context(table_file(wanted.to, every, kinds, raw=wanted.raw))
        for scores in probabilities(model, found.texts, AT_ONCE):
            here = slice(done, done := done + len(scores))
            labels, columns = said(model.classes, scores, wanted)
            write([*(cells[here] for cells in table.cells), *columns])
            counted += np.bincount(labels, minlength=len(counted))
            advance(len(scores))
    return in_words(source, model.classes, counted, wanted)


_KINDS: dict[str, Any] = {"label": str, "abstained": bool}


def added_columns(classes: Sequence[str], wanted: Wanted) -> list[str]:
    """The columns that a model adds."""
    each = [f"probability_{name}" for name in classes] if wanted.each else []
    return ["label", "probability", *(["abstained"] if wanted.abstain_below is not None else []), *each]


def said(classes: Sequence[str], scores: Float32s, wanted: Wanted) -> tuple[Any, list[list[Any]]]:
    """What a model says by probabilities (n, C): class numbers (n,), C where it abstains, and the columns' cells."""
    best = scores.argmax(axis=1)  # as in training, a tie of two classes goes to the first
    surest = scores[np.arange(len(scores)), best]
    abstained = surest < (0.0 if wanted.abstain_below is None else wanted.abstain_below)
    labels = np.where(abstained, len(classes), best)
    words = [*classes, None]
    columns: list[list[Any]] = [[words[label] for label in labels.tolist()], _rounded(surest)]
    if wanted.abstain_below is not None:
        columns.append(abstained.tolist())
    return labels, columns + ([_rounded(column) for column in scores.T] if wanted.each else [])


def _rounded(values: Float32s) -> list[float]:
    found: list[float] = values.astype(np.float64).round(DIGITS).tolist()
    return found


def _each_once(names: Iterable[str]) -> list[str]:
    """Names of columns, of two alike the second with its number.

    >>> _each_once(["a", "b", "a"])
    ['a', 'b', 'a (3)']
    """
    found: list[str] = []
    for place, name in enumerate(names, 1):
        while name in found:
            name = f"{name} ({place})"
        found.append(name)
    return found


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar beside the output, where somebody looks; called with a number of texts, it moves on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("classifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.advance(task, number)


def in_words(source: str, classes: Sequence[str], counted: Any, wanted: Wanted) -> str:
    """What was done, by counts (C + 1,) of texts by class, the last without a label."""
    most = sorted(zip(counted.tolist(), [*classes, "no label"], strict=True), key=lambda pair: -pair[0])
    shown = ", ".join(f"{name} {count:,}" for count, name in most[:10] if count)
    more = ", …" if sum(count > 0 for count, _ in most) > 10 else ""
    return f"{counted.sum():,} texts of {source} classified ({shown}{more}); they are in {wanted.to}"
