"""What the loop asks of an oracle."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from lit_al.data.split import Rows


class Oracle(Protocol):
    """Someone who answers for rows, one label each."""

    def can_answer(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """(n,) bool: is an answer for each row to be had at all? Asked before rows are chosen, and free."""

    def ask(self, rows: Rows) -> npt.NDArray[np.int64]:
        """(n,) int64 labels of the rows, in their order; -1 (`UNLABELED`) for one that was skipped."""
