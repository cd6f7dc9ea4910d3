"""Counts of texts: what is counted is what is there, sums are those of the whole, and JSON loses nothing."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lit_al.drift.text_counts import LENGTH_BINS, WORDS, TextCounts, word_counts


@st.composite
def batches(draw, classes=3):
    rows, length = draw(st.integers(1, 12)), draw(st.integers(1, 9))
    tokens = draw(arrays(np.uint16, (rows, length), elements=st.integers(0, 9)))
    kept = draw(arrays(np.int64, rows, elements=st.integers(0, length)))
    tokens[np.arange(length) >= kept[:, None]] = 0
    raw = draw(arrays(np.float32, (rows, classes), elements=st.floats(0.015625, 1, width=32)))
    return tokens, raw / raw.sum(axis=1, keepdims=True)


def same(one, other):
    return json.dumps(one.described()) == json.dumps(other.described())


@given(batches(), batches())
def test_sum_of_two_batches_is_the_count_of_both(one, other):
    width = max(one[0].shape[1], other[0].shape[1])
    tokens = np.concatenate([np.pad(part[0], ((0, 0), (0, width - part[0].shape[1]))) for part in (one, other)])
    both = TextCounts.of(tokens, np.concatenate([one[1], other[1]]))
    assert same(TextCounts.none(3) + TextCounts.of(*one) + TextCounts.of(*other), both)


@given(batches())
def test_counts_are_of_what_is_there(batch):
    tokens, probabilities = batch
    found = TextCounts.of(tokens, probabilities)
    for histogram in (found.classes, found.sureness, found.lengths, found.unknown):
        assert histogram.sum() == found.texts == len(tokens)
    assert found.units == np.count_nonzero(tokens)
    assert found.unknown_units == np.count_nonzero(tokens == 1)
    assert found.lengths[0] == (tokens == 0).all(axis=1).sum()
    for word in range(2, 10):
        assert found.words[word] == (tokens == word).any(axis=1).sum()
    assert same(TextCounts.read(json.loads(json.dumps(found.described())), 3), found)


def test_longer_and_surer_texts_lie_in_later_bins_and_the_last_is_within_reach():
    lengths = [1, 2, 3, 10, 100, 1_000, 65_536]
    tokens = np.zeros((len(lengths), lengths[-1]), np.uint16)
    for row, length in enumerate(lengths):
        tokens[row, :length] = 7
    sure = np.linspace(0.5, 1, len(lengths))
    bins = [TextCounts.of(tokens[[row]], np.array([[p, 1 - p]])) for row, p in enumerate(sure)]
    assert np.all(np.diff([one.lengths.argmax() for one in bins]) > 0)
    assert bins[-1].lengths.argmax() == LENGTH_BINS - 1
    assert np.all(np.diff([one.sureness.argmax() for one in bins]) > 0)


def test_words_beyond_those_counted_are_passed_over():
    assert word_counts(np.array([[WORDS - 1, WORDS, 60_000]], np.uint16), WORDS).sum() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"texts": 3},
        {"classes": [1, 1, 1]},
        {"classes": "many"},
        {"lengths": [-1, 3]},
        {"unknown_units": 9},
        {"words": [9]},
    ],
)
def test_what_is_no_count_of_one_set_of_texts_is_refused(wrong):
    found = TextCounts.of(np.array([[2, 3], [1, 0]]), np.array([[0.9, 0.1], [0.2, 0.8]])).described()
    with pytest.raises(ValueError, match="counts"):
        TextCounts.read({**found, **wrong}, 2)
