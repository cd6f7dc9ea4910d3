"""Answers that are in the run's record before anybody learns from them, and are asked for once.

`RecordedOracle` stands before any oracle. What the record has is taken from there, so that a run that was cut off
between answer and fit pays for nothing twice; the rest is asked, and written in one transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

import numpy as np

from lit_al.exceptions import OraclePending
from lit_al.oracles.imperfect import Bill, ImperfectOracle, Price
from lit_al.oracles.oracle import Oracle
from lit_al.record import Action, NewEvent, Record
from lit_al.typing import UNLABELED, Floats, Ints, Mask, Rows
from lit_al.utils.failpoints import crash_point

SIMULATED, FILE = "simulated", "file"  # annotators


@dataclass(frozen=True)
class Batch:
    """What the record notes beside the answers of a batch.

    Attributes:
        number: of the round.
        strategy: spelling of what chose.
        controls: (n,) bool, rows drawn at random from the whole pool.
        probabilities: (n, C) of the classes under the model that chose; None where there was none.
    """

    number: int
    strategy: str
    controls: Mask
    probabilities: Floats | None = None


@dataclass(eq=False)
class WaitingOracle:
    """Stands for people who answer by file: it knows nothing, and says what it waits for.

    Attributes:
        price: of an answer.
        bill: of all answers so far.
    """

    price: Price
    bill: Bill

    def can_answer(self, rows: Rows) -> Mask:
        """(n,) bool: people can be asked for any text."""
        return np.ones(len(rows), np.bool_)

    def ask(self, rows: Rows) -> Ints:
        """Never answers at once.

        Raises:
            OraclePending: always, with the rows.
        """
        raise OraclePending(rows.tolist())

    def charge(self, rows: Rows, answers: Ints) -> None:
        """Put answers (n,) on the bill; whether they are right nobody knows."""
        self.bill = self.bill.plus(self.price, rows, int((answers == UNLABELED).sum()), 0)


class RecordedOracle:
    """An oracle whose answers go through the record.

    Args:
        inner: who answers what is not on record.
        record: of the run; its items hold every row that is asked for.
    """

    def __init__(self, inner: Oracle, record: Record) -> None:
        self.inner, self.record = inner, record
        self.batch: Batch | None = None

    def can_answer(self, rows: Rows) -> Mask:
        """(n,) bool: is an answer to be had at all?"""
        return self.inner.can_answer(rows)

    def ask(self, rows: Rows) -> Ints:
        """(n,) int64 answers, -1 for a skip.

        Without a `batch` nothing is bought and nothing recorded: so the example looks up the classes of its pool.

        Raises:
            OraclePending: people have yet to answer; what they did answer is on record.
        """
        if self.batch is None:
            return self.inner.ask(rows)
        known = self._on_record()
        there = np.array([row in known for row in rows.tolist()], np.bool_)
        answers = np.array([known.get(row, UNLABELED) for row in rows.tolist()], np.int64)
        if not there.all():
            answers[~there] = self.inner.ask(rows[~there])
            self.record.append_all([*self._events(self.batch, rows, answers, ~there)])
        crash_point("after_labels")
        if isinstance(self.inner, ImperfectOracle | WaitingOracle) and there.any():
            self.inner.charge(rows[there], answers[there])
        self.batch = None
        return answers

    def _on_record(self) -> dict[int, int]:
        """The class of each text that somebody has labeled, -1 for one that was skipped or is in dispute."""
        number = {name: index for index, name in enumerate(self.record.classes)}
        known = {answer.item: UNLABELED for answer in self.record.answers()}
        return known | {item: number[name] for item, name in self.record.labels().items()}

    def _events(self, batch: Batch, rows: Rows, answers: Ints, new: Mask) -> Iterator[NewEvent]:
        classes, likely = self.record.classes, batch.probabilities
        for place in np.flatnonzero(new).tolist():
            row, answer = int(rows[place]), int(answers[place])
            guess = None if likely is None else int(likely[place].argmax())
            yield NewEvent(
                uuid=event_id(self.record, row, SIMULATED),
                item=row,
                annotator=SIMULATED,
                action=Action.SKIP if answer == UNLABELED else Action.LABEL,
                label=None if answer == UNLABELED else classes[answer],
                predicted=None if guess is None else classes[guess],
                probability=None if likely is None or guess is None else float(likely[place, guess]),
                strategy=batch.strategy,
                round=batch.number,
                control=bool(batch.controls[place]),
                source=SIMULATED,
            )


def event_id(record: Record, row: int, annotator: str) -> str:
    """The uuid of an annotator's one answer on a row, the same whenever it is made again."""
    return str(uuid5(UUID(record.run_id), f"{annotator}/{row}"))
