import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.exceptions import ConfigError
from lit_al.text import ppmi
from lit_al.text.ppmi import word_vectors

TEXTS = st.integers(1, 6).flatmap(
    lambda length: st.lists(st.lists(st.integers(0, 8), min_size=length, max_size=length), min_size=1, max_size=7)
)


def meetings_by_hand(texts, vocabulary, window, neighbors):
    """Every word of every text looks at every other one."""
    table = [[0.0] * neighbors for _ in range(vocabulary)]
    for text in texts:
        for here, word in enumerate(text):
            for there, neighbor in enumerate(text):
                near = 0 < abs(here - there) <= window
                if near and word > 1 and 1 < neighbor < neighbors:
                    table[word][neighbor] += 1 / abs(here - there)
    return table


def information_by_hand(table):
    """max(0, log P(w, c) / P(w) P(c)), the neighbors' frequencies smoothed."""
    total = sum(map(sum, table))
    frequencies = [sum(row[c] for row in table) ** 0.75 for c in range(len(table[0]))]
    found = [[0.0] * len(row) for row in table]
    for word, row in enumerate(table):
        for neighbor, count in enumerate(row):
            if count:
                chance = sum(row) / total * frequencies[neighbor] / sum(frequencies)
                found[word][neighbor] = max(0.0, math.log(count / total / chance))
    return found


@settings(max_examples=60)
@given(TEXTS, st.integers(1, 7), st.integers(3, 9))
def test_meetings_and_information_are_those_counted_by_hand(texts, window, neighbors):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ppmi, "NEIGHBORS", neighbors)
        patch.setattr(ppmi, "_CHUNK", 3)  # several chunks, the last one smaller
        found = ppmi._meetings(torch.tensor(texts).to(torch.uint16), 9, window)
    expected = meetings_by_hand(texts, 9, window, neighbors)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    information = ppmi._positive_information(found)
    np.testing.assert_allclose(information, information_by_hand(expected), rtol=0, atol=1e-4)


def random_texts(words=42, rows=80):
    return np.random.default_rng(0).integers(0, words, (rows, 12)).astype(np.uint16)


def test_products_of_all_directions_give_the_information_back():
    """The vectors are U S^½, so that U S² U', the words' own products, is X X' of the information X."""
    texts = random_texts()
    found = word_vectors(texts, 42, size=60)
    assert found.shape == (42, 60)
    assert found.dtype == torch.float32
    assert not found[:, 42:].any()  # more numbers than there are directions
    information = torch.tensor(information_by_hand(meetings_by_hand(texts.tolist(), 42, 5, 42)))
    squared = (found**2).sum(dim=0)  # S: columns of U have length 1
    np.testing.assert_allclose(found @ torch.diag(squared) @ found.T, information @ information.T, atol=1e-3)
    assert (squared.diff() <= 1e-5).all()  # the strongest first


def test_first_directions_are_those_of_more():
    few, many = (word_vectors(random_texts(), 42, size=size) for size in (3, 40))
    cosines = torch.cosine_similarity(few, many[:, :3], dim=0).abs()
    assert cosines.min() > 0.99


def test_words_of_like_use_have_like_vectors():
    """Words 2 to 6 stand among 12 to 16, words 7 to 11 among 17 to 21."""
    rng = np.random.default_rng(1)
    topic = np.arange(400)[:, None] % 2
    texts = np.where(np.arange(9) % 2, rng.integers(12, 17, (400, 9)), rng.integers(2, 7, (400, 9))) + 5 * topic
    vectors = word_vectors(texts, 22, size=4, window=1)
    cosines = torch.cosine_similarity(vectors[2:12, None], vectors[None, 2:12], dim=-1)
    same = torch.arange(10)[:, None] // 5 == torch.arange(10) // 5
    assert cosines[same].min() > 0.9
    assert cosines[~same].max() < 0.5


def test_equal_input_gives_equal_vectors_whatever_chance_did_before():
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first = word_vectors(random_texts(), 42, size=7)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(3)
    assert torch.equal(word_vectors(torch.from_numpy(random_texts()), 42, size=7), first)


def test_padding_unknown_and_words_never_met_have_no_vector():
    texts = random_texts()
    texts[texts == 7] = 0
    vectors = word_vectors(texts, 42, size=5)
    assert np.flatnonzero(vectors.norm(dim=1) < 1e-5).tolist() == [0, 1, 7]


@pytest.mark.parametrize("texts", [np.zeros((3, 4)), np.full((3, 1), 5), np.empty((0, 4)), np.ones((2, 9))])
def test_texts_in_which_no_words_meet_give_zeros(texts):
    assert torch.equal(word_vectors(texts.astype(np.uint16), 9, size=3), torch.zeros(9, 3))


@pytest.mark.parametrize("options", [{"size": 0}, {"window": 0}])
def test_sizes_of_no_use_are_refused(options):
    with pytest.raises(ConfigError, match="word vectors must be 1 or more"):
        word_vectors(random_texts(), 42, **options)
