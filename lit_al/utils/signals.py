"""Ctrl-C, SIGTERM and SIGUSR1 end a run well: what is being written is finished or undone, and the run can go on.

Lightning has ways of its own: it ignores Ctrl-C while it ends a fit, and a SIGTERM leaves it with exit code 0. Here
each of these signals is an exception at the next line of Python, and the exit code is 128 and the signal's number.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGUSR1,) if hasattr(signal, "SIGUSR1") else ()))


class Interrupted(KeyboardInterrupt):
    """A run was told to end.

    Attributes:
        code: for the shell.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


@dataclass
class _Bell:
    """What has rung.

    Attributes:
        received: the first signal; 0 for none.
        shields: parts of the program at work that must not be torn in two.
        waiting: the signal came while there was one.
    """

    received: int = 0
    shields: int = 0
    waiting: bool = False

    def ring(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self.received:
            os._exit(128 + number)  # every file is written as a whole, so that nothing half can be left
        self.received = number
        if self.shields:
            self.waiting = True
        else:
            raise KeyboardInterrupt


_bell = _Bell()


@contextmanager
def interruptible() -> Iterator[None]:
    """While this holds, each of the signals raises `KeyboardInterrupt`; a second one quits at once.

    Raises:
        Interrupted: instead of the `KeyboardInterrupt`, when it has passed through.
    """
    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield
        return
    _bell.received, _bell.waiting = 0, False
    before = {number: signal.signal(number, _bell.ring) for number in SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(_bell.received or signal.SIGINT) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ending() -> Iterator[Callable[[], None]]:
    """Yields what is to be called when a program begins to end: from then on each of the signals quits it at once.

    It is for programs whose files are whole at any moment; what is left to do is orderly, and nothing depends on it.
    """
    before: dict[int, Any] = {}

    def begin() -> None:
        for number in SIGNALS:
            before.setdefault(number, signal.signal(number, _quit))

    try:
        yield begin
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _quit(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


@contextmanager
def shielded() -> Iterator[None]:
    """What is in here is done before a signal is heeded: files that belong together, queues of other threads.

    Raises:
        KeyboardInterrupt: at the end, if one came.
    """
    _bell.shields += 1
    try:
        yield
    finally:
        _bell.shields -= 1
    if _bell.waiting and not _bell.shields:
        _bell.waiting = False
        raise KeyboardInterrupt
