"""A second copy of every event: `events.jsonl` beside the record, one line each.

It is written after the commit, so that it may lag behind by a crash; it is made good at the next event or opening. It
never runs ahead: a record that lacks an event of its mirror has lost something, and says so when it is opened.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from lit_al.record.events import as_json, from_json
from lit_al.record.kinds import Event

SCHEMA = 1  # of its lines
_BLOCK = 1 << 16


class Mirror:
    """The file beside a record.

    Args:
        path: `events.jsonl`; made at the first event.
        head: of the first line: which run this is.
    """

    def __init__(self, path: Path, head: dict[str, Any]) -> None:
        self.path, self.head = path, head

    def last_seq(self) -> int:
        """Of the last whole line; 0 where there is none."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            return _last_seq(_tail(file))

    def catch_up(self, since: Callable[[int], Iterable[Event]]) -> None:
        """Add what is missing.

        Args:
            since: the record's events after a sequence number.

        Raises:
            OSError: it cannot be written; the record has the events all the same.
        """
        with open(self.path, "ab+", opener=_private) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            tail = _tail(file)
            whole = os.fstat(file.fileno()).st_size - (len(tail) - tail.rfind(b"\n") - 1)
            file.truncate(whole)  # half a line is what a kill leaves
            if whole == 0:
                file.write(json.dumps({"schema": SCHEMA, **self.head}, ensure_ascii=False).encode() + b"\n")
            for line in as_json(since(_last_seq(tail))):
                file.write(line.encode() + b"\n")


def read_mirror(path: Path) -> tuple[dict[str, Any], list[Event]]:
    """The head of a mirror and its events; half a line at the end is left out.

    Raises:
        ValueError: a line that is not one; its number is named.
        OSError: it cannot be read.
    """
    lines = path.read_bytes().split(b"\n")[:-1]
    if not lines:
        return {}, []
    events = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            events.append(from_json(line.decode()))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    return dict(json.loads(lines[0])), events


def _tail(file: BinaryIO) -> bytes:
    """The end of a file, with at least its last whole line."""
    size = file.seek(0, os.SEEK_END)
    length = _BLOCK
    while True:
        file.seek(max(0, size - length))
        tail = file.read()
        if length >= size or tail.count(b"\n") >= 2:
            return tail
        length *= 4


def _last_seq(tail: bytes) -> int:
    lines = tail.split(b"\n")[:-1]
    return int(json.loads(lines[-1]).get("seq", 0)) if lines else 0


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
