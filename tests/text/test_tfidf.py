from itertools import pairwise

import numpy as np
import pytest

from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.text import cache, tfidf
from lit_al.text.tfidf import text_features

OURS = np.arange(150)[::-1]  # in any order


@pytest.fixture(scope="module")
def tiny(make_corpus):
    return make_corpus()


def changed(corpus, row, text):
    texts = list(corpus.texts)
    texts[row] = text
    return Corpus(texts, corpus.labels, corpus.classes, source="changed")


def test_shapes_types_and_lengths(tiny):
    found = text_features(tiny, OURS)
    assert found.words.shape[0] == len(found.directions) == 200
    assert found.words.dtype == found.directions.dtype == np.float32
    np.testing.assert_allclose(np.sqrt(found.words.multiply(found.words).sum(axis=1)), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1, rtol=1e-5)


def test_words_are_the_tf_idf_of_the_textbook_in_the_corpus_order(tiny):
    found = text_features(tiny, OURS).words.toarray()
    each = [text.split() for text in tiny.texts]  # words and pairs; every word has two letters or more, but for "a"
    each = [[word for word in words if len(word) > 1] for words in each]
    each = [words + [f"{a} {b}" for a, b in pairwise(words)] for words in each]
    names = sorted({word for row in OURS for word in each[row]})
    counts = np.array([[words.count(name) for name in names] for words in each])  # (N, F)
    rarity = 1 + np.log((1 + len(OURS)) / (1 + (counts[OURS] > 0).sum(axis=0)))
    weighted = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * rarity
    weighted = weighted / np.linalg.norm(weighted, axis=1, keepdims=True)
    np.testing.assert_allclose(found, weighted, atol=1e-5)


def test_directions_are_singular_ones_weighted_by_their_spread(tiny):
    found = text_features(tiny, OURS)
    words = found.words.toarray().astype(np.float64)
    axes = np.linalg.svd(words[OURS], full_matrices=False)[2][:149]
    weighted = words @ axes.T
    weighted *= weighted[OURS].std(axis=0)
    weighted /= np.linalg.norm(weighted, axis=1, keepdims=True)
    np.testing.assert_allclose(found.directions @ found.directions.T, weighted @ weighted.T, atol=0.02)


def test_a_text_outside_the_rows_changes_its_own_features_alone(tiny):
    before = text_features(tiny, OURS)
    after = text_features(changed(tiny, 170, "unheard words, and great great moving"), OURS)
    rest = np.arange(200) != 170
    assert before.words.shape == after.words.shape
    assert (before.words[rest] != after.words[rest]).nnz == 0
    np.testing.assert_array_equal(before.directions[rest], after.directions[rest])
    assert (before.words[170] != after.words[170]).nnz > 0
    assert (before.directions[170] != after.directions[170]).any()


def test_a_text_among_the_rows_does_change_those_of_others(tiny):
    before, after = (text_features(each, OURS) for each in (tiny, changed(tiny, 3, "great words great")))
    assert before.words.shape != after.words.shape


def test_labels_and_the_order_of_the_rows_change_nothing(tiny):
    flipped = Corpus(tiny.texts, 1 - tiny.labels, tiny.classes, source="flipped")
    found = [text_features(tiny, OURS), text_features(flipped, np.sort(OURS))]
    np.testing.assert_array_equal(found[0].directions, found[1].directions)
    assert (found[0].words != found[1].words).nnz == 0


def test_text_of_unknown_words_is_zero(tiny):
    found = text_features(changed(tiny, 199, "entirely unheard"), OURS)
    assert found.words[199].nnz == 0
    assert not found.directions[199].any()
    assert np.isfinite(found.directions).all()


@pytest.mark.parametrize("rows", [[0], [0, 1]])
def test_hardly_any_text_gives_hardly_any_direction(rows, tiny):
    found = text_features(tiny, np.array(rows))
    assert found.directions.shape == (200, 1)
    assert np.isfinite(found.directions).all()


def test_texts_without_words_are_refused_in_one_sentence():
    corpus = Corpus(["?", "!", "a", ""] * 60, np.arange(240) % 2, ("a", "b"), source="tiny")
    with pytest.raises(ConfigError, match=r"no words in common.*--recipe scratch"):
        text_features(corpus, np.arange(240))


def test_kept_features_are_read_back_equal(tiny, monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    monkeypatch.setattr(cache, "WORTH", 10)
    first = text_features(tiny, OURS)
    assert len(list(tmp_path.iterdir())) == 1
    real = tfidf._compute
    monkeypatch.setattr(tfidf, "_compute", lambda *_: pytest.fail("computed again"))
    again = text_features(tiny, np.sort(OURS))
    np.testing.assert_array_equal(first.directions, again.directions)
    assert (first.words != again.words).nnz == 0
    monkeypatch.setattr(tfidf, "_compute", real)
    text_features(tiny, OURS[:-1])
    assert len(list(tmp_path.iterdir())) == 2
