"""Searching a record: what is found is what a plain look at every text and answer finds."""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.record import Action, Item, NewEvent, Record, sha256_of
from lit_al.record import search as module
from lit_al.record.search import Search, found, in_conflict, said, settlements
from lit_al.record.suspected import Suspected, SuspectedList, keep, kept

PEOPLE, CLASSES = ("ann", "bob"), ("bad", "good", "so so")
TEXTS = [
    "A gem",
    "a GEMSTONE",
    "Äpfel",
    "äpfel und ÄPFEL",
    "100% _sure_",
    "gem'); DROP TABLE item; --",
    "x" * 50,
    "STRASSE",
]
ACTS = st.tuples(
    st.sampled_from(["label", "label", "skip", "settle", "undo", "flag", "unflag", "note"]),
    st.sampled_from(range(len(TEXTS))),
    st.sampled_from(PEOPLE),
    st.sampled_from(CLASSES),
    st.sampled_from(["", "odd"]),
)


def apply(record, acts):
    """Put acts on record; an undo takes back the actor's last standing answer of that text, if there is one."""
    given: dict = {}
    for number, (act, item, who, label, note) in enumerate(acts):
        pile = given.setdefault((item, who), [])
        if act == "undo" and not pile:
            continue
        more = {"label": label} if act in ("label", "settle") else {"note": note} if act == "note" else {}
        more |= {"undoes": pile.pop()} if act == "undo" else {}
        record.append(NewEvent(f"event-{number:04d}", item, who, Action(act), **more))
        if act in ("label", "settle", "skip"):
            pile.append(f"event-{number:04d}")


def reference(record, search):
    """Ids of the texts that are wanted, one by one."""
    mine = [a for a in record.answers() if search.annotator in ("", a.annotator)]
    labels, skips = ({(a.item, a.label) for a in mine if (a.label is None) == none} for none in (False, True))
    verdicts = record.verdicts()
    settled = {item: one.label for item, one in verdicts.items() if one.settled_by}
    labeled = {item for item, _ in labels} | (set() if search.annotator else settled.keys())
    marks = {
        "labeled": labeled,
        "unlabeled": set(range(len(TEXTS))) - labeled,
        "skipped": {item for item, _ in skips},
        "flagged": {item for item, who in record.flags() if search.annotator in ("", who)},
        "noted": {item for item, who in record.notes() if search.annotator in ("", who)},
        "disagreement": {item for item, one in verdicts.items() if one.conflict},
        "settled": settled.keys(),
        "": set(range(len(TEXTS))),
    }
    given = {item for item, label in labels if label == search.label}
    given |= set() if search.annotator else {item for item, label in settled.items() if label == search.label}
    return [
        item
        for item, text in enumerate(TEXTS)
        if item in marks[search.only]
        and (not search.label or item in given)
        and search.words.casefold() in text.casefold()
        and (search.among is None or item in search.among)
    ]


def all_found(record, search, n):
    ids, after = [], -1
    while after is not None:
        texts, after = found(record, search, after, n)
        assert len(texts) <= n
        ids += [text.id for text in texts]
    return ids


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("records")


@settings(max_examples=40)
@given(
    acts=st.lists(ACTS, max_size=25),
    search=st.builds(
        Search,
        words=st.sampled_from(["", "gem", "GEM", "äPFEL", "%", "_", "');", "nothing"]),
        label=st.sampled_from(["", "", *CLASSES]),
        annotator=st.sampled_from(["", *PEOPLE]),
        only=st.sampled_from(["", *module._ONLY]),
        among=st.sampled_from([None, None, (), (0, 2, 5)]),
    ),
    n=st.sampled_from([1, 3, 50]),
)
def test_search_finds_what_a_look_at_each_text_finds(folder, acts, search, n):
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        pytest.MonkeyPatch.context() as patch,
        Record.create(Path(place, "record.sqlite"), CLASSES, settings={"copies": "none"}) as record,
    ):
        patch.setattr(module, "WINDOW", 3)
        record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(TEXTS))
        apply(record, acts)
        assert all_found(record, search, n) == reference(record, search)
        assert sorted(in_conflict(record)) == reference(record, Search(only="disagreement"))
        known, verdicts = said(record, range(len(TEXTS))), record.verdicts()
        judged = {item: one.verdict("majority") for item, one in known.items()}
        assert {item: one for item, one in judged.items() if one.votes or one.settled_by} == verdicts
        assert {(item, who) for item, one in known.items() for who in one.flags} == record.flags()
        assert {(item, who): note for item, one in known.items() for who, note in one.notes.items()} == record.notes()


def test_long_search_stops_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 10)
    monkeypatch.setattr(module, "PATIENCE", -1.0)
    with Record.create(tmp_path / "record.sqlite", CLASSES, settings={"copies": "none"}) as record:
        record.add_items(Item(7 * row, sha256_of(f"text {row}"), f"text {row}") for row in range(35))
        calls, after = [], -1
        for _ in itertools.count():
            texts, after = found(record, Search("text 34"), after, 5)
            calls.append(len(texts))
            if after is None:
                break
        assert calls == [0, 0, 0, 1, 0]


def test_copies_that_nobody_is_asked_for_are_not_called_unlabeled(tmp_path):
    with Record.create(tmp_path / "record.sqlite", CLASSES, settings={"copies": "exact"}) as record:
        record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(["a gem", "A  Gem", "dull"]))
        [further] = record.groups().further
        assert all_found(record, Search(only="unlabeled"), 9) == sorted({0, 1, 2} - {further})
        assert all_found(record, Search(), 9) == [0, 1, 2]


def test_settlements_are_ones_own_latest_first(tmp_path):
    with Record.create(tmp_path / "record.sqlite", CLASSES) as record:
        record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(TEXTS))
        acts = [
            ("settle", 0, "ann"),
            ("settle", 1, "bob"),
            ("settle", 2, "ann"),
            ("settle", 0, "ann"),
            ("undo", 2, "ann"),
        ]
        apply(record, [(*act, "good", "") for act in acts])
        assert settlements(record, "ann", 9) == [(0, "event-0003", 4)]
        assert settlements(record, "bob", 9) == [(1, "event-0001", 2)]
        assert settlements(record, "ann", 9, before=4) == []


def test_suspects_are_noted_and_what_is_strange_is_none(tmp_path):
    with Record.create(tmp_path / "record.sqlite", CLASSES) as record:
        assert kept(record) == SuspectedList()
        one = Suspected(3, "bad", "good", 0.9, 0.1, True)
        keep(record, [one], 40, 1)
        assert (kept(record).found, kept(record).labels, kept(record).named) == ((one,), 40, 1)
        record.set_state("suspects", {"found": [{"item": 3}]})
        assert kept(record) == SuspectedList()
