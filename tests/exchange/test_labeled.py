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
    }
