"""From whatever copies are left to a sound record: `record.sqlite`, its backup, its mirrors.

A new file is made of what is proven (`proof`). Nothing is deleted: what was damaged keeps its bytes, in a folder beside
the record.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_al.exceptions import DamagedError, LitALError, StoreError
from lit_al.record.checksums import as_row
from lit_al.record.copies import Copy, of_database, of_mirror, of_one_run
from lit_al.record.database import BROKEN, now
from lit_al.record.entries import NO_TEXT, Event
from lit_al.record.facts import Facts
from lit_al.record.integrity import opened
from lit_al.record.proof import merged_events, proven_people, proven_texts
from lit_al.record.store import BACKUP_FILE, MIRROR_FILE, RECORD_FILE, TEXTS_FILE, Record
from lit_al.utils.links import own

_NEW = "record.recovered.sqlite"
_KEPT = (
    "model",
    "generation",
    "ranking",
    "round",
    "question",
    "state",
    "suggestion",
)  # bookkeeping, as far as it can be read

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Recovered:
    """What `recover` did.

    Attributes:
        events: on record now.
        from_backup: of them, how many came from the backup.
        from_mirror: of them, how many came from `events.jsonl`; the others are those of the record itself.
        set_aside: where the damaged files are; None where the record was sound.
        notes: what was mended and what was lost, a clause each.
    """

    events: int
    from_backup: int
    from_mirror: int
    set_aside: Path | None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.set_aside is None:
            words = [f"the record is sound: {self.events:,} events", *(self.notes or ["nothing was done"])]
        else:
            kept = self.events - self.from_backup - self.from_mirror
            counts = {f"of {RECORD_FILE}": kept, "of the last backup": self.from_backup}
            counts |= {f"of {MIRROR_FILE}": self.from_mirror}
            of = " and ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"
            words = [f"{self.events:,} events are on record again: {of}", *self.notes]
            words += [f"the damaged files are in {self.set_aside}"]
        return "; ".join(words)


def recover(folder: Path | str) -> Recovered:
    """Make the record of a run sound again, from what is left of it, of its backup and of its mirror.

    Raises:
        StoreError: there is nothing to make it from, or files cannot be written.
    """
    folder = Path(folder)
    path = folder / RECORD_FILE
    try:
        with Record.open(path) as record:
            return Recovered(record.last_seq(), 0, 0, None, (*record.mended, *_look_after_backup(record)))
    except DamagedError:
        pass
    except StoreError:
        if path.is_file():
            raise
    copies = [of_database(path), of_database(folder / BACKUP_FILE), of_mirror(folder)]
    if not any(copy.facts or copy.events for copy in copies):
        raise StoreError(
            f"nothing is left to recover from: {folder} has no {RECORD_FILE}, {BACKUP_FILE} or {MIRROR_FILE} that says "
            "which run it is; put a copy of one there"
        )
    copies.sort(key=lambda copy: not copy.whole)  # what is broken is asked last
    notes: list[str] = []
    copies = of_one_run(copies, folder, notes)
    facts = next(copy.facts for copy in copies if copy.facts)
    merged = merged_events(copies, facts, notes)
    new = _made(folder, facts, copies, merged, notes)
    aside = _set_aside(folder)
    try:
        new.rename(path)
    except OSError as error:
        raise StoreError(f"{new} cannot be renamed to {path}: {error.strerror or error}; rename it") from error
    with Record.open(path) as record:  # read back, and its mirrors written
        assert record.last_seq() == len(merged)
        record.backup()
        of = Counter(source for _, source in merged)
        notes += record.mended
        return Recovered(len(merged), of[BACKUP_FILE], of[MIRROR_FILE], aside, tuple(notes))


def _look_after_backup(record: Record) -> list[str]:
    """Replace a backup that is damaged by one of the record, which is sound."""
    backup = own(record.path.with_name(BACKUP_FILE))
    if not backup.is_file():
        return []
    try:
        Record.open(backup).close()
    except StoreError:
        aside = _aside_folder(record.path.parent)
        backup.rename(aside / BACKUP_FILE)
        record.backup()
        return [f"{BACKUP_FILE} was damaged and is written anew; the old one is in {aside}"]
    return []


def _made(
    folder: Path, facts: Facts, copies: Sequence[Copy], events: Sequence[tuple[Event, str]], notes: list[str]
) -> Path:
    """A new file beside the record."""
    new = own(folder / _NEW)
    for ending in ("", "-wal", "-shm", "-journal"):
        new.with_name(new.name + ending).unlink(missing_ok=True)
    with Record.make(new, facts) as record, record.transaction() as db:
        for row in proven_texts(copies, facts, {event.item for event, _ in events} - {NO_TEXT}, notes):
            _insert(db, "item", row)
        for row in proven_people(copies, events, notes):
            _insert(db, "annotator", row)
        for event, _ in events:
            _insert(db, "event", as_row(vars(event)))
        for table in _KEPT:
            columns = [str(row["name"]) for row in db.execute(f"PRAGMA table_info({table})")]
            for row in _kept_rows(folder, table, columns):
                with suppress(sqlite3.Error):  # of a text or a round that is not there: it is made again
                    _insert(db, table, row)
    return new


def _insert(db: sqlite3.Connection, table: str, row: Row) -> None:
    marks = ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO {table}({', '.join(row)}) VALUES ({marks})", row)


def _kept_rows(folder: Path, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """What trainers wrote, from the first file in which it can be read; a run goes on without it."""
    for name in (RECORD_FILE, BACKUP_FILE):
        path = own(folder / name)
        with suppress(*BROKEN, LitALError):
            if path.is_file():
                with closing(opened(path)) as db:
                    return [*map(dict, db.execute(f"SELECT {', '.join(columns)} FROM {table}"))]
    return []


def _aside_folder(folder: Path) -> Path:
    stem = f"damaged-{now().replace(':', '-')}"
    for number in range(1_000):
        aside = folder / (stem + (f"-{number}" if number else ""))
        with suppress(FileExistsError):
            aside.mkdir()
            return aside
    raise FileExistsError(17, "too many folders of damaged files")


def _set_aside(folder: Path) -> Path:
    """Move the damaged files into a folder of their own."""
    aside = folder
    try:
        aside = _aside_folder(folder)
        files = (RECORD_FILE, f"{RECORD_FILE}-wal", f"{RECORD_FILE}-shm", f"{RECORD_FILE}-journal")
        for name in (*files, BACKUP_FILE, MIRROR_FILE, TEXTS_FILE):
            if (folder / name).exists():
                (folder / name).rename(aside / name)
    except OSError as error:
        raise StoreError(f"the damaged record cannot be moved to {aside}: {error.strerror or error}") from error
    return aside
