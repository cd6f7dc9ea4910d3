import os
import signal
import subprocess
import sys
import time

import pytest

from lit_al.annotate.supervisor import LONGEST_PAUSE, Supervisor, last_line, threads
from lit_al.exceptions import RunError

FAKE = """
import os, sys, time
from lit_al.record import Record
record = Record.open(sys.argv[1], check=False)
def say(state, detail=""):
    facts = {"state": state, "detail": detail, "labels": 7, "pid": os.getpid(), "heartbeat": time.time()}
    record.set_state("trainer", facts)
"""


def wait_for(supervisor, found, seconds=60):
    ends = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < ends
        supervisor.check()
        time.sleep(0.02)


@pytest.fixture
def make_supervisor(make_run, tmp_path):
    """A run and a supervisor whose trainer is a script of a few lines."""
    made = []

    def make(script, **settings):
        run, path = make_run(), tmp_path / "fake.py"
        path.write_text(FAKE + script)
        made.append(Supervisor(run.folder, command=(sys.executable, str(path)), **settings))
        return run, made[-1]

    yield make
    for supervisor in made:
        supervisor.stop()


def test_trainer_that_dies_is_shown_with_its_last_words_and_started_again(make_supervisor):
    run, supervisor = make_supervisor("print('bad luck', file=sys.stderr); sys.exit(3)")
    (run.folder / "trainer.log").write_text("older words\n")
    supervisor.start()
    wait_for(supervisor, lambda: supervisor.deaths == 1)
    assert run.state["state"] == "failed"
    assert run.state["detail"] == "the trainer died (exit code 3): bad luck; starting it again in 1 s"
    died = time.monotonic()
    wait_for(supervisor, lambda: supervisor.deaths == 2)
    assert time.monotonic() - died > 0.9
    assert run.state["detail"].endswith("starting it again in 2 s")
    assert (run.folder / "trainer.log").read_text() == "older words\nbad luck\nbad luck\n"
    assert (run.folder / "trainer.log").stat().st_mode & 0o077 in (0, 0o044)  # as it was before


def test_trainer_that_cannot_trust_the_record_is_not_started_again(make_supervisor):
    run, supervisor = make_supervisor("print('record.sqlite is damaged', file=sys.stderr); sys.exit(65)")
    supervisor.start()
    wait_for(supervisor, lambda: supervisor.pid is None)
    assert run.state["state"] == "failed"
    assert run.state["detail"] == "record.sqlite is damaged"
    for _ in range(3):
        supervisor.check()
    assert (supervisor.pid, supervisor.deaths) == (None, 0)


def test_log_that_is_a_link_is_not_written_to(make_supervisor, tmp_path):
    run, supervisor = make_supervisor("time.sleep(60)")
    (tmp_path / "precious").write_text("precious")
    (run.folder / "trainer.log").symlink_to(tmp_path / "precious")
    with pytest.raises(RunError, match=r"trainer.log is a symbolic link to"):
        supervisor.start()
    assert (tmp_path / "precious").read_text() == "precious"


def test_pauses_double_up_to_a_minute():
    supervisor, pauses = Supervisor.__new__(Supervisor), []
    for deaths in range(9):
        supervisor.deaths = deaths
        pauses.append(supervisor.pause)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE]


def test_trainer_that_was_well_is_started_again_soon(make_supervisor):
    run, supervisor = make_supervisor("say('ready'); time.sleep(60)")
    supervisor.deaths = 5
    supervisor.start()
    wait_for(supervisor, lambda: supervisor.deaths == 0)
    first = supervisor.pid
    os.kill(first, signal.SIGKILL)
    wait_for(supervisor, lambda: supervisor.deaths == 1)
    assert run.state["detail"] == "the trainer died (killed by signal 9); starting it again in 1 s"
    assert run.state["labels"] == 7
    wait_for(supervisor, lambda: supervisor.deaths == 0)
    assert supervisor.pid not in (None, first)
    assert run.state["state"] == "ready"


def test_trainer_that_hangs_is_killed(make_supervisor):
    """Fault 37: it says that it trains, and never again anything."""
    run, supervisor = make_supervisor("say('training'); time.sleep(60)", patience=1.0)
    supervisor.start()
    wait_for(supervisor, lambda: (run.state or {}).get("state") == "training")
    hanging = supervisor.pid
    wait_for(supervisor, lambda: supervisor.deaths == 1)
    assert run.state["detail"].startswith("the trainer gave no sign of life for 1 seconds and was killed")
    with pytest.raises(ProcessLookupError):
        os.kill(hanging, 0)


def test_trainer_whose_clock_is_wrong_is_left_alone_as_long_as_its_heart_beats(make_supervisor):
    script = """
while True:
    record.set_state("trainer", {"state": "training", "pid": os.getpid(), "heartbeat": time.time() - 4e7})
    time.sleep(0.1)
"""
    run, supervisor = make_supervisor(script, patience=2.0)
    supervisor.start()
    wait_for(supervisor, lambda: run.state)
    until = time.monotonic() + 4
    wait_for(supervisor, lambda: time.monotonic() > until)
    assert supervisor.deaths == 0


def test_trainer_that_computes_without_a_heartbeat_is_left_alone(make_supervisor):
    run, supervisor = make_supervisor("say('training')\nwhile True: pass", patience=3.0)
    supervisor.start()
    wait_for(supervisor, lambda: run.state)
    until = time.monotonic() + 6
    wait_for(supervisor, lambda: time.monotonic() > until)
    assert supervisor.deaths == 0


def test_stop_ends_a_trainer_that_does_not_listen(make_supervisor):
    run, supervisor = make_supervisor(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); say('training'); time.sleep(60)"
    )
    supervisor.start()
    wait_for(supervisor, lambda: run.state)
    process, began = supervisor.pid, time.monotonic()
    supervisor.stop()
    assert 0.2 < time.monotonic() - began < 20
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    supervisor.check()  # after the end nothing is started
    assert supervisor.pid is None


def test_trainer_that_cannot_be_started_is_tried_again(make_run):
    run = make_run()
    supervisor = Supervisor(run.folder, command=("/no/such/program",))
    supervisor.start()
    assert run.state["state"] == "failed"
    assert "cannot be started: No such file or directory" in run.state["detail"]
    wait_for(supervisor, lambda: supervisor.deaths == 2)
    supervisor.stop()


def test_long_log_is_put_aside(make_supervisor, monkeypatch):
    monkeypatch.setattr("lit_al.annotate.supervisor.LONGEST_LOG", 10)
    run, supervisor = make_supervisor("print('new words'); sys.exit(1)")
    (run.folder / "trainer.log").write_text("old words that are long\n")
    supervisor.start()
    wait_for(supervisor, lambda: supervisor.deaths == 1)
    assert (run.folder / "trainer.log").read_text() == "new words\n"
    assert (run.folder / "trainer.old.log").read_text() == "old words that are long\n"


def test_last_line_passes_over_empty_ones(tmp_path):
    log = tmp_path / "log"
    assert last_line(log) == ""
    log.write_bytes(b"one\ntwo \xff\n\n  \n")
    assert last_line(log) == "two �"
    assert last_line(log, 10) == ""


def test_trainer_leaves_a_core_to_the_page(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)), raising=False)
    assert threads()["OMP_NUM_THREADS"] == "3"
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    assert threads()["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert threads()["OMP_NUM_THREADS"] == "7"


def test_supervising_loads_neither_torch_nor_numpy():
    code = (
        "import sys, lit_al.annotate.supervisor, lit_al.annotate.trainer; "
        "print({'torch', 'lightning', 'numpy', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_real_trainer_is_killed_while_people_label_and_loses_nothing(make_run, trainer_command):
    """Fault 2: labeling goes on with the old ranking, and the next trainer learns from all answers."""
    run = make_run()
    run.answer(8)
    supervisor = Supervisor(run.folder, command=trainer_command)
    supervisor.start()
    try:
        wait_for(supervisor, lambda: (run.state or {}).get("state") == "ready", 180)
        os.kill(supervisor.pid, signal.SIGKILL)
        ranking = run.record.newest_generation()
        run.answer(6)
        assert run.record.newest_generation() == ranking
        wait_for(supervisor, lambda: run.record.newest_generation().model_version == 2, 180)
        assert run.record.newest_model().labels == 14
    finally:
        supervisor.stop()
    assert supervisor.pid is None
