"""From the last backup and the mirror to a sound record. Nothing is deleted: what was damaged keeps its bytes."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from lit_al.errors import StoreError
from lit_al.record.database import now
from lit_al.record.kinds import Event
from lit_al.record.mirror import read_mirror
from lit_al.record.store import MIRROR_FILE, RECORD_FILE, Record

BACKUP_FILE = "record.backup.sqlite"


@dataclass(frozen=True)
class Recovered:
    """What `recover` did.

    Attributes:
        events: on record now.
        from_backup: of them, how many the copy held.
        from_mirror: of them, how many came from `events.jsonl`.
        set_aside: where the damaged files are; None where the record was sound.
    """

    events: int
    from_backup: int
    from_mirror: int
    set_aside: Path | None

    def __str__(self) -> str:
        if self.set_aside is None:
            return f"the record is sound: {self.events:,} events; nothing was done"
        return (
            f"{self.events:,} events are on record again: {self.from_backup:,} of the last backup and "
            f"{self.from_mirror:,} of {MIRROR_FILE}; the damaged files are in {self.set_aside}"
        )


def recover(folder: Path | str) -> Recovered:
    """Make the record of a run sound again, from its backup and its mirror.

    Raises:
        StoreError: there is no sound backup, a line of the mirror is broken, or files cannot be moved.
    """
    folder = Path(folder)
    path = folder / RECORD_FILE
    try:
        with Record.open(path) as record:
            return Recovered(record.last_seq(), record.last_seq(), 0, None)
    except StoreError as error:
        if "upgrade" in str(error):
            raise
    new = _from_backup(folder)
    with Record(new) as record:
        backed = record.last_seq()
        mirrored = _mirrored(folder, record)
        _append(record, [event for event in mirrored if event.seq > backed])
        total = record.last_seq()
    aside = _set_aside(folder)
    try:
        new.rename(path)
    except OSError as error:
        raise StoreError(f"{new} cannot be renamed to {path}: {error.strerror or error}; rename it") from error
    with Record.open(path) as record:  # writes what the mirror lacks
        assert record.last_seq() == total  # read back
    return Recovered(total, backed, total - backed, aside)


def _from_backup(folder: Path) -> Path:
    """A copy of the last backup, to work on."""
    source, target = folder / BACKUP_FILE, folder / "record.recovered.sqlite"
    if not source.is_file():
        raise StoreError(f"{folder} has no {BACKUP_FILE} to recover from; {MIRROR_FILE} there holds every answer")
    target.unlink(missing_ok=True)
    try:
        with Record.open(source) as backup:
            backup.backup(target)
    except StoreError as error:
        raise StoreError(f"the backup is of no use: {error}") from error
    return target


def _mirrored(folder: Path, record: Record) -> list[Event]:
    path = folder / MIRROR_FILE
    if not path.is_file():
        return []
    try:
        head, events = read_mirror(path)
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read ({error}); take the broken line out and run again") from error
    if head.get("run_id") != record.run_id:
        raise StoreError(f"{path} is of another run; put the right one there and run again")
    return events


def _append(record: Record, events: list[Event]) -> None:
    """Add events as they were, with their numbers and times."""
    names = list(Event.__dataclass_fields__)
    marks = ", ".join("?" * len(names))
    try:
        with record.transaction() as db:
            for event in events:
                db.execute(
                    "INSERT OR IGNORE INTO annotator(name, created) VALUES (?, ?)", (event.annotator, event.server_time)
                )
                values = [getattr(event, name) for name in names]
                db.execute(f"INSERT INTO event({', '.join(names)}) VALUES ({marks})", values)
    except sqlite3.Error as error:  # pragma: no cover - told by `transaction`
        raise StoreError(str(error)) from error


def _set_aside(folder: Path) -> Path:
    """Move the damaged files into a folder of their own."""
    aside = folder / f"damaged-{now().replace(':', '-')}"
    try:
        aside.mkdir()
        for name in (RECORD_FILE, f"{RECORD_FILE}-wal", f"{RECORD_FILE}-shm"):
            if (folder / name).exists():
                (folder / name).rename(aside / name)
    except OSError as error:
        raise StoreError(f"the damaged record cannot be moved to {aside}: {error.strerror or error}") from error
    return aside
