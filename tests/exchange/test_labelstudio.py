import json
import re
import xml.etree.ElementTree as ET

import pytest

from lit_al.exceptions import DataError
from lit_al.exchange.labelstudio import labeled_tasks, labeling_config, question_tasks, read_labelstudio
from lit_al.exchange.shapes import LabeledText, Question
from lit_al.record import sha256_of

DATA = {"text": "so so", "lit_al_id": "7", "lit_al_sha256": sha256_of("so so")}


def annotation(label="pos", **more):
    value = {"choices": [label]}
    result = [{"id": "x", "from_name": "label", "to_name": "text", "type": "choices", "value": value}]
    return {"id": 1, "result": result, "was_cancelled": False, "ground_truth": False, "completed_by": 3, **more}


@pytest.fixture
def read(tmp_path):
    def read(tasks):
        path = tmp_path / "export.json"
        path.write_text(tasks if isinstance(tasks, str) else json.dumps(tasks), encoding="utf-8")
        return read_labelstudio(path)

    return read


def test_tasks_have_the_names_that_label_studio_reads():
    questions = [Question(7, DATA["lit_al_sha256"], "so so", "pos", 0.61), Question(8, "x", "=1")]
    tasks = json.loads(question_tasks(questions, "lit_al-3"))
    assert tasks[0] == {
        "data": DATA,
        "predictions": [
            {
                "model_version": "lit_al-3",
                "score": 0.61,
                "result": [
                    {
                        "id": "p7",
                        "from_name": "label",
                        "to_name": "text",
                        "type": "choices",
                        "value": {"choices": ["pos"]},
                    }
                ],
            }
        ],
    }
    assert tasks[1] == {"data": {"text": "=1", "lit_al_id": "8", "lit_al_sha256": "x"}}


def test_ids_of_results_all_differ():
    questions = json.loads(question_tasks([Question(n, "x", "t", "pos", 0.5) for n in range(5)], "m"))
    labeled = json.loads(labeled_tasks([LabeledText(n, "x", "t", "pos") for n in range(5)]))
    ids = [task["predictions"][0]["result"][0]["id"] for task in questions]
    ids += [task["annotations"][0]["result"][0]["id"] for task in labeled]
    assert len(set(ids)) == 10


@pytest.mark.parametrize("classes", [("neg", "pos"), ('<a "b" & c>', "line\nbreak\ttab", "ü 👩")])
def test_the_labeling_interface_is_xml_with_every_class(classes):
    view = ET.fromstring(labeling_config(classes))
    assert view.find("Text").attrib == {"name": "text", "value": "$text"}
    assert view.find("Choices").get("toName") == "text"
    assert [choice.get("value") for choice in view.iter("Choice")] == list(classes)


def test_a_class_that_xml_cannot_hold_is_refused():
    with pytest.raises(DataError, match="control character"):
        labeling_config(["a\x01", "b"])


def test_annotations_of_an_export_are_rows(read):
    times = {"created_at": "2026-01-01T10:00:00Z", "updated_at": "2026-01-02T10:00:00Z", "lead_time": 2.3456}
    other = annotation("neg", id=2, completed_by={"id": 4, "email": "ann@example.org"}, created_at="2026-01-03")
    rows = read([{"id": 1, "data": DATA, "annotations": [annotation(**times), other], "predictions": [{"score": 1}]}])
    assert [(row.id, row.label, row.annotator) for row in rows] == [("7", "pos", "3"), ("7", "neg", "ann@example.org")]
    assert (rows[0].time, rows[0].lead_ms, rows[0].text) == ("2026-01-02T10:00:00Z", 2346, "so so")
    assert rows[1].time == "2026-01-03"
    assert rows[1].where.endswith("export.json, task 1, annotation 2")


def test_cancelled_is_a_skip_and_an_empty_result_is_no_answer(read):
    rows = read(
        [
            {"data": DATA, "annotations": [annotation(was_cancelled=True), annotation(id=2, result=[])]},
            {"data": DATA, "annotations": []},
        ]
    )
    assert [(row.label, row.action) for row in rows] == [(None, "skip"), (None, None), (None, None)]


def test_the_prediction_that_was_shown_is_read(read):
    (task,) = json.loads(question_tasks([Question(7, DATA["lit_al_sha256"], "so so", "neg", 0.6)], "lit_al-3"))
    (row,) = read([{**task, "annotations": [annotation()]}])
    assert (row.label, row.suggestion, row.probability) == ("pos", "neg", 0.6)
    (row,) = read([{**task, "annotations": [annotation()], "predictions": [5]}])
    assert row.suggestion is None


def test_json_min_is_read(read):
    flat = {"id": 1, **DATA, "label": "pos", "annotator": 3, "annotation_id": 9, "updated_at": "now", "lead_time": 1}
    rows = read([flat, {**flat, "annotation_id": 10, "annotator": "ann@example.org", "label": {"choices": ["neg"]}}])
    assert [(row.label, row.annotator, row.time, row.lead_ms) for row in rows] == [
        ("pos", "3", "now", 1000),
        ("neg", "ann@example.org", "now", 1000),
    ]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ("{", "line 1, character 2: not valid JSON"),
        ({"data": DATA}, "holds no list of tasks"),
        (["a"], "task 1: 'a' is a task of neither JSON nor JSON_MIN"),
        ([{"data": {"text": "a"}}], "task 1: no lit_al_id in its data"),
        ([{"data": DATA, "annotations": 3}], "task 1: its annotations are no list"),
        ([{"data": DATA, "annotations": [{"id": 1}]}], "task 1, annotation 1: no list 'result'"),
        (
            [{"data": DATA, "annotations": [annotation(result=[{"type": "rating"}])]}],
            "0 results of choices among 1, where one is wanted",
        ),
        (
            [
                {
                    "data": DATA,
                    "annotations": [annotation(result=[{"type": "choices", "value": {"choices": ["a", "b"]}}])],
                }
            ],
            "the choices are ['a', 'b'], but a text has one label",
        ),
        (
            [{"data": DATA, "annotations": [annotation()]}, {"data": DATA, "annotations": [annotation("neg")]}],
            "task 2, annotation 1: the annotation 1 stands at",
        ),
        ([{"data": DATA, "annotations": [annotation(completed_by=[1])]}], "[1] names no annotator"),
        ([{"id": 1, **DATA, "label": {"choices": []}, "annotation_id": 1}], "the choices are [], but"),
    ],
)
def test_another_shape_is_refused_with_its_task(read, tasks, message):
    with pytest.raises(DataError, match=re.escape(message)) as error:
        read(tasks)
    assert "\n" not in str(error.value)
