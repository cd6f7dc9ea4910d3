import csv
import io
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lit_al.cli import main
from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.fit_options import FitOptions
from lit_al.experiment.labels_there import labels_there
from lit_al.experiment.session import run
from lit_al.experiment.text_classifier import TextClassifier
from lit_al.models.checkpoint import load_model
from lit_al.record import RECORD_FILE, Action, Item, NewEvent, Record, sha256_of

ROOT = Path(__file__).parents[2]
CLASSES = ("negative", "neutral", "positive")


@pytest.fixture(scope="module")
def corpus(make_corpus):
    return make_corpus(180, CLASSES)


@pytest.fixture(scope="module")
def tickets(corpus, tmp_path_factory):
    """A CSV file whose first 90 texts have labels."""
    path = tmp_path_factory.mktemp("data") / "tickets.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ticket", "message", "kind"])
        for row, text in enumerate(corpus.texts):
            writer.writerow([f"T-{row}", text, CLASSES[corpus.labels[row]] if row < 90 else ""])
    return path


def record_of(folder, corpus, labeled, controls=()):
    """A run that people have labeled, some texts of it as random controls."""
    folder.mkdir(parents=True)
    settings = {"seed": 3, "strategy": "margin+random:0.1", "recipe": "scratch", "max_length": 12}
    with Record.create(folder / RECORD_FILE, corpus.classes, settings=settings) as record:
        record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(corpus.texts) if row != 5)
        for row in labeled:
            label = corpus.classes[corpus.labels[row]]
            chosen = {"control": row in controls, "strategy": "margin+random:0.1"}
            record.append(NewEvent(f"e-{row}", row, "ann", Action.LABEL, label, **chosen))
        record.append(NewEvent("skip", 179, "ann", Action.SKIP))
    return folder


@pytest.fixture(scope="module")
def fitted(tickets, tmp_path_factory):
    """The folder of a fit, its results, and what was said."""
    folder = tmp_path_factory.mktemp("fits") / "model"
    with pytest.MonkeyPatch.context() as patch:
        said = Console(record=True, width=160, file=io.StringIO())
        patch.setattr("lit_al.experiment.final_fit.get_console", lambda: said)
        words = ["--text-column", "message", "--label-column", "kind", "--recipe", "scratch", "--accelerator", "cpu"]
        assert main.main(["fit", str(tickets), *words, "--to", str(folder)]) == 0
    return folder, json.loads((folder / "results.json").read_text()), said.export_text()


def test_a_fit_learns_from_every_label_and_judges_by_each_once(fitted, corpus):
    folder, results, said = fitted
    counts = np.bincount(corpus.labels[:90], minlength=3).tolist()
    assert results["labels"] == dict(zip(CLASSES, counts, strict=True))
    assert (results["mode"], results["status"], results["data"]["unlabeled"]) == ("fit", "finished", 90)
    found = results["cross_validation"]
    matrix = np.array(found["confusion"])
    assert matrix.sum(axis=1).tolist() == counts
    assert found["accuracy"] == pytest.approx(np.trace(matrix) / 90)
    assert found["low"] < found["accuracy"] <= found["high"]
    assert found["macro_f1_low"] <= found["macro_f1"] <= found["macro_f1_high"]
    assert found["accuracy"] > 0.6  # three classes, and words that tell them apart
    assert f"accuracy {found['accuracy']:.4f} (95 % interval {found['low']:.4f} to" in said
    assert "learns from all 90 labels of file tickets.csv" in said.splitlines()[0]
    assert said.splitlines()[-1] == f"classify new texts with: lit-al predict {folder} --data new.csv --to labeled.csv"


def test_its_folder_holds_a_model_that_reads_texts_and_a_report(fitted):
    folder, _, _ = fitted
    assert {path.name for path in folder.iterdir()} == {"checkpoints", "config.yaml", "results.json", "report.html"}
    model = load_model(folder / "checkpoints" / "best.ckpt")
    assert model.classes == CLASSES
    page = (folder / "report.html").read_text()
    assert "Fit on all labels" in page
    assert "confusion: rows as labeled, columns as predicted" in page
    assert page.count("<tr>") >= 6


def test_from_a_file_to_a_classified_file(fitted, tickets, tmp_path, capsys):
    folder, _, _ = fitted
    out = tmp_path / "out.csv"
    assert (
        main.main(["predict", str(folder), "--data", str(tickets), "--text-column", "message", "--to", str(out)]) == 0
    )
    assert "180 texts of file tickets.csv classified" in capsys.readouterr().out
    with tickets.open(newline="") as before, out.open(newline="", encoding="utf-8-sig") as after:
        old, new = list(csv.DictReader(before)), list(csv.DictReader(after))
    assert [{name: row[name] for name in old[0]} for row in new] == old
    right = np.mean([row["label"] == row["kind"] for row in new if row["kind"]])
    assert right > 0.7


def test_teacher_is_delivered_as_a_model_like_any_other(tickets, corpus, tmp_path, capsys):
    words = ["--text-column", "message", "--label-column", "kind", "--accelerator", "cpu", "--folds", "2"]
    folder = tmp_path / "model"
    assert main.main(["fit", str(tickets), *words, "--deliver", "teacher", "--to", str(folder)]) == 0
    results = json.loads((folder / "results.json").read_text())
    assert results["deliver"]["delivered"] == "teacher"
    assert results["cross_validation"]["accuracy"] == pytest.approx(results["deliver"]["teacher"])
    assert results["cross_validation"]["rows"] == 90
    assert "delivered: the teacher" in capsys.readouterr().out
    classifier = TextClassifier.load(folder / "checkpoints" / "best.ckpt")
    right = np.mean(classifier.predict(corpus.texts) == np.array(CLASSES)[corpus.labels])
    assert right > 0.7
    assert len(classifier.query(5, texts=corpus.texts[90:], strategy="margin").rows) == 5
    assert main.main(["predict", str(folder), corpus.texts[0]]) == 0
    assert capsys.readouterr().out.split("\t")[0] == classifier.predict(corpus.texts[:1])[0]
    again = classifier.save(tmp_path / "again.ckpt")
    np.testing.assert_array_equal(TextClassifier.load(again).predict(corpus.texts), classifier.predict(corpus.texts))


def test_labels_of_people_are_resolved_as_in_their_run_and_controls_judge(corpus, tmp_path):
    folder = record_of(tmp_path / "run", corpus, range(10, 60), controls=range(10, 30))
    there = labels_there(FitOptions(data=str(folder)))
    assert len(there.corpus) == 179
    texts = {there.corpus.texts[row]: there.corpus.labels[row] for row in there.rows}
    assert texts == {corpus.texts[row]: corpus.labels[row] for row in range(10, 60)}
    assert {there.corpus.texts[row] for row in there.drawn} == {corpus.texts[row] for row in range(10, 30)}
    assert (there.strategy, there.settings["seed"]) == ("margin+random:0.1", 3)


def test_fit_of_a_run_says_what_its_controls_say(corpus, tmp_path, capsys):
    folder = record_of(tmp_path / "run", corpus, range(6, 66), controls=range(10, 30))
    words = ["--to", str(tmp_path / "model"), "--accelerator", "cpu", "--folds", "2"]
    assert main.main(["fit", str(folder), *words]) == 0
    results = json.loads((tmp_path / "model" / "results.json").read_text())
    assert results["cross_validation"]["drawn"]["rows"] == 20
    assert results["recipe"]["teacher"] is False  # as the run says
    assert "texts that margin+random:0.1 chose, not chance" in results["flaws"][0]
    assert "the 20 that chance asked for" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("protocol", ["keras", "lean"])
def test_labels_of_an_oracle_are_those_paid_for_and_the_test_set_is_left_alone(protocol, tmp_path):
    small = {"max_epochs": 1} if protocol == "keras" else {"recipe": "scratch", "steps": 2, "initial_size": 30}
    more = {"rounds": 1, "query_size": 10, "max_length": 20, "strategy": "margin+random:0.5", "accelerator": "cpu"}
    where = {"log_dir": str(tmp_path), "name": "run"}
    config = TrainConfig(data="demo", demo_rows=200, protocol=protocol, **small, **more, **where)
    with (tmp_path / "said").open("w") as file:
        results = run(config, Console(file=file))
    there = labels_there(FitOptions(data=str(tmp_path / "run")))
    assert len(there.rows) == results["labels_spent"]["train"] + results["labels_spent"]["validation"]
    assert len(there.corpus) == 200 - results["data"]["split"]["test"]
    assert "test set are left alone" in there.notes[0]
    chosen = 5  # of ten, half are controls
    assert len(there.drawn) == len(there.rows) - chosen


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.csv"], "no file or folder nowhere.csv"),
        (["one.csv"], "two classes"),
        (["model"], "is a run without labels of its own"),
        (["few.csv", "--folds", "1"], "--folds 1 would leave a model without labels"),
        (["few.csv", "--to", "a", "--name", "b"], "give --to or --name, not both"),
        (["few.csv", "--to", "a.ckpt"], "--to a.ckpt is the name of a file"),
        (["few.csv", "--deliver", "best", "--folds", "0"], "--deliver best chooses by cross-validation; leave out"),
        (["few.csv", "--deliver", "teacher", "--recipe", "scratch"], "need a teacher, which --recipe scratch has not"),
        (["few.csv", "--deliver", "best", "--embeddings", "v.npy"], "have no use with the vectors of --encoder or"),
        (["few.csv", "--recipe", "leen"], "recipe 'leen' is not one of"),
        ([], "the following arguments are required: RUN_OR_FILE"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("few.csv").write_text("text,label\n" + "good,a\nbad,b\n" * 5)
    Path("one.csv").write_text("text,label\n" + "good,a\nbad,\n" * 5)
    Path("model").mkdir()
    Path("model/results.json").write_text("{}")
    assert main.main(["fit", *words]) == 2
    printed = capsys.readouterr().err
    assert sentence in printed
    assert printed.count("\n") == 1
    assert not Path("lightning_logs").exists() or not list(Path("lightning_logs").iterdir())


def test_ctrl_c_leaves_no_folder(tickets, tmp_path):
    words = ["--text-column", "message", "--label-column", "kind", "--to", str(tmp_path / "model")]
    process = subprocess.Popen([sys.executable, "-c", "from lit_al.cli.main import main; import sys; sys.exit(main())",
                                "fit", str(tickets), *words], cwd=ROOT)  # fmt: skip
    until = time.monotonic() + 100
    while not (tmp_path / "model").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_a_run_that_is_there_is_not_written_over(tickets, tmp_path):
    asked = FitOptions(data=str(tickets), to=tmp_path / "model", seed=2)
    assert asked.place == (str(tmp_path), "model")
    assert replace(asked, to=None, name="x").place == ("lightning_logs", "x")
    assert asked.asked == {"seed": 2, "accelerator": "auto"}
    with pytest.raises(ConfigError, match="not both"):
        replace(asked, encoder="a", embeddings="b")


def test_labels_that_came_with_a_file_are_of_no_strategy(corpus, tmp_path):
    folder = record_of(tmp_path / "run", corpus, [])
    with Record.open(folder) as record:
        for row in (10, 11):
            record.append(NewEvent(f"f-{row}", row, "file", Action.LABEL, CLASSES[corpus.labels[row]], source="file"))
        assert labels_there(FitOptions(data=str(folder))).strategy == ""
        record.append(NewEvent("r", 13, "ann", Action.LABEL, CLASSES[0], strategy="random"))
    there = labels_there(FitOptions(data=str(folder)))
    assert [there.corpus.texts[row] for row in there.drawn] == [corpus.texts[13]]


def test_a_fit_of_a_labeling_run_is_its_next_version(corpus, tmp_path, capsys):
    from lit_al.delivery.project_versions import versions_of
    from lit_al.models.model_registry import model_of
    from lit_al.record.audit import close, draw

    folder = record_of(tmp_path / "people", corpus, range(10, 60))
    with Record.open(folder) as record:
        audit = draw(record, 10)
        for row in audit.items:
            label = corpus.classes[corpus.labels[row]]
            record.append(NewEvent(f"audit-{row}", row, "ann", Action.LABEL, label))
    words = ["fit", str(folder), "--folds", "0", "--accelerator", "cpu", "--to"]
    assert main.main([*words, str(tmp_path / "first")]) == 0
    assert f"it is version 1 of {folder}" in capsys.readouterr().out.replace("\n", " ")
    with Record.open(folder) as record:
        close(record)
    assert main.main([*words, str(tmp_path / "second")]) == 0
    first, second = versions_of(folder)
    assert (first.facts["labels"], second.facts["labels"]) == (50, 60)
    assert (first.facts["audits_closed"], second.facts["audits_closed"]) == (0, 1)
    assert first.facts["fingerprint"] != second.facts["fingerprint"]
    assert first.facts["seen"] == second.facts["seen"] == 61
    assert model_of(folder, 2).read_bytes() == (tmp_path / "second" / "checkpoints" / "best.ckpt").read_bytes()


def test_a_fit_of_a_run_that_cannot_be_written_is_whole_all_the_same(corpus, tmp_path, capsys, monkeypatch):
    from lit_al.exceptions import RunError
    from lit_al.models.model_registry import ModelRegistry

    def full(*_):
        raise RunError("models cannot be written: no space")

    monkeypatch.setattr(ModelRegistry, "keep", full)
    folder = record_of(tmp_path / "people", corpus, range(10, 60))
    words = ["fit", str(folder), "--folds", "0", "--accelerator", "cpu", "--to", str(tmp_path / "model")]
    assert main.main(words) == 0
    assert "it is no version of" in capsys.readouterr().out
    assert load_model(tmp_path / "model" / "checkpoints" / "best.ckpt").classes == CLASSES
