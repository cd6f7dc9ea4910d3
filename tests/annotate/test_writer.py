"""Answers of many at once, in one commit."""

import threading
import time

import pytest

from lit_al.annotate.writer import Writer
from lit_al.exceptions import ConflictError, RefusedError, StoreError
from lit_al.record import Action, NewEvent


def label(uuid, item=1, name="positive"):
    return NewEvent(uuid, item, "ann", Action.LABEL, label=name)


@pytest.fixture
def crowd(record, monkeypatch):
    """Send events at once: the first one's commit waits until all others stand in line."""

    def send(*events, commits):
        line, writer, found = threading.Event(), Writer(record), {}
        append_all = type(record).append_all

        def counted(self, batch):
            commits.append([event.uuid for event in batch])
            if len(commits) == 1:
                assert line.wait(30)
            return append_all(self, batch)

        def one(number, event):
            try:
                found[number] = writer.append(event)
            except StoreError as error:
                found[number] = error

        monkeypatch.setattr(type(record), "append_all", counted)
        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(events)]
        for thread in threads:
            thread.start()
            while not commits:
                time.sleep(0.001)
        while len(writer._events) < len(events) - 1:
            time.sleep(0.001)
        line.set()
        for thread in threads:
            thread.join(30)
        return [found[number] for number in range(len(events))]

    return send


def test_whoever_waits_is_taken_along_in_one_commit(record, crowd):
    commits = []
    found = crowd(*(label(f"uuid-{number}", number % 10) for number in range(30)), commits=commits)
    assert [len(batch) for batch in commits] == [1, 29]
    assert [event.uuid for event in found] == [f"uuid-{number}" for number in range(30)]
    assert {event.seq for event in record.events()} == {event.seq for event in found} == set(range(1, 31))


def test_one_that_cannot_be_taken_keeps_no_other_out(record, crowd):
    record.append(label("known"))
    first, good, refused, conflict, again, last = crowd(
        label("first"), label("good"), label("refused", 999), label("known", name="negative"), label("known"),
        label("last"), commits=[],
    )  # fmt: skip
    assert isinstance(refused, RefusedError)
    assert isinstance(conflict, ConflictError)
    assert again.seq == 1
    assert [one.uuid for one in (first, good, last)] == ["first", "good", "last"]
    assert {event.uuid for event in record.events()} == {"known", "first", "good", "last"}


def test_what_could_not_be_written_is_said_to_all_of_them(record, crowd, monkeypatch):
    def full(batch):
        raise StoreError("not saved: the disk is full")

    monkeypatch.setattr(type(record), "transaction", lambda self: full(None))
    found = crowd(*(label(f"uuid-{number}") for number in range(5)), commits=[])
    assert [str(one) for one in found] == ["not saved: the disk is full"] * 5
    assert len({id(one) for one in found}) == 5  # an error of its own for each thread


def test_failure_of_our_own_leaves_nobody_waiting_or_saved(record, monkeypatch):
    writer = Writer(record)
    monkeypatch.setattr(type(record), "append_all", lambda self, batch: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        writer.append(label("a"))
    monkeypatch.undo()
    assert writer.append(label("a")).seq == 1


def test_answers_go_before_texts_that_are_handed_out(record):
    writer, go_on, order, threads = Writer(record), threading.Event(), [], []

    def begin(work):
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    begin(lambda: writer.call(lambda: go_on.wait(30)))
    while writer._calls or writer._thread is None:
        time.sleep(0.001)
    for number in range(5):
        begin(lambda number=number: writer.call(lambda: order.append(record.last_seq())))
        begin(lambda number=number: writer.append(label(f"uuid-{number}")))
    while len(writer._calls) + len(writer._events) < 10:
        time.sleep(0.001)
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert order == [5] * 5


def test_what_a_call_raises_is_raised_to_who_called(record):
    with pytest.raises(ZeroDivisionError):
        Writer(record).call(lambda: 1 / 0)


def test_thread_that_has_nothing_to_do_ends_and_another_takes_over(record, monkeypatch):
    monkeypatch.setattr("lit_al.annotate.writer.IDLE", 0.05)
    writer = Writer(record)
    assert writer.append(label("a")).seq == 1
    while writer._thread is not None:
        time.sleep(0.01)
    assert writer.append(label("b")).seq == 2
