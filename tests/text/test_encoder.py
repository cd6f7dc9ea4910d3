import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.exceptions import ConfigError, DataError
from lit_al.text.encoder import PUNCTUATION, RESERVED, TextEncoder, rank_words, standardize

TRICKY = [
    "",
    "   \t\n",
    "It's GREAT!!! <br /><br />Really (10/10) -- don't miss it...",
    "<BR />upper tag, half a tag <br and br/>",
    "\xe9t\xe9 \xc9T\xc9 na\xefve \u0130stanbul \xdf",  # case of ASCII only, as TensorFlow's
    "no\xa0break \x85 next\x1cline em\u2003space",  # white space of ASCII only
    "tab\tnew\nline\vvertical\ffeed\rreturn",
    "!!! --- ??? '' \"\" \\ ^ _ ` { | } ~",
    "\U0001f600 smile\U0001f600face",
    "one " * 400,
    "w" * 5_000,
    "3.5 stars, $100 & 7/10",
    "a_b-c.d,e;f:g",
]


def keras_words(text, how):
    """The page's rule in other words than the encoder's: no translate, no tokenizer."""
    lower = "".join(c.lower() if c in string.ascii_uppercase else c for c in text)
    if how == "keras2":
        lower = lower.replace("<br />", " ")
    bare = "".join(c for c in lower if c not in string.punctuation)
    return [word for word in re.split("[ \t\n\v\f\r]", bare) if word]


def keras_ids(texts, vocabulary, length, how):
    rows = []
    for each in texts:
        ids = [vocabulary.index(word) if word in vocabulary else 1 for word in keras_words(each, how)][:length]
        rows.append(ids + [0] * (length - len(ids)))
    return rows


def both_ends(texts, vocabulary, length, how):
    """The first words of a longer text and its last, one more of the first where the length is odd."""
    rows = []
    for each in texts:
        tokenizer = keras_words(each, how)
        if len(tokenizer) > length:
            tokenizer = tokenizer[: (length + 1) // 2] + (tokenizer[-(length // 2) :] if length > 1 else [])
        ids = [vocabulary.index(word) if word in vocabulary else 1 for word in tokenizer]
        rows.append(ids + [0] * (length - len(ids)))
    return rows


def test_punctuation_is_that_of_keras():
    assert sorted(PUNCTUATION) == sorted(string.punctuation)


@pytest.mark.parametrize("how", ["keras3", "keras2"])
def test_encode_tricky_strings_agree_with_the_reference(how):
    encoder = TextEncoder.fit(TRICKY, vocabulary_size=25, max_length=7, how=how)
    assert encoder.encode(TRICKY).tolist() == keras_ids(TRICKY, encoder.vocabulary, 7, how)


@pytest.mark.parametrize("how", ["keras3", "keras2"])
@pytest.mark.parametrize("length", [1, 2, 5, 6, 40])
def test_cut_in_the_middle_keeps_both_ends_of_tricky_strings(how, length):
    encoder = TextEncoder.fit(TRICKY, vocabulary_size=25, max_length=length, how=how, cut="middle")
    assert encoder.encode(TRICKY).tolist() == both_ends(TRICKY, encoder.vocabulary, length, how)


@settings(max_examples=200)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.sampled_from(["keras3", "keras2"]))
def test_encode_any_text_agrees_with_the_reference(texts, how):
    encoder = TextEncoder((*RESERVED, "a", "br", "0", "aa"), max_length=5, how=how)
    texts = ["a A, aa 0", *texts]
    assert encoder.encode(texts).tolist() == keras_ids(texts, encoder.vocabulary, 5, how)


@settings(max_examples=200)
@given(st.lists(st.text("abcd ,", max_size=60), min_size=1, max_size=4), st.integers(1, 9))
def test_cut_in_the_middle_keeps_both_ends_of_any_text(texts, length):
    encoder = TextEncoder((*RESERVED, "a", "b", "c", "ab", "d"), max_length=length, cut="middle")
    assert encoder.encode(texts).tolist() == both_ends(texts, encoder.vocabulary, length, "keras3")


@settings(max_examples=100)
@given(st.lists(st.text("abB ,\n", max_size=30), max_size=5))
def test_rank_words_counts_every_word(texts):
    counts = Counter(word for text in texts for word in keras_words(text, "keras3"))
    ranked = rank_words(texts)
    assert sorted(ranked) == sorted(counts)
    assert [counts[word] for word in ranked] == sorted(counts.values(), reverse=True)


def test_rank_words_ties_run_backwards_through_the_alphabet():
    assert rank_words(["b a c", "c"]) == ["c", "b", "a"]
    assert rank_words(["b a c \ud800 \U0001f600 \uffff", "c"]) == ["c", "\U0001f600", "\uffff", "\ud800", "b", "a"]
    assert rank_words(["b a c", "c"], most=2) == ["c", "b"]


def test_compiled_loops_agree_with_the_tokenizers_library_on_many_words():
    """Enough words that the tables grow, and enough texts for several threads."""
    random = np.random.default_rng(0)
    texts = [" ".join(f"W{number}'" for number in random.zipf(1.2, 40) % 10**6) for _ in range(5_000)]
    counts = Counter(word for text in texts for word in keras_words(text, "keras3"))
    ranked = sorted(counts, key=lambda word: (counts[word], word.encode()), reverse=True)
    assert len(ranked) > 10_000
    assert rank_words(texts) == ranked
    assert rank_words(texts, most=500) == ranked[:500]
    encoder = TextEncoder.fit(texts, vocabulary_size=65_536, max_length=30)
    theirs = encoder.tokenizer.encode_batch_fast([standardize(text) for text in texts], add_special_tokens=False)
    ids = encoder.encode(texts)
    assert ids.tolist() == [encoding.ids for encoding in theirs]
    ends = TextEncoder(encoder.vocabulary, max_length=30, cut="middle").encode(texts)
    assert (ends[:, :15] == ids[:, :15]).all()
    assert (ends[:, 15:] != ids[:, 15:]).any()


def test_encode_tells_its_progress_and_writes_where_it_is_told():
    encoder, told, out = TextEncoder((*RESERVED, "x"), max_length=2), [], np.full((5_000, 2), 9, np.uint16)
    assert encoder.encode(["x"] * 5_000, out=out, advance=told.append) is out
    assert sum(told) == 5_000
    assert len(told) > 1
    assert (out == [2, 0]).all()


def test_standardize_tags():
    assert standardize("End.<br /><br />New") == "endbr br new"
    assert standardize("End.<BR /><br />New", "keras2") == "end  new"


def test_encode_takes_a_huge_text():
    encoder = TextEncoder((*RESERVED, "x"), max_length=3)
    assert encoder.encode(["x " * 5_000_000, "y" * 10_000_000]).tolist() == [[2, 2, 2], [1, 0, 0]]


def test_encode_chunks_keep_the_order():
    encoder = TextEncoder((*RESERVED, *(str(n) for n in range(3_000))), max_length=1)
    ids = encoder.encode([str(n) for n in range(3_000)])
    assert ids.dtype == np.uint16
    assert (ids[:, 0] == np.arange(3_000) + 2).all()
    assert encoder.encode([]).shape == (0, 1)


def test_state_dict_makes_the_same_encoder():
    encoder = TextEncoder.fit(TRICKY, vocabulary_size=9, max_length=4, how="keras2")
    assert TextEncoder.from_state_dict(encoder.state_dict()) == encoder
    middle = TextEncoder(encoder.vocabulary, max_length=4, cut="middle")
    assert TextEncoder.from_state_dict(middle.state_dict()) == middle
    older = {name: value for name, value in encoder.state_dict().items() if name != "cut"}
    assert TextEncoder.from_state_dict(older) == encoder  # it cuts at the end


def test_fit_bad_settings_are_refused():
    with pytest.raises(ConfigError, match="vocabulary_size=2"):
        TextEncoder.fit(["a"], vocabulary_size=2)
    with pytest.raises(ConfigError, match="cut='start' is no part of a text; give one of end, middle"):
        TextEncoder.fit(["a"], cut="start")
    with pytest.raises(ConfigError, match="max_length=0"):
        TextEncoder.fit(["a"], max_length=0)
    with pytest.raises(ConfigError, match="reserved"):
        TextEncoder(("a", "b", "c"))
    with pytest.raises(DataError, match="no word"):
        TextEncoder.fit(["", "!!!"])
