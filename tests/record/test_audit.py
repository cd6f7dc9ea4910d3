from collections import Counter

import pytest

from lit_al.exceptions import ConfigError, StoreError
from lit_al.record import Action, Item, NewEvent, NewGeneration, Ranked, Record, sha256_of
from lit_al.record.audit import Audit, HeldBack, audits, close, draw, note_look


@pytest.fixture
def project(tmp_path):
    """A record of 40 texts by which 4 have an answer, and a ranking of the others by a model that suggests."""
    with Record.create(tmp_path / "record.sqlite", ["bad", "good"], settings={"copies": "exact"}) as made:
        made.add_items(Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(40))
        made.add_annotator("ann")
        for number in range(4):
            say(made, number)
        ranked = [Ranked(item, 1.0, "close", {"bad": 0.3, "good": 0.7}) for item in range(4, 40)]
        made.publish(NewGeneration(2, "margin", 4), ranked)
        yield made


def say(record, item, label="good"):
    action = Action.SKIP if label is None else Action.LABEL
    record.append(NewEvent(f"e-{item}-{record.last_seq()}", item, "ann", action, label))


def test_draws_distinct_texts_that_nobody_has_answered(project):
    audit = draw(project, 20)
    assert len(set(audit.items)) == 20
    assert min(audit.items) >= 4
    assert (audit.number, audit.pool, audit.seen, audit.is_open) == (1, 36, 4, True)
    assert HeldBack.of(project.path.parent) == HeldBack(audit.items, 0)


def test_every_text_is_drawn_as_often_as_the_others(tmp_path):
    drawn = Counter()
    for number in range(60):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Record.create(folder / "record.sqlite", ["bad", "good"], settings={"copies": "none"}) as record:
            record.add_items(Item(row, sha256_of(f"text {row}"), f"text {row}") for row in range(10))
            drawn.update(draw(record, 5).items)
    assert all(15 <= drawn[row] <= 45 for row in range(10))  # 30 each; 3.9 standard deviations


def test_its_texts_are_asked_first_and_nothing_is_suggested(project):
    audit = draw(project, 10)
    found, _ = project.next_items("ann", 12)
    assert [one.item.id for one in found[:10]] == list(audit.items)
    assert all(one.predicted is None and not one.control for one in found[:10])
    assert all(one.predicted == "good" for one in found[10:])
    assert project.newest_generation().model_version == 2  # else a trainer would rank anew


def test_without_a_ranking_they_are_asked_first_too(tmp_path):
    with Record.create(tmp_path / "record.sqlite", ["bad", "good"]) as record:
        record.add_items(Item(row, sha256_of(f"words {row} here"), f"words {row} here") for row in range(30))
        record.add_annotator("ann")
        audit = draw(record, 10)
        assert [one.item.id for one in record.next_items("ann", 10)[0]] == list(audit.items)


def test_an_open_audit_is_the_one_that_is_drawn(project):
    first = draw(project, 10)
    assert draw(project, 10) == first
    with pytest.raises(ConfigError, match=r"an audit of 10 texts is open; give --audit 10, or close it with"):
        draw(project, 11)
    close(project)
    second = draw(project, 11)
    assert (second.number, audits(project.path.parent)[0].is_open) == (2, False)
    assert HeldBack.of(project.path.parent) == HeldBack(second.items, 1)


def test_more_than_there_are_is_refused_and_nothing_is_drawn(project):
    with pytest.raises(ConfigError, match=r"--audit 37 asks for more texts than the 36 that nobody has answered"):
        draw(project, 37)
    assert audits(project.path.parent) == []


def test_of_copies_one_is_drawn_and_none_whose_copy_is_answered(tmp_path):
    texts = [f"{word} {number}" for number in range(10) for word in ("Word", "word")]  # pairs that differ in case
    with Record.create(tmp_path / "record.sqlite", ["bad", "good"], settings={"copies": "exact"}) as record:
        record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(texts))
        say(record, 1)
        say(record, 2)
        audit = draw(record, 8)
        assert len({item // 2 for item in audit.items}) == 8
        assert not {item // 2 for item in audit.items} & {0, 1}


def test_a_text_that_was_answered_meanwhile_is_left_out(project, monkeypatch):
    from lit_al.record import audit as module

    whole = module._write

    def slow(folder, there):
        whole(folder, there)
        if len(there[-1].items) == 20:
            say(project, there[-1].items[3])

    monkeypatch.setattr(module, "_write", slow)
    audit = draw(project, 20)
    assert len(audit.items) == 19
    assert audit.items == audits(project.path.parent)[0].items
    assert not set(audit.items) & {answer.item for answer in project.answers()}


def test_the_same_look_counts_once(project):
    draw(project, 10)
    folder, look = project.path.parent, {"model": "a", "labels": 10, "criteria": "accuracy>=0.9", "passed": False}
    assert [note_look(folder, look), note_look(folder, look)] == [1, 1]
    assert note_look(folder, {**look, "model": "b"}) == 2
    assert note_look(folder, {**look, "criteria": "accuracy>=0.8", "passed": True}) == 3
    assert [one["model"] for one in audits(folder)[0].looks] == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("closed", "seen", "learned", "holds"),
    [
        (None, 90, None, True),  # open: nobody learns it
        ("then", 10, None, True),  # made before it was drawn
        ("then", 90, 1, True),  # made while it was open
        ("then", 90, 2, False),
        ("then", 90, None, False),  # nobody knows
        ("then", None, None, False),
    ],
)
def test_who_has_surely_not_learned_it(closed, seen, learned, holds):
    assert Audit(2, "now", 5, (1, 2), 50, 10, closed).unlearned_by(seen, learned) is holds


def test_nothing_to_close_is_one_sentence(project):
    with pytest.raises(ConfigError, match=r"no audit of .* is open; lit-al gate .* --audit 200 draws one"):
        close(project)


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 9}', '{"schema": 1, "audits": [{"items": []}]}'])
def test_a_file_of_other_hands_stops_whoever_would_learn(project, content):
    (project.path.parent / "audit.json").write_text(content)
    with pytest.raises(StoreError, match=r"audit\.json cannot be read .* put it back"):
        HeldBack.of(project.path.parent)
