r"""The table of a benchmark: one JSON line per cell, which is one strategy, one seed, one round.

Lines are appended and synced, never rewritten, so that a killed run loses at most the cell it was at. A line is whole
once its line break is there; a half line at the end is what a kill leaves, and is cut off before the next is written.
docs/bench-schema.md describes the fields.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp(), "cells.jsonl")
>>> append_cell(path, Result("random", seed=0, round=0, labels=100, labels_spent=120, accuracy=.71))
>>> [cell.accuracy for cell in read_cells(path)]
[0.71]
"""

import fcntl
import json
import math
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lit_al.exceptions import DataError, RunError
from lit_al.metrics import Metric
from lit_al.utils.files import way_out

SCHEMA = 1  # grows when a field changes its meaning
Key = tuple[str, int, int]  # of a cell: row, seed, round


@dataclass(frozen=True)
class Result:
    """What one row reached with one seed after one fit.

    Attributes:
        strategy: spelling of the row (`methods`); `full` is the model that was given every label.
        seed: of the pair: all strategies share the split, the first labels and the initial weights of a seed.
        round: acquisitions before this fit.
        labels: training labels of this fit.
        labels_spent: labels that anything depended on: training, validation, steering.
        accuracy: on the test set, a share; None where the cell failed.
        loss: on the test set, mean cross-entropy in nats; None where it is not known or not finite.
        predicted: (C,) rows of the batch acquired before this fit by the class that the model gave them; None where
            none was acquired.
        taken: (C,) the same rows by true class.
        diversity: of that batch, as the runner measures it; comparable within a table only.
        fit_seconds: of this fit.
        score_seconds: of scoring the pool for the batch.
        select_seconds: of choosing the batch.
        stopped: by stopping rule: would it have stopped the run here? None where none was asked.
        macro_f1: on the test set, a share; None where the cell failed or is older than this column.
        error: why the cell failed; None where it did not.
    """

    strategy: str
    seed: int
    round: int
    labels: int
    labels_spent: int
    accuracy: float | None = None
    loss: float | None = None
    predicted: tuple[int, ...] | None = None
    taken: tuple[int, ...] | None = None
    diversity: float | None = None
    fit_seconds: float | None = None
    score_seconds: float | None = None
    select_seconds: float | None = None
    stopped: dict[str, bool] | None = None
    macro_f1: float | None = None
    error: str | None = None

    @property
    def key(self) -> Key:
        """Which cell of the table it is."""
        return self.strategy, self.seed, self.round

    def score(self, metric: Metric) -> float | None:
        """Accuracy or macro-F1; None where the cell failed."""
        return self.accuracy if metric == "accuracy" else self.macro_f1


def append_cell(path: Path, cell: Result) -> None:
    """Add a line and wait until the disk has it.

    Raises:
        RunError: it cannot be written; the file is as it was.
    """
    plain = {name: _plain(value) for name, value in asdict(cell).items()}
    line = json.dumps({"schema": SCHEMA, **plain}, allow_nan=False, ensure_ascii=False) + "\n"
    try:
        with path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another writer's line must not look like a half one
            whole = _cut_half_line(file)
            try:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), whole)  # a full disk took part of the line
                raise
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}; {way_out(error, path)}") from error


def _cut_half_line(file: Any) -> int:
    """Bytes of the whole lines, once what follows the last line break is gone."""
    file.seek(0)
    whole = sum(len(line) for line in file if line.endswith(b"\n"))  # only the last can be without
    if file.tell() > whole:
        file.truncate(whole)
    return whole


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_cells(path: Path) -> list[Result]:
    """The cells of a table, in the order written; of a cell that failed and was run again, the later line.

    A half line at the end is left out with a warning.

    Raises:
        DataError: no such file, a line that is broken, of another schema, without a field or with one that does not
            fit, or a cell that stands there twice; the line number is named.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}; give the cells.jsonl of a benchmark"
        ) from error
    *whole, rest = text.split("\n")
    if rest:
        warnings.warn(
            f"{path}: line {len(whole) + 1} is cut off and left out; its cell has to be run again", stacklevel=2
        )
    cells = [_cell(f"{path}: line {number}", line) for number, line in enumerate(whole, 1)]
    return _latest(path, cells)


def _latest(path: Path, cells: Sequence[Result]) -> list[Result]:
    """Failed cells give way to later lines; good ones to none."""
    lines: dict[Key, int] = {}
    for number, cell in enumerate(cells, 1):
        earlier = lines.get(cell.key)
        if earlier is not None and cells[earlier - 1].error is None:
            raise DataError(f"{path}: line {number} repeats the cell of line {earlier}; remove one of them")
        lines[cell.key] = number
    return [cells[number - 1] for number in sorted(lines.values())]


def _cell(where: str, line: str) -> Result:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where} is broken ({error}); remove it and run the benchmark again") from error
    if not isinstance(row, dict) or row.pop("schema", None) != SCHEMA:
        raise DataError(f"{where} is no cell of schema {SCHEMA}; was it written by another version of lit_al?")
    row = {**_LATER, **row}
    for name in (field.name for field in fields(Result)):
        if name not in row:
            raise DataError(f"{where} has no {name!r}; remove it and run the benchmark again")
        if not _FITS[name](row[name]):
            raise DataError(
                f"{where} has {name}={row[name]!r}, which does not fit; docs/bench-schema.md says what does"
            )
    if strangers := set(row) - set(_FITS):
        raise DataError(f"{where} has {min(strangers)!r}, which is no field of a cell")
    if (row["accuracy"] is None) == (row["error"] is None):
        raise DataError(f"{where} must have either an accuracy or an error, and not both")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Result(**values)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


_COUNTS = _or_none(lambda value: isinstance(value, list) and all(map(_is_count, value)))
_AMOUNT = _or_none(lambda value: _is_number(value) and value >= 0)
_FITS: dict[str, Callable[[Any], bool]] = {
    "strategy": lambda value: isinstance(value, str) and value != "",
    "seed": _is_count,
    "round": _is_count,
    "labels": _is_count,
    "labels_spent": lambda value: _is_count(value) and value > 0,
    "accuracy": _or_none(lambda value: _is_number(value) and 0 <= value <= 1),
    "loss": _AMOUNT,
    "predicted": _COUNTS,
    "taken": _COUNTS,
    "diversity": _or_none(_is_number),
    "fit_seconds": _AMOUNT,
    "score_seconds": _AMOUNT,
    "select_seconds": _AMOUNT,
    "stopped": _or_none(lambda value: isinstance(value, dict) and all(isinstance(one, bool) for one in value.values())),
    "macro_f1": _or_none(lambda value: _is_number(value) and 0 <= value <= 1),
    "error": _or_none(lambda value: isinstance(value, str)),
}
_LATER = {"stopped": None, "macro_f1": None}  # lines written before there were such fields
