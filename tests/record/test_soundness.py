"""One flipped bit, a damaged mirror, a lost file: found at a start, mended by `recover` from whatever copy is sound."""

import json
import random
import shutil
import sqlite3
from contextlib import closing

import pytest

from lit_al.cli import main
from lit_al.exceptions import DamagedError, StoreError
from lit_al.record import Action, Item, NewEvent, Record, checksums, recover, schema, sha256_of

SAID = {1: "good", 2: "bad", 3: "good"}


def label(uuid, item=1, name="good", annotator="ann"):
    return NewEvent(uuid, item, annotator, Action.LABEL, label=name)


@pytest.fixture
def run(record):
    """The folder of a closed record: a backup, two events since, all copies as they should be."""
    record.add_annotator("ann")
    record.add_annotator("bob")
    record.append(label("a", 1))
    record.backup()
    record.append_all([label("b", 2, "bad"), label("c", 3)])
    record.close()
    with Record.open(record.path):
        pass
    return record.path.parent


def labels(run):
    with Record.open(run) as record:
        return record.labels()


def mended(run):
    with Record.open(run) as record:
        return record.mended


def alter(path, statement, *values):
    """Change a file as no program of ours can: past the triggers, without a trace in its pages."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        db.execute(statement, values)
        for _, sql in triggers:
            db.execute(sql)


def flip(path, needle, bit=1):
    """Flip one bit of the first byte of the last place where something stands in a file."""
    content = bytearray(path.read_bytes())
    place = content.rindex(needle)
    content[place] ^= bit
    path.write_bytes(content)


# --- The mirror -------------------------------------------------------------------------------------------------------

WHOLE = b'{"a": "line that is no event"}'
LAST_LINES = {
    "blank": b"\n",
    "spaces": b"   \n",
    "half a line": b'{"uuid": "x", "item": 1',
    "a number": b"5\n",
    "a list": b"[]\n",
    "a string": b'"seq"\n',
    "a number alone": b'{"seq": 99999}\n',
    "a seq of letters": b'{"seq": "abc"}\n',
    "no seq": b'{"seq": null}\n',
    "Latin-1": '{"note": "é"}\n'.encode("latin-1"),
    "NULs": bytes(512),
    "half a surrogate pair": b'{"uuid": "x", "note": "\\ud800"}\n',
    "deep": b"[" * 100_000 + b"\n",
    "another program's": b'{"a": "line that is no event"}\n',
}


def whole_event(run, **more):
    """The last line of a mirror, with other values."""
    last = (run / "events.jsonl").read_bytes().splitlines()[-1]
    return json.dumps({**json.loads(last), **more}).encode() + b"\n"


@pytest.mark.parametrize("line", LAST_LINES.values(), ids=LAST_LINES)
@pytest.mark.parametrize("replaced", [True, False], ids=["instead", "after"])
def test_a_damaged_last_line_of_the_mirror_stops_nothing_and_is_kept_aside(run, line, replaced):
    mirror = run / "events.jsonl"
    sound = mirror.read_bytes()
    lines = sound.splitlines(keepends=True)
    mirror.write_bytes(b"".join(lines[:-1] if replaced else lines) + line)
    damaged = mirror.read_bytes()
    with Record.open(run) as record:
        [note] = record.mended
        assert note.startswith("events.jsonl was damaged (")
        assert record.labels() == SAID
        record.append(label("d", 4))
    assert mirror.read_bytes().startswith(sound)
    [aside] = run.glob("events.damaged-*.jsonl")
    assert aside.read_bytes() == damaged
    assert aside.name in note
    assert mended(run) == ()


@pytest.mark.parametrize("line", LAST_LINES.values(), ids=LAST_LINES)
def test_a_line_damaged_while_people_label_stops_no_answer_and_is_told(run, line):
    with Record.open(run) as record:
        record.append(label("d", 4))
        with (run / "events.jsonl").open("ab") as file:
            file.write(line)
        record.append(label("e", 5))
        assert record.copies.startswith("events.jsonl was damaged (")
        record.append(label("f", 6))
    assert labels(run) == SAID | {4: "good", 5: "good", 6: "good"}
    assert len((run / "events.jsonl").read_text().splitlines()) == 7


def test_a_last_line_changed_under_a_running_record_is_seen_at_the_next_answer(run):
    with Record.open(run) as record:
        record.append(label("d", 4))
        flip(run / "events.jsonl", b"good")
        record.append(label("e", 5))
        assert "is not as it was written" in record.copies
    assert mended(run) == ()


@pytest.mark.parametrize("damage", ["repeated", "changed", "out of order", "left out", "no head", "of another run"])
def test_a_mirror_that_says_something_else_is_written_anew(run, damage):
    mirror = run / "events.jsonl"
    sound = mirror.read_bytes()
    head, first, second, third = sound.splitlines(keepends=True)
    mirror.write_bytes(b"".join({
        "repeated": [head, first, second, second, third],
        "changed": [head, first, second.replace(b'"bad"', b'"odd"'), third],
        "out of order": [head, second, first, third],
        "left out": [head, first, third],
        "no head": [first, second, third],
        "of another run": [head.replace(b'"run_id": "', b'"run_id": "0'), first, second, third],
    }[damage]))  # fmt: skip
    assert len(mended(run)) == 1
    assert mirror.read_bytes() == sound
    assert labels(run) == SAID


def test_half_a_line_as_a_kill_leaves_it_is_made_whole_without_a_word(run):
    mirror = run / "events.jsonl"
    sound = mirror.read_bytes()
    mirror.write_bytes(sound[:-40])
    assert mended(run) == ()
    assert mirror.read_bytes() == sound


def test_a_mirror_that_is_gone_or_empty_is_written_without_a_word(run):
    mirror = run / "events.jsonl"
    sound = mirror.read_bytes()
    mirror.unlink()
    assert mended(run) == ()
    mirror.write_bytes(b"")
    assert mended(run) == ()
    assert mirror.read_bytes() == sound


def test_two_processes_write_one_mirror(run):
    with Record.open(run) as one, Record.open(run) as other:
        for number in range(4):
            (one, other)[number % 2].append(label(f"n{number}", 4 + number))
        assert (one.copies, other.copies) == ("", "")
    assert mended(run) == ()


def test_a_damaged_copy_of_the_texts_is_written_anew(run):
    copy = run / "texts.jsonl"
    sound = copy.read_bytes()
    flip(copy, b"text 3")
    [note] = mended(run)
    assert note.startswith("texts.jsonl was damaged")
    assert copy.read_bytes() == sound


# --- Flipped bits -----------------------------------------------------------------------------------------------------

FLIPS = {
    "a label": ("UPDATE event SET label = 'odd' WHERE seq = 2", "event 2 (text 2, by 'ann') is not as it was written"),
    "a label that is none": ("UPDATE event SET label = 'bae' WHERE seq = 2", "event 2 (text 2"),
    "an annotator of an event": ("UPDATE event SET annotator = 'bob' WHERE seq = 3", "event 3 (text 3, by 'bob')"),
    "a text of an event": ("UPDATE event SET item = 7 WHERE seq = 1", "event 1 (text 7"),
    "a flag": ("UPDATE event SET control = 2 WHERE seq = 3", "event 3"),
    "a checksum": ("UPDATE event SET checksum = 'x' || substr(checksum, 2) WHERE seq = 2", "event 2"),
    "the last checksum": ("UPDATE event SET checksum = '' WHERE seq = 3", "event 3"),
    "a text": ("UPDATE item SET text = 'tezt 5' WHERE id = 5", "text 5 is not as it was written"),
    "a text's sha256": ("UPDATE item SET sha256 = 'f' || substr(sha256, 2) WHERE id = 5", "text 5"),
    "a text's place": ("UPDATE item SET place = place + 1 WHERE id = 5", "text 5"),
    "a text that is gone": ("UPDATE item SET text = NULL WHERE id = 5", "text 5"),
    "a text that is no UTF-8": ("UPDATE item SET text = CAST(X'74E978' AS TEXT) WHERE id = 5", "text 5"),
    "an annotator": ("UPDATE annotator SET removed = 'now' WHERE name = 'bob'", "the annotator 'bob'"),
    "a label's name": ('UPDATE meta SET value = \'["bad", "gold", "odd"]\' WHERE key = \'classes\'', "settings"),
    "the run's id": ("UPDATE meta SET value = '\"no\"' WHERE key = 'run_id'", "id or its labels are none"),
    "a row that is gone": ("DELETE FROM event WHERE seq = 2", "event 3"),
}


def test_texts_that_an_earlier_version_placed_otherwise_are_recovered(run):
    with Record.open(run) as record:
        rows = [{**row, "place": row["id"]} for row in record.db.execute("SELECT * FROM item").fetchall()]
    for row in rows:
        alter(
            run / "record.sqlite",
            "UPDATE item SET place = id, checksum = ? WHERE id = ?",
            checksums.of_text(row),
            row["id"],
        )
    for name in ("record.backup.sqlite", "texts.jsonl"):
        (run / name).unlink()
    alter(run / "record.sqlite", "UPDATE annotator SET removed = 'now' WHERE name = 'bob'")  # damage elsewhere
    recover(run)
    with Record.open(run) as record:
        assert [item.text for item in record.items()] == [f"text {number}" for number in range(10)]


def said_by(act):
    with pytest.raises(DamagedError) as raised:
        act()
    return str(raised.value)


@pytest.mark.parametrize(("statement", "words"), FLIPS.values(), ids=FLIPS)
def test_a_flipped_bit_in_the_record_is_found_at_start_named_and_mended(run, statement, words, capsys):
    with Record.open(run) as record:
        everything = list(record.events()), list(record.items()), record.annotators(), record.classes
    alter(run / "record.sqlite", statement)
    before = (run / "record.sqlite").read_bytes()
    said = said_by(lambda: Record.open(run))
    assert words in said
    assert said.endswith(f"run: lit-al recover {run}")
    assert (run / "record.sqlite").read_bytes() == before
    assert main.main(["recover", str(run)]) == 0
    assert "3 events are on record again" in capsys.readouterr().out
    with Record.open(run) as record:
        assert (list(record.events()), list(record.items()), record.annotators(), record.classes) == everything
        assert record.append(label("d", 4)).seq == 4
    assert "nothing was done" in str(recover(run))


@pytest.mark.parametrize("needle", [b"CREATE TABLE model", b"CREATE VIEW answer", b"TABLE item("])
@pytest.mark.parametrize("copy", ["record.sqlite", "record.backup.sqlite"])
def test_a_name_that_is_no_utf_8_any_more_is_damage_like_any_other(run, copy, needle):
    flip(run / copy, needle, 0x80)
    if copy == "record.sqlite":
        assert "lit-al recover" in said_by(lambda: Record.open(run))
    recover(run)
    assert labels(run) == SAID
    assert "nothing was done" in str(recover(run))


def test_what_was_mended_is_named(run):
    alter(run / "record.sqlite", FLIPS["a label"][0])
    alter(run / "record.sqlite", FLIPS["a text"][0])
    said = str(recover(run))
    assert "event 2 (text 2, by 'ann') was damaged in record.sqlite and is that of events.jsonl" in said
    assert "text 5 was damaged in record.sqlite and is that of record.backup.sqlite" in said


@pytest.mark.parametrize("copy", ["record.sqlite", "events.jsonl", "texts.jsonl", "record.backup.sqlite"])
def test_any_flipped_bit_in_any_copy_costs_nothing(run, copy, tmp_path_factory):
    """Bits at random places: after `recover` everything is as it was."""
    with Record.open(run) as record:
        everything = list(record.events()), list(record.items()), record.annotators(), record.classes
    rng = random.Random(copy)
    for number in range(12):
        other = tmp_path_factory.mktemp("run") / str(number)
        shutil.copytree(run, other)
        content = bytearray((other / copy).read_bytes())
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        (other / copy).write_bytes(content)
        recover(other)
        with Record.open(other) as record:
            assert (list(record.events()), list(record.items()), record.annotators(), record.classes) == everything


def test_a_label_that_no_copy_proves_is_left_out_and_named_and_asked_again(run):
    for name in ("record.backup.sqlite", "events.jsonl"):
        (run / name).unlink()
    alter(run / "record.sqlite", FLIPS["a label"][0])
    assert "sound in no copy, and left out: event 2 (text 2, by 'ann')" in str(recover(run))
    assert labels(run) == {1: "good", 3: "good"}
    with Record.open(run) as record:
        assert record.append(label("b", 2, "bad")).seq == 3


def test_an_answer_that_is_lost_takes_its_undo_along(record):
    record.append_all([label("a"), label("b", 1, "bad"), NewEvent("u", 1, "ann", Action.UNDO, undoes="b")])
    record.close()
    alter(record.path, "UPDATE event SET label = 'odd' WHERE uuid = 'b'")
    record.path.with_name("events.jsonl").unlink()
    recover(record.path.parent)
    assert labels(record.path.parent) == {1: "good"}


def test_a_text_that_no_copy_has_keeps_its_answer_and_comes_back_with_the_data(run):
    (run / "texts.jsonl").unlink()
    (run / "record.backup.sqlite").unlink()
    alter(run / "record.sqlite", "UPDATE item SET text = 'tezt 3' WHERE id = 3")
    assert "the words of text 3" in str(recover(run))
    with Record.open(run) as record:
        assert (record.labels(), record.item(3).text, record.count_texts()) == (SAID, None, 9)
        with pytest.raises(StoreError, match="was another one"):
            record.add_items([Item(3, sha256_of("other"), "other")])
        assert record.add_items([Item(3, sha256_of("text 3"), "text 3")]) == 1
    with Record.open(run) as record:
        assert record.item(3).text == "text 3"


# --- What is left -----------------------------------------------------------------------------------------------------

COPIES = {
    "the mirrors alone": ["events.jsonl", "texts.jsonl"],
    "the backup alone": ["record.backup.sqlite"],
    "the record alone": ["record.sqlite"],
    "backup and mirror": ["record.backup.sqlite", "events.jsonl"],
}


@pytest.mark.parametrize("left", COPIES.values(), ids=COPIES)
def test_recovery_needs_one_copy_alone(run, left, capsys):
    with Record.open(run) as record:
        run_id, texts = record.run_id, list(record.items())
    for path in run.iterdir():
        if path.name not in left:
            path.unlink()
    if "record.sqlite" not in left:
        with pytest.raises(StoreError, match=rf"there is no record .* beside it; run: lit-al recover {run}"):
            Record.open(run)
    assert main.main(["recover", str(run)]) == 0
    said = capsys.readouterr().out
    expected = SAID if left != ["record.backup.sqlite"] else {1: "good"}
    with Record.open(run) as record:
        assert (record.labels(), record.run_id, list(record.items())) == (expected, run_id, texts)
        assert f"{len(expected)} events" in said
        assert record.classes == ("bad", "good", "odd")
        assert record.guidelines == "Read it."


def test_recovery_from_the_events_alone_keeps_the_answers_and_waits_for_the_texts(run):
    for path in run.iterdir():
        if path.name != "events.jsonl":
            path.unlink()
    assert "the words of text 1, 2, 3" in str(recover(run))
    with Record.open(run) as record:
        assert record.labels() == SAID
        record.add_items(Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(10))
        assert record.count_texts() == 10


def test_recovery_passes_over_repeated_and_broken_lines(run):
    (run / "record.sqlite").unlink()
    mirror = run / "events.jsonl"
    head, *events = mirror.read_bytes().splitlines(keepends=True)
    mirror.write_bytes(b"".join([head, events[0], b"[]\n", *events, *events, *LAST_LINES.values()]))
    recover(run)
    assert labels(run) == SAID


def test_recovery_of_nothing_says_what_is_missing(tmp_path):
    with pytest.raises(StoreError, match=r"nothing is left to recover from: .* has no record.sqlite"):
        recover(tmp_path)


def test_events_that_only_a_mirror_has_are_not_thrown_away(run):
    """A record that was put back and labeled on is no longer the one that the mirror is of."""
    shutil.copy(run / "record.backup.sqlite", run / "record.sqlite")
    mirror = (run / "events.jsonl").read_bytes()
    (run / "events.jsonl").unlink()
    with Record.open(run) as record:
        record.append(label("other", 5))
    (run / "events.jsonl").write_bytes(mirror)
    assert "lacks 2 events that events.jsonl holds" in said_by(lambda: Record.open(run))
    recover(run)
    assert labels(run) == SAID | {5: "good"}


def test_a_start_and_a_recovery_find_the_same_of_a_damaged_backup(run):
    flip(run / "record.backup.sqlite", b"text 5")
    assert "record.backup.sqlite was damaged and is written anew" in str(recover(run))
    with Record.open(run / "record.backup.sqlite") as backup:
        assert backup.labels() == SAID
    assert "nothing was done" in str(recover(run))


# --- Records of before there were checksums ---------------------------------------------------------------------------


@pytest.fixture
def old(run):
    """The same run as the first version would have left it."""
    with Record.open(run) as record:
        facts, events = record.mirror.head, list(record.events())
    for name in ("record.sqlite", "record.backup.sqlite"):
        later = run / f"later-{name}"
        (run / name).rename(later)
        with closing(sqlite3.connect(run / name, isolation_level=None)) as db:
            schema.run(db, schema.TABLES)
            db.execute(f"PRAGMA application_id = {schema.APPLICATION}")
            db.execute("PRAGMA user_version = 1")
            db.execute("ATTACH ? AS later", (str(later),))
            for table in ("meta", "item", "annotator", "event"):
                columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
                db.execute(f"INSERT INTO {table} SELECT {columns} FROM later.{table}")
            db.execute("DELETE FROM meta WHERE key = 'checksum'")
            db.execute("DETACH later")
        later.unlink()
    head = {"schema": 1, "run_id": facts["run_id"], "classes": facts["classes"]}
    lines = [head, *({key: value for key, value in vars(event).items() if key != "checksum"} for event in events)]
    (run / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run / "texts.jsonl").unlink()
    return run


def test_a_record_of_the_first_version_is_brought_up_and_keeps_its_answers(old):
    with Record.open(old) as record:
        assert record.mended == ()
        assert record.labels() == SAID
        assert all(event.checksum for event in record.events())
        assert record.append(label("d", 4)).seq == 4
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            record.db.execute("UPDATE event SET checksum = 'x'")
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            record.db.execute("UPDATE event SET label = 'bad'")
    assert json.loads((old / "events.jsonl").read_text().splitlines()[0])["schema"] == 2
    assert mended(old) == ()


def test_a_record_is_copied_before_it_is_brought_up(old):
    Record.open(old).close()
    with closing(sqlite3.connect(old / "record.version-1.sqlite")) as kept:
        assert kept.execute("PRAGMA user_version").fetchone()[0] == 1
        assert dict(kept.execute("SELECT item, label FROM event WHERE label IS NOT NULL")) == SAID


def test_a_brought_up_record_has_the_tables_of_a_new_one(old, tmp_path):
    Record.open(old).close()
    Record.create(tmp_path / "new.sqlite", ["a", "b"]).close()
    found = []
    for path in (old / "record.sqlite", tmp_path / "new.sqlite"):
        with closing(sqlite3.connect(path)) as db:
            found.append(schema.objects(db))
    assert found[0] == found[1]


def test_a_label_flipped_before_the_upgrade_is_not_given_a_checksum(old):
    alter(old / "record.sqlite", "UPDATE event SET label = 'odd' WHERE seq = 1")
    assert "event 1 (text 1, by 'ann') reads otherwise in events.jsonl" in said_by(lambda: Record.open(old))
    recover(old)  # backup and mirror agree
    assert labels(old) == SAID


def test_a_label_that_two_old_copies_dispute_is_named(old):
    (old / "record.backup.sqlite").unlink()
    alter(old / "record.sqlite", "UPDATE event SET label = 'odd' WHERE seq = 1")
    said = str(recover(old))
    assert "event 1 (text 1, by 'ann') is 'odd' by record.sqlite and 'good' by events.jsonl" in said


@pytest.mark.parametrize("left", ["record.sqlite", "record.backup.sqlite", "events.jsonl"])
def test_one_old_copy_is_enough(old, left):
    for path in old.iterdir():
        if path.name != left:
            path.unlink()
    recover(old)
    assert labels(old) == (SAID if left != "record.backup.sqlite" else {1: "good"})


def test_an_old_backup_is_proven_by_the_checksums_of_the_record(old):
    Record.open(old).close()
    (old / "events.jsonl").unlink()
    (old / "texts.jsonl").unlink()
    alter(old / "record.sqlite", "UPDATE event SET label = 'odd' WHERE seq = 1")
    alter(old / "record.sqlite", "UPDATE item SET text = 'tezt 5' WHERE id = 5")
    recover(old)
    with Record.open(old) as record:
        assert (record.labels(), record.item(5).text) == (SAID, "text 5")
