import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lit_al.exceptions import ConfigError, DataError, RunError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.example import strategy_of
from lit_al.experiment.session import run
from lit_al.reporting.queries import read_picks

ROOT = Path(__file__).parents[2]
TIMES = {"seconds", "wall_seconds", "train_samples_per_second", "peak_memory_mb", "checkpoint"}


def write_csv(path, corpus, names=("comment", "mood")):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *names])
        for row, (text, label) in enumerate(zip(corpus.texts, corpus.labels, strict=True)):
            writer.writerow([row, text, corpus.classes[label] if label >= 0 else ""])
    return str(path)


@pytest.fixture
def settings(corpus, tmp_path):
    data = write_csv(tmp_path / "tiny.csv", corpus)
    columns = {"text_column": "comment", "label_column": "mood"}
    small = {"max_epochs": 2, "query_size": 20, "rounds": 2, "batch_size": 32, "accelerator": "cpu"}
    return {"data": data, "protocol": "keras", **columns, **small, "log_dir": str(tmp_path / "logs")}


def start(settings, **more):
    console = Console(record=True, width=120, file=(Path(settings["log_dir"]).parent / "console.txt").open("a"))
    try:
        return run(TrainConfig(**{**settings, **more}), console), console.export_text()
    finally:
        console.file.close()


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def test_active_leaves_everything_about_it(settings, tmp_path):
    results, printed = start(settings)
    folder = tmp_path / "logs" / "version_0"
    assert json.loads((folder / "results.json").read_text()) == json.loads(json.dumps(results))
    assert {path.name for path in folder.iterdir()} >= {
        "results.json", "config.yaml", "loss.png", "accuracy.png", "rounds.png", "checkpoints"
    }  # fmt: skip
    assert results["status"] == "finished"
    assert results["labels_spent"] == {
        "train": results["rounds"][-1]["labels"],
        "validation": 20,
        "steering": 20,
        "total": results["rounds"][-1]["labels"] + 40,
    }
    assert [entry["round"] for entry in results["rounds"]] == [1, 2]
    for entry in results["rounds"]:
        assert sum(entry["taken"].values()) in (19, 20)
        assert sum(entry["shares"].values()) == pytest.approx(1)
        assert {"accuracy", "false_negatives", "false_positives", "seconds"} <= set(entry)
        assert entry["strategy"] == "ratio"
        assert sum(entry["predicted"].values()) == sum(entry["taken"].values())
        assert entry["controls"] == 0
    assert set(results["test"]) >= {"loss", "accuracy", "false_negatives", "false_positives"}
    assert len(results["flaws"]) == 3
    assert results["train_samples_per_second"] > 0
    assert results["peak_memory_mb"] > 50
    assert yaml.safe_load((folder / "config.yaml").read_text())["query_size"] == 20
    assert printed.strip().splitlines()[-1].startswith("test: loss")
    assert "steers by the test set" in printed
    assert "round 2" in printed


def test_events_hold_curves_rounds_figures_and_texts(settings, tmp_path, corpus):
    results, _ = start(settings)
    events = EventAccumulator(str(tmp_path / "logs" / "version_0"), {"images": 0, "tensors": 0, "scalars": 0}).Reload()
    tags = events.Tags()
    epochs = results["epochs"]
    assert [event.step for event in events.Scalars("accuracy/val")] == list(range(1, len(epochs) + 1))
    assert [event.value for event in events.Scalars("loss/val")] == pytest.approx([e["val_loss"] for e in epochs])
    assert [event.value for event in events.Scalars("round/labels")] == [e["labels"] for e in results["rounds"]]
    assert {"round/accuracy", "round/false_negatives", "round/false_positives", "test/accuracy"} <= set(tags["scalars"])
    assert {"share/negative", "share/positive"} <= set(tags["scalars"])
    assert set(tags["images"]) == {"figures/loss", "figures/accuracy", "figures/rounds"}
    picked = events.Tensors("picked/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "p(positive)" in picked
    assert any(text[:20] in picked for text in corpus.texts)


@pytest.mark.parametrize("protocol", ["keras", "honest"])
def test_any_strategy_composes_with_both_protocols(settings, tmp_path, corpus, protocol):
    results, printed = start(settings, strategy="committee-vote+random:0.2", committee_size=2, protocol=protocol)
    assert results["strategy"] == "committee-vote+random:0.2"
    assert results["steer_on"] == ("test" if protocol == "keras" else "val")
    assert results["pool_classes"] is results["ratio_direction"] is None
    assert results["flaws"] == []  # the test set is looked at, but nothing follows it
    assert results["labels_spent"]["steering"] == 0
    for entry in results["rounds"]:
        assert entry["shares"] == {}
        assert (entry["controls"], sum(entry["taken"].values())) == (4, 20)
    assert "chosen by committee-vote+random:0.2, 4 of them random controls" in printed
    picks = read_picks(tmp_path / "logs" / "version_0")
    assert [pick.round for pick in picks] == [1] * 20 + [2] * 20
    assert all(pick.label == corpus.classes[corpus.labels[pick.row]] for pick in picks)


def test_target_on_the_test_set_is_a_flaw_with_any_strategy(settings):
    results, _ = start(settings, strategy="entropy", target_accuracy=0.01, rounds=1)
    assert results["flaws"] == ["steers by the test set, so that its test figure is optimistic"]
    assert results["labels_spent"]["steering"] == 20


@pytest.mark.parametrize(
    ("strategy", "protocol", "spelling"),
    [
        ("ratio", "keras", "ratio"),
        ("ratio", "honest", "ratio:as-stated"),
        ("ratio+random", "honest", "ratio:as-stated+random"),
        ("ratio:as-coded+diverse", "honest", "ratio+diverse"),
        ("power", "keras", "entropy+power"),
    ],
)
def test_ratio_follows_the_protocol_where_it_names_no_direction(strategy, protocol, spelling):
    made = strategy_of(TrainConfig(strategy=strategy, protocol=protocol).resolved())
    assert made.spelling == spelling
    assert made.exact == (strategy != "ratio")


@pytest.mark.parametrize("mode", ["active", "full"])
def test_same_seed_gives_the_same_results(settings, mode):
    first, _ = start(settings, mode=mode)
    again, _ = start(settings, mode=mode)
    assert without_times(first) == without_times(again)
    other, _ = start(settings, mode=mode, seed=1)
    assert without_times(first)["epochs"] != without_times(other)["epochs"]


def test_full_learns_from_every_labeled_row(settings):
    results, _ = start(settings, mode="full")
    assert results["labels_spent"] == {"train": 160, "validation": 20, "steering": 0, "total": 180}
    assert results["rounds"] == []
    assert results["flaws"] == []


def test_compare_concludes(settings, tmp_path):
    results, printed = start(settings, mode="compare", name="both")
    folder = tmp_path / "logs" / "both"
    assert (folder / "compare.png").is_file()
    for mode in ("full", "active"):
        assert json.loads((folder / mode / "results.json").read_text())["mode"] == mode
        assert results[mode]["test"]["accuracy"] >= 0
    assert results["full"]["seeds"] == results["active"]["seeds"]
    assert "within the noise" in results["conclusion"] or "more than the noise" in results["conclusion"]
    assert "all labels" in printed


def test_honest_names_no_flaw(settings):
    results, printed = start(settings, protocol="honest")
    assert results["flaws"] == []
    settings_used = [results[name] for name in ("steer_on", "pool_classes", "ratio_direction")]
    assert settings_used == ["val", "predicted", "as-stated"]
    assert results["labels_spent"]["steering"] == 0
    assert "this protocol" not in printed


def test_three_classes_run_end_to_end(make_corpus, settings, tmp_path):
    corpus = make_corpus(300, ("negative", "neutral", "positive"))
    results, printed = start(settings, data=write_csv(tmp_path / "three.csv", corpus))
    assert results["data"]["classes"] == ["negative", "neutral", "positive"]
    assert set(results["rounds"][0]["shares"]) == {"negative", "neutral", "positive"}
    assert "neutral: FN" in printed


@pytest.mark.parametrize("protocol", ["keras", "honest"])
def test_half_the_labels_missing_runs_end_to_end(make_corpus, settings, tmp_path, protocol):
    corpus = make_corpus(400, unlabeled=200)
    results, _ = start(settings, data=write_csv(tmp_path / "half.csv", corpus), protocol=protocol)
    assert results["data"]["unlabeled"] == 200
    assert results["data"]["split"]["pool"] == 300
    assert results["status"] == "finished"


def test_demo_corpus_is_said_everywhere(settings, tmp_path):
    demo = {"data": "demo", "text_column": None, "label_column": None, "demo_rows": 300}
    results, printed = start(settings, **demo, rounds=1, max_epochs=1)
    assert results["data"]["demo"]
    assert results["data"]["source"].startswith("demo")
    assert "DEMO CORPUS" in printed
    events = EventAccumulator(str(tmp_path / "logs" / "version_0"), {"tensors": 0}).Reload()
    assert b"DEMO CORPUS" in events.Tensors("about/text_summary")[0].tensor_proto.string_val[0]


def test_duplicates_are_counted_and_dropped(make_corpus, settings, tmp_path):
    tiny = make_corpus(200)
    doubled = type(tiny)([*tiny.texts, *tiny.texts[:40]], [*tiny.labels, *tiny.labels[:40]], tiny.classes)
    data = write_csv(tmp_path / "double.csv", doubled)
    kept, _ = start(settings, data=data, mode="full")
    assert sum(part["elsewhere"] for part in kept["data"]["duplicates"].values()) == 0
    assert kept["data"]["copies"] == {"taken_for": "near", "exact": 40, "near": 0}
    dropped, printed = start(settings, data=data, mode="full", drop_duplicates=True)
    assert dropped["data"]["dropped_duplicates"] == 40
    assert sum(dropped["data"]["split"].values()) == 200
    assert all(part["inside"] == part["elsewhere"] == 0 for part in dropped["data"]["duplicates"].values())
    assert "40 texts are copies of others: never over two parts; those alike to the letter are left out" in printed
    assert kept["data"]["extra_copies"] == 40
    assert kept["data"]["dropped_duplicates"] == 0


def test_bad_settings_leave_no_folder(settings, tmp_path):
    with pytest.raises(DataError):
        start(settings, val_size=10_000)
    with pytest.raises(ConfigError):
        start(settings, max_epochs=0)
    with pytest.raises(ConfigError, match="did you mean 'entropy'"):
        start(settings, strategy="entrpy")
    assert not (tmp_path / "logs").exists()
    with pytest.raises(RunError):
        start(settings, name="a/b")


def test_a_run_says_first_which_protocol_it_took_and_why(settings):
    results, printed = start(settings, protocol="auto", mode="full", max_epochs=1)
    assert printed.splitlines()[0] == "protocol: keras, the example, to which --mode full belongs"
    assert (results["protocol"], results["mode"]) == ("keras", "full")


def test_ctrl_c_keeps_what_is_known(settings, tmp_path):
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in {**settings, "max_epochs": 5_000}.items()]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "scripts/train.py", *arguments, "--patience=5000"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("fit 1 epoch  3"):
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
    assert len(results["epochs"]) >= 3
    assert results["test"] is None
    assert (folder / "checkpoints" / "best.ckpt").is_file()
    assert (folder / "loss.png").is_file()
    assert str(folder) in printed
