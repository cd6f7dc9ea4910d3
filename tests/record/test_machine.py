"""Anything may happen in any order: the record says what a plain dictionary of stacks says."""

import json
import shutil
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lit_al.exceptions import RefusedError
from lit_al.exchange import export, import_answers
from lit_al.record import Action, Item, NewEvent, Record, recover, sha256_of
from lit_al.record.class_history import ClassChange

CLASSES = ("bad", "good")
TEXTS = [f"text {number}" for number in range(6)]
PEOPLE = ("ann", "bob")
ITEMS, WHO = st.integers(0, len(TEXTS) - 1), st.sampled_from(PEOPLE)


class Labeling(RuleBasedStateMachine):
    """Two annotators, six texts, restarts, leases that run out."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.record = Record.create(self.folder / "record.sqlite", CLASSES)
        self.record.add_items(Item(number, sha256_of(text), text) for number, text in enumerate(TEXTS))
        for name in PEOPLE:
            self.record.add_annotator(name)
        self.texts = list(TEXTS)
        self.now = {name: name for name in CLASSES}  # what each name that ever was means
        self.settled = {}  # item: the settlements that stand, as (uuid, who, label), the last one on top
        self.said = {}  # (item, annotator): the answers that stand, as (uuid, label), the last one on top
        self.sent = []

    def send(self, item, who, action, **more):
        event = NewEvent(f"u{len(self.sent)}", item, who, action, **more)
        self.sent.append(event)
        self.record.append(event)
        return event

    def change(self, change):
        """A change of the classes: everything said so far is called as the change says."""
        try:
            self.sent.append(self.record.change_classes(change, "ann"))
        except RefusedError:
            return
        moved = {} if change.kind == "add" else dict.fromkeys(change.names, change.into)
        call = lambda label: moved.get(label, label)  # noqa: E731
        self.said = {key: [(uuid, call(label)) for uuid, label in stack] for key, stack in self.said.items()}
        self.settled = {
            item: [(uuid, who, call(label)) for uuid, who, label in stack] for item, stack in self.settled.items()
        }
        self.now = {name: call(label) for name, label in self.now.items()}
        self.now |= {name: name for name in (*change.names, change.into) if name in self.record.classes}

    @rule(name=st.sampled_from(["fair", "poor", "bad"]))
    def add_a_class(self, name):
        self.change(ClassChange("add", (name,)))

    @rule(data=st.data(), new=st.sampled_from(["fair", "poor", "bad", "fine"]))
    def rename_a_class(self, data, new):
        self.change(ClassChange("rename", (data.draw(st.sampled_from(self.record.classes)),), new))

    @rule(data=st.data())
    def merge_classes(self, data):
        one, into = (data.draw(st.sampled_from(self.record.classes)) for _ in range(2))
        self.change(ClassChange("merge", (one,), into))

    @precondition(lambda self: len(self.texts) < 12)
    @rule()
    def add_a_text(self):
        self.texts.append(f"text {len(self.texts)}")
        number = len(self.texts) - 1
        self.record.add_items([Item(number, sha256_of(self.texts[number]), self.texts[number])])

    @rule(who=WHO)
    def remove_an_annotator(self, who):
        self.record.remove_annotator(who)
        assert who not in self.record.annotators()
        self.record.add_annotator(who)  # and let in again

    @rule(item=ITEMS, who=WHO, label=st.sampled_from(CLASSES))
    def label(self, item, who, label):
        """By a page that knows the first names of the classes alone."""
        event = self.send(item, who, Action.LABEL, label=label)
        self.said.setdefault((item, who), []).append((event.uuid, self.now[label]))

    @rule(item=ITEMS, who=WHO)
    def skip(self, item, who):
        event = self.send(item, who, Action.SKIP)
        self.said.setdefault((item, who), []).append((event.uuid, None))

    @rule(item=ITEMS, who=WHO, label=st.sampled_from(CLASSES))
    def settle(self, item, who, label):
        event = self.send(item, who, Action.SETTLE, label=label)
        self.settled.setdefault(item, []).append((event.uuid, who, self.now[label]))

    @precondition(lambda self: any(self.settled.values()))
    @rule(data=st.data())
    def undo_a_settlement(self, data):
        item = data.draw(st.sampled_from(sorted(item for item, stack in self.settled.items() if stack)))
        uuid, who, _ = self.settled[item].pop(data.draw(st.integers(0, len(self.settled[item]) - 1)))
        self.send(item, who, Action.UNDO, undoes=uuid)

    @precondition(lambda self: any(self.said.values()))
    @rule(data=st.data())
    def undo(self, data):
        item, who = data.draw(st.sampled_from(sorted(key for key, stack in self.said.items() if stack)))
        stack = self.said[item, who]
        place = data.draw(st.integers(0, len(stack) - 1))  # at any depth
        uuid, _ = stack.pop(place)
        self.send(item, who, Action.UNDO, undoes=uuid)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data):
        event = data.draw(st.sampled_from(self.sent))
        before = self.record.last_seq()
        self.record.append(event)
        assert self.record.last_seq() == before

    @rule(who=WHO, n=st.integers(1, 4), seconds=st.sampled_from([0.0, 600.0]))
    def hand_out(self, who, n, seconds):
        found, state = self.record.next_items(who, n, lease_seconds=seconds)
        for one in found:
            assert not self.said.get((one.item.id, who))
            labels = [stack for (item, _), stack in self.said.items() if item == one.item.id and stack]
            assert not any(stack[-1][1] for stack in labels)
            assert not self.settled.get(one.item.id)
        if state == "finished":
            assert all(self.labeled(item) for item in range(len(self.texts)))

    @rule()
    def leases_run_out(self):
        with self.record.transaction() as db:
            db.execute("UPDATE lease SET until = ?", (time.time() - 1,))

    @rule(item=ITEMS, who=WHO, label=st.sampled_from([*CLASSES, None]))
    def import_an_answer(self, item, who, label):
        path = self.folder / "answers.jsonl"
        row = {"lit_al_id": item, "lit_al_sha256": sha256_of(TEXTS[item]), "text": TEXTS[item], "annotator": who}
        row |= {"label": label, "action": None if label else "skip", "file": len(self.sent)}  # each file is another
        path.write_text(json.dumps(row))
        stack = self.said.setdefault((item, who), [])
        label = label and self.now[label]
        new = int(not stack or stack[-1][1] != label)  # what stands already is not said again
        for expected, how in ((new, {"dry_run": True}), (new, {}), (0, {})):
            assert self.taken(path, **how) == expected
        if new:
            event = self.record.history(who, limit=1)[0]
            self.sent.append(event)
            stack.append((event.uuid, label))

    @precondition(lambda self: any(self.said.values()))
    @rule()
    def export_all_and_import_it_again(self):
        files = [self.folder / f"{number}.jsonl" for number in range(3)]
        export(self.record, files[0], "events", overwrite=True)
        import_answers(self.record, files[0])
        for path in files[1:]:
            export(self.record, path, "argilla", overwrite=True)
            import_answers(self.record, files[0])
        assert files[1].read_bytes() == files[2].read_bytes()

    @rule(item=ITEMS, who=WHO, label=st.sampled_from(CLASSES))
    def import_a_settlement(self, item, who, label):
        path = self.folder / "settled.jsonl"
        row = {"lit_al_id": item, "lit_al_sha256": sha256_of(TEXTS[item]), "label": label, "file": len(self.sent)}
        path.write_text(json.dumps(row))
        votes, stack, label = self.votes(item), self.settled.setdefault(item, []), self.now[label]
        new = stack[-1][2] != label if stack else {*votes.values()} != {label}
        for expected, how in ((new, {"dry_run": True}), (new, {}), (0, {})):
            assert import_answers(self.record, path, annotator=who, settles=True, **how).settled == expected
        if new:
            self.sent.append(list(self.record.events())[-1])
            stack.append((self.sent[-1].uuid, who, label))

    @precondition(lambda self: self.sent)
    @rule()
    def recover(self):
        """From the mirror alone."""
        self.record.close()
        for path in self.folder.glob("record.*"):
            path.unlink()
        recover(self.folder)
        self.record = Record.open(self.folder)
        for name in PEOPLE:  # events know those alone who have answered
            self.record.add_annotator(name)

    @rule()
    def restart(self):
        self.record.close()
        self.record = Record.open(self.folder)

    @invariant()
    def it_says_what_was_said(self):
        if not hasattr(self, "record"):
            return
        found = {(answer.item, answer.annotator): answer.label for answer in self.record.answers()}
        assert found == {key: stack[-1][1] for key, stack in self.said.items() if stack}
        for resolve in ("majority", "latest", "drop"):
            for item, one in self.record.verdicts(resolve).items():
                votes, settled = self.votes(item), self.settled.get(item)
                assert dict(one.votes) == votes
                assert one.settled_by == (settled[-1][1] if settled else "")
                assert one.conflict == (len({*votes.values()}) > 1)
                if settled or not one.conflict:
                    assert one.label == (settled[-1][2] if settled else next(iter(votes.values())))
                assert one.open == (one.conflict and not settled)
            answered = {item for item in range(len(self.texts)) if self.votes(item) or self.settled.get(item)}
            assert {*self.record.verdicts(resolve)} == answered
        assert [event.uuid for event in self.record.events()] == [event.uuid for event in self.sent]

    def taken(self, path, **how):
        report = import_answers(self.record, path, **how)
        return report.taken + report.skipped

    def votes(self, item):
        """What each annotator says of a text, without skips."""
        stacks = {who: self.said.get((item, who)) for who in PEOPLE}
        return {who: stack[-1][1] for who, stack in stacks.items() if stack and stack[-1][1]}

    def labeled(self, item):
        if self.settled.get(item):
            return True
        stacks = [self.said.get((item, who)) for who in PEOPLE]
        return any(stack and stack[-1][1] for stack in stacks)

    def teardown(self):
        if hasattr(self, "record"):
            self.record.close()
            shutil.rmtree(self.folder)


TestLabeling = Labeling.TestCase
TestLabeling.settings = settings(max_examples=30, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow])
