"""Several tests at once: Holm's correction, so that more questions make no more false claims."""

import numpy as np
import numpy.typing as npt

from lit_al.typing import Float64s


def holm(p: npt.ArrayLike) -> Float64s:
    """(K,) p of K tests, corrected so that the chance of even one false claim stays at its level (Holm 1979).

    >>> holm([.01, .04, .03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)  # (K,)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)  # the smallest times K, the next times K - 1, …
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected
