"""An encoder in the parts of the `tokenizers` library: one that reads texts as they are, here and wherever that runs.

What `encoder` and `unicode_text` do by compiled loops and by Unicode's tables is spelled here as replacements and
regular expressions, in the syntax that Rust's Oniguruma and JavaScript share. Classes of characters are written out
from Python's own tables, so that no other version of Unicode has a say. Only the order of several combining marks on
one letter is the library's, whose Unicode is older: it may differ where one of the marks came with version 11 or later.

    words         case, apostrophes and punctuation go in the normalizer; blanks, and emoji, part words
    characters    each with its combining marks; white space is one `BLANK`
    subwords      words, which byte pairs then take apart
"""

import functools
import string
import sys
from collections.abc import Iterator
from itertools import count
from typing import Any, Final
from unicodedata import category, decomposition, normalize

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from lit_al.exceptions import ConfigError
from lit_al.text import subwords
from lit_al.text.encoder import PUNCTUATION, RESERVED, SPACES, UNKNOWN, TextEncoder
from lit_al.text.unicode_text import APOSTROPHES, BLANK, JOINER, SELECTORS, SKINS

_FLAG_LETTERS: Final = "\U0001f1e6-\U0001f1ff"
_BLOCK: Final = "\x01"  # what no text holds any more when it is put in: controls are blanks by then
_SPECIAL: Final = "\\]^-["  # inside of a class


def tokenizer_of(encoder: TextEncoder) -> Any:
    """A `tokenizers.Tokenizer` that gives whole texts the ids of an encoder; nothing is cut or padded.

    Half a surrogate pair, which is no text of UTF-8, is refused by the library itself.

    Raises:
        ConfigError: a word stands twice in the vocabulary.
    """
    if encoder.units == "subwords":
        tokenizer = subwords.tokenizer_of(encoder.vocabulary, encoder.merges, RESERVED[UNKNOWN])
    else:
        tokenizer = Tokenizer(models.WordLevel(_numbers(encoder.vocabulary), unk_token=RESERVED[UNKNOWN]))
    if encoder.how != "unicode":
        parts = list(_as_keras(encoder.how)), [_split(f"[{SPACES}]+", "removed")]
    elif encoder.units == "characters":
        parts = list(_as_characters(encoder)), [_split(" +", "removed"), _split(_characters(), "isolated")]
    else:
        parts = list(_as_words(encoder)), [_split(" +", "removed"), _split(_pictures(), "isolated")]
    if encoder.units == "subwords":  # whose mark begins words, and is nothing else
        parts[1].extend([_split(subwords.MARK, "removed"), subwords.marked()])
    tokenizer.normalizer = normalizers.Sequence(parts[0])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts[1])
    return tokenizer


def _numbers(vocabulary: tuple[str, ...]) -> dict[str, int]:
    """The number of each word; one that is no UTF-8 has a name that no text can hold."""
    spelled = (word if _is_utf8(word) else f"[no text {number}]" for number, word in enumerate(vocabulary))
    numbers = dict(zip(spelled, count(), strict=False))
    if len(numbers) < len(vocabulary):
        raise ConfigError("a word stands twice in the vocabulary of this encoder; fit the encoder anew")
    return numbers


def _is_utf8(word: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in word)


# --- Normalizers ------------------------------------------------------------------------------------------------------


def _as_keras(how: str) -> Iterator[Any]:
    """ASCII's punctuation goes, ASCII's capitals become small; the library's own lower case is Unicode's."""
    if how == "keras2":
        yield _replaced("<[bB][rR] />", " ")
    yield _replaced(f"[{_escaped(PUNCTUATION)}]", "")
    for large, small in zip(string.ascii_uppercase, string.ascii_lowercase, strict=True):
        yield normalizers.Replace(large, small)


def _as_words(encoder: TextEncoder) -> Iterator[Any]:
    """As `unicode_text.apart_as_words`, and what the bytes then mean; between words stand blanks."""
    beside = f"{_class('So')}{_range(SKINS)}"
    yield _without_breaks()
    yield from _blanks_and_apostrophes()
    yield _replaced("[\x00- \x7f]+", " ")
    yield from _composed(encoder)
    for letter in unmarked_capitals():  # a capital of ASCII and its marks stay two, its small letter and they are one
        yield _replaced(rf"{letter}(?=\p{{M}})", letter.lower() + _BLOCK)
    yield from _lower(encoder)
    yield normalizers.Replace(_BLOCK, "")
    yield _replaced(f"[{_signs_without_width()}{APOSTROPHES.replace(chr(39), '')}]", "")
    yield from _without_loose_joiners()
    yield _replaced(f"(?<=[{beside}])'|'(?=[{beside}])", " ")
    yield normalizers.Replace("'", "")
    yield _replaced(f"[{_class('P', 'Z', 'Cc', 'Sm', 'Sc', 'Sk')}]+", " ")


def _as_characters(encoder: TextEncoder) -> Iterator[Any]:
    """As `unicode_text.apart_as_characters`; between what controls part stand blanks."""
    yield _without_breaks()
    yield from _blanks_and_apostrophes()
    yield from _composed(encoder)
    yield from _lower(encoder)
    yield _replaced(f"[{_white_space()}]+", " ")
    yield _replaced("^ | $", "")
    yield normalizers.Replace(" ", BLANK)
    yield _replaced(f"[{_signs_without_width()}]", "")
    yield from _without_loose_joiners()
    yield _replaced(f"[{_class('Z', 'Cc')}]", " ")


def _without_breaks() -> Any:
    return _replaced(f"<[bB][rR][{_white_space()}]*/?>", " ")


def _blanks_and_apostrophes() -> Iterator[Any]:
    yield normalizers.Replace("´", "'")
    yield normalizers.Replace("\u200b", " ")


def _composed(encoder: TextEncoder) -> Iterator[Any]:
    """NFKC, and before it what the library's own does not know yet."""
    yield from _mapped({one: whole for one, whole in too_new().items() if category(one) == "So"})  # part words
    yield from _mapped(_told({one: whole for one, whole in too_new().items() if category(one) != "So"}, encoder))
    yield normalizers.NFKC()


def _lower(encoder: TextEncoder) -> Iterator[Any]:
    """Case folding: lower case, and what more Unicode folds."""
    yield normalizers.Lowercase()
    yield from _mapped(_told(foldings(), encoder))
    yield normalizers.NFKC()


def _told(changes: dict[str, str], encoder: TextEncoder) -> dict[str, str]:
    """Those changes of letters that can make another id: each costs a look at the whole text.

    What holds no character of the vocabulary is unknown before and after, and only to characters is it then one or two.
    """
    held = set(normalize("NFD", "".join(encoder.vocabulary[len(RESERVED) :])))
    counted = encoder.units == "characters"
    return {
        letter: into
        for letter, into in changes.items()
        if held & set(normalize("NFD", into.casefold())) or (counted and len(into) > 1)
    }


def _mapped(changes: dict[str, str]) -> Iterator[Any]:
    return (normalizers.Replace(letter, into) for letter, into in changes.items())


def _without_loose_joiners() -> Iterator[Any]:
    """Joiners go that stand between anything but two symbols; a skin behind one begins a word, and two join nothing."""
    symbol, skin = _class("So"), _range(SKINS)
    yield _replaced(f"{JOINER}+(?=[{skin}])|(?<=[{symbol}{skin}]){JOINER}{{2,}}", " ")
    yield _replaced(f"(?<![{symbol}{skin}]){JOINER}|{JOINER}(?![{symbol}])", "")


def _replaced(pattern: str, content: str) -> Any:
    return normalizers.Replace(Regex(pattern), content)


@functools.cache
def foldings() -> dict[str, str]:
    """What becomes, by case folding, of letters that are lower case already: of ß, of ς, of Cherokee's."""
    found = {letter: normalize("NFKC", letter.casefold()) for letter in _characters_known() if letter.lower() == letter}
    return {letter: folded for letter, folded in found.items() if folded != letter == normalize("NFKC", letter)}


@functools.cache
def too_new() -> dict[str, str]:
    """What NFKC makes of characters that the library's own does not know yet."""
    theirs = normalizers.NFKC()
    pairs = ((one, normalize("NFKC", one)) for one in _characters_known() if decomposition(one))
    return {one: whole for one, whole in pairs if theirs.normalize_str(one) != whole}


@functools.cache
def unmarked_capitals() -> str:
    """Capitals of ASCII that stay apart from a mark that their small letter is composed with."""
    marks = [mark for mark in _characters_known() if category(mark)[0] == "M"]
    apart = (
        letter
        for letter in string.ascii_uppercase
        if any(len(normalize("NFC", letter + mark)) > len(normalize("NFC", letter.lower() + mark)) for mark in marks)
    )
    return "".join(apart)


# --- Pre-tokenizers ---------------------------------------------------------------------------------------------------


def _split(pattern: str, behavior: str) -> Any:
    return pre_tokenizers.Split(Regex(pattern), behavior=behavior)


def _pictures() -> str:
    """A symbol, or two letters of a flag, with skins, and what joiners add to them; or skins alone."""
    skin = f"[{_range(SKINS)}]"
    one = f"(?:[{_FLAG_LETTERS}]{{2}}|[{_class('So')}]){skin}*"
    return f"(?:{one}|{skin}+)(?:{JOINER}{one})*"


def _characters() -> str:
    """A symbol; any other character with its marks; or marks that belong to none."""
    marks, symbols = _class("M"), f"{_class('So')}{_range(SKINS)}"
    return f"{_pictures()}|[^{symbols}{marks}][{marks}]*|[{marks}]+"


# --- Classes of characters --------------------------------------------------------------------------------------------


@functools.cache
def _characters_known() -> tuple[str, ...]:
    """All characters but halves of surrogate pairs."""
    return tuple(chr(n) for n in range(sys.maxunicode + 1) if not 0xD800 <= n < 0xE000)


@functools.cache
def _by_category() -> dict[str, list[int]]:
    """The characters of each category, in their order; skins and apostrophes are in none, for they have rules."""
    found: dict[str, list[int]] = {}
    for character in _characters_known():
        if ord(character) not in SKINS and character not in APOSTROPHES:
            found.setdefault(category(character), []).append(ord(character))
    return found


@functools.cache
def _class(*categories: str) -> str:
    """The inside of a class of all characters whose category begins so."""
    known = _by_category()
    return _ranges(sorted(n for name in known for n in known[name] if name.startswith(categories)))


@functools.cache
def _signs_without_width() -> str:
    return _ranges(sorted({*_by_category()["Cf"], *SELECTORS} - {ord(JOINER)}))


@functools.cache
def _white_space() -> str:
    return _ranges([ord(character) for character in _characters_known() if character.isspace()])


def _ranges(numbers: list[int]) -> str:
    """Numbers of characters, in their order, as ranges of a class."""
    parts: list[range] = []
    for n in numbers:
        if parts and n == parts[-1].stop:
            parts[-1] = range(parts[-1].start, n + 1)
        else:
            parts.append(range(n, n + 1))
    return "".join(map(_range, parts))


def _range(numbers: range) -> str:
    first, last = _escaped(chr(numbers[0])), _escaped(chr(numbers[-1]))
    return first if len(numbers) == 1 else f"{first}-{last}"


def _escaped(text: str) -> str:
    return "".join(f"\\{one}" if one in _SPECIAL else one for one in text)
