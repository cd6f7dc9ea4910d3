"""Answers that arrive together are committed together.

A commit waits for the disk, and on a busy machine for a core several times over; twenty annotators whose commits stood
in a line waited seconds. Whoever has the turn takes all that wait along, in one transaction.
"""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager

from lit_al.errors import ConflictError, RefusedError, StoreError
from lit_al.record import Event, NewEvent, Record


class _Ticket:
    """An event that waits, and then what became of it."""

    def __init__(self, event: NewEvent) -> None:
        self.event = event
        self.found: Event | StoreError | None = None


class Together:
    """Puts events on record, for many threads at once.

    Args:
        record: of the run.
        writing: held by whoever writes.
    """

    def __init__(self, record: Record, writing: AbstractContextManager[object]) -> None:
        self._record, self._writing = record, writing
        self._guard = threading.Lock()
        self._waiting: list[_Ticket] = []

    def append(self, event: NewEvent) -> Event:
        """As `Record.append`: it is on the disk when this returns.

        Raises:
            StoreError: it is not, or was refused; others that were committed with it are not touched by that.
        """
        ticket = _Ticket(event)
        with self._guard:
            self._waiting.append(ticket)
        with self._writing:
            if ticket.found is None:  # nobody has taken it along
                with self._guard:
                    batch, self._waiting = self._waiting, []
                self._commit(batch)
        if isinstance(ticket.found, Event):
            return ticket.found
        assert ticket.found is not None  # whoever takes tickets along answers all of them
        raise type(ticket.found)(str(ticket.found)) from ticket.found  # others raise the same one in their threads

    def _commit(self, batch: Sequence[_Ticket]) -> None:
        try:
            for ticket, event in zip(batch, self._record.append_all([one.event for one in batch]), strict=True):
                ticket.found = event
        except (RefusedError, ConflictError) as error:  # one that cannot be keeps no other out
            self._apart(batch, error)
        except StoreError as error:
            for ticket in batch:
                ticket.found = error
        finally:
            for ticket in batch:
                ticket.found = ticket.found or StoreError("not saved: the server failed; its terminal says why")

    def _apart(self, batch: Sequence[_Ticket], error: StoreError) -> None:
        """One by one, where there is more than one."""
        for ticket in batch:
            try:
                ticket.found = error if len(batch) == 1 else self._record.append(ticket.event)
            except StoreError as own:
                ticket.found = own
