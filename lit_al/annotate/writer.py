"""One thread writes for all: answers that arrive together are committed together, and before texts are handed out.

A commit waits for the disk, and on a busy machine for a core several times over. Twenty annotators whose threads took
turns at a lock waited seconds, each turn for the next thread to be woken. Here whoever waits is woken once, by the
commit that holds their answer.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final

from lit_al.exceptions import ConflictError, RefusedError, StoreError
from lit_al.record import Event, NewEvent, Record

IDLE: Final = 10.0  # seconds after which the thread ends; the next write begins another


_Ticket = tuple[Any, Future[Any]]  # what is wanted, and what becomes of it


class Writer:
    """Writes into a record, for many threads at once.

    Args:
        record: of the run.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._guard = threading.Condition()
        self._events: deque[_Ticket] = deque()
        self._calls: deque[_Ticket] = deque()
        self._thread: threading.Thread | None = None

    def append(self, event: NewEvent) -> Event:
        """As `Record.append`: it is on the disk when this returns.

        Raises:
            StoreError: it is not, or was refused; others that were committed with it are not touched by that.
        """
        try:
            found: Event = self._wait_for(self._events, event)
        except StoreError as error:
            raise type(error)(str(error)) from error  # others raise it too, in threads of their own
        return found

    def call(self, function: Callable[[], Any]) -> Any:
        """What a function that writes returns, or raises; answers go before it."""
        return self._wait_for(self._calls, function)

    def _wait_for(self, line: deque[_Ticket], wanted: Any) -> Any:
        future: Future[Any] = Future()
        with self._guard:
            line.append((wanted, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lit_al.writer", daemon=True)
                self._thread.start()
            self._guard.notify()
        return future.result()

    def _run(self) -> None:
        while True:
            with self._guard:
                if not self._guard.wait_for(lambda: self._events or self._calls, IDLE):
                    self._thread = None
                    return
                is_answers = bool(self._events)
                batch = list(self._events) if is_answers else [self._calls.popleft()]
                if is_answers:
                    self._events.clear()
            self._answer(batch, self._commit if is_answers else self._do)

    def _answer(self, batch: Sequence[_Ticket], work: Callable[[Sequence[_Ticket]], None]) -> None:
        """Whatever happens, nobody is left waiting."""
        try:
            work(batch)
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)

    def _do(self, batch: Sequence[_Ticket]) -> None:
        for function, future in batch:
            future.set_result(function())

    def _commit(self, batch: Sequence[_Ticket]) -> None:
        try:
            events = self._record.append_all([event for event, _ in batch])
        except (RefusedError, ConflictError):  # one that cannot be keeps no other out
            for event, future in batch:
                try:
                    future.set_result(self._record.append(event))
                except StoreError as error:
                    future.set_exception(error)
        else:
            for (_, future), event in zip(batch, events, strict=True):
                future.set_result(event)
