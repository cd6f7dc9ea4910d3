"""`TextCounts`: what is kept of texts that a model has read, so that others can be held against them: counts, no text.

    counts = TextCounts.none(classes)
    counts += TextCounts.of(tokens, probabilities)  # batch by batch, in any order

The bins are fixed, so that counts of different days, processes and machines can be added.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from lit_al.text.encoder import PADDING, UNKNOWN
from lit_al.typing import Float64s, Floats, Ints

WORDS: Final = 4_096  # ids, those of the most frequent words, whose texts are counted
UNKNOWN_BINS: Final = 51  # of a text's share of unknown words: none, up to 2 %, up to 4 %, …
LENGTH_BINS: Final = 129  # of the units read of a text: eight to each doubling, up to 65,536
SURENESS_BINS: Final = 61  # of the log-odds of the likeliest class against all others: quarters of a unit
_LEAST_ODDS, _STEP = -5.0, 0.25
_CHUNK: Final = 2_048  # texts whose words are looked at together


@dataclass(frozen=True)
class TextCounts:
    """Texts by what a model makes of them.

    Attributes:
        texts: n of them.
        units: words read, as the encoder cuts texts; characters or subwords where these are its units.
        unknown_units: of them, not in the vocabulary.
        classes: (C,) int64 texts that were called by each class.
        sureness: (SURENESS_BINS,) int64 texts by the log-odds of their class.
        lengths: (LENGTH_BINS,) int64 texts by their units.
        unknown: (UNKNOWN_BINS,) int64 texts by their share of unknown units; 0 where there are no units.
        words: (WORDS,) int64 texts that hold the word of each id; padding and what is unknown are not counted.

    >>> found = TextCounts.of(np.array([[2, 3, 1, 0], [3, 3, 0, 0]]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> found.texts, found.units, found.unknown_units, found.classes.tolist(), found.words[:4].tolist()
    (2, 5, 1, [1, 1], [0, 0, 1, 2])
    >>> (found + found).texts
    4
    """

    texts: int
    units: int
    unknown_units: int
    classes: Ints
    sureness: Ints
    lengths: Ints
    unknown: Ints
    words: Ints

    @classmethod
    def none(cls, classes: int) -> Self:
        """Of no text, for so many classes: what sums begin with."""
        return cls(0, 0, 0, *(np.zeros(size, np.int64) for size in _sizes(classes).values()))

    @classmethod
    def of(cls, tokens: npt.NDArray[np.integer[Any]], probabilities: Floats) -> Self:
        """Of a batch.

        Args:
            tokens: (n, T) ids of any integer type, as an encoder makes them.
            probabilities: (n, C) of each class, of the same texts.
        """
        lengths, unknown = (tokens != PADDING).sum(axis=1), (tokens == UNKNOWN).sum(axis=1)  # (n,)
        shares = np.ceil((UNKNOWN_BINS - 1) * unknown / np.maximum(lengths, 1)).astype(np.int64)
        doublings = np.minimum(np.round(8 * np.log2(np.maximum(lengths, 1))).astype(np.int64) + 1, LENGTH_BINS - 1)
        return cls(
            len(tokens),
            int(lengths.sum()),
            int(unknown.sum()),
            np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1]),
            np.bincount(_sureness(probabilities), minlength=SURENESS_BINS),
            np.bincount(np.where(lengths == 0, 0, doublings), minlength=LENGTH_BINS),
            np.bincount(shares, minlength=UNKNOWN_BINS),
            word_counts(tokens, WORDS),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    def described(self) -> dict[str, Any]:
        """As JSON: whole numbers, and lists of them without the zeros behind the last."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value if isinstance(value, int) else _trimmed(value) for name, value in found.items()}

    @classmethod
    def read(cls, described: Mapping[str, Any], classes: int) -> Self:
        """From what `described` has made, for a model of so many classes.

        Raises:
            ValueError: it is none of these.
        """
        sizes = _sizes(classes)
        arrays = [_whole(described.get(name), name, size) for name, size in sizes.items()]
        numbers = [_whole([described.get(name)], name, 1)[0] for name in ("texts", "units", "unknown_units")]
        texts, units, unknown = map(int, numbers)
        sums = {int(array.sum()) for array in arrays[:-1]}
        if sums != {texts} or unknown > units or arrays[-1].max() > texts:
            raise ValueError("its counts are not of the same texts")
        return cls(texts, units, unknown, *arrays)


def word_counts(tokens: npt.NDArray[np.integer[Any]], words: int) -> Ints:
    """(words,) int64 texts that hold each of the first ids, of tokens (n, T); `PADDING` and `UNKNOWN` count nothing.

    >>> word_counts(np.array([[2, 2, 1], [2, 3, 0]]), 4).tolist()
    [0, 0, 2, 1]
    """
    found = np.zeros(words, np.int64)
    for start in range(0, len(tokens), _CHUNK):
        chunk = tokens[start : start + _CHUNK].astype(np.int64)
        held = (chunk > UNKNOWN) & (chunk < words)
        texts = np.broadcast_to(np.arange(len(chunk))[:, None], chunk.shape)[held]
        found += np.bincount(np.unique(texts * words + chunk[held]) % words, minlength=words)
    return found


def _sizes(classes: int) -> dict[str, int]:
    """Of the arrays, in their order."""
    return {
        "classes": classes,
        "sureness": SURENESS_BINS,
        "lengths": LENGTH_BINS,
        "unknown": UNKNOWN_BINS,
        "words": WORDS,
    }


def _sureness(probabilities: Floats) -> Ints:
    """(n,) bin of each text."""
    best = probabilities.max(axis=1).astype(np.float64)
    odds = np.log(best / np.maximum(1 - best, 1e-12))
    places: Ints = np.clip((odds - _LEAST_ODDS) / _STEP, 0, SURENESS_BINS - 1).astype(np.int64)
    return places


def edges_of(name: Literal["sureness", "lengths", "unknown"]) -> Float64s:
    """(B - 1,) where each bin ends: the probability of the class, the units of a text, its share of unknown ones.

    >>> edges_of("lengths")[[0, 1, 9, 17]].round(2).tolist(), edges_of("unknown")[:3].tolist()
    ([0.96, 1.04, 2.09, 4.18], [0.0, 0.02, 0.04])
    """
    if name == "lengths":
        places: Float64s = 2 ** ((np.arange(LENGTH_BINS - 1) - 0.5) / 8)
        return places
    if name == "unknown":
        shares: Float64s = np.arange(UNKNOWN_BINS - 1) / (UNKNOWN_BINS - 1)
        return shares
    odds = _LEAST_ODDS + _STEP * np.arange(1, SURENESS_BINS)
    probabilities: Float64s = 1 / (1 + np.exp(-odds))
    return probabilities


def _trimmed(counts: Ints) -> list[int]:
    found: list[int] = np.trim_zeros(counts, "b").tolist()
    return found


def _whole(values: Any, name: str, size: int) -> Ints:
    """(size,) int64 of a list of counts that may be shorter."""
    if not isinstance(values, list) or len(values) > size or not all(type(one) is int and one >= 0 for one in values):
        raise ValueError(f"its {name} are no {size:,} counts")
    return np.pad(np.array(values, np.int64), (0, size - len(values)))
