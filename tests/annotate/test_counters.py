"""What stands, counted event by event, is what the record's own views say."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.annotate.counters import Tally
from lit_al.exceptions import StoreError
from lit_al.record import Action, NewEvent

MOVES = st.tuples(
    st.sampled_from(["label", "label", "settle", "skip", "undo", "flag", "unflag", "note"]),
    st.integers(0, 3),
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["negative", "positive"]),
)


@settings(max_examples=30)
@given(moves=st.lists(MOVES, max_size=25))
def test_tally_is_what_the_record_says(tmp_path_factory, helpers, moves):
    with helpers.fill(tmp_path_factory.mktemp("tally") / "run") as record:
        tally = Tally(record)
        for number, (action, item, annotator, label) in enumerate(moves):
            own = [event for event in record.events() if (event.item, event.annotator) == (item, annotator)]
            undone = {event.undoes for event in own}
            could = [event for event in own if event.action in ("label", "settle", "skip") and event.uuid not in undone]
            last = could[-1] if could else None
            event = NewEvent(
                f"uuid-{number:06}",
                item,
                annotator,
                Action(action),
                label=label if action in ("label", "settle") else None,
                note=label if action == "note" else None,
                undoes=last.uuid if action == "undo" and last else None,
            )
            if action == "undo" and last is None:
                continue
            record.append(event)
            if number % 3 == 0:
                tally.refresh()
        tally.refresh()
        answers = record.answers()
        for annotator in ("ann", "bob"):
            mine = record.answers(annotator)
            skips = sum(answer.label is None for answer in mine)
            assert tally.of(annotator) == (len(mine) - skips, skips)
            for item in range(4):
                assert tally.flagged(item, annotator) == ((item, annotator) in record.flags())
                assert tally.note(item, annotator) == record.notes().get((item, annotator), "")
        given_labels = [answer.label for answer in answers if answer.label]
        assert tally.by_class() == {name: given_labels.count(name) for name in record.classes}
        items = [answer.item for answer in answers if answer.label]
        settled = {item for item, one in record.verdicts().items() if one.settled_by}
        assert tally.labeled_by(1) == len({*items} | settled)
        assert tally.labeled_by(2) == len({item for item in items if items.count(item) > 1} | settled)


def test_tally_sees_what_others_add_later(record):
    tally = Tally(record)
    tally.refresh()
    record.append(NewEvent("uuid-000001", 3, "bob", Action.LABEL, label="positive"))
    assert tally.of("bob") == (0, 0)
    tally.refresh()
    assert tally.of("bob") == (1, 0)


def test_refused_event_is_not_counted(record):
    tally = Tally(record)
    try:
        record.append(NewEvent("uuid-000001", 3, "bob", Action.LABEL, label="neither"))
    except StoreError:
        tally.refresh()
    assert tally.of("bob") == (0, 0)
