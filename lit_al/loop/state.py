"""What the loop knows and hands over: the state of one seed, its next batch, the labels that judge it, a round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from lit_al.data.split import without
from lit_al.loop.validation import HoldOut
from lit_al.metrics import Confusion
from lit_al.strategies import Choice, Collapse, Strategy
from lit_al.typing import UNLABELED, Floats, Ints, Mask, Rows

ARRAYS = ("pool", "labeled", "answers", "held", "held_answers", "drawn", "predicted", "newest")  # of a run's state
HOLDING_OUT = 1  # a stream of chance of its own: what is chosen does not depend on it


def check_saved(saved: Mapping[str, Any], texts: int, classes: int) -> None:
    """Refuse a saved run whose rows or answers cannot be: what learns from them does not look again.

    Args:
        saved: the `ARRAYS` of a run, as tensors.
        texts: N of the corpus.
        classes: C.

    Raises:
        ValueError: they cannot be.
    """
    for name in ARRAYS:
        array = saved[name].numpy()
        most = classes if name in ("answers", "held_answers", "predicted", "newest") else texts
        if array.dtype != np.int64 or array.ndim != 1:
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
        if array.size and not -1 <= array.min() <= array.max() < most:
            raise ValueError(f"{name} lies in {array.min()} to {array.max()}, not below {most}")
    for rows, answers in (("labeled", "answers"), ("held", "held_answers")):
        if len(saved[rows]) != len(saved[answers]):
            raise ValueError(f"{len(saved[rows])} rows are {rows} but {len(saved[answers])} have answers")


@dataclass(frozen=True)
class Validated:
    """Labels that a model had not learned from, and whether it was right.

    Attributes:
        rows: (v,) int64 texts.
        right: (v,) bool whether the model called them as the oracle did.
    """

    rows: Rows
    right: Mask

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """One of several: each with rows of its own."""
        return cls(np.concatenate([part.rows for part in parts]), np.concatenate([part.right for part in parts]))


@dataclass(frozen=True)
class Proposal:
    """What a run would ask next.

    Attributes:
        choice: the rows, and why.
        probabilities: (k, C) float32 that the model alone gives them; None before the first fit.
        collapse: what the model answers nearly always, if it does.
    """

    choice: Choice
    probabilities: Floats | None = None
    collapse: Collapse | None = None


@dataclass(frozen=True)
class Judgment:
    """A batch as the model that chose it called it, before anything was learned from it. Skipped texts do not count.

    Attributes:
        model: number of that model, from 0.
        pool: texts that it was chosen from.
        controls: answered texts that were drawn at random.
        right: of them, called as the oracle did.
        others: answered texts that a strategy chose.
        others_right: of them, called as the oracle did.
    """

    model: int
    pool: int
    controls: int
    right: int
    others: int
    others_right: int

    @classmethod
    def of(cls, model: int, pool: int, right: Mask, drawn: Mask) -> Self:
        """Of answered texts, (k,) bool whether each was called right and whether it was drawn at random."""
        return cls(
            model, pool, int(drawn.sum()), int(right[drawn].sum()), int((~drawn).sum()), int(right[~drawn].sum())
        )


@dataclass
class LoopState:
    """One seed's run.

    Attributes:
        seed: of its labels, weights and shuffles.
        strategy: chooses for it; some remember.
        pool: (n,) int64 rows that nobody has labeled or skipped.
        labeled: (m,) int64 rows to learn from, in the order of labeling.
        answers: (m,) int64 what the oracle said of them.
        held: (v,) int64 rows with labels that are never learned from.
        held_answers: (v,) int64 what the oracle said of them.
        drawn: (d,) int64 rows that chance asked for, the first ones and controls, answered or not.
        asked: questions so far, answered or not.
        judgments: of each batch but the first, in the order of asking.
        choice: of the last query; None before the first.
        predicted: (k,) int64 what the model took the chosen rows for; empty for the first query.
        probabilities: (k, C) float32 likewise.
        newest: (k,) int64 what the oracle said of them, -1 for a skip.
        collapse: what the last model answered nearly always, if it did.
        validated: after the last fit; None without validation.
    """

    seed: int
    strategy: Strategy
    pool: Rows
    labeled: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    answers: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    held: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    held_answers: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    drawn: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    asked: int = 0
    judgments: list[Judgment] = field(default_factory=list)
    choice: Choice | None = None
    predicted: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    probabilities: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    newest: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    collapse: Collapse | None = None
    validated: Validated | None = None

    def confusion(self, classes: int) -> Confusion:
        """Errors on the last batch, before the model learned from it: free, and honest but for how it was chosen."""
        matrix = np.zeros((classes, classes), np.int64)
        if len(self.predicted):
            given = self.newest != UNLABELED
            np.add.at(matrix, (self.newest[given], self.predicted[given]), 1)
        return Confusion(matrix)

    def take(self, choice: Choice, answers: Ints, hold_out: HoldOut | None = None) -> None:
        """Take answers (k,) in; a row that was skipped, -1, leaves the pool without a label."""
        given = answers != UNLABELED
        rows, labels = choice.rows[given], answers[given]
        out = np.zeros(len(rows), np.bool_)
        if hold_out:
            rng = np.random.default_rng([self.seed, self.asked, HOLDING_OUT])
            out = hold_out.draw(len(rows), len(self.labeled), len(self.held), rng)
        self.choice, self.newest = choice, answers
        self.pool = without(self.pool, choice.rows)
        self.labeled, self.held = np.concatenate([self.labeled, rows[~out]]), np.concatenate([self.held, rows[out]])
        self.answers = np.concatenate([self.answers, labels[~out]])
        self.held_answers = np.concatenate([self.held_answers, labels[out]])
        self.asked += len(choice.rows)

    def rng(self, round_number: int) -> np.random.Generator:
        """The source of chance of a round: that of the first is the same for every strategy."""
        return np.random.default_rng([self.seed, round_number])
