"""Second copies beside the record: `events.jsonl`, a line for each event, and `texts.jsonl`, a line for each text.

The first is written after the commit, so that it may lag behind by a crash; it is made good at the next event or
opening. It never runs ahead: a record that lacks an event of its mirror has lost something, and says so when it is
opened. Whatever else differs is the mirror's fault, for the record has been checked: the mirror is written anew, and
its damaged bytes are kept in a file beside it. A line holds its event's checksum and that of the event before, so that
each is proven by itself.
"""

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from lit_al.exceptions import DamagedError
from lit_al.record.checksums import FIELDS, Link, of_text
from lit_al.record.database import damaged, now
from lit_al.record.entries import Action, Event, misfit
from lit_al.record.integrity import text_is_sound
from lit_al.utils.files import replacing
from lit_al.utils.links import own, private
from lit_al.utils.terminal_text import counted

SCHEMA = 2  # of its lines; 1 had no checksums
_LONGEST = 1 << 30  # bytes of a file that are looked through for events

_encode = json.JSONEncoder(ensure_ascii=False).encode

Since = Callable[[int], Iterable[Event]]


@dataclass(frozen=True)
class _End:
    """How far a file is known to say what the record says.

    Attributes:
        size: bytes.
        seq: of the last event.
        checksum: of it.
        line: the last one.
        file: device and inode.
    """

    size: int
    seq: int
    checksum: str
    line: bytes
    file: tuple[int, int]


class Mirror:
    """The file of events beside a record; safe to use from several threads and processes.

    Args:
        path: `events.jsonl`; made when it is first brought up to date.
        head: of the first line: which run this is, and all that is to be known of it.
    """

    def __init__(self, path: Path, head: dict[str, Any]) -> None:
        self.path, self.head = path, head
        self._lock = threading.Lock()
        self._end: _End | None = None

    def catch_up(self, since: Since) -> str:
        """Add what is missing; what is damaged is put aside, and all is written anew.

        Args:
            since: the record's events after a sequence number.

        Returns:
            What was damaged, a sentence; "" where nothing was.

        Raises:
            OSError: it cannot be written; the record has the events all the same.
            RunError: a link stands in its place.
            DamagedError: it holds events that the record lacks.
        """
        with self._lock, open(own(self.path), "ab+", opener=private) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            there = os.fstat(file.fileno())
            known, self._end = self._end, None
            if known and self._still(known, file, there) and self._follow(known, file, since):
                return ""
            begin = _End(0, 0, self.head["run_id"], b"", (there.st_dev, there.st_ino))
            if self._follow(begin, file, since):
                return ""
            note = self._put_aside(file, since)
            file.truncate(0)
            self._follow(begin, file, since)
            os.fsync(file.fileno())
            return note

    def _still(self, end: _End, file: BinaryIO, there: os.stat_result) -> bool:
        """Is the file the one that was written, at least as long, with the same last line?"""
        if (there.st_dev, there.st_ino) != end.file or there.st_size < end.size:
            return False
        file.seek(end.size - len(end.line))
        return file.read(len(end.line)) == end.line

    def _follow(self, end: _End, file: BinaryIO, since: Since) -> bool:
        """Hold the lines after an end against the record, and add those that are missing; does all agree?

        Half a line at the end, as a kill leaves, is made whole.
        """
        file.seek(end.size)
        adding = False
        for line, seq, checksum in self._lines(end, since):
            if not adding:
                there = file.read(len(line))
                if there != line:
                    if not line.startswith(there):
                        return False
                    file.truncate(end.size)
                    adding = True
            if adding:
                file.write(line)
            end = _End(end.size + len(line), seq, checksum, line, end.file)
        if not adding and file.read(1):
            return False
        file.flush()
        self._end = end
        return True

    def _lines(self, end: _End, since: Since) -> Iterator[tuple[bytes, int, str]]:
        """The lines after an end as they are to be, with the number and the checksum of their event."""
        if end.size == 0:
            yield _as_line({"schema": SCHEMA, **self.head}), 0, end.checksum
        before = end.checksum
        for event in since(end.seq):
            yield event_line(event, before), event.seq, event.checksum
            before = event.checksum

    def _put_aside(self, file: BinaryIO, since: Since) -> str:
        """Keep what a file holds that the record does not say; what was wrong, a sentence."""
        file.seek(0)
        content = file.read(_LONGEST)
        events = {event.uuid: event for event in since(0)}
        read = read_lines(content)
        if read.run_id == self.head["run_id"]:
            lacking = [link for link in read.links if link.values["uuid"] not in events and _counts(link)]
            if lacking:
                raise DamagedError(lacks(self.path, len(lacking)))
        if read.of_old and all(_same(events.get(link.values["uuid"]), link) for link in read.links):
            return ""  # of before there were checksums: nothing is lost with it
        aside = put_aside(self.path, content)
        why = read.why or ("half a line at its end" if read.half else "its lines are other ones")
        if read.head and read.run_id != self.head["run_id"]:
            why = "it is of another run"
        return f"{self.path.name} was damaged ({why}) and is written anew from the record; the old one is {aside.name}"


def _counts(link: Link) -> bool:
    """Is an event to be believed that the record does not have? Before there were checksums, any whole one was."""
    return link.sound or not link.checksum


def _same(event: Event | None, link: Link) -> bool:
    return event is not None and all(getattr(event, name) == link.values[name] for name in FIELDS)


def lacks(mirror: Path, count: int) -> str:
    """The sentence for a record that has lost events."""
    return damaged(mirror.with_name("record.sqlite"), f"it lacks {counted(count, 'event')} that {mirror.name} holds")


def put_aside(path: Path, content: bytes) -> Path:
    """Keep bytes in a file beside another, that says by its name what they are.

    Raises:
        OSError: they cannot be written.
    """
    stem = f"{path.stem}.damaged-{now().replace(':', '-')}"
    for number in range(1_000):
        aside = path.with_name(f"{stem}{f'-{number}' if number else ''}{path.suffix}")
        with suppress(FileExistsError), open(aside, "xb", opener=private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            return aside
    raise FileExistsError(17, f"too many files like {aside.name}")


# --- Lines ------------------------------------------------------------------------------------------------------------


def event_line(event: Event, before: str) -> bytes:
    """The line of an event, and of the checksum of the event before it."""
    return _as_line({**vars(event), "before": before})


def _as_line(values: dict[str, Any]) -> bytes:
    return _encode(values).encode() + b"\n"


def link_of(line: bytes) -> Link:
    """The event of a line.

    Raises:
        ValueError: it is not one.
    """
    try:
        found = json.loads(line)
    except RecursionError:
        raise ValueError("not an event") from None
    if not isinstance(found, dict) or not all(name in found for name in FIELDS):
        raise ValueError("not an event")
    if why := misfit(found):
        raise ValueError(why)
    checksum, before = found.get("checksum", ""), found.get("before", "")
    if not isinstance(checksum, str) or not isinstance(before, str):
        raise ValueError("no checksum")
    return Link({name: found[name] for name in FIELDS}, before, checksum)


def event_of(link: Link) -> Event:
    """The event of a link that is sound."""
    return Event(**{**link.values, "action": Action(link.values["action"])}, checksum=link.checksum)


@dataclass(frozen=True)
class Lines:
    """What a mirror says, damaged or not.

    Attributes:
        head: of the first line; empty where that is none.
        links: the events, each line's first, in the order of the file.
        why: the first line that is none, in words; "" where all are.
        half: the last line has no end, as a kill leaves it; it is left out.
    """

    head: dict[str, Any]
    links: tuple[Link, ...]
    why: str
    half: bool

    @property
    def run_id(self) -> object:
        """Of the run that it is of."""
        return self.head.get("run_id")

    @property
    def of_old(self) -> bool:
        """Was it written before there were checksums, and whole?"""
        return self.head.get("schema") == 1 and not self.why


def read_lines(content: bytes) -> Lines:
    """What a mirror holds; lines that are none, and those that say again what was said, are passed over."""
    first, *lines = content.split(b"\n")
    head, links = _head(first), dict[str, Link]()
    why = "" if head else "line 1 is not its head"
    half = bool(lines.pop()) if lines else bool(first)  # what follows the last line break
    for number, line in enumerate(lines, start=2):
        try:
            link = link_of(line)
            if links.setdefault(link.values["uuid"], link) is not link:
                raise ValueError("an event that is there already")
            if link.checksum and not link.sound:
                why = why or f"line {number} is not as it was written"
        except ValueError as error:
            why = why or f"line {number}: {_clause(error)}"
    return Lines(head, tuple(links.values()), why, half)


def _head(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _clause(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is no UTF-8"
    return "it is no JSON" if isinstance(error, json.JSONDecodeError) else str(error)


# --- Texts ------------------------------------------------------------------------------------------------------------


def write_texts(path: Path, run_id: str, rows: Iterable[Any]) -> str:
    """Write all texts, a line each, whole or not at all.

    Args:
        path: `texts.jsonl`.
        run_id: of the run.
        rows: of `item`.

    Returns:
        The sha256 of the file.

    Raises:
        OSError: it cannot be written.
    """
    digest = hashlib.sha256()
    with replacing(path) as temporary, open(temporary, "xb", opener=private) as file:
        for values in chain([{"schema": SCHEMA, "run_id": run_id}], rows):
            line = _as_line(dict(values))
            digest.update(line)
            file.write(line)
    return digest.hexdigest()


def read_texts(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of `item` that a file of texts holds, those that are as they were written.

    Raises:
        OSError: it cannot be read.
    """
    with open(own(path), "rb", opener=private) as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError, RecursionError):
                row = json.loads(line)
                if row["checksum"] == of_text(row) and text_is_sound(row["text"], row["sha256"]):
                    yield row


def digest_of(path: Path) -> str:
    """Sha256 of a file; "" where there is none."""
    try:
        with open(own(path), "rb", opener=private) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
