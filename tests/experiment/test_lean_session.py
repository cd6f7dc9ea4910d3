import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lit_al.cli import main
from lit_al.data.split import stratified_split
from lit_al.drift.model_reference import Reference
from lit_al.exceptions import ConfigError, DataError
from lit_al.experiment import lean_session
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.experiment_data import prepare
from lit_al.experiment.explain import explain
from lit_al.experiment.protocol import RunProtocol
from lit_al.experiment.session import run
from lit_al.loop.active_loop import ActiveLoop
from lit_al.metrics import Confusion, Evaluation
from lit_al.models.checkpoint import load_model
from lit_al.models.prediction import classify
from lit_al.oracles import SimulatedOracle
from lit_al.reporting.queries import read_picks
from lit_al.strategies import Collapse
from lit_al.text.cache import encoded
from lit_al.text.encoder import TextEncoder
from lit_al.text.lsa import vectors_of
from lit_al.training.step_training import StepTraining

ROOT = Path(__file__).parents[2]
CONFIG = TrainConfig(
    protocol="lean",
    recipe="scratch",
    vocabulary_size=3_000,
    max_length=150,
    data="demo",
    demo_rows=300,
    initial_size=30,
    query_size="10,20",
    rounds=2,
    steps=4,
    batch_size=16,
    strategy="margin+random:0.4",
    accelerator="cpu",
)


@pytest.fixture(autouse=True)
def _no_guard(monkeypatch):
    """Models of four steps answer one class, and the guard would choose every batch."""
    monkeypatch.setattr("lit_al.loop.acquisition.collapsed", lambda probabilities: None)


def start(tmp_path, **changes):
    logs = tmp_path / "logs"
    with (tmp_path / "console.txt").open("a") as file:
        console = Console(record=True, width=160, file=file)
        results = run(replace(CONFIG, log_dir=str(logs), **changes), console)
    return results, console.export_text(), logs / "version_0"


def test_run_leaves_everything_about_it(tmp_path):
    results, printed, folder = start(tmp_path)
    assert json.loads((folder / "results.json").read_text()) == json.loads(json.dumps(results))
    assert {path.name for path in folder.iterdir()} >= {
        "results.json", "config.yaml", "picks.jsonl", "labels.png", "batches.png", "report.html", "checkpoints"
    }  # fmt: skip
    assert (results["status"], results["stop_reason"]) == ("finished", "all 2 rounds are done")
    assert results["labels_spent"] == {"train": 60, "skipped": 0, "validation": 0, "steering": 0, "total": 60}
    assert [entry["labels"] for entry in results["rounds"]] == results["schedule"] == [30, 40, 60]
    assert [entry["controls"] for entry in results["rounds"]] == [0, 4, 8]
    assert [entry["strategy"] for entry in results["rounds"]] == ["random", *["margin+random:0.4"] * 2]
    for entry in results["rounds"][1:]:
        assert sum(entry["taken"].values()) == sum(entry["predicted"].values())
        assert min(entry[f"{part}_seconds"] for part in ("fit", "score", "select")) >= 0
    assert [entry["estimate"] is None for entry in results["rounds"]] == [True, True, False]
    assert [entry["estimate_needs"] for entry in results["rounds"]] == [10, 6, 0]
    assert results["estimate"]["rows"] == 12
    assert results["estimate"]["low"] < results["estimate"]["accuracy"] < results["estimate"]["high"]
    assert results["test"]["low"] < results["test"]["accuracy"] < results["test"]["high"]
    assert results["test"]["accuracy"] == results["rounds"][-1]["test"]["accuracy"]
    assert np.sum(results["test"]["confusion"]) == results["data"]["split"]["test"] == 30
    assert results["data"]["split"] == {"train": 0, "validation": 0, "test": 30, "pool": 270}
    assert yaml.safe_load((folder / "config.yaml").read_text())["query_size"] == "10,20"
    assert "judged on the test set for the report alone" in printed
    assert "accuracy over the whole corpus: not known yet, 6 more random texts are needed" in printed
    assert "accuracy over the whole corpus, by 12 random controls: 0." in printed
    assert "±" not in printed
    assert f"report: {folder / 'report.html'}" in printed
    assert printed.strip().splitlines()[-1].startswith("test: loss")


def test_reference_is_of_the_test_set_where_it_is_large_enough_else_of_the_pool(tmp_path):
    _, _, folder = start(tmp_path)
    reference = Reference.read(folder / "reference.json")
    assert reference.counts.texts == 210  # 30 test texts are too few; of 270 others 60 are labeled
    assert "as if it had not seen them" in reference.by


def test_picks_are_those_of_the_loop_and_explained(tmp_path):
    _, _, folder = start(tmp_path)
    config = CONFIG.resolved()
    material = prepare(config)
    plan = RunProtocol.of(config, material)
    corpus, encoder = material.corpus, material.encoder
    tokens, words = torch.from_numpy(encoded(corpus, encoder)), len(encoder.vocabulary)
    loop = ActiveLoop(
        StepTraining(tokens, words, corpus.classes, recipe=plan.recipe, accelerator="cpu"), material.split.pool,
        SimulatedOracle(corpus.labels), classes=2, seeds=[0], strategy=config.strategy, schedule=plan.schedule,
    )  # fmt: skip
    *_, last = loop.rounds()
    picks = read_picks(folder)
    assert [pick.row for pick in picks] == last.states[0].labeled[30:].tolist()
    assert [pick.label for pick in picks] == [corpus.classes[corpus.labels[pick.row]] for pick in picks]
    lines = list(explain(folder, 2))
    assert lines[0] == "round 2: 20 texts chosen by margin+random:0.4, 8 of them random controls"
    assert any(corpus.texts[picks[-1].row][:30] in line for line in lines)


def test_whatever_the_test_set_says_nothing_follows(tmp_path, monkeypatch):
    first, _, folder = start(tmp_path, stop="budget:45,target:0.999")
    lie = Evaluation(0.0, Confusion(np.diag([15, 15])))
    monkeypatch.setattr(lean_session, "evaluate", lambda model, batches: lie)
    other, _, told = start(tmp_path, stop="budget:45,target:0.999", name="other")
    told = told.parent / "other"
    assert other["test"]["accuracy"] == 1
    assert first["test"]["accuracy"] < 1
    assert (folder / "picks.jsonl").read_text() == (told / "picks.jsonl").read_text()
    for key in ("stop_reason", "estimate", "bill", "labels_spent"):
        assert first[key] == other[key]


def test_vocabulary_is_that_of_the_pool_and_the_test_set_that_of_the_benchmark():
    material = prepare(CONFIG.resolved())
    corpus = material.corpus
    expected = stratified_split(corpus, seed=0)
    assert (material.split.test == expected.test).all()
    assert not set(material.split.pool.tolist()) & set(expected.test.tolist())
    of_pool = TextEncoder.fit((corpus.texts[row] for row in material.split.pool), how="unicode")
    assert material.encoder.vocabulary == of_pool.vocabulary
    assert TextEncoder.fit(corpus.texts, how="unicode").vocabulary != of_pool.vocabulary


def test_checkpoint_is_the_last_model_and_classifies(tmp_path, capsys):
    _, _, folder = start(tmp_path)
    assert main.main(["predict", "--checkpoint", str(folder), "--json", "A moving film."]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["probabilities"]) == {"negative", "positive"}


def test_rule_in_force_ends_the_run_and_others_speak_in_shadow(tmp_path):
    results, printed, _ = start(tmp_path, stop="budget:45,kappa:0.99", rounds=None, query_size=10)
    assert results["stop"] == "budget:45,kappa:0.99:3"
    assert results["stop_reason"] == "45 labels are spent, of a budget of 45"
    assert results["labels_spent"]["total"] == 45
    names = [entry["rule"].split(":")[0] for entry in results["shadow"]]
    assert names == ["budget", "kappa", "plateau", "uncertainty", "change", "pool-empty"]
    assert "in shadow: budget:45 would have stopped at 45 labels, the last round" in printed


def chinese_csv(path):
    """Texts without a space, of either class by one word."""
    parts, ends = ["这家店", "老板", "送餐的人", "味道", "今天的菜"], ["真", "实在", "总是", "还算", "有点"]
    words = {"好": "good", "差": "bad"}
    rows = [(a + b + word, label) for a in parts for b in ends for word, label in words.items()] * 3
    lines = [f"{text}{'！' * (number % 7)},{label}" for number, (text, label) in enumerate(rows)]
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    return str(path)


def test_texts_without_spaces_are_read_by_characters_and_the_run_says_so(tmp_path):
    data = chinese_csv(tmp_path / "reviews.csv")
    results, printed, folder = start(tmp_path, data=data, initial_size=10, rounds=1, price_per_token=1.0)
    assert "encoder: characters, for 100 % of the texts have no spaces between words" in printed
    model = load_model(folder / "checkpoints" / "best.ckpt")
    assert (model.encoder.units, model.encoder.how) == ("characters", "unicode")
    assert {"好", "差", "!"} <= {*model.encoder.vocabulary}
    assert len([*classify(model, ["味道真好！", "", "\ud83d"])]) == 3
    assert results["bill"]["tokens"] > 4 * results["bill"]["asked"]  # characters; each text is one word


@pytest.mark.parametrize("units", ["words", "subwords"])
def test_units_asked_for_are_taken(tmp_path, units):
    data = chinese_csv(tmp_path / "reviews.csv")
    _, printed, folder = start(tmp_path, data=data, initial_size=10, rounds=0, units=units)
    assert "encoder:" not in printed
    assert load_model(folder / "checkpoints" / "best.ckpt").encoder.units == units


def test_run_ends_where_the_pool_does(tmp_path):
    results, _, _ = start(tmp_path, query_size=200, rounds=5)
    assert results["stop_reason"] == "the pool is empty"
    assert results["labels_spent"]["total"] == 270


def test_imperfect_oracle_is_paid_and_its_skips_leave_the_pool(tmp_path):
    results, printed, folder = start(
        tmp_path, oracle_noise="0.2", oracle_skip=0.3, price_per_label=0.5, price_per_token=0.01
    )
    bill = results["bill"]
    assert bill["asked"] == results["labels_spent"]["total"] == 60
    assert 0 < bill["skipped"] == results["labels_spent"]["skipped"] == 60 - results["labels_spent"]["train"]
    assert bill["wrong"] > 0
    assert bill["cost"] == pytest.approx(0.5 * bill["labels"] + 0.01 * bill["tokens"])
    assert "units read, cost" in printed
    picks = read_picks(folder)
    assert len(picks) == len({pick.row for pick in picks}) == 30
    skipped = [pick for pick in picks if not pick.label]
    assert len(skipped) == sum(entry["skipped"] for entry in results["rounds"]) > 0
    [first] = [line for line in explain(folder, skipped[0].round, 40) if f"row {skipped[0].row}:" in line]
    assert "was skipped" in first
    assert any(", skipped " in line for line in explain(folder, skipped[0].round))


def test_noise_comes_from_a_file_too(tmp_path):
    (tmp_path / "noise.csv").write_text("1,0\n1,0\n")
    results, _, _ = start(tmp_path, oracle_noise=str(tmp_path / "noise.csv"), rounds=1)
    assert results["rounds"][0]["taken"] == {"negative": 30, "positive": 0}


def test_held_out_labels_are_split_off_the_bill_and_warned_of(tmp_path):
    results, printed, folder = start(tmp_path, validation="holdout:0.2")
    assert results["labels_spent"] == {"train": 48, "skipped": 0, "validation": 12, "steering": 0, "total": 60}
    assert results["recipe"]["validation"] == "holdout:0.2"
    assert [entry["validation"]["rows"] for entry in results["rounds"]] == [6, 8, 12]
    assert [entry["labels"] for entry in results["rounds"]] == [24, 32, 48]
    found = results["validation"]
    assert found == results["rounds"][-1]["validation"]
    assert found["low"] <= found["accuracy"] <= found["high"]
    assert 6 <= found["drawn"]["rows"] <= 12
    assert results["rounds"][0]["validation"]["drawn"]["rows"] == 6
    assert results["follows"] == "controls"
    [flaw] = results["flaws"]
    assert "of the chosen texts and not of the pool; that by random controls is of the pool" in flaw
    page, words = unescape((folder / "report.html").read_text()), " ".join(printed.split())
    assert f"warning: it {flaw}" in words
    assert f"It {flaw}." in page
    assert "validation: 20 % of all labels are held out" in words
    assert "target and plateau follow the accuracy by random controls" in words
    assert "12 held-out labels" in words
    assert "validation (holdout:0.2)" in page
    assert "48 train, 12 validation" in page


def test_folds_cost_no_label_and_steer_where_no_control_does(tmp_path):
    results, printed, folder = start(tmp_path, validation="cross:3", strategy="margin", stop="target:0.01,budget:60")
    assert results["labels_spent"] == {"train": 30, "skipped": 0, "validation": 0, "steering": 0, "total": 30}
    assert results["follows"] == "validation"
    assert results["estimate"] is None
    assert results["validation"]["rows"] == results["validation"]["drawn"]["rows"] == 30
    assert results["stop_reason"].startswith("the steering accuracy out of fold reached 0.01")
    words = " ".join(printed.split())
    assert "target and plateau follow the accuracy out of fold" in words
    assert "random controls, as +random:0.1 in --strategy draws them, give one of the pool" in words
    assert "validate" in words
    events = EventAccumulator(str(folder)).Reload()
    assert [event.step for event in events.Scalars("validation/accuracy")] == [30]


def test_random_picks_are_validated_without_a_warning(tmp_path):
    results, printed, folder = start(tmp_path, validation="cross:3", strategy="random", rounds=1)
    assert results["flaws"] == []
    assert results["validation"]["rows"] == results["validation"]["drawn"]["rows"] == 40
    assert "warning: it" not in printed
    assert "No flaw is known" in (folder / "report.html").read_text()


def test_without_validation_nothing_is_said_of_it(tmp_path):
    results, printed, folder = start(tmp_path, rounds=1)
    assert (results["validation"], results["flaws"], results["follows"]) == (None, [], "controls")
    assert "held-out" not in printed + (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("spelling", "words"),
    [
        ("holdout:0", "validation holdout:0 must hold out a share above 0 and below 1"),
        ("cross:1", "validation cross:1 needs 2 folds or more"),
        ("cross:1000", "validation cross:1000 has more folds than the first 100 labels"),
        ("cross:x", "validation 'cross:x' has no number that fits"),
        ("folds", "validation 'folds' is unknown; give none, holdout:0.2 or cross:5"),
    ],
)
def test_validation_that_cannot_work_is_a_sentence(tmp_path, capsys, spelling, words):
    arguments = ["--protocol=lean", "--data=demo", "--demo-rows=300", f"--validation={spelling}"]
    assert main.main(["train", *arguments, f"--log-dir={tmp_path / 'logs'}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {words}")
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "logs").exists()


def test_collapse_is_warned_of_and_the_guard_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("lit_al.loop.acquisition.collapsed", lambda probabilities: Collapse(1, 0.99))
    results, printed, _ = start(tmp_path)
    entry = results["rounds"][1]
    assert entry["strategy"] == "random"
    assert entry["warning"].startswith("the model called 99.0% of the candidates 'positive'; this batch was drawn at")
    assert entry["warning"] in printed
    assert results["rounds"][0]["warning"] == ""


def test_random_picks_are_all_controls(tmp_path):
    results, _, _ = start(tmp_path, strategy="random")
    assert results["estimate"]["rows"] == 30


@pytest.mark.parametrize("strategy", ["density", "committee-vote", "badge", "contrastive", "ratio:as-stated"])
def test_what_a_strategy_needs_is_there(tmp_path, strategy):
    results, _, _ = start(tmp_path, strategy=strategy, committee_size=2, rounds=1)
    assert results["status"] == "finished"


def test_text_vectors_are_those_of_the_pool_alone():
    tokens = torch.randint(2, 40, (60, 10), generator=torch.Generator().manual_seed(0)).to(torch.uint16)
    pool = np.random.default_rng(0).permutation(40)
    vectors = vectors_of(pool, tokens, 40)
    assert not vectors[40:].any()
    assert vectors[:40].any(axis=1).all()
    changed = tokens.clone()
    changed[40:] = 7
    assert (vectors_of(pool, changed, 40) == vectors).all()


def test_three_classes_run_and_events_are_over_labels(make_corpus, tmp_path):
    corpus = make_corpus(200, ("negative", "neutral", "positive"))
    names = [corpus.classes[label] for label in corpus.labels]
    with (tmp_path / "three.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(corpus.texts, names, strict=True)])
    _, printed, folder = start(tmp_path, data=str(tmp_path / "three.csv"))
    assert "neutral: FN" in printed
    events = EventAccumulator(str(folder), {"scalars": 0, "images": 0}).Reload()
    assert [event.step for event in events.Scalars("test/accuracy")] == [30, 40, 60]
    losses = events.Scalars("loss/train")
    assert [event.step for event in losses] == list(range(1, len(losses) + 1))
    assert len(losses) >= 3
    assert [event.step for event in events.Scalars("controls/accuracy")] == [60]  # four controls say nothing
    assert set(events.Tags()["images"]) == {"figures/labels", "figures/batches"}
    page = (folder / "report.html").read_text()
    assert "Stopping rules in shadow" in page
    assert "neutral taken (predicted)" in page


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"oracle_noise": "1.5"}, "noise of rate 1.5"),
        ({"oracle_noise": "none.csv"}, "neither a rate nor a CSV file"),
        ({"stop": "kapa"}, "did you mean 'kappa'"),
        ({"strategy": "entrpy"}, "did you mean 'entropy'"),
        ({"initial_size": 271}, "exceeds the pool of 270 rows"),
    ],
)
def test_settings_that_cannot_work_leave_no_folder(tmp_path, settings, words):
    with pytest.raises(ConfigError, match=words):
        start(tmp_path, **settings)
    assert not (tmp_path / "logs").exists()


def test_ctrl_c_keeps_what_is_known_and_paid_for(tmp_path):
    arguments = ["--protocol=lean", "--data=demo", "--demo-rows=300", "--initial-size=30", "--query-size=10"]
    arguments += ["--study-steps=10", "--rounds=20", "--accelerator=cpu", f"--log-dir={tmp_path / 'logs'}"]
    process = subprocess.Popen(
        [sys.executable, "scripts/train.py", *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "round 1 " in line:
            process.send_signal(signal.SIGINT)
            break
    began = time.monotonic()
    printed = "".join(lines) + process.communicate(timeout=60)[0]
    assert process.returncode == 130, printed
    assert time.monotonic() - began < 30
    assert "Traceback" not in printed
    folder = tmp_path / "logs" / "version_0"
    results = json.loads((folder / "results.json").read_text())
    assert results["status"] == "interrupted"
    assert results["test"] is None
    assert len(results["rounds"]) >= 2
    assert results["labels_spent"]["total"] >= results["rounds"][-1]["labels_spent"]
    assert len(read_picks(folder)) == results["labels_spent"]["total"] - 30
    for name in ("labels.png", "report.html", "checkpoints/best.ckpt"):
        assert (folder / name).is_file()


def test_vectors_of_a_file_reach_teacher_and_strategy(tmp_path, monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(300, 5))
    np.save(tmp_path / "vectors.npy", vectors)
    seen = {}

    def remember(*arguments, embeddings=None, **options):
        seen["teacher"] = embeddings
        return lean_session_learn(*arguments, embeddings=embeddings, **options)

    class Method(StepTraining):
        def __init__(self, *arguments, vectors=None, **options):
            seen["strategy"] = vectors
            super().__init__(*arguments, vectors=vectors, **options)

    lean_session_learn = lean_session.learn
    monkeypatch.setattr(lean_session, "learn", remember)
    monkeypatch.setattr(lean_session, "StepTraining", Method)
    results, _, _ = start(tmp_path, strategy="badge:vectors", embeddings=str(tmp_path / "vectors.npy"))
    assert results["status"] == "finished"
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(seen["teacher"], units, atol=1e-3)
    np.testing.assert_array_equal(seen["strategy"], seen["teacher"].astype(np.float32))
    assert seen["strategy"].dtype == np.float32


def test_vectors_that_do_not_fit_leave_no_run_behind(tmp_path):
    np.save(tmp_path / "vectors.npy", np.ones((7, 5)))
    with pytest.raises(DataError, match="has 7 rows and the corpus 300 texts"):
        start(tmp_path, embeddings=str(tmp_path / "vectors.npy"))
    assert not (tmp_path / "logs" / "version_0").exists()


def test_run_that_is_refused_before_its_first_round_names_no_report_and_leaves_none(tmp_path, capsys):
    options = ["--data", "demo", "--demo-rows", "300", "--protocol", "lean", "--embeddings", "nowhere.npy"]
    assert main.main(["train", *options, "--log-dir", str(tmp_path), "--name", "run"]) == 2
    printed = capsys.readouterr()
    assert "error: nowhere.npy" in printed.err
    assert "report:" not in printed.out + printed.err
    assert not (tmp_path / "run").exists()
