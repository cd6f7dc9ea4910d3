"""Prodigy: tasks of its `choice` interface as JSONL, out and in.

Written: `text`, `meta` with the user's own columns, `lit_al_id`, `lit_al_sha256` and, where there are, `round`,
`suggestion` and `probability`; `options` with `id` and `text` of each class. With answers also `accept`, `answer`,
`_annotator_id`, `meta.note` and `meta.flagged`; a text that was noted or flagged alone has no answer.

Read: `text`, `meta`, `answer`, `accept` with one class or `label` with its name, `_annotator_id` or else `_session_id`,
and `_timestamp` in seconds. `ignore` is a skip. A `reject` of a `label` is the other class where a run has two; any
other `reject` names no class and counts as a skip. A line without `answer` is not answered yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lit_al.exceptions import DataError
from lit_al.exchange.checking import SKIP
from lit_al.exchange.shapes import Given, Question, Said
from lit_al.exchange.writing import jsonl_bytes
from lit_al.utils.readers import json_objects, reading
from lit_al.utils.terminal_text import first_line

ANSWERS = ("accept", "reject", "ignore")


def question_lines(questions: Iterable[Question], classes: Sequence[str]) -> bytes:
    """Tasks to be labeled."""
    return jsonl_bytes(
        _task(one, classes, round=one.round, suggestion=one.suggestion, probability=one.probability)
        for one in questions
    )


def said_lines(said: Iterable[Said], classes: Sequence[str]) -> bytes:
    """A line for each annotator who said something of a text."""
    return jsonl_bytes(
        {
            **_task(one, classes, note=one.note or None, flagged=one.flagged or None),
            **(_accept(one) if one.answered else {}),
            "_annotator_id": one.annotator,
        }
        for one in said
    )


def _accept(one: Said) -> dict[str, Any]:
    return {"accept": [], "answer": "ignore"} if one.label is None else {"accept": [one.label], "answer": "accept"}


def _task(one: Question | Said, classes: Sequence[str], **more: Any) -> dict[str, Any]:
    meta = {**one.own, "lit_al_id": one.id, "lit_al_sha256": one.sha256, **more}
    return {
        "text": one.text,
        "meta": {key: value for key, value in meta.items() if value is not None},
        "options": [{"id": name, "text": name} for name in classes],
    }


def read_prodigy(path: Path, classes: Sequence[str]) -> list[Given]:
    """The answers of a file, one a line.

    Args:
        path: of the file.
        classes: of the run; a rejected label means the other one only where there are two.

    Raises:
        DataError: no such file, or a line of another shape.
    """
    with reading(path):
        return [_row(task, f"{path}, line {line}", classes) for line, task in json_objects(path)]


def _row(task: Mapping[str, Any], where: str, classes: Sequence[str]) -> Given:
    match task:
        case {"meta": {"lit_al_id": number} as meta}:
            label, action = _answer(task, where, classes)
        case _:
            raise DataError(f"{where}: no meta.lit_al_id, so the task was not written by lit_al")
    return Given(
        where,
        number,
        meta.get("lit_al_sha256"),
        task.get("text"),
        label,
        action,
        note=meta.get("note"),
        annotator=task.get("_annotator_id") or task.get("_session_id"),
        time=_time(task.get("_timestamp")),
        round=meta.get("round"),
        suggestion=meta.get("suggestion"),
        probability=meta.get("probability"),
    )


def _answer(task: Mapping[str, Any], where: str, classes: Sequence[str]) -> tuple[object, str | None]:
    """Label and action of a task."""
    answer = task.get("answer")
    if answer is None:
        return None, None
    if answer not in ANSWERS:
        raise DataError(f"{where}: the answer is {first_line(repr(answer), 60)}; it is {', '.join(ANSWERS)} or missing")
    if answer == "accept":
        return _accepted(task, where), None
    label = task.get("label")
    if answer == "reject" and len(classes) == 2 and label in classes:
        return next(name for name in classes if name != label), None
    return None, SKIP


def _accepted(task: Mapping[str, Any], where: str) -> object:
    match task:
        case {"accept": [label]}:
            return label
        case {"accept": _}:
            raise DataError(f"{where}: accept is {first_line(repr(task['accept']), 60)}, but a text has one label")
        case {"label": label}:
            return label
        case _:
            raise DataError(f"{where}: accepted, but neither 'accept' nor 'label' says what")


def _time(seconds: object) -> str | None:
    """Seconds since 1970 as ISO 8601."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat()
