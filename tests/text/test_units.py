"""Which units suit which texts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.text.units import LONGEST_WORD, is_glued, suited

CHINESE = [
    "这家餐厅的菜很好吃，下次还会再来。",
    "送餐太慢了，汤都凉了",
    "味道一般",
    "老板人很好，iPhone 落在店里还帮我收着",
]
JAPANESE = ["この映画はとても面白かったです。", "役者の演技がひどい", "音楽は良かった、でも話は退屈"]
THAI = ["อาหารอร่อยมากแต่บริการช้าไปหน่อย", "ไม่อยากกลับไปอีกแล้วครับ", "ราคาแพงเกินไปสำหรับคุณภาพแบบนี้"]
ENGLISH = ["A film that nobody needs.", "It's so-so, really: a_b", "Great!!!", "two<br /><br />lines"]
GERMAN = [
    "Die Donaudampfschifffahrtsgesellschaftskapitänsmütze saß schief",
    "Rindfleischetikettierungsüberwachungsgesetz",
]
ARABIC, HEBREW = ["هذا الفيلم جميل جدا", "لم يعجبني المطعم"], ["הסרט הזה מצוין", "לא אהבתי את האוכל"]
KOREAN = ["이 영화는 정말 재미있었어요", "음식이 너무 늦게 나왔다"]


@pytest.mark.parametrize("texts", [CHINESE, JAPANESE, THAI])
def test_texts_without_spaces_are_read_by_characters(texts):
    found = suited([*texts, ""])
    assert found.units == "characters"
    assert str(found) == "encoder: characters, for 100 % of the texts have no spaces between words"


@pytest.mark.parametrize("texts", [ENGLISH, GERMAN, ARABIC, HEBREW, KOREAN, ["", " \n"], []])
def test_texts_with_spaces_are_read_by_words(texts):
    found = suited([*texts, ""])
    assert found.units == "words"
    assert str(found) == "encoder: words, for 100 % of the texts have spaces between words"


@pytest.mark.parametrize("texts", [CHINESE, JAPANESE])
@pytest.mark.parametrize("space", [" ", "\u3000", "\n", "\u200b"])
def test_spaces_between_characters_make_words_of_them(texts, space):
    assert suited(space.join(text) for text in texts).units == "words"


def test_words_of_thai_with_spaces_between_them_are_words():
    assert suited(["อาหาร อร่อย มาก แต่ บริการ ช้า ไป หน่อย", "ไม่ อยาก กลับ ไป อีก แล้ว ครับ"]).units == "words"


def test_some_texts_without_spaces_are_read_by_subwords():
    assert suited([*CHINESE, *ENGLISH * 4]).units == "subwords"
    assert suited([*CHINESE, *ENGLISH * 20]).units == "words"
    assert suited([*CHINESE, *ENGLISH]).units == "characters"


def test_one_word_longer_than_any_is_glued():
    assert is_glued("acgt" * LONGEST_WORD)
    assert not is_glued("a" * (LONGEST_WORD - 1))


@given(st.permutations([*CHINESE, *THAI, *ENGLISH, *GERMAN, *ENGLISH]))
def test_order_does_not_matter(texts):
    assert suited(texts) == suited(sorted(texts))


@given(st.lists(st.sampled_from([*CHINESE, *THAI, *ENGLISH, *KOREAN]), min_size=1, max_size=20), st.integers(2, 4))
def test_every_text_any_number_of_times_is_the_same_corpus(texts, times):
    assert suited(texts * times) == suited(texts)


@given(st.lists(st.sampled_from([*CHINESE, *ENGLISH]), max_size=20))
def test_one_more_glued_text_never_leads_away_from_characters(texts):
    rank = ["words", "subwords", "characters"].index
    assert rank(suited([*texts, CHINESE[0]]).units) >= rank(suited(texts).units)


@given(st.text(" ab\n", max_size=2_000))
def test_short_cut_for_ascii_decides_as_the_long_way(text):
    pieces = len(text.split())
    assert is_glued(text) == (0 < 2 * pieces <= sum(map(str.isalnum, text)) * 2 / LONGEST_WORD)


def test_any_text_is_taken():
    signs = random.Random(0).choices(range(0x110000), k=20_000)
    suited("".join(map(chr, signs[start : start + 20])) for start in range(0, len(signs), 20))
