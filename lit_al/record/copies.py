"""The copies of a record, as far as they can be read: `record.sqlite`, its backup, its mirrors."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lit_al.exceptions import LitALError, StoreError
from lit_al.record import checksums, schema
from lit_al.record.checksums import Link, chained
from lit_al.record.database import BROKEN, Unreadable, now
from lit_al.record.facts import Facts
from lit_al.record.integrity import opened, version_of
from lit_al.record.mirror import read_lines, read_texts
from lit_al.record.store import BACKUP_FILE, MIRROR_FILE, TEXTS_FILE
from lit_al.utils.links import own


@dataclass
class Copy:
    """What one copy holds, proven or not.

    Attributes:
        name: of the file.
        facts: of the run; None where they cannot be read.
        sealed: do they agree with their checksum?
        whole: could every page be read, and are they as they should be?
        events: by number in the order.
        texts: rows of `item`, by id.
        people: rows of `annotator`, by name.
    """

    name: str
    facts: Facts | None = None
    sealed: bool = False
    whole: bool = True
    events: dict[int, Link] = field(default_factory=dict)
    texts: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)


def of_database(path: Path) -> Copy:
    """All that can be read of a file of SQLite's; of one without checksums, only if the rest of it is sound."""
    copy = Copy(path.name)
    if not own(path).is_file():
        return copy
    with suppress(*BROKEN, LitALError), closing(opened(path)) as db:
        version = version_of(db)
        copy.whole = next(_rows(db, "PRAGMA integrity_check(1)"), {}).get("integrity_check") == "ok"
        if version > schema.VERSION or (version <= schema.FIRST and not copy.whole):
            return copy
        rows = {str(row["key"]): str(row["value"]) for row in _rows(db, "SELECT * FROM meta")}
        with suppress(Unreadable):
            copy.facts = Facts.read(rows)
            copy.sealed = rows.get("checksum") == json.dumps(checksums.of_facts(rows))
        more = ", checksum" if version > schema.FIRST else ""
        texts = _rows(db, f"SELECT id, sha256, text, meta, place{more} FROM item ORDER BY id")
        copy.texts = {row["id"]: row for row in texts if type(row["id"]) is int}
        people = _rows(db, f"SELECT name, token, created, removed{more} FROM annotator")
        copy.people = {row["name"]: row for row in people if isinstance(row["name"], str)}
        events = _rows(db, f"SELECT {', '.join(checksums.FIELDS)}{more} FROM event ORDER BY seq")
        sane = (row for row in events if type(row["seq"]) is int)
        copy.events = {link.seq: link for link in chained(sane, copy.facts.run_id if copy.facts else "")}
    return copy


def _rows(db: sqlite3.Connection, query: str) -> Iterator[dict[str, Any]]:
    """Rows as far as they can be read."""
    with suppress(*BROKEN):
        for row in db.execute(query):
            yield dict(row)


def of_mirror(folder: Path) -> Copy:
    """All that can be read of `events.jsonl` and `texts.jsonl`."""
    copy = Copy(MIRROR_FILE)
    with suppress(OSError):
        read = read_lines(own(folder / MIRROR_FILE).read_bytes())
        copy.events = {link.seq: link for link in reversed(read.links)}
        head = {"settings": {}, "guidelines": "", "created": now(), **read.head}
        with suppress(Unreadable):
            copy.facts = Facts.of(head)
            copy.sealed = head.get("checksum") == checksums.of_facts(copy.facts.rows())
    with suppress(OSError):
        copy.texts = {row["id"]: row for row in read_texts(folder / TEXTS_FILE)}
    return copy


def of_one_run(copies: Sequence[Copy], folder: Path, notes: list[str]) -> list[Copy]:
    """The copies of the run that the first sound one is of, that one first; its facts are those of all.

    Raises:
        StoreError: no copy says which run it is.
    """
    known = sorted((copy for copy in copies if copy.facts), key=lambda copy: not copy.sealed)
    if not known:
        raise StoreError(f"no copy in {folder} says which labels the run has; put a sound {BACKUP_FILE} there")
    first = known[0]
    assert first.facts is not None  # as asked for
    kept = []
    for copy in copies:
        if copy.facts and copy.facts.run_id != first.facts.run_id and copy.sealed | (copy.name == MIRROR_FILE):
            notes.append(f"{copy.name} is of another run and was passed over")
            continue
        kept.append(copy if copy is first else replace(copy, facts=None))
    return kept
