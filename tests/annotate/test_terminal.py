"""`lit-al label`: questions and answers in a terminal."""

import io
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest
from rich.console import Console

from lit_al.annotate.project_options import LabelOptions
from lit_al.annotate.terminal import label, meaning
from lit_al.cli.main import main
from lit_al.record import OwnerLock


@pytest.fixture
def session(tmp_path, helpers):
    """Give answers to a run's questions; returns what was shown."""

    def run(answers, texts=("first text", "second text", "third text"), annotator="ann", **settings):
        folder = tmp_path / "run"
        if not folder.exists():
            helpers.fill(folder, texts, **settings).close()
        given = iter(answers)

        def read(prompt):
            try:
                return next(given)
            except StopIteration:
                raise EOFError from None

        out = io.StringIO()
        label(LabelOptions(run=folder, annotator=annotator, training=False), Console(file=out, width=80), read)
        return out.getvalue()

    run.folder = tmp_path / "run"
    return run


def answers(folder):
    from lit_al.record import Record

    with Record.open(folder) as record:
        return {answer.item: answer.label for answer in record.answers("ann")}


def test_each_answer_is_saved_and_the_end_is_said(session):
    shown = session(["1", "positive", "s"])
    assert sorted(answers(session.folder).values(), key=str) == [None, "negative", "positive"]
    assert [line for line in shown.splitlines() if line.startswith("saved ")] == [
        "saved 1: negative",
        "saved 2: positive",
        "saved 3: skip",
    ]
    assert "Only texts that you skipped are left" in shown
    assert f"saved: 3 answers in {session.folder}; nothing is lost" in shown.replace("\n", "")
    assert "2 labeled, 1 skipped, of 3 texts." in shown


@pytest.mark.parametrize("harm", ["deleted", "emptied"])
def test_record_that_is_gone_ends_it_in_one_sentence_and_without_saved(session, capsys, monkeypatch, harm):
    session(["q"])
    given = iter(["1", "2"])

    def read(prompt):
        key = next(given)
        if key == "2":
            record = session.folder / "record.sqlite"
            record.unlink() if harm == "deleted" else os.truncate(record, 0)
        return key

    monkeypatch.setattr("lit_al.annotate.terminal.reader", lambda classes: read)
    assert main(["label", str(session.folder), "--annotator", "ann", "--no-training"]) == 2
    said = capsys.readouterr()
    assert said.out.count("saved ") == 1
    assert said.err.startswith("error: ")
    assert "nothing is saved any more; put back what was there" in said.err
    assert said.err.count("\n") == 1


def test_a_damaged_mirror_stops_nothing_and_is_said_once(session):
    session(["1", "q"])
    mirror = session.folder / "events.jsonl"
    mirror.write_bytes(mirror.read_bytes() + b'{"seq": 99999}\n')
    shown = session(["1", "2"])
    assert shown.count("events.jsonl was damaged") == 1
    assert len(answers(session.folder)) == 3


def test_undo_asks_again_to_any_depth(session):
    shown = session(["1", "1", "u", "u", "2", "2", "q"])
    assert sorted(answers(session.folder).values()) == ["positive", "positive"]
    assert shown.count("saved ") == 6


def test_undo_of_nothing_is_said(session):
    assert "there is no answer to take back" in session(["u", "q"])
    assert answers(session.folder) == {}


def test_quit_keeps_what_was_said_and_the_next_session_goes_on(session):
    session(["1", "q"])
    session(["2", "2"])
    assert len(answers(session.folder)) == 3


def test_unknown_key_asks_again_without_an_answer(session):
    shown = session(["7", "x", "", "Positive"])
    assert shown.count("that is no key here") == 3
    assert list(answers(session.folder).values()) == ["positive"]


def test_flag_and_note_stay_at_the_text(session, monkeypatch):
    monkeypatch.setattr(Console, "input", lambda self, prompt, **more: "odd one")
    session(["f", "n", "1", "q"])
    from lit_al.record import Record

    with Record.open(session.folder) as record:
        assert len(record.flags()) == 1
        assert list(record.notes().values()) == ["odd one"]


def test_text_cannot_steer_the_terminal(session):
    shown = session(["q"], texts=["\x1b[2Jgone [bold]markup[/bold]\x07", "\x1b[2Jgone [bold]markup[/bold]\x07"])
    assert "\x1b[2J" not in shown
    assert "\x07" not in shown
    assert "[bold]markup[/bold]" in shown


def test_columns_stand_above_the_text_and_cannot_steer_the_terminal(session):
    beside = {"order": "ORD-7", "subject": "two\nlines \x1b[2J " + "x" * 1_000}
    shown = session(["negative"], texts=["a text"], beside=beside)
    lines = shown.splitlines()
    assert lines[lines.index("order: ORD-7") + 1].startswith("subject: two lines �[2J")
    assert sum("x" * 20 in line for line in lines) <= 5
    assert "\x1b" not in shown
    said_last = next(place for place, line in enumerate(lines) if line.startswith("saved: "))  # commands to be copied
    assert max(map(len, lines[1:said_last])) <= 84


def test_several_annotators_must_say_who_they_are(session, capsys):
    session(["q"], annotator="ann")
    session(["q"], annotator="bob")
    assert main(["label", str(session.folder), "--no-training"]) == 2
    assert "say who you are with --annotator: ann, bob" in capsys.readouterr().err


def test_labels_go_beside_a_page_that_owns_the_run(session):
    session(["q"])
    with OwnerLock(session.folder, "lit-al annotate"):
        assert "labels go to the same run" in session(["1", "q"])
    assert list(answers(session.folder).values()) == ["negative"]


@pytest.mark.parametrize(
    ("given", "word"),
    [("1", "=a"), ("b", "=b"), ("B", "=b"), (" ", "skip"), ("s", "skip"), ("skip", "skip"), ("quit", "quit"),
     ("\x7f", "undo"), ("\x1a", "undo"), ("?", "help"), ("3", "=strange"), ("4", None), ("0", None), ("", None),
     ("str", "=strange")],
)  # fmt: skip
def test_meaning_of_keys_and_lines(given, word):
    assert meaning(given, ("a", "b", "strange")) == word


def test_label_named_like_a_command_wins():
    assert meaning("s", ("s", "u")) == "=s"
    assert meaning("undo", ("s", "u")) == "undo"


def test_lines_without_a_terminal(session, helpers):
    helpers.fill(session.folder, ["first text", "second text"]).close()
    code = "import sys; from lit_al.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "label", str(session.folder), "--annotator", "ann", "--no-training"]
    done = subprocess.run(command, input="negative\n2\n", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(answers(session.folder).values()) == ["negative", "positive"]
    assert "2 labeled, of 2 texts." in done.stdout


def test_single_keys_in_a_real_terminal(session, helpers):
    helpers.fill(session.folder, ["first text", "second text", "third text"]).close()
    code = "import sys; from lit_al.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "label", str(session.folder), "--annotator", "ann", "--no-training"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    try:
        shown = wait_for(ours, rb"> $")
        for key in (b"1", b"2", b"u", b"\x1b[C", b"1", b"q"):
            os.write(ours, key)
            if key != b"q":
                shown = wait_for(ours, rb"> $")
        assert process.wait(timeout=20) == 0, shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert list(answers(session.folder).values()) == ["negative", "negative"]


def wait_for(terminal, pattern, seconds=30):
    shown, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4_096)
        elif re.search(pattern, shown):
            return shown
    pytest.fail(f"not shown in {seconds} s: {shown!r}")
