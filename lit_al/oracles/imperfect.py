"""An oracle as people are: it errs, it skips, and it sends a bill.

What it answers about a row depends on its text and the seed alone. Asked again, in another batch, in another run or
from another order of the file, it says the same: two strategies that buy the same text buy the same error, so that
their difference is none of luck.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import ConfigError
from lit_al.oracles.noise import chance, check_table, draw
from lit_al.oracles.simulated import SimulatedOracle
from lit_al.typing import UNLABELED, Float64s, Ints, Mask, Rows

_SKIPS, _ERRS = 1, 2  # one stream of chance for each decision


@dataclass(frozen=True)
class Price:
    """What an answer costs, in any one unit.

    Attributes:
        per_label: for each label given; a skip gives none.
        per_token: for each token read; what is skipped has been read too.
        tokens: (N,) int64 length of each row's text, needed where tokens cost.
    """

    per_label: float = 1.0
    per_token: float = 0.0
    tokens: Ints | None = None

    def __post_init__(self) -> None:
        """Refuse negative prices and tokens that nobody has counted."""
        if min(self.per_label, self.per_token) < 0:
            raise ConfigError(f"a price cannot be negative: {self.per_label} per label, {self.per_token} per token")
        if self.per_token and self.tokens is None:
            raise ConfigError(f"per_token={self.per_token} needs tokens, the length of each text")

    def read(self, rows: Rows) -> int:
        """Tokens of the rows; 0 where nobody has counted."""
        return 0 if self.tokens is None else int(self.tokens[rows].sum())


@dataclass(frozen=True)
class Bill:
    """What was asked so far and what it came to; a row asked twice is paid twice.

    Attributes:
        asked: questions.
        skipped: questions without an answer.
        wrong: answers that were not the recorded label; None where nobody knows.
        tokens: read.
        cost: in the unit of the price.
    """

    asked: int = 0
    skipped: int = 0
    wrong: int | None = 0
    tokens: int = 0
    cost: float = 0.0

    @property
    def labels(self) -> int:
        """Answers given."""
        return self.asked - self.skipped

    def plus(self, price: Price, rows: Rows, skips: int, wrong: int) -> "Bill":
        """With the rows (n,) asked besides, of which some were skipped and some answered wrong."""
        tokens = price.read(rows)
        cost = price.per_label * (len(rows) - skips) + price.per_token * tokens
        return Bill(
            self.asked + len(rows),
            self.skipped + skips,
            None if self.wrong is None else self.wrong + wrong,
            self.tokens + tokens,
            self.cost + cost,
        )


@dataclass(eq=False)
class ImperfectOracle:
    """Answers from recorded labels, with errors, skips and a bill.

    Attributes:
        labels: (N,) int64 class of each row, -1 where nobody knows it.
        noise: (C, C) float64; row: recorded class, column: how often each class is given for it; rows add up to 1.
        skip: probability that a question gets no answer.
        price: of an answer.
        seed: of the errors and skips.
        bill: of all questions so far.
        keys: (N,) uint64 from which the errors and skips of each row are drawn, such as the beginning of its text's
            sha256 (`Corpus.keys`); None takes the row ids, which are no property of the texts.

    >>> from lit_al.oracles import uniform_noise
    >>> oracle = ImperfectOracle(np.zeros(1_000, np.int64), uniform_noise(2, 0.1), skip=0.2)
    >>> answers = oracle.ask(np.arange(1_000))
    >>> int(answers[7]) == int(oracle.ask(np.array([7]))[0])
    True
    >>> oracle.bill
    Bill(asked=1001, skipped=202, wrong=81, tokens=0, cost=799.0)
    """

    labels: Ints
    noise: Float64s
    skip: float = 0.0
    price: Price = field(default_factory=Price)
    seed: int = 0
    bill: Bill = field(default_factory=Bill)
    keys: npt.NDArray[np.uint64] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no table of probabilities."""
        if not 0 <= self.skip <= 1:
            raise ConfigError(f"skip={self.skip} must lie between 0 and 1, as a probability does")
        self.noise = check_table(self.noise, "noise")
        highest = int(self.labels.max(initial=UNLABELED))
        if highest >= len(self.noise):
            raise ConfigError(
                f"noise has {len(self.noise)} classes but a label is {highest}; give a row for each class"
            )

    def can_answer(self, rows: Rows) -> Mask:
        """(n,) bool: is the label of each row on record? That a row will be skipped shows only when it is asked for."""
        return SimulatedOracle(self.labels).can_answer(rows)

    def ask(self, rows: Rows) -> Ints:
        """(n,) int64 answers, -1 for a skip.

        Raises:
            StrategyError: a row whose label is not on record; nothing is charged then.
        """
        rows = np.asarray(rows, dtype=np.int64)
        truth = SimulatedOracle(self.labels).ask(rows)  # (n,)
        keys = rows.astype(np.uint64) if self.keys is None else self.keys[rows]  # (n,)
        heard = draw(self.noise[truth], chance(self.seed, keys, _ERRS))  # (n,)
        skipped = chance(self.seed, keys, _SKIPS) < self.skip  # (n,)
        answers = np.where(skipped, UNLABELED, heard)
        self.charge(rows, answers)
        return answers

    def charge(self, rows: Rows, answers: Ints) -> None:
        """Put questions on the bill that were answered, (n,) each, as those are that a run's record has."""
        skipped = answers == UNLABELED
        wrong = int((answers != self.labels[rows])[~skipped].sum())
        self.bill = self.bill.plus(self.price, rows, int(skipped.sum()), wrong)
