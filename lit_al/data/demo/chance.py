"""Random numbers that depend on what they are for, not on what was drawn before.

Every review, every sentence and every slot has a key; a draw is a hash of the key and the name of the draw. So review
`i` is the same in a corpus of ten and of a million, in any order, on any machine and with any release of NumPy.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def derive(keys: Keys, name: str) -> Keys:
    """Child keys: the finaliser of SplitMix64 (Steele, Lea & Flood 2014) over key + hash of the name.

    Args:
        keys: uint64, any shape; arithmetic wraps around.
        name: what the child is for; different names give unrelated numbers.

    Returns:
        uint64 of the same shape.
    """
    step = zlib.crc32(name.encode()) * 0x9E3779B97F4A7C15 % 2**64
    z = keys + np.uint64(step)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def numbered(keys: Keys, index: Ints, name: str) -> Keys:
    """Keys of numbered children: sentence 0, 1, 2 … of each review. Shapes broadcast, uint64."""
    return derive(derive(keys, name) + index.astype(np.uint64), name)


def uniform(keys: Keys, name: str) -> Floats:
    """One float64 in [0, 1) per key.

    >>> uniform(np.array([1, 2], dtype=np.uint64), "length").round(3).tolist()
    [0.094, 0.125]
    """
    return (derive(keys, name) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def zipf(u: Floats, size: Ints | int, flat: float) -> Ints:
    """Ranks 0 … size-1 with probability about 1 / (rank + flat): the law of Zipf and Mandelbrot, in closed form.

    Args:
        u: float64 in [0, 1), one draw each.
        size: how many ranks there are, per draw or for all.
        flat: the larger, the more even; below 1 the first rank takes almost all.

    Returns:
        int64 ranks, of the shape of `u`.
    """
    rank = (flat * ((size + flat) / flat) ** u - flat).astype(np.int64)
    return np.minimum(rank, np.asarray(size, dtype=np.int64) - 1)
