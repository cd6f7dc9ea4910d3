"""The whole way of a model by its commands: label, gate, export, serve, drift, label again, promote, and back."""

import csv
import re
from random import Random

import numpy as np
import pytest

from lit_al.annotate.project import open_project
from lit_al.annotate.project_options import AnnotateOptions
from lit_al.annotate.service import LabelingService
from lit_al.cli.main import main
from lit_al.models.checkpoint import load_frozen
from lit_al.models.prediction import probabilities
from lit_al.models.request import weights_at
from lit_al.record import Record
from serving.test_serving import ask, clients, serving, until, version_of

pytest.importorskip("litserve")
pytest.importorskip("onnxruntime")
WORDS = {
    "bug": ["crash", "freeze", "error", "broken", "fails", "hangs", "stuck", "wrong", "lost", "slow"],
    "praise": ["great", "lovely", "thanks", "perfect", "fast", "helpful", "happy", "nice", "super", "best"],
}
FILLING = [f"word{number}" for number in range(60)]


def texts(seed, n, filling=FILLING, words=WORDS):
    """Texts of either class, each known by one word among others."""
    rng = Random(seed)
    for number in range(n):
        label = ("bug", "praise")[number % 2]
        parts = [rng.choice(words[label]), *rng.choices(filling, k=8)]
        rng.shuffle(parts)
        yield " ".join(parts), label


def write(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return str(path)


def label(run, truth, n):
    """The next n texts, as a person would on the page."""
    with Record.open(run) as record:
        service = LabelingService(record, "walk", owner="ann")
        for place in range(n):
            [item] = service.next("ann", 1, [])["items"]
            sent = {"uuid": f"walk-{record.last_seq()}-{place}", "item": item["item"], "action": "label"}
            assert service.take("ann", {**sent, "label": truth[item["text"]]})["saved"]


def lit_al(*words, code=0):
    assert main([str(word) for word in words]) == code, words


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_from_the_first_label_to_a_rollback(tmp_path, monkeypatch, capsys):
    pool, held = dict(texts(0, 500)), list(texts(1, 200))
    data = tmp_path / "pool.csv"
    data.write_text("text\n" + "".join(f"{text}\n" for text in pool))
    held_out, run = write(tmp_path / "held.csv", held), tmp_path / "logs" / "walk"
    run.mkdir(parents=True)
    wish = AnnotateOptions(data=str(data), labels="bug,praise", log_dir=str(tmp_path / "logs"), name="walk")
    with open_project(wish, run) as project:
        project.record.add_annotator("ann")

    # A dozen labels do not pass the gate; three hundred do.
    label(run, pool, 12)
    lit_al("fit", run, "--log-dir", tmp_path / "fits", "--name", "first")
    lit_al("gate", f"{run}@newest", "--data", held_out, "--require", "accuracy>=0.9", code=1)
    label(run, pool, 300)
    lit_al("fit", run, "--log-dir", tmp_path / "fits", "--name", "second")
    lit_al("gate", f"{run}@newest", "--data", held_out, "--require", "accuracy>=0.9")
    lit_al("models", run, "promote", "2")

    # What is exported says the same as what is in production.
    lit_al("export-model", run, "--to", tmp_path / "exported")
    some = [text for text, _ in held[:20]]
    wanted = np.concatenate(list(probabilities(load_frozen(weights_at(run)), some)))
    exported = np.concatenate(list(probabilities(load_frozen(tmp_path / "exported"), some)))
    code = re.search(r"```python\n(.*?)```", (tmp_path / "exported" / "README.md").read_text(), re.DOTALL)[1]
    names = {}
    with monkeypatch.context() as inside:
        inside.chdir(tmp_path / "exported")
        exec(code, names)
        np.testing.assert_allclose(names["probabilities"](some), exported, rtol=0, atol=1e-5)
    assert (exported.argmax(axis=1) == wanted.argmax(axis=1)).all()

    # Other texts come; an alarm says so, and the strangest of them are labeled.
    new = {"bug": ["outage", "timeout", "glitch"], "praise": ["stellar", "smooth", "brilliant"]}
    today = dict(texts(2, 300, [f"novel{number}" for number in range(60)], new))
    write(tmp_path / "today.csv", today.items())
    capsys.readouterr()
    to_label = tmp_path / "to-label.csv"
    lit_al("drift", run, "--data", tmp_path / "today.csv", "--reference", held_out, "--to-label", to_label, code=1)
    assert "ALARM" in capsys.readouterr().out
    with to_label.open(encoding="utf-8-sig") as file:
        rows = [(row["text"],) for row in csv.DictReader(file)]
    (tmp_path / "more.csv").write_text("text\n" + "".join(f"{text}\n" for (text,) in rows))
    lit_al("project", run, "add-texts", tmp_path / "more.csv")
    truth, left = pool | today, 500 + len(rows) - 312
    label(run, truth, left)
    lit_al("fit", run, "--log-dir", tmp_path / "fits", "--name", "third")

    # The service takes the new version over, and the old one again, and fails nobody meanwhile.
    found = []
    with serving(run, tmp_path) as (_, port), clients(port, found, texts=some):
        before = version_of(port)
        lit_al("models", run, "promote", "3")
        after = until(lambda: version_of(port) != before and version_of(port))
        _, said = ask(port, list(today)[:50])
        lit_al("models", run, "rollback")
        until(lambda: version_of(port) == before)
    assert found
    assert {status for status, _ in found} == {200}
    assert after != before
    right = [answer["label"] == today[text] for answer, text in zip(said["predictions"], list(today)[:50], strict=True)]
    assert np.mean(right) > 0.8
