import json
import re

import pytest

from lit_al.exceptions import DataError
from lit_al.exchange.prodigy import question_lines, read_prodigy, said_lines
from lit_al.exchange.shapes import Question, Said

TASK = {"text": "so so", "meta": {"lit_al_id": 7, "lit_al_sha256": "x"}}


@pytest.fixture
def read(tmp_path):
    def read(*tasks, classes=("neg", "pos")):
        path = tmp_path / "p.jsonl"
        path.write_text("\n".join(json.dumps({**TASK, **task}) for task in tasks), encoding="utf-8")
        return read_prodigy(path, classes)

    return read


def test_questions_are_choices():
    (line,) = question_lines([Question(7, "x", "so so", round=2)], ["neg", "pos"]).splitlines()
    assert json.loads(line) == {
        "text": "so so",
        "meta": {"lit_al_id": 7, "lit_al_sha256": "x", "round": 2},
        "options": [{"id": "neg", "text": "neg"}, {"id": "pos", "text": "pos"}],
    }


def test_what_was_said_comes_back(tmp_path):
    said = [Said(7, "x", "so so", "ann", "pos", "sure"), Said(7, "x", "so so", "bob", None)]
    (tmp_path / "p.jsonl").write_bytes(said_lines(said, ["neg", "pos"]))
    rows = read_prodigy(tmp_path / "p.jsonl", ["neg", "pos"])
    assert [(row.id, row.annotator, row.label, row.action, row.note) for row in rows] == [
        (7, "ann", "pos", None, "sure"),
        (7, "bob", None, "skip", None),
    ]


def test_answers_are_accepted_rejected_or_ignored(read):
    rows = read(
        {"answer": "accept", "label": "pos", "_session_id": "set-ann", "_timestamp": 0},
        {"answer": "reject", "label": "pos"},
        {"answer": "reject", "accept": ["pos"]},
        {"answer": "ignore", "accept": ["pos"]},
        {},
    )
    assert [(row.label, row.action) for row in rows] == [
        ("pos", None),
        ("neg", None),
        (None, "skip"),
        (None, "skip"),
        (None, None),
    ]
    assert (rows[0].annotator, rows[0].time) == ("set-ann", "1970-01-01T00:00:00+00:00")


def test_a_rejected_label_of_three_names_no_other(read):
    (row,) = read({"answer": "reject", "label": "pos"}, classes=("neg", "pos", "mixed"))
    assert (row.label, row.action) == (None, "skip")


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"meta": {}}, "line 1: no meta.lit_al_id"),
        ({"answer": "yes"}, "line 1: the answer is 'yes'; it is accept, reject, ignore or missing"),
        ({"answer": "accept", "accept": ["a", "b"]}, "line 1: accept is ['a', 'b'], but a text has one label"),
        ({"answer": "accept"}, "line 1: accepted, but neither"),
    ],
)
def test_another_shape_is_refused(read, task, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read(task)
