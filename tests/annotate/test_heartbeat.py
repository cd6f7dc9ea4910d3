import time

import pytest

from lit_al.annotate.heartbeat import Pulse
from lit_al.exceptions import StoreError


@pytest.fixture
def make_pulse(make_run, monkeypatch):
    monkeypatch.setattr("lit_al.annotate.heartbeat.EVERY", 0.1)
    made = []

    def make(**settings):
        run = make_run()
        made.append(Pulse(run.record, **settings))
        return run, made[-1]

    yield make
    for pulse in made:
        pulse.stop()


def beats(run, work):
    """Does the heartbeat go on, three times and more, while something is done again and again?"""
    seen, ends = set(), time.monotonic() + 120  # each is a commit, and a busy disk takes seconds for one
    while len(seen) < 4 and time.monotonic() < ends:
        work()
        seen.add(run.state["heartbeat"])
    return len(seen) == 4


def test_state_is_on_record_before_the_work_begins(make_pulse):
    run, pulse = make_pulse()
    pulse.say("training", "model 1 learns from 20 labels", 20)
    state = run.state
    assert {name: state[name] for name in ("state", "detail", "labels")} == {
        "state": "training",
        "detail": "model 1 learns from 20 labels",
        "labels": 20,
    }
    assert abs(state["heartbeat"] - time.time()) < 10
    pulse.say("ready", "done")
    assert run.state["labels"] == 20


def test_heart_beats_while_it_computes_or_comes_round_and_not_while_it_hangs(make_pulse):
    run, pulse = make_pulse()
    pulse.say("training", "busy")
    pulse.start()
    assert beats(run, lambda: sum(range(200_000)))
    assert beats(run, lambda: (pulse.come_round(), time.sleep(0.05)))
    time.sleep(1.0)
    before = run.state["heartbeat"]
    time.sleep(1.0)
    assert run.state["heartbeat"] - before < 0.5


def test_full_disk_does_not_stop_the_heart(make_pulse, monkeypatch):
    run, pulse = make_pulse()
    pulse.say("training", "busy")
    write, failures = pulse._write, iter(range(3))

    def failing():
        if next(failures, None) is not None:
            raise StoreError("not saved: the disk is full")
        write()

    monkeypatch.setattr(pulse, "_write", failing)
    pulse.start()
    assert beats(run, lambda: sum(range(200_000)))


def test_orphan_ends_at_once(make_pulse, monkeypatch):
    ended = []
    monkeypatch.setattr("os._exit", ended.append)
    _, pulse = make_pulse(orphaned=lambda: not ended)
    pulse.start()
    for _ in range(100):
        if ended:
            break
        time.sleep(0.05)
    assert ended == [1]
