import time

import numpy as np
import pytest

from lit_al.data import Corpus
from lit_al.data.corpus import build_corpus, digest_of_reviews, is_imdb
from lit_al.exceptions import DataError

TEXTS = ["dull", "a gem", "so so"]
LABELS = np.array([0, 1, -1])
CLASSES = ("negative", "positive")


def fingerprint(texts=TEXTS, labels=LABELS, classes=CLASSES):
    return Corpus(texts, labels, classes).fingerprint


def test_fingerprint_is_64_hex_digits_and_repeats():
    assert fingerprint() == fingerprint()
    assert len(fingerprint()) == 64
    assert int(fingerprint(), 16)


@pytest.mark.parametrize(
    "change",
    [
        {"texts": ["dull", "a gem", "so-so"]},
        {"texts": ["dulla", " gem", "so so"]},  # the same bytes, cut elsewhere
        {"texts": ["a gem", "dull", "so so"], "labels": np.array([1, 0, -1])},  # another order
        {"labels": np.array([0, 1, 1])},
        {"classes": ("neg", "pos")},
        {"classes": ("negative", "positive", "neutral")},
    ],
)
def test_fingerprint_changes_with_any_content(change):
    assert fingerprint(**change) != fingerprint()


def test_fingerprint_ignores_source_and_notes():
    assert Corpus(TEXTS, LABELS, CLASSES, "elsewhere", True, ("a note",)).fingerprint == fingerprint()


def test_fingerprint_of_imdb_sized_corpus_is_fast():
    texts = [f"{row} " + "a word or two é " * 80 for row in range(50_000)]
    corpus = Corpus(texts, np.arange(50_000) % 2, CLASSES)
    start = time.perf_counter()
    first = corpus.fingerprint
    assert time.perf_counter() - start < 2  # about 0.1 s; the rest is for a busy machine
    assert corpus.fingerprint is first


def test_labels_are_copied_and_read_only():
    labels = np.array([0, 1, -1], dtype=np.int32)
    corpus = Corpus(TEXTS, labels, CLASSES)
    labels[0] = 1
    assert corpus.labels.dtype == np.int64
    assert corpus.labels.tolist() == [0, 1, -1]
    with pytest.raises(ValueError, match="read-only"):
        corpus.labels[0] = 1


def test_repr_shows_no_texts():
    assert "gem" not in repr(Corpus(TEXTS, LABELS, CLASSES))


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 1], CLASSES, r"3 texts need labels of shape \(3,\), got \(2,\)"),
        ([0, 1, 2], CLASSES, r"labels must lie in -1 .. 1 for 2 classes, got 0 .. 2"),
        ([0, -2, 1], CLASSES, r"got -2 .. 1"),
        ([0, 0, 0], ("only",), "two classes or more"),
    ],
)
def test_corpus_that_does_not_fit_is_refused(labels, classes, message):
    with pytest.raises(DataError, match=message):
        Corpus(TEXTS, np.array(labels), classes)


def test_ids_and_columns_must_have_a_cell_for_each_text():
    corpus = Corpus(TEXTS, LABELS, CLASSES, ids=["a", "b", "c"], columns={"channel": ["web", "web", None]})
    assert (corpus.ids, corpus.columns["channel"][2]) == (["a", "b", "c"], None)
    assert corpus.fingerprint == fingerprint()  # what stands beside the texts is not what is learned from
    with pytest.raises(DataError, match="3 texts need as many cells of 'ids', got 2"):
        Corpus(TEXTS, LABELS, CLASSES, ids=["a", "b"])
    with pytest.raises(DataError, match="3 texts need as many cells of 'channel', got 1"):
        Corpus(TEXTS, LABELS, CLASSES, columns={"channel": ["web"]})


def test_empty_and_unlabeled_rows_are_counted():
    corpus = build_corpus(["", " \n\t", "film"], np.array([0, 1, -1]), CLASSES, "here")
    assert corpus.notes == (
        "2 of 3 texts are empty or only white space",
        "1 of 3 rows have no label",
    )
    assert list(corpus.texts) == ["", " \n\t", "film"]


def test_digest_of_reviews_ignores_order_but_not_labels():
    digest = digest_of_reviews(TEXTS, LABELS)
    assert digest_of_reviews(TEXTS[::-1], LABELS[::-1]) == digest
    assert digest_of_reviews(TEXTS, LABELS[::-1]) != digest


def test_other_reviews_are_not_imdb():
    assert not is_imdb(TEXTS, LABELS)
    assert not is_imdb(["x"] * 50_000, np.zeros(50_000, np.int64))
