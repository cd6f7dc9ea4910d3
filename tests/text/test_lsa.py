import numpy as np
import pytest
import torch

from lit_al.exceptions import ConfigError
from lit_al.text import lsa
from lit_al.text.lsa import text_vectors


@pytest.fixture
def tokens():
    """(60, 12) ids of two topics: even rows take words 2 to 21, odd rows 22 to 41; padded at the end."""
    rng = np.random.default_rng(0)
    ids = rng.integers(2, 22, (60, 12)) + 20 * (np.arange(60) % 2)[:, None]
    ids[:, 9:] = 0
    return ids.astype(np.uint16)


def by_hand(tokens, vocabulary, size):
    """The same from the textbook: a dense table, and singular vectors instead of eigenvectors."""
    counts = np.stack([np.bincount(row, minlength=vocabulary) for row in tokens]).astype(float)
    counts[:, :2] = 0
    rarity = 1 + np.log((1 + len(tokens)) / (1 + (counts > 0).sum(axis=0)))
    weighted = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * rarity
    weighted /= np.linalg.norm(weighted, axis=1, keepdims=True)
    axes = np.linalg.svd(weighted, full_matrices=False)[2][:size].T
    axes *= np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0, keepdims=True), axis=0))
    projected = weighted @ axes
    return projected / np.linalg.norm(projected, axis=1, keepdims=True)


def test_vectors_are_those_of_the_textbook(tokens):
    found = text_vectors(torch.from_numpy(tokens), 42, size=5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(tokens, 42, 5), rtol=0, atol=1e-4)


def test_texts_of_one_topic_are_nearer_than_those_of_two(tokens):
    found = text_vectors(tokens, 42, size=2)
    cosines = found @ found.T
    same = np.equal.outer(np.arange(60) % 2, np.arange(60) % 2)
    assert cosines[same].min() > cosines[~same].max()


def test_equal_input_gives_equal_vectors(tokens):
    np.testing.assert_array_equal(text_vectors(tokens, 42), text_vectors(torch.from_numpy(tokens), 42))


def test_more_numbers_than_words_are_zero_at_the_end(tokens):
    found = text_vectors(tokens, 42, size=50)
    assert found.shape == (60, 50)
    assert not found[:, 42:].any()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_text_of_unknown_words_is_the_zero_vector(tokens):
    tokens[3], tokens[4] = 1, 0
    found = text_vectors(tokens, 42, size=4)
    assert np.flatnonzero(np.linalg.norm(found, axis=1) == 0).tolist() == [3, 4]


def test_rarest_words_of_a_large_vocabulary_are_left_out(tokens, monkeypatch):
    monkeypatch.setattr(lsa, "WORDS", 22)
    found = text_vectors(tokens, 42, size=3)
    assert not found[1::2].any()
    np.testing.assert_array_equal(found, text_vectors(np.where(tokens < 22, tokens, 0), 22, size=3))


def test_texts_that_are_all_alike_have_one_vector():
    found = [text_vectors(np.full((300, 9), 3, np.uint16), 400) for _ in range(2)]
    np.testing.assert_array_equal(*found)
    np.testing.assert_allclose(found[0] @ found[0].T, 1, rtol=1e-5)


def test_no_text_and_no_number():
    assert text_vectors(np.empty((0, 5), np.uint16), 10, size=4).shape == (0, 4)
    with pytest.raises(ConfigError, match="size=0"):
        text_vectors(np.zeros((2, 5), np.uint16), 10, size=0)
