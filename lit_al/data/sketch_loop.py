"""MinHash sketches in one compiled loop, for corpora of so many characters that loading the compiler pays."""

import numpy as np

from lit_al.data.near_copies import GRAM, UInt32s
from lit_al.typing import Ints
from lit_al.utils.jit import compiled


@compiled
def fill(grams: UInt32s, starts: Ints, factors: UInt32s, terms: UInt32s, sketches: UInt32s) -> None:
    """As `near_copies._fill`, to the bit."""
    for text in range(len(starts) - 1):
        least = sketches[text]
        for place in range(starts[text], starts[text + 1] - GRAM + 1):
            gram = grams[place]
            for number in range(len(factors)):
                least[number] = min(least[number], np.uint32(factors[number] * gram + terms[number]))
