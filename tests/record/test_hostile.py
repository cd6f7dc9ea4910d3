"""Records that no program of ours has made: one sentence and exit code 2, from every command that opens one."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lit_al.cli import main
from lit_al.record import Action, Item, NewEvent, Record, schema, sha256_of
from lit_al.record.checksums import of_facts

FACTS = {"config": {"data": "demo", "oracle": "file"}, "fingerprint": "x", "overlap": 1}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with Record.create(folder / "record.sqlite", ["bad", "good"], settings=FACTS) as record:
        record.add_items(Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(3))
        record.append(NewEvent("a-uuid-of-it", 1, "ann", Action.LABEL, label="good"))
    return folder


def untyped(db):
    """Tables that take anything, with the same names and rows."""
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE sql LIKE '%STRICT%'")


def settings(db, **values):
    """Other facts, with the checksum that goes with them."""
    for key, value in values.items():
        db.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(value), key))
    rows = dict(db.execute("SELECT key, value FROM meta"))
    db.execute("UPDATE meta SET value = ? WHERE key = 'checksum'", (json.dumps(of_facts(rows)),))


HOSTILE = {
    "no tables": lambda db: [db.execute(f"DROP TABLE {name}") for name in ("ranking", "generation")],
    "no events": lambda db: [db.execute(one) for one in ("DROP VIEW answer", "DROP VIEW standing", "DROP TABLE event")],
    "a trigger of its own": lambda db: db.execute(
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM lease; END"
    ),
    "a view of its own": lambda db: [
        db.execute("DROP VIEW answer"), db.execute("CREATE VIEW answer AS SELECT * FROM event")
    ],
    "untyped columns": untyped,
    "a column more": lambda db: db.execute("ALTER TABLE event ADD COLUMN more BLOB"),
    "a newer version": lambda db: db.execute(f"PRAGMA user_version = {schema.VERSION + 5}"),
    "a version below all": lambda db: db.execute("PRAGMA user_version = -3"),
    "the first version by name alone": lambda db: db.execute("PRAGMA user_version = 1"),
    "another program's": lambda db: db.execute("PRAGMA application_id = 7"),
    "no facts": lambda db: db.execute("DELETE FROM meta"),
    "facts that are no JSON": lambda db: db.execute("UPDATE meta SET value = '{' WHERE key = 'settings'"),
    "deep facts": lambda db: db.execute("UPDATE meta SET value = ? WHERE key = 'settings'", ("[" * 100_000,)),
    "one label": lambda db: settings(db, classes=["one"]),
    "labels that are numbers": lambda db: settings(db, classes=[1, 2]),
    "a run's id that is none": lambda db: settings(db, run_id="../../x"),
    "settings that are a list": lambda db: settings(db, settings=[1]),
    "a label outside the set": lambda db: settings(db, classes=["bad", "gold"]),
    "an event of another number": lambda db: db.execute(
        "INSERT INTO event SELECT 9223372036854775807, 'b', item, annotator, action, label, note, undoes, generation, "
        "model_version, predicted, probability, suggestion_shown, strategy, round, control, lead_ms, client_time, "
        "forced, source, server_time, late, schema_hash, checksum FROM event"
    ),
}  # fmt: skip


def commands(run):
    """Every command that opens a record."""
    return {
        "label": ["label", str(run), "--no-training"],
        "annotate": ["annotate", "--run", str(run), "--no-browser", "--no-training", "--port", "0"],
        "export": ["export", str(run), "--to", str(run.parent / "out.csv")],
        "import": ["import", str(run), str(run.parent / "in.csv")],
        "agreement": ["agreement", str(run)],
        "resume": ["train", "--resume", str(run)],
    }


def check_said(words, capsys):
    assert main.main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("command", commands(Path()))
@pytest.mark.parametrize("act", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_record_is_refused_in_one_sentence(run, act, command, capsys):
    with closing(sqlite3.connect(run / "record.sqlite", isolation_level=None)) as db:
        act(db)
    said = check_said(commands(run)[command], capsys)
    assert "record.sqlite" in said


@pytest.mark.parametrize("content", [b"", b"x", b"SQLite format 3\0", bytes(5_000), b"PK\3\4" * 2_000])
def test_a_file_that_is_no_database_is_refused_in_one_sentence(run, content, capsys):
    (run / "events.jsonl").unlink(missing_ok=True)
    (run / "texts.jsonl").unlink()
    (run / "record.sqlite").write_bytes(content)
    for suffix in ("-wal", "-shm"):
        (run / f"record.sqlite{suffix}").unlink(missing_ok=True)
    for words in commands(run).values():
        assert "lit-al recover" in check_said(words, capsys)
    assert "nothing is left to recover from" in check_said(["recover", str(run)], capsys)


@pytest.mark.parametrize("act", HOSTILE.values(), ids=HOSTILE)
def test_recovery_of_a_hostile_record_ends_in_a_sentence_and_what_it_makes_is_sound(run, act, capsys):
    with closing(sqlite3.connect(run / "record.sqlite", isolation_level=None)) as db:
        act(db)
    code = main.main(["recover", str(run)])
    said = capsys.readouterr()
    assert (said.out + said.err).count("\n") == 1
    if code == 0:
        with Record.open(run) as record:
            assert record.last_seq() <= 2
    else:
        assert said.err.startswith("error: ")


ABSURD = {
    "overlap": "abc",
    "retrain_every": -1,
    "seed": 10**30,
    "strategy": 5,
    "show_suggestions": "no",
    "source": [1],
    "resolve": {},
}


@pytest.mark.parametrize(("name", "value"), ABSURD.items())
def test_absurd_settings_are_refused_by_name(run, name, value, capsys):
    with closing(sqlite3.connect(run / "record.sqlite", isolation_level=None)) as db:
        settings(db, settings={**FACTS, name: value})
    (run / "events.jsonl").unlink(missing_ok=True)
    for command in ("label", "annotate"):
        assert name in check_said(commands(run)[command], capsys)


@pytest.mark.parametrize("config", [None, 5, [], {"data": 5, "oracle": "simulated"}, {"nonsense": 1}])
def test_absurd_settings_of_a_run_are_refused_at_resume(run, config, capsys):
    with closing(sqlite3.connect(run / "record.sqlite", isolation_level=None)) as db:
        settings(db, settings={**FACTS, "config": config})
    (run / "events.jsonl").unlink(missing_ok=True)
    assert "its settings are none of a run that lit-al train began" in check_said(commands(run)["resume"], capsys)


@pytest.mark.parametrize(("table", "column"), [("model", "facts"), ("state", "value"), ("ranking", "probabilities")])
@pytest.mark.parametrize("content", ["", "5", "[]", "{", '{"a": "b"}', "[" * 100_000])
def test_bookkeeping_that_cannot_be_read_is_named_and_loses_no_answer(run, table, column, content):
    from lit_al.exceptions import DamagedError

    with Record.open(run) as record:
        with record.transaction() as db:
            db.execute("INSERT INTO generation VALUES (1, NULL, 's', 0, 1, 'now')")
            if table == "model":
                db.execute("INSERT INTO model VALUES (1, 'p', 's', 0, 0, ?, 'now')", (content,))
            elif table == "state":
                db.execute("INSERT OR REPLACE INTO state VALUES ('trainer', ?, 'now')", (content,))
            else:
                db.execute("INSERT INTO ranking VALUES (1, 0, 1, 0.5, '', ?, 0)", (content,))
        read = {"model": record.newest_model, "state": lambda: record.state("trainer"),
                "ranking": lambda: record.ranked(1)}[table]  # fmt: skip
        if content.startswith('{"') and table != "ranking":
            read()
        else:
            with pytest.raises(DamagedError, match="is no"):
                read()
        assert record.labels() == {1: "good"}
