"""What a text is cut into: words, subwords or characters, and which of them suits a corpus.

Texts decide, not a language's name. A script without spaces is known by its letters: a word of Chinese or Japanese has
two of them on the average, one of Thai or Khmer four. What stands between two spaces is then worth so and so many
words; a text is glued where it is worth two or more on the average. A long German compound is not: only what no
dictionary holds, longer than `LONGEST_WORD`, is glued in other scripts.

    most texts glued    characters: what a word model would take for a word occurs once
    some                subwords: they serve both kinds of texts
    hardly any          words
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Standardize = Literal["keras3", "keras2", "unicode"]
Units = Literal["words", "subwords", "characters"]
UnitsAsked = Literal["auto", "words", "subwords", "characters"]

MOST: Final = 0.5  # share of glued texts from which on characters are read
SOME: Final = 0.1  # likewise subwords
LONGEST_WORD: Final = 80  # letters, in a script with spaces
_IDEOGRAPHS: Final = re.compile(  # Han, kana, bopomofo
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_ALPHABETS: Final = (
    re.compile(  # Thai, Lao, Tibetan, Burmese, Khmer, Javanese: letters alone, for marks are not counted
        "[\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf\u0f40-\u0f6c"
        "\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3\ua984-\ua9b2]"
    )
)


@dataclass(frozen=True)
class Suited:
    """Units, and why: a line for whoever reads the run's output."""

    units: Units
    why: str

    def __str__(self) -> str:
        return f"encoder: {self.units}, {self.why}"


def suited(texts: Iterable[str]) -> Suited:
    """The units that suit texts, whatever their order.

    Args:
        texts: any number; they are read once. Empty ones do not count.

    >>> print(suited(["这家店很好吃，下次还来！", "送餐太慢"]))
    encoder: characters, for 100 % of the texts have no spaces between words
    >>> suited(["Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"]).units
    'words'
    >>> suited(["这 家 店 很 好 吃", "送 餐 太 慢"]).units
    'words'
    """
    whole = glued = 0
    for text in texts:
        if text and not text.isspace():
            whole += 1
            glued += is_glued(text)
    share = glued / max(whole, 1)
    if share < SOME:
        return Suited("words", f"for {100 * (1 - share):.0f} % of the texts have spaces between words")
    why = f"for {100 * share:.0f} % of the texts have no spaces between words"
    return Suited("characters" if share >= MOST else "subwords", why)


def is_glued(text: str) -> bool:
    """Is what stands between the spaces of a text worth two words or more on the average?

    >>> is_glued("ฉันชอบร้านอาหารนี้มาก"), is_glued("ฉัน ชอบ ร้าน อาหาร นี้ มาก"), is_glued("an iPad 很好")
    (True, False, False)
    """
    single = text.count(" ") - 2 * text.count("  ")  # one at most for each stretch of blanks: pieces, and one
    if text.isascii() and len(text) <= LONGEST_WORD * (single - 1):
        return False  # without a closer look
    pieces = len(text.replace("\u200b", " ").replace("\u0f0b", " ").split())  # of no width in Khmer; Tibetan's point
    ideographs = letters = 0
    if not text.isascii():
        ideographs, letters = len(_IDEOGRAPHS.findall(text)), len(_ALPHABETS.findall(text))
    worth, others = ideographs / 2 + letters / 4, len(text) - ideographs - letters
    if worth + others * 2 / LONGEST_WORD < 2 * pieces or not pieces:
        return False  # even if all others were letters
    others = sum(map(str.isalnum, text)) - ideographs - letters
    return worth + others * 2 / LONGEST_WORD >= 2 * pieces
