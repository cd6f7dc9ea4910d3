import itertools

import pytest

from lit_al.record import Action, Item, NewEvent, NewGeneration, Ranked, Record, sha256_of

CLASSES = ("neg", "pos")
# A plain one, a formula, lines and quotes, an apostrophe before a formula, scripts and signs, blanks.
TEXTS = ["so so", "=1+1", 'two\r\nlines, "quoted"', "'=2", "שלום \u202eabc 👩\u200d🚀 e\u0301 é", "a gem", " "]


@pytest.fixture
def make_record(tmp_path):
    """A function that makes another record with the same seven texts in a folder of its own."""
    opened = []

    def make(texts=TEXTS, classes=CLASSES):
        folder = tmp_path / f"run-{len(opened)}"
        folder.mkdir()
        record = Record.create(folder / "record.sqlite", classes)
        record.add_items(Item(number, sha256_of(text), text) for number, text in enumerate(texts))
        opened.append(record)
        return record

    yield make
    for record in opened:
        record.close()


@pytest.fixture
def record(make_record):
    return make_record()


@pytest.fixture
def say():
    """A function that appends a label, or a skip where the label is None."""
    numbers = itertools.count()

    def say(record, item, label, annotator="ann", **more):
        action = Action.SKIP if label is None else Action.LABEL
        return record.append(NewEvent(f"event-{next(numbers)}", item, annotator, action, label, **more))

    return say


@pytest.fixture
def ranked(record):
    """The record with a ranking of its texts 5, 1 and 3."""
    ranking = [Ranked(item, 1.0 - item / 10, "", {"neg": 0.25, "pos": 0.75}) for item in (5, 1, 3)]
    record.publish(NewGeneration(2, "margin"), ranking)
    return record
