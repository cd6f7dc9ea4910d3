import numpy as np
import pytest

from lit_al.exceptions import OraclePending
from lit_al.oracles import Batch, Bill, ImperfectOracle, Price, RecordedOracle, SimulatedOracle, WaitingOracle
from lit_al.oracles.noise import uniform_noise
from lit_al.record import Action, Item, NewEvent, Record, sha256_of

LABELS = np.arange(40) % 2
ROWS = np.array([7, 3, 12, 5, 30, 31, 32, 33])
BATCH = Batch(2, "margin", ROWS > 30, np.tile([0.3, 0.7], (len(ROWS), 1)))


@pytest.fixture
def record(tmp_path):
    with Record.create(tmp_path / "record.sqlite", ["no", "yes"]) as made:
        made.add_items(Item(row, sha256_of(str(row))) for row in range(40))
        yield made


def imperfect():
    price = Price(0.1, 0.01, np.arange(40))
    return ImperfectOracle(LABELS, uniform_noise(2, 0.3), 0.3, price, seed=1)


def asked(oracle, rows=ROWS, batch=BATCH):
    oracle.batch = batch
    return oracle.ask(rows)


def test_answers_and_bill_are_those_of_the_oracle_inside(record):
    bare, inner = imperfect(), imperfect()
    assert (asked(RecordedOracle(inner, record)) == bare.ask(ROWS)).all()
    assert inner.bill == bare.bill
    assert 0 < bare.bill.skipped < len(ROWS)


def test_events_say_what_is_known_of_the_batch(record):
    answers = asked(RecordedOracle(imperfect(), record))
    events = [*record.events()]
    assert [event.item for event in events] == ROWS.tolist()
    for event, answer, row in zip(events, answers, ROWS, strict=True):
        assert event.action is (Action.LABEL if answer >= 0 else Action.SKIP)
        assert event.label == (record.classes[answer] if answer >= 0 else None)
        assert (event.predicted, event.probability) == ("yes", 0.7)
        assert (event.annotator, event.source, event.round) == ("simulated", "simulated", 2)
        assert event.control == (row > 30)


def test_what_is_on_record_is_not_asked_again_but_paid_as_it_was(record):
    before, inner = imperfect(), imperfect()
    first = asked(RecordedOracle(before, record))
    inner.ask = None  # nobody is there
    assert (asked(RecordedOracle(inner, record)) == first).all()
    assert inner.bill == before.bill
    assert record.last_seq() == len(ROWS)


def test_part_on_record_is_completed(record):
    half = Batch(2, "margin", BATCH.controls[:4])
    first = asked(RecordedOracle(imperfect(), record), ROWS[:4], half)
    whole = asked(RecordedOracle(imperfect(), record))
    assert (whole[:4] == first).all()
    assert record.last_seq() == len(ROWS)


def test_without_a_batch_nothing_is_bought(record):
    assert (RecordedOracle(SimulatedOracle(LABELS), record).ask(ROWS) == LABELS[ROWS]).all()
    assert record.last_seq() == 0


def test_answer_that_comes_between_questions_and_answers_is_kept(record):
    record.append(NewEvent("one", 7, "ann", Action.LABEL, label="no"))
    assert asked(RecordedOracle(SimulatedOracle(LABELS), record))[0] == 0 != LABELS[7]


def test_people_are_waited_for_and_paid_when_all_have_answered(record):
    inner = WaitingOracle(Price(2.0), Bill(wrong=None))
    oracle = RecordedOracle(inner, record)
    assert oracle.can_answer(ROWS).all()
    record.append(NewEvent("one", 7, "ann", Action.LABEL, label="yes"))
    with pytest.raises(OraclePending, match="7 texts wait for an answer") as error:
        asked(oracle)
    assert error.value.rows == ROWS[1:].tolist()
    assert inner.bill.asked == 0
    for row in ROWS[1:].tolist():
        record.append(NewEvent(f"of {row}", row, "ann", Action.SKIP if row == 3 else Action.LABEL,
                               label=None if row == 3 else "no"))  # fmt: skip
    assert asked(oracle).tolist() == [1, -1, 0, 0, 0, 0, 0, 0]
    assert inner.bill == Bill(8, 1, None, 0, 14.0)
