"""Rows of a file are found by what they say, or by ids of the user's own: no label moves with them."""

import csv
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.annotate.project import make_folder, open_project
from lit_al.annotate.project_options import LabelOptions
from lit_al.exceptions import DataError, RefusedError
from lit_al.exchange import export, import_answers
from lit_al.record import BACKUP_FILE, RECORD_FILE, Action, Item, NewEvent, Record, recover, sha256_of
from lit_al.record.own_columns import OwnColumns

LABELS = ("bug", "question")
ROWS = [(f"T-{number}", ("web", "shop")[number % 2], f"ticket number {number}") for number in range(6)]


def write(path, rows, header=("ticket", "channel", "text")):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


@pytest.fixture
def begin(tmp_path):
    """A function: the run of rows, gone on with where it is there."""

    def begin(rows=ROWS, header=("ticket", "channel", "text"), **more):
        data = write(tmp_path / "tickets.csv", rows, header)
        wish = LabelOptions(data=data, labels=",".join(LABELS), log_dir=str(tmp_path / "logs"), **more)
        return open_project(wish, make_folder(wish))

    return begin


def label(record, **said):
    """Labels by the last letter of texts."""
    for item in record.items():
        if (name := said.get(f"t{item.text[-1]}")) is not None:
            record.append(NewEvent(f"e-{item.id}-{name}", item.id, "ann", Action.LABEL, name))


def labels(record):
    found = record.labels()
    return {item.text: found[item.id] for item in record.items() if item.id in found}


def columns(record):
    return {item.text: dict(item.meta) for item in record.items()}


def test_columns_go_into_the_record_and_its_copies(begin):
    with begin(id_column="ticket", show_columns=("channel",)) as project:
        record = project.record
        assert record.columns() == ("ticket", "channel")
        assert record.item(1).meta == {"ticket": "T-1", "channel": "shop"}
        assert OwnColumns.of(record) == OwnColumns("ticket", None, ("channel",))
        label(record, t1="bug")
    lines = [json.loads(line) for line in (project.folder / "texts.jsonl").read_text().splitlines()[1:]]
    assert json.loads(lines[1]["meta"]) == {"ticket": "T-1", "channel": "shop"}
    for name in (RECORD_FILE, BACKUP_FILE):  # the mirrors alone are left
        (project.folder / name).unlink()
    recover(project.folder)
    with Record.open(project.folder) as record:
        assert record.item(1).meta == {"ticket": "T-1", "channel": "shop"}
        assert labels(record) == {"ticket number 1": "bug"}


def test_a_column_that_was_changed_behind_our_back_is_found(begin):
    import sqlite3

    from lit_al.exceptions import DamagedError

    with begin() as project:
        project.record.close()
        with sqlite3.connect(project.folder / RECORD_FILE) as db:
            db.execute("UPDATE item SET meta = replace(meta, 'web', 'fax') WHERE id = 0")
    with pytest.raises(DamagedError, match="text 0 is not as it was written"):
        Record.open(project.folder)


def test_a_row_at_the_top_moves_no_label(begin):
    with begin() as project:
        label(project.record, t0="bug", t4="question")
        before = labels(project.record)
    with begin([("T-9", "web", "ticket number 9"), *ROWS]) as project:
        assert labels(project.record) == before
        assert project.record.count_items() == len(ROWS)
        assert (
            "texts of file tickets.csv that are not in this run: 1, the first in row 1; they are not asked for, and no "
            f"label moved: lit-al project {project.folder} add-texts FILE adds them"
        ) in project.notes


def test_rows_that_are_gone_keep_their_labels(begin):
    with begin() as project:
        label(project.record, t0="bug")
    with begin(ROWS[3:]) as project:
        assert labels(project.record) == {"ticket number 0": "bug"}
        assert "texts of this run that are not in file tickets.csv: 3; they stay, with their labels" in project.notes


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_whatever_is_done_to_the_rows_no_label_and_no_column_moves(data):
    """Moved, inserted, taken out, with copies; with ids and without; labels in the file are those of its rows."""
    words = data.draw(st.lists(st.sampled_from("abcde"), min_size=2, max_size=7), label="texts")
    with_ids = data.draw(st.booleans(), label="ids")
    rows = [(f"id{place}", f"beside {word}", word, LABELS[ord(word) % 2]) for place, word in enumerate(words)]
    header = ("key", "beside", "text", "label")
    changed = data.draw(st.permutations(rows))[data.draw(st.integers(0, 1)) :]
    for number in range(data.draw(st.integers(0, 2), label="inserted")):
        changed.insert(data.draw(st.integers(0, len(changed))), (f"new{number}", "x", f"another {number}", "bug"))
    if not any(row in rows for row in changed):
        return
    with tempfile.TemporaryDirectory() as folder:

        def start(now, **more):
            wish = LabelOptions(
                data=write(Path(folder) / "t.csv", now, header), labels=",".join(LABELS), log_dir=folder, name="run",
                id_column="key" if with_ids else None, **more,
            )  # fmt: skip
            return open_project(wish, make_folder(wish))

        with start(rows) as project:
            project.record.append(NewEvent("an-event", 0, "ann", Action.LABEL, "bug"))
            before = columns(project.record), project.record.labels()
        with start(changed) as project:
            assert (columns(project.record), project.record.labels()) == before
        with start(changed, take_labels=True) as project:
            taken = [one for one in project.record.answers() if one.annotator == "file"]
            assert len(taken) == sum(row in rows for row in changed)
            for one in taken:
                item = project.record.item(one.item)
                assert one.label == item.meta["label"]
                assert not with_ids or item.meta["key"] in {row[0] for row in changed}


def test_an_id_with_another_text_is_refused(begin):
    begin(id_column="ticket").record.close()
    with pytest.raises(RefusedError, match=r"the text of ticket 'T-2' in file tickets.csv, row 3, is another one"):
        begin([*ROWS[:2], ("T-2", "web", "quite another"), *ROWS[3:]])


def test_copies_are_told_apart_by_ids(begin):
    rows = [("A", "web", "thanks"), ("B", "shop", "thanks"), ("C", "web", "hello")]
    with begin(rows, id_column="ticket") as project:
        project.record.append(NewEvent("for-b", 1, "ann", Action.LABEL, "bug"))
    with begin([rows[1], ("D", "web", "thanks"), rows[0], rows[2]]) as project:
        assert project.record.labels() == {1: "bug"}
        assert [item.meta["ticket"] for item in project.record.items()] == ["A", "B", "C"]
        assert any("not in this run: 1, the first in row 2" in note for note in project.notes)


def test_a_record_of_before_columns_were_kept_opens_and_takes_them(tmp_path, begin, helpers):
    folder = tmp_path / "logs" / "tickets"
    texts = [text for *_, text in ROWS]
    with helpers.fill(folder, texts, LABELS) as record:
        label(record, t3="bug")
        assert record.columns() == ()
    with Record.open(folder) as record:
        with pytest.raises(DataError, match=r"holds texts alone; lit-al annotate --data FILE brings the columns"):
            OwnColumns(shown=("channel",)).keep(record)
        assert export(record, tmp_path / "old.csv") == f"1 labeled text in {tmp_path / 'old.csv'}"
    with begin(ROWS[::-1], id_column="ticket") as project:
        assert columns(project.record)["ticket number 3"] == {"ticket": "T-3", "channel": "shop"}
        assert labels(project.record) == {"ticket number 3": "bug"}
    with Record.open(folder) as record:  # checksums and copies know them
        assert record.copies == ""


def test_columns_are_those_that_the_run_began_with(begin):
    begin().record.close()
    with begin([(key, "fax", text) for key, _, text in ROWS]) as project:
        assert columns(project.record)["ticket number 0"]["channel"] == "web"


def test_ids_and_shown_columns_can_be_named_later(begin, tmp_path):
    begin().record.close()
    again = {"run": tmp_path / "logs" / "tickets"}

    def go_on(**more):
        wish = LabelOptions(**again, **more)
        return open_project(wish, make_folder(wish))

    with go_on(id_column="ticket", show_columns=("channel",)) as project:
        assert OwnColumns.of(project.record) == OwnColumns("ticket", None, ("channel",))
    with go_on() as project:  # what was said counts on
        assert OwnColumns.of(project.record).shown == ("channel",)
    with pytest.raises(DataError, match=r"column 'channel' of the run .*: the id 'web' stands there twice"):
        go_on(id_column="channel")
    with pytest.raises(
        DataError, match=r"has no column 'chanel'; did you mean 'channel'\? its columns beside the text"
    ):
        go_on(show_columns=("chanel",))
    with go_on() as project:
        assert OwnColumns.of(project.record).id == "ticket"


def test_a_column_that_is_not_there_is_refused_before_there_is_a_folder(begin, tmp_path):
    with pytest.raises(DataError, match=r"file tickets.csv has no column 'chanel'; did you mean 'channel'"):
        begin(show_columns=("chanel",))
    assert not (tmp_path / "logs" / "tickets" / RECORD_FILE).exists()


def test_columns_that_are_too_long_are_left_out_and_said(begin):
    rows = [(key, "x" * 100_000 if key == "T-3" else channel, text) for key, channel, text in ROWS]
    with begin(rows) as project:
        assert project.record.columns() == ("ticket",)
        assert (
            "not kept, for a row holds more than the 100,000 characters that a run keeps beside a text: 'channel'"
        ) in project.notes
    with pytest.raises(DataError, match=r"row 4: column 'channel' holds 100,007 characters, and a run keeps 100,000"):
        begin(rows, name="other", show_columns=("channel",))


def test_exports_begin_with_the_users_own_columns(begin, tmp_path):
    header = ("channel", "label", "ticket", "text")
    rows = [(channel, "bug", key, text) for key, channel, text in ROWS]
    with begin(rows, header, id_column="ticket") as project:
        record = project.record
        label(record, t1="question")
        record.append(NewEvent("a-skip", 2, "ann", Action.SKIP))
        record.append(NewEvent("a-note", 1, "ann", Action.NOTE, note="odd"))
        record.append(NewEvent("a-flag", 3, "ann", Action.FLAG))
        words = export(record, tmp_path / "out.csv")
        assert words.startswith("1 labeled text and 2 without a label (skipped, tied, noted or flagged) in ")
        with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
            found = list(csv.DictReader(file))
        assert list(found[0])[:5] == ["ticket", "channel", "file_label", "lit_al_id", "lit_al_sha256"]
        picked = [(row["ticket"], row["file_label"], row["label"], row["notes"]) for row in found]
        assert picked == [("T-1", "bug", "question", "odd"), ("T-2", "bug", "", ""), ("T-3", "bug", "", "")]
        assert [(row["skipped_by"], row["flagged_by"]) for row in found] == [("", ""), ("ann", ""), ("", "ann")]
        export(record, tmp_path / "todo.csv", unlabeled=1)  # labels of the file would be followed
        assert (tmp_path / "todo.csv").read_text(encoding="utf-8-sig").startswith("ticket,channel,lit_al_id,")


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [("t.jsonl", "argilla", "metadata"), ("t.jsonl", "prodigy", "meta"), ("t.json", "labelstudio", "meta")],
)
def test_other_tools_get_the_columns_and_give_answers_back(begin, tmp_path, name, kind, place):
    with begin(id_column="ticket") as project:
        label(project.record, t1="question")
        project.record.append(NewEvent("a-note", 1, "ann", Action.NOTE, note="odd"))
        export(project.record, tmp_path / name, kind)
        content = (tmp_path / name).read_text(encoding="utf-8")
        one = json.loads(content)[0] if kind == "labelstudio" else json.loads(content.splitlines()[0])
        assert list(one[place].items())[:2] == [("ticket", "T-1"), ("channel", "shop")]
        assert "odd" in json.dumps(one[place])
        assert import_answers(project.record, tmp_path / name, annotator="ann").taken == 0  # known already


@pytest.mark.parametrize("own", ["uuid", "fields", "meta", "annotator", "Note", "lit_al_id"])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_columns_of_any_name_come_back_as_answers_of_ours(begin, tmp_path, own, name):
    with begin([(key, "ben", text) for key, _, text in ROWS], ("key", own, "text")) as project:
        label(project.record, t1="question", t2="bug")
        export(project.record, tmp_path / name)
        with begin(name="other") as other:
            report = import_answers(other.record, tmp_path / name, annotator="ann")
            assert (report.taken, report.notes) == (2, 0)
            assert labels(other.record) == labels(project.record)
            assert {answer.annotator for answer in other.record.answers()} == {"ann"}


def test_labels_by_id_alone_are_taken(begin, tmp_path):
    answers = tmp_path / "answers.csv"
    answers.write_text("ticket,label\nT-4,bug\nT-0,question\n")
    with begin(id_column="ticket") as project:
        assert import_answers(project.record, answers, annotator="ann").taken == 2
        assert labels(project.record) == {"ticket number 4": "bug", "ticket number 0": "question"}
    answers.write_text("number,label\nT-5,bug\n")
    with begin() as project:
        from lit_al.exceptions import ConfigError

        with pytest.raises(ConfigError, match=r"has no column 'number'.*name one of them with --id-column"):
            import_answers(project.record, answers, id_column="number")
        answers.write_text("number,text,label\nT-5,ticket number 5,bug\n")
        with pytest.raises(DataError, match=r"answers.csv has no column 'ticket'; name the one of your ids"):
            import_answers(project.record, answers, id_column="ticket")
        answers.write_text("ticket,label\nT-7,bug\n")
        with pytest.raises(
            DataError, match=r"line 2, column 1: no text of the run has the id 'T-7'. Nothing was taken"
        ):
            import_answers(project.record, answers, id_column="ticket")


def test_an_event_log_of_a_run_of_moved_rows_finds_its_texts(begin, tmp_path):
    with begin() as project:
        label(project.record, t0="bug", t4="question")
        project.record.append(NewEvent("a-skip", 2, "ann", Action.SKIP))
        project.record.append(NewEvent("an-undo", 2, "ann", Action.UNDO, undoes="a-skip"))
        before = labels(project.record)
        export(project.record, tmp_path / "events.jsonl", "events")
    with begin([("T-9", "web", "ticket number 9"), *ROWS[::-1]], name="moved") as moved:
        assert import_answers(moved.record, tmp_path / "events.jsonl").taken == 2
        assert import_answers(moved.record, tmp_path / "events.jsonl").known == 4
        assert labels(moved.record) == before


def test_words_that_were_lost_come_back_to_their_own_row_also_beside_a_copy(begin):
    rows = [*ROWS, ("T-6", "fax", ROWS[0][2])]
    with begin(rows) as project:
        folder = project.folder
        label(project.record, t0="bug")
    lines = (folder / "texts.jsonl").read_text().splitlines(keepends=True)
    (folder / "texts.jsonl").write_text("".join([lines[0], *lines[2:]]))
    for name in (RECORD_FILE, BACKUP_FILE):
        (folder / name).unlink()
    recover(folder)
    with Record.open(folder) as record:
        assert record.item(0) == Item(0, "", None)
    with begin(rows) as project:
        assert project.record.item(0) == Item(0, sha256_of(ROWS[0][2]), ROWS[0][2], {"ticket": "T-0", "channel": "web"})
        assert project.record.item(6).meta == {"ticket": "T-6", "channel": "fax"}
