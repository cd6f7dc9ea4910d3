"""`--seed-words spam:free,win;ham:meeting`: words that tell of a class, to find its first texts where they are rare.

Before there is a model, texts that hold such a word are asked by turns with texts drawn at random, which tell the truth
of the whole. Of texts that hold words of a class those that hold most come first; the order among them, as that of
random ones, is drawn by seed and text, never by row.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from lit_al.exceptions import ConfigError
from lit_al.record import Ranked
from lit_al.utils.nearest import did_you_mean

STRATEGY: Final = "seed-words"
# Scripts that put no spaces between words: a word of theirs is looked for anywhere.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def read_seed_words(spelling: str, classes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Words by class.

    Raises:
        ConfigError: it is not spelled so, or names no class.

    >>> read_seed_words("spam:free, win ;ham:meeting", ("ham", "spam"))
    {'spam': ('free', 'win'), 'ham': ('meeting',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for part in filter(str.strip, spelling.split(";")):
        name, colon, listed = part.partition(":")
        words = tuple(word.strip() for word in listed.split(",") if word.strip())
        if not colon or not words:
            raise ConfigError(f"--seed-words {part.strip()!r} is not CLASS:WORD,WORD; as in spam:free,win;ham:meeting")
        if name.strip() not in classes:
            hint = did_you_mean(name.strip(), classes)
            raise ConfigError(
                f"--seed-words names the class {name.strip()!r}, which there is not; {hint}the classes are "
                f"{', '.join(classes)}"
            )
        found[name.strip()] = (*found.get(name.strip(), ()), *words)
    if not found:
        raise ConfigError("--seed-words names no words; give CLASS:WORD,WORD, as in spam:free,win;ham:meeting")
    return found


def held(words: Sequence[str], texts: Sequence[str]) -> list[int]:
    """How many different ones of the words each text holds, in whatever case.

    >>> held(["free", "免费"], ["FREE free!", "freedom", "全部免费的"])
    [1, 0, 1]
    """
    patterns = [re.compile(_pattern(word)) for word in dict.fromkeys(map(_folded, words))]
    return [sum(pattern.search(text) is not None for pattern in patterns) for text in map(_folded, texts)]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _pattern(word: str) -> str:
    escaped = r"\s+".join(map(re.escape, word.split()))
    return escaped if _UNSPACED.search(word) else rf"(?<!\w){escaped}(?!\w)"


def seeded(
    ranked: Sequence[Ranked],
    texts: Sequence[str],
    words: Mapping[str, Sequence[str]],
    order: Sequence[int],
) -> list[Ranked]:
    """A ranking for the cold start in which every other text holds a seed word.

    Args:
        ranked: that of random texts, by their places.
        texts: all of them.
        words: by class.
        order: places of texts that may be asked, as seed and texts draw them.

    Returns:
        As many texts as `ranked` has, or fewer where there are no more; the random ones are controls.
    """
    columns = [list(_of_class(name, mine, texts, order)) for name, mine in words.items()]
    by_words = (one for row in zip_longest(*columns) for one in row if one is not None)
    drawn = (replace(one, control=True) for one in ranked)
    taken: dict[int, Ranked] = {}
    for pair in zip_longest(by_words, drawn):
        for one in pair:
            if one is not None:
                taken.setdefault(one.item, one)
    return list(taken.values())[: len(ranked)]


def _of_class(name: str, words: Sequence[str], texts: Sequence[str], order: Sequence[int]) -> Iterator[Ranked]:
    """Texts that hold words of a class, those that hold most first."""
    counts = held(words, texts)
    for place in sorted((one for one in order if counts[one]), key=lambda one: -counts[one]):
        of = "a seed word" if counts[place] == 1 else f"{counts[place]} seed words"
        yield Ranked(place, float(counts[place]), f"holds {of} of {name}")


def without_texts(words: Mapping[str, Sequence[str]], texts: Sequence[str]) -> list[str]:
    """Seed words that no text holds."""
    return [word for mine in words.values() for word in mine if not any(held([word], texts))]
