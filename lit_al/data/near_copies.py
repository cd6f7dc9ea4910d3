"""Near copies: texts of nearly the same character 5-grams, found in a time that grows with the texts, not their pairs.

Two texts are near copies where their sets of 5-grams have a Jaccard similarity of 0.9 or more (Broder 1997): they
differ in a sign or two of a hundred, so that short texts have none. Near copies of near copies are of one group.

Pairs are found by MinHash sketches in bands (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3) and
then compared by the sets themselves, so that no pair is taken for one that is none. A pair of similarity 0.9 is missed
with a probability of 3 in 10 million; hash functions are fixed, so that the same texts have the same groups in any
order. Each text is compared with a few neighbors of each band alone, those whose sketch goes on alike first: thousands
of texts from one template cost no more than others.

Of the package datasketch the sketches alone take two hundred times as long: 170 s for 50,000 reviews of IMDB.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from lit_al.typing import Ints, Mask

GRAM: Final = 5  # characters
BANDS: Final = 20
SIMILAR: Final = (9, 10)  # the least similarity, as a fraction
_ROWS: Final = 6  # of a band; 0.9 ** 6 of similar pairs are alike in one
_HASHES: Final = BANDS * _ROWS
_NEIGHBORS: Final = 4
_LEAST: Final = 90  # hashes that agree, of 120: 5.5 standard deviations below what a similarity of 0.9 has
_AT_ONCE: Final = 1 << 22  # characters that are numbers at a time
_PAIRS: Final = 10_000  # that are compared at a time
_PRIME, _MIX = np.uint64(0x100000001B3), np.uint64(0xFF51AFD7ED558CCD)
_SHIFT, _HALF, _FAR = np.uint64(33), np.uint64(32), np.uint32(0xFFFFFFFF)

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]


def near_groups(forms: Sequence[str]) -> Ints:
    """(N,) int64 the group of each text: near copies have the same number.

    Args:
        forms: N different texts, in an order that does not depend on where they came from.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edge = "\0" * (GRAM - 1)  # so that a sign at either end counts as one in the middle: order 1 is not order 10
    pairs = _similar([f"{edge}{form}{edge}" for form in forms])  # (P, 2)
    graph = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), (len(forms), len(forms)))
    groups: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def _similar(forms: Sequence[str]) -> Ints:
    """(P, 2) int64 pairs of texts that are near copies."""
    pairs = _candidates(_sketches(forms))
    there, places = np.unique(pairs, return_inverse=True)
    found: Ints = pairs[_compare([forms[row] for row in there.tolist()], places.reshape(-1, 2))]
    return found


def _grams(forms: Sequence[str]) -> tuple[UInt64s, Ints]:
    """A hash of the 5-gram that begins with each character, and (N + 1,) where each text begins.

    The last four of each text reach into the next one; whoever reads them leaves these out.
    """
    starts = np.cumsum([0, *map(len, forms)], dtype=np.int64)
    points = np.frombuffer("".join(forms).encode("utf-32-le", "surrogatepass"), np.uint32)
    values = np.zeros(len(points), np.uint64)
    for step in range(GRAM):
        values *= _PRIME
        values[: len(points) - step] += points[step:]
    values ^= values >> _SHIFT
    values *= _MIX
    return values ^ (values >> _SHIFT), starts


def _sketches(forms: Sequence[str]) -> UInt32s:
    """(N, 120) uint32: of each of 120 hash functions the least value that a 5-gram of the text has."""
    rng = np.random.default_rng(5)
    factors = rng.integers(0, 1 << 31, _HASHES, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    terms = rng.integers(0, 1 << 32, _HASHES, dtype=np.uint32)
    sketches = np.full((len(forms), _HASHES), _FAR)
    fill = _fill
    if sum(map(len, forms)) > _AT_ONCE:
        from lit_al.data.sketch_loop import fill  # ten times as fast, but the compiler takes a second to load
    start = 0
    while start < len(forms):
        end, characters = start, 0
        while end < len(forms) and characters < _AT_ONCE:
            characters += len(forms[end])
            end += 1
        grams, starts = _grams(forms[start:end])
        fill((grams >> _HALF).astype(np.uint32), starts, factors, terms, sketches[start:end])
        start = end
    return sketches


def _fill(grams: UInt32s, starts: Ints, factors: UInt32s, terms: UInt32s, sketches: UInt32s) -> None:
    """Fill in the sketches (N, 120) of texts that begin at `starts` (N + 1,)."""
    across = (starts[1:, None] - np.arange(1, GRAM)).reshape(-1)
    for number in range(_HASHES):
        values = factors[number] * grams + terms[number]
        values[across] = _FAR
        sketches[:, number] = np.minimum.reduceat(values, starts[:-1])


def _candidates(sketches: UInt32s) -> Ints:
    """(P, 2) int64 pairs that are alike in a band and in three quarters of the sketch, each once, the lower first."""
    bands = _bands(sketches)  # (N, 20)
    found = [np.empty(0, np.int64)]
    for band in range(BANDS):
        order = np.lexsort((bands[:, (band + 2) % BANDS], bands[:, (band + 1) % BANDS], bands[:, band]))
        found.append(_neighbors(order, np.ascontiguousarray(bands[order, band]), sketches))
    rows, columns = np.divmod(np.unique(np.concatenate(found)), max(len(sketches), 1))
    return np.stack([rows, columns], axis=1)


def _bands(sketches: UInt32s) -> UInt64s:
    """(N, 20) uint64 one number for each band."""
    bands = np.zeros((len(sketches), BANDS), np.uint64)
    for row in range(_ROWS):
        bands = (bands ^ sketches[:, row::_ROWS]) * _PRIME
        bands ^= bands >> _SHIFT
    return bands


def _neighbors(order: Ints, keys: UInt64s, sketches: UInt32s) -> Ints:
    """Pairs of one band as lower row * N + higher row: each text with the next few of the same key."""
    found = [np.empty(0, np.int64)]
    for step in range(1, _NEIGHBORS + 1):
        place = np.flatnonzero(keys[step:] == keys[:-step])
        one, two = order[place], order[place + step]
        for start in range(0, len(one), _PAIRS):
            part = slice(start, start + _PAIRS)
            alike = (sketches[one[part]] == sketches[two[part]]).sum(axis=1) >= _LEAST
            low, high = np.minimum(one[part], two[part])[alike], np.maximum(one[part], two[part])[alike]
            found.append(low * len(order) + high)
    return np.concatenate(found)


def _compare(forms: Sequence[str], pairs: Ints) -> Mask:
    """(P,) bool which pairs (P, 2) of texts are near copies by their sets."""
    from scipy.sparse import csr_array

    grams, starts = _grams(forms)
    sets = [np.unique(grams[start : end - GRAM + 1]) for start, end in pairwise(starts.tolist())]
    bounds = np.cumsum([0, *map(len, sets)], dtype=np.int64)
    kinds, columns = np.unique(np.concatenate([grams[:0], *sets]), return_inverse=True)
    table = csr_array((np.ones(len(columns), np.int32), columns, bounds), (len(sets), len(kinds)))
    sizes, kept = np.diff(bounds), np.zeros(len(pairs), np.bool_)
    for start in range(0, len(pairs), _PAIRS):
        one, two = pairs[start : start + _PAIRS].T
        common = table[one].multiply(table[two]).sum(axis=1)
        kept[start : start + _PAIRS] = SIMILAR[1] * common >= SIMILAR[0] * (sizes[one] + sizes[two] - common)
    return kept
