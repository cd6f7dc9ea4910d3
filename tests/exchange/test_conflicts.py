"""Where annotators differ: nothing vanishes unsaid, and what is settled is exported."""

import csv
import json

import pytest

from lit_al.cli import main
from lit_al.exceptions import ConfigError, RefusedError
from lit_al.exchange import export, export_conflicts, import_answers
from lit_al.record import Action, Item, NewEvent, Record, sha256_of


@pytest.fixture
def torn(record, say):
    """Texts 0 and 1 tie, 2 is pos by two to one, 3 is agreed on, 4 has one label, 5 was skipped."""
    for item, labels in {
        0: ("pos", "neg"),
        1: ("neg", "pos"),
        2: ("pos", "neg", "pos"),
        3: ("neg", "neg"),
        4: ("pos",),
    }.items():
        for annotator, label in zip(("ann", "bob", "cat"), labels, strict=False):
            say(record, item, label, annotator)
    say(record, 5, None)
    return record


@pytest.fixture
def fill_in(tmp_path):
    """A function that writes labels of a record's texts, by nobody, to a CSV file."""

    def fill_in(record, labels):
        rows = [{"lit_al_id": item.id, "text": item.text, "label": labels[item.id]} for item in record.items(labels)]
        return write(tmp_path / "by-nobody.csv", rows)

    return fill_in


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("resolve", "labels", "words"),
    [
        ("majority", 3, "differ on 3 texts: 1 have the label given most often, 2 without a label, by a tie; "),
        ("latest", 5, "differ on 3 texts: 3 have the label given last; "),
        ("drop", 2, "differ on 3 texts: 3 without a label; "),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "json"])
def test_every_export_of_labels_says_what_became_of_conflicts(torn, tmp_path, resolve, labels, words, suffix):
    said = export(torn, tmp_path / f"labels.{suffix}", resolve=resolve)
    assert said.startswith(
        f"{labels} labeled texts and {6 - labels} without a label (skipped, tied, noted or flagged) in "
    )
    assert f"annotators {words}" in said
    assert said.endswith(f"lit-al export {torn.path.parent} --conflicts FILE lists them")


@pytest.mark.parametrize("kind", ["argilla", "prodigy", "events"])
def test_each_annotators_answers_say_so_too(torn, tmp_path, kind):
    torn.append(NewEvent("settled", 0, "lead", Action.SETTLE, "neg"))
    said = export(torn, tmp_path / "all.jsonl", kind)
    assert "annotators differ on 3 texts, and each answer is in it" in said
    assert ("but 1 settled labels are not" in said) == (kind != "events")


def test_one_annotators_labels_need_no_word(record, say, tmp_path):
    say(record, 0, "pos")
    assert export(record, tmp_path / "a.csv") == f"1 labeled text in {tmp_path / 'a.csv'}"
    say(record, 0, "pos", "bob")
    assert export(record, tmp_path / "b.csv").endswith("; annotators differ on none of 1 text that several labeled")


def test_conflicts_are_listed_with_each_answer_settled_in_a_spreadsheet_and_exported(torn, tmp_path):
    path = tmp_path / "conflicts.csv"
    said = export_conflicts(torn, path, "majority")
    assert said.startswith(f"3 texts on which annotators differ, 3 not settled, in {path}; ")
    rows = rows_of(path)
    assert [(row["lit_al_id"], row["label"], row["state"]) for row in rows] == [
        ("0", "", "tie"), ("1", "", "tie"), ("2", "", "pos for now"),
    ]  # fmt: skip
    assert rows[2]["votes"] == "pos 2, neg 1"
    assert [rows[0][f"by {name}"] for name in ("ann", "bob", "cat")] == ["pos", "neg", ""]
    rows[0]["label"], rows[2]["label"] = "neg", "pos"
    report = import_answers(torn, write(path, rows), annotator="lead", settles=True)
    assert (report.settled, report.taken, report.unanswered) == (2, 0, 1)
    assert torn.labels() == {0: "neg", 2: "pos", 3: "neg", 4: "pos"}
    assert "differ on 3 texts: 2 settled, 1 without a label, by a tie" in export(torn, tmp_path / "labels.csv")
    labels = {row["lit_al_id"]: row for row in rows_of(tmp_path / "labels.csv")}
    assert (labels["0"]["label"], labels["0"]["annotators"], labels["0"]["agree"]) == ("neg", "2", "1")
    export_conflicts(torn, path, "majority", overwrite=True)
    assert [row["state"] for row in rows_of(path)] == ["tie", "settled by lead", "settled by lead"]
    assert import_answers(torn, path, annotator="lead", settles=True).settled == 0  # as it stands, nothing is new


def test_conflicts_as_jsonl_come_back_too(torn, tmp_path):
    path = tmp_path / "conflicts.jsonl"
    export_conflicts(torn, path, "majority")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows[0]["answers"] == {"ann": "pos", "bob": "neg"}
    path.write_text("".join(json.dumps({**row, "label": "neg"}) + "\n" for row in rows))
    assert import_answers(torn, path, settles=True).settled == 3
    assert torn.labels("drop") == {0: "neg", 1: "neg", 2: "neg", 3: "neg", 4: "pos"}
    with pytest.raises(ConfigError, match=r"end its name in \.csv or \.jsonl"):
        export_conflicts(torn, tmp_path / "conflicts.parquet", "majority")


def test_labels_corrected_in_a_spreadsheet_are_never_lost_in_ties(record, say, tmp_path):
    """The walk: 7 texts exported, 2 corrected, taken back without a name."""
    for item in range(7):
        say(record, item, "pos")
    path = tmp_path / "labels.csv"
    export(record, path)
    rows = rows_of(path)
    for row in rows[:2]:
        row["label"] = "neg"
    write(path, rows)
    before = record.last_seq()
    for how in ({"dry_run": True}, {}):
        with pytest.raises(
            RefusedError, match=r"2 of its labels differ from those of ann: .*--annotator ann to correct"
        ):
            import_answers(record, path, **how)
    assert record.last_seq() == before
    report = import_answers(record, path, annotator="ann")
    assert "2 answers of ann changed" in report.in_words()
    assert record.labels() == {0: "neg", 1: "neg", **dict.fromkeys(range(2, 7), "pos")}


def test_a_correction_that_would_be_outvoted_is_refused_too(torn, tmp_path):
    path = tmp_path / "labels.csv"
    export(torn, path)
    rows = [row for row in rows_of(path) if row["lit_al_id"] == "3"]  # ann and bob agree on it
    write(path, [{**row, "label": "pos"} for row in rows])
    with pytest.raises(RefusedError, match="1 of its labels differs from what is on record: as"):
        import_answers(torn, path)
    assert import_answers(torn, path, settles=True).settled == 1
    write(path, [{**row, "label": "neg", "note": "again"} for row in rows])
    with pytest.raises(RefusedError, match="differs from those of file"):  # who settled it
        import_answers(torn, path)


def test_who_was_nobody_before_may_correct_that(record, fill_in):
    import_answers(record, fill_in(record, {0: "pos", 1: "pos"}))
    report = import_answers(record, fill_in(record, {0: "neg", 1: "pos"}))
    assert report.in_words().endswith("1 on record before; 1 answer of file changed")
    assert record.labels() == {0: "neg", 1: "pos"}


def test_a_second_opinion_by_name_may_tie_and_says_so(record, say, tmp_path):
    for item in range(3):
        say(record, item, "pos")
    path = tmp_path / "labels.csv"
    export(record, path)
    write(path, [{**row, "label": "neg"} for row in rows_of(path)])
    dry = import_answers(record, path, annotator="bob", dry_run=True)
    assert "3 texts now without a label, by a tie" in dry.in_words()
    assert import_answers(record, path, annotator="bob").ties == 3
    assert record.labels() == {}


def test_settled_labels_of_a_corrected_file_are_those_that_differ(torn, tmp_path):
    path = tmp_path / "labels.csv"
    export(torn, path)
    rows = rows_of(path)
    assert [row["lit_al_id"] for row in rows if row["label"]] == ["2", "3", "4"]
    rows[3]["label"] = "pos"
    report = import_answers(torn, write(path, rows), settles=True)
    assert report.settled == 2  # text 3, corrected, and text 2, on which they differ
    assert torn.labels() == {2: "pos", 3: "pos", 4: "pos"}


def test_a_text_that_was_settled_unasked_is_exported_and_not_asked(record, say, tmp_path):
    say(record, 0, "pos")
    record.append(NewEvent("settled", 3, "lead", Action.SETTLE, "neg"))
    export(record, tmp_path / "labels.csv")
    rows = [(row["lit_al_id"], row["label"], row["annotators"]) for row in rows_of(tmp_path / "labels.csv")]
    assert rows == [("0", "pos", "1"), ("3", "neg", "0")]
    export(record, tmp_path / "todo.csv", unlabeled=99)
    assert {row["lit_al_id"] for row in rows_of(tmp_path / "todo.csv")} == {"1", "2", "4", "5", "6"}


def test_conflicts_hold_the_users_own_columns_whatever_they_are_called(tmp_path):
    cells = {"state": "open", "votes": 3, "by ann": "x"}
    with Record.create(tmp_path / "record.sqlite", ("neg", "pos")) as record:
        record.add_items([Item(0, sha256_of("so so"), "so so", cells)])
        for annotator, label in (("ann", "pos"), ("bob", "neg")):
            record.append(NewEvent(annotator, 0, annotator, Action.LABEL, label))
        export_conflicts(record, tmp_path / "conflicts.csv", "majority")
        [row] = rows_of(tmp_path / "conflicts.csv")
        assert (row["file_state"], row["file_votes"], row["by ann"], row["answer by ann"]) == ("open", "3", "x", "pos")
        assert (row["state"], row["votes"], row["by bob"]) == ("tie", "pos 1, neg 1", "neg")
        (tmp_path / "filled.csv").write_text((tmp_path / "conflicts.csv").read_text().replace(",,tie", ",neg,tie"))
        assert import_answers(record, tmp_path / "filled.csv", settles=True).settled == 1


def test_the_commands_list_and_settle(torn, tmp_path, capsys):
    run, path = str(torn.path.parent), tmp_path / "conflicts.csv"
    assert main.main(["export", run, "--conflicts", str(path)]) == 0
    write(path, [{**row, "label": "neg"} for row in rows_of(path)])
    assert main.main(["import", run, str(path), "--settles", "--annotator", "lead"]) == 0
    assert capsys.readouterr().out.endswith("3 labels settled (neg 3, pos 0)\n")
    with Record.open(run) as record:
        assert [record.labels()[item] for item in range(3)] == ["neg"] * 3
    assert main.main(["export", run]) == 2
    assert "give --to FILE, --conflicts FILE, or both" in capsys.readouterr().err


def test_what_is_settled_of_a_text_holds_for_its_copies(make_record, tmp_path):
    record = make_record(["a fine film", "a fine film", "dull"])
    record.append(NewEvent("label", 0, "ann", Action.LABEL, "pos"))
    record.append(NewEvent("settled", 0, "lead", Action.SETTLE, "neg"))
    record.add_annotator("bob")
    assert record.next_items("bob", 9, overlap=2)[0][0].item.id == 2
    export(record, tmp_path / "labels.csv")
    rows = [(row["lit_al_id"], row["label"], row["copy_of"]) for row in rows_of(tmp_path / "labels.csv")]
    assert rows == [("0", "neg", ""), ("1", "neg", "0")]
