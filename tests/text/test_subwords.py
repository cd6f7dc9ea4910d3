"""Subwords: what they are learned from, what they spell, and that the library reads them as we do."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.text import subwords
from lit_al.text.encoder import RESERVED, TextEncoder, standardize

WORDS = [
    "lower",
    "lowest",
    "newer",
    "newest",
    "wider",
    "widest",
    "slow",
    "slower",
    "Straßenbahn",
    "好吃",
    "不好吃",
    "👍🏽",
]
TEXTS = [" ".join(random.Random(seed).choices(WORDS, k=9)) for seed in range(60)]


def encoder_of(texts=TEXTS, size=60, **settings):
    return TextEncoder.fit(
        texts, vocabulary_size=size, how="unicode", units="subwords", **{"max_length": 40, **settings}
    )


def test_order_of_texts_does_not_matter():
    shuffled = random.Random(1).sample(TEXTS, len(TEXTS))
    assert encoder_of(shuffled) == encoder_of()


def test_ids_grow_as_subwords_get_rarer():
    encoder = encoder_of()
    counts = np.bincount(encoder.encode(TEXTS).ravel(), minlength=len(encoder.vocabulary))[len(RESERVED) :]
    assert (np.diff(counts) <= 0).all()


def test_subwords_spell_every_text():
    encoder = encoder_of()
    for text, ids in zip(TEXTS, encoder.encode(TEXTS), strict=True):
        spelled = "".join(encoder.vocabulary[number] for number in ids if number)
        assert spelled == "".join(subwords.MARK + word for word in standardize(text, "unicode").split())


def test_frequent_words_are_pieces_and_new_words_are_made_of_several():
    encoder = encoder_of(size=120)
    assert {"▁lower", "▁newest", "▁slow"} <= {*encoder.vocabulary}
    assert encoder.lengths(["lower", "lowester", "", "ж lower"]).tolist() == [1, 3, 0, 2 + 1]
    assert (encoder.encode(["lowester"])[0, :3] > 1).all()


@pytest.mark.parametrize("size", [4, 10, 30, 200])
def test_vocabulary_is_never_larger_than_wanted(size):
    encoder = encoder_of(size=size)
    assert len(encoder.vocabulary) <= size
    assert encoder.encode(TEXTS).max() < len(encoder.vocabulary)


def test_rare_characters_are_left_out_where_there_are_too_many():
    letters = [chr(number) for number in range(0x4E00, 0x4E00 + 400)]
    texts = [letters[n] * (400 - n) for n in range(400)]
    random.Random(0).shuffle(texts)
    encoder = encoder_of(texts, size=102)
    single = [piece for piece in encoder.vocabulary[2:] if len(piece) == 1]
    assert sorted(single) == sorted([subwords.MARK, *letters[:49]])
    assert encoder_of(texts[::-1], size=102) == encoder


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([*WORDS, "слово", "x\ud800", "ne", "▁", "!"]), max_size=12).map(" ".join), max_size=5
    )
)
def test_ids_are_those_of_the_library(texts):
    encoder = encoder_of(max_length=6)
    whole_signs = [text.replace("\ud800", "\ufffd") for text in texts]  # the library takes no half of a surrogate pair
    theirs = encoder.tokenizer.encode_batch(whole_signs, add_special_tokens=False)
    assert encoder.encode(texts).tolist() == [encoding.ids for encoding in theirs]
    whole = subwords.tokenizer_of(encoder.vocabulary, encoder.merges, RESERVED[1])
    lengths = [len(whole.encode(encoder.standardized(text)).ids) for text in texts]
    assert encoder.lengths(texts).tolist() == lengths


@given(st.integers(1, 12))
def test_cut_in_the_middle_keeps_both_ends(length):
    whole, cut = (
        encoder_of(max_length=60).encode(TEXTS[:5]),
        encoder_of(max_length=length, cut="middle").encode(TEXTS[:5]),
    )
    for ids, kept in zip(whole, cut, strict=True):
        found = ids[ids > 0]
        tail = length // 2
        ends = [*found[: length - tail], *(found[-tail:] if tail else [])]
        assert kept[kept > 0].tolist() == (ends if len(found) > length else found.tolist())


def test_forgetting_changes_nothing(monkeypatch):
    expected = encoder_of().encode(TEXTS)
    monkeypatch.setattr(subwords, "REMEMBERED", 2)
    np.testing.assert_array_equal(encoder_of().encode(TEXTS), expected)
