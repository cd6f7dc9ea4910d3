import json
import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.exceptions import ConfigError, DataError
from lit_al.text.encoder import PUNCTUATION, RESERVED, TextEncoder, rank_words, standardize, suited_encoder

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
    theirs = encoder.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
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


SCRIPTS = [
    "这家店很好吃，下次还来！",
    "役者の演技がひどい",
    "อาหารอร่อยมาก แต่ช้า",
    "Donaudampfschifffahrtsgesellschaft, STRASSE straße",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd ok \U0001f1e9\U0001f1ea",
    "هذا الفيلم جميل جدا \u200f!",
    "\ud83d half a pair \udc4d",
    "",
    " \n\u3000",
    "It's GREAT!<br /><br />it’s",
]
KINDS = [
    ("unicode", "words"),
    ("unicode", "characters"),
    ("unicode", "subwords"),
    ("keras3", "words"),
    ("keras2", "words"),
]


def plain_ids(encoder, texts):
    """Look up every unit of the standardized text, then cut and pad."""
    rows = []
    for text in texts:
        found = standardize(text, encoder.how, encoder.units).split()
        ids = [encoder.vocabulary.index(unit) if unit in encoder.vocabulary else 1 for unit in found]
        head = encoder.max_length - (encoder.max_length // 2 if encoder.cut == "middle" else 0)
        if len(ids) > encoder.max_length:
            ids = ids[:head] + ids[len(ids) - (encoder.max_length - head) :]
        rows.append(ids + [0] * (encoder.max_length - len(ids)))
    return rows


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(SCRIPTS) | st.text(max_size=30) | st.text("aB '’.-\x1f好吃\U0001f44d", max_size=30), max_size=4
    ),
    st.sampled_from(["words", "characters"]),
    st.sampled_from(["end", "middle"]),
    st.integers(1, 9),
)
def test_encode_every_script_agrees_with_the_plain_definition(texts, units, cut, length):
    encoder = TextEncoder.fit(
        SCRIPTS, vocabulary_size=40, max_length=length, how="unicode", cut=cut, units=units
    )  # some units are unknown
    assert encoder.encode(texts).tolist() == plain_ids(encoder, texts)
    counts = [len(standardize(text, "unicode", units).split()) for text in texts]
    assert encoder.lengths(texts).tolist() == counts


@pytest.mark.parametrize(("how", "units"), KINDS)
def test_any_order_of_texts_gives_the_same_encoder(how, units):
    encoders = {
        TextEncoder.fit([*SCRIPTS[turn:], *SCRIPTS[:turn]], vocabulary_size=50, how=how, units=units)
        for turn in (0, 3, 7)
    }
    assert len(encoders) == 1


@pytest.mark.parametrize(("how", "units"), KINDS)
@pytest.mark.parametrize("cut", ["end", "middle"])
def test_state_is_plain_and_makes_the_same_encoder(how, units, cut):
    encoder = TextEncoder.fit(SCRIPTS, vocabulary_size=60, max_length=7, how=how, cut=cut, units=units)
    state = json.loads(json.dumps(encoder.state_dict()))
    again = TextEncoder.from_state_dict(state)
    assert again == encoder
    np.testing.assert_array_equal(again.encode(SCRIPTS), encoder.encode(SCRIPTS))


def test_state_of_before_there_were_units_reads_words():
    encoder = TextEncoder.fit(TRICKY, vocabulary_size=9, max_length=4)
    older = {name: value for name, value in encoder.state_dict().items() if name not in ("units", "merges")}
    assert TextEncoder.from_state_dict(older) == encoder


@pytest.mark.parametrize(("how", "units"), KINDS)
def test_tokenizer_reads_every_kind(how, units):
    texts = [text for text in SCRIPTS if "\ud83d" not in text]  # the library takes no half of a surrogate pair
    encoder = TextEncoder.fit(texts, vocabulary_size=60, max_length=8, how=how, units=units)
    theirs = encoder.tokenizer.encode_batch(texts, add_special_tokens=False)
    assert encoder.encode(texts).tolist() == [encoding.ids for encoding in theirs]


def test_characters_end_where_they_end():
    assert TextEncoder.fit(["好吃好"], how="unicode", units="characters").vocabulary == (*RESERVED, "好", "吃")
    assert TextEncoder.fit(["ab ba\nb"], how="unicode", units="characters").vocabulary == (*RESERVED, "b", "▁", "a")


def test_suited_encoder_says_what_it_has_chosen_and_only_then():
    chinese = ["这家店很好吃，下次还来！", "送餐太慢了"]
    encoder, said = suited_encoder(chinese)
    assert encoder.units == "characters"
    assert said == "encoder: characters, for 100 % of the texts have no spaces between words"
    assert suited_encoder(chinese, units="words") == (TextEncoder.fit(chinese, how="unicode"), "")
    assert suited_encoder(chinese, how="keras3") == (TextEncoder.fit(chinese), "")


def test_units_that_cannot_be_are_refused():
    with pytest.raises(
        ConfigError, match="units='letters' are none of a text; give one of words, subwords, characters"
    ):
        TextEncoder.fit(["a"], how="unicode", units="letters")
    with pytest.raises(ConfigError, match="units='characters' cannot be read with how='keras3'"):
        TextEncoder.fit(["a"], units="characters")
    with pytest.raises(ConfigError, match="not those that its pairs make"):
        TextEncoder((*RESERVED, "a", "b"), how="unicode", units="subwords", merges=(("a", "b"),))
    for units in ("words", "subwords", "characters"):
        with pytest.raises(DataError, match="no word"):
            TextEncoder.fit(["", " \n"], how="unicode", units=units)
