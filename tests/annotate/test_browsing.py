"""The API behind the page's other views: who may ask, what is told, what is settled."""

import pytest

from lit_al.annotate.guidelines import as_html
from lit_al.record.suspected import Suspected, keep

FOR_OWNERS = ("/api/conflicts", "/api/suspects", "/api/settled")


@pytest.fixture
def people(record, make_client, helpers):
    """ann, who owns the run, and bob; they differ on text 3, and ann has flagged text 5."""
    ann, bob = make_client(record, owner="ann"), make_client(record, "bob", owner="ann")
    ann.say(helpers.event(3), helpers.event(4), helpers.event(5, "flag"))
    bob.say(helpers.event(3, label="negative"), helpers.event(5, "note", note="odd"), helpers.event(6, "skip"))
    return ann, bob


def rows(client, query=""):
    return client.get(f"/api/browse?{query}").json()["rows"]


def test_owner_sees_all_others_their_own_alone(people):
    ann, bob = people
    [mine, theirs] = [rows(client, "q=number 3")[0] for client in (ann, bob)]
    assert (mine["answers"], mine["label"], mine["conflict"]) == (
        [["ann", "positive"], ["bob", "negative"]],
        None,
        True,
    )
    assert (theirs["answers"], theirs["label"], theirs["conflict"]) == ([["bob", "negative"]], "negative", False)
    [mine, theirs] = [rows(client, "q=number 5")[0] for client in (ann, bob)]
    assert (mine["flags"], mine["notes"]) == (["ann"], {"bob": "odd"})
    assert (theirs["flags"], theirs["notes"]) == ([], {"bob": "odd"})


@pytest.mark.parametrize(
    ("query", "of_ann", "of_bob"),
    [
        ("only=labeled", [3, 4], [3]),
        ("only=flagged", [5], []),
        ("only=noted", [5], [5]),
        ("only=skipped", [6], [6]),
        ("label=positive", [3, 4], []),
        ("annotator=bob&only=labeled", [3], [3]),
        ("q=NUMBER+1&n=2", [1, 10], [1, 10]),
        ("after=9", [10, 11], [10, 11]),
        ("q=%00", [], []),
        ("q=%ed%a0%80", [], []),
        ("q=%25&label=%00&annotator=&only=", [], []),
    ],
)
def test_filters(people, query, of_ann, of_bob):
    assert [[row["item"] for row in rows(client, query)] for client in people] == [of_ann, of_bob]


@pytest.mark.parametrize("query", ["only=disagreement", "only=settled", "only=suspect", "annotator=ann", "only=evil"])
def test_what_others_said_is_not_for_everybody(people, query):
    answer = people[1].get(f"/api/browse?{query}")
    assert answer.status_code == 404
    assert answer.json()["error"]


@pytest.mark.parametrize("path", FOR_OWNERS)
def test_judging_is_for_the_owner_alone(people, make_client, record, path):
    assert people[0].get(path).status_code == 200
    assert people[1].get(path).status_code == 403
    assert make_client(record).get(path).status_code == 403  # a run without an owner, as in the terminal


@pytest.mark.parametrize("query", ["n=0", "n=51", "n=x", "after=-5", f"q={'x' * 501}"])
def test_query_that_cannot_be_is_refused(people, query):
    assert people[0].get(f"/api/browse?{query}").status_code in (400, 404)


def test_item_comes_with_ones_own_answer(people):
    ann, bob = people
    mine, theirs = (client.get("/api/item/3").json() for client in people)
    assert (mine["label"], theirs["label"]) == ("positive", "negative")
    assert mine["uuid"] != theirs["uuid"]
    assert bob.get("/api/item/4").json()["uuid"] is None
    assert ann.get("/api/item/999").status_code == 404


def test_owner_settles_and_takes_it_back(people, record, helpers):
    ann, bob = people
    [text] = ann.get("/api/conflicts").json()["items"]
    assert (text["item"], text["tie"], text["label"]) == (3, True, None)
    assert text["votes"] == [{"annotator": "ann", "label": "positive"}, {"annotator": "bob", "label": "negative"}]
    sent = helpers.event(3, "settle", label="negative")
    assert bob.say(sent).status_code == 400
    assert ann.say(sent).status_code == 200
    after = ann.get("/api/conflicts").json()
    assert (after["items"], after["left"], after["words"][:19]) == ([], 0, "All settled: 1 text")
    assert record.labels() == {3: "negative", 4: "positive"}
    [settled] = ann.get("/api/settled").json()["settled"]
    assert (settled["item"], settled["uuid"]) == (3, sent["uuid"])
    assert bob.say(helpers.event(3, "undo", undoes=sent["uuid"])).status_code == 400
    assert ann.say(helpers.event(3, "undo", undoes=sent["uuid"])).status_code == 200
    assert ann.get("/api/conflicts").json()["left"] == 1


def test_suspects_whose_label_changed_are_left_out(people, record, helpers):
    ann, _ = people
    found = [Suspected(item, "positive", "negative", 0.9, 0.1, True) for item in (4, 3, 7)]
    keep(record, [*found, Suspected(4, "positive", "gone", 0.9, 0.1, True)], 2, 1)
    listed = ann.get("/api/suspects").json()
    assert [one["item"] for one in listed["items"]] == [4]
    assert listed["items"][0]["suspected"] == {"label": "negative", "probability": 0.9, "own": 0.1}
    assert [row["item"] for row in rows(ann, "only=suspect")] == [3, 4, 7]
    ann.say(helpers.event(4, "settle", label="positive"))  # it is right
    assert ann.get("/api/suspects").json()["left"] == 0


def test_views_write_nothing(people, record):
    before = record.last_seq()
    for path in (*FOR_OWNERS, "/api/browse", "/api/item/3"):
        assert people[0].get(path).status_code == 200
        assert people[0].post(path).status_code in (403, 405)
    assert record.last_seq() == before


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "[x](javascript:alert(1))", "![x](https://e.com/x.png)", "<!-- x -->", "[x](data:text/html,x)"]
)
def test_guidelines_hold_no_html_of_their_own(text):
    html = str(as_html(text))
    assert not any(part in html for part in ("<b>", "<img", "<!--", 'href="javascript', 'href="data'))
    assert "x" in html
