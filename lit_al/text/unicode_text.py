"""Texts as Unicode has them: its own lower case, punctuation, white space, emoji and combining marks.

A text is folded first: compatible forms become one (NFKC), upper case lower case, `<br>` a blank. What it is made of
then stands apart, so that the loops of `tokenizer`, which know nothing but bytes, find words or characters alike:

    as words        what is neither white space, punctuation nor symbol; apostrophes go, so that it's is its
    as characters   each with its combining marks; every white space between two of them is one `BLANK`

An emoji, or another symbol of the category So, is a word of its own, with the skin, the joined figures or the second
letter of a flag that belong to it. Signs without a width (category Cf, variation selectors) go; half a surrogate pair
is U+FFFD, as every decoder has it.
"""

import codecs
import functools
import re
from typing import Final
from unicodedata import category, normalize

BLANK: Final = "▁"  # the character that stands for white space
APOSTROPHES: Final = "'’ʼ׳״"  # inside of words, those of Hebrew's abbreviations too
PUNCTUATION: Final = "".join(chr(n) for n in range(33, 127) if category(chr(n))[0] in "PS" and chr(n) != "'")  # ASCII's
BLANKS: Final = "".join(map(chr, range(33))) + "\x7f"  # ASCII's white space and controls; all of them are boundaries

_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BEYOND_ASCII: Final = "lit_al.text.unicode_text"  # name of the handler of what ASCII cannot encode
_SHORT: Final = 3  # characters of a run that is remembered
_ACUTE, _ZERO_WIDTH_SPACE = "´", "\u200b"
JOINER: Final = "\u200d"
SKINS: Final = range(0x1F3FB, 0x1F400)
SELECTORS: Final = frozenset((0x34F, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_EDGE, _SKIN, _HELD = "\x1f", "\x1e", "\x1d"  # beside a symbol; before a skin; a joiner that stays
_FLAG: Final = re.compile(f"{_EDGE}([\U0001f1e6-\U0001f1ff]){_EDGE}{_EDGE}([\U0001f1e6-\U0001f1ff]){_EDGE}")


def folded(text: str) -> str:
    """A text in which what reads alike is alike: NFKC, lower case, no `<br />`.

    >>> folded("Ｇｏｏｄ<br/>STRASSE Straße")
    'good strasse strasse'
    """
    text = _composed(_without_breaks(text))
    return text.lower() if text.isascii() else _lower(text)


def apart_as_words(text: str) -> bytes:
    """A text with one of `BLANKS`, or ASCII's punctuation, between its words; what is beyond ASCII is folded as well.

    ASCII's own letters, apostrophes and punctuation are left to whoever reads the bytes, which are UTF-8.
    """
    return _composed(_without_breaks(text)).encode(
        "ascii", _BEYOND_ASCII
    )  # finds what is not ASCII as nothing else does


def apart_as_characters(text: str) -> bytes:
    """A folded text with one of `BLANKS` between its characters, as UTF-8."""
    return _joined(BLANK.join(folded(text).split()).translate(_CHARACTERS)).encode()


def _without_breaks(text: str) -> str:
    return _BREAK.sub(" ", text) if "<" in text else text


def _composed(text: str) -> str:
    if text.isascii():
        return text
    return normalize("NFKC", text.replace(_ACUTE, "'").replace(_ZERO_WIDTH_SPACE, " "))  # an acute has a blank there


def _lower(text: str) -> str:
    return normalize("NFKC", text.casefold())  # which may have taken letters and marks apart


def _run(found: UnicodeError) -> tuple[bytes, int]:
    """The words of a stretch without a single character of ASCII, and where it ends."""
    assert isinstance(found, UnicodeEncodeError)  # it is registered for no other
    run = found.object[found.start : found.end]
    return (_remembered(run) if len(run) <= _SHORT else _words(run)), found.end


codecs.register_error(_BEYOND_ASCII, _run)


def _words(run: str) -> bytes:
    return _joined(_lower(run).translate(_WORDS)).encode()


_remembered: Final = functools.lru_cache(2**16)(_words)  # in a Latin text the same few come again and again


def _joined(text: str) -> str:
    """Put symbols together that are one picture; joiners between anything else go."""
    if _EDGE not in text:
        return text.replace(JOINER, "")
    text = _FLAG.sub(rf"{_EDGE}\1\2{_EDGE}", text).replace(_EDGE + _SKIN, "")
    text = text.replace(_EDGE + JOINER + _EDGE, _HELD).replace(JOINER, "")
    return text.replace(_HELD, JOINER)


class _Table(dict[int, str]):
    """What folded characters become, for `str.translate`; each is looked up in Unicode's tables once."""

    def __init__(self, *, words: bool) -> None:
        super().__init__()
        self.words = words

    def __missing__(self, number: int) -> str:
        self[number] = found = self._found(number)
        return found

    def _found(self, number: int) -> str:
        character, kind = chr(number), category(chr(number))
        if character == JOINER:
            return character  # until `_joined` has seen what is beside it
        if kind == "Cf" or number in SELECTORS:
            return ""
        if number in SKINS:
            return _SKIN + character + _EDGE
        if kind in ("So", "Cs"):
            return _EDGE + (character if kind == "So" else "\ufffd") + _EDGE
        return self._word(character, kind) if self.words else self._character(character, kind)

    @staticmethod
    def _word(character: str, kind: str) -> str:
        if character in APOSTROPHES:
            return ""
        return " " if kind[0] in "PSZ" or kind == "Cc" else character

    @staticmethod
    def _character(character: str, kind: str) -> str:
        if kind[0] == "Z" or kind == "Cc":
            return " "  # controls; white space has become `BLANK`
        return character if kind[0] == "M" else " " + character


_WORDS: Final = _Table(words=True)
_CHARACTERS: Final = _Table(words=False)
