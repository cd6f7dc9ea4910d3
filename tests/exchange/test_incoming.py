import csv
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lit_al.exceptions import ConfigError, DataError, StoreError
from lit_al.exchange import export, import_answers
from lit_al.record import Action, NewEvent, sha256_of

EVERYONE = ("argilla", "prodigy", "events")


@pytest.fixture
def fill(tmp_path):
    """A function that exports questions to a CSV file and fills it in by text id."""

    def fill(record, answers, name="q.csv", **more):
        path = tmp_path / name
        export(record, path, unlabeled=99, overwrite=True)
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row |= answers.get(int(row["lit_al_id"]), {}) | more
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return path

    return fill


def test_answers_from_a_spreadsheet_are_on_record(record, fill):
    path = fill(record, {0: {"label": "pos"}, 1: {"label": "neg", "note": "=odd"}, 2: {"action": "skip"}})
    report = import_answers(record, path, annotator="ann")
    assert (report.taken, report.skipped, report.unanswered, report.notes) == (2, 1, 4, 1)
    assert report.per_class == {"neg": 1, "pos": 1}
    assert record.labels() == {0: "pos", 1: "neg"}
    assert record.notes() == {(1, "ann"): "=odd"}
    assert sorted((answer.item, answer.annotator, answer.label) for answer in record.answers()) == [
        (0, "ann", "pos"),
        (1, "ann", "neg"),
        (2, "ann", None),
    ]
    assert {event.source for event in record.events()} == {"import"}


def test_a_file_twice_adds_nothing_even_after_an_undo(record, fill):
    path = fill(record, {0: {"label": "pos"}, 2: {"action": "skip"}, 3: {"label": "neg", "note": "hm"}})
    import_answers(record, path)
    before = record.last_seq()
    report = import_answers(record, path)
    assert (report.taken, report.skipped, report.known, record.last_seq()) == (0, 0, 4, before)
    (given,) = (answer for answer in record.answers() if answer.item == 0)
    record.append(NewEvent("undo", 0, given.annotator, Action.UNDO, undoes=given.uuid))
    assert import_answers(record, path).taken == 0
    assert 0 not in record.labels()


def test_the_rest_of_a_file_comes_later_and_a_changed_answer_wins(record, fill):
    import_answers(record, fill(record, {0: {"label": "pos"}, 1: {"label": "pos"}}))
    path = fill(record, {}, "rest.csv")
    lines = [(0, "neg"), (1, "pos"), (2, "neg")]
    rows = "".join(f"{item},{record.item(item).sha256},{label}\n" for item, label in lines)
    path.write_text("lit_al_id,lit_al_sha256,label\n" + rows)
    report = import_answers(record, path)
    assert (report.taken, report.known) == (2, 1)
    assert record.labels() == {0: "neg", 1: "pos", 2: "neg"}


def test_a_dry_run_reports_the_same_and_adds_nothing(record, fill):
    path = fill(record, {0: {"label": "pos"}, 2: {"action": "skip"}})
    dry = import_answers(record, path, dry_run=True)
    assert record.last_seq() == 0
    wet = import_answers(record, path)
    assert (dry.taken, dry.skipped, dry.unanswered) == (wet.taken, wet.skipped, wet.unanswered) == (1, 1, 5)
    assert dry.in_words() == wet.in_words() + "; dry run, nothing was written"


def test_one_bad_row_keeps_all_out(record, fill):
    path = fill(record, {0: {"label": "pos"}, 5: {"label": "Pos"}})
    with pytest.raises(DataError, match=r"column 4: the label is 'Pos', did you mean 'pos'\? Nothing was taken"):
        import_answers(record, path)
    assert record.last_seq() == 0


def test_a_failing_write_keeps_all_out(record, fill, monkeypatch):
    path = fill(record, {0: {"label": "pos"}, 1: {"label": "pos"}})
    whole, calls = record._append, []

    def fail(db, event):
        calls.append(event)
        if len(calls) == 2:
            raise StoreError("not saved: the disk is full")
        return whole(db, event)

    monkeypatch.setattr(record, "_append", fail)
    with pytest.raises(StoreError):
        import_answers(record, path)
    assert (len(calls), record.last_seq()) == (2, 0)


def test_the_file_of_another_run_is_refused(record, make_record, fill):
    other = make_record(["other", "texts"])
    with pytest.raises(DataError, match="2 problems, and nothing was taken"):
        import_answers(record, fill(other, {0: {"label": "pos"}, 1: {"label": "pos"}}))


def test_edited_texts_keep_a_file_out(record, fill):
    path = fill(record, {0: {"label": "pos", "text": "edited"}, 1: {"label": "neg"}})
    with pytest.raises(DataError, match="the text was edited"):
        import_answers(record, path)
    assert record.last_seq() == 0


def test_suggestions_that_were_shown_are_noted(ranked, tmp_path):
    export(ranked, tmp_path / "q.jsonl", unlabeled=1, suggestions=True)
    line = json.loads((tmp_path / "q.jsonl").read_text(encoding="utf-8"))
    (tmp_path / "q.jsonl").write_text(json.dumps({**line, "label": "neg"}))
    import_answers(ranked, tmp_path / "q.jsonl")
    (event,) = ranked.events()
    assert (event.suggestion_shown, event.predicted, event.probability) == (True, "pos", 0.75)


def test_label_studio_answers_keep_their_author_time_and_pace(record, tmp_path):
    export(record, tmp_path / "t.json", unlabeled=2)
    tasks = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    result = [{"type": "choices", "value": {"choices": ["pos"]}}]
    for number, task in enumerate(tasks):
        task["annotations"] = [
            {"id": 2 * number, "result": result, "completed_by": 1, "created_at": "2026-01-01", "lead_time": 1.5},
            {"id": 2 * number + 1, "result": result, "completed_by": 2, "was_cancelled": True},
        ]
    (tmp_path / "back.json").write_text(json.dumps(tasks))
    report = import_answers(record, tmp_path / "back.json")
    assert (report.taken, report.skipped) == (2, 2)
    event = next(record.events())
    assert (event.annotator, event.client_time, event.lead_ms) == ("1", "2026-01-01", 1500)
    assert import_answers(record, tmp_path / "back.json").known == 4


answers = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["ann", "bob", "cem"]), st.sampled_from(["neg", "pos", None])),
    max_size=12,
)


def copy(make_record, record, tmp_path, name, kind, **more):
    """Export, import into another record of the same texts, export again; both files."""
    one, two = tmp_path / f"1-{name}", tmp_path / f"2-{name}"
    export(record, one, kind, overwrite=True)
    other = make_record()
    if one.stat().st_size:
        import_answers(other, one, kind, **more)
    export(other, two, kind, overwrite=True)
    return one.read_bytes(), two.read_bytes(), other


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=answers, notes=st.dictionaries(st.tuples(st.integers(0, 6), st.just("ann")), st.just("=hm, 'so'")))
def test_export_import_export_is_the_same_to_the_byte(make_record, tmp_path, answers, notes):
    record = make_record()
    for number, (item, annotator, label) in enumerate(answers):
        action = Action.SKIP if label is None else Action.LABEL
        record.append(NewEvent(str(number), item, annotator, action, label))
    for (item, annotator), note in notes.items():
        record.append(NewEvent(f"n{item}", item, annotator, Action.NOTE, note=note))
    for kind in ("argilla", "prodigy"):
        first, second, other = copy(make_record, record, tmp_path, "t.jsonl", kind)
        assert first == second
        assert other.labels() == record.labels()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=st.dictionaries(st.integers(0, 6), st.sampled_from(["neg", "pos"])))
def test_labels_of_one_annotator_are_the_same_to_the_byte(make_record, tmp_path, labels):
    record = make_record()
    record.append_all([NewEvent(str(item), item, "ann", Action.LABEL, label) for item, label in labels.items()])
    for name, kind in [("t.csv", "csv"), ("t.jsonl", "jsonl"), ("t.json", "labelstudio")]:
        first, second, other = copy(make_record, record, tmp_path, name, kind, annotator="ann")
        assert first == second
        assert other.labels() == record.labels() == labels


# The log of events


@pytest.fixture
def logged(record, say):
    say(record, 0, "pos", client_time="2026-01-01", lead_ms=900)
    say(record, 0, None, "bob")
    taken = say(record, 1, "neg")
    record.append(NewEvent("undo", 1, "ann", Action.UNDO, undoes=taken.uuid))
    record.append(NewEvent("note", 2, "ann", Action.NOTE, note="hm"))
    record.append(NewEvent("flag", 2, "ann", Action.FLAG))
    return record


def without_clock(content):
    return [{**json.loads(line), "server_time": ""} for line in content.splitlines()]


def test_the_log_of_events_makes_the_same_record(logged, make_record, tmp_path):
    first, second, other = copy(make_record, logged, tmp_path, "t.jsonl", "events")
    assert without_clock(first) == without_clock(second)
    assert (other.labels(), other.notes(), other.flags()) == (logged.labels(), logged.notes(), logged.flags())
    report = import_answers(other, tmp_path / "1-t.jsonl")
    assert (report.taken, report.skipped, report.notes, report.others, report.known) == (0, 0, 0, 0, 6)
    export(other, tmp_path / "2-t.jsonl", "events")  # the same still: nothing was added


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "odd"}, "line 1: the label is 'odd'; the labels are 'neg', 'pos'"),
        ({"label": None}, "line 1: an event of action label lacks 'label'"),
        ({"note": "x"}, "line 1: an event of action label has 'note'"),
        ({"action": "bless"}, "line 1: the action is 'bless', which is none"),
        ({"item": 99}, "line 1: text 99 is none of this run"),
        ({"item": "0"}, "line 1: the item is '0', not a whole number"),
        ({"sha256": sha256_of("x")}, "line 1: text 0 is another one in this run"),
        ({"uuid": None}, "line 1: the uuid is missing"),
        ({"annotator": ""}, "line 1: the annotator is missing"),
        ({"forced": "no"}, "line 1: forced is 'no', not true or false"),
        ({"probability": "high"}, "line 1: the probability is 'high', not a number"),
        ({"schema_version": 9}, "line 1: schema_version 9"),
        ({"action": "undo", "label": None, "undoes": "none"}, "line 1: it takes back none, which is neither here"),
    ],
)
def test_events_that_a_record_cannot_take_keep_all_out(logged, make_record, tmp_path, change, message):
    export(logged, tmp_path / "t.jsonl", "events")
    first, *rest = (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "t.jsonl").write_text("\n".join([json.dumps({**json.loads(first), **change}), *rest]))
    other = make_record()
    with pytest.raises(DataError, match=re.escape(message)):
        import_answers(other, tmp_path / "t.jsonl", "events")
    assert other.last_seq() == 0


def test_an_event_with_other_content_is_refused(logged, tmp_path):
    export(logged, tmp_path / "t.jsonl", "events")
    lines = (tmp_path / "t.jsonl").read_text(encoding="utf-8")
    (tmp_path / "t.jsonl").write_text(lines.replace('"label": "pos"', '"label": "neg"'))
    with pytest.raises(DataError, match="is on record with other content"):
        import_answers(logged, tmp_path / "t.jsonl")


def test_options_that_say_nothing_are_refused(record, tmp_path):
    (tmp_path / "t.txt").write_text("x")
    for path, options, message in [
        ("t.txt", {}, "says no format"),
        ("t.txt", {"format": "parquet"}, "'parquet' is none of csv"),
        ("t.csv", {"annotator": " "}, "' ' is no name"),
    ]:
        with pytest.raises(ConfigError, match=message):
            import_answers(record, tmp_path / path, **options)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        import_answers(record, tmp_path / "none.jsonl")
