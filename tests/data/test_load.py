import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from lit_al.data import count_contradictions, duplicate_groups, first_copies, load_corpus
from lit_al.data import load as load_module
from lit_al.data.hub import HubError
from lit_al.exceptions import DataError

# Measured on IMDB as the folder of the project's figures holds it: train, then test.
IMDB_FINGERPRINT = "e6c60c1d6190cc5ca229dc2b5f2e24ce84ae4e4d0c8a6a712e2e9837a844ac0c"
IMDB_FOLDER = Path(os.environ.get("LIT_AL_IMDB") or Path(__file__).parents[3] / "shared" / "data" / "imdb")
needs_imdb = pytest.mark.skipif(not (IMDB_FOLDER / "train.parquet").exists(), reason="no folder of IMDB here")


@pytest.fixture(autouse=True)
def no_folder_variable(monkeypatch):
    monkeypatch.delenv("LIT_AL_IMDB", raising=False)


def write_files(folder, rows, name="r"):
    """The same rows as CSV, JSONL and Parquet."""
    texts, labels = zip(*rows, strict=True)
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    lines = (json.dumps({"text": text, "label": label}) for text, label in rows)
    (folder / f"{name}.jsonl").write_text("\n".join(lines))
    parquet.write_table(pa.table({"text": texts, "label": labels}), folder / f"{name}.parquet")
    return [folder / f"{name}.{suffix}" for suffix in ("csv", "jsonl", "parquet")]


def write_folder(folder, train=(("a", 0), ("b", 1)), test=(("c", 1), ("d", 0))):
    write_files(folder, train, "train")
    write_files(folder, test, "test")
    return folder


def refuses(data, message, **options):
    with pytest.raises(DataError, match=re.escape(message)) as error:
        load_corpus(str(data), **options)
    assert "\n" not in str(error.value)


# Files


@pytest.mark.parametrize(
    "rows",
    [
        [("a", 1), ("b", 0), ("c", None)],
        [("a, “b”\n", "pos"), ("", "neg"), ("c", None)],
        [("a", "2"), ("b", "10"), ("c", "2")],
        [("a", 0.0), ("b", 1.0), ("c", None)],
    ],
)
def test_same_content_has_one_fingerprint_in_every_format(tmp_path, rows):
    corpora = [load_corpus(str(path)) for path in write_files(tmp_path, rows)]
    assert len({corpus.fingerprint for corpus in corpora}) == 1
    assert len({corpus.classes for corpus in corpora}) == 1
    assert [corpus.source for corpus in corpora] == ["file r.csv", "file r.jsonl", "file r.parquet"]


@given(
    rows=st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.sampled_from("xyz")),
        min_size=2,
    ).filter(lambda rows: len({label for _, label in rows}) > 1)
)
def test_texts_and_labels_come_back_from_every_format(tmp_path_factory, rows):
    for path in write_files(tmp_path_factory.mktemp("rows"), rows):
        corpus = load_corpus(str(path))
        assert [(text, corpus.classes[label]) for text, label in zip(corpus.texts, corpus.labels, strict=True)] == rows


def test_three_classes_under_other_column_names_are_read(tmp_path):
    path = tmp_path / "mail.csv"
    path.write_text("body,queue\nhelp,support\nbuy,sales\nhi,other\nhm,\n")
    corpus = load_corpus(str(path), text_column="body", label_column="queue")
    assert corpus.classes == ("other", "sales", "support")
    assert corpus.labels.tolist() == [2, 1, 0, -1]
    assert corpus.notes == ("1 of 4 rows have no label",)
    assert not corpus.is_demo


def test_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_files(tmp_path, [("a", 0), ("b", 1)])
    assert len(load_corpus("~/r.csv")) == 2


def test_bad_labels_name_their_place(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text('{"text": "a", "label": 0}\n{"text": "b", "label": 0.5}\n')
    refuses(path.rename(tmp_path / "r.jsonl"), f"{tmp_path / 'r.jsonl'}, line 2: the label is 0.5")
    path.write_text("text,label\na,0\nb,0\n")
    refuses(path, f"{path}, column 'label': all labels are 0")
    path = tmp_path / "r.parquet"
    parquet.write_table(pa.table({"text": ["a", "b"], "label": [0.0, 1.5]}), path)
    refuses(path, f"{path}, row 2 of 2: the label is 1.5")


def test_missing_path_is_refused_with_what_data_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refuses(
        "imbd",
        f"no file or folder imbd (looked in {tmp_path}); did you mean 'imdb'? --data takes imdb, demo",
    )
    refuses("x" * 5_000, "xxx")  # longer than a file's name may be


# Folders


def test_folder_holds_train_then_test(tmp_path):
    corpus = load_corpus(str(write_folder(tmp_path)))
    assert corpus.texts == ["a", "b", "c", "d"]
    assert corpus.labels.tolist() == [0, 1, 1, 0]
    assert corpus.classes == ("0", "1")
    assert corpus.source == f"folder {tmp_path.name}"


def test_folder_takes_classes_from_both_files(tmp_path):
    corpus = load_corpus(str(write_folder(tmp_path, [("a", "x"), ("b", "x")], [("c", "z"), ("d", "y")])))
    assert corpus.classes == ("x", "y", "z")
    assert corpus.labels.tolist() == [0, 0, 2, 1]


def test_folder_is_read_in_the_format_that_has_most_parts(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "test.parquet").unlink()
    assert load_corpus(str(tmp_path)).texts == ["a", "b", "c", "d"]  # of the CSV files
    for name in ("test.csv", "test.jsonl"):
        (tmp_path / name).unlink()
    assert load_corpus(str(tmp_path)).texts == ["a", "b"]


def test_folder_without_parts_is_refused_with_what_it_holds(tmp_path):
    write_files(tmp_path, [("a", 0), ("b", 1)], "reviews")
    refuses(tmp_path, "has no files of train and test, no folder of texts for each class")
    refuses(tmp_path, "(it holds reviews.csv, reviews.jsonl, reviews.parquet); name the file itself")


def test_empty_folder_is_refused(tmp_path):
    refuses(tmp_path, "(it holds nothing)")


def test_folder_of_two_kinds_is_refused(tmp_path):
    write_folder(tmp_path, test=[("c", "pos"), ("d", "neg")])
    refuses(tmp_path, f"{tmp_path / 'test.parquet'}, row 1 of 2 has 'pos'")
    parquet.write_table(pa.table({"text": ["c"], "class": [0]}), tmp_path / "test.parquet")
    refuses(tmp_path, f"{tmp_path / 'test.parquet'} has no column 'label'")


def test_folder_whose_files_name_classes_differently_is_refused(tmp_path):
    write_folder(tmp_path)
    info = {"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}
    named = parquet.read_table(tmp_path / "test.parquet").replace_schema_metadata({"huggingface": json.dumps(info)})
    parquet.write_table(named, tmp_path / "test.parquet")
    refuses(tmp_path, "name their classes differently: None and ('neg', 'pos')")
    parquet.write_table(named, tmp_path / "train.parquet")
    assert load_corpus(str(tmp_path)).classes == ("neg", "pos")


def test_folder_without_permission_is_refused(tmp_path, monkeypatch):
    def fail(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", fail)
    refuses(tmp_path, f"{tmp_path} cannot be read: Permission denied")


# Demo and auto


def test_demo_is_marked_as_demo():
    corpus = load_corpus("demo", demo_rows=200, demo_seed=3)
    assert corpus.is_demo
    assert re.fullmatch(r"demo \(seed 3, 200 rows, v\d+\)", corpus.source)
    assert corpus.classes == ("negative", "positive")
    assert len(corpus) == 200
    assert "DEMO CORPUS" in corpus.notes[0]


def test_demo_repeats_and_depends_on_its_seed():
    prints = [load_corpus("demo", demo_rows=100, demo_seed=seed).fingerprint for seed in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


def test_auto_takes_the_folder_of_the_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("LIT_AL_IMDB", str(write_folder(tmp_path)))
    assert load_corpus().source == f"folder {tmp_path.name}"
    assert load_corpus("auto", text_column="text").texts == ["a", "b", "c", "d"]


def test_auto_refuses_a_variable_that_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("LIT_AL_IMDB", str(tmp_path / "gone"))
    refuses("auto", f"LIT_AL_IMDB={tmp_path / 'gone'} is of no use: no file or folder")
    monkeypatch.setenv("LIT_AL_IMDB", str(tmp_path))
    refuses("auto", "set it right or unset it")


def test_auto_takes_the_hub_else_the_demo_and_says_why(monkeypatch):
    monkeypatch.setattr(load_module, "load_imdb", lambda: (["bad", "good"], [0, 1]))
    corpus = load_corpus()
    assert (corpus.source, corpus.classes, corpus.is_demo) == ("imdb", ("negative", "positive"), False)
    assert corpus.notes == (
        "this copy of IMDB is not the 50,000 reviews that the package knows; its figures may differ",
    )

    def fail():
        raise HubError("the hub sleeps")

    monkeypatch.setattr(load_module, "load_imdb", fail)
    corpus = load_corpus(demo_rows=50)
    assert corpus.is_demo
    assert corpus.source.startswith("demo (seed 0, 50 rows")
    assert corpus.notes[0].startswith("DEMO CORPUS, NOT IMDB: the hub sleeps. For IMDB, connect to the hub once")
    refuses("imdb", "the hub sleeps; connect to the hub once, give --data a folder")


# IMDB itself


@pytest.fixture(scope="module")
def imdb():
    return load_corpus(str(IMDB_FOLDER))


@pytest.mark.imdb
@needs_imdb
def test_imdb_is_recognized_and_complete(imdb):
    assert (imdb.source, imdb.classes, imdb.is_demo, imdb.notes) == ("imdb", ("negative", "positive"), False, ())
    assert np.bincount(imdb.labels).tolist() == [25_000, 25_000]
    assert imdb.fingerprint == IMDB_FINGERPRINT


@pytest.mark.imdb
@needs_imdb
def test_imdb_has_418_extra_copies_without_contradiction(imdb):
    assert int((~first_copies(imdb.texts)).sum()) == 418
    assert len(duplicate_groups(imdb.texts)) == 406
    assert count_contradictions(imdb.texts, imdb.labels) == 0


@pytest.mark.imdb
@needs_imdb
def test_imdb_is_recognized_in_another_order_and_format(imdb, tmp_path):
    names = ["neg", "pos"]
    rows = [(text, names[label]) for text, label in zip(imdb.texts, imdb.labels, strict=True)][::-1]
    with (tmp_path / "all.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("review", "sentiment"), *rows])
    corpus = load_corpus(str(tmp_path / "all.csv"))
    assert (corpus.source, corpus.classes) == ("imdb", ("negative", "positive"))
    assert corpus.fingerprint != imdb.fingerprint


@pytest.mark.imdb
@needs_imdb
def test_imdb_loads_in_modest_memory():
    code = f"""
from lit_al.data import load_corpus
from lit_al.utils.folders import peak_memory_mb
load_corpus({str(IMDB_FOLDER)!r})
print(peak_memory_mb())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 400  # the reviews alone are 65 MB of characters, some of them in wide strings


@pytest.mark.parametrize("name", ["texts.csv", "texts.jsonl", "texts.parquet"])
def test_a_file_without_labels_loads_where_the_classes_are_given(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".csv":
        path.write_text("id,text\n1,so so\n2,a gem\n")
    elif path.suffix == ".jsonl":
        path.write_text('{"text": "so so"}\n{"text": "a gem"}\n')
    else:
        parquet.write_table(pa.table({"text": ["so so", "a gem"]}), path)
    corpus = load_corpus(str(path), classes=("dull", "gem"))
    assert (corpus.texts, corpus.labels.tolist(), corpus.classes) == (["so so", "a gem"], [-1, -1], ("dull", "gem"))


def test_labels_of_a_file_are_read_by_the_given_classes(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("text,label\nso so,\na gem,gem\n")
    assert load_corpus(str(path), classes=("dull", "gem")).labels.tolist() == [-1, 1]


def test_a_label_that_is_not_given_is_refused_with_its_line(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("text,label\nso so,bad\n")
    with pytest.raises(DataError, match=r"line 2: 'bad' is not one of the labels; they are 'dull', 'gem'"):
        load_corpus(str(path), classes=("dull", "gem"))
