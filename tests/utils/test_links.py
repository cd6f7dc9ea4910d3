"""No file of a run is reached through a symbolic link: neither read, nor written, nor made."""

import os
import shutil
from pathlib import Path

import pytest

from lit_al.cli import main
from lit_al.exceptions import RunError
from lit_al.record import Action, Item, NewEvent, OwnerLock, Record, recover, sha256_of
from lit_al.utils.folders import read_results
from lit_al.utils.links import check_links, own

FILES = [
    "record.sqlite", "record.sqlite-wal", "record.sqlite-shm", "record.sqlite-journal", "events.jsonl", "texts.jsonl",
    "record.backup.sqlite", "record.recovered.sqlite", "owner.lock", "trainer.lock", "trainer.log", "results.json",
    "config.yaml", "picks.jsonl", "report.html", "checkpoints", "checkpoints/best.ckpt", "checkpoints/.best.7.tmp",
    "state", "state/round-1.pt", "questions", "active", "active/record.sqlite", ".events.jsonl.7.tmp",
]  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """A run with one answer; beside it a file and a folder of somebody else."""
    folder = tmp_path / "run"
    folder.mkdir()
    with Record.create(folder / "record.sqlite", ["bad", "good"]) as record:
        record.add_items(Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(3))
        record.append(NewEvent("a", 1, "ann", Action.LABEL, label="good"))
        record.backup()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "precious").write_text("precious")
    return folder


def link(run, name, target):
    path = run / name
    path.parent.mkdir(exist_ok=True)
    if path.exists() and not path.is_symlink():
        shutil.move(path, run.parent / "moved")  # the link may lead to a sound file as well
        target = run.parent / "moved"
    path.symlink_to(target)
    return path


def commands(run):
    """Every command that opens a run."""
    return [
        ["label", str(run), "--no-training"],
        ["annotate", "--run", str(run), "--no-browser", "--no-training", "--port", "0"],
        ["export", str(run), "--to", str(run.parent / "out.csv")],
        ["import", str(run), str(run.parent / "in.csv")],
        ["agreement", str(run)],
        ["recover", str(run)],
        ["train", "--resume", str(run)],
        ["explain", str(run)],
        ["predict", "--checkpoint", str(run), "a text"],
    ]


@pytest.mark.parametrize("name", FILES)
def test_a_link_in_a_run_is_refused_by_name_and_what_it_leads_to_untouched(run, name):
    theirs = run.parent / "theirs"
    path = link(run, name, theirs if "." not in name else theirs / "precious")
    for attempt in (check_links, Record.open, recover, read_results, lambda folder: OwnerLock(folder, "x").__enter__()):
        with pytest.raises(RunError, match=r"is a symbolic link to .* take the link away") as raised:
            attempt(run)
        assert str(path) in str(raised.value)
    assert (theirs / "precious").read_text() == "precious"
    assert [one.name for one in theirs.iterdir()] == ["precious"]


@pytest.mark.parametrize("place", range(9), ids=lambda place: commands(Path("run"))[place][0])
def test_every_command_says_it_in_one_sentence(run, place, capsys):
    link(run, "events.jsonl", run.parent / "theirs" / "precious")
    assert main.main(commands(run)[place]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert "is a symbolic link to" in said


def test_a_link_that_comes_while_people_label_is_not_followed(run):
    precious = run.parent / "theirs" / "precious"
    with Record.open(run) as record:
        (run / "events.jsonl").unlink()
        (run / "events.jsonl").symlink_to(precious)
        record.append(NewEvent("b", 2, "ann", Action.LABEL, label="bad"))
        assert "is a symbolic link to" in record.copies
        assert record.labels() == {1: "good", 2: "bad"}
    assert precious.read_text() == "precious"


def test_a_link_planted_for_a_temporary_file_is_not_followed(run):
    precious = run.parent / "theirs" / "precious"
    with Record.open(run) as record:
        (run / f".record.backup.sqlite.{os.getpid()}.tmp").symlink_to(precious)
        (run / f".texts.jsonl.{os.getpid()}.tmp").symlink_to(precious)
        record.backup()
        record.after_texts()
        assert record.copies == ""
    assert precious.read_text() == "precious"


def test_a_pipe_is_not_waited_for(run):
    (run / "events.jsonl").unlink()
    os.mkfifo(run / "events.jsonl")
    with pytest.raises(RunError, match="neither a file nor a folder"):
        Record.open(run)


def test_the_folder_itself_and_what_is_not_ours_may_be_links(run):
    (run / "notes-of-mine.txt").symlink_to(run.parent / "theirs" / "precious")
    (run.parent / "elsewhere").symlink_to(run)
    with Record.open(run.parent / "elsewhere") as record:
        assert record.labels() == {1: "good"}


def test_what_is_not_there_is_no_link(tmp_path):
    assert own(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    check_links(tmp_path / "nowhere")
