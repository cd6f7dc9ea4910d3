"""Every script: what `how="unicode"` takes for words and characters, held against a slow and plain definition."""

from unicodedata import category, normalize

from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.text.encoder import standardize

FAMILY, FLAG = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea"
THUMB, HEART = "\U0001f44d\U0001f3fd", "\u2764\ufe0f\u200d\U0001f525"
SIGNS = st.sampled_from(
    [
        *"abÄßİé\u0301\u0345\u03b1ＡＢ①½™©▁—！，。、'’´`-_ \t\n\x1f\x1e\x1d\x00\u3000\u200b\u00a0\u2028\u200d\ufe0f",
        *"好吃不ไม่ด้วยकिताबעברית״عربيةمی\u200cㄱ가힣ᄀ\ud800\udfff\U0001f1ea\U0001f3fd",
        *("<br />", "<BR/>", FAMILY, FLAG, THUMB, HEART),
    ]
)
TEXTS = st.lists(SIGNS, max_size=12).map("".join) | st.text(max_size=40)


def pictures(text):
    """The pieces of a folded text: symbols with what belongs to them, and every other character by itself."""
    kept = [c for c in text if c == "\u200d" or not (category(c) == "Cf" or c == "\u034f" or _selects(c))]
    pieces, place = [], 0
    while place < len(kept):
        end = place + 1
        if _is_symbol(kept[place]):
            end = _end_of_symbol(kept, place)
            while (
                end + 1 < len(kept)
                and kept[end] == "\u200d"
                and _is_symbol(kept[end + 1])
                and not _is_skin(kept[end + 1])
            ):
                end = _end_of_symbol(kept, end + 1)
        pieces.append("".join(kept[place:end]))
        place = end
    return [piece.replace("\ud800", "�") for piece in pieces if piece != "\u200d"]


def _selects(c):
    return 0x180B <= ord(c) < 0x1810 or 0xFE00 <= ord(c) < 0xFE10 or 0xE0100 <= ord(c) < 0xE01F0


def _is_skin(c):
    return "\U0001f3fb" <= c <= "\U0001f3ff"


def _is_letter_of_flag(c):
    return "\U0001f1e6" <= c <= "\U0001f1ff"


def _is_symbol(c):
    return category(c) in ("So", "Cs") or _is_skin(c)


def _end_of_symbol(kept, place):
    pair = kept[place : place + 2]
    end = place + (2 if len(pair) == 2 and all(map(_is_letter_of_flag, pair)) else 1)
    while end < len(kept) and _is_skin(kept[end]):
        end += 1
    return end


def fold(text):
    for tag in ("<br />", "<br/>", "<br>", "<BR />", "<BR/>", "<BR>"):
        text = text.replace(tag, " ")
    text = text.replace("´", "'").replace("\u200b", " ")
    text = "".join("�" if category(c) == "Cs" else c for c in text)
    return normalize("NFKC", normalize("NFKC", text).casefold())


def plain_words(text):
    found = ""
    for piece in pictures("".join(c for c in fold(text) if c not in "’ʼ׳״")):  # as if they were not there
        if _is_symbol(piece[0]):
            found += f" {piece} "
        elif piece == "'":
            pass
        elif category(piece)[0] in "PSZ" or category(piece) == "Cc":
            found += " "
        else:
            found += piece
    return found.split(" ")


def plain_characters(text):
    found, goes_on = [], False
    for piece in pictures("▁".join(fold(text).split())):
        kind = category(piece[0])
        if kind[0] == "M" and goes_on:
            found[-1] += piece
        elif kind[0] != "Z" and kind != "Cc":
            found.append(piece)
        goes_on = not _is_symbol(piece[0]) and kind[0] != "Z" and kind != "Cc"
    return found


@settings(max_examples=500)
@given(TEXTS)
def test_words_are_those_of_the_plain_definition(text):
    assert standardize(text, "unicode").split() == [word for word in plain_words(text) if word]


@settings(max_examples=500)
@given(TEXTS)
def test_characters_are_those_of_the_plain_definition(text):
    assert standardize(text, "unicode", "characters").split() == plain_characters(text)


def words(text):
    return standardize(text, "unicode").split()


def test_case_punctuation_and_white_space_of_every_script():
    assert words("It's GREAT!!!<br /><br/>Well—“so-so”, isn’t it?") == [
        "its",
        "great",
        "well",
        "so",
        "so",
        "isnt",
        "it",
    ]
    assert words("Die STRAẞE, Donaudampfschifffahrtsgesellschaft") == [
        "die",
        "strasse",
        "donaudampfschifffahrtsgesellschaft",
    ]
    assert words("Ｆｕｌｌ\u3000ｗｉｄｔｈ！１２３") == ["full", "width", "123"]
    assert words("ДОМ «Мода» ΟΔΟΣ οδος") == ["дом", "мода", "οδοσ", "οδοσ"]
    assert words("好吃，下次还来！真的。") == ["好吃", "下次还来", "真的"]
    assert words("مرحبا، بالعالم؟ می\u200cخواهم") == ["مرحبا", "بالعالم", "میخواهم"]
    assert words("\u200fשלום, צה״ל\u200f") == ["שלום", "צהל"]
    assert words("e\u0301te\u0301 ÉTÉ été") == ["été"] * 3
    assert words("5$ + 3€ = 8\u00a0¤") == ["5", "3", "8"]


def test_emoji_are_words_of_their_own_and_stay_whole():
    assert words(f"good{THUMB}{THUMB}{FAMILY}bad{FLAG}{FLAG} ☕️x") == [
        "good", THUMB, THUMB, FAMILY, "bad", FLAG, FLAG, "☕", "x"
    ]  # fmt: skip
    assert words(HEART) == [HEART.replace("\ufe0f", "")]
    assert words("1\ufe0f\u20e3 \U0001f3f4\U000e0067\U000e0062\U000e007f \u200d \ufe0f") == ["1\u20e3", "\U0001f3f4"]


def test_half_a_surrogate_pair_is_a_sign_of_its_own():
    assert words("\ud83d broken\udc4d") == ["\ufffd", "broken", "\ufffd"]


def test_characters_keep_their_marks_and_every_white_space_is_one():
    assert standardize("ไม่  ดี\n\nก็", "unicode", "characters").split() == ["ไ", "ม่", "▁", "ดี", "▁", "ก็"]
    assert standardize("ＯＫ！ 好吃", "unicode", "characters").split() == ["o", "k", "!", "▁", "好", "吃"]
    assert standardize(f"हिन्दी{FAMILY}{FLAG}a", "unicode", "characters").split() == ["हि", "न्", "दी", FAMILY, FLAG, "a"]
