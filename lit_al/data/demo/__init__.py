"""Made-up movie reviews of any number: the corpus that works offline, in the README, the docs and the tests.

`generate` writes English-like reviews from word lists and sentence frames of its own. It is an exercise, not a toy:
reviews have IMDB's lengths, a vocabulary with a long tail, opinions on several aspects that contradict each other,
denials, concessions, hearsay, irony, and some wrong labels, so that accuracy climbs slowly with the labels.

How a review comes about: a label; the sentiment that its writer really has; how sure the writer is; an opinion on each
aspect of the film; sentences of several kinds, each on one aspect; and words for every slot of each sentence. Every
step is one array operation over all reviews or over all sentences (`chance`, `slots`), never a loop over words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_al.data.demo.chance import Floats, Ints, Keys, derive, numbered, uniform
from lit_al.data.demo.slots import REPUTED, Sentences, fill
from lit_al.data.demo.words import read
from lit_al.exceptions import ConfigError

__all__ = ["VERSION", "Knobs", "generate"]

VERSION = "1"  # of the texts: raised whenever a review changes, so that figures can be traced to what gave them

_WORDS_PER_SENTENCE = 10.9  # as counted; turns a length in words into one in sentences


@dataclass(frozen=True)
class Knobs:
    """What makes the reviews hard: shares between 0 and 1; the defaults give about the learning curve of IMDB."""

    # The ceiling: nobody can be right more often than the labels are.
    label_noise: float = 0.07
    # How often an aspect of the film is judged as the film is, by the surest writer and by one who is of two minds:
    # easy and hard reviews, with every shade between.
    surest: float = 0.98
    least_sure: float = 0.7
    # Sentences with an opinion, from the keenest storyteller to the keenest judge: IMDB retells plots, too.
    opinions: tuple[float, float] = (0.5, 0.9)
    # Opinions said by denying the opposite, and opinions that concede it: where the order of words pays. With more of
    # them few labels teach little, for a model starts by counting words.
    negated: float = 0.08
    contrast: float = 0.08
    # Opinions worded as their opposite, without a sign of it: few, as it is pure noise.
    irony: float = 0.02
    # Other sentences that hold somebody else's opinion: common words of opinion must not be proof.
    hearsay: float = 0.15
    # Reviews that start with the film at a glance and that end in a verdict: the end is often behind word 150, so that
    # a model of whole texts does better.
    opening: float = 0.7
    verdict: float = 0.6
    # A verdict is mostly what the writer means, but some like films that they call bad.
    verdict_sure: float = 0.95
    # Verdicts that are a number: rare, as a number gives all away.
    rated: float = 0.08
    # How often a film, or somebody in it, has a name that stands for its quality: one more thing that takes labels.
    repute: float = 0.6


@dataclass(frozen=True)
class Reviews:
    """What is fixed for a whole review; one entry per review in every array, shape (N,).

    Attributes:
        key: uint64.
        label: int64, 0 negative or 1 positive, as recorded.
        sentiment: int64, as meant; differs from the label by the label noise.
        sureness: float64 in [0, 1), 1 for a clear opinion.
        length: int64, sentences.
    """

    key: Keys
    label: Ints
    sentiment: Ints
    sureness: Floats
    length: Ints


@dataclass(frozen=True)
class Layout:
    """The sentences of all reviews, one after the other; one entry per sentence in every array, shape (S,).

    Attributes:
        reviews: what they belong to.
        of: int64, the review.
        place: int64, 0 for the first sentence of a review.
        last: bool, whether it is the last one.
        key: uint64.
        aspect: int64, the aspect of the film that it is about; an opening is about the film.
    """

    reviews: Reviews
    of: Ints
    place: Ints
    last: NDArray[np.bool_]
    key: Keys
    aspect: Ints


def generate(rows: int = 50_000, seed: int = 0, knobs: Knobs | None = None) -> tuple[list[str], NDArray[np.int64]]:
    """Writes movie reviews; the same call gives the same texts anywhere.

    Review `i` depends on the seed and on `i` alone: a smaller corpus is the start of a larger one.

    Args:
        rows: how many reviews, at least 1; half of them are positive, up to one.
        seed: 0 or more; another seed gives other reviews.
        knobs: how hard they are.

    Returns:
        The reviews, and their labels as int64 of shape (rows,): 0 negative, 1 positive.

    Raises:
        ConfigError: for a size below 1 or a negative seed.

    >>> texts, labels = generate(4)
    >>> len(texts), labels.tolist()
    (4, [1, 0, 0, 1])
    """
    if rows < 1:
        raise ConfigError(f"rows={rows} makes no corpus; ask for 1 review or more")
    if not 0 <= seed < 2**63:
        raise ConfigError(f"seed={seed} is out of range; choose 0 or more, below 2**63")
    knobs = knobs or Knobs()
    reviews = _reviews(rows, seed, knobs)
    written = _write(_layout(reviews), knobs)
    ends = np.cumsum(reviews.length)
    texts = ["".join(written[end - length : end]) for end, length in zip(ends, reviews.length, strict=True)]
    return texts, reviews.label


def _reviews(rows: int, seed: int, knobs: Knobs) -> Reviews:
    """All that is fixed for a whole review."""
    index = np.arange(rows)
    seeds = derive(np.full(rows, seed, dtype=np.uint64), "seed")
    key = numbered(seeds, index, "review")
    # Neighbors 2k and 2k + 1 share a coin and take opposite sides of it: balance at every size.
    coin = uniform(numbered(seeds, index // 2, "pair"), "coin") < 0.5
    label = (coin ^ (index % 2 == 1)).astype(np.int64)
    wrong = uniform(key, "label noise") < knobs.label_noise
    return Reviews(key, label, label ^ wrong, uniform(key, "sureness"), _lengths(key))


def _lengths(key: Keys) -> Ints:
    """Sentences per review: 60 words and more by a log-normal law, a few shorter ones, as IMDB has them."""
    # Box and Muller (1958): two uniform draws make a normal one.
    radius = np.sqrt(-2 * np.log1p(-uniform(key, "radius")))
    normal = radius * np.cos(2 * np.pi * uniform(key, "angle"))
    words = 60 + 114 * np.exp(0.85 * normal)
    words = np.where(uniform(key, "short") < 0.03, 10 + 50 * uniform(key, "shortness"), words)
    return np.clip(np.rint(words / _WORDS_PER_SENTENCE), 1, 150).astype(np.int64)


def _layout(reviews: Reviews) -> Layout:
    """The sentences of all reviews."""
    of = np.repeat(np.arange(len(reviews.length)), reviews.length)
    starts = np.cumsum(reviews.length) - reviews.length
    place = np.arange(len(of)) - starts[of]
    key = numbered(reviews.key[of], place, "sentence")
    aspects = list(read("opinions")["aspects"])
    aspect = (uniform(key, "aspect") * len(aspects)).astype(np.int64)
    aspect[place == 0] = aspects.index("film")
    return Layout(reviews, of, place, place == reviews.length[of] - 1, key, aspect)


def _write(layout: Layout, knobs: Knobs) -> list[str]:
    """All sentences with what follows them, in the order of the reviews."""
    kind = _kinds(layout, knobs)
    variants = _variants(layout, _signs(layout, kind, knobs), knobs)
    sentences = Sentences(layout.reviews.key[layout.of], layout.key, variants)
    written = np.empty(len(kind), dtype=object)
    for number, (name, frames) in enumerate(read("sentences").items()):
        chosen = np.flatnonzero(kind == number)
        # A review walks through the frames of a kind from a place of its own: none comes twice in a row.
        start = (uniform(layout.reviews.key, name) * 997).astype(np.int64)
        frame = (start[layout.of[chosen]] + layout.place[chosen]) % len(frames)
        for which, template in enumerate(frames):
            some = chosen[frame == which]
            if len(some):
                written[some] = fill(template, sentences[some])
    joined: list[str] = (written + _gaps(layout)).tolist()
    return joined


def _gaps(layout: Layout) -> NDArray[np.object_]:
    """What follows each sentence; six in ten writers use paragraphs, as IMDB keeps them: raw tags without spaces."""
    paragraphs = (uniform(layout.reviews.key, "paragraphs") < 0.6)[layout.of] & (uniform(layout.key, "break") < 0.2)
    return np.where(layout.last, "", np.where(paragraphs, "<br /><br />", " ")).astype(object)


def _numbers() -> dict[str, int]:
    """The number of each kind of sentence: its place among the others."""
    return {name: number for number, name in enumerate(read("sentences"))}


def _kinds(layout: Layout, knobs: Knobs) -> Ints:
    """What kind of sentence each is: the film at a glance, a plot, an opinion of some form, a verdict and so on."""
    key = layout.key
    low, high = knobs.opinions
    opinion = uniform(key, "opinion") < (low + (high - low) * uniform(layout.reviews.key, "judging"))[layout.of]
    number = _numbers()
    about = np.array([number.get(f"about {aspect}", number["plain"]) for aspect in read("opinions")["aspects"]])
    plain = np.where(uniform(key, "about") < 0.5, about[layout.aspect], number["plain"])
    form = uniform(key, "kind")
    forms = [form < knobs.negated, form < knobs.negated + knobs.contrast]
    said = np.select(forms, [number["negated"], number["contrast"]], plain)
    told = np.select([form < knobs.hearsay, form < 0.7], [number["hearsay"], number["plot"]], number["background"])
    body = np.where(opinion, said, told)
    opening = (layout.place == 0) & (uniform(key, "opening") < knobs.opening)
    closing = layout.last & (uniform(key, "closing") < knobs.verdict)
    verdict = np.where(uniform(key, "rated") < knobs.rated, number["rated"], number["verdict"])
    return np.where(closing, verdict, np.where(opening, number["opening"], body))


def _signs(layout: Layout, kind: Ints, knobs: Knobs) -> Ints:
    """Which way each sentence points, 0 or 1: the same for all sentences of a review on one aspect, but for irony."""
    reviews, of = layout.reviews, layout.of
    sure = knobs.least_sure + (knobs.surest - knobs.least_sure) * reviews.sureness
    agrees = uniform(numbered(reviews.key[of], layout.aspect, "opinion"), "sign") < sure[of]
    closing = (kind == _numbers()["verdict"]) | (kind == _numbers()["rated"])
    agrees = np.where(closing, uniform(layout.key, "verdict") < knobs.verdict_sure, agrees)
    ironic = ~closing & (uniform(layout.key, "irony") < knobs.irony)
    return np.where(agrees ^ ironic, reviews.sentiment[of], 1 - reviews.sentiment[of])


def _variants(layout: Layout, sign: Ints, knobs: Knobs) -> dict[str, Ints]:
    """What the words of each sentence may follow, by the names that `slots` uses."""
    reviews, of, key = layout.reviews, layout.of, layout.key
    lukewarm = (uniform(key, "lukewarm") > 0.2 + 0.6 * reviews.sureness[of]).astype(np.int64)
    variants = {
        "sign": sign,
        "any": (uniform(key, "any") < 0.5).astype(np.int64),
        "aspect": layout.aspect,
        "opinion": layout.aspect * 2 + sign,
        "genre": _genres(reviews)[of],
        "lukewarm": lukewarm,
        "rating": lukewarm * 2 + sign,
    }
    for name in REPUTED:
        deserved = uniform(reviews.key, f"{name}'s repute") < knobs.repute
        variants[f"{name}'s repute"] = np.where(deserved, reviews.sentiment, 1 - reviews.sentiment)[of]
    return variants


def _genres(reviews: Reviews) -> Ints:
    """A genre per review; some genres are panned more often than praised."""
    u = uniform(reviews.key, "genre")
    genres = read("films")["genres"].values()
    shares = np.array([[genre["panned"], genre["praised"]] for genre in genres], dtype=np.float64).T  # (sign, genre)
    upto = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    chosen: Ints = (u[:, None] >= upto[reviews.sentiment]).sum(axis=1)
    return np.minimum(chosen, len(genres) - 1)
