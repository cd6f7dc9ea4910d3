import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lit_al.cli import main
from lit_al.exceptions import StoreError
from lit_al.record import Action, Item, NewEvent, OwnerLock, Record, recover, schema, sha256_of
from lit_al.record.database import on_network


def label(uuid, item=1):
    return NewEvent(uuid, item, "ann", Action.LABEL, label="good")


def reopened(record):
    record.close()
    return Record.open(record.path)


def test_what_was_made_is_there_again(record):
    record.append(label("a"))
    with reopened(record) as again:
        assert again.run_id == record.run_id
        assert again.classes == ("bad", "good", "odd")
        assert again.guidelines == "Read it."
        assert again.labels() == {1: "good"}
        assert [item.text for item in again.items([3, 1])] == ["text 3", "text 1"]


def test_only_its_owner_can_read_it(record):
    record.append(label("a"))
    record.backup()
    for path in filter(Path.is_file, record.path.parent.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


@pytest.mark.parametrize("classes", [["one"], ["a", "a"], ["a", ""], ["a", " b"]])
def test_labels_that_cannot_be_told_apart_are_refused(tmp_path, classes):
    with pytest.raises(StoreError, match="label"):
        Record.create(tmp_path / "r.sqlite", classes)
    assert not list(tmp_path.glob("*.sqlite*"))


def test_a_record_is_never_made_over_another(record):
    with pytest.raises(StoreError, match="there already"):
        Record.create(record.path, ["a", "b"])


def test_a_known_text_is_passed_over_and_another_one_of_its_id_refused(record):
    assert record.add_items([Item(3, sha256_of("text 3"), "text 3"), Item(11, sha256_of("new"), "new")]) == 1
    with pytest.raises(StoreError, match=r"text 3 .* was another one"):
        record.add_items([Item(12, sha256_of("newer")), Item(3, sha256_of("edited"))])
    assert record.count_items() == 11


def test_texts_round_trip_to_the_byte(record):
    texts = ["a\0b", "\u202ertl", "👩‍👩‍👧 zwj", "é", "é", "x" * 10_000_000, "\r\n\ttab"]
    record.add_items(Item(100 + number, sha256_of(text), text) for number, text in enumerate(texts))
    assert [item.text for item in record.items(range(100, 100 + len(texts)))] == texts


def test_tokens_name_their_annotator_and_stay(record):
    token = record.add_annotator("ann")
    assert record.add_annotator("ann") == token
    assert record.annotator_of(token) == "ann"
    assert record.annotator_of(token[:-1]) is None
    record.remove_annotator("ann")
    assert record.annotator_of(token) is None


def fill(record):
    for number in range(10_000):
        record.append(NewEvent(f"n{number}", 1, "ann", Action.NOTE, note="x" * 1_000))


def test_a_full_disk_is_said_and_nothing_is_half_written(record):
    pages = record.db.execute("PRAGMA page_count").fetchone()[0]
    record.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"not saved: the disk .* is full"):
        fill(record)
    acknowledged = record.last_seq()
    record.db.execute("PRAGMA max_page_count = 1000000")
    record.append(label("after"))
    with reopened(record) as again:
        assert again.last_seq() == acknowledged + 1


def test_a_second_owner_is_told_who_the_first_is(tmp_path):
    with (
        OwnerLock(tmp_path, "labeling"),
        pytest.raises(StoreError, match=rf"labeling, process {os.getpid()} on .*stop"),
    ):
        OwnerLock(tmp_path, "training").__enter__()
    with OwnerLock(tmp_path, "training") as lock:
        assert "training" in lock.holder()


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    code = (
        "import sys, os, signal; from pathlib import Path; from lit_al.record import OwnerLock\n"
        "OwnerLock(Path(sys.argv[1]), 'gone').__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == -signal.SIGKILL
    with OwnerLock(tmp_path, "next"):
        pass


def test_a_backup_taken_during_writes_equals_some_committed_state(record, tmp_path):
    stop = threading.Event()

    def write():
        for number in range(100_000):
            if stop.is_set():
                return
            record.append_all([label(f"{number}-{item}", item) for item in range(10)])  # ten at once, always

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            with Record.open(record.backup(tmp_path / "copies" / f"{number}.sqlite")) as copy:
                assert copy.last_seq() % 10 == 0
    finally:
        stop.set()
        writer.join()


@pytest.fixture(autouse=True)
def copies(tmp_path):
    """A folder apart: a copy opened beside a mirror would be taken for a record that lost events."""
    (tmp_path / "copies").mkdir()


def damage(path, how):
    content = bytearray(path.read_bytes())
    if how == "truncated":
        content = content[: len(content) // 2]
    elif how == "empty":
        content = bytearray()
    elif how == "header":
        content[:100] = bytes(100)
    else:
        for place in range(4_096, len(content), 512):
            content[place] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["truncated", "empty", "header", "flipped"])
def test_a_damaged_record_is_refused_untouched_and_recovered(record, how):
    record.append_all([label(f"{item}", item) for item in range(4)])
    record.backup()
    record.append(label("since the backup", 7))
    record.close()
    damage(record.path, how)
    before = record.path.read_bytes()
    with pytest.raises(StoreError, match=r"damaged .* nothing was written to it, run: lit-al recover"):
        Record.open(record.path)
    assert record.path.read_bytes() == before
    found = recover(record.path.parent)
    assert (found.events, found.from_backup, found.from_mirror) == (5, 4, 1)
    assert (found.set_aside / "record.sqlite").read_bytes() == before
    with Record.open(record.path) as again:
        assert again.labels() == dict.fromkeys([0, 1, 2, 3, 7], "good")
        assert again.append(label("next", 8)).seq == 6


def test_a_record_that_lost_events_is_refused_and_recovered(record):
    record.append(label("a"))
    record.backup()
    record.append_all([label("b", 2), label("c", 3)])
    record.close()
    shutil.copy(record.path.with_name("record.backup.sqlite"), record.path)  # as after a lost write-ahead log
    with pytest.raises(StoreError, match=r"lacks 2 events that events.jsonl holds"):
        Record.open(record.path)
    assert recover(record.path.parent).from_mirror == 2


def test_a_sound_record_needs_no_recovery(record):
    record.append(label("a"))
    record.close()
    assert "nothing was done" in str(recover(record.path.parent))


def test_a_record_of_a_newer_version_asks_for_an_upgrade(record):
    record.db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    record.close()
    for attempt in (Record.open, lambda path: recover(path.parent)):
        with pytest.raises(StoreError, match="upgrade lit_al"):
            attempt(record.path)


def test_an_older_record_is_brought_up(record, monkeypatch):
    record.append(label("a"))
    record.close()
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setitem(
        schema.MIGRATIONS, schema.VERSION - 1, "CREATE TABLE later(x TEXT);\nINSERT INTO later VALUES (1);"
    )
    with Record.open(record.path) as again:
        assert again.db.execute("SELECT count(*) FROM later").fetchone()[0] == 1
        assert again.labels() == {1: "good"}
        assert again.db.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION


def test_a_version_that_nobody_knows_is_refused(record):
    record.db.execute("PRAGMA user_version = 0")
    record.close()
    with pytest.raises(StoreError, match="its version is 0"):
        Record.open(record.path)


def test_a_missing_record_is_named(tmp_path):
    with pytest.raises(StoreError, match="there is no record"):
        Record.open(tmp_path)


def test_half_a_line_of_the_mirror_is_made_good(record):
    record.append_all([label("a"), label("b", 2)])
    mirror = record.path.with_name("events.jsonl")
    whole = mirror.read_bytes()
    mirror.write_bytes(whole[:-40])
    record.append(label("c", 3))
    lines = mirror.read_bytes().splitlines()
    assert len(lines) == 4
    assert mirror.read_bytes().startswith(whole)


def test_a_mirror_that_cannot_be_written_loses_no_label(record):
    mirror = record.path.with_name("events.jsonl")
    mirror.mkdir()
    record.append(label("a"))
    assert "lags behind" in record.mirror_error
    mirror.rmdir()
    record.append(label("b", 2))
    assert record.mirror_error == ""
    assert len(mirror.read_text().splitlines()) == 3


def test_every_connection_syncs_every_commit(record):
    found = []
    thread = threading.Thread(
        target=lambda: found.extend(
            record.db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
        )
    )
    thread.start()
    thread.join()
    assert found == [2, "wal"]


def test_a_share_is_known_by_its_mount(tmp_path, monkeypatch):
    assert not on_network(tmp_path)
    mounts = f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n"
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_, **__: mounts)
    assert on_network(tmp_path / "run" / "record.sqlite")


def test_importing_the_record_imports_nothing_heavy():
    code = "import sys, lit_al.record; print([name for name in ('torch', 'numpy', 'lightning') if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_the_command_recovers_and_says_what_it_did(record, capsys):
    record.append(label("a"))
    record.backup()
    record.append(label("b", 2))
    record.close()
    damage(record.path, "header")
    assert main.main(["recover", str(record.path.parent)]) == 0
    assert "2 events are on record again: 1 of the last backup and 1 of events.jsonl" in capsys.readouterr().out
    assert main.main(["recover", str(record.path.parent)]) == 0
    assert "nothing was done" in capsys.readouterr().out


def test_the_command_names_a_folder_that_is_not_there(tmp_path, capsys):
    assert main.main(["recover", str(tmp_path / "x")]) == 2
    assert "there is no folder" in capsys.readouterr().err
