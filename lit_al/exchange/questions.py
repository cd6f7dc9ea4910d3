"""Texts to be labeled elsewhere, as CSV for people or JSONL for programs; `answers` reads them back.

| column | what it holds |
|---|---|
| the user's own | as in their file, but for labels that it brought |
| lit_al_id | which text it is |
| lit_al_sha256 | of the exact text, so that an edited one is noticed |
| text | itself |
| label | empty, for the answer: the name of a class |
| action | empty; `skip` for a text that has no right answer |
| note | empty, for free words |
| suggestion, probability | what the model thinks, only if asked for: people who see it agree with it more often |
| round | that asks, in runs that have rounds |
"""

from collections.abc import Sequence
from typing import Any

from lit_al.exchange.shapes import SCHEMA, Question, columns_of
from lit_al.exchange.writing import csv_bytes, jsonl_bytes

COLUMNS = ("lit_al_id", "lit_al_sha256", "text", "label", "action", "note")
SUGGESTED = ("suggestion", "probability")


def questions_csv(
    questions: Sequence[Question], own: Sequence[str] = (), *, suggestions: bool = False, raw: bool = False
) -> bytes:
    """A table with an empty column for the answers.

    Args:
        questions: the most wanted first.
        own: the user's own columns, which stand before ours.
        suggestions: show what the model thinks.
        raw: leave cells that spreadsheets take for formulas as they are.
    """
    header = (*own, *COLUMNS, *(SUGGESTED if suggestions else ()), "round")
    return csv_bytes(header, map(_row, questions), raw=raw)


def questions_jsonl(questions: Sequence[Question], *, suggestions: bool = False) -> bytes:
    """A line for each question; `label` and `action` are null until they are answered."""
    left_out = () if suggestions else SUGGESTED
    rows = ({"schema_version": SCHEMA, **_row(question)} for question in questions)
    return jsonl_bytes({key: value for key, value in row.items() if key not in left_out} for row in rows)


def _row(question: Question) -> dict[str, Any]:
    return {**question.own, **dict.fromkeys(COLUMNS), **columns_of(question)}
