"""Classes that change: what was said keeps its word, and what the word means now follows from the changes after it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.exceptions import ConflictError, DamagedError, RefusedError
from lit_al.record import Action, Item, NewEvent, NewGeneration, Ranked, Record, recover, schema, sha256_of
from lit_al.record.class_history import ClassChange, ClassHistory

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def record(tmp_path):
    with Record.create(tmp_path / "record.sqlite", ("spam", "ham")) as found:
        found.add_items(Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(8))
        yield found


def say(record, item, label, who="ann", uuid=None):
    return record.append(NewEvent(uuid or f"{who} {item} {label}", item, who, Action.LABEL, label=label))


def rename(record, old, new):
    return record.change_classes(ClassChange("rename", (old,), new), "ann")


def merge(record, *names, into):
    return record.change_classes(ClassChange("merge", names, into), "ann")


def add(record, *names):
    return record.change_classes(ClassChange("add", names), "ann")


def test_what_was_said_is_called_as_it_is_called_now_everywhere(record):
    say(record, 0, "spam")
    record.append(NewEvent("settled", 1, "ann", Action.SETTLE, label="spam"))
    record.append(NewEvent("predicted", 2, "ann", Action.LABEL, label="ham", predicted="spam", probability=0.6))
    rename(record, "spam", "junk")
    assert record.classes == ("junk", "ham")
    assert record.labels() == {0: "junk", 1: "junk", 2: "ham"}
    assert [answer.label for answer in record.answers()] == ["junk", "ham"]
    assert record.answers()[-1].predicted == "junk"
    assert record.history("ann")[-1].label == "junk"
    assert [event.label for event in record.events_of_texts()] == ["junk", "junk", "ham"]
    assert [event.label for event in record.events()] == ["spam", "spam", "ham", None]  # nothing was touched


def test_a_name_that_is_used_again_means_the_new_class_from_then_on(record):
    say(record, 0, "spam")
    rename(record, "spam", "junk")
    add(record, "spam")
    say(record, 1, "spam")
    assert record.labels() == {0: "junk", 1: "spam"}
    rename(record, "spam", "ads")
    assert record.labels() == {0: "junk", 1: "ads"}
    assert record.class_history.present("spam") == "ads"


def test_merged_classes_are_one_and_votes_that_differed_agree(record):
    add(record, "ads")
    say(record, 0, "spam")
    say(record, 0, "ads", "bob")
    assert record.labels() == {}
    merge(record, "ads", into="spam")
    assert (record.classes, record.labels()) == (("spam", "ham"), {0: "spam"})
    assert not record.verdicts()[0].conflict


def test_an_answer_under_an_old_name_is_taken_for_what_it_means_now_and_known_when_sent_again(record):
    rename(record, "spam", "junk")
    sent = NewEvent("late", 3, "ann", Action.LABEL, label="spam")  # of a page that does not know yet
    assert record.append(sent).label == "junk"
    assert record.append(sent).seq == record.last_seq()
    rename(record, "junk", "waste")
    assert record.append(sent).seq < record.last_seq()
    with pytest.raises(ConflictError):
        record.append(NewEvent("late", 3, "ann", Action.LABEL, label="ham"))
    assert record.labels() == {3: "waste"}
    with pytest.raises(RefusedError, match="'sparm' is not a label"):
        say(record, 4, "sparm")


def test_rankings_of_before_name_classes_of_now(record):
    add(record, "ads")
    ranked = Ranked(5, 1.0, "", {"spam": 0.3, "ham": 0.4, "ads": 0.3})
    generation = record.publish(NewGeneration(1, "margin", record.last_seq()), [ranked])
    merge(record, "ads", into="spam")
    add(record, "other")
    found = record.ranked_item(generation, 5)
    assert found.probabilities == pytest.approx({"spam": 0.6, "ham": 0.4})
    assert found.predicted == "spam"
    record.add_annotator("ann")
    [queued], _ = record.next_items("ann", 1)
    assert (queued.item.id, queued.predicted, queued.probability) == (5, "spam", pytest.approx(0.6))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (ClassChange("add", ("ham",)), "there is a class 'ham' already"),
        (ClassChange("add", ("new", "new")), "there twice"),
        (ClassChange("add", (" padded",)), "no name of a label"),
        (ClassChange("add", ("",)), "no name of a label"),
        (ClassChange("rename", ("spam",), "ham"), "merge-labels"),
        (ClassChange("rename", ("sapm",), "junk"), "did you mean 'spam'"),
        (ClassChange("rename", ("spam",), "a\0b"), "NUL|no name of a label"),
        (ClassChange("merge", ("spam",), "ham"), "two labels or more"),
        (ClassChange("merge", ("spam",), "spam"), "into itself"),
        (ClassChange("merge", ("spam",), "junk"), "no class 'junk'"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(change, why, record):
    with pytest.raises(RefusedError, match=why):
        record.change_classes(change, "ann")
    assert (record.classes, record.last_seq()) == (("spam", "ham"), 0)


def test_another_process_sees_a_change_at_once(record):
    with Record.open(record.path, check=False) as other:
        say(record, 0, "spam")
        rename(other, "spam", "junk")
        assert record.classes == ("junk", "ham")
        assert record.labels() == {0: "junk"}


def test_changes_are_recovered_from_the_mirror_and_a_flipped_one_is_found(record):
    say(record, 0, "spam")
    rename(record, "spam", "junk")
    add(record, "ads")
    say(record, 1, "ads")
    folder, before = record.path.parent, [*record.events()]
    record.close()
    for path in folder.glob("record.*"):
        path.unlink()
    recover(folder)
    with Record.open(folder) as again:
        assert [*again.events()] == before
        assert again.labels() == {0: "junk", 1: "ads"}
        again.db.execute("DROP TRIGGER event_is_never_updated")
        again.db.execute("UPDATE event SET note = replace(note, 'junk', 'jank') WHERE action = 'classes'")
    with pytest.raises(DamagedError):
        Record.open(folder)


@given(st.data())
def test_meaning_is_what_following_each_change_in_turn_gives(data):
    """Against a plain walk: a word goes through every change after it."""
    history, changes = ClassHistory(NAMES[:3]), []
    for seq in range(1, data.draw(st.integers(0, 6)) + 1):
        kind = data.draw(st.sampled_from(["add", "rename", "merge"]))
        names = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True))
        names = names[:1] if kind == "rename" else names
        change = ClassChange(kind, tuple(names), "" if kind == "add" else data.draw(st.sampled_from(NAMES)))
        try:
            history = history.after(seq, change)
        except RefusedError:
            continue
        changes.append((seq, change))
    for name in NAMES:
        for seq in range(8):
            walked = name
            for at, change in changes:
                if at > seq and change.kind != "add" and walked in change.names:
                    walked = change.into
            assert history.meaning(name, seq) == walked
    assert len(set(history.names)) == len(history.names) >= 2
    assert all(history.present(name) == name for name in history.names)


@pytest.mark.parametrize("version", [2, 3])
def test_a_record_of_before_classes_changed_opens_with_a_copy_and_then_they_change(version, tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "VERSION", version)
    with Record.create(tmp_path / "record.sqlite", ("spam", "ham")) as old:
        old.add_items([Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(3)])
        say(old, 0, "spam")
        say(old, 1, "ham")
        before = [*old.events()]
    monkeypatch.undo()
    with Record.open(tmp_path) as record:
        assert [*record.events()] == before
        rename(record, "spam", "junk")
        assert record.labels() == {0: "junk", 1: "ham"}
    assert (tmp_path / f"record.version-{version}.sqlite").is_file()
    with Record.open(tmp_path) as again:  # and is sound
        assert again.classes == ("junk", "ham")
