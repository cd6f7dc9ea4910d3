"""An oracle for experiments: it knows the labels of a labeled corpus and gives them away one by one."""

from dataclasses import dataclass

from lit_al.exceptions import StrategyError
from lit_al.typing import UNLABELED, Ints, Mask, Rows


@dataclass(frozen=True)
class SimulatedOracle:
    """Answers from recorded labels.

    Attributes:
        labels: (N,) int64 class of each row, -1 where nobody knows it.

    >>> import numpy as np
    >>> SimulatedOracle(np.array([1, 0, -1])).ask(np.array([1, 0]))
    array([0, 1])
    """

    labels: Ints

    def can_answer(self, rows: Rows) -> Mask:
        """(n,) bool: is the label of each row on record?"""
        known: Mask = self.labels[rows] != UNLABELED
        return known

    def ask(self, rows: Rows) -> Ints:
        """(n,) int64 labels of the rows.

        Raises:
            StrategyError: a row whose label is not on record.
        """
        answers = self.labels[rows]
        if (answers == UNLABELED).any():
            row = rows[answers == UNLABELED][0]
            raise StrategyError(f"row {row} was chosen, but its label is not on record and nobody is there to ask")
        return answers
