"""Classes, texts and people that change while people label."""

import csv
import json

import pytest

from lit_al.annotate.heartbeat import Pulse
from lit_al.annotate.managing import ProjectOptions, manage
from lit_al.annotate.project import open_project
from lit_al.annotate.project_options import AnnotateOptions
from lit_al.annotate.service import LabelingService
from lit_al.annotate.trainer import Trainer
from lit_al.cli.main import main
from lit_al.exceptions import RefusedError
from lit_al.models.checkpoint import load_model
from lit_al.record import Action, NewEvent, Record

COLUMNS = ("ticket", "message")
ROWS = [(f"T-{number}", f"ticket number {number}") for number in range(6)]


def write(path, rows, columns=COLUMNS):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return str(path)


def do(run, what, *names, **more):
    said = []
    manage(ProjectOptions(run, what, names, **more), said.append, input)
    return said


@pytest.fixture
def run(tmp_path):
    """A project of six tickets with ids, ann its owner; the first is labeled."""
    data = write(tmp_path / "tickets.csv", ROWS)
    wish = AnnotateOptions(
        data=data, text_column="message", id_column="ticket", labels="bug,question", log_dir=str(tmp_path / "logs")
    )
    folder = tmp_path / "logs" / "tickets"
    folder.mkdir(parents=True)
    with open_project(wish, folder) as project:
        project.record.add_annotator("ann")
        project.record.append(NewEvent("first", 0, "ann", Action.LABEL, label="bug"))
    return folder


def texts(run):
    with Record.open(run) as record:
        return {item.meta["ticket"]: (item.id, item.text) for item in record.items()}


@pytest.mark.parametrize("order", [1, -1])
def test_texts_are_added_once_wherever_their_rows_stand_and_old_ones_stay(run, tmp_path, order):
    before = texts(run)
    more = [("N-1", "a new one"), ROWS[3], ("N-2", "another new one"), ("N-3", "a new  ONE")][::order]
    [said] = do(run, "add-texts", write(tmp_path / "more.csv", more), text_column="message")
    assert said == "texts added: 3, 1 were there already; the run has 9"
    after = texts(run)
    assert {ticket: after[ticket] for ticket in before} == before
    assert {after[ticket][1] for ticket in ("N-1", "N-2", "N-3")} == {"a new one", "another new one", "a new  ONE"}
    [said] = do(run, "add-texts", str(tmp_path / "more.csv"), text_column="message")
    assert "nothing was added" in said
    assert texts(run) == after
    with Record.open(run) as record:
        assert record.groups().first_of(after["N-1"][0]) == record.groups().first_of(after["N-3"][0])
        assert record.labels() == {0: "bug"}


def test_rows_without_ids_and_known_ids_with_other_texts_are_refused_and_nothing_is_added(run, tmp_path, capsys):
    before = texts(run)
    for rows, columns, why in (
        ([("a new one",)], ("message",), "no column 'ticket'"),
        ([("T-1", "an edited one"), ("N-1", "a new one")], COLUMNS, "is another one than in"),
        ([("N-1", "a new one"), ("N-1", "another")], COLUMNS, "each row has an id of its own"),
    ):
        path = write(tmp_path / "more.csv", rows, columns)
        assert main(["project", str(run), "add-texts", path, "--text-column", "message"]) == 2
        said = capsys.readouterr().err
        assert why in said
        assert said.count("\n") == 1
    assert texts(run) == before


def test_classes_change_by_command_while_a_page_is_served(run):
    with Record.open(run) as record:
        service = LabelingService(record, "tickets", owner="ann")
        assert service.status("ann")["classes"] == {"bug": 1, "question": 0}
        assert do(run, "add-label", "praise", "spam") == [
            "added: 'praise', 'spam'; the classes are bug, question, praise, spam"
        ]
        assert do(run, "rename-label", "bug", "fault") == [
            "'bug' is 'fault' now (1 label so far); the classes are fault, question, praise, spam"
        ]
        assert service.status("ann")["classes"] == {"fault": 1, "question": 0, "praise": 0, "spam": 0}
        sent = {"uuid": "an-old-page", "item": 1, "action": "label", "label": "bug"}
        assert service.take("ann", sent)["saved"]
        assert do(run, "merge-labels", "spam", "praise", "question")[0].endswith("the classes are fault, question")
        assert service.status("ann")["classes"] == {"fault": 2, "question": 0}
        assert [answer["label"] for answer in service.history("ann")] == ["fault", "fault"]


def test_texts_that_are_added_are_counted_and_asked_while_a_page_is_served(run, tmp_path):
    with Record.open(run) as record:
        service = LabelingService(record, "tickets")
        assert service.status("ann")["total"] == 6
        do(run, "add-texts", write(tmp_path / "more.csv", [("N-1", "new"), ("N-2", "NEW ")]), text_column="message")
        assert service.status("ann")["total"] == 7  # one is a copy of the other
        asked = {item["text"] for item in service.next("ann", 20, [])["items"]}
        assert len(asked & {"new", "NEW "}) == 1
        assert len(asked) == 6


def test_the_owner_changes_classes_by_the_page_and_nobody_else_does(record, make_client):
    owner = make_client(record, "ann", owner="ann")
    other = make_client(record, "bob", owner="ann")

    def ask(client, body):
        answer = client.post("/api/manage", json=body)
        return answer.status_code, answer.json()

    assert ask(other, {"do": "add-label", "names": ["mixed"]})[0] == 403
    assert ask(owner, {"do": "add-label", "names": ["mixed"]}) == (
        200,
        {"words": "added: 'mixed'; the classes are negative, positive, mixed"},
    )
    assert ask(owner, {"do": "rename-label", "old": "mixed", "new": "both"})[0] == 200
    assert ask(owner, {"do": "merge-labels", "names": ["both"], "into": "positive"})[0] == 200
    assert ask(owner, {"do": "remove-annotator", "name": "bob"})[0] == 200
    assert other.get("/api/status").status_code == 401
    assert owner.get("/api/status").json()["labels"] == ["negative", "positive"]
    for body in (
        [],
        {},
        {"do": "burn"},
        {"do": "add-label"},
        {"do": "add-label", "names": []},
        {"do": "add-label", "names": [5]},
        {"do": "add-label", "names": ["negative"]},
        {"do": "rename-label", "old": "negative"},
        {"do": "merge-labels", "names": ["positive"], "into": "negative"},
        {"do": "remove-annotator", "name": "ann"},
        {"do": "remove-annotator", "name": "eve"},
    ):
        status, answer = ask(owner, body)
        assert (status, list(answer)) == (400, ["error"])
    for action in ("classes", "settle"):
        answer = other.post("/api/events", json={"events": [{"uuid": "u" * 8, "item": 1, "action": action}]})
        assert answer.status_code == 401
    sent = {"uuid": "u" * 8, "item": -1, "action": "classes", "note": json.dumps({"kind": "add"})}
    answer = owner.post("/api/events", json={"events": [sent]})
    assert answer.status_code == 400
    assert [event.action for event in record.events()] == ["classes"] * 3


def test_the_trainer_goes_on_with_new_classes_and_new_texts_and_old_models_know_theirs(make_run):
    run = make_run()
    trainer = Trainer(run.folder, run.record, Pulse(run.record))
    run.answer(8)
    trainer.turn(run.record.last_seq())
    old = run.record.newest_model()
    assert old.facts["classes"] == ["negative", "positive"]
    do(run.folder, "rename-label", "negative", "poor")
    do(run.folder, "add-label", "mixed")
    ranked = run.record.ranked(run.record.newest_generation().id)
    assert {*ranked[0].probabilities} == {"poor", "positive"}  # before there is a new model
    path = run.folder.parent / "more.csv"
    path.write_text("text\n" + "".join(f"quite another text {number}\n" for number in range(5)))
    do(run.folder, "add-texts", str(path))
    run.say(run.ids[-1], "mixed")
    trainer.turn(run.record.last_seq())
    new = run.record.newest_model()
    assert (new.version, new.facts["classes"]) == (2, ["poor", "positive", "mixed"])
    assert load_model(run.folder / new.path).classes == ("poor", "positive", "mixed")
    assert load_model(run.folder / old.path).classes == ("negative", "positive")
    newest = run.record.newest_generation()
    assert newest.n == 60 + 5 - 9
    assert {item.id for item in run.record.items() if (item.text or "").startswith("quite")} <= {
        one.item for one in run.record.ranked(newest.id)
    }


def test_the_command_of_the_beginning_goes_on_after_classes_were_renamed(run, tmp_path):
    do(run, "rename-label", "bug", "fault")
    wish = AnnotateOptions(
        data=str(tmp_path / "tickets.csv"), text_column="message", labels="bug,question", log_dir=str(tmp_path / "logs")
    )
    with open_project(wish, run) as project:
        assert project.record.classes == ("fault", "question")
        with pytest.raises(RefusedError, match="there is a class"):
            do(run, "add-label", "fault")
