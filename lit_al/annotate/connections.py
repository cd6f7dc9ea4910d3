"""Connections that nobody has shown a token on: few, and not for long.

Whoever can reach the port can open connections and say nothing. Each costs an open file, and a process has a limited
number of them. So a connection must send a whole request within seconds, whatever drips in meanwhile; one without a
token must have its answer within seconds too; and of those without a token only so many stay: a new one drives out the
oldest, since an annotator's browser asks as soon as it is connected.
"""

import asyncio
import os
import resource
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from lit_al.annotate.security import KNOWN

HEADER_SECONDS: Final = 10.0  # for a whole request to arrive, but for its body
ANSWER_SECONDS: Final = 30.0  # for a request without a token, body and answer; with one its body has 20 (`security`)
MOST_STRANGERS: Final = 256
QUEUE: Final = 512  # connections that the system keeps until they are taken in
_SHARE: Final = 4  # of the open files that are allowed, strangers have the fourth part
_OPEN_FILES: Final = 65_536  # more are never needed
_AT_ONCE: Final = 32  # taken in before those that are too many are let go


def raise_limit() -> None:
    """Allow as many open files as this process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_strangers() -> int:
    """Connections without a token that are kept open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_STRANGERS if soft == resource.RLIM_INFINITY else max(1, min(MOST_STRANGERS, soft // _SHARE))


class Connection(H11Protocol):
    """A connection of uvicorn's, with an end to its patience."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_known = False
        self._asked = self.app
        self.app = self._ask

    async def _ask(self, scope: Any, receive: Any, send: Any) -> None:
        """What is asked, with a way to say that it was asked by someone known."""
        scope[KNOWN] = self._know
        await self._asked(scope, receive, send)

    def _know(self) -> None:
        self._is_known = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio hands over no other kind here
        """A stranger; drives out the oldest where there are too many."""
        super().connection_made(transport)
        self._wait(HEADER_SECONDS)
        strangers = _strangers(self.server_state)
        strangers[self] = None
        for one in [one for one in strangers if one._is_known or one.transport.is_closing()]:
            del strangers[one]
        while len(strangers) > most_strangers():
            oldest = next(iter(strangers))
            del strangers[oldest]
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Over."""
        self._wait(None)
        _strangers(self.server_state).pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something; not every byte is a sign of life."""
        before = self.cycle
        super().data_received(data)
        self._look(before)

    def on_response_complete(self) -> None:
        """Answered; what was sent of the next request meanwhile is begun."""
        before = self.cycle
        self._wait(None)
        super().on_response_complete()  # which waits for the next request, unless it is here already
        if self.cycle is not before:
            self._look(before)

    def _look(self, before: object) -> None:
        """A request that has begun has longer; one that is still to come has not, counted from its first byte."""
        if self.cycle is not before:
            self._wait(ANSWER_SECONDS)
        elif self._deadline is None and not self._is_at_work():
            self._wait(HEADER_SECONDS)

    def _is_at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._out_of_patience)

    def _out_of_patience(self) -> None:
        self._deadline = None
        if not (self._is_known and self._is_at_work()):
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn's, over such connections.

    Args:
        config: of uvicorn's.
        on_end: called as soon as it is told to end, before it waits for anybody.
    """

    def __init__(self, config: uvicorn.Config, on_end: Callable[[], object] = lambda: None) -> None:
        config.http, config.backlog = Connection, _AT_ONCE
        super().__init__(config)
        self._on_end = on_end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told to end; told again, it waits for nothing: each answer was on the disk before it was acknowledged."""
        if self.should_exit:
            os._exit(128 + sig)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, then end as uvicorn does."""
        self._on_end()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; who connects while many do waits in the system's queue, which is longer."""
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(QUEUE)


def _strangers(state: Any) -> dict[Connection, None]:
    """Of a server, the oldest first."""
    found: dict[Connection, None] = state.__dict__.setdefault("strangers", {})
    return found
