"""Argilla: records as JSONL, one a line, out and in.

Written: `id`, `fields.text`, `metadata` with the user's own columns, `lit_al_id`, `lit_al_sha256` and, where there
are, `notes` (by annotator, as JSON) and `flagged_by`; `suggestions` of the question `label` with `value`, `score` and
`agent`, `responses.label` with `value`, `user_id` and `status`. A skip is a response without a value whose status is
`discarded`.

Read: the same, but for flags; the suggestion is noted as what was shown. `discarded` is a skip, `draft` and `pending`
are no answers yet, and a response without a status counts as `submitted`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lit_al.exceptions import DataError
from lit_al.exchange.checking import SKIP
from lit_al.exchange.shapes import Given, Question, Said
from lit_al.exchange.writing import jsonl_bytes
from lit_al.utils.cells import word_of
from lit_al.utils.readers import json_objects, reading
from lit_al.utils.terminal_text import first_line

QUESTION = "label"
_OPEN = ("draft", "pending")


def question_records(questions: Iterable[Question], model_version: str) -> bytes:
    """Records to be labeled, with a suggestion where a question has one."""
    return jsonl_bytes(_record(one, suggestions=_suggestions(one, model_version)) for one in questions)


def said_records(said: Sequence[Said]) -> bytes:
    """Records with what every annotator says of them; those of one text must be neighbors."""
    groups = (list(group) for _, group in groupby(said, lambda one: one.id))
    return jsonl_bytes(map(_said, groups))


def _said(group: Sequence[Said]) -> dict[str, Any]:
    """A text with what each annotator says of it."""
    responses = [_response(one) for one in group if one.answered]
    notes = {one.annotator: one.note for one in group if one.note} or None
    flagged = ", ".join(one.annotator for one in group if one.flagged) or None
    return _record(group[0], {"notes": notes, "flagged_by": flagged}, responses={QUESTION: responses})


def _record(one: Question | Said, said: Mapping[str, object] = MappingProxyType({}), **more: Any) -> dict[str, Any]:
    """A record; Argilla's metadata are words and numbers, so that all else is written out."""
    cells = {**one.own, "lit_al_id": one.id, "lit_al_sha256": one.sha256, **said}
    metadata = {
        name: cell if type(cell) in (str, int, float) else word_of(cell)
        for name, cell in cells.items()
        if cell is not None
    }
    return {"id": str(one.id), "fields": {"text": one.text}, "metadata": metadata, **more}


def _suggestions(one: Question, model_version: str) -> list[dict[str, Any]]:
    if one.suggestion is None:
        return []
    return [
        {"question_name": QUESTION, "value": one.suggestion, "score": one.probability, "agent": model_version},
    ]


def _response(one: Said) -> dict[str, Any]:
    return {
        "value": one.label,
        "user_id": one.annotator,
        "status": "submitted" if one.label is not None else "discarded",
    }


def read_argilla(path: Path) -> list[Given]:
    """The responses of each record; a record without any is an unanswered row.

    Raises:
        DataError: no such file, or a line of another shape.
    """
    with reading(path):
        return [row for line, record in json_objects(path) for row in _rows(record, f"{path}, line {line}")]


def _rows(record: dict[str, Any], where: str) -> Iterator[Given]:
    match record:
        case {"fields": {"text": text}, "metadata": {"lit_al_id": number, "lit_al_sha256": sha256}}:
            questions = record.get("responses") or {}
            responses = (questions.get(QUESTION) or []) if isinstance(questions, dict) else None
        case _:
            raise DataError(f"{where}: no record with fields.text, metadata.lit_al_id and metadata.lit_al_sha256")
    if not isinstance(responses, list):
        raise DataError(f"{where}: responses.{QUESTION} is no list")
    notes = _notes(record["metadata"].get("notes"))
    if not responses and not notes:
        yield Given(where, number, sha256, text)
    label_shown, score = _shown(record.get("suggestions"))
    for place, response in enumerate(responses, start=1):
        label, action, user = _answer(response, f"{where}, response {place}")
        yield Given(
            f"{where}, response {place}",
            number,
            sha256,
            text,
            label,
            action,
            notes.pop(user, None) if isinstance(user, str) else None,
            user,
            suggestion=label_shown,
            probability=score,
        )
    for user, note in notes.items():
        yield Given(where, number, sha256, text, note=note, annotator=user)


def _notes(words: object) -> dict[str, object]:
    """The notes of a record, by annotator; none where they are not ours."""
    try:
        found = json.loads(words) if isinstance(words, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _shown(suggestions: Any) -> tuple[object, object]:
    """The class that a record suggests, and its score; the suggestions are a list, or an object by question."""
    match suggestions:
        case [{"question_name": "label", "value": label} as first] | {"label": {"value": label} as first}:
            return label, first.get("score")
        case _:
            return None, None


def _answer(response: Any, where: str) -> tuple[object, str | None, object]:
    """Label, action and annotator of a response."""
    match response:
        case {"status": "discarded"}:
            return None, SKIP, response.get("user_id")
        case {"status": status} if status in _OPEN:
            return None, None, response.get("user_id")
        case {"value": value} if response.get("status") in (None, "submitted"):
            return value, None, response.get("user_id")
        case _:
            raise DataError(f"{where}: {first_line(repr(response), 60)} is no response with a value and a known status")
