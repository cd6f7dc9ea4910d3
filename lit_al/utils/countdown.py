"""How far a long task is and how long it still takes, in words, where there is no bar."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

SECOND: Final = 1.0  # between two sentences


class Countdown:
    """Counts what is done, and reports it every second: `vectors of the texts: 512 of 5,952, 0:01:40 left`.

    Speed is measured from the first call on, for that one may count what an earlier run has done.

    Args:
        report: called with a sentence.
        what: the task.
        total: things to do.
        clock: seconds.
    """

    def __init__(
        self, report: Callable[[str], object], what: str, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.report, self.what, self.total, self.clock = report, what, total, clock
        self.done = 0
        self._first: tuple[int, float] | None = None  # done, and when
        self._said = -SECOND

    def __call__(self, number: int) -> None:
        """So many more are done."""
        self.done, now = self.done + number, self.clock()
        if self._first is None:
            self._first = self.done, now
        if now - self._said >= SECOND:
            self._said = now
            self.report(f"{self.what}: {self.done:,} of {self.total:,}{self._left(now)}")

    def _left(self, now: float) -> str:
        assert self._first is not None  # as `__call__` sees to
        done, seconds = self.done - self._first[0], now - self._first[1]
        if done <= 0 or seconds <= 0:
            return ""
        return f", {timedelta(seconds=round((self.total - self.done) * seconds / done))} left"
