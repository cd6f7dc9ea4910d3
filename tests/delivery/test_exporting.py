"""An exported model says what the model says, whoever runs it; what cannot be exported is refused in one sentence."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import lightning as L
import numpy as np
import pytest
import torch
import yaml

from lit_al.calibration import tempered
from lit_al.cli import main
from lit_al.delivery import exporting
from lit_al.delivery.exporting import ask, session
from lit_al.models.bilstm import probabilities_of
from lit_al.models.checkpoint import load_frozen, save_model
from lit_al.models.ensemble import LitCommittee
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.prediction import probabilities
from lit_al.models.text_teacher import TextTeacher
from lit_al.record import Action, Event, Item, ModelVersion, Record, sha256_of
from lit_al.utils.intervals import wilson

KINDS = [("keras3", "words"), ("keras2", "words"), ("unicode", "words"), ("unicode", "characters"),
         ("unicode", "subwords")]  # fmt: skip
WORDS = ["Win", "a", "PRIZE!", "lunch", "it's", "<br />", "Straße", "好吃", "👍🏽", "e\u0301", "…", "x"]
TEXTS = ["", " ", *(" ".join(WORDS[(n + k) % 12] for k in range(n)) for n in range(40))]


def exported(model, tmp_path, *options):
    path = save_model(model, tmp_path / "model.ckpt")
    assert main.main(["export-model", str(path), "--to", str(tmp_path / "out"), *map(str, options)]) == 0
    return tmp_path / "out"


def blocks(folder, language):
    return re.search(rf"```{language}\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)[1]


def said(model):
    return np.concatenate(list(probabilities(model, TEXTS)))


def by_the_card(folder, monkeypatch):
    """What the code on the card says of the texts."""
    monkeypatch.chdir(folder)
    names = {}
    exec(blocks(folder, "python"), names)
    return names["probabilities"](TEXTS)


@pytest.mark.parametrize(("how", "units"), KINDS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cut", ["end", "middle"])
def test_text_to_probabilities_is_the_same_everywhere(how, units, masked, cut, tmp_path, monkeypatch, made):
    classes = ("ham", "spam") if cut == "end" else ("a", "b", "c")
    model = made(classes, how, units, cut, masked)
    wanted = said(model)
    folder = exported(model, tmp_path)
    np.testing.assert_allclose(by_the_card(folder, monkeypatch), wanted, rtol=0, atol=1e-5)
    for kernel in ("reference", "lstm", "auto"):
        again = LitBiLSTM.from_pretrained(folder, kernel=kernel)
        np.testing.assert_allclose(said(again), wanted, rtol=0, atol=1e-5)
    np.testing.assert_allclose(said(load_frozen(folder)), wanted, rtol=0, atol=1e-5)


def test_graph_takes_any_number_of_texts_of_any_length(tmp_path, made):
    model = made()
    graph = session(exported(model, tmp_path) / "model.onnx")
    rng = np.random.default_rng(0)
    for length in (1, 2, 5, 31, 200):
        tokens = rng.integers(0, 19, (length % 7 + 1, length))
        with torch.no_grad():
            wanted = probabilities_of(model.net(torch.from_numpy(np.sort(tokens)[:, ::-1].copy())))
        np.testing.assert_allclose(ask(graph, np.sort(tokens)[:, ::-1]), wanted.numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("precision", "size", "far"), [("fp16", 0.7, 0.01), ("int8", 0.6, 0.15)])
def test_smaller_graphs_are_smaller_and_near(precision, size, far, tmp_path, made):
    model = made(embedding_size=64, hidden_size=16)
    whole = exported(model, tmp_path) / "model.onnx"
    (tmp_path / "small").mkdir()
    small = exported(model, tmp_path / "small", "--precision", precision)
    assert (small / "model.onnx").stat().st_size < size * whole.stat().st_size
    assert json.loads((small / "config.json").read_text())["onnx"]["precision"] == precision
    tokens = model.encoder.encode(TEXTS)
    assert abs(ask(session(small / "model.onnx"), tokens) - ask(session(whole), tokens)).max() < far


def node_modules():
    """Where `@huggingface/tokenizers` and `onnxruntime-node` are, if they are anywhere."""
    places = [os.environ.get("LIT_AL_NODE_MODULES", ""), "node_modules"]
    wanted = ("@huggingface/tokenizers", "onnxruntime-node")
    found = (Path(place) for place in places if place and all((Path(place) / name).is_dir() for name in wanted))
    return next(found, None) if shutil.which("node") else None


@pytest.mark.skipif(node_modules() is None, reason="no Node with @huggingface/tokenizers and onnxruntime-node")
@pytest.mark.parametrize(("how", "units", "cut"), [(*kind, cut) for kind in KINDS for cut in ("end", "middle")])
def test_node_says_the_same(how, units, cut, tmp_path, made):
    model = made(how=how, units=units, cut=cut)
    folder = exported(model, tmp_path)
    (folder / "node_modules").symlink_to(node_modules().resolve())
    code = blocks(folder, "js").replace('await probabilities("a text")', "JSON.stringify(found)")
    texts = json.dumps(TEXTS)
    asking = f"const found = []; for (const text of {texts}) found.push([...await probabilities(text)]);\nconsole.log"
    (folder / "ask.mjs").write_text(code.replace("console.log", asking), encoding="utf-8")
    done = subprocess.run(["node", "ask.mjs"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), said(model), rtol=0, atol=1e-5)


# --- Calibration and card ---------------------------------------------------------------------------------------------


def test_held_out_labels_calibrate_and_judge(tmp_path, write_mails, capsys, learned):
    model, held = learned(sureness=3), write_mails()
    folder = exported(model, tmp_path, "--data", held, "--license", "mit", "--language", "en")
    config = json.loads((folder / "config.json").read_text())
    found = config["calibration"]
    assert found["temperature"] > 1.5  # a tenth of the labels is wrong, and it is sure of nearly all
    assert found["ece_after"] < found["ece_before"] / 2
    np.testing.assert_allclose(said(load_frozen(folder)), tempered(said(model), found["temperature"]), atol=1e-3)
    assert (said(load_frozen(folder)).argmax(axis=1) == said(model).argmax(axis=1)).all()
    card = (folder / "README.md").read_text()
    front = yaml.safe_load(card.split("---\n")[1])
    assert (front["license"], front["language"], front["pipeline_tag"]) == ("mit", "en", "text-classification")
    [result] = front["model-index"][0]["results"]
    accuracy = {one["name"]: one["value"] for one in result["metrics"]}["accuracy, held-out texts"]
    low, high = wilson(accuracy, 400)
    assert f"| accuracy | {accuracy:.4f} | {low:.4f} to {high:.4f} |" in card
    assert f"accuracy on 400 held-out texts: {accuracy:.4f}" in capsys.readouterr().out


def test_probabilities_are_left_as_they_are_where_asked(tmp_path, write_mails, learned):
    model = learned(sureness=3)
    folder = exported(model, tmp_path, "--data", write_mails(), "--no-calibrate")
    assert json.loads((folder / "config.json").read_text())["calibration"] is None
    np.testing.assert_allclose(said(load_frozen(folder)), said(model), atol=1e-6)


def test_export_of_an_export_is_calibrated_once_and_keeps_its_origin(tmp_path, write_mails, learned):
    first, held = exported(learned(sureness=3), tmp_path, "--data", write_mails()), tmp_path / "held.csv"
    assert main.main(["export-model", str(first), "--to", str(tmp_path / "again"), "--data", str(held)]) == 0
    one, other = (json.loads((folder / "config.json").read_text()) for folder in (first, tmp_path / "again"))
    assert one == other
    assert (first / "model.safetensors").read_bytes() == (tmp_path / "again" / "model.safetensors").read_bytes()
    assert (first / "model.onnx").read_bytes() == (tmp_path / "again" / "model.onnx").read_bytes()


def test_run_brings_its_figures_labels_and_flaws(tmp_path, learned):
    per_class = {name: {"precision": 0.9, "recall": 0.8, "f1": 0.85, "support": 50} for name in ("ham", "spam")}
    judged = {"accuracy": 0.8, "low": 0.7, "high": 0.9, "macro_f1": 0.79, "per_class": per_class}
    judged |= {"calibration": {"temperature": 2.0, "rows": 100, "ece_before": 0.2, "ece_after": 0.1}}
    results = {
        "schema": 1, "mode": "fit", "protocol": "lean", "strategy": "entropy", "flaws": ["judges by | what it chose"],
        "data": {"source": "hub me/mails", "fingerprint": "f" * 64, "rows": 999, "demo": False},
        "labels": {"ham": 60, "spam": 40}, "cross_validation": judged, "versions": {"torch": "2"},
    }  # fmt: skip
    run = tmp_path / "run"
    model = learned()
    save_model(model, run / "checkpoints" / "best.ckpt")
    (run / "results.json").write_text(json.dumps(results))
    assert main.main(["export-model", str(run), "--to", str(tmp_path / "out")]) == 0
    card = (tmp_path / "out" / "README.md").read_text()
    for words in ("| labels paid for | 100 |", "| 0.8000 | 0.7000 to 0.9000 |", "- Its protocol judges by &#124; what",
                  "- me/mails", "temperature of 2", "| texts | hub me/mails, 999 texts |", "none given"):  # fmt: skip
        assert words in card
    np.testing.assert_allclose(said(load_frozen(tmp_path / "out")), tempered(said(model), 2), atol=1e-5)


def test_project_that_people_label_brings_their_labels(tmp_path, learned):
    save_model(learned(), tmp_path / "mails" / "checkpoints" / "best.ckpt")
    with Record.create(tmp_path / "mails" / "record.sqlite", ["ham", "spam"]) as record:
        record.add_items(Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(10))
        record.append(Event(str(uuid4()), 3, "ann", Action.LABEL, "spam", strategy="entropy"))
        record.add_model(ModelVersion(1, "checkpoints/model-1.ckpt", "0" * 64, 1, 777))
    assert main.main(["export-model", str(tmp_path / "mails"), "--to", str(tmp_path / "out"), "--no-onnx"]) == 0
    card = (tmp_path / "out" / "README.md").read_text()
    for words in (
        "labeling project mails, 10 texts",
        "| labels paid for | 777 |",
        "chosen by | entropy |",
        "No label has",
    ):
        assert words in card
    assert "onnx" not in card


# --- Refusals ---------------------------------------------------------------------------------------------------------


class OwnNetwork(L.LightningModule):
    """A network of somebody's own."""

    def __init__(self, classes=("no", "yes"), width=3):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(width, 2)


def refused(model, tmp_path, capsys):
    path = save_model(model, tmp_path / "other.ckpt")
    assert main.main(["export-model", str(path), "--to", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
    [line] = capsys.readouterr().err.strip().splitlines()
    return line


def test_network_of_ones_own_is_refused(tmp_path, capsys):
    assert "torch.onnx.export" in refused(OwnNetwork(), tmp_path, capsys)


def test_committee_is_refused_with_the_way_to_one_of_it(tmp_path, capsys):
    committee = LitCommittee([0, 1], vocabulary_size=9, embedding_size=2, hidden_size=2)
    assert "committee.member(0)" in refused(committee, tmp_path, capsys)


def test_teacher_is_refused_with_the_way_to_a_network(tmp_path, capsys):
    teacher = TextTeacher(("ham", "spam"), {"words": ["cash", "lunch"]}, {"words": 1})
    assert "lit-al fit --deliver student" in refused(teacher, tmp_path, capsys)


def test_model_without_a_vocabulary_is_refused(tmp_path, capsys):
    assert "no vocabulary" in refused(LitBiLSTM(vocabulary_size=9, embedding_size=2), tmp_path, capsys)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,label\nwin cash,sapm\n", "'sapm' is not one of the labels; did you mean 'spam'?"),
        ("text\nwin cash\nlunch\n", "has no label"),
        ("text,label\nwin,\n", "has no label"),
    ],
)
def test_held_out_texts_that_judge_nothing_are_refused(content, said, tmp_path, checkpoint, capsys):
    (tmp_path / "held.csv").write_text(content)
    command = ["export-model", str(checkpoint), "--to", str(tmp_path / "out"), "--data", str(tmp_path / "held.csv")]
    assert main.main(command) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_folder_that_is_there_is_left_alone(tmp_path, checkpoint, capsys):
    (tmp_path / "out").mkdir()
    assert main.main(["export-model", str(checkpoint), "--to", str(tmp_path / "out")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_without_onnx_the_rest_is_written(tmp_path, checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    assert main.main(["export-model", str(checkpoint), "--to", str(tmp_path / "out")]) == 2
    assert "pip install 'lit_al[onnx]'" in capsys.readouterr().err
    assert main.main(["export-model", str(checkpoint), "--to", str(tmp_path / "out"), "--no-onnx"]) == 0
    assert not (tmp_path / "out" / "model.onnx").exists()
    assert main.main(["export-model", str(checkpoint), "--to", "x", "--no-onnx", "--precision", "int8"]) == 2


def test_half_an_export_is_not_left_behind(tmp_path, checkpoint, monkeypatch):
    monkeypatch.setattr(exporting, "model_card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main.main(["export-model", str(checkpoint), "--to", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
