"""What the loop asks of an oracle."""

from typing import Protocol

from lit_al.typing import Ints, Mask, Rows


class Oracle(Protocol):
    """Someone who answers for rows, one label each."""

    def can_answer(self, rows: Rows) -> Mask:
        """(n,) bool: is an answer for each row to be had at all? Asked before rows are chosen, and free."""

    def ask(self, rows: Rows) -> Ints:
        """(n,) int64 labels of the rows, in their order; -1 (`UNLABELED`) for one that was skipped."""
