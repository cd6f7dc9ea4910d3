import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lit_al.annotate.counters import Tally
from lit_al.annotate.training_set import Snapshot
from lit_al.exchange.outgoing import labeled_texts, next_questions
from lit_al.record import Action, Item, NewEvent, Record, sha256_of

LONG = "the plot is thin and the actors wait for the end of it as much as everybody else in the hall does. " * 2
TEXTS = [LONG, "so so", LONG.upper(), "a gem", "So  So", LONG[:-2] + "!"]
COPIES = {0: {0, 2, 5}, 1: {1, 4}}


@pytest.fixture
def make(tmp_path_factory):
    """A record of texts, its answers given to texts in whatever order they lie."""
    made = []

    def make(texts=TEXTS, **facts):
        record = Record.create(tmp_path_factory.mktemp("run") / "record.sqlite", ["bad", "good"], settings=facts)
        record.add_items(Item(number, sha256_of(text), text) for number, text in enumerate(texts))
        for name in ("ann", "bob", "cid"):
            record.add_annotator(name)
        made.append(record)
        return record

    yield make
    for record in made:
        record.close()


def say(record, item, label, annotator="ann", **facts):
    action = Action.SKIP if label is None else Action.LABEL
    event = NewEvent(f"{record.last_seq()}", item, annotator, action, label=label, **facts)
    return record.append(event).uuid


def undo(record, item, uuid, annotator="ann"):
    record.append(NewEvent(f"undo {uuid}", item, annotator, Action.UNDO, undoes=uuid))


def asked(record, annotator="ann", overlap=1):
    found, state = record.next_items(annotator, 10, overlap=overlap)
    record.release()
    return {one.item.id for one in found}, state


def held(record, resolve="majority"):
    return {one.id: (one.label, one.copy_of) for one in labeled_texts(record, resolve) if one.label is not None}


def test_of_a_group_one_is_asked_and_its_answer_holds_for_all(make):
    record = make()
    wanted, _ = asked(record)
    assert len(wanted) == 3
    assert all(len(wanted & group) == 1 for group in COPIES.values())
    first = record.groups().first_of(0)
    uuid = say(record, first, "good")
    assert asked(record)[0] == wanted - {first}
    rest = dict.fromkeys(COPIES[0] - {first}, ("good", first))
    assert held(record) == {first: ("good", None), **rest}
    say(record, first, "bad")  # a correction
    assert {label for label, _ in held(record).values()} == {"bad"}
    undo(record, first, f"{record.last_seq() - 1}")
    assert {label for label, _ in held(record).values()} == {"good"}
    undo(record, first, uuid)
    assert held(record) == {}
    assert asked(record)[0] == wanted
    say(record, first, None)  # a skip
    assert held(record) == {}
    assert asked(record)[0] == wanted - {first}


def test_an_answer_to_any_copy_holds_and_what_is_said_of_a_copy_itself_comes_first(make):
    record = make()
    other = max(COPIES[0] - {record.groups().first_of(0)})
    say(record, other, "good")
    assert not asked(record)[0] & COPIES[0]
    assert {item: label for item, (label, _) in held(record).items()} == dict.fromkeys(COPIES[0], "good")
    own = min(COPIES[0] - {other})
    say(record, own, "bad")
    assert held(record)[own] == ("bad", None)
    assert held(record)[other] == ("good", None)
    [silent] = COPIES[0] - {other, own}
    assert silent not in held(record)  # a tie of its copies
    assert held(record, "latest")[silent] == ("bad", own)


def test_several_people_answer_a_group_once_each(make):
    record = make()
    first = record.groups().first_of(1)
    say(record, first, "good", "ann")
    assert first in asked(record, "bob", overlap=2)[0]
    [other] = COPIES[1] - {first}
    say(record, other, "good", "ann")  # the same person says it again of the copy
    assert first in asked(record, "bob", overlap=2)[0]
    tally = Tally(record)
    tally.refresh()
    assert (tally.labeled_by(1), tally.labeled_by(2)) == (1, 0)
    say(record, first, "bad", "bob")
    tally.refresh()
    assert (tally.labeled_by(1), tally.labeled_by(2)) == (1, 1)
    assert first not in asked(record, "cid", overlap=2)[0]
    assert asked(record, "cid", overlap=3)[0] >= {first}


def test_everything_is_done_when_each_group_is(make):
    record = make()
    for item in sorted(asked(record)[0]):
        say(record, item, "good")
    assert asked(record) == (set(), "finished")
    assert len(held(record)) == len(TEXTS)
    assert next_questions(record, 10) == []


def test_copies_are_learned_from_once_and_judge_once(make):
    record = make()
    for item in sorted(COPIES[0]):
        say(record, item, "good", predicted="good", control=True, model_version=1)
    say(record, 3, "bad", predicted="good", control=True, model_version=1)
    snapshot = Snapshot.of(record, range(len(TEXTS)))
    assert len(snapshot.rows) == 2
    assert sorted(snapshot.labels.tolist()) == [0, 1]
    [judgment] = snapshot.judgments
    assert (judgment.controls, judgment.right, judgment.pool) == (2, 1, 3)


def test_copies_are_none_where_the_run_says_so(make):
    assert len(asked(make(copies="none"))[0]) == len(TEXTS)
    assert len(asked(make(copies="exact"))[0]) == 4


@pytest.mark.parametrize("value", ["{", "{}", '{"last": 5, "groups": [[0, 1]], "exact": 1, "near": 0, "sha256": "a"}'])
def test_groups_that_were_changed_on_the_disk_are_found_anew(make, value):
    record = make()
    right = record.groups()
    with record.transaction() as db:
        db.execute("UPDATE state SET value = ?, updated = 'now' WHERE key = 'copies'", (value,))
    assert record.groups() == right


def test_texts_that_come_later_join_their_groups(make):
    record = make()
    say(record, record.groups().first_of(0), "good")
    record.add_items([Item(9, sha256_of(LONG + " "), LONG + " ")])
    assert held(record)[9][0] == "good"
    assert not asked(record)[0] & {9, *COPIES[0]}


@given(
    st.permutations(range(len(TEXTS))),
    st.lists(st.tuples(st.sampled_from(range(len(TEXTS))), st.sampled_from(["bad", "good", None]), st.booleans())),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_of_rows_does_not_matter(make, order, said):
    """The same answers to the same texts hold for the same texts, wherever they lie."""
    results = []
    for rows in (list(range(len(TEXTS))), order):
        record = make([TEXTS[row] for row in rows])
        for text, label, by_ann in said:
            say(record, rows.index(text), label, "ann" if by_ann else "bob")
        labels = {rows[item]: (label, None if of is None else rows[of]) for item, (label, of) in held(record).items()}
        left = {rows[item] for item in asked(record, "cid", overlap=2)[0]}
        snapshot = Snapshot.of(record, range(len(TEXTS)))
        learned = {(TEXTS[rows[row]], label) for row, label in zip(snapshot.rows, snapshot.labels, strict=True)}
        results.append((labels, left, learned))
    assert results[0] == results[1]
