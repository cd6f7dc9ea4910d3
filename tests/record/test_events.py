import sqlite3
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.exceptions import ConflictError, RefusedError, StoreError
from lit_al.record import Action, Item, NewEvent, Record, sha256_of
from lit_al.record.mirror import event_line, event_of, link_of
from lit_al.record.verdicts import verdict


def label(uuid, item=1, name="good", annotator="ann", **more):
    return NewEvent(uuid, item, annotator, Action.LABEL, label=name, **more)


def undo(uuid, undoes, item=1, annotator="ann"):
    return NewEvent(uuid, item, annotator, Action.UNDO, undoes=undoes)


def test_a_label_is_on_record_with_all_that_was_sent(record):
    sent = label("u", generation=3, predicted="bad", probability=0.6, control=True, lead_ms=900, client_time="later")
    stored = record.append(sent)
    assert stored.seq == 1
    assert record.event("u") == stored
    assert all(getattr(stored, name) == getattr(sent, name) for name in NewEvent.__dataclass_fields__)


def test_the_last_label_of_an_annotator_is_the_current_one(record):
    record.append_all([label("a"), label("b", name="bad"), label("c", annotator="bob")])
    assert [(answer.annotator, answer.label) for answer in record.answers()] == [("ann", "bad"), ("bob", "good")]


def test_an_undo_brings_back_what_was_said_before(record):
    record.append_all([label("a"), label("b", name="bad"), undo("c", "b")])
    assert [answer.uuid for answer in record.answers()] == ["a"]
    record.append(undo("d", "a"))
    assert record.answers() == []
    assert record.last_seq() == 4


def test_a_skip_is_an_answer_without_a_label(record):
    record.append(NewEvent("a", 1, "ann", Action.SKIP))
    assert record.answers()[0].label is None
    assert record.labels() == {}


def test_the_same_event_twice_is_one_event(record):
    assert record.append(label("a")) == record.append(label("a"))
    assert record.last_seq() == 1


def test_the_same_event_from_a_hundred_threads_is_one_event(record):
    threads = [threading.Thread(target=record.append, args=(label("a"),)) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.uuid for event in record.events()] == ["a"]


def test_the_same_uuid_with_other_content_is_a_conflict(record):
    record.append(label("a"))
    with pytest.raises(ConflictError, match="on record with label 'good', not 'bad'"):
        record.append(label("a", name="bad"))


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (label("x", name="great"), "'great' is not a label of this run; its labels are 'bad', 'good', 'odd'"),
        (label("x", name="Good"), "not a label"),
        (label("x", item=99), "no text 99"),
        (undo("x", "nothing"), "no answer 'nothing'"),
        (undo("x", "a", annotator="bob"), "their own alone"),
        (undo("x", "a", item=2), "by the text that it was given to"),
        (undo("x", "f"), "a flag cannot be taken back"),
        (NewEvent("x", 1, "ann", Action.NOTE, note="\0"), "NUL"),
        (NewEvent("x", 1, "ann\ud800", Action.SKIP), "surrogate"),
        (NewEvent("", 1, "ann", Action.SKIP), "needs a uuid"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_no_trace(record, event, words):
    record.append_all([label("a"), NewEvent("f", 1, "ann", Action.FLAG)])
    with pytest.raises(RefusedError, match=words):
        record.append(event)
    assert record.last_seq() == 2


def test_taking_back_twice_is_a_conflict(record):
    record.append_all([label("a"), undo("b", "a")])
    with pytest.raises(ConflictError, match="already"):
        record.append(undo("c", "a"))


def test_several_events_are_added_all_or_none(record):
    with pytest.raises(RefusedError):
        record.append_all([label("a"), label("b", item=99)])
    assert record.last_seq() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET label = 'bad'",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event SELECT * FROM event",
        "UPDATE item SET text = 'another'",
    ],
)
def test_history_cannot_be_changed_even_by_sql(record, statement):
    record.append(label("a"))
    db = sqlite3.connect(record.path)
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        db.execute(statement)
    db.close()
    assert record.event("a").label == "good"


@pytest.mark.parametrize(
    ("labels", "majority", "latest", "drop"),
    [(["a"], "a", "a", "a"), (["a", "b"], None, "b", None), (["a", "b", "a"], "a", "a", None)],
)
def test_disagreement_is_resolved_as_asked(labels, majority, latest, drop):
    votes = list(enumerate(labels))
    found = [verdict(votes, None, rule).label for rule in ("majority", "latest", "drop")]
    assert found == [majority, latest, drop]


def test_labels_follow_the_rule(record):
    record.append_all([label("a"), label("b", annotator="bob", name="bad"), label("c", item=2)])
    assert record.labels() == {2: "good"}
    assert record.labels("latest") == {1: "bad", 2: "good"}
    with pytest.raises(StoreError, match="majority, latest or drop"):
        record.labels("mean")


def settle(uuid, name, item=1, annotator="lead"):
    return NewEvent(uuid, item, annotator, Action.SETTLE, label=name)


def test_a_settlement_counts_above_all_votes_until_it_is_taken_back(record):
    record.append_all([label("a"), label("b", annotator="bob", name="bad"), settle("c", "odd")])
    for resolve in ("majority", "latest", "drop"):
        assert record.labels(resolve) == {1: "odd"}
    record.append(label("d", annotator="cat"))  # a vote more changes nothing
    assert record.labels() == {1: "odd"}
    assert {answer.annotator for answer in record.answers()} == {"ann", "bob", "cat"}  # it is no vote itself
    record.append(settle("e", "bad", annotator="boss"))
    assert (record.verdicts()[1].label, record.verdicts()[1].settled_by) == ("bad", "boss")
    record.append(undo("f", "e", annotator="boss"))
    assert record.verdicts()[1].settled_by == "lead"
    record.append(undo("g", "c", annotator="lead"))
    assert record.labels() == {1: "good"}


def test_the_runs_own_rule_is_the_one_definition(tmp_path):
    with Record.create(tmp_path / "record.sqlite", ["bad", "good"], settings={"resolve": "latest"}) as record:
        record.add_items([Item(1, sha256_of("one"), "one")])
        record.append_all([label("a"), label("b", annotator="bob", name="bad")])
        assert record.labels() == {1: "bad"}
        assert record.labels("majority") == {}


def test_history_is_newest_first_and_pages(record):
    record.append_all([label(f"u{item}", item=item) for item in range(5)] + [undo("x", "u3", item=3)])
    assert [event.uuid for event in record.history("ann", limit=2)] == ["u4", "u2"]
    assert [event.uuid for event in record.history("ann", before=3)] == ["u1", "u0"]


def test_flags_and_notes_are_the_last_ones(record):
    record.append_all(
        [
            NewEvent("a", 1, "ann", Action.FLAG),
            NewEvent("b", 2, "ann", Action.FLAG),
            NewEvent("c", 1, "ann", Action.UNFLAG),
            NewEvent("d", 1, "ann", Action.NOTE, note="hm"),
            NewEvent("e", 2, "ann", Action.NOTE, note="oh"),
            NewEvent("f", 2, "ann", Action.NOTE, note=""),
        ]
    )
    assert record.flags() == {(2, "ann")}
    assert record.notes() == {(1, "ann"): "hm"}


def test_sql_in_every_field_is_kept_as_text(record):
    evil = "'; DROP TABLE event; --"
    record.append(NewEvent(evil, 1, evil, Action.NOTE, note=evil, client_time=evil, strategy=evil, source=evil))
    assert record.event(evil).note == evil
    assert evil in record.annotators()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_an_event_survives_its_line(words):
    assert event_of(link_of(event_line(_noted(words), ""))) == _noted(words)


def _noted(words):
    from lit_al.record import Event

    return Event("u", 1, words, Action.NOTE, note=words, seq=3, server_time="now", schema_hash="h")
