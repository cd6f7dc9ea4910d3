"""A run folder to label: made from a file, gone on with, refused where it would become another run."""

import hashlib
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from lit_al.annotate.names import check_annotators
from lit_al.annotate.project import guidelines_of, make_folder, open_project
from lit_al.annotate.project_options import LabelOptions
from lit_al.annotate.terminal import label
from lit_al.exceptions import ConfigError, DataError, LitALError, RefusedError, RunError, StoreError
from lit_al.record import RECORD_FILE, Action, NewEvent, Record, recover

LABELS = ("negative", "positive")
ROWS = [("a gem", "positive"), ("dull", ""), ("a gem", ""), ("   ", ""), ("", "negative"), ("so so", "negative")]


def write(path, rows=ROWS):
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def wish(tmp_path):
    data = write(tmp_path / "reviews.jsonl")
    return lambda **more: LabelOptions(
        **{"data": data, "labels": ",".join(LABELS), "log_dir": str(tmp_path / "logs"), **more}
    )


def begin(wish):
    return open_project(wish, make_folder(wish))


def test_run_is_made_from_a_file_and_named_after_it(wish, tmp_path):
    with begin(wish()) as project:
        assert project.folder == tmp_path / "logs" / "reviews"
        assert [(item.id, item.text) for item in project.record.items()] == [
            (0, "a gem"),
            (1, "dull"),
            (2, "a gem"),
            (5, "so so"),
        ]
        assert project.record.settings["strategy"] == "margin+balanced+random:0.1"
        assert project.record.settings["source"]["rows"] == 6
        assert project.record.answers() == []
        assert project.notes == (
            "4 texts, 2 labels: negative, positive",
            "1 text is a copy of another: the answer to one holds for all (--copies none asks for each)",
            "2 of 6 texts are empty or only white space (line 4, line 5; --drop-empty leaves them out)",
            "encoder: words, for 100 % of the texts have spaces between words",
            "labels in the file: 2; they are not used, unless --take-labels is given",
        )


def test_what_was_guessed_of_the_file_is_told(wish, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("text;label\na gem;Positive \ndull;positive\nso so;N/A\n")
    with begin(wish(data=str(path), take_labels=True)) as project:
        notes = "\n".join(project.notes)
        assert {answer.label for answer in project.record.answers()} == {"positive"}
    assert "other.csv: separated by semicolons, a guess; --separator names another" in notes
    assert "1 labels are taken for no label ('N/A' 1)" in notes
    assert "2 spellings as 'positive' (2)" in notes


def test_same_call_goes_on(wish):
    with begin(wish()) as project:
        first = project.record.run_id
    with begin(wish()) as project:
        assert project.record.run_id == first
        assert project.notes[0].startswith("goes on with")


def test_run_alone_goes_on_without_its_data(wish, tmp_path):
    with begin(wish()) as project:
        first = project.record.run_id
    (tmp_path / "reviews.jsonl").unlink()
    with begin(LabelOptions(run=tmp_path / "logs" / "reviews")) as project:
        assert project.record.run_id == first


def test_labels_of_the_file_are_taken_once_on_request(wish):
    for _ in range(2):
        with begin(wish(take_labels=True)) as project:
            assert project.record.labels() == {0: "positive", 5: "negative"}
            assert {answer.annotator for answer in project.record.answers()} == {"file"}
            assert project.record.last_seq() == 2


def test_texts_left_out_by_a_kill_are_there_after_the_next_start(wish, monkeypatch):
    from lit_al.record import Record

    with monkeypatch.context() as patch:
        patch.setattr(Record, "add_items", lambda self, items: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            begin(wish())
    with begin(wish()) as project:
        assert project.record.count_items() == 4


def test_texts_of_another_file_are_refused(wish, tmp_path):
    begin(wish()).record.close()
    write(tmp_path / "reviews.jsonl", [("unheard of", ""), ("as is this", "")])
    with pytest.raises(RefusedError, match=r"no text of file reviews.jsonl is one of .*; go on without the file"):
        begin(wish())


@pytest.mark.parametrize("labels", ["positive,negative", "negative,positive,mixed"])
def test_other_labels_are_refused_and_named(wish, labels):
    begin(wish()).record.close()
    with pytest.raises(ConfigError, match="are negative,positive, not "):
        begin(wish(labels=labels))


def test_other_settings_are_refused_and_named(wish):
    begin(wish(overlap=2)).record.close()
    begin(wish()).record.close()  # not asked for: as it was
    with pytest.raises(ConfigError, match="was begun with --overlap 2, not 3"):
        begin(wish(overlap=3))


def test_newest_guidelines_are_shown(wish, tmp_path):
    for words in ("first", "second"):
        (tmp_path / "guidelines.txt").write_text(words)
        with begin(wish(guidelines=tmp_path / "guidelines.txt")) as project:
            assert guidelines_of(project.record) == words


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/b", "..", ".", "", "a\\b", "a\0b"])
def test_name_that_leads_elsewhere_is_refused(wish, name):
    with pytest.raises(ConfigError, match="plain folder name"):
        make_folder(wish(name=name))


def test_folder_of_something_else_is_left_alone(wish, tmp_path):
    folder = tmp_path / "logs" / "reviews"
    folder.mkdir(parents=True)
    (folder / "results.json").write_text("{}")
    with pytest.raises(RunError, match="give another --name"):
        make_folder(wish())
    assert [entry.name for entry in folder.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"data": None}, "give --data FILE"),
        ({"labels": ""}, "two labels or more"),
        ({"labels": "one"}, "two labels or more"),
        ({"data": "nowhere.csv"}, "no file or folder"),
        ({"labels": "good,bad"}, "line 1: 'positive' is not one of the labels"),
        ({"strategy": "nonsense"}, "nonsense"),
        ({"data": "demo", "labels": "bad,good", "demo_rows": 5}, "give these as --labels"),
    ],
)
def test_wish_that_cannot_be_is_refused_without_a_record(wish, tmp_path, more, said):
    with pytest.raises(LitALError, match=said):
        begin(wish(**more))
    assert not list(tmp_path.rglob(RECORD_FILE))


def test_file_of_empty_texts_is_refused(wish, tmp_path):
    write(tmp_path / "reviews.jsonl", [("", ""), (" ", "")])
    with pytest.raises(DataError, match="no text that is not empty"):
        begin(wish())


def test_run_of_a_simulation_holds_no_texts(tmp_path, helpers):
    from lit_al.record import Item, Record

    (tmp_path / "run").mkdir()
    with Record.create(tmp_path / "run" / RECORD_FILE, LABELS) as record:
        record.add_items([Item(0, "0" * 64)])
    with pytest.raises(ConfigError, match="holds answers but no texts"):
        begin(LabelOptions(run=tmp_path / "run"))


def test_ten_megabytes_in_one_text(wish, tmp_path):
    write(tmp_path / "reviews.jsonl", [("x" * 10_000_000, ""), ("dull", "")])
    with begin(wish()) as project:
        assert len(project.record.item(0).text) == 10_000_000


@pytest.mark.parametrize(
    "names", [["ann", "Ann"], ["ann", "ann"], [""], ["x" * 61], ["file"], ["FILE"], ["a\nb"], ["a\u202eb"]]
)
def test_names_that_cannot_be_told_apart_are_refused(names):
    with pytest.raises(ConfigError):
        check_annotators(names)


def test_each_start_leaves_a_backup_from_which_every_answer_comes_back(wish):
    with begin(wish()) as project:
        project.record.append(NewEvent("an-answer", 1, "ann", Action.LABEL, label="negative"))
    path = project.folder / RECORD_FILE
    path.write_bytes(b"")
    with pytest.raises(StoreError, match="lit-al recover"):
        begin(wish())
    recover(project.folder)
    with begin(wish()) as project:
        assert project.record.labels() == {1: "negative"}


def test_without_room_for_a_backup_labeling_begins_all_the_same(wish, monkeypatch):
    def full(record):
        raise StoreError("the disk is full")

    monkeypatch.setattr(Record, "backup", full)
    with begin(wish()) as project:
        assert project.notes[-1] == "no backup could be made, and labeling goes on without: the disk is full"


def test_the_demo_brings_its_own_labels_and_goes_on_without_them_too(tmp_path):
    wish = LabelOptions(data="demo", demo_rows=30, log_dir=str(tmp_path))
    for _ in range(2):
        with begin(wish) as project:
            assert project.record.classes == ("negative", "positive")


@pytest.mark.parametrize(
    "more",
    [{"data": "nowhere.csv"}, {"labels": "a"}, {"strategy": "entrpy"}, {"text_column": "txt"}],
)
def test_what_cannot_be_labeled_is_refused_before_there_is_a_folder(more, wish, tmp_path):
    with pytest.raises(LitALError):
        label(wish(training=False, **more))
    assert not (tmp_path / "logs").exists()


def write_vectors(path, texts):
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    parquet.write_table(pa.table({"key": keys, "vector": [[1.0, float(n)] for n in range(len(texts))]}), path)
    return path


def test_vectors_are_checked_at_the_start_and_known_by_their_whole_path(wish, tmp_path, monkeypatch):
    write_vectors(tmp_path / "vectors.parquet", ["a gem", "dull", "so so"])  # empty texts are not asked for
    monkeypatch.chdir(tmp_path)
    with begin(wish(embeddings="vectors.parquet")) as project:
        assert project.record.settings["embeddings"] == str(tmp_path / "vectors.parquet")
        assert project.record.settings["encoder"] == ""
    with begin(wish()) as project:  # what is not said is as it was
        assert project.record.settings["embeddings"] == str(tmp_path / "vectors.parquet")
    write_vectors(tmp_path / "others.parquet", ["a gem", "dull", "so so"])
    with pytest.raises(ConfigError, match=r"was begun with --embeddings .*vectors.parquet, not .*others.parquet"):
        begin(wish(embeddings="others.parquet"))


def test_vectors_that_do_not_fit_make_no_run(wish, tmp_path):
    path = write_vectors(tmp_path / "vectors.parquet", ["a gem", "dull"])
    with pytest.raises(DataError, match=r"no vector for the text 'so so'"):
        begin(wish(embeddings=str(path)))
    assert not (tmp_path / "logs" / "reviews" / RECORD_FILE).exists()
    with pytest.raises(ConfigError, match=r"is no .parquet file; a record of labels knows its texts by what they say"):
        wish(embeddings="vectors.npy")
    with pytest.raises(ConfigError, match="give --encoder or --embeddings, not both"):
        wish(embeddings=str(path), encoder="some/name")


def test_encoder_is_not_put_off_until_nobody_looks(wish, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="holds no encoder"):
        begin(wish(encoder=str(tmp_path)))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'lit_al\[encoder\]'"):
        begin(wish(encoder="some/name"))
