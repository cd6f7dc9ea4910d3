"""The page's API: texts out, answers in, progress, and what is refused."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lit_al.record import Action, ModelVersion


def test_first_texts_come_without_a_model_and_are_leased(record, make_client):
    ann, bob = make_client(record), make_client(record, "bob")
    mine, theirs = (client.get("/api/next?n=5").json() for client in (ann, bob))
    assert mine["state"] == theirs["state"] == "open"
    assert len(mine["items"]) == len(theirs["items"]) == 5
    assert not {one["item"] for one in mine["items"]} & {one["item"] for one in theirs["items"]}
    assert mine["items"][0]["generation"] is None
    assert mine["items"][0]["suggestion"] is None


def test_label_is_on_record_before_it_is_acknowledged(record, make_client, helpers):
    client = make_client(record)
    sent = helpers.event(3, label="negative", lead_ms=1234, client_time="2026-01-01T00:00:00Z")
    answer = client.say(sent)
    assert answer.status_code == 200
    assert answer.json()["results"] == [{"uuid": sent["uuid"], "saved": True, "seq": 1, "late": False, "thought": None}]
    assert answer.json()["status"]["saved"] == 1
    stored = record.event(sent["uuid"])
    assert (stored.label, stored.annotator, stored.lead_ms, stored.source) == ("negative", "ann", 1234, "page")


def test_same_event_100_times_at_once_is_one(record, make_client, helpers):
    client, sent = make_client(record), helpers.event(3)
    with ThreadPoolExecutor(8) as pool:
        codes = {answer.status_code for answer in pool.map(lambda _: client.say(sent), range(100))}
    assert codes == {200}
    assert record.last_seq() == 1


def test_same_uuid_with_another_label_is_a_conflict(record, make_client, helpers):
    client, sent = make_client(record), helpers.event(3)
    client.say(sent)
    answer = client.say({**sent, "label": "negative"}, helpers.event(4))
    assert answer.status_code == 409
    first, second = answer.json()["results"]
    assert "is on record" in first["conflict"]
    assert second["saved"]  # one bad event does not hold up the others
    assert record.labels() == {3: "positive", 4: "positive"}


def test_undo_takes_back_to_any_depth_and_a_change_replaces(record, make_client, helpers):
    client = make_client(record)
    first, change = helpers.event(3, label="negative"), helpers.event(3, label="positive")
    client.say(first, change)
    assert record.labels() == {3: "positive"}
    assert client.say(helpers.event(3, "undo", undoes=change["uuid"])).status_code == 200
    assert record.labels() == {3: "negative"}
    status = client.say(helpers.event(3, "undo", undoes=first["uuid"])).json()["status"]
    assert record.labels() == {}
    assert (status["saved"], status["classes"]) == (0, {"negative": 0, "positive": 0})


def test_undo_of_anothers_answer_is_refused(record, make_client, helpers):
    ann, bob, sent = make_client(record), make_client(record, "bob"), helpers.event(3)
    ann.say(sent)
    assert bob.say(helpers.event(3, "undo", undoes=sent["uuid"])).status_code == 400
    assert record.labels() == {3: "positive"}


@pytest.mark.parametrize(
    "change",
    [
        {"label": "neutral"},
        {"label": "Positive"},
        {"label": "positive "},
        {"label": 1},
        {"label": None},
        {"label": ["positive", "negative"]},
        {"item": 999},
        {"item": -1},
        {"item": 2**70},
        {"item": "3"},
        {"item": True},
        {"action": "delete"},
        {"action": None},
        {"uuid": ""},
        {"uuid": "x'; DROP TABLE event; --"},
        {"uuid": 7},
        {"generation": "1"},
        {"action": "note"},
        {"action": "note", "note": "x" * 10_001},
        {"action": "note", "note": "\ud800"},
        {"action": "undo"},
        {"action": "undo", "undoes": "nowhere-to-be-found"},
    ],
)
def test_event_that_cannot_be_is_refused_with_a_reason(record, make_client, helpers, change):
    client = make_client(record)
    answer = client.say({**helpers.event(3), **change})
    assert answer.status_code == 400
    assert answer.json()["results"][0]["refused"]
    assert record.last_seq() == 0


@pytest.mark.parametrize("body", ["[]", "{}", '{"events": []}', '{"events": {}}', '{"events": "x"}', "7", "null"])
def test_body_without_events_is_refused(record, make_client, body):
    answer = make_client(record).post("/api/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("events are sent as")


def test_sql_in_every_field_is_kept_verbatim(record, make_client, helpers):
    evil = "'); DROP TABLE event; --\"%_\\"
    client = make_client(record, evil)
    client.say(helpers.event(3), helpers.event(3, "note", note=evil))
    assert record.notes() == {(3, evil): evil}
    assert client.get("/api/status").json()["annotator"] == evil


def test_annotator_is_the_tokens_whatever_an_event_says(record, make_client, helpers):
    make_client(record, "bob")
    client = make_client(record)
    client.say({**helpers.event(3), "annotator": "bob", "seq": 99, "control": True, "predicted": "negative"})
    stored = next(record.events())
    assert (stored.annotator, stored.control, stored.predicted, stored.seq) == ("ann", False, None, 1)


def test_what_the_model_thought_comes_from_the_record(record, make_client, helpers):
    generation = helpers.rank(record, [5, 6])
    client = make_client(record)
    shown = client.get("/api/next?n=2").json()["items"]
    assert [(one["item"], one["generation"], one["suggestion"]) for one in shown] == [
        (5, generation, None),
        (6, generation, None),
    ]
    sent = helpers.event(5, label="negative", generation=generation, probability=0.1, predicted="negative")
    result = client.say(sent).json()["results"][0]
    assert result["thought"] == {"label": "positive", "probability": 0.75}
    stored = record.event(sent["uuid"])
    assert (stored.predicted, stored.control, stored.strategy, stored.model_version) == ("positive", True, "margin", 7)
    assert not stored.suggestion_shown


@pytest.mark.parametrize("generation", [99, None])
def test_ranking_that_does_not_hold_the_text_says_nothing_of_it(record, make_client, helpers, generation):
    helpers.rank(record, [5])
    client, sent = make_client(record), helpers.event(7, generation=generation)
    assert client.say(sent).json()["results"][0]["thought"] is None
    assert record.event(sent["uuid"]).generation is None


def test_suggestion_is_shown_before_the_answer_only_on_request(tmp_path, make_client, helpers):
    with helpers.fill(tmp_path / "open", show_suggestions=True) as record:
        generation = helpers.rank(record, [5])
        client = make_client(record)
        first = client.get("/api/next?n=1").json()["items"][0]
        assert first["suggestion"] == {"label": "positive", "probability": 0.75, "source": "model"}
        sent = helpers.event(5, generation=generation)
        client.say(sent)
        assert record.event(sent["uuid"]).suggestion_shown


def test_long_text_is_clipped_until_asked_for(tmp_path, make_client, helpers):
    long = "väldig " * 1_500_000  # over 10 MB
    with helpers.fill(tmp_path / "long", [long, "short"]) as record:
        client = make_client(record)
        items = {one["item"]: one for one in client.get("/api/next").json()["items"]}
        assert (len(items[0]["text"]), items[0]["clipped"], items[0]["length"]) == (20_000, True, len(long))
        assert not items[1]["clipped"]
        whole = client.get("/api/text/0")
        assert whole.text == long
        assert whole.headers["content-type"].startswith("text/plain")


def test_history_is_ones_own_newest_first_with_marks(record, make_client, helpers):
    ann, bob = make_client(record), make_client(record, "bob")
    ann.say(helpers.event(1), helpers.event(2, "skip"), helpers.event(3), helpers.event(1, "flag"))
    ann.say(helpers.event(1, "note", note="odd"))
    bob.say(helpers.event(4))
    answers = ann.get("/api/history").json()["answers"]
    assert [(one["item"], one["label"]) for one in answers] == [(3, "positive"), (2, None), (1, "positive")]
    assert (answers[2]["flagged"], answers[2]["note"], answers[2]["text"]) == (True, "odd", "text number 1")
    before = ann.get(f"/api/history?before={answers[1]['seq']}").json()["answers"]
    assert [one["item"] for one in before] == [1]


def test_columns_stand_beside_texts_and_answers_cut_where_they_are_long(tmp_path, make_client, helpers):
    beside = {"order": 7, "subject": "x" * 2_100, "empty": None, "tags": ["a", "b"]}
    with helpers.fill(tmp_path / "other", beside=beside) as record:
        client = make_client(record)
        shown = [["order", "7"], ["subject", "x" * 2_000 + " … 100 more characters"], ["tags", '["a", "b"]']]
        (text,) = client.get("/api/next?n=1").json()["items"]
        assert text["beside"] == shown
        client.say(helpers.event(text["item"]))
        assert client.get("/api/history").json()["answers"][0]["beside"] == shown


def test_unflag_and_empty_note_take_marks_away(record, make_client, helpers):
    client = make_client(record)
    client.say(helpers.event(1), helpers.event(1, "flag"), helpers.event(1, "note", note="odd"))
    client.say(helpers.event(1, "unflag"), helpers.event(1, "note", note=""))
    answer = client.get("/api/history").json()["answers"][0]
    assert (answer["flagged"], answer["note"]) == (False, "")


def test_end_is_told_apart_finished_skipped_wait(tmp_path, make_client, helpers):
    with helpers.fill(tmp_path / "two", ["one", "two"]) as record:
        ann, bob = make_client(record), make_client(record, "bob")
        assert len(ann.get("/api/next").json()["items"]) == 2
        waiting = bob.get("/api/next").json()
        assert (waiting["items"], waiting["state"]) == ([], "wait")
        ann.say(helpers.event(0), helpers.event(1, "skip"))
        skipped = ann.get("/api/next").json()
        assert skipped["state"] == "skipped"
        bob.say(helpers.event(1))
        finished = ann.get("/api/next").json()
        assert finished["state"] == "finished"
        assert len({waiting["words"], skipped["words"], finished["words"]}) == 3


def test_held_texts_are_not_handed_out_again(record, make_client):
    client = make_client(record)
    held = [one["item"] for one in client.get("/api/next?n=5").json()["items"]]
    more = client.get(f"/api/next?n=5&exclude={','.join(map(str, held))}").json()["items"]
    assert not {one["item"] for one in more} & set(held)


def test_removed_annotator_is_out_and_their_labels_stay(record, make_client, helpers):
    client = make_client(record)
    client.say(helpers.event(3))
    record.remove_annotator("ann")
    assert client.say(helpers.event(4)).status_code == 401
    assert record.labels() == {3: "positive"}


def test_full_disk_is_said_and_the_label_is_taken_once_there_is_room(record, make_client, helpers, monkeypatch):
    client, sent = make_client(record), helpers.event(3)

    def full(self, events):
        from lit_al.record.database import in_words

        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        from lit_al.exceptions import StoreError

        raise StoreError(in_words(error, self.path))

    with monkeypatch.context() as patch:
        patch.setattr(type(record), "append_all", full)
        answer = client.say(sent)
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("not saved: the disk")
    assert record.last_seq() == 0
    assert client.say(sent).json()["results"][0]["saved"]


def test_what_is_wrong_with_the_mirror_is_in_the_status_line(record, make_client, helpers):
    client, mirror = make_client(record), record.path.with_name("events.jsonl")
    assert client.get("/api/status").json()["words"]["copies"] == ""
    assert client.say(helpers.event(1)).json()["status"]["copies"] == ""
    with mirror.open("ab") as file:
        file.write(b"5\n")
    answer = client.say(helpers.event(2)).json()
    assert answer["results"][0]["saved"]
    assert answer["status"]["words"]["copies"].startswith("Events.jsonl was damaged (")
    mirror.unlink()
    mirror.mkdir()
    answer = client.say(helpers.event(3)).json()
    assert answer["results"][0]["saved"]
    assert "lags behind: Is a directory; labels are saved all the same" in answer["status"]["copies"]
    assert 'id="copies" role="status"' in client.get("/").text


@pytest.mark.parametrize("name", ["uuid", "label", "note", "undoes", "client_time"])
def test_half_a_surrogate_pair_in_an_event_is_refused_and_the_others_are_taken(record, make_client, helpers, name):
    client = make_client(record)
    kind = {"label": "label", "note": "note", "undoes": "undo"}.get(name, "label")
    answer = client.say({**helpers.event(3, kind), name: "\ud800" * 8}, helpers.event(4))
    assert answer.status_code == 400
    first, second = answer.json()["results"]
    assert "refused" in first
    assert second["saved"]
    assert record.last_seq() == 1


@pytest.mark.parametrize("facts", [{"estimate": 5, "advice": "x"}, {"estimate": {"low": "a"}, "advice": []}, {}])
def test_facts_of_a_model_that_nobody_of_ours_wrote_break_no_status(record, make_client, facts):
    record.add_model(ModelVersion(2, "x", "0", 40, 40, facts))
    record.set_state("trainer", {"state": "training", "detail": 5, "heartbeat": "soon"})
    answer = make_client(record).get("/api/status")
    assert answer.status_code == 200
    assert answer.json()["words"]["advice"] == ""


def test_failure_of_our_own_is_one_sentence(record, make_client, monkeypatch):
    client = make_client(record)
    monkeypatch.setattr(type(record), "next_items", lambda *args, **more: 1 / 0)
    answer = client.get("/api/next")
    assert answer.status_code == 500
    assert answer.json() == {"error": "the server failed; its terminal says why"}


def test_status_tells_of_the_model_in_words(record, make_client):
    estimate = {"accuracy": 0.84, "low": 0.78, "high": 0.89, "rows": 120}
    advice = {"stop": False, "text": "go on: 3 points a round"}
    record.add_model(ModelVersion(2, "x", "0", 40, 40, {"estimate": estimate, "advice": advice}))
    record.set_state("trainer", {"state": "failed", "detail": "out of memory", "heartbeat": 0, "labels": 40})
    words = make_client(record).get("/api/status").json()["words"]
    assert words["model"] == "Version 2 learned from 40 labels. Failed: out of memory."
    assert words["estimate"] == "Accuracy about 84\u00a0% (78 to 89\u00a0%), by 120 texts drawn at random."
    assert words["advice"] == "Go on: 3 points a round."


def test_accuracy_by_a_handful_is_not_told(record, make_client):
    facts = {"estimate": None, "estimate_needs": 6, "advice": {"stop": False, "text": "go on"}}
    record.add_model(ModelVersion(1, "x", "0", 40, 40, facts))
    words = make_client(record).get("/api/status").json()["words"]
    assert words["estimate"] == "Its accuracy is not known yet: 6 more random texts are needed."


def test_silent_trainer_is_shown_as_such(record, make_client):
    record.set_state("trainer", {"state": "training", "detail": "", "heartbeat": 1.0, "labels": 10})
    words = make_client(record).get("/api/status").json()["words"]
    assert words["model"] == "Training does not answer; labeling goes on without it."


def test_no_training_is_said(record, make_client):
    words = make_client(record, training=False).get("/api/status").json()["words"]
    assert words["model"] == "Nothing is trained in this session."


def test_progress_counts_people_apart_and_together(tmp_path, make_client, helpers):
    with helpers.fill(tmp_path / "both", overlap=2) as record:
        ann, bob = make_client(record), make_client(record, "bob", owner="ann")
        ann.say(helpers.event(0), helpers.event(1), helpers.event(2, "skip"))
        bob.say(helpers.event(0, label="negative"), helpers.event(1))
        owner = make_client(record, owner="ann")
        mine, theirs = (client.get("/api/status").json() for client in (owner, bob))
        while mine["agreement"] is None:  # it is counted beside the answers
            time.sleep(0.02)
            mine = owner.get("/api/status").json()
        assert mine["words"]["done"] == (
            "You: 2 labeled, 1 skipped. All together: 2 of 12 texts done by 2 people each."
        )
        assert mine["agreement"]["texts"] == 2
        assert mine["words"]["agreement"].startswith("Agreement on 2 texts: 50% of pairs")
        assert theirs["agreement"] is None  # blind to others, but for the owner


def test_no_answer_waits_until_agreement_is_counted(record, make_client, helpers, monkeypatch):
    from lit_al.annotate.agreement import Agreement

    make_client(record, "bob")
    client, go_on, counts = make_client(record, owner="ann"), threading.Event(), []

    def slow(answers, classes, count=Agreement.of):
        counts.append(1)
        assert go_on.wait(30)
        return count(answers, classes)

    monkeypatch.setattr(Agreement, "of", slow)
    for item in range(5):
        status = client.say(helpers.event(item)).json()["status"]
        assert (status["saved"], status["agreement"]) == (item + 1, None)
    go_on.set()
    while client.get("/api/status").json()["agreement"] is None:
        time.sleep(0.02)
    client.say(helpers.event(9))
    assert counts == [1]  # the next one is due in half a minute


def test_get_writes_nothing_but_leases(record, make_client):
    client = make_client(record)
    with sqlite3.connect(record.path) as db:
        before = [db.execute(f"SELECT * FROM {table}").fetchall() for table in ("event", "item", "annotator", "state")]
    for path in ("/", "/api/next", "/api/history", "/api/status", "/api/text/1", "/api/events"):
        client.get(path)
    with sqlite3.connect(record.path) as db:
        after = [db.execute(f"SELECT * FROM {table}").fetchall() for table in ("event", "item", "annotator", "state")]
    db.close()
    assert before == after


def test_actions_of_the_wire_are_those_of_the_record():
    wire = {"label", "skip", "undo", "flag", "unflag", "note"}
    assert {str(action) for action in Action} == wire | {
        "settle",
        "classes",
    }  # who answers does neither judge nor change what there is


def test_who_answers_cannot_settle(record, make_client, helpers):
    sent = helpers.event(3, "settle", label="negative")
    assert "action is one of label, skip" in make_client(record).say(sent).json()["results"][0]["refused"]
    assert record.verdicts() == {}
