"""How far annotators agree, for the page: counted beside the answers, never within one.

A count reads every answer, and the first one loads what counts; an answer that waited for it took seconds to be saved.
"""

import threading
import time
from typing import Any, Final

from lit_al.exceptions import StoreError
from lit_al.record import Record

EVERY: Final = 30.0  # seconds between two counts
SHARE: Final = 0.02  # of the time at most, however long a count takes


class Agreeing:
    """The latest count of a record.

    Args:
        record: read by a thread of its own.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._next = 0.0  # by `time.monotonic`
        self._found: dict[str, Any] | None = None

    def latest(self) -> dict[str, Any] | None:
        """As JSON; None before the first count. Another one is begun when its time has come."""
        with self._guard:
            is_idle = self._thread is None or not self._thread.is_alive()
            if is_idle and time.monotonic() >= self._next:
                self._thread = threading.Thread(target=self._count, name="lit_al.agreeing", daemon=True)
                self._thread.start()
        return self._found

    def wait(self, seconds: float) -> None:
        """Until a count that was begun is over."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _count(self) -> None:
        began = time.monotonic()
        try:
            from lit_al.annotate.agreement import Agreement

            agreement = Agreement.of(self._record.answers(), self._record.classes)
            self._found = {"texts": agreement.texts, "sentence": agreement.sentence()}
        except StoreError:  # it cannot be read now, or was closed; the next count may tell
            pass
        finally:
            now = time.monotonic()
            self._next = now + max(EVERY, (now - began) / SHARE)
