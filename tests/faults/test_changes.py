"""Classes, texts and people change under three annotators while the server is killed: nothing is lost."""

import random
import time

import pytest

from faults.serving import Server, annotators, write_texts
from lit_al.annotate.changes import add_texts, change_classes, remove_annotator
from lit_al.data import load_corpus
from lit_al.record import Action, NewEvent, Record
from lit_al.record.class_history import ClassChange

pytest.importorskip("starlette", reason="the page needs starlette: pip install 'lit_al[annotate]'")
PEOPLE = ("ann", "bob", "cid")


class Changing:
    """Makes a change after the other, each beside the server in a transaction of its own."""

    def __init__(self, run, tmp_path, seed):
        self.run, self.tmp_path, self.rng = run, tmp_path, random.Random(seed)
        self.added = self.corrected = 0
        self.removed = []

    def __call__(self, number):
        with Record.open(self.run, check=False) as record:
            [self.add_a_class, self.rename, self.add_texts, self.correct, self.merge][number % 5](record, number)

    def add_a_class(self, record, number):
        change_classes(record, ClassChange("add", (f"class {number}",)), "ann")

    def rename(self, record, number):
        change_classes(record, ClassChange("rename", (self.rng.choice(record.classes),), f"name {number}"), "ann")

    def add_texts(self, record, number):
        path = self.tmp_path / f"more-{number}.csv"
        path.write_text("text\n" + "".join(f"more of {number} row {row}\n" for row in range(500)))
        add_texts(record, load_corpus(str(path), classes=record.classes))
        self.added += 500

    def correct(self, record, number):
        if answers := record.answers():
            answer = self.rng.choice(answers)
            label = self.rng.choice(record.classes)
            record.append(NewEvent(f"correction-{number}", answer.item, "ann", Action.SETTLE, label=label))
            self.corrected += 1

    def merge(self, record, number):
        if len(record.classes) > 2:
            one, into = self.rng.sample(record.classes, 2)
            change_classes(record, ClassChange("merge", (one,), into), "ann")


def labeled_while_all_changes(tmp_path, rounds, texts, training=False):
    """Kill the server `rounds` times, with a change before each kill; the last annotator is removed half-way."""
    server = Server(write_texts(tmp_path / "texts.csv", texts), tmp_path, PEOPLE, training=training)
    server.start()
    links = list(server.links)
    rng, changing = random.Random(rounds), Changing(server.run, tmp_path, rounds)
    people = annotators(server, rounds)
    for one in people:
        one.start()
    try:
        for number in range(rounds):
            time.sleep(rng.uniform(0.05, 0.4))
            changing(number)
            if number == rounds // 2:
                people[-1].over.set()
                people[-1].join(30)
                with Record.open(server.run, check=False) as record:
                    remove_annotator(record, PEOPLE[-1])
                server.annotators = server.annotators[:-1]
                server.command[server.command.index("--annotators") + 1] = ",".join(PEOPLE[:-1])
            before = [len(one.acknowledged) for one in people[:2]]
            server.kill()
            server.start()
            deadline = time.monotonic() + 20
            while [len(one.acknowledged) for one in people[:2]] == before and time.monotonic() < deadline:
                time.sleep(0.02)
            assert [len(one.acknowledged) for one in people[:2]] != before, f"nobody could go on after kill {number}"
        for one in people[:2]:
            one.over.set()
            one.join(30)
        assert [link.split("token=")[1] for link in server.links] == [link.split("token=")[1] for link in links[:2]]
    finally:
        server.kill()
    return server, people, changing


def check(server, people, changing, texts):
    with Record.open(server.run) as record:  # which reads every page and every checksum
        events, history = {event.uuid: event for event in record.events()}, record.class_history
        for one in people:
            for uuid, sent in one.acknowledged.items():
                stored = events[uuid]
                assert stored.item == sent["item"]
                assert history.meaning(stored.label, stored.seq) == history.present(sent["label"])
        assert record.count_texts() == texts + changing.added
        assert sum(event.action is Action.SETTLE for event in events.values()) == changing.corrected
        assert {*record.labels().values()} <= {*record.classes}
        assert PEOPLE[-1] not in record.annotators()
    acknowledged = sum(len(one.acknowledged) for one in people)
    assert acknowledged
    return f"{acknowledged} acknowledged, 0 lost, {len(history.seqs)} changes of classes, {changing.added} texts added"


def test_nothing_is_lost_while_classes_texts_and_people_change(tmp_path, capsys):
    found = labeled_while_all_changes(tmp_path, rounds=5, texts=2_000)
    with capsys.disabled():
        print("\n" + check(*found, texts=2_000))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_nothing_is_lost_in_a_hundred_kills(tmp_path, capsys):
    found = labeled_while_all_changes(tmp_path, rounds=100, texts=20_000)
    with capsys.disabled():
        print("\n" + check(*found, texts=20_000))
