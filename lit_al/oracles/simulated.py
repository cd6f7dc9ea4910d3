"""An oracle for experiments: it knows the labels of a labeled corpus and gives them away one by one."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lit_al.data import UNLABELED
from lit_al.data.split import Rows
from lit_al.exceptions import StrategyError


@dataclass(frozen=True)
class SimulatedOracle:
    """Answers from recorded labels.

    Attributes:
        labels: (N,) int64 class of each row, -1 where nobody knows it.

    >>> SimulatedOracle(np.array([1, 0, -1])).ask(np.array([1, 0]))
    array([0, 1])
    """

    labels: npt.NDArray[np.int64]

    def can_answer(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """(n,) bool: is the label of each row on record?"""
        known: npt.NDArray[np.bool_] = self.labels[rows] != UNLABELED
        return known

    def ask(self, rows: Rows) -> npt.NDArray[np.int64]:
        """(n,) int64 labels of the rows.

        Raises:
            StrategyError: a row whose label is not on record.
        """
        answers = self.labels[rows]
        if (answers == UNLABELED).any():
            row = rows[answers == UNLABELED][0]
            raise StrategyError(f"row {row} was chosen, but its label is not on record and nobody is there to ask")
        return answers
