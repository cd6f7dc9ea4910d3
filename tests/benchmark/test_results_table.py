import json
import os
import re
import subprocess
import sys
import warnings
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from lit_al.benchmark.results_table import _FITS, Result, append_cell, read_cells
from lit_al.exceptions import DataError, RunError

CELL = Result("entropy", 3, 1, 200, 220, 0.75, 0.51, (40, 60), (55, 45), 0.8, 12.5, 1.5, 0.1)
SCHEMA_PAGE = Path(__file__).parents[2] / "docs" / "bench-schema.md"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cells.jsonl"


def line(**changes):
    return json.dumps({"schema": 1, **asdict(CELL), **changes}) + "\n"


def test_cells_come_back_as_they_were_written(path):
    cells = [CELL, replace(CELL, round=2, predicted=None), Result("b", 0, 0, 0, 1, error="it \n broke, ü")]
    for cell in cells:
        append_cell(path, cell)
    assert read_cells(path) == cells
    assert path.read_text().count("\n") == 3


def test_what_rules_said_and_macro_f1_come_back_and_may_be_missing_in_old_lines(path):
    append_cell(path, replace(CELL, stopped={"kappa:0.99:3": True, "plateau": False}, macro_f1=0.7))
    old = asdict(replace(CELL, round=2))
    del old["stopped"], old["macro_f1"]
    with path.open("a") as file:
        file.write(json.dumps({"schema": 1, **old}) + "\n")
    new, before = read_cells(path)
    assert (new.stopped, before.stopped) == ({"kappa:0.99:3": True, "plateau": False}, None)
    assert (new.macro_f1, before.macro_f1) == (0.7, None)
    assert (before.score("accuracy"), before.score("macro-f1"), new.score("macro-f1")) == (0.75, None, 0.7)


def test_a_loss_that_diverged_becomes_null(path):
    append_cell(path, replace(CELL, loss=float("nan")))
    assert read_cells(path)[0].loss is None


def test_appending_leaves_the_lines_before_as_they_are(path):
    append_cell(path, CELL)
    before = path.read_bytes()
    append_cell(path, replace(CELL, round=2))
    assert path.read_bytes().startswith(before)


@pytest.mark.parametrize("left", [1, 50, -1])
def test_a_cut_last_line_is_left_out_with_a_warning_and_replaced_by_the_next(path, left):
    append_cell(path, CELL)
    with path.open("a") as file:
        file.write(line(round=2)[:left])
    with pytest.warns(UserWarning, match="line 2 is cut off"):
        assert read_cells(path) == [CELL]
    append_cell(path, replace(CELL, round=2))
    assert [cell.round for cell in read_cells(path)] == [1, 2]


def test_a_line_cut_inside_a_letter_is_left_out(path):
    append_cell(path, CELL)
    path.write_bytes(path.read_bytes() + '{"strategy": "ü'.encode()[:-1])
    with pytest.warns(UserWarning, match="cut off"):
        assert read_cells(path) == [CELL]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ('{"schema": 1, "strat\n', "is broken"),
        ("\n", "is broken"),
        ("[1]\n", "schema 1"),
        (line(schema=2), "schema 1"),
        (line().replace('"loss": 0.51, ', ""), "no 'loss'"),
        (line(accuracy=1.2), "accuracy=1.2"),
        (line(accuracy=float("nan")), "accuracy=nan"),
        (line(seed=True), "seed=True"),
        (line(labels="200"), "labels='200'"),
        (line(labels_spent=0), "labels_spent=0"),
        (line(taken=[1, -1]), "taken="),
        (line(strategy=""), "strategy=''"),
        (line(fit_seconds=-1), "fit_seconds=-1"),
        (line(budget=5), "'budget'"),
        (line(accuracy=None), "either an accuracy or an error"),
        (line(error="x"), "either an accuracy or an error"),
        (line(round=0), "repeats the cell of line 1"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(path, broken, words):
    path.write_text(line(round=0) + broken + line(round=9))
    with pytest.raises(DataError, match=f"line 2 .*{re.escape(words)}"):
        read_cells(path)


def test_a_failed_cell_gives_way_to_its_second_run(path):
    append_cell(path, replace(CELL, accuracy=None, error="out of memory"))
    append_cell(path, replace(CELL, round=2))
    append_cell(path, CELL)
    assert read_cells(path) == [replace(CELL, round=2), CELL]


def test_an_empty_table_has_no_cell(path):
    path.touch()
    assert read_cells(path) == []


def test_a_missing_table_is_one_sentence(path):
    with pytest.raises(DataError, match="cannot be read"):
        read_cells(path)
    with pytest.raises(RunError, match="cannot be written"):
        append_cell(path / "nowhere", CELL)


def test_a_disk_that_fills_up_leaves_no_half_line(path, monkeypatch):
    append_cell(path, CELL)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left"):
        append_cell(path, replace(CELL, round=2))
    assert read_cells(path) == [CELL]


def test_two_writers_at_once_lose_no_line(path):
    code = (
        "import sys; from pathlib import Path; from lit_al.benchmark.results_table import Result, append_cell\n"
        "for i in range(100): append_cell(Path(sys.argv[1]), Result(sys.argv[2], 0, i, 1, 1, 0.5))"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(read_cells(path)) == 200


def test_a_killed_writer_leaves_whole_lines(path):
    code = (
        "import sys, itertools; from pathlib import Path\n"
        "from lit_al.benchmark.results_table import Result, append_cell\n"
        "for i in itertools.count(): append_cell(Path(sys.argv[1]), Result('a', 0, i, 1, 1, 0.5)); print(i, flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        said = [int(writer.stdout.readline()) for _ in range(20)]
        writer.kill()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a half line is allowed to be there
        assert {cell.round for cell in read_cells(path)} >= set(said)
    append_cell(path, Result("b", 0, 0, 1, 1, 0.5))
    assert read_cells(path)[-1].strategy == "b"


def test_every_field_is_checked_and_documented():
    names = {field.name for field in fields(Result)}
    assert set(_FITS) == names
    assert set(re.findall(r"^\| `(\w+)` \|", SCHEMA_PAGE.read_text(), re.MULTILINE)) == names | {"schema"}
