import csv
import json
import xml.etree.ElementTree as ET

import pytest

from lit_al.exceptions import ConfigError, DataError, RunError
from lit_al.exchange import export
from lit_al.exchange.outgoing import labeled_texts, next_questions
from lit_al.record import Action, Item, NewEvent, sha256_of


def test_questions_follow_the_newest_ranking_then_chance(ranked, say):
    say(ranked, 1, "pos")
    say(ranked, 0, None)
    first = next_questions(ranked, 2)
    assert [one.id for one in first] == [5, 3]  # 1 is answered
    every = [one.id for one in next_questions(ranked, 99)]
    assert every[:2] == [5, 3]
    assert sorted(every) == [2, 3, 4, 5, 6]
    assert every == [one.id for one in next_questions(ranked, 99)]


def test_suggestions_come_only_if_asked_for(ranked):
    assert next_questions(ranked, 1)[0].suggestion is None
    with_them = next_questions(ranked, 4, suggestions=True)
    assert [(one.suggestion, one.probability) for one in with_them] == [("pos", 0.75)] * 3 + [(None, None)]


def test_questions_carry_the_round(ranked):
    ranked.begin_round(4, [5, 1], "margin")
    assert next_questions(ranked, 1)[0].round == 4


def test_labels_count_their_annotators_and_ties_have_none(record, say):
    for annotator, label in [("ann", "pos"), ("bob", "pos"), ("cem", "neg")]:
        say(record, 2, label, annotator)
    say(record, 0, "pos")
    say(record, 0, "neg", "bob")
    say(record, 5, None)

    def found(*how):
        return [(one.id, one.label, one.annotators, one.agree, one.skipped_by) for one in labeled_texts(record, *how)]

    assert found() == [(0, None, 2, 0, None), (2, "pos", 3, 2, None), (5, None, 0, 0, "ann")]
    assert [label for _, label, *_ in found("latest")] == ["neg", "neg", None]
    assert [label for _, label, *_ in found("drop")] == [None, None, None]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet", "t.json"])
def test_the_suffix_says_the_format(record, say, tmp_path, name):
    say(record, 1, "pos")
    assert export(record, tmp_path / name).startswith("1 labeled text in ")
    assert (tmp_path / name).stat().st_size > 0


def test_formulas_are_guarded_in_csv_alone(record, say, tmp_path):
    say(record, 1, "pos")
    export(record, tmp_path / "t.csv")
    export(record, tmp_path / "raw.csv", raw=True)
    export(record, tmp_path / "t.jsonl")
    for name, text in [("t.csv", "'=1+1"), ("raw.csv", "=1+1")]:
        with (tmp_path / name).open(encoding="utf-8-sig", newline="") as file:
            assert next(csv.DictReader(file))["text"] == text
    assert json.loads((tmp_path / "t.jsonl").read_text(encoding="utf-8"))["text"] == "=1+1"


def test_label_studio_gets_its_interface_beside_the_tasks(ranked, tmp_path):
    words = export(ranked, tmp_path / "t.json", unlabeled=3, suggestions=True)
    assert words == f"3 texts to label in {tmp_path}/t.json, the labeling interface in {tmp_path}/t.xml"
    task = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))[0]
    assert task["predictions"][0]["model_version"] == "lit_al-2"
    assert [choice.get("value") for choice in ET.parse(tmp_path / "t.xml").iter("Choice")] == ["neg", "pos"]


def test_a_file_that_is_there_is_not_replaced(record, say, tmp_path):
    path = tmp_path / "t.csv"
    export(record, path, unlabeled=2)
    export(record, path, unlabeled=2)  # it holds just this
    path.write_bytes(path.read_bytes() + b"someone's work")
    with pytest.raises(RunError, match="is there already and holds something else; give another name, or --overwrite"):
        export(record, path, unlabeled=2)
    assert path.read_bytes().endswith(b"someone's work")
    export(record, path, unlabeled=2, overwrite=True)
    assert not path.read_bytes().endswith(b"someone's work")


def test_nothing_is_left_of_a_file_that_cannot_be_written(record, tmp_path):
    with pytest.raises(RunError, match="cannot be written"):
        export(record, tmp_path / "none" / "t.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(RunError):
        export(record, tmp_path / "folder.csv", overwrite=True)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("t.txt", {}, "says no format; name one with --format"),
        ("t.csv", {"format": "xlsx"}, "'xlsx' is none of csv"),
        ("t.csv", {"unlabeled": 0}, "--unlabeled 0 must be 1 or more"),
        ("t.parquet", {"unlabeled": 1}, "--unlabeled does not go with --format parquet"),
        ("t.csv", {"suggestions": True}, "--suggestions works with --unlabeled alone"),
        ("t.csv", {"unlabeled": 1, "resolve": "drop"}, "--resolve is for labels"),
        ("t.jsonl", {"format": "argilla", "resolve": "drop"}, "--resolve is for labels"),
        ("t.jsonl", {"raw": True}, "--raw is for CSV"),
    ],
)
def test_options_that_do_not_go_together_are_refused(record, tmp_path, name, options, message):
    with pytest.raises(ConfigError, match=message):
        export(record, tmp_path / name, **options)
    assert not (tmp_path / name).exists()


def test_texts_that_the_record_does_not_hold_are_refused_but_events_go_out(record, tmp_path):
    record.add_items([Item(99, sha256_of("elsewhere"))])
    record.append(NewEvent("u", 99, "simulated", Action.LABEL, "pos"))
    with pytest.raises(DataError, match="does not hold text 99, as simulated runs do not; export --format events"):
        export(record, tmp_path / "t.csv")
    assert export(record, tmp_path / "t.jsonl", "events").startswith("1 event in")
