"""Suggestions from outside: shown, counted apart, and never an answer."""

import csv
import io
import random

import pytest

from lit_al.annotate.findings import Findings
from lit_al.annotate.progress import status_lines
from lit_al.annotate.service import LabelingService
from lit_al.annotate.suggesting import take_suggestions
from lit_al.annotate.training_set import Snapshot
from lit_al.cli.main import main
from lit_al.data.tables import Reading
from lit_al.exceptions import DataError
from lit_al.exchange import export
from lit_al.record import NewGeneration, Ranked, Record, recover
from lit_al.record.audit import draw
from lit_al.record.class_history import ClassChange


def write(path, rows, columns=("text", "prediction", "probability", "model")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture
def suggested(record, helpers, tmp_path):
    """All texts are positive, says gpt."""
    rows = [(text, "positive", 0.9, "gpt") for text in helpers.texts]
    take_suggestions(record, write(tmp_path / "said.csv", rows), Reading())
    return record


def answer(service, item, label, generation=None, **more):
    sent = {"uuid": f"answer-{item}", "item": item, "action": "label", "label": label, "generation": generation, **more}
    assert service.take("ann", sent)["saved"]


@pytest.mark.parametrize("seed", [0, 1])
def test_rows_are_matched_by_what_they_say_wherever_they_stand(record, helpers, tmp_path, seed):
    rows = [(text, ("negative", "positive")[place % 2], "", "") for place, text in enumerate(helpers.texts)]
    random.Random(seed).shuffle(rows)
    said = take_suggestions(
        record, write(tmp_path / "guess.csv", [*rows, ("a stranger", "positive", 1, "")]), Reading()
    )
    assert "rows of texts that are not in this run: 1" in said
    found = record.suggestions()
    texts = {item.id: item.text for item in record.items()}
    assert {texts[one.item]: one.label for one in found} == {text: label for text, label, _, _ in rows}
    assert {(one.probability, one.source) for one in found} == {(None, "guess")}


@pytest.mark.parametrize("word", ["Positive", " positive\n", '"positive".', "**positive**", "POSITIVE "])
def test_what_a_language_model_puts_around_a_label_is_taken_away(record, helpers, tmp_path, word):
    take_suggestions(record, write(tmp_path / "said.csv", [(helpers.texts[0], word, 0.5, "x")]), Reading())
    assert [one.label for one in record.suggestions()] == ["positive"]


def test_labels_of_no_class_and_probabilities_that_are_none_are_passed_over_and_said(record, helpers, tmp_path):
    rows = [
        (helpers.texts[0], "mixed", 0.5, "x"),
        (helpers.texts[1], "positive", "87%", "x"),
        (helpers.texts[2], "", 1, "x"),
    ]
    said = take_suggestions(record, write(tmp_path / "said.csv", rows), Reading())
    assert "of no class of this run: 1 ('mixed')" in said
    assert [(one.item, one.probability) for one in record.suggestions()] == [(1, None)]


def test_a_file_of_other_texts_or_without_columns_is_refused(record, helpers, tmp_path):
    with pytest.raises(DataError, match="about a text of"):
        take_suggestions(record, write(tmp_path / "a.csv", [("a stranger", "positive", 1, "x")]), Reading())
    with pytest.raises(DataError, match="no column of labels"):
        take_suggestions(record, write(tmp_path / "b.csv", [(helpers.texts[0], 1)], ("text", "number")), Reading())
    with pytest.raises(DataError, match="nor of the texts"):
        take_suggestions(record, write(tmp_path / "c.csv", [(1, "positive")], ("number", "label")), Reading())
    assert record.suggestions() == []


def test_controls_are_asked_blind_and_all_others_with_what_was_suggested(suggested):
    generation = suggested.publish(
        NewGeneration(1, "margin"),
        [Ranked(item, 1.0, "", {"negative": 0.6, "positive": 0.4}, item % 2 == 0) for item in range(6)],
    )
    suggested.add_annotator("ann")
    for item in LabelingService(suggested, "reviews").next("ann", 6, [])["items"]:
        shown = {"label": "positive", "probability": 0.9, "source": "gpt"}
        assert item["suggestion"] == (None if item["item"] % 2 == 0 else shown)
        assert item["generation"] == generation


def test_an_audit_is_asked_blind(suggested):
    audit = draw(suggested, 6)
    suggested.add_annotator("ann")
    shown = {
        one["item"]: one["suggestion"] for one in LabelingService(suggested, "reviews").next("ann", 8, [])["items"]
    }
    assert [item for item, suggestion in shown.items() if suggestion is None] == list(audit.items)
    assert len(shown) == 8


def test_suggestions_are_no_answers_anywhere(suggested, tmp_path):
    export(suggested, tmp_path / "none.csv")
    assert suggested.labels() == {}
    assert len(Snapshot.of(suggested, range(12)).rows) == 0
    assert Findings.of(suggested).labeled == 0
    assert "positive" not in (tmp_path / "none.csv").read_text()


def test_agreement_is_counted_apart_where_it_was_shown_and_where_it_was_not(suggested):
    ranked = [Ranked(item, 1.0, "", {}, item >= 4) for item in range(8)]
    generation = suggested.publish(NewGeneration(1, "margin"), ranked)
    service = LabelingService(suggested, "reviews")
    for item in range(4):
        answer(service, item, "positive" if item else "negative", generation)
    for item in range(4, 6):
        answer(service, item, "negative", generation)
    found = Findings.of(suggested)
    assert (found.suggested.shown, found.suggested.blind) == ((3, 4), (0, 2))
    assert dict(found.suggested.by_class) == {"positive": (3, 6)}
    [line] = [line for line in status_lines(found) if "suggested" in line]
    assert "12 texts, by gpt; people agreed on 3 of 4 that they saw one for (75%" in line
    assert "and on 0 of 2 asked without showing it" in line


def test_suggestions_follow_classes_and_come_back_after_recovery(suggested):
    suggested.change_classes(ClassChange("rename", ("positive",), "good"), "ann")
    assert {one.label for one in suggested.suggestions()} == {"good"}
    folder = suggested.path.parent
    suggested.backup()
    suggested.close()
    (folder / "record.sqlite").write_bytes(b"no record")
    recover(folder)
    with Record.open(folder) as again:
        assert {one.label for one in again.suggestions()} == {"good"}


def test_command_line(tmp_path, capsys, monkeypatch):
    data = write(tmp_path / "mails.csv", [("cheap pills",), ("see you at noon",), ("free money",)], ("text",))
    said = write(tmp_path / "llm.csv", [("cheap pills", "Spam.")], ("text", "label"))
    words = ["label", "--data", str(data), "--labels", "spam,ham", "--log-dir", str(tmp_path / "logs"), "--no-training"]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main([*words, "--suggest", str(said)]) == 0
    assert "suggestions of llm.csv: 1, shown before the answer but for random controls" in capsys.readouterr().out
    assert main([*words, "--seed-words", "spam:free"]) == 2
    assert "leave out --no-training" in capsys.readouterr().err
    assert main([*words[:-1], "--name", "other", "--seed-words", "sparm:free"]) == 2
    assert "did you mean 'spam'" in capsys.readouterr().err
