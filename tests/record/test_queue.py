import time

import pytest

from lit_al.record import Action, Item, NewEvent, NewGeneration, Ranked, Record, sha256_of


def ids(found):
    return [one.item.id for one in found[0]]


def answer(record, item, annotator="ann", label="good"):
    action = Action.SKIP if label is None else Action.LABEL
    return record.append(NewEvent(f"{annotator}-{item}-{label}", item, annotator, action, label=label))


@pytest.fixture(autouse=True)
def annotators(record):
    for name in ("ann", "bob"):
        record.add_annotator(name)


def test_without_a_ranking_texts_come_in_an_order_of_their_own_that_a_restart_keeps(record, tmp_path):
    first = ids(record.next_items("ann", 10))
    assert sorted(first) == list(range(10))
    assert first != sorted(first)
    with Record.open(tmp_path) as again:
        again.release()
        assert ids(again.next_items("ann", 10)) == first


def test_the_order_of_a_cold_start_is_drawn_from_the_texts_and_not_from_their_rows(tmp_path):
    def order(name, seed, texts):
        with Record.create(tmp_path / f"{name}.sqlite", ["bad", "good"], settings={"seed": seed}) as record:
            record.add_items(Item(row, sha256_of(text), text, {"label": row % 2}) for row, text in enumerate(texts))
            record.add_annotator("ann")
            return [one.item.text for one in record.next_items("ann", 20)[0]]

    texts = [f"text {number}" for number in range(20)]
    first = order("as they stand", 0, texts)
    assert sorted(first) == sorted(texts)
    assert first != texts
    assert order("backwards", 0, texts[::-1]) == first
    assert order("by another seed", 1, texts) != first


def test_the_ranking_comes_first_then_the_rest(record):
    record.publish(NewGeneration(4, "margin"), [Ranked(7, 0.9, "close", {"bad": 0.4, "good": 0.6}), Ranked(3, 0.1)])
    found, _ = record.next_items("ann", 3)
    assert [one.item.id for one in found][:2] == [7, 3]
    assert found[0].predicted == "good"
    assert found[0].probability == 0.6
    assert (found[0].generation, found[0].model_version, found[0].strategy) == (1, 4, "margin")
    assert found[2].generation is None


def test_the_newest_ranking_alone_is_in_force(record):
    for item in (1, 2):
        record.publish(NewGeneration(None, "random"), [Ranked(item, 0.0)])
    assert ids(record.next_items("ann", 2))[0] == 2
    assert [one.item for one in record.ranked(1)] == [1]


def test_a_text_is_handed_to_one_annotator_at_a_time(record):
    assert not {*ids(record.next_items("ann", 5))} & {*ids(record.next_items("bob", 5))}


def test_with_overlap_two_annotators_get_a_text_and_a_third_does_not(record):
    record.add_annotator("cid")
    assert {*ids(record.next_items("ann", 10, overlap=2))} == {*ids(record.next_items("bob", 10, overlap=2))}
    assert record.next_items("cid", 10, overlap=2) == ([], "wait")


def test_answers_of_others_count_for_overlap_and_their_skips_do_not(record):
    answer(record, 1, "bob")
    answer(record, 2, "bob", None)
    found = ids(record.next_items("ann", 10))
    assert 1 not in found
    assert 2 in found


def test_nobody_is_asked_twice(record):
    answer(record, 1)
    answer(record, 2, label=None)
    assert not {1, 2} & {*ids(record.next_items("ann", 10, overlap=3))}


def test_an_answer_taken_back_is_asked_for_again(record):
    event = answer(record, 1)
    record.append(NewEvent("undo", 1, "ann", Action.UNDO, undoes=event.uuid))
    assert 1 in ids(record.next_items("ann", 10))


def test_held_texts_are_not_handed_out_again_and_their_leases_are_renewed(record):
    held = ids(record.next_items("ann", 3, lease_seconds=0.05))
    time.sleep(0.06)
    assert not {*held} & {*ids(record.next_items("ann", 3, exclude=held))}
    assert not {*held} & {*ids(record.next_items("bob", 10))}


def test_a_lease_that_ran_out_frees_the_text_and_a_late_answer_is_kept_and_marked(record):
    held = ids(record.next_items("ann", 10, lease_seconds=0.01))
    time.sleep(0.02)
    assert {*ids(record.next_items("bob", 10))} == {*held}
    assert answer(record, held[0]).late
    answer(record, held[0], "bob")
    assert len(record.answers()) == 2


def test_an_answer_in_time_is_not_late(record):
    [item] = ids(record.next_items("ann", 1))
    assert not answer(record, item).late


def test_a_clock_that_was_set_back_does_not_hold_texts_for_ever(record, monkeypatch):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 365 * 86_400)
    record.next_items("ann", 10)
    monkeypatch.setattr(time, "time", real)
    assert len(ids(record.next_items("bob", 10))) == 10


def test_why_there_is_nothing_left(record):
    record.next_items("bob", 10)
    assert record.next_items("ann", 5) == ([], "wait")
    record.release("bob")
    for item in range(9):
        answer(record, item)
    answer(record, 9, label=None)
    assert record.next_items("ann", 5) == ([], "skipped")
    answer(record, 9, "bob")
    assert record.next_items("ann", 5) == ([], "finished")


def test_texts_without_text_are_not_handed_out(tmp_path):
    with Record.create(tmp_path / "other.sqlite", ["a", "b"]) as other:
        other.add_items([Item(0, sha256_of("kept elsewhere"))])
        other.add_annotator("ann")
        assert other.next_items("ann", 1) == ([], "finished")


def test_removed_annotators_hold_nothing_and_their_labels_stay(record):
    answer(record, 1, "bob")
    record.next_items("bob", 10)
    record.remove_annotator("bob")
    assert len(ids(record.next_items("ann", 10))) == 9
    assert record.labels() == {1: "good"}
