"""A trainer beside the page or the terminal, in a process of its own; whatever happens to it, labeling goes on."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Protocol

from lit_al.exceptions import LitALError
from lit_al.record import Record
from lit_al.utils.terminal_text import say

_CHECK_SECONDS = 1.0


class _Supervisor(Protocol):
    """What starts a trainer, and starts it again."""

    def start(self) -> None: ...
    def check(self) -> None: ...
    def stop(self) -> None: ...


def _supervisor(folder: Path) -> _Supervisor:
    """The supervisor of a run's trainer; torch is loaded by the process that it starts."""
    made: _Supervisor = import_module("lit_al.annotate.supervisor").Supervisor(folder)
    return made


@contextmanager
def training(folder: Path, record: Record, *, wanted: bool) -> Iterator[None]:
    """A trainer beside the block; whatever happens to it, the block goes on."""
    if not wanted:
        yield
        return
    try:
        supervisor = _supervisor(folder)
        supervisor.start()
    except (ImportError, LitALError, OSError) as error:
        _failed(record, error)
        yield
        return
    over = threading.Event()
    monitor = threading.Thread(target=_watch, args=(supervisor, record, over), daemon=True)
    monitor.start()
    try:
        yield
    finally:
        over.set()
        monitor.join(timeout=10)
        supervisor.stop()


def _watch(supervisor: _Supervisor, record: Record, over: threading.Event) -> None:
    while not over.wait(_CHECK_SECONDS):
        try:
            supervisor.check()
        except (LitALError, OSError) as error:  # such as a full disk; it may be free the next time
            _failed(record, error)


def _failed(record: Record, error: Exception) -> None:
    """Note for the page that nothing is trained; on a full disk that cannot be noted either."""
    try:
        record.set_state("trainer", {"state": "failed", "detail": str(error), "heartbeat": time.time(), "labels": 0})
    except LitALError:
        say(f"training failed: {error}", sys.stderr)
