import json

import pytest

from lit_al.data import load_corpus
from lit_al.exchange.labeled import labeled_csv, labeled_jsonl, labeled_parquet
from lit_al.exchange.shapes import LabeledText
from lit_al.record import sha256_of

CLASSES = ("pos", "neg", "never given")  # neither the order of the alphabet nor that of the rows
TEXTS = ["=so so", "a\r\ngem", "שלום", 'dull, "very"']
LABELED = [
    LabeledText(10 * number, sha256_of(text), text, ("neg", "pos")[number % 2], annotators=3, agree=2)
    for number, text in enumerate(TEXTS)
]


@pytest.fixture
def parquet_file(tmp_path):
    path = tmp_path / "labels.parquet"
    path.write_bytes(labeled_parquet(LABELED, CLASSES))
    return path


def test_load_corpus_reads_parquet_with_the_classes_of_the_run(parquet_file):
    corpus = load_corpus(str(parquet_file))
    assert (list(corpus.texts), corpus.classes, corpus.labels.tolist()) == (TEXTS, CLASSES, [1, 0, 1, 0])


@pytest.mark.parametrize("write", [labeled_jsonl, lambda labeled: labeled_csv(labeled, raw=True)])
def test_load_corpus_reads_jsonl_and_raw_csv(tmp_path, write):
    path = tmp_path / ("labels.jsonl" if write is labeled_jsonl else "labels.csv")
    path.write_bytes(write(LABELED))
    corpus = load_corpus(str(path))
    assert (list(corpus.texts), corpus.classes, corpus.labels.tolist()) == (TEXTS, ("neg", "pos"), [0, 1, 0, 1])


def test_datasets_reads_parquet_with_named_labels(parquet_file, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    from datasets import load_dataset

    table = load_dataset("parquet", data_files=str(parquet_file), cache_dir=str(tmp_path / "cache"))["train"]
    assert table.features["label"].names == list(CLASSES)
    assert table["text"][:] == TEXTS
    assert [table.features["label"].int2str(row["label"]) for row in table] == ["neg", "pos", "neg", "pos"]
    assert set(table["agree"][:]) == {2}


def test_columns_of_ones_own_have_the_kinds_of_their_cells_in_parquet(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    from datasets import load_dataset

    own = [
        {"number": 7, "share": 1, "yes": True, "date": "2026-01-02", "tags": ["a"], "mixed": 1, "none": None},
        {"number": None, "share": 0.5, "yes": None, "date": None, "tags": None, "mixed": "x", "none": None},
    ]
    labeled = [LabeledText(n, "x", "t", label, own=own[n % 2]) for n, label in enumerate(["pos", None, "neg"])]
    (tmp_path / "t.parquet").write_bytes(labeled_parquet(labeled, CLASSES, list(own[0])))
    table = load_dataset("parquet", data_files=str(tmp_path / "t.parquet"), cache_dir=str(tmp_path / "cache"))["train"]
    assert list(table.features)[:7] == list(own[0])
    assert table["number"][:2] == [7, None]
    assert (table["share"][:2], table["yes"][:2]) == ([1.0, 0.5], [True, None])
    assert (table["tags"][:2], table["mixed"][:2], table["none"][:2]) == (['["a"]', None], ["1", "x"], [None, None])
    assert table["label"][:] == [0, None, 1]
    assert load_corpus(str(tmp_path / "t.parquet")).labels.tolist() == [0, -1, 1]


def test_jsonl_holds_every_column():
    assert json.loads(labeled_jsonl(LABELED).splitlines()[1]) == {
        "schema_version": 1,
        "lit_al_id": 10,
        "lit_al_sha256": sha256_of(TEXTS[1]),
        "text": TEXTS[1],
        "label": "pos",
        "annotators": 3,
        "agree": 2,
        "notes": None,
        "flagged_by": None,
        "skipped_by": None,
        "copy_of": None,
    }
