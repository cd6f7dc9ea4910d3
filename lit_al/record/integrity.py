"""Is the file of a record what it was when it was written? A start and `lit-al recover` ask the same question here.

First the file: its header, its pages, its tables to the letter. Then what stands in it: the checksums of the run's
facts, texts, annotators and events, and whether each label is one of the run's.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from lit_al.exceptions import DamagedError, RefusedError, StoreError
from lit_al.record import checksums, schema
from lit_al.record.class_history import ClassChange, ClassHistory
from lit_al.record.database import BROKEN, WAIT_SECONDS, Unreadable, address, as_error, damaged
from lit_al.record.entries import Action, sha256_of
from lit_al.record.facts import Facts


def opened(path: Path) -> sqlite3.Connection:
    """A plain connection to look at a file with, in which no text is refused for not being UTF-8.

    Raises:
        sqlite3.Error: it cannot be opened.
        RunError: it is a symbolic link.
    """
    db = sqlite3.connect(f"{address(path)}?mode=rw", uri=True, isolation_level=None, timeout=WAIT_SECONDS)
    db.row_factory = sqlite3.Row
    db.text_factory = lambda content: content.decode(errors="surrogateescape")
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def check_file(path: Path, *, whole: bool = True) -> None:
    """Refuse what is not a sound record, of any version that is known.

    Args:
        path: of the file.
        whole: read all of it; else its header and its tables alone.

    Raises:
        StoreError: of a newer version, or it cannot be read.
        DamagedError: the first thing that is not as it was written, and how many more there are.
    """
    try:
        with closing(opened(path)) as db:
            check_shape(db, path)
            if whole:
                check_pages(db, path)
                found = list(faults(db))
                if found:
                    more = f", and {len(found) - 1:,} more" if len(found) > 1 else ""
                    raise DamagedError(damaged(path, found[0] + more))
    except BROKEN as error:
        raise as_error(error, path) from error


def version_of(db: sqlite3.Connection) -> int:
    """Of a record."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check_shape(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is of another program, of a newer version, or has other tables than ours.

    Raises:
        StoreError: a newer version.
        DamagedError: anything else.
    """
    if db.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION:
        raise DamagedError(damaged(path, "its header is not that of a record"))
    version = version_of(db)
    if version > schema.VERSION:
        raise StoreError(
            f"{path} was written by a newer lit_al (record version {version}, this one knows {schema.VERSION}); "
            "upgrade lit_al"
        )
    if version < schema.FIRST:
        raise DamagedError(damaged(path, f"its version is {version}"))
    if name := schema.strange(db, version):
        raise DamagedError(damaged(path, f"{name[:60]!r} in it is not as lit_al makes it"))


def check_pages(db: sqlite3.Connection, path: Path) -> None:
    """Let SQLite read every page: types, indexes, references.

    Raises:
        DamagedError: it found something.
    """
    found = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if found != "ok":
        raise DamagedError(damaged(path, found.splitlines()[0][:200]))
    lost = db.execute("PRAGMA foreign_key_check").fetchone()
    if lost is not None:
        raise DamagedError(damaged(path, f"a row of {lost[0]!r} speaks of one of {lost[2]!r} that is not there"))


def faults(db: sqlite3.Connection) -> Iterator[str]:
    """What stands in a record's tables and was never written there, a clause each."""
    sealed = version_of(db) > schema.FIRST
    rows = {str(row["key"]): row["value"] for row in db.execute("SELECT key, value FROM meta")}
    try:
        facts = Facts.read(rows)
    except Unreadable as error:
        yield str(error)
        return
    if sealed and rows.get("checksum") != json.dumps(checksums.of_facts(rows)):
        yield "the run's settings are not as they were written"
    yield from _text_faults(db, sealed)
    for row in db.execute("SELECT * FROM annotator") if sealed else ():
        if row["checksum"] != checksums.of_annotator(row):
            yield f"the annotator {shown(row['name'])} is not as written"
    yield from event_faults(db, facts, sealed)


def _text_faults(db: sqlite3.Connection, sealed: bool) -> Iterator[str]:
    for row in db.execute("SELECT * FROM item ORDER BY id"):
        if not text_is_sound(row["text"], row["sha256"]) or (sealed and row["checksum"] != checksums.of_text(row)):
            yield f"text {row['id']} is not as it was written"


def text_is_sound(text: str | None, sha256: str) -> bool:
    """Is it the text of the sha256? One that is not there is no other one."""
    return text is None or digest_of(text) == sha256


def digest_of(text: object) -> str:
    """Of a text as a file holds it; "" of what is none."""
    try:
        return sha256_of(text) if isinstance(text, str) else ""
    except UnicodeEncodeError:
        return ""


def event_faults(db: sqlite3.Connection, facts: Facts, sealed: bool = True) -> Iterator[str]:
    """Events that were never written so, a clause each.

    Of a broken chain the first event tells nothing of the next: each is held against the one before as it stands.
    """
    rows, history = db.execute("SELECT * FROM event ORDER BY seq"), ClassHistory(facts.classes)
    for link in checksums.chained(rows, facts.run_id):
        if sealed and not link.sound:
            yield f"{named(link.values)} is not as it was written"
        elif link.values["action"] == Action.CLASSES:
            try:
                history = history.after(link.seq, ClassChange.of_note(link.values["note"]))
            except (ValueError, RefusedError):
                yield f"{named(link.values)} changes classes that are not there"
        elif link.values["label"] is not None and link.values["label"] not in history.names:
            yield f"{named(link.values)} has the label {shown(link.values['label'])}, which is none of the run's"


def named(values: checksums.Values) -> str:
    """An event, for people."""
    return f"event {values['seq']!a} (text {values['item']!a}, by {shown(values['annotator'])})"


def shown(words: Any) -> str:
    """A word of a file that may hold anything, in quotes and not too long."""
    return ascii(str(words)[:40]) if not str(words).isprintable() else repr(str(words)[:40])
