"""Where nothing can be written, labeling ends in one sentence."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lit_al.cli.main import main
from lit_al.record import Action, Item, NewEvent, Record, sha256_of

pytest.importorskip("starlette", reason="the page needs starlette: pip install 'lit_al[annotate]'")

# A folder made read-only for this process alone; where the system does not let it, every opening for writing fails.
CODE = """
import ctypes, errno, os, sys
folder, words = sys.argv[1], sys.argv[2:]
libc = ctypes.CDLL(None, use_errno=True)
def mounted():
    if libc.unshare(0x20000) and libc.unshare(0x10020000):
        return False
    path = os.fsencode(folder)
    return not (libc.mount(None, b"/", None, 0x44000, None) or libc.mount(path, path, None, 0x1000, None)
                or libc.mount(None, path, None, 0x1021, None))
if not (sys.platform == "linux" and mounted()):
    really = os.open
    def opened(path, flags, *more, **named):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fspath(path))
        return really(path, flags, *more, **named)
    def refused(path, *more, **named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fspath(path))
    os.open, os.mkdir = opened, refused
from lit_al.cli.main import main
sys.exit(main(words))
"""


@pytest.fixture
def run(tmp_path):
    """A run with an answer, left as a killed process leaves it: its log is there."""
    (tmp_path / "texts.csv").write_text("text\none\ntwo\n")
    folder = tmp_path / "runs" / "run"
    folder.mkdir(parents=True)
    with Record.create(folder / "record.sqlite", ["a", "b"]) as record:
        record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(("one", "two")))
        record.append(NewEvent("a-uuid", 0, "ann", Action.LABEL, label="a"))
    return folder


COMMANDS = (
    "label {run} --annotator ann",
    "label {run} --annotator ann --no-training",
    "label --data {data} --labels a,b --log-dir {runs} --name new",
    "annotate --run {run} --no-browser --port 0",
    "annotate --data {data} --labels a,b --log-dir {runs} --name new --no-browser --port 0",
    "recover {run}",
)


def words(command, run):
    return command.format(run=run, runs=run.parent, data=run.parents[1] / "texts.csv").split()


def check_sentence(said):
    assert said.startswith("error: ")
    assert "Read-only file system" in said
    assert "; copy " in said or "; give another --log-dir" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_read_only_file_system_is_one_sentence(run, command):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(run.parent), *words(command, run)],
        input="1\n", capture_output=True, text=True, env=environment, timeout=120, check=False,
    )  # fmt: skip
    check_sentence(done.stderr)
    assert done.returncode == 2
    assert "saved" not in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_system_that_refuses_to_write_is_one_sentence(run, command, monkeypatch, capsys):
    really = os.open

    def refused(path, *more, **named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def opened(path, flags, *more, **named):
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return refused(path) if writes else really(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "mkdir", refused)
    assert main(words(command, run)) == 2
    monkeypatch.undo()
    check_sentence(capsys.readouterr().err)


def test_copy_that_cannot_be_made_is_no_hindrance_even_where_nothing_can_be_deleted(run, monkeypatch):
    """As on a file system that became read-only while the record was open."""
    from lit_al.exceptions import StoreError

    def refused(path, *more, **named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    with Record.open(run) as record:
        monkeypatch.setattr(os, "open", refused)
        monkeypatch.setattr(os, "unlink", refused)
        with pytest.raises(StoreError, match=r"backup.*Read-only file system"):
            record.backup()
        monkeypatch.undo()
