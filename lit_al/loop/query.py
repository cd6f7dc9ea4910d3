"""`Query`: a batch, from the moment it is chosen to its answers."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from lit_al.metrics import counts
from lit_al.strategies import Choice, Collapse
from lit_al.typing import UNLABELED, Floats, Ints, Mask, Rows
from lit_al.utils.notebook import html_table


@dataclass(frozen=True)
class Query:
    """A batch that is put to the oracle.

    Attributes:
        number: of its round.
        strategy: spelling of what chose; "random" where nobody could choose yet, or where the guard took over.
        choice: the rows, in the order chosen, and why.
        probabilities: (k, C) of the rows under the model alone that chose; None before the first fit.
        collapse: what that model answers nearly always, if it does.
        answers: (k,) int64 classes as the oracle gave them, -1 for a row that it skipped; None before it was asked.

    >>> choice = Choice(np.array([7, 3]), np.zeros(2), ("entropy 0.3 nats", "entropy 0.5 nats"))
    >>> query = Query(1, "entropy", choice, np.array([[0.9, 0.1], [0.2, 0.8]])).answered(np.array([0, -1]))
    >>> query.called(2), query.taken(2), query.skipped
    ((1, 1), (1, 0), 1)
    """

    number: int
    strategy: str
    choice: Choice
    probabilities: Floats | None = None
    collapse: Collapse | None = None
    answers: Ints | None = None

    @property
    def rows(self) -> Rows:
        """(k,) int64 row ids."""
        return self.choice.rows

    @property
    def chosen(self) -> bool:
        """Was there a model that chose, or looked on?"""
        return self.probabilities is not None

    @property
    def predicted(self) -> Ints:
        """(k,) int64 what that model took the rows for; empty where there was none."""
        return np.empty(0, np.int64) if self.probabilities is None else self.probabilities.argmax(axis=1)

    @property
    def given(self) -> Mask:
        """(k,) bool which rows were answered."""
        given: Mask = self.said != UNLABELED
        return given

    @property
    def said(self) -> Ints:
        """(k,) int64 the answers."""
        assert self.answers is not None  # the oracle was asked
        return self.answers

    @property
    def skipped(self) -> int:
        """Questions without an answer."""
        return int((~self.given).sum())

    def answered(self, answers: Ints) -> Self:
        """The same with its answers (k,)."""
        return replace(self, answers=answers)

    def taken(self, classes: int) -> tuple[int, ...]:
        """(C,) answers of each class."""
        return counts(self.said[self.given], classes)

    def called(self, classes: int) -> tuple[int, ...]:
        """(C,) rows by what the model took them for; () where there was none."""
        return counts(self.predicted, classes) if self.chosen else ()

    def _repr_html_(self) -> str:
        """For a notebook: a line for each row, the first choice first."""
        said = self.answers.tolist() if self.answers is not None else [None] * len(self.rows)
        sure = self.probabilities.max(axis=1).tolist() if self.probabilities is not None else [None] * len(self.rows)
        called = self.predicted.tolist() if self.chosen else [None] * len(self.rows)
        parts = self.rows.tolist(), called, sure, said, self.choice.scores.tolist(), self.choice.reasons
        headings = "row", "predicted class", "probability", "answer", "score", "why"
        caption = f"Query {self.number}: {len(self.rows):,} texts by {self.strategy}"
        return html_table(caption, headings, zip(*parts, strict=True))
