"""Ctrl-C, SIGTERM and SIGUSR1 end a run well: what is being written is finished or undone, and the run can go on.

Lightning has ways of its own: it ignores Ctrl-C while it ends a fit, and a SIGTERM leaves it with exit code 0. Here
each of these signals is an exception at the next line of Python, and the exit code is 128 and the signal's number.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGUSR1,) if hasattr(signal, "SIGUSR1") else ()))


class Interrupted(KeyboardInterrupt):
    """A run was told to end.

    Attributes:
        code: for the shell.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """While this holds, each of the signals raises `KeyboardInterrupt`; a second one quits at once.

    Raises:
        Interrupted: instead of the `KeyboardInterrupt`, when it has passed through.
    """
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if received:
            os._exit(128 + number)  # what is written is written as a whole, so that nothing half can be left
        received.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield
        return
    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(received[0] if received else signal.SIGINT) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
