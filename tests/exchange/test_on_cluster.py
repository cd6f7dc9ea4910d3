"""Parquet classified by Ray Data: the rows, the columns and the probabilities of `lit-al predict` on one machine."""

import os
import signal
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from lit_al.cli import main
from lit_al.models.checkpoint import save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.text.encoder import TextEncoder

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray", "ignore::FutureWarning:ray")
TEXTS = ["a good film", "a bad film", "dull, long", "", "好吃"]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    start = ray.init
    cores = {"num_cpus": 2, "include_dashboard": False}
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(
        ray, "init", lambda address=None, **named: start(address or "local", **named, **({} if address else cores))
    )


@pytest.fixture
def model(tmp_path):
    encoder = TextEncoder.fit(TEXTS, vocabulary_size=20, max_length=4)
    return save_model(LitBiLSTM(("bad", "good"), encoder.state_dict()), tmp_path / "model.ckpt")


def files(folder, rows, each=300):
    """Parquet files with a column of the model's name among their own."""
    folder.mkdir()
    for start in range(0, rows, each):
        here = range(start, min(start + each, rows))
        table = {
            "id": list(here),
            "message": [f"{TEXTS[row % len(TEXTS)]} {row}" for row in here],
            "label": ["theirs"] * len(here),
            "tags": [["a", "b"]] * len(here),
        }
        parquet.write_table(pa.table(table), folder / f"part-{start:06d}.parquet")
    return folder


def predicted(model, data, to, *words):
    return main.main(["predict", str(model), "--data", str(data), "--text-column", "message", "--to", str(to), *words])


@pytest.mark.slow
def test_cluster_writes_what_one_machine_writes(model, tmp_path, capsys):
    data = files(tmp_path / "in", 1_000)
    words = ["--all", "--abstain-below", "0.501"]
    parquet.write_table(parquet.read_table(data), tmp_path / "whole.parquet")
    assert predicted(model, tmp_path / "whole.parquet", tmp_path / "out.parquet", *words) == 0
    alone = capsys.readouterr().out
    assert predicted(model, data, tmp_path / "out", *words, "--cluster", "auto") == 0
    here, there = parquet.read_table(tmp_path / "out.parquet"), parquet.read_table(tmp_path / "out")
    assert there.column_names == here.column_names
    for name in there.column_names:
        if name.startswith("prob"):
            assert there[name].to_pylist() == pytest.approx(here[name].to_pylist(), abs=1e-6)
        else:
            assert there[name].to_pylist() == here[name].to_pylist(), name
    told = capsys.readouterr().out
    assert told.split(" classified ")[1].split(";")[0] == alone.split(" classified ")[1].split(";")[0]
    assert not list(tmp_path.glob(".*part*"))


@pytest.mark.slow
def test_worker_that_is_lost_loses_and_repeats_no_row(model, tmp_path):
    data, killed = files(tmp_path / "in", 40_000, each=4_000), []

    def kill():
        while not killed:
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                if b"MapWorker" in (line.read_bytes() if line.exists() else b""):
                    os.kill(int(line.parent.name), signal.SIGKILL)
                    killed.append(line)
                    return
            time.sleep(0.05)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    assert predicted(model, data, tmp_path / "out", "--cluster", "auto") == 0
    assert killed
    assert parquet.read_table(tmp_path / "out")["id"].to_pylist() == list(range(40_000))


def test_what_cannot_be_is_one_sentence(model, tmp_path, capsys):
    data = files(tmp_path / "in", 10)
    (tmp_path / "there").mkdir()
    for to, word in (("there", "is there already"), ("out.csv", "give --to FOLDER")):
        assert predicted(model, data, tmp_path / to, "--cluster", "auto") == 2
        said = capsys.readouterr().err
        assert word in said
        assert "Traceback" not in said
    assert main.main(["predict", str(model), "a text", "--cluster", "auto"]) == 2
    assert "give --data" in capsys.readouterr().err


@pytest.mark.slow
def test_table_that_is_no_parquet_or_has_no_texts_is_one_sentence_and_leaves_nothing(model, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.parquet").write_bytes(b"no parquet")
    assert predicted(model, tmp_path / "in", tmp_path / "out", "--cluster", "auto") == 2
    assert "cannot be read as Parquet" in capsys.readouterr().err
    parquet.write_table(pa.table({"message": [1, 2]}), tmp_path / "numbers.parquet")
    assert predicted(model, tmp_path / "numbers.parquet", tmp_path / "out", "--cluster", "auto") == 2
    said = capsys.readouterr().err
    assert "the text is 1 (int), not a string" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
