"""Slots and the words that fill them, column by column: all draws for one slot of one sentence at once."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_al.data.demo.chance import Ints, Keys, uniform, zipf
from lit_al.data.demo.english import article, inflect, names_of, plural, shuffled
from lit_al.data.demo.words import read

Words = NDArray[np.object_]

SLOT = re.compile(r"\{(a:)?(~)?(\w+?)(\d*)\}")
REPUTED = ("director", "actor", "rival", "writer", "title")  # whose names stand for the quality of the film

# Evenness of the draws, see `zipf`. Opinion words come least evenly: the usual ones can be learned from few labels, the
# many rare ones only from many.
OPINION = 0.7
PLAIN = 4.0
COLORFUL = 8.0


@dataclass(frozen=True)
class Sentences:
    """What the words of some sentences depend on; one entry per sentence in every array, shape (S,).

    Attributes:
        row_key: uint64 key of the review, for names that stay the same throughout it.
        key: uint64 key of the sentence.
        variant: what a slot may follow, by name: `sign` 0 blame / 1 praise, `aspect`, `genre`, … int64.
    """

    row_key: Keys
    key: Keys
    variant: Mapping[str, Ints]

    def __getitem__(self, rows: Ints) -> Sentences:
        return Sentences(self.row_key[rows], self.key[rows], {k: v[rows] for k, v in self.variant.items()})


@dataclass(frozen=True)
class Slot:
    """The words of one slot: one list, or one list per value of the variant it follows.

    Attributes:
        lists: words from frequent to rare, per value of the variant.
        by: the variant that picks the list; empty for a single list.
        flat: evenness of the draw (see `zipf`).
        steady: the same word throughout a review.
        chance: how often there is a word at all.
    """

    lists: Sequence[Sequence[str]]
    by: str = ""
    flat: float = PLAIN
    steady: bool = False
    chance: float = 1.0

    @functools.cached_property
    def sizes(self) -> Ints:
        """How many words each list has, int64."""
        return np.array([len(words) for words in self.lists], dtype=np.int64)

    @functools.cached_property
    def starts(self) -> Ints:
        """Where each list starts in `bare`, int64."""
        return np.cumsum(self.sizes) - self.sizes

    @functools.cached_property
    def bare(self) -> Words:
        """All lists, one after the other."""
        return np.array(list(itertools.chain.from_iterable(self.lists)), dtype=object)

    @functools.cached_property
    def with_article(self) -> Words:
        """The same with `a` or `an` before each word."""
        return np.array([article(word) for word in self.bare], dtype=object)

    def draw(self, sentences: Sentences, name: str, number: str = "", *, opposite: bool, with_article: bool) -> Words:
        """One word per sentence, shape (S,).

        Args:
            sentences: what to draw for.
            name: of the slot; with the number, the name of the draw.
            number: tells a second slot of this name in the same sentence from the first; it gets another word.
            opposite: swap praise and blame.
            with_article: put `a` or `an` before the word.
        """
        keys = sentences.row_key if self.steady else sentences.key
        variant = sentences.variant[self.by] if self.by else np.zeros(len(keys), dtype=np.int64)
        if opposite:
            variant = variant ^ 1  # the sign is the lowest bit of every variant that has one
        size = self.sizes[variant]
        rank = zipf(uniform(keys, name + number), size, self.flat)
        if number:
            taken = zipf(uniform(keys, name), size, self.flat)
            rank = np.where(rank == taken, (rank + 1) % size, rank)
        drawn: Words = (self.with_article if with_article else self.bare)[self.starts[variant] + rank]
        if self.chance < 1:
            drawn[uniform(keys, name + number + "?") >= self.chance] = ""
        return drawn


def _opinions() -> dict[str, Slot]:
    """Slots whose words follow the sign of the sentence, 0 blame and 1 praise."""
    opinions = read("opinions")
    general = _both_signs(opinions["adjectives"])
    adjectives = [
        _interleave(common, special)
        for aspect in opinions["aspects"].values()
        for common, special in zip(general, _both_signs(aspect), strict=True)
    ]
    slots = {name: Slot(_both_signs(words), "sign", OPINION) for name, words in opinions["words"].items()}
    slots |= {name: Slot(_both_signs(words), "sign", COLORFUL) for name, words in opinions["clauses"].items()}
    slots |= {f"any_{name}": Slot(slots[name].lists, "any") for name in ("noun", "moved")}
    return slots | {
        "adj": Slot(adjectives, "opinion", OPINION),
        "any_adj": Slot(general, "any", OPINION),
        # Only plain words get denied: nobody says "not exquisite".
        "mild": Slot([words[:40] for words in general], "sign"),
    }


def _both_signs(words: Mapping[str, list[str]]) -> list[list[str]]:
    """Blame at place 0 and praise at place 1, as signs count."""
    return [words["blame"], words["praise"]]


def _interleave(general: list[str], special: list[str]) -> list[str]:
    """One list in which every second word is a special one for as long as they last."""
    pairs = itertools.zip_longest(general, special)
    return list(dict.fromkeys(word for pair in pairs for word in pair if word))


def _plots() -> dict[str, Slot]:
    """Slots of the plot: people, things and places by genre, verbs and adjectives for all."""
    films = read("films")
    roles, things, places = (
        [genre[key] for genre in films["genres"].values()] for key in ("roles", "things", "places")
    )
    slots = {
        "role": Slot(roles, "genre"),
        "roles": Slot([[plural(word) for word in role] for role in roles], "genre"),
        "thing": Slot(things, "genre"),
        "things": Slot([[plural(word) for word in thing] for thing in things], "genre"),
        "place": Slot(places, "genre"),
        "trait": Slot([films["traits"]], flat=COLORFUL),
        "quality": Slot([films["qualities"]], flat=COLORFUL),
    }
    for base, past in (("meet", "met"), ("handle", "handled")):
        verbs = films["verbs"][base]
        slots[base] = Slot([verbs])
        for name, ending in ((base + "s", "s"), (past, "ed"), (inflect(base, "ing"), "ing")):
            slots[name] = Slot([[inflect(verb, ending) for verb in verbs]])
    return slots


def _names() -> dict[str, Slot]:
    """People, towns and films; most stay the same throughout a review."""
    first, last, towns = (names_of(**read("surroundings")["names"][kind]) for kind in ("first", "last", "town"))
    people = [f"{first[i * 7 % 500]} {name}" for i, name in enumerate(last)]
    titles = _titles(towns, first)
    known = {name: Slot(_halves(people), f"{name}'s repute", COLORFUL, steady=True) for name in REPUTED}
    return known | {
        "title": Slot(_halves(titles), "title's repute", 20, steady=True),
        "old_title": Slot([titles], flat=100),
        "old_director": Slot([people], flat=40),
        "extra": Slot([people], flat=400),
        "hero": Slot([first], flat=60, steady=True),
        "foe": Slot([last], flat=400, steady=True),
        "town": Slot([towns], flat=60, steady=True),
    }


def _titles(towns: list[str], first: list[str]) -> list[str]:
    """What films are called: by two words, by a place, by a name."""
    words = read("surroundings")["titles"]
    adjectives, nouns = words["adjectives"], words["nouns"]
    titles = [f"The {a} {b}" for a, b in itertools.product(adjectives, nouns)]
    titles += [f"{b} of {town}" for b, town in itertools.product(nouns, towns[:40])]
    titles += [f"{a} {plural(b)}" for a, b in itertools.product(adjectives, nouns)]
    return shuffled(titles + towns[40:800] + first[40:400])


def _halves(names: Sequence[str]) -> list[Sequence[str]]:
    """Two lists of equal weight: people and films of lesser and of better repute."""
    return [names[0::2], names[1::2]]


def _frames() -> dict[str, Slot]:
    """What holds sentences together and says nothing of the film."""
    opinions, surroundings = read("opinions"), read("surroundings")
    ends = surroundings["ends"]
    ratings = [["2", "1", "3"], ["8", "9", "10", "7"], ["4", "3", "5"], ["7", "6", "8"]]
    degrees = [[word + " " for word in opinions["degrees"][strength]] for strength in ("strongly", "mildly")]
    return {name: Slot([words]) for name, words in surroundings["frames"].items()} | {
        "minutes": Slot([[str(minute) for minute in range(90, 185)]], flat=20, steady=True),
        "subject": Slot([aspect["subjects"] for aspect in opinions["aspects"].values()], "aspect"),
        "open": Slot([[phrase + " " for phrase in ends["open"]]], chance=0.4),
        "tail": Slot([ends["tail"]], chance=0.2),
        "degree": Slot(degrees, "lukewarm", chance=0.6),
        "rating": Slot(ratings, "rating", 1),
        "year": Slot([[str(year) for year in range(2007, 1920, -1)]], flat=COLORFUL, steady=True),
    }


@functools.cache
def slots() -> Mapping[str, Slot]:
    """Every slot by name; built once, in a tenth of a second."""
    return _opinions() | _plots() | _names() | _frames()


@functools.cache
def compiled(template: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The template as a `%` pattern, and its slots as (article, opposite, name, number)."""
    return SLOT.sub("%s", template), tuple(match.groups("") for match in SLOT.finditer(template))


def fill(template: str, sentences: Sentences) -> list[str]:
    """The template once per sentence, each with words of its own, the first letter in upper case."""
    pattern, found = compiled(template)
    columns = [
        slots()[name].draw(sentences, name, number, opposite=bool(opposite), with_article=bool(with_article)).tolist()
        for with_article, opposite, name, number in found
    ]
    made = (pattern % row for row in zip(*columns, strict=True))
    return [text[0].upper() + text[1:] for text in made]
