"""As much English as made-up reviews need: articles, plurals, verb forms, and names that sound like names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

import numpy as np

from lit_al.data.demo.chance import uniform


def article(word: str) -> str:
    """The word behind `a` or `an`, by its first letter and a few ears.

    >>> article("odd"), article("unique"), article("honest")
    ('an odd', 'a unique', 'an honest')
    """
    vowel = word[0].lower() in "aeiou" and not re.match(r"uni|use|eu|one|ut[io]|ubi", word.lower())
    return f"{'an' if vowel or re.match('hon(?!ey)|hour|heir', word.lower()) else 'a'} {word}"


def inflect(verb: str, ending: str) -> str:
    """A regular verb with `s`, `ed` or `ing`.

    >>> [inflect("carry", e) for e in ("s", "ed", "ing")], inflect("rob", "ed"), inflect("chase", "ing")
    (['carries', 'carried', 'carrying'], 'robbed', 'chasing')
    """
    if ending == "s":
        if re.search(r"[^aeiou]y$", verb):
            return verb[:-1] + "ies"
        return verb + ("es" if re.search(r"(s|sh|ch|x|z|o)$", verb) else "s")
    if verb.endswith("e"):
        return verb[:-1] + ending
    if verb.endswith("y") and ending == "ed" and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    # One syllable ending in consonant, vowel, consonant doubles the last letter.
    if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", verb) or verb in ("kidnap", "humbug", "outwit", "acquit"):
        return verb + verb[-1] + ending
    return verb + ending


def plural(noun: str) -> str:
    """The regular plural and a few others.

    >>> plural("spy"), plural("witch"), plural("fisherman"), plural("thief")
    ('spies', 'witches', 'fishermen', 'thieves')
    """
    for ending, instead in (("man", "men"), ("thief", "thieves"), ("knife", "knives"), ("wolf", "wolves")):
        if noun.endswith(ending):
            return noun.removesuffix(ending) + instead
    return inflect(noun, "s")


def names_of(onsets: list[str], middles: list[str], ends: list[str]) -> list[str]:
    """Every onset + middle + end, or onset + end, each once, in an order that looks random and never changes."""
    names = {"".join(parts) for parts in itertools.product(onsets, ["", *middles], ends)}
    return shuffled(name for name in names if not re.search(r"([a-z])\1\1|[aeiou]{3}", name))


def shuffled(names: Iterable[str]) -> list[str]:
    """The names by a hash of their letters, so that the frequent ones are no neighbours."""
    ordered = sorted(names)
    code = [int.from_bytes(name.encode(), "big") % (2**61 - 1) for name in ordered]
    order = np.argsort(uniform(np.array(code, dtype=np.uint64), "order"), kind="stable")
    return [ordered[i] for i in order]
