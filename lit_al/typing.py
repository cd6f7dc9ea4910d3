"""Names for arrays that stand in many signatures; shapes are said where they are used, as in (n,) or (N, C)."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

UNLABELED: Final = -1  # the class of a row without a label

Rows = npt.NDArray[np.int64]  # row ids: positions in the whole corpus
Ints = npt.NDArray[np.int64]  # classes, counts, places
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]  # of whatever precision
Float16s = npt.NDArray[np.float16]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
