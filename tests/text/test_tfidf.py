from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.text import cache, tfidf
from lit_al.text.tfidf import are_short, text_features

OURS = np.arange(150)[::-1]  # in any order


@pytest.fixture(scope="module")
def tiny(make_corpus):
    return make_corpus()


@pytest.fixture(autouse=True)
def are_long(request, monkeypatch):
    """Texts count as long, but for tests of short ones."""
    if "short" not in request.node.name:
        monkeypatch.setattr(tfidf, "SHORT", -1)


def changed(corpus, row, text):
    texts = list(corpus.texts)
    texts[row] = text
    return Corpus(texts, corpus.labels, corpus.classes, source="changed")


def test_shapes_types_and_lengths(tiny):
    found = text_features(tiny, OURS)
    assert found.views[1].matrix.shape[0] == len(found.directions) == 200
    assert found.views[1].matrix.dtype == found.directions.dtype == np.float32
    np.testing.assert_allclose(np.sqrt(found.views[1].matrix.multiply(found.views[1].matrix).sum(axis=1)), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1, rtol=1e-5)


def test_words_are_the_tf_idf_of_the_textbook_in_the_corpus_order(tiny):
    found = text_features(tiny, OURS).views[1].matrix.toarray()
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
    words = found.views[1].matrix.toarray().astype(np.float64)
    axes = np.linalg.svd(words[OURS], full_matrices=False)[2][:149]
    weighted = words @ axes.T
    weighted *= weighted[OURS].std(axis=0)
    weighted /= np.linalg.norm(weighted, axis=1, keepdims=True)
    np.testing.assert_allclose(found.directions @ found.directions.T, weighted @ weighted.T, atol=0.02)


def test_a_text_outside_the_rows_changes_its_own_features_alone(tiny):
    before = text_features(tiny, OURS)
    after = text_features(changed(tiny, 170, "unheard words, and great great moving"), OURS)
    rest = np.arange(200) != 170
    assert before.views[1].matrix.shape == after.views[1].matrix.shape
    assert (before.views[1].matrix[rest] != after.views[1].matrix[rest]).nnz == 0
    np.testing.assert_array_equal(before.directions[rest], after.directions[rest])
    assert (before.views[1].matrix[170] != after.views[1].matrix[170]).nnz > 0
    assert (before.directions[170] != after.directions[170]).any()


def test_a_text_among_the_rows_does_change_those_of_others(tiny):
    before, after = (text_features(each, OURS) for each in (tiny, changed(tiny, 3, "great words great")))
    assert before.views[1].matrix.shape != after.views[1].matrix.shape


def test_labels_and_the_order_of_the_rows_change_nothing(tiny):
    flipped = Corpus(tiny.texts, 1 - tiny.labels, tiny.classes, source="flipped")
    found = [text_features(tiny, OURS), text_features(flipped, np.sort(OURS))]
    np.testing.assert_array_equal(found[0].directions, found[1].directions)
    assert (found[0].views[1].matrix != found[1].views[1].matrix).nnz == 0


def test_text_of_unknown_words_is_zero(tiny):
    found = text_features(changed(tiny, 199, "entirely unheard"), OURS)
    assert found.views[1].matrix[199].nnz == 0
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
    assert (first.views[1].matrix != again.views[1].matrix).nnz == 0
    monkeypatch.setattr(tfidf, "_compute", real)
    text_features(tiny, OURS[:-1])
    assert len(list(tmp_path.iterdir())) == 2


def test_half_of_the_texts_decide_whether_texts_are_short(monkeypatch):
    monkeypatch.setattr(tfidf, "SHORT", 10)
    assert are_short(["x" * 10, "y" * 10, "z" * 900])
    assert not are_short(["x" * 10, "y" * 11, "z" * 11])


def test_short_texts_are_seen_in_phrases_and_in_pieces_of_words(tiny):
    found = text_features(tiny, OURS)
    assert [view.name for view in found.views] == [
        "directions of words", "words", "directions of pieces of words", "pieces of words",
    ]  # fmt: skip
    assert [view.dense for view in found.views] == [True, False, True, False]
    for view in found.views:
        length = np.sqrt((view.matrix**2).sum(axis=1)) if view.dense else sparse.linalg.norm(view.matrix, axis=1)
        np.testing.assert_allclose(length, 1, rtol=1e-5)


def test_short_texts_that_differ_in_their_beginning_or_end_mark_alone_differ():
    texts = ["who was it", "was it who", "was it who?"] * 40
    corpus = Corpus(texts, np.arange(120) % 2, ("a", "b"), source="tiny")
    words = text_features(corpus, np.arange(120)).views[1].matrix.toarray()
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(words[one] - words[other]).max() > 0.1


def test_short_texts_without_spaces_are_told_apart_by_their_pieces():
    rng = np.random.default_rng(0)
    signs = [chr(0x4E00 + number) for number in range(60)]
    halves = signs[:30], signs[30:]
    texts = ["".join(rng.choice(halves[row % 2], 8)) for row in range(200)]
    corpus = Corpus(texts, np.arange(200) % 2, ("a", "b"), source="tiny")
    pieces = text_features(corpus, np.arange(150)).views[-1].matrix
    likeness = (pieces[150:] @ pieces[:150].T).toarray()
    nearest = likeness.argmax(axis=1) % 2
    assert (nearest == np.arange(150, 200) % 2).all()


def test_short_views_do_not_depend_on_labels_or_the_order_of_the_rows(tiny):
    flipped = Corpus(tiny.texts, 1 - tiny.labels, tiny.classes, source="flipped")
    found = [text_features(tiny, OURS), text_features(flipped, np.sort(OURS))]
    for one, other in zip(found[0].views, found[1].views, strict=True):
        np.testing.assert_array_equal(
            one.matrix if one.dense else one.matrix.toarray(), other.matrix if other.dense else other.matrix.toarray()
        )


def test_vectors_of_others_are_one_view_more_of_length_one(tiny):
    found = text_features(tiny, OURS)
    vectors = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float16)
    vectors[7] = 0
    more = found.having("an encoder", vectors)
    assert more.views[:-1] == found.views
    length = np.linalg.norm(more.views[-1].matrix, axis=1)
    np.testing.assert_allclose(np.delete(length, 7), 1, rtol=1e-5)
    assert length[7] == 0
