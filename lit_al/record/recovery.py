"""From whatever copies are left to a sound record: `record.sqlite`, its backup, its mirrors.

A new file is made of what is proven. A row is taken from the first copy in which it agrees with its checksum, or with
the checksum that another copy has of it; what no copy can prove is left out and named, for a label that nobody gave is
worse than a text that is asked again. Nothing is deleted: what was damaged keeps its bytes, in a folder beside the
record.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from lit_al.exceptions import DamagedError, LitALError, StoreError
from lit_al.record import checksums, schema
from lit_al.record.checksums import Link, chained, of_event
from lit_al.record.database import BROKEN, Unreadable, now
from lit_al.record.entries import Action, Event, misfit
from lit_al.record.facts import Facts, schema_hash
from lit_al.record.integrity import digest_of, named, opened, text_is_sound, version_of
from lit_al.record.mirror import read_lines, read_texts
from lit_al.record.store import BACKUP_FILE, MIRROR_FILE, RECORD_FILE, TEXTS_FILE, Record
from lit_al.record.texts import place_of
from lit_al.utils.links import own

_NEW = "record.recovered.sqlite"
_KEPT = ("model", "generation", "ranking", "round", "question", "state")  # bookkeeping, as far as it can be read
_NAMED = 5  # rows that are named one by one

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


@dataclass
class _Copy:
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
    copies = [_of_database(path), _of_database(folder / BACKUP_FILE), _of_mirror(folder)]
    if not any(copy.facts or copy.events for copy in copies):
        raise StoreError(
            f"nothing is left to recover from: {folder} has no {RECORD_FILE}, {BACKUP_FILE} or {MIRROR_FILE} that says "
            "which run it is; put a copy of one there"
        )
    copies.sort(key=lambda copy: not copy.whole)  # what is broken is asked last
    notes: list[str] = []
    copies = _of_one_run(copies, folder, notes)
    facts = next(copy.facts for copy in copies if copy.facts)
    merged = _merged(copies, facts, notes)
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


# --- Reading what is left ---------------------------------------------------------------------------------------------


def _of_database(path: Path) -> _Copy:
    """All that can be read of a file of SQLite's; of one without checksums, only if the rest of it is sound."""
    copy = _Copy(path.name)
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


def _of_mirror(folder: Path) -> _Copy:
    copy = _Copy(MIRROR_FILE)
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


def _of_one_run(copies: Sequence[_Copy], folder: Path, notes: list[str]) -> list[_Copy]:
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


# --- What is proven ---------------------------------------------------------------------------------------------------


def _merged(copies: Sequence[_Copy], facts: Facts, notes: list[str]) -> list[tuple[Event, str]]:
    """The events that are proven, in their order and chained anew, each with the copy that it is from."""
    lost, mended = list[str](), list[str]()
    found: list[tuple[Link, str]] = []
    extra: list[tuple[Link, str]] = []
    for seq in sorted({seq for copy in copies for seq in copy.events}):
        here = [(copy.events[seq], copy.name) for copy in copies if seq in copy.events]
        proven = _proven(here, [copy.events[seq + 1] for copy in copies if seq + 1 in copy.events], notes)
        if not proven:
            lost.append(named(here[0][0].values))
        elif proven[0] != here[0]:
            mended.append(f"{named(proven[0][0].values)} was damaged in {here[0][1]} and is that of {proven[0][1]}")
        found += proven[:1]
        extra += proven[1:]
    events = _chained([*found, *extra], facts, lost)
    notes += _few(mended)
    notes += [f"sound in no copy, and left out: {', '.join(_few(lost))}"] if lost else []
    return events


def _few(words: Sequence[object]) -> list[str]:
    """The first ones, and how many more there are."""
    more = [f"{len(words) - _NAMED:,} more of the kind"] if len(words) > _NAMED else []
    return [*map(str, words[:_NAMED]), *more]


def _proven(here: Sequence[tuple[Link, str]], after: Sequence[Link], notes: list[str]) -> list[tuple[Link, str]]:
    """Of the ways in which copies have one event, those that a checksum proves: one, or none; more after a fork."""
    seals = {(link.before, link.checksum) for link, _ in here if link.checksum}
    found: dict[str, tuple[Link, str]] = {}
    here = [(link, name) for link, name in here if not misfit(link.values)]
    for link, name in here:
        if any(of_event(link.values, before) == checksum for before, checksum in seals):
            found.setdefault(link.values["uuid"], (link, name))
    if found:
        return [*found.values()]
    if not seals:
        return [_of_old(here, notes)] if here else []
    for link, name in here:  # is it the checksum that was damaged? The next event knows
        for before in {before for before, _ in seals}:
            own_sum = of_event(link.values, before)
            if any(own_sum == one.before or of_event(one.values, own_sum) == one.checksum for one in after):
                return [(link, name)]
    return []


def _of_old(here: Sequence[tuple[Link, str]], notes: list[str]) -> tuple[Link, str]:
    """Of before there were checksums: what most copies say; where none has most, the first."""
    says = [json.dumps(dict(link.values), sort_keys=True) for link, _ in here]
    most = Counter(says).most_common()
    if len(most) > 1 and most[0][1] == most[1][1]:
        first, second = here[says.index(most[0][0])], here[says.index(most[1][0])]
        notes.append(
            f"{named(first[0].values)} is {first[0].values['label']!r} by {first[1]} and "
            f"{second[0].values['label']!r} by {second[1]}, and no third copy tells; the first was taken, look at it"
        )
    return here[says.index(most[0][0])]


def _chained(found: Iterable[tuple[Link, str]], facts: Facts, lost: list[str]) -> list[tuple[Event, str]]:
    """Events in one chain from the first on, without those that cannot stand."""
    events: dict[str, tuple[Event, str]] = {}
    before, hashed, undone = facts.run_id, schema_hash(facts.classes), set[str]()
    for link, source in found:
        values = dict(link.values)
        target = values["undoes"]
        bad_label = values["label"] is not None and values["label"] not in facts.classes
        if bad_label or (target is not None and (target not in events or target in undone)):
            lost.append(named(values))
        elif values["uuid"] not in events:
            undone |= {target} if target is not None else set()
            values |= {"seq": len(events) + 1, "schema_hash": hashed}
            before = of_event(values, before)
            event = Event(**{**values, "action": Action(values["action"])}, checksum=before)
            events[event.uuid] = event, source
    return [*events.values()]


def _texts(copies: Sequence[_Copy], facts: Facts, wanted: Iterable[int], notes: list[str]) -> Iterator[dict[str, Any]]:
    """Every text that a copy has, proven, and places for those that events speak of and no copy has."""
    seed = str(facts.settings.get("seed", 0))
    lost, mended = list[int](), list[str]()
    for number in sorted({*wanted}.union(*(copy.texts for copy in copies))):
        here = [(copy.texts[number], copy.name) for copy in copies if number in copy.texts]
        row, source = _proven_text([row for row, _ in here], seed)
        if row is None:
            lost.append(number)
            sha256 = _proven_digest(here)
            place = place_of(seed, sha256 or str(number))  # its own, lest all that are lost stand in one
            row = {"id": number, "sha256": sha256, "text": None, "meta": "{}", "place": place}
        elif source:
            mended.append(f"text {number} was damaged in {here[0][1]} and is that of {here[source][1]}")
        yield {**row, "checksum": checksums.of_text(row)}
    notes += _few(mended)
    if lost:
        notes.append(
            f"sound in no copy are the words of text {', '.join(_few(lost))}: lit-al annotate with the --data of the "
            "run brings them back"
        )


def _proven_text(here: Sequence[dict[str, Any]], seed: str) -> tuple[dict[str, Any] | None, int]:
    """The first way in which copies have a text that a checksum proves, and which copy it is; None if there is none."""
    seals = {row.get("checksum") or "" for row in here} - {""}
    for source, row in enumerate(here):
        if row["text"] is not None and not digest_of(row["text"]):
            continue
        digests = (row["sha256"], digest_of(row["text"]))
        for sha256, own_place in product(digests, (False, True)):
            tried = {**row, "sha256": sha256, "place": row["place"] if own_place else place_of(seed, sha256)}
            if text_is_sound(row["text"], sha256) and (
                checksums.of_text(tried) in seals or (not seals and sha256 == row["sha256"])
            ):
                return tried, source
    return None, 0


def _proven_digest(here: Sequence[tuple[dict[str, Any], str]]) -> str:
    """The sha256 of a text whose words are lost, if a checksum proves that; else ""."""
    seals = {row.get("checksum") or "" for row, _ in here} - {""}
    return next((row["sha256"] for row, _ in here if checksums.of_text({**row, "text": ""}) in seals), "")


def _people(copies: Sequence[_Copy], events: Sequence[tuple[Event, str]], notes: list[str]) -> Iterator[dict[str, Any]]:
    """Annotators that are proven; those who have answered are there in any case, if need be with a new link."""
    first = {event.annotator: event.server_time for event, _ in reversed(events)}
    for name in dict.fromkeys([*first, *(name for copy in copies for name in copy.people)]):
        here = [copy.people[name] for copy in copies if name in copy.people]
        seals = {row.get("checksum") or "" for row in here} - {""}
        sound = (row for row in here if checksums.of_annotator(row) in seals or not seals)
        if (row := next(sound, None)) is None:
            if name not in first:
                notes.append(f"the annotator {name!a} is sound in no copy, and left out; name them again")
                continue
            notes.append(f"{name!r} gets a new link")
            row = {"name": name, "token": None, "created": first[name], "removed": None}
        yield {**row, "checksum": checksums.of_annotator(row)}


# --- Making it anew ---------------------------------------------------------------------------------------------------


def _made(
    folder: Path, facts: Facts, copies: Sequence[_Copy], events: Sequence[tuple[Event, str]], notes: list[str]
) -> Path:
    """A new file beside the record."""
    new = own(folder / _NEW)
    for ending in ("", "-wal", "-shm", "-journal"):
        new.with_name(new.name + ending).unlink(missing_ok=True)
    with Record.make(new, facts) as record, record.transaction() as db:
        for row in _texts(copies, facts, {event.item for event, _ in events}, notes):
            _insert(db, "item", row)
        for row in _people(copies, events, notes):
            _insert(db, "annotator", row)
        for event, _ in events:
            _insert(db, "event", vars(event))
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
