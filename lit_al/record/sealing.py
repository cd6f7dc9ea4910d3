"""Give checksums to what has none: the rows of a file of before there were any, and rows that are new."""

import json
import sqlite3

from lit_al.record import checksums


def seal(db: sqlite3.Connection) -> None:
    """Every row of a file; inside a transaction of the caller."""
    db.create_function("lit_al_text", 5, _of_text, deterministic=True)
    db.create_function("lit_al_annotator", 4, _of_annotator, deterministic=True)
    db.execute("UPDATE item SET checksum = lit_al_text(id, sha256, text IS NOT NULL, meta, place)")
    db.execute("UPDATE annotator SET checksum = lit_al_annotator(name, token, created, removed)")
    facts = {str(key): str(value) for key, value in db.execute("SELECT key, value FROM meta")}
    seal_facts(db, facts)
    _seal_events(db, str(json.loads(facts["run_id"])))


def seal_facts(db: sqlite3.Connection, facts: dict[str, str]) -> None:
    """The rows of `meta`."""
    found = json.dumps(checksums.of_facts(facts))
    db.execute("INSERT OR REPLACE INTO meta VALUES ('checksum', ?)", (found,))


def seal_annotator(db: sqlite3.Connection, name: str) -> None:
    """A row that was made or changed."""
    query = "SELECT name, token, created, removed FROM annotator WHERE name = ?"
    row = db.execute(query, (name,)).fetchone()
    if row is not None:
        db.execute("UPDATE annotator SET checksum = ? WHERE name = ?", (_of_annotator(*row), name))


def _seal_events(db: sqlite3.Connection, run_id: str) -> None:
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    before, given = run_id, []
    for row in cursor.execute("SELECT * FROM event ORDER BY seq"):
        before = checksums.of_event(checksums.row_values(row), before)
        given.append((before, row["seq"]))
    db.executemany("UPDATE event SET checksum = ? WHERE seq = ?", given)


def _of_text(number: int, sha256: str, there: int, meta: str, place: int) -> str:
    return checksums.of_text(
        {"id": number, "sha256": sha256, "text": "" if there else None, "meta": meta, "place": place}
    )


def _of_annotator(name: str, token: str | None, created: str, removed: str | None) -> str:
    return checksums.of_annotator({"name": name, "token": token, "created": created, "removed": removed})
