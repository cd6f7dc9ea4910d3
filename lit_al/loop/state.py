"""What the loop knows of one seed: its pool, its labels, its last query, and what judges its models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

import numpy as np

from lit_al.data.split import without
from lit_al.loop.query import Query
from lit_al.loop.validation import HoldOut
from lit_al.metrics import Confusion, Evaluation
from lit_al.strategies import Strategy
from lit_al.typing import Floats, Ints, Mask, Rows
from lit_al.utils.notebook import html_table
from lit_al.utils.packing import packed, unpacked

ARRAYS = ("pool", "labeled", "answers", "held", "held_answers", "drawn")  # of a run's state
CHANCE: Final = 3  # raise it when a seed draws otherwise, for runs cannot be gone on with then
HOLDING_OUT = 1  # a stream of chance of its own: what is chosen does not depend on it


def check_saved(saved: Mapping[str, Any], texts: int, classes: int) -> None:
    """Refuse a saved run whose rows or answers cannot be: what learns from them does not look again.

    Args:
        saved: the `ARRAYS` of a run and its last query, as tensors.
        texts: N of the corpus.
        classes: C.

    Raises:
        ValueError: they cannot be.
    """
    query = saved["query"] or {"choice": {"rows": saved["pool"][:0]}, "answers": saved["pool"][:0]}
    arrays = {name: saved[name] for name in ARRAYS}
    arrays |= {"query's rows": query["choice"]["rows"], "query's answers": query["answers"]}
    for name, tensor in arrays.items():
        array, most = tensor.numpy(), classes if name.endswith("answers") else texts
        if array.dtype != np.int64 or array.ndim != 1:
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
        if array.size and not -1 <= array.min() <= array.max() < most:
            raise ValueError(f"{name} lies in {array.min()} to {array.max()}, not below {most}")
    if len(query["choice"]["rows"]) != len(query["answers"]):
        raise ValueError("the last query has not as many answers as rows")
    for rows, answers in (("labeled", "answers"), ("held", "held_answers")):
        if len(saved[rows]) != len(saved[answers]):
            raise ValueError(f"{len(saved[rows])} rows are {rows} but {len(saved[answers])} have answers")


@dataclass(frozen=True)
class Validated:
    """Labels that a model had not learned from, and what it made of their texts.

    Attributes:
        rows: (v,) int64 texts.
        answers: (v,) int64 what the oracle said of them.
        probabilities: (v, C) float32 of the model.
    """

    rows: Rows
    answers: Ints
    probabilities: Floats

    @property
    def right(self) -> Mask:
        """(v,) bool, whether the model called them as the oracle did."""
        right: Mask = self.probabilities.argmax(axis=1) == self.answers
        return right

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """One of several: each with rows of its own."""
        names = (item.name for item in fields(cls))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


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
        query: the last one, answered; None before the first.
        validated: after the last fit; None without validation.
        steering: the newest model on the set whose errors a strategy follows; None takes those on the last batch.
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
    query: Query | None = None
    validated: Validated | None = None
    steering: Evaluation | None = None

    def confusion(self, classes: int) -> Confusion:
        """Errors on the steering set, or on the last batch before the model learned from it.

        Those on the batch are free, and honest but for how it was chosen.
        """
        if self.steering:
            return self.steering.confusion
        matrix = np.zeros((classes, classes), np.int64)
        query = self.query
        if query and query.chosen:
            np.add.at(matrix, (query.said[query.given], query.predicted[query.given]), 1)
        return Confusion(matrix)

    def take(self, query: Query, hold_out: HoldOut | None = None) -> None:
        """Take the answers of a query in; a row that was skipped leaves the pool without a label."""
        rows, labels = query.rows[query.given], query.said[query.given]
        out = np.zeros(len(rows), np.bool_)
        if hold_out:
            rng = np.random.default_rng([self.seed, self.asked, HOLDING_OUT])
            out = hold_out.draw(len(rows), len(self.labeled), len(self.held), rng)
        self.query = query
        self.pool = without(self.pool, query.rows)
        self.labeled, self.held = np.concatenate([self.labeled, rows[~out]]), np.concatenate([self.held, rows[out]])
        self.answers = np.concatenate([self.answers, labels[~out]])
        self.held_answers = np.concatenate([self.held_answers, labels[out]])
        self.asked += len(query.rows)

    def state_dict(self) -> dict[str, Any]:
        """All that the rounds to come depend on, as tensors and plain types."""
        kept = {name: getattr(self, name) for name in (*ARRAYS, "asked", "judgments", "query")}
        found: dict[str, Any] = packed({**kept, "strategy": self.strategy.state()})
        return found

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`."""
        for name in ARRAYS:
            setattr(self, name, saved[name].numpy())
        self.asked, self.judgments = saved["asked"], [Judgment(**one) for one in saved["judgments"]]
        self.query = unpacked(Query, saved["query"]) if saved["query"] else None
        self.strategy.restore({name: array.numpy() for name, array in saved["strategy"].items()})

    def rng(self, round_number: int) -> np.random.Generator:
        """The one source of chance of a round's query; that of the first is the same for every strategy."""
        return np.random.default_rng([self.seed, round_number])

    def _repr_html_(self) -> str:
        """For a notebook: a line for each batch that a model has chosen, with its verdict before it learned it."""
        headings = "batch", "pool", "controls", "called right", "others", "called right"
        rows = [
            (number, one.pool, one.controls, one.right, one.others, one.others_right)
            for number, one in enumerate(self.judgments, 1)
        ]
        caption = (
            f"Run of seed {self.seed} by {self.strategy.spelling}: {len(self.labeled):,} labels, {self.asked:,} asked, "
            f"{len(self.pool):,} texts in the pool"
        )
        return html_table(caption, headings, rows)
