import json
import re

import pytest

from lit_al.exceptions import DataError
from lit_al.exchange.argilla import question_records, read_argilla, said_records
from lit_al.exchange.shapes import Question, Said

RECORD = {"id": "7", "fields": {"text": "so so"}, "metadata": {"lit_al_id": 7, "lit_al_sha256": "x"}}


@pytest.fixture
def read(tmp_path):
    def read(*records):
        path = tmp_path / "a.jsonl"
        path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
        return read_argilla(path)

    return read


def test_questions_have_their_suggestions():
    lines = question_records([Question(7, "x", "so so", "pos", 0.6), Question(8, "y", "=1")], "lit_al-3").splitlines()
    suggestion = {"question_name": "label", "value": "pos", "score": 0.6, "agent": "lit_al-3"}
    assert json.loads(lines[0]) == {**RECORD, "suggestions": [suggestion]}
    assert json.loads(lines[1])["suggestions"] == []


def test_what_was_said_comes_back(tmp_path):
    said = [Said(7, "x", "so so", "ann", "pos"), Said(7, "x", "so so", "bob", None), Said(8, "y", "=1", "ann", "neg")]
    (tmp_path / "a.jsonl").write_bytes(said_records(said))
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 2
    rows = read_argilla(tmp_path / "a.jsonl")
    assert [(row.id, row.annotator, row.label, row.action) for row in rows] == [
        (7, "ann", "pos", None),
        (7, "bob", None, "skip"),
        (8, "ann", "neg", None),
    ]


def test_drafts_and_records_without_responses_are_open(read):
    draft = {"label": [{"value": "pos", "user_id": "ann", "status": "draft"}]}
    rows = read(RECORD, {**RECORD, "responses": draft}, {**RECORD, "responses": {"label": [{"value": "pos"}]}})
    assert [row.label for row in rows] == [None, None, "pos"]


@pytest.mark.parametrize("as_list", [True, False])
def test_the_suggestion_that_was_shown_is_read(read, as_list):
    shown = {"value": "neg", "score": 0.6}
    suggestions = [{"question_name": "label", **shown}] if as_list else {"label": shown}
    responses = {"label": [{"value": "pos", "user_id": "ann"}]}
    (row,) = read({**RECORD, "suggestions": suggestions, "responses": responses})
    assert (row.label, row.suggestion, row.probability) == ("pos", "neg", 0.6)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": "a"}, "line 1: no record with fields.text"),
        ({**RECORD, "responses": {"label": "pos"}}, "line 1: responses.label is no list"),
        ({**RECORD, "responses": {"label": ["pos"]}}, "line 1, response 1: 'pos' is no response"),
        ({**RECORD, "responses": ["pos"]}, "line 1: responses.label is no list"),
        ({**RECORD, "responses": {"label": [{"value": "pos", "status": "odd"}]}}, "known status"),
    ],
)
def test_another_shape_is_refused(read, record, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read(record)
