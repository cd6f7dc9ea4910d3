import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from lit_al.text.bucketing import in_windows, lengths_of


def test_lengths_are_the_words_of_each_row():
    tokens = torch.tensor([[5, 1, 0], [0, 0, 0], [1, 2, 3]]).to(torch.uint16)
    assert lengths_of(tokens, torch.tensor([[2, 0], [1, 0]])).tolist() == [[3, 2], [0, 2]]


@given(st.integers(1, 3), st.integers(1, 70), st.integers(1, 9), st.integers(1, 4), st.integers(0, 9))
def test_windows_hold_each_text_once_and_depend_on_the_seed_alone(members, texts, size, window, seed):
    lengths = np.random.default_rng(seed).integers(0, 30, (members, texts))
    places = in_windows(lengths, size, np.random.default_rng(seed), window)
    assert (np.sort(places, axis=1) == np.arange(texts)).all()
    assert (in_windows(lengths, size, np.random.default_rng(seed), window) == places).all()
    for first in range(0, texts - size + 1, size):  # every full batch comes from one window, for all members
        assert len(set((places[:, first : first + size] // (window * size)).ravel())) == 1


def test_batches_of_windows_have_like_lengths():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 400, (2, 3_200))
    places = in_windows(lengths, 64, rng)
    batches = np.take_along_axis(lengths, places, axis=1).reshape(2, 50, 64)
    assert batches.max(axis=(0, 2)).mean() < 1.1 * batches.mean()  # the longest over the members is what a batch costs
    assert (np.diff(batches.mean(axis=(0, 2))) < 0).any()  # shuffled
