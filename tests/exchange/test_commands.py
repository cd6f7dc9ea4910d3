import csv
import subprocess
import sys
import time

import pytest

from lit_al.cli import main
from lit_al.record import Record


@pytest.fixture
def run(ranked):
    """The folder of a run whose record has a ranking."""
    return str(ranked.path.parent)


def answer(path, label):
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "label": label} for row in rows)


def test_texts_go_out_and_labels_come_in(run, tmp_path, capsys):
    todo = tmp_path / "todo.csv"
    assert main.main(["export", run, "--to", str(todo), "--unlabeled", "3", "--suggestions"]) == 0
    assert capsys.readouterr().out == f"3 texts to label in {todo}\n"
    answer(todo, "pos")
    assert main.main(["import", run, str(todo), "--annotator", "ann", "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("dry run, nothing was written\n")
    assert main.main(["import", run, str(todo), "--annotator", "ann"]) == 0
    assert capsys.readouterr().out == f"{todo}: 3 labels taken (neg 0, pos 3)\n"
    assert main.main(["import", run, str(todo), "--annotator", "ann"]) == 0
    assert capsys.readouterr().out == f"{todo}: 0 labels taken, 3 on record before\n"
    with Record.open(run) as record:
        assert record.labels() == {5: "pos", 1: "pos", 3: "pos"}
    assert main.main(["export", run, "--to", str(tmp_path / "labels.parquet"), "--resolve", "drop"]) == 0
    assert capsys.readouterr().out == f"3 labeled texts in {tmp_path}/labels.parquet\n"


def test_bad_input_ends_in_one_sentence_and_code_2(run, tmp_path, capsys):
    todo = tmp_path / "todo.csv"
    main.main(["export", run, "--to", str(todo), "--unlabeled", "1"])
    answer(todo, "Pos")
    capsys.readouterr()
    for arguments, words in [
        (["import", run, str(todo)], "line 2, column 4: the label is 'Pos', did you mean 'pos'? Nothing was taken"),
        (["import", run, str(tmp_path / "none.csv")], "cannot be read: No such file"),
        (["import", str(tmp_path), str(todo)], "there is no record"),
        (["export", run, "--to", str(todo), "--unlabeled", "1"], "is there already and holds something else"),
        (["export", run, "--to", str(tmp_path / "labels.txt")], "says no format"),
        (["export", run, "--to", str(tmp_path / "t.csv"), "--unlabeled", "0"], "--unlabeled 0 must be 1 or more"),
    ]:
        assert main.main(arguments) == 2
        printed = capsys.readouterr().err
        assert printed.startswith("error: ")
        assert words in printed
        assert printed.count("\n") == 1


@pytest.mark.parametrize("command", ["export", "import"])
def test_help_names_every_format(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main.main([command, "--help"])
    assert stop.value.code == 0
    assert "labelstudio" in capsys.readouterr().out


def test_files_are_exchanged_without_anything_heavy():
    code = (
        "import sys, lit_al.exchange\n"
        "heavy = {'torch', 'lightning', 'numpy', 'pyarrow', 'datasets', 'starlette', 'argparse'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.perf_counter() - began < 5  # a guard against heavy imports, not a benchmark
