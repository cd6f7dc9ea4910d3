import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date

import pytest
import torch
from pyarrow import parquet

from lit_al.cli import main
from lit_al.data.tables import DataTable, Reading
from lit_al.exceptions import RunError
from lit_al.exchange.classified import Wanted, classify_table
from lit_al.models.checkpoint import save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.prediction import classify
from lit_al.text.encoder import TextEncoder

TEXTS = ["a good film", "a bad film", "", "good good", 'two\nlines, "quoted"']
IDS = ["T-1", "=1+1", "3", "é", "שלום"]


@pytest.fixture(scope="module")
def model():
    encoder = TextEncoder.fit(["a good film", "a bad film"], vocabulary_size=6, max_length=4)
    torch.manual_seed(0)
    return LitBiLSTM(("bad", "good"), encoder.state_dict(), embedding_size=4, hidden_size=2).eval()


@pytest.fixture(scope="module")
def run_folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save_model(model, folder / "checkpoints" / "best.ckpt")
    return folder


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text", "Label", "n"), *zip(IDS, TEXTS, "vwxyz", range(5), strict=True)])
    return path


def read(path):
    """Rows of a file as dictionaries, whatever its format."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return parquet.read_table(path).to_pylist()


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_all_columns_stay_and_the_answers_are_those_of_the_model(suffix, run_folder, model, table, tmp_path, capsys):
    out = tmp_path / f"out{suffix}"
    assert main.main(["predict", str(run_folder), "--data", str(table), "--to", str(out), "--all"]) == 0
    printed = capsys.readouterr()
    assert "in.csv has a column 'label' of its own; the model's is 'predicted_label'" in printed.err
    assert "5 texts of file in.csv classified (" in printed.out
    rows = read(out)
    assert list(rows[0]) == [
        "id", "text", "Label", "n", "predicted_label", "probability", "probability_bad", "probability_good",
    ]  # fmt: skip
    assert [row["text"] for row in rows] == TEXTS
    assert [row["Label"] for row in rows] == list("vwxyz")
    guarded = ["T-1", "'=1+1", "3", "é", "שלום"]
    assert [row["id"] for row in rows] == (guarded if suffix == ".csv" else IDS)
    for row, expected in zip(rows, classify(model, TEXTS), strict=True):
        assert row["predicted_label"] == expected.label
        assert float(row["probability"]) == pytest.approx(expected.probability, abs=1e-6)
        assert float(row["probability_good"]) == pytest.approx(expected.probabilities["good"], abs=1e-6)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_below_a_probability_there_is_no_label(suffix, model, table, tmp_path):
    expected = list(classify(model, TEXTS))
    limit = sorted(one.probability for one in expected)[2]
    out = tmp_path / f"out{suffix}"
    words = classify_table(model, str(table), Reading(), Wanted(out, abstain_below=limit))
    assert "no label 2" in words
    empty, yes = ("", ("true", "false")) if suffix == ".csv" else (None, (True, False))
    for row, one in zip(read(out), expected, strict=True):
        below = one.probability < limit
        assert row["predicted_label"] == (empty if below else one.label)
        assert row["abstained"] == yes[not below]


def test_cells_keep_their_kinds_where_the_format_has_them(model, tmp_path):
    cells = (["a", "b"], [1, None], [date(2024, 1, 2), None], [1.5, float("nan")], [["x"], "y"], [None, None])
    names = ("text", "n", "day", "x", "mixed", "n")
    table = DataTable(names, cells, lambda row: f"row {row + 1}", "memory")
    for suffix in (".csv", ".jsonl", ".parquet"):
        classify_table(model, table, Reading(), Wanted(tmp_path / f"out{suffix}"))
    first, second = read(tmp_path / "out.parquet")
    assert (first["n"], first["day"], first["x"], first["mixed"], first["n (6)"]) == (
        1, date(2024, 1, 2), 1.5, '["x"]', None,
    )  # fmt: skip
    assert second["mixed"] == "y"
    first, second = read(tmp_path / "out.jsonl")
    assert (first["n"], first["day"], first["mixed"]) == (1, "2024-01-02", ["x"])
    assert (second["n"], second["x"]) == (None, None)
    first, second = read(tmp_path / "out.csv")
    assert (first["n"], first["day"], first["mixed"], second["x"]) == ("1", "2024-01-02", '["x"]', "")


def test_texts_by_hand_and_lines_become_tables_too(run_folder, tmp_path, capsys, monkeypatch):
    (tmp_path / "lines.txt").write_text("a good film\na bad film\n")
    for words in (["a good film", "a bad film"], ["--file", str(tmp_path / "lines.txt")], []):
        monkeypatch.setattr("sys.stdin", io.StringIO("a good film\na bad film\n"))
        assert main.main(["predict", str(run_folder), *words, "--to", str(tmp_path / "out.jsonl")]) == 0
        assert [row["text"] for row in read(tmp_path / "out.jsonl")] == ["a good film", "a bad film"]
        assert list(read(tmp_path / "out.jsonl")[0]) == ["text", "label", "probability"]


def test_without_a_file_the_table_goes_to_standard_output(run_folder, table, capsys):
    assert main.main(["predict", str(run_folder), "--data", str(table)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [row["text"] for row in rows] == TEXTS
    assert main.main(["predict", str(run_folder), "--data", str(table), "--json"]) == 0
    assert [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()] == TEXTS


def test_what_cannot_be_is_refused_in_one_sentence_and_nothing_is_touched(run_folder, table, tmp_path, capsys):
    run, data = str(run_folder), str(table)
    before = table.read_bytes()
    for words, sentence in [
        ([run, "--file", data], f"give it as --data {data}"),
        ([run, data], f"give it as --data {data}"),
        ([run, "--data", data, "--to", data], "is the file that is read"),
        ([run, "--data", data, "--to", str(tmp_path / "out.txt")], "end its name in one of .csv, .jsonl, .parquet"),
        ([run, "--data", data, "--to", str(tmp_path / "no" / "out.csv")], "make the folder"),
        ([run, "--data", data, "--abstain-below", "2"], "--abstain-below 2.0 must lie above 0"),
        ([run, "--abstain-below", "0.5"], "--abstain-below is of tables"),
        ([run, "--data", data, "--file", data], "give --data or texts, not both"),
        ([run, "--data", data, "--text-column", "txt"], "did you mean 'text'?"),
        ([str(tmp_path), "--data", data], "holds no checkpoints/best.ckpt"),
        ([], "the following arguments are required: MODEL"),
    ]:
        assert main.main(["predict", *words]) == 2, words
        printed = capsys.readouterr().err
        assert sentence in printed
        assert [line[:7] for line in printed.splitlines() if not line.startswith("note: ")] == ["error: "]
    assert table.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_failure_leaves_the_file_that_was_there(model, table, tmp_path, monkeypatch):
    out = tmp_path / "out.csv"
    out.write_text("precious")
    shown = iter([OSError(28, "No space left on device")])
    monkeypatch.setattr("lit_al.exchange.table_files._csv_lines", lambda *_, **__: (_ for _ in ()).throw(next(shown)))
    with pytest.raises(RunError, match="No space left on device; free the disk"):
        classify_table(model, str(table), Reading(), Wanted(out))
    assert out.read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"in.csv", "out.csv"}


def test_texts_are_classified_without_waiting_for_lightning(run_folder, table, tmp_path):
    code = (
        "import sys\n"
        "from lit_al.cli.main import main\n"
        "rc = main(sys.argv[1:])\n"
        "sys.exit(str(heavy) if (heavy := {'lightning', 'torch._dynamo', 'matplotlib'} & set(sys.modules)) else rc)"
    )
    words = ["predict", str(run_folder), "--data", str(table), "--to", str(tmp_path / "out.csv")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_kill_leaves_the_file_that_was_there(number, run_folder, tmp_path):
    (tmp_path / "in.csv").write_text("text\n" + "a good film\n" * 2_000_000)
    (tmp_path / "out.csv").write_text("precious")
    code = "from lit_al.cli.main import main; import sys; sys.exit(main())"
    words = ["predict", str(run_folder), "--data", str(tmp_path / "in.csv"), "--to", str(tmp_path / "out.csv")]
    process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.DEVNULL, env={**os.environ})
    until = time.monotonic() + 100
    while len(list(tmp_path.iterdir())) < 3 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)  # until something is written beside the file
    process.send_signal(number)
    assert process.wait(60) == (143 if number == signal.SIGTERM else -9)
    assert (tmp_path / "out.csv").read_text() == "precious"
    assert len(list(tmp_path.iterdir())) == (2 if number == signal.SIGTERM else 3)
