import json
import re
from html import escape, unescape

import numpy as np
import pytest

from lit_al.exceptions import DataError
from lit_al.experiment.run_session import described_test
from lit_al.metrics import Confusion, Evaluation
from lit_al.reporting import figures, pages
from lit_al.reporting.run_page import Picked, run_page, write_run_report

CLASSES = ("negative", "positive")


def errors(classes):
    return {name: {"false_negatives": 5 + i, "false_positives": 1_007 - i} for i, name in enumerate(classes)}


def results(classes=CLASSES, **changes):
    """As docs/results-schema.md has it."""
    evaluation = {"loss": 0.51, "accuracy": 0.7512, "false_negatives": 5, "false_positives": 1_007}
    entry = {**evaluation, "errors": errors(classes), "labels": 200, "short": False, "seconds": 3.25}
    entry |= {"shares": dict.fromkeys(classes, 0.5), "taken": dict.fromkeys(classes, 50)}
    epoch = {"loss": 0.6, "val_loss": 0.5, "accuracy": 0.7, "val_accuracy": 0.8, "samples": 100, "epoch": 0}
    base = {
        "schema": 1,
        "status": "finished",
        "mode": "active",
        "protocol": "keras",
        "steer_on": "test",
        "flaws": ["steers by the test set"],
        "stop_reason": "all 2 rounds are done",
        "data": {
            "source": "imdb",
            "demo": False,
            "fingerprint": "abcdef0123456789",
            "rows": 50_000,
            "classes": list(classes),
            "split": {"train": 100, "pool": 500},
            "notes": ["5 rows without a text"],
        },
        "seeds": {"seed": 3, "split_seed": 0},
        "versions": {"python": "3.11", "torch": "2.13"},
        "device": "cpu",
        "epochs": [{**epoch, "fit": fit} for fit in (0, 0, 1)],
        "rounds": [{**entry, "round": 1}, {**entry, "round": 2}],
        "test": {**evaluation, "errors": errors(classes), "low": 0.739, "high": 0.763},
        "labels_spent": {"train": 200, "validation": 50, "steering": 0, "total": 250},
        "wall_seconds": 1_234.5,
    }
    return base | changes


def shown(*arguments, **settings):
    """The words of a page on one line, cells between bars, pictures by what they show."""
    page = re.sub("<style>.*</style>", "", run_page(*arguments, **settings), flags=re.DOTALL)
    page = re.sub('<img alt="(.*?)".*?>', r"[\1]", page).replace("<tr>", "|").replace("</td>", " | ")
    return " ".join(unescape(re.sub("<.*?>", " ", page)).split())


@pytest.mark.parametrize("classes", [CLASSES, ("a", "b", "c")])
def test_a_run_shows_result_flaws_curves_and_rounds(classes):
    page = shown(results(classes))
    for part in (
        "Test accuracy .7512, 95 % interval .7390 to .7630",
        "250 (200 train, 50 validation)",
        "It steers by the test set.",
        "It stopped because all 2 rounds are done.",
        "[Training and validation loss over the epochs of all fits]",
        "[Training and validation accuracy over the epochs of all fits]",
        "[Errors that steered each round, and labels taken of each class]",
        f"| {classes[0]} | 5 | 1,007 |",
        "| 2 | .7512 | .5100 | 5 | 1,007 |",
        "5 rows without a text",
        "fingerprint abcdef012345",
        "torch 2.13",
    ):
        assert part in page


def test_classes_have_precision_recall_and_f1_and_rare_ones_are_named():
    confusion = Confusion(np.array([[80, 20, 0], [10, 30, 0], [3, 0, 4]]))
    test = described_test(Evaluation(0.5, confusion), ("a", "<b>", "c"))
    page = shown(results(("a", "<b>", "c"), test=test))
    for part in (
        f"macro-F1 {pages.share(confusion.macro_f1)}",
        "class test rows precision recall F1 missed",
        "| a | 100 | 0.860 | 0.800 | 0.829 | 20 | 13 |",
        "| <b> | 40 | 0.600 | 0.750 | 0.667 | 10 | 20 |",
        "| c | 7 | 1.000 | 0.571 | 0.727 | 3 | 0 |",
        "Too rare to judge, with fewer than 10 test rows: c.",
    ):
        assert part in page
    enough = described_test(Evaluation(0.5, Confusion(np.full((3, 3), 9))), ("a", "<b>", "c"))
    assert "Too rare" not in shown(results(("a", "<b>", "c"), test=enough))


def test_results_of_before_there_was_a_macro_f1_are_shown_without_it():
    page = shown(results())
    assert "acro-F1" not in page
    assert "precision" not in page


def test_a_run_without_known_flaws_says_so():
    assert "No flaw is known." in shown(results(flaws=[]))


def test_a_confusion_is_shown_where_it_is_there():
    test = {**results()["test"], "confusion": [[1_990, 10], [20, 1_980]]}
    assert "| negative | 1,990 | 10 |" in shown(results(test=test))
    assert "confusion" not in shown(results())


def test_an_interrupted_run_says_that_it_has_no_test():
    page = shown(results(status="interrupted", test=None, rounds=[], epochs=[], stop_reason=""))
    assert "its status is “interrupted”" in page
    assert "Test accuracy" not in page
    assert "[" not in page


def test_losses_that_diverged_are_dashes():
    test = {**results()["test"], "loss": None}
    epochs = [{**epoch, "loss": None, "val_loss": None} for epoch in results()["epochs"]]
    assert "loss –" in shown(results(test=test, epochs=epochs))


def test_rounds_that_went_wrong_are_named():
    bad = {**results()["rounds"][1], "short": True, "taken": {"negative": 1, "positive": 99}}
    page = shown(results(rounds=[results()["rounds"][0], bad]))
    assert "Round 2: it took what was left of the pool; 99 % of its texts are of one class." in page
    assert "Round 1:" not in page


def test_picked_texts_are_shown_with_probabilities_and_escaped():
    picked = [
        Picked(2, 7, "a film " * 200, (0.25, 0.75), "positive"),
        Picked(1, 12_345, "<img src=x onerror=alert(1)> fine", (0.5, 0.5), ""),
    ]
    page = run_page(results(), picked)
    assert "<img src=x" not in page
    assert "<img src=x onerror=alert(1)> fine" in unescape(page)
    assert "1,000 more characters" in page
    text = shown(results(), picked)
    assert text.index("round 1: 1 texts") < text.index("round 2: 1 texts")
    assert "no label | 0.500 | 0.500 | 12,345 |" in text
    assert "p(positive)" in text
    assert "Texts picked" not in shown(results())


def test_hostile_names_and_sentences_are_words():
    hostile = "<script>alert(1)</script>"
    data = {**results()["data"], "source": hostile, "notes": [hostile]}
    page = run_page(
        results((hostile, "fine"), flaws=[hostile], data=data | {"classes": [hostile, "fine"]}, stop_reason=hostile),
        [Picked(1, 7, hostile, (0.25, 0.75), hostile)],
    )
    assert hostile not in page
    assert page.count(escape(hostile)) == 11


def test_full_runs_have_no_rounds():
    page = shown(results(mode="full", rounds=[], steer_on=None, flaws=[]))
    assert "Full run" in page
    assert "what they took" not in page


def test_a_comparison_shows_both():
    full = results(mode="full", rounds=[], flaws=[])
    both = results(mode="compare", full=full, active=results(), conclusion="active is .01 below full")
    for key in ("test", "labels_spent", "rounds", "epochs", "flaws", "device", "stop_reason", "steer_on"):
        del both[key]
    page = run_page(both)
    assert "active is .01 below full" in page
    assert page.index("<h2>Full</h2>") < page.index("<h2>Active</h2>")
    assert page.count("<h3>What is wrong with this protocol</h3>") == 2
    assert "Accuracy, errors and seconds of the two runs" in page
    assert page.count("<img") == 6


def test_a_demo_run_is_loud():
    data = {**results()["data"], "demo": True}
    assert shown(results(data=data)).startswith("Active run DEMO CORPUS")
    assert "DEMO" not in shown(results())


def test_a_report_is_written_beside_its_results(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(results()))
    assert write_run_report(tmp_path) == tmp_path / "report.html"
    assert "Active run" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("content", "words"), [("{", "cannot be read"), ('{"schema": 9}', "schema 1"), ("[]", "schema")]
)
def test_results_that_cannot_be_read_are_one_sentence(tmp_path, content, words):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(DataError, match=words):
        write_run_report(tmp_path)


def test_rules_in_shadow_are_told_of_with_any_protocol():
    sentence = "kappa:0.99:3 would have stopped at 950 labels"
    told = run_page({**results(), "shadow": [{"sentence": sentence}]})
    assert f"<li>{sentence}.</li>" in told
    assert "in shadow" not in run_page(results())


def test_accuracy_that_no_epoch_counted_has_no_picture():
    silent = [{**epoch, "accuracy": None, "val_accuracy": None} for epoch in results()["epochs"]]
    assert set(figures.figures(results(epochs=silent))) == set(figures.figures(results())) - {"accuracy"}
