"""An encoder as a `tokenizers.Tokenizer`: of texts as they are, it makes the ids of `TextEncoder.encode`."""

import string
from unicodedata import category, decomposition, normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, normalizers

from lit_al.exceptions import ConfigError
from lit_al.text.encoder import RESERVED, TextEncoder
from lit_al.text.portable import foldings, too_new, unmarked_capitals

KINDS = [("keras3", "words"), ("keras2", "words"), ("unicode", "words"), ("unicode", "characters"),
         ("unicode", "subwords")]  # fmt: skip
TEXTS = [
    "It's <br /><br />GREAT!  Well-made; 10/10.", "<BR>fine<br\t/> &amp; 'quoted' don’t rock´n roll", "", " \n\t ",
    "Straße STRASSE ẞ ſt ﬁne İstanbul ıI ΟΔΟΣ ὀδός ᾳ Ϊ́ Ῥόδος", "e\u0301té ÉTÉ J\u030c ǰ H\u0331 ẖ T\u0308 Y\u030a",
    "👍🏽👍🏿 👩‍👩‍👧 🇩🇪🇫🇷🇮 ❤️‍🔥 1️⃣ 🏽x 😀‍ a‍b 😀‍‍😀 😀‍🏽 🇩'🇪 ☺'☺ ▁ a▁b", "这家店很好吃！下次还来。ＡＢＣ１２３ ㋿ ㎏",
    "ฉันชอบร้านอาหารนี้มาก", "한국어 한국어 좋아요", "שלום ״צה״ל״ ג׳ירפה", "مرحبا بالعالم ﷺ", "Ꭰᏸꭰ ᲀᲂ жЖ Ѐ",
    "नमस्ते क्षत्रिय", "a\u00adb\u200bc\u2060d\ufeffe", "\x00a\x01b\x1cc\x85d\xa0e\u2028f", "Ⅷ ① ½ ª º µ Å Ω K",
    "\U0001fbf4 \U0001f16c \ua7f2 x\U0001f16cy",
]  # fmt: skip
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn"], max_codepoint=0x2FFFF)
ANY_TEXT = st.text(st.one_of(st.sampled_from(sorted(set("".join(TEXTS)))), ASSIGNED), max_size=25)


def fitted(how, units, **settings):
    return TextEncoder.fit([*TEXTS, *TEXTS], vocabulary_size=400, max_length=12, how=how, units=units, **settings)


ENCODERS = {kind: fitted(*kind) for kind in KINDS}
READ = {kind: Tokenizer.from_str(encoder.tokenizer.to_str()) for kind, encoder in ENCODERS.items()}


def several_new_marks(text):
    """Combining marks in a row that the library, whose Unicode is older, may order otherwise."""
    theirs, text = normalizers.NFKC().normalize_str, "".join(one for one in text if one not in too_new())
    return any(theirs(form) != normalize("NFKC", form) for form in (text, normalize("NFKC", text).casefold()))


@pytest.mark.parametrize("kind", KINDS, ids=":".join)
def test_every_script_has_the_ids_of_the_encoder(kind):
    theirs = READ[kind].encode_batch(TEXTS)
    assert [found.ids for found in theirs] == ENCODERS[kind].encode(TEXTS).tolist()


@pytest.mark.parametrize("kind", KINDS, ids=":".join)
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=8))
def test_any_text_has_the_ids_of_the_encoder(kind, texts):
    texts = [text for text in texts if kind[0] != "unicode" or not several_new_marks(text)]
    assert [found.ids for found in READ[kind].encode_batch(texts)] == ENCODERS[kind].encode(texts).tolist()


@pytest.mark.parametrize("kind", KINDS, ids=":".join)
def test_middle_is_left_whole_for_who_reads_the_ids(kind):
    encoder = fitted(*kind, cut="middle")
    [whole] = [found.ids for found in encoder.tokenizer.encode_batch([TEXTS[0] * 3])]
    assert [*whole[:6], *whole[-6:]] == encoder.encode([TEXTS[0] * 3])[0].tolist()


def test_word_that_is_no_utf8_is_met_by_no_text():
    encoder = TextEncoder((*RESERVED, "a\ud800", "b"), max_length=3)
    assert encoder.tokenizer.encode("b a [no text 2]").ids == [3, 1, 1]


def test_word_that_stands_twice_is_refused():
    with pytest.raises(ConfigError, match="stands twice"):
        _ = TextEncoder((*RESERVED, "a", "a"), max_length=3).tokenizer


def test_what_is_folded_is_all_that_lower_case_leaves():
    changes = foldings()
    letters = [chr(n) for n in range(0x30000) if category(chr(n)) not in ("Cn", "Cs")]
    for letter in letters:
        if normalize("NFKC", letter) == letter:
            lower = "".join(changes.get(one, one) for one in letter.lower())
            assert normalize("NFKC", lower) == normalize("NFKC", letter.casefold())


def test_what_is_too_new_is_all_that_the_library_does_not_compose():
    theirs = normalizers.NFKC().normalize_str
    letters = [chr(n) for n in range(0x30000) if decomposition(chr(n))]
    assert all(theirs(letter) == normalize("NFKC", letter) for letter in letters if letter not in too_new())


def test_capitals_of_ascii_that_stay_apart_from_marks():
    assert unmarked_capitals() == "HJTWY"
    assert set(unmarked_capitals()) < set(string.ascii_uppercase)
