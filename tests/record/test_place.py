"""Saved is only what is in the file that bears the record's name now."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lit_al.exceptions import StoreError
from lit_al.record import Action, Item, NewEvent, Record, sha256_of

CLASSES = ["bad", "good", "odd"]


def label(uuid, item=1):
    return NewEvent(uuid, item, "ann", Action.LABEL, label="good")


def overwrite(path, content):
    """In place, as `cp` does."""
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(content)


def another(folder):
    """The bytes of the record of another run."""
    folder.mkdir()
    with Record.create(folder / "record.sqlite", CLASSES) as other:
        other.add_items(Item(item, sha256_of("x"), "x" * 4_000) for item in range(500))
    return (folder / "record.sqlite").read_bytes()


def copied_over(run):
    """Another file of the same bytes takes the name."""
    shutil.copy(run / "record.sqlite", run / "copy")
    (run / "copy").replace(run / "record.sqlite")


HARM = {
    "the folder is deleted": lambda run: shutil.rmtree(run),
    "the folder is renamed": lambda run: run.rename(run.with_name("renamed")),
    "the folder is another": lambda run: (run.rename(run.with_name("old")), shutil.copytree(run.with_name("old"), run)),
    "the file is deleted": lambda run: (run / "record.sqlite").unlink(),
    "the file is renamed": lambda run: (run / "record.sqlite").rename(run / "other"),
    "the file is replaced": copied_over,
    "the file is cut": lambda run: os.truncate(run / "record.sqlite", 5_000),
    "the file is emptied": lambda run: os.truncate(run / "record.sqlite", 0),
    "the file is overwritten": lambda run: overwrite(run / "record.sqlite", another(run.with_name("another"))),
    "the file is overwritten by zeros": lambda run: overwrite(run / "record.sqlite", bytes(1 << 20)),
    "the log is deleted": lambda run: (run / "record.sqlite-wal").unlink(),
    "the log is emptied": lambda run: os.truncate(run / "record.sqlite-wal", 0),
    "the log's index is deleted": lambda run: (run / "record.sqlite-shm").unlink(),
}


@pytest.fixture
def record(tmp_path):
    (tmp_path / "run").mkdir()
    with Record.create(tmp_path / "run" / "record.sqlite", CLASSES) as made:
        made.add_items(Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(10))
        made.append(label("before"))
        yield made


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_nothing_is_saved_into_a_file_that_is_not_the_records_any_more(record, harm):
    harm(record.path.parent)
    for attempt in range(3):
        with pytest.raises(
            StoreError, match=r"record\.sqlite\S* (was|is another) .* nothing is saved any more; put back"
        ):
            record.append(label(f"after {attempt}"))
    with pytest.raises(StoreError):
        record.next_items("ann", 1)
    with pytest.raises(StoreError):
        record.backup()


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_harm_between_the_write_and_the_commit_is_seen_after_it(record, harm, monkeypatch):
    from lit_al.record import database

    def at(place, done=[]):  # noqa: B006 - once
        if place == "before_commit" and not done:
            done.append(place)
            harm(record.path.parent)

    monkeypatch.setattr(database, "crash_point", at)
    with pytest.raises(StoreError, match=r"nothing is saved any more|damaged|disk|cannot be"):
        record.append(label("after"))


def test_what_was_put_back_goes_on(record):
    run = record.path.parent
    run.rename(run.with_name("away"))
    with pytest.raises(StoreError, match="was deleted or renamed"):
        record.append(label("after"))
    run.with_name("away").rename(run)
    assert record.append(label("after")).seq == 2
    with Record.open(run) as again:
        assert [event.uuid for event in again.events()] == ["before", "after"]


def test_another_thread_is_not_let_into_another_file(record):
    HARM["the file is replaced"](record.path.parent)
    raised = []

    def write():
        with pytest.raises(StoreError) as caught:
            record.append(label("after"))
        raised.append(str(caught.value))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert "is another file" in raised[0]


def test_a_file_that_grows_by_other_hands_is_the_same_file(record):
    code = (
        "import sys; from lit_al.record import *\n"
        "with Record.open(sys.argv[1]) as record:\n"
        "    record.append_all([NewEvent(f'their {n}', 1, 'bob', Action.NOTE, note='x' * 900) for n in range(3_000)])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code, record.path.parent], check=True, env=environment)
    for number in range(50):
        record.append(label(f"mine {number}"))
    with Record.open(record.path) as other:  # within one process
        other.append(label("theirs"))
    record.append(label("mine again"))
    assert record.last_seq() == 1 + 3_000 + 50 + 2


def test_the_end_of_a_record_that_was_replaced_leaves_the_new_ones_log_alone(tmp_path):
    """Whoever closes a database last deletes the log by its name: here that name is another record's."""
    code = (
        "import shutil, sys; from pathlib import Path; from lit_al.record import *\n"
        "run = Path(sys.argv[1]); run.mkdir()\n"
        "record = Record.create(run / 'record.sqlite', ['bad', 'good'])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "record.close() if sys.argv[2] == 'closed' else None\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for number, how in enumerate(("closed", "left to the interpreter")):
        run = tmp_path / f"run {number}"
        process = subprocess.Popen(
            [sys.executable, "-c", code, run, how],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        assert process.stdout.readline() == "ready\n"
        shutil.rmtree(run)
        run.mkdir()
        with Record.create(run / "record.sqlite", CLASSES) as new:
            new.add_items([Item(1, sha256_of("x"), "x")])
            new.append(label("kept"))
            log = (run / "record.sqlite-wal").stat()
            process.communicate("\n", timeout=30)
            assert process.returncode == 0
            assert (run / "record.sqlite-wal").stat().st_ino == log.st_ino
            new.append(label("kept too"))
            shutil.copytree(run, tmp_path / f"as after a kill {number}")
        with Record.open(tmp_path / f"as after a kill {number}") as again:
            assert [event.uuid for event in again.events()] == ["kept", "kept too"]


def test_threads_that_have_gone_leave_no_open_files(record):
    def read():
        record.last_seq()

    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(30):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert len([*Path("/proc/self/fd").iterdir()]) <= before + 6
