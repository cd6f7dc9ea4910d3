"""What a labeling run has come to: counted rightly, said on a screen, shown on a page."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from lit_al.annotate.findings import Findings, pace
from lit_al.annotate.progress import next_steps, status_lines
from lit_al.annotate.report import report_page
from lit_al.cli import main
from lit_al.record import Action, ModelVersion, NewEvent, NewGeneration, OwnerLock, Ranked
from lit_al.record import events as recording

ESTIMATE = {"accuracy": 0.8, "low": 0.6, "high": 0.9, "rows": 12}


@pytest.fixture
def labeled(record, monkeypatch):
    """Ann and bob on six texts: 0 and 1 tie, 2 is settled, 3 is agreed on, 4 is ann's alone, 5 was skipped."""
    moment = [datetime(2026, 1, 2, 9, tzinfo=UTC)]
    monkeypatch.setattr(recording, "now", lambda: moment[0].isoformat(timespec="milliseconds"))
    letters = {"p": "positive", "n": "negative", "s": None}
    said = [("ann", "pnppps"), ("bob", "npnp")]
    for annotator, labels in said:
        for item, letter in enumerate(labels):
            label, action = letters[letter], Action.SKIP if letter == "s" else Action.LABEL
            moment[0] += timedelta(seconds=4)
            control = (
                {"control": item in (0, 3), "predicted": "positive", "model_version": 1} if annotator == "ann" else {}
            )
            record.append(
                NewEvent(f"{annotator}-{item}-uuid", item, annotator, action, label, lead_ms=2_000, **control)
            )
        moment[0] += timedelta(hours=1)
    record.append(NewEvent("settled-uuid", 2, "lead", Action.SETTLE, "positive", source="import"))
    for version, estimate in enumerate((None, ESTIMATE), 1):
        facts = {"estimate": estimate, "advice": {"stop": False, "text": "too few labels"}, "estimate_needs": 2}
        record.add_model(ModelVersion(version, f"checkpoints/model-{version}.ckpt", "0" * 64, 8, 3 * version, facts))
    return record


def test_everything_is_counted(labeled):
    found = Findings.of(labeled)
    assert (found.texts, found.answered, found.left) == (12, 6, 6)
    assert found.labels == {"negative": 0, "positive": 3}
    assert list(found.conflicts) == [0, 1, 2]  # those without a label first
    assert (found.ties, found.shared) == (2, 4)
    ann, bob, lead = found.people
    assert (ann.name, ann.labels, ann.skips, ann.seconds, ann.per_hour) == ("ann", 5, 1, 2.0, 900.0)
    assert (bob.labels, lead.labels, lead.settled, lead.seconds, lead.per_hour) == (4, 0, 1, None, None)
    assert found.controls.matrix.tolist() == [[0, 0], [0, 1]]  # text 0 is a control, too, but has no label
    positive = found.by_class[1]
    assert positive.recall == positive.precision
    assert positive.recall[0] == 1
    assert found.by_class[0].recall is None
    assert [round(one.same, 2) for one in found.agreement.classes] == [0.0, 0.4]


def test_breaks_are_no_work():
    def at(*seconds):
        begin = datetime(2026, 1, 2, tzinfo=UTC)
        return [type("E", (), {"server_time": (begin + timedelta(seconds=one)).isoformat()}) for one in seconds]

    assert pace(at(0, 10, 20, 5_000, 5_010)) == 360
    assert pace(at(0, 5_000)) is None
    assert pace(at(0)) is None


def test_the_screen_says_what_to_do_next(labeled, capsys):
    folder = labeled.path.parent
    lines = list(status_lines(Findings.of(labeled)))
    text = "\n".join(lines)
    assert lines[0].startswith("run: 12 texts, 2 classes, begun ")
    assert "3 texts have a label, 2 tie, 1 were skipped, 6 are left" in text
    assert "people differ on 3 of 4 texts that several labeled: 2 have no label, 1 are settled" in text
    assert "version 2 learned from 6 labels. Accuracy about 80 % (60 to 90 %), by 12 texts drawn at random." in text
    assert f"lit-al export {folder} --conflicts conflicts.csv" in text
    assert f"label on (too few labels): lit-al annotate --run {folder}" in text
    assert main.main(["status", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_status_and_report_work_while_somebody_owns_the_run(labeled, capsys):
    folder = labeled.path.parent
    with OwnerLock(folder, "lit-al annotate"):
        before = labeled.last_seq()
        assert main.main(["status", str(folder)]) == 0
        assert "page      open: lit-al annotate, process" in capsys.readouterr().out
        assert main.main(["report", str(folder)]) == 0
        assert capsys.readouterr().out == f"report: {folder / 'report.html'}\n"
        assert labeled.last_seq() == before
    with OwnerLock(folder, "somebody else"):  # looking has taken nothing
        pass


def test_the_page_lists_everything_and_escapes_it(helpers, tmp_path):
    texts = ["<b>bold</b>", "שלום", *(f"text {number}" for number in range(10))]
    classes = ("a_very_long_name_of_a_class", "<i>x</i>", *(f"class {number}" for number in range(22)))
    with helpers.fill(tmp_path / "run", texts, classes, source={"data": "demo"}) as record:
        for item, (one, other) in enumerate([(0, 1), (1, 0), (1, 1)]):
            record.append(NewEvent(f"a-{item}-uuid", item, "ann", Action.LABEL, classes[one]))
            record.append(NewEvent(f"b-{item}-uuid", item, "<bob>", Action.LABEL, classes[other]))
        page = report_page(record)
    assert "DEMO" in page or "generated" in page.lower()
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>bold" not in page
    assert "<i>x</i>" not in page
    assert "&lt;bob&gt;" in page
    assert '<td dir="auto">שלום</td>' in page
    assert "a_<wbr>very_<wbr>long_" in page
    assert "No model can be judged yet" in page
    assert page.count("<tr>") == page.count("</tr>")
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", page)


def test_a_curve_is_drawn_from_the_models_that_were_judged(labeled):
    page = report_page(labeled)
    assert page.count('src="data:image/svg+xml') == 1
    assert "Accuracy of each model over the labels" in page


def test_a_run_of_nothing_has_a_report_too(record):
    assert "0 texts have a label, 12 are left" in report_page(record)
    steps = list(next_steps(Findings.of(record)))
    assert steps == [f"label on: lit-al annotate --run {record.path.parent}"]


def test_stop_advice_comes_with_what_follows(labeled):
    facts = {"estimate": ESTIMATE, "advice": {"stop": True, "text": "you may stop: the models agree"}}
    labeled.add_model(ModelVersion(3, "checkpoints/model-3.ckpt", "0" * 64, 9, 9, facts))
    labeled.append(NewEvent("negative-uuid", 5, "bob", Action.LABEL, "negative"))
    steps = list(next_steps(Findings.of(labeled)))
    assert "you may stop: the models agree; 6 texts are left" in steps
    assert any(step.startswith("the best model of these labels: lit-al fit ") for step in steps)


def test_explain_says_why_texts_stand_in_a_ranking(record, capsys):
    probabilities = {"negative": 0.4, "positive": 0.6}
    record.publish(
        NewGeneration(2, "margin"), [Ranked(3, 0.2, "close", probabilities), Ranked(1, 0.1, "", probabilities, True)]
    )
    record.append(NewEvent("a-label-uuid", 3, "ann", Action.LABEL, "negative"))
    folder = str(record.path.parent)
    assert main.main(["explain", folder, "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ranking 1: 2 texts chosen by margin by model 2, 1 of them random controls"
    assert lines[2:] == [
        "  1. text 3: predicted positive 0.600, is negative, score 0.2", "     close", "     text number 3",
        "1 more; --top 2 shows all",
    ]  # fmt: skip
    assert main.main(["explain", folder, "--round", "9"]) == 2
    assert "has rankings 1 to 1, not 9; give one of them" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_folder_of_something_else_is_refused(tmp_path, command, capsys):
    assert main.main([command, str(tmp_path)]) == 2
    assert "holds neither record.sqlite, results.json nor cells.jsonl" in capsys.readouterr().err


def test_agreement_of_a_class_is_what_hand_counting_says():
    from lit_al.annotate.agreement import _of_classes

    counts = np.array([[2, 1, 0], [3, 0, 0], [0, 1, 1]])  # texts by class
    found = {one.name: one for one in _of_classes(counts, "abc")}
    assert found["a"].same == pytest.approx((2 * 1 + 3 * 2) / (2 * 2 + 3 * 2))
    assert (found["b"].texts, found["b"].same, found["c"].same) == (2, 0, 0)
