"""What the trainer is at, in the record, for the page to show and for the supervisor to watch.

A thread renews the heartbeat while the trainer lives: as long as its main loop comes round, or its other threads
compute. A fit of minutes is alive; a process that waits for a lock for ever is not, and its heartbeat stops.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from lit_al.exceptions import StoreError
from lit_al.record import Record

State = Literal["waiting", "preparing", "training", "ready", "failed"]

KEY: Final = "trainer"
EVERY: Final = 2.0  # seconds between beats
DAMAGED: Final = 65  # exit code of a trainer that cannot trust the record; another one could not either
WORK: Final = 0.005  # seconds of computing between two beats that count as life


class Pulse:
    """The state on record.

    Args:
        record: of the run.
        orphaned: says that nobody waits for this process any more; it ends then, at once.
    """

    def __init__(self, record: Record, orphaned: Callable[[], bool] = lambda: False) -> None:
        self.record, self.orphaned = record, orphaned
        self._guard, self._ended = threading.Lock(), threading.Event()
        self._facts: dict[str, object] = {"state": "waiting", "detail": "", "labels": 0}
        self._came_round = True
        self._thread = threading.Thread(target=self._beat, name="lit_al.pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def say(self, state: State, detail: str, labels: int | None = None) -> None:
        """Note what comes next, before it begins."""
        with self._guard:
            self._facts |= {"state": state, "detail": detail}
            if labels is not None:
                self._facts["labels"] = labels
            self._write()

    def come_round(self) -> None:
        """The main loop is at its beginning again."""
        self._came_round = True

    def _write(self) -> None:
        self.record.set_state(KEY, {**self._facts, "pid": os.getpid(), "heartbeat": time.time()})

    def _beat(self) -> None:
        worked = _work_of_others()
        while not self._ended.wait(EVERY):
            if self.orphaned():
                os._exit(1)  # whatever was being written is whole or not there
            now = _work_of_others()
            if self._came_round or now - worked > WORK:
                self._came_round, worked = False, now
                with self._guard, suppress(StoreError):  # a full disk, say: the next beat tries again
                    self._write()


def _work_of_others() -> float:
    """Seconds that the threads of this process have computed, but for this one."""
    return time.process_time() - time.thread_time()
