"""Words of texts, found, counted and numbered by compiled loops over their UTF-8 bytes.

A word is what is left between two white spaces once punctuation is gone; upper case becomes lower case. All three are
those of ASCII, so every byte has one meaning, whatever the script: `meaning_of_bytes` is the whole definition.

A word is recognized by two independent 64-bit hashes of its bytes. Among a million words the odds that any two agree in
both are below 1 in 10 ** 26.
"""

import numpy as np
from numpy.typing import NDArray

from lit_al.utils.jit import compiled

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int32]

DROPPED, SPACE = np.uint64(256), np.uint64(257)
SEEDS = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)
FACTORS = np.uint64(0x100000001B3), np.uint64(0xD6E8FEB86659FD93)
HALF = np.uint64(32)
SMALLEST = 2**12  # slots of a table; it doubles when half full


def meaning_of_bytes(punctuation: str, spaces: str) -> Hashes:
    """(256,) uint64 for each byte: the byte it becomes, `DROPPED` or `SPACE`."""
    meaning = np.arange(256, dtype=np.uint64)
    meaning[ord("A") : ord("Z") + 1] += ord("a") - ord("A")
    meaning[list(punctuation.encode())] = DROPPED
    meaning[list(spaces.encode())] = SPACE
    return meaning


@compiled
def next_word(data: Bytes, position: int, stop: int, meaning: Hashes) -> tuple[np.uint64, np.uint64, int, int]:
    """Both hashes and the length of the next word, and where to read on; length 0 at the end."""
    one, other, length = SEEDS[0], SEEDS[1], 0
    while position < stop:
        byte = meaning[data[position]]
        position += 1
        if byte < DROPPED:
            one = (one ^ byte) * FACTORS[0]
            other = (other ^ byte) * FACTORS[1]
            length += 1
        elif byte == SPACE and length > 0:
            break
    return one ^ (one >> HALF), other ^ (other >> HALF), length, position


@compiled
def _slot(ones: Hashes, others: Hashes, taken: Numbers, one: np.uint64, other: np.uint64) -> np.int64:
    """Where a word is in the table, or the empty slot where it belongs; an empty slot has 0 in `taken`."""
    slot = np.int64(one & np.uint64(len(taken) - 1))
    while taken[slot] != 0 and (ones[slot] != one or others[slot] != other):
        slot = (slot + 1) & (len(taken) - 1)
    return slot


@compiled
def _empty(size: int) -> tuple[Hashes, Hashes, Numbers]:
    return np.empty(size, np.uint64), np.empty(size, np.uint64), np.zeros(size, np.int32)


@compiled
def table_of(words: Bytes, same: Hashes) -> tuple[Hashes, Hashes, Numbers]:
    """Number the words of a vocabulary, which are separated by line feeds, from 2 on.

    Args:
        words: (n,) uint8, at least one word.
        same: (256,) uint64 meaning of bytes; here only the line feed separates, and nothing changes.

    Returns:
        Both hashes and the number of each slot, 0 where it is empty. Of equal words the last one counts.
    """
    count = 1
    for byte in words:
        count += byte == 10
    size = SMALLEST
    while size < 2 * count:
        size *= 2
    ones, others, numbers = _empty(size)
    position = 0
    for number in range(2, count + 2):
        one, other, _, position = next_word(words, position, len(words), same)
        slot = _slot(ones, others, numbers, one, other)
        ones[slot], others[slot], numbers[slot] = one, other, number
    return ones, others, numbers


@compiled
def number_words(
    data: Bytes,
    starts: NDArray[np.int64],
    meaning: Hashes,
    ones: Hashes,
    others: Hashes,
    numbers: Numbers,
    unknown: int,
    head: int,
    ids: NDArray[np.uint16],
) -> None:
    """Number the first words of each text, and the last ones where it is cut in the middle.

    Args:
        data: (n,) uint8 all texts, one after the other.
        starts: (N + 1,) int64 where each text begins, and the end of the last.
        meaning: see `meaning_of_bytes`.
        ones: `table_of` the vocabulary.
        others: likewise.
        numbers: likewise.
        unknown: number of every other word.
        head: words kept from the beginning of a longer text; the other T - head are its last.
        ids: out: (N, T) uint16; left alone behind the last word of a text.
    """
    most = ids.shape[1]
    tail = most - head
    lasting = np.empty(tail, np.uint16)
    for row in range(ids.shape[0]):
        position, words, column = starts[row], 0, 0
        while words < most or tail > 0:
            one, other, length, position = next_word(data, position, starts[row + 1], meaning)
            if length == 0:
                break
            number = numbers[_slot(ones, others, numbers, one, other)]
            column = words if words < most else head + (words - head) % tail  # the tail goes round, over its oldest
            ids[row, column] = number if number != 0 else unknown
            words += 1
        if words > most:  # the oldest word of the tail is behind its newest; it belongs at the front
            for place in range(tail):
                lasting[place] = ids[row, head + (words - head + place) % tail]
            for place in range(tail):
                ids[row, head + place] = lasting[place]


@compiled
def count_words(data: Bytes, meaning: Hashes) -> tuple[Bytes, Numbers]:
    """Count the distinct words of a text.

    Returns:
        The words, (n,) uint8, each with a line feed behind it, and how often each occurs, (W,) int32.
    """
    ones, others, counts = _empty(SMALLEST)
    places, lengths = np.empty(SMALLEST, np.int64), np.empty(SMALLEST, np.int64)  # of the first occurrence
    distinct, letters, position = 0, 0, 0
    while True:
        place = position
        one, other, length, position = next_word(data, position, len(data), meaning)
        if length == 0:
            break
        slot = _slot(ones, others, counts, one, other)
        if counts[slot] == 0:
            ones[slot], others[slot], places[slot], lengths[slot] = one, other, place, length
            distinct += 1
            letters += length
        counts[slot] += 1
        if 2 * distinct > len(counts):
            ones, others, counts, places, lengths = _doubled(ones, others, counts, places, lengths)
    return _spelled(data, meaning, counts, places, lengths, letters, distinct)


@compiled
def _doubled(
    ones: Hashes, others: Hashes, counts: Numbers, places: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[Hashes, Hashes, Numbers, NDArray[np.int64], NDArray[np.int64]]:
    size = 2 * len(counts)
    new_ones, new_others, new_counts = _empty(size)
    new_places, new_lengths = np.empty(size, np.int64), np.empty(size, np.int64)
    for old in range(len(counts)):
        if counts[old] != 0:
            slot = _slot(new_ones, new_others, new_counts, ones[old], others[old])
            new_ones[slot], new_others[slot], new_counts[slot] = ones[old], others[old], counts[old]
            new_places[slot], new_lengths[slot] = places[old], lengths[old]
    return new_ones, new_others, new_counts, new_places, new_lengths


@compiled
def _spelled(
    data: Bytes,
    meaning: Hashes,
    counts: Numbers,
    places: NDArray[np.int64],
    lengths: NDArray[np.int64],
    letters: int,
    distinct: int,
) -> tuple[Bytes, Numbers]:
    """Write every distinct word out, as it is once punctuation and upper case are gone."""
    words, found = np.empty(letters + distinct, np.uint8), np.empty(distinct, np.int32)
    end = number = 0
    for slot in range(len(counts)):
        if counts[slot] != 0:
            found[number] = counts[slot]
            number += 1
            position, left = places[slot], lengths[slot]
            while left > 0:
                byte = meaning[data[position]]
                position += 1
                if byte < DROPPED:
                    words[end] = byte
                    end += 1
                    left -= 1
            words[end] = 10
            end += 1
    return words, found
