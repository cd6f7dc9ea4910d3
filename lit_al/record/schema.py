"""The tables of a record.

`event` only grows: triggers refuse to update, delete or replace a line. Whatever else is here can be made again, or is
bookkeeping that no answer depends on. A new file is made as the first version and brought up, so that every file of a
version has the same tables to the letter, and others are known as `strange`.
"""

import sqlite3
from collections.abc import Callable

from lit_al.record.sealing import seal

APPLICATION = 0x6C697461  # "lita", in the header of the file
FIRST, VERSION = 1, 4

# Parts of a version that a later one makes again: a table whose CHECK is another, and what hangs on it.
EVENT = """
CREATE TABLE event(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    item INTEGER{item} REFERENCES item(id),
    annotator TEXT NOT NULL REFERENCES annotator(name),
    action TEXT NOT NULL CHECK (action IN ({actions})),
    label TEXT,
    note TEXT,
    undoes TEXT REFERENCES event(uuid),
    generation INTEGER,
    model_version INTEGER,
    predicted TEXT,
    probability REAL,
    suggestion_shown INTEGER NOT NULL,
    strategy TEXT NOT NULL,
    round INTEGER,
    control INTEGER NOT NULL,
    lead_ms INTEGER,
    client_time TEXT,
    forced INTEGER NOT NULL,
    source TEXT NOT NULL,
    server_time TEXT NOT NULL,
    late INTEGER NOT NULL,
    schema_hash TEXT NOT NULL,{checksum}
    CHECK (({labels}) = (label IS NOT NULL)),
    CHECK (({notes}) = (note IS NOT NULL)),{more}
    CHECK ((action = 'undo') = (undoes IS NOT NULL))
) STRICT;
CREATE INDEX event_item ON event(item, annotator, seq);
CREATE INDEX event_annotator ON event(annotator, seq);
CREATE UNIQUE INDEX event_undoes ON event(undoes) WHERE undoes IS NOT NULL;
"""


def _event(actions: str, labels: str, checksum: str = " checksum TEXT NOT NULL DEFAULT '',", **later: str) -> str:
    """The table of events of a version."""
    as_first = {"item": " NOT NULL", "notes": "action = 'note'", "more": ""}
    return EVENT.format(actions=actions, labels=labels, checksum=checksum, **{**as_first, **later})


ONLY_GROWS = """
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are never deleted; append another'); END;
CREATE TRIGGER event_is_never_replaced BEFORE INSERT ON event
WHEN EXISTS (SELECT 1 FROM event WHERE uuid = NEW.uuid OR seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'events are never replaced; append another'); END;
"""

SEALED = """
CREATE TRIGGER event_is_never_updated BEFORE UPDATE OF
    seq, uuid, item, annotator, action, label, note, undoes, generation, model_version, predicted, probability,
    suggestion_shown, strategy, round, control, lead_ms, client_time, forced, source, server_time, late, schema_hash
ON event
BEGIN SELECT RAISE(ABORT, 'events are never changed; append another'); END;
CREATE TRIGGER checksum_is_never_updated BEFORE UPDATE OF checksum ON event WHEN OLD.checksum <> ''
BEGIN SELECT RAISE(ABORT, 'events are never changed; append another'); END;
"""

ANSWERS = """
-- labels and skips that nobody has taken back
CREATE VIEW standing AS
SELECT e.* FROM event e
WHERE e.action IN ('label', 'skip') AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.uuid);

-- the last of them, by text and annotator
CREATE VIEW answer AS
SELECT s.* FROM standing s
WHERE NOT EXISTS (
    SELECT 1 FROM standing l WHERE l.item = s.item AND l.annotator = s.annotator AND l.seq > s.seq
);
"""

TABLES = (
    """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE item(
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL,
    text TEXT,
    meta TEXT NOT NULL DEFAULT '{}',
    place INTEGER NOT NULL  -- in the order of a cold start
) STRICT;
CREATE INDEX item_place ON item(place);

CREATE TABLE annotator(name TEXT PRIMARY KEY, token TEXT UNIQUE, created TEXT NOT NULL, removed TEXT) STRICT;

"""
    + _event("'label', 'skip', 'undo', 'flag', 'unflag', 'note'", labels="action = 'label'", checksum="")
    + """
CREATE TRIGGER event_is_never_updated BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never changed; append another'); END;
"""
    + ONLY_GROWS
    + """
CREATE TRIGGER item_is_never_changed BEFORE UPDATE OF id, sha256, text ON item
BEGIN SELECT RAISE(ABORT, 'texts are never changed'); END;

"""
    + ANSWERS
    + """

CREATE TABLE lease(
    item INTEGER NOT NULL REFERENCES item(id),
    annotator TEXT NOT NULL REFERENCES annotator(name),
    until REAL NOT NULL,
    PRIMARY KEY (item, annotator)
) STRICT;

CREATE TABLE model(
    version INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    labels_seen INTEGER NOT NULL,
    labels INTEGER NOT NULL,
    facts TEXT NOT NULL,
    created TEXT NOT NULL
) STRICT;

CREATE TABLE generation(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model_version INTEGER,
    strategy TEXT NOT NULL,
    labels_seen INTEGER NOT NULL,
    n INTEGER NOT NULL,
    created TEXT NOT NULL
) STRICT;

CREATE TABLE ranking(
    generation INTEGER NOT NULL REFERENCES generation(id),
    rank INTEGER NOT NULL,
    item INTEGER NOT NULL REFERENCES item(id),
    score REAL,
    reason TEXT NOT NULL,
    probabilities TEXT NOT NULL,
    control INTEGER NOT NULL,
    PRIMARY KEY (generation, rank)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX ranking_item ON ranking(generation, item);

CREATE TABLE round(
    number INTEGER PRIMARY KEY,
    strategy TEXT NOT NULL,
    facts TEXT NOT NULL,
    begun TEXT NOT NULL,
    ended TEXT
) STRICT;

CREATE TABLE question(
    round INTEGER NOT NULL REFERENCES round(number),
    place INTEGER NOT NULL,
    item INTEGER NOT NULL REFERENCES item(id),
    PRIMARY KEY (round, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL, updated TEXT NOT NULL) STRICT;
"""
)

CHECKSUMS = (
    """
ALTER TABLE event ADD COLUMN checksum TEXT NOT NULL DEFAULT '';
ALTER TABLE item ADD COLUMN checksum TEXT NOT NULL DEFAULT '';
ALTER TABLE annotator ADD COLUMN checksum TEXT NOT NULL DEFAULT '';

-- an event of before there were checksums is given one, once
DROP TRIGGER event_is_never_updated;
"""
    + SEALED
    + """

-- a text that was lost may come back, as the same one
DROP TRIGGER item_is_never_changed;
CREATE TRIGGER item_is_never_changed BEFORE UPDATE OF id, sha256, text ON item
WHEN OLD.text IS NOT NULL OR NEW.id <> OLD.id OR (OLD.sha256 <> '' AND NEW.sha256 <> OLD.sha256)
BEGIN SELECT RAISE(ABORT, 'texts are never changed'); END;
"""
)


# The last label by text that somebody has settled and nobody has taken back.
SETTLED = """
CREATE INDEX event_settled ON event(item, seq) WHERE action = 'settle';
"""
SETTLEMENT = """
CREATE VIEW settlement AS
SELECT e.* FROM event e
WHERE e.action = 'settle' AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.uuid) AND NOT EXISTS (
    SELECT 1 FROM event l WHERE l.item = e.item AND l.action = 'settle' AND l.seq > e.seq
    AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = l.uuid)
);
"""


def _made_again(event: str, indexes: str) -> str:
    """The table of events made again, with every event as it was: SQLite changes no CHECK of a table that is there."""
    before = """
DROP VIEW answer;
DROP VIEW standing;
CREATE TEMP TABLE kept AS SELECT * FROM event;
DROP TABLE event;
"""
    after = """
INSERT INTO event SELECT * FROM kept ORDER BY seq;
DROP TABLE kept;
"""
    return "\n".join([before, event, after, indexes, SEALED, ONLY_GROWS, ANSWERS, SETTLEMENT])


SETTLEMENTS = _made_again(
    _event("'label', 'settle', 'skip', 'undo', 'flag', 'unflag', 'note'", labels="action IN ('label', 'settle')"),
    SETTLED,
)

# Changes of the classes are about no text.
CLASSES = "DROP VIEW settlement;\n" + _made_again(
    _event(
        "'label', 'settle', 'skip', 'undo', 'flag', 'unflag', 'note', 'classes'",
        labels="action IN ('label', 'settle')",
        item="",
        notes="action IN ('note', 'classes')",
        more="\n    CHECK ((action = 'classes') = (item IS NULL)),",
    ),
    SETTLED + "CREATE INDEX event_classes ON event(seq) WHERE action = 'classes';",
)

SUGGESTIONS = """
-- what somebody else's model says of texts, the newest of each; its class as it was called at that event
CREATE TABLE suggestion(
    item INTEGER PRIMARY KEY REFERENCES item(id),
    label TEXT NOT NULL,
    probability REAL,
    source TEXT NOT NULL,
    seq INTEGER NOT NULL,
    created TEXT NOT NULL
) STRICT;
"""

# From a version to the next: SQL, and what SQL cannot say.
MIGRATIONS: dict[int, str] = {1: CHECKSUMS, 2: SETTLEMENTS, 3: CLASSES + SUGGESTIONS}
FILLED: dict[int, Callable[[sqlite3.Connection], None]] = {1: seal}


def create(db: sqlite3.Connection) -> None:
    """Make the tables of a new file; inside a transaction of the caller."""
    run(db, TABLES)
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    for step in range(FIRST, VERSION):
        run(db, MIGRATIONS[step])
    db.execute(f"PRAGMA user_version = {VERSION}")


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring an older file to this version; inside a transaction of the caller."""
    for step in range(version, VERSION):
        run(db, MIGRATIONS[step])
        if step in FILLED:
            FILLED[step](db)
    db.execute(f"PRAGMA user_version = {VERSION}")


def strange(db: sqlite3.Connection, version: int) -> str:
    """What of a file's tables, triggers, views and indexes is not as this version has it, by name; "" if all is."""
    found, ours = objects(db), _objects_of(version)
    return next((name for name in sorted(found | ours) if found.get(name) != ours.get(name)), "")


def objects(db: sqlite3.Connection) -> dict[str, str]:
    """How everything in a file was made, by name, without blanks."""
    rows = db.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    return {str(name): "".join(str(sql).split()) for name, sql in rows}


def _objects_of(version: int) -> dict[str, str]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        run(db, TABLES)
        for step in range(FIRST, version):
            run(db, MIGRATIONS[step])
        return objects(db)
    finally:
        db.close()


def run(db: sqlite3.Connection, script: str) -> None:
    """Several statements in the caller's transaction; `executescript` would commit it first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
