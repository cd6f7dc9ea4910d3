"""Runs that are killed at any moment and gone on with, against one that never was."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from lit_al.cli import main
from lit_al.exceptions import DataError, StoreError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.explain import explain
from lit_al.experiment.fit_options import FitOptions
from lit_al.experiment.journal import RUN, Journal
from lit_al.experiment.labels_there import labels_there
from lit_al.experiment.lean_session import LeanSession
from lit_al.experiment.resume import Resume
from lit_al.experiment.session import resume, run
from lit_al.models.checkpoint import loaded
from lit_al.record import OwnerLock, Record, recover

ROOT = Path(__file__).parents[2]
TIMES = {
    "seconds", "wall_seconds", "train_samples_per_second", "peak_memory_mb", "checkpoint", "fit_seconds",
    "validate_seconds", "score_seconds", "select_seconds",
}  # fmt: skip
SMALL = TrainConfig(data="demo", demo_rows=300, max_length=60, accelerator="cpu")
LEAN = replace(
    SMALL, protocol="lean", recipe="scratch", initial_size=30, query_size=10, rounds=2, steps=4, weights="warm",
    strategy="margin+subsample:50+random:0.3", oracle_noise="0.1", oracle_skip=0.1, price_per_label=0.3,
    validation="holdout:0.2",
)  # fmt: skip
KERAS = replace(
    SMALL, max_epochs=2, query_size=20, rounds=2, batch_size=32, strategy="committee-vote+subsample:60+random:0.2",
    committee_size=2,
)  # fmt: skip
RUNS = {
    "lean": LEAN,
    "lean-cross": replace(LEAN, validation="cross:3", weights="fresh", strategy="badge+balanced+random:0.2"),
    "lean-recipe": replace(LEAN, recipe="lean", study_steps=4, validation="none"),
    "keras": KERAS,
    "honest": replace(KERAS, protocol="honest", strategy="ratio"),
    "full": replace(KERAS, mode="full", strategy=None),
    "compare": replace(KERAS, mode="compare"),
}
PLACES = (
    "before_questions:2", "after_questions:2", "after_labels:2", "in_fit:3", "before_round_state:2",
    "after_round_state:2", "after_round_state:3", "before_replace:3", "before_commit:1", "after_commit:2",
)  # fmt: skip


def options(config):
    """The command line of settings."""
    given = {name: value for name, value in vars(config).items() if value != getattr(TrainConfig(), name)}
    return [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]


def started(config, **environment):
    command = [sys.executable, "scripts/train.py", *options(config)]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1", **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def go_on(folder, **more):
    console = Console(record=True, width=160, file=(folder.parent / "console.txt").open("a"))
    try:
        return resume(Resume(folder, **more), console), console.export_text()
    finally:
        console.file.close()


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if key not in TIMES}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def outcome(folder):
    """All that may depend on where a run was killed, and must not."""
    parts = [folder / part for part in ("full", "active") if (folder / part).is_dir()]
    picks = [path.read_text() for path in sorted(folder.rglob("picks.jsonl"))]
    answers = []
    for part in parts or [folder]:
        with Record.open(part) as record:
            answers.append([(event.item, event.action, event.label, event.round) for event in record.events()])
    return without_times(json.loads((folder / "results.json").read_text())), picks, answers


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Here and in other processes: how many threads share a sum decides its last bit, and that the next text."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folders of runs that nobody cut off, each made when it is first asked for."""
    folders = {}

    def made(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp("whole") / name
            process = started(replace(RUNS[name], log_dir=str(folders[name].parent), name=name))
            printed = process.communicate(timeout=300)[0]
            assert process.returncode == 0, printed
        return folders[name]

    return made


def killed_and_resumed(name, place, whole, tmp_path):
    process = started(replace(RUNS[name], log_dir=str(tmp_path), name="run"), LIT_AL_CRASH_AT=place)
    printed = process.communicate(timeout=300)[0]
    if process.returncode == 0:
        pytest.skip(f"{name} never comes to {place}")
    assert process.returncode == -signal.SIGKILL, printed
    resumed = subprocess.run(
        [sys.executable, "scripts/train.py", "--resume", str(tmp_path / "run")], cwd=ROOT, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert resumed.returncode == 0, resumed.stderr
    assert outcome(tmp_path / "run") == outcome(whole(name))


def test_lean_run_killed_in_a_fit_ends_as_one_that_never_was(whole, tmp_path):
    killed_and_resumed("lean", "in_fit:6", whole, tmp_path)


def test_keras_run_killed_after_an_answer_ends_as_one_that_never_was(whole, tmp_path):
    killed_and_resumed("keras", "after_labels:2", whole, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", RUNS)
def test_run_killed_anywhere_ends_as_one_that_never_was(name, place, whole, tmp_path):
    killed_and_resumed(name, place, whole, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lean", "keras"])
def test_run_killed_again_and_again_ends_as_one_that_never_was(name, whole, tmp_path):
    process = started(replace(RUNS[name], log_dir=str(tmp_path), name="run"), LIT_AL_CRASH_AT="after_questions")
    process.communicate(timeout=300)
    command = [sys.executable, "scripts/train.py", "--resume", str(tmp_path / "run")]
    for place in ("in_fit:2", "before_round_state", "after_round_state", "after_labels", "in_fit"):
        environment = {**os.environ, "LIT_AL_CRASH_AT": place}
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=300, check=False)
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300, check=False).returncode == 0
    assert outcome(tmp_path / "run") == outcome(whole(name))


# --- States that are damaged ------------------------------------------------------------------------------------------


def unfinished(folder, tmp_path):
    """A copy of a finished run that takes itself for one which has to be ended yet."""
    copy = tmp_path / "run"
    subprocess.run(["cp", "-r", folder, copy], check=True)
    with Record.open(copy) as record:
        record.set_state(RUN, {"finished": False})
    return copy


def truncate(path):
    path.write_bytes(path.read_bytes()[:1_000])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def reshape(path):
    change(path, lambda weight: weight[..., :-1].clone())


def spoil(path):
    change(path, lambda weight: torch.full_like(weight, torch.nan))


def change(path, how):
    state = loaded(path.read_bytes(), path)
    model = state.get("model") or state["loop"]["method"]["model"]
    name = next(name for name, weight in model.items() if weight.is_floating_point())
    model[name] = how(model[name])
    torch.save(state, path)
    vouch(path)


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("canary"),))


def arm(path):
    torch.save({"loop": Bomb(), "model": Bomb()}, path)
    vouch(path)


def changed(path, change):
    state = loaded(path.read_bytes(), path)
    change(state)
    torch.save(state, path)
    vouch(path)


def craft_rows(path):
    changed(path, lambda state: state["loop"]["states"][0].update(pool=torch.tensor([10**12])))


def craft_answers(path):
    changed(path, lambda state: state["loop"]["states"][0].update(answers=torch.tensor([99])))


def craft_rounds(path):
    changed(path, lambda state: state["loop"].update(done=10**9))


def craft_course(path):
    changed(path, lambda state: state["course"].update(rounds=[]))


def craft_kinds(path):
    changed(path, lambda state: state.update(loop=[{"a": None}], monitor=7))


CRAFTED = [craft_rows, craft_answers, craft_rounds, craft_course, craft_kinds]


def vouch(path):
    """Somebody has changed the record as well."""
    with Record.open(path.parents[1]) as record:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        record.end_round(int(path.stem.split("-")[1]), {"sha256": digest})


@pytest.mark.parametrize("damage", [truncate, flip, empty, reshape, spoil, arm, Path.unlink, *CRAFTED])
def test_damaged_state_is_named_and_the_one_before_it_taken(damage, whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = unfinished(whole("lean"), tmp_path)
    assert sorted(path.name for path in (folder / "state").iterdir()) == ["round-1.pt", "round-2.pt"]
    damage(folder / "state" / "round-2.pt")
    _, printed = go_on(folder)
    assert "the state after round 2 is of no use and passed over: " in printed
    assert "going on after round 1" in printed
    assert outcome(folder) == outcome(whole("lean"))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("value", [None, [], {"protocol": "lean", "rounds": "many"}, {"protocol": "sideways"}])
def test_crafted_settings_are_refused_in_one_sentence(value, whole, tmp_path, capsys):
    folder = unfinished(whole("lean"), tmp_path)
    with closing(sqlite3.connect(folder / "record.sqlite")) as record, record:
        settings = json.loads(record.execute("SELECT value FROM meta WHERE key = 'settings'").fetchone()[0])
        changed = json.dumps({**settings, "config": value})
        record.execute("UPDATE meta SET value = ? WHERE key = 'settings'", [changed])
    assert main.main(["train", "--resume", str(folder)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1


def test_without_any_sound_state_a_run_begins_again_from_its_labels(whole, tmp_path):
    folder = unfinished(whole("lean"), tmp_path)
    reshape(folder / "state" / "round-2.pt")
    flip(folder / "state" / "round-1.pt")
    _, printed = go_on(folder)
    assert "going on" not in printed
    assert outcome(folder) == outcome(whole("lean"))  # with the same answers, each of them bought once


@pytest.mark.parametrize("damage", [flip, spoil])
def test_damaged_state_of_the_example_is_passed_over_too(damage, whole, tmp_path):
    folder = unfinished(whole("keras"), tmp_path)
    damage(folder / "state" / "round-3.pt")
    _, printed = go_on(folder)
    assert "the state after round 3 is of no use and passed over: " in printed
    assert outcome(folder) == outcome(whole("keras"))


def test_lost_record_is_recovered_and_the_run_ends_as_it_would_have(whole, tmp_path):
    folder = unfinished(whole("lean"), tmp_path)
    (folder / "record.sqlite").write_bytes(b"not a database")
    with pytest.raises(StoreError, match=f"run: lit-al recover {folder}"):
        go_on(folder)
    recover(folder)
    go_on(folder)
    assert outcome(folder) == outcome(whole("lean"))


def test_vectors_that_changed_since_the_run_began_are_refused(tmp_path, capsys, monkeypatch):
    def kept_and_stopped(self, number):
        keep(self, number)
        raise KeyboardInterrupt

    keep = LeanSession.keep
    vectors = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    file = tmp_path / "vectors.npy"
    np.save(file, vectors)
    config = replace(
        LEAN, embeddings=str(file), validation="none", strategy="random", log_dir=str(tmp_path), name="run"
    )
    with monkeypatch.context() as patch:
        patch.setattr(LeanSession, "keep", kept_and_stopped)
        with pytest.raises(KeyboardInterrupt):
            run(config, Console(quiet=True))
    np.save(file, vectors[::-1])
    assert main.main(["train", "--resume", str(tmp_path / "run")]) == 2
    printed = capsys.readouterr().err
    assert f"the vectors in {file} have changed since the run began" in printed
    assert printed.count("\n") == 1
    np.save(file, vectors)
    found, _ = go_on(tmp_path / "run")
    assert found["status"] == "finished"


# --- Orders -----------------------------------------------------------------------------------------------------------


def test_finished_run_is_said_to_be_so(whole, capsys):
    before = (whole("lean") / "results.json").read_bytes()
    assert main.main(["train", "--resume", str(whole("lean"))]) == 0
    assert "is finished; there is nothing to go on with" in capsys.readouterr().out
    assert (whole("lean") / "results.json").read_bytes() == before
    found, printed = go_on(whole("lean"))
    assert found["status"] == "finished"
    assert "is finished" in printed


def test_run_in_use_is_left_alone_and_its_holder_named(whole, tmp_path, capsys):
    folder = unfinished(whole("lean"), tmp_path)
    with OwnerLock(folder, "a test"):
        assert main.main(["train", "--resume", str(folder)]) == 2
    printed = capsys.readouterr().err
    assert f"{folder} is in use by a test, process {os.getpid()}" in printed
    assert printed.count("\n") == 1


def test_run_of_a_version_that_drew_otherwise_is_refused(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("lit_al.experiment.journal.CHANCE", 1)
    Journal.begin(tmp_path, TrainConfig(data="demo").resolved(), corpus, print).record.close()
    monkeypatch.undo()
    with Journal.open(tmp_path, print) as journal, pytest.raises(DataError, match="earlier version of lit_al"):
        journal.take(corpus, np.arange(5))


@pytest.fixture
def of_a_file(make_corpus, tmp_path):
    """The lines of a file, its path, and the folder of a run that learned from it and is not finished."""
    path, corpus = tmp_path / "data.csv", make_corpus(200)
    lines = [f"{text},{corpus.classes[label]}" for text, label in zip(corpus.texts, corpus.labels, strict=True)]
    path.write_text("\n".join(["text,label", *lines]))
    with (tmp_path / "console.txt").open("w") as file:
        run(replace(LEAN, data=str(path), rounds=1, log_dir=str(tmp_path), name="first"), Console(file=file))
    folder = unfinished(tmp_path / "first", tmp_path)
    for state in (folder / "state").glob("*1.pt"):
        state.unlink()  # its round is learned again
    return lines, path, folder


def test_other_data_is_refused(of_a_file):
    lines, path, folder = of_a_file
    for other in ([*lines[:-1], "quite another text,positive"], lines[1:]):
        path.write_text("\n".join(["text,label", *other]))
        with pytest.raises(DataError, match=r"is not the data that .* began with .* put the old data back"):
            go_on(folder)


def test_rows_may_move_and_others_may_come_between_the_sittings_of_a_run(of_a_file, tmp_path):
    lines, path, folder = of_a_file
    path.write_text("\n".join(["text,label", "a text that nobody had,positive", *lines[::-1]]))
    go_on(folder)
    found, whole = outcome(folder), outcome(tmp_path / "first")
    assert found[0]["data"].pop("notes")[-1] == "rows of file data.csv that are not of this run: 1; they are left out"
    whole[0]["data"].pop("notes")
    assert found == whole
    picks = [json.loads(line) for line in (folder / "picks.jsonl").read_text().splitlines()]
    said = "\n".join(explain(folder))
    for pick in picks:
        text = lines[pick["row"]].rpartition(",")[0]
        assert pick["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert text[:30] in said
    there = labels_there(FitOptions(data=str(folder)))
    truth = dict(line.rsplit(",", 1) for line in lines)
    wrong = sum(truth[there.corpus.texts[row]] != there.corpus.classes[there.corpus.labels[row]] for row in there.rows)
    assert wrong < 0.3 * len(there.rows)  # as the oracle errs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seed=0"], "--seed cannot stand beside --resume, for a run goes on with the settings that it began with"),
        (["--stop", "budget:100"], "--stop cannot stand beside --resume"),
        (["--config", "x.yaml"], "--rounds cannot stand beside --resume"),
        (["--dry-run"], "--dry-run checks a file of answers; give it with --answers"),
        (["--answers", "a.csv"], "asks nobody, so that it takes no --answers"),
    ],
)
def test_what_cannot_stand_beside_resume_is_a_sentence(whole, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text("rounds: 3")
    folder = unfinished(whole("lean"), tmp_path)
    assert main.main(["train", "--resume", str(folder), *arguments]) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert printed.count("\n") == 1


def test_folder_without_a_run_is_a_sentence(tmp_path, capsys):
    for arguments, words in [
        (["--resume", str(tmp_path / "none")], "there is no folder"),
        (["--resume=none", "--log-dir", str(tmp_path)], f"there is no folder none or {tmp_path / 'none'}"),
        (["--resume", str(tmp_path)], "there is no record"),
        (["--resume"], "--resume: expected one argument"),
        (["--answers", "a.csv"], "--answers goes with --resume RUN"),
    ]:
        assert main.main(["train", *arguments]) == 2
        printed = capsys.readouterr().err
        assert words in printed
        assert printed.count("\n") == 1, printed


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (signal.SIGTERM, "lean"),
        pytest.param(signal.SIGTERM, "keras", marks=pytest.mark.slow),
        pytest.param(signal.SIGUSR1, "keras", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, "lean", marks=pytest.mark.slow),
    ],
)
def test_signal_ends_a_run_well_and_says_how_to_go_on(number, name, tmp_path):
    config = replace(RUNS[name], log_dir=str(tmp_path), name="run", max_epochs=20 if name == "lean" else 5_000)
    config = replace(config, rounds=20) if name == "lean" else replace(config, patience=5_000)
    process = started(config)
    for line in process.stdout:
        if "round 1 " in line or "epoch  3" in line:
            process.send_signal(number)
            break
    printed = process.communicate(timeout=120)[0]
    assert process.returncode == 128 + number, printed
    assert f"go on with: python scripts/train.py --resume {tmp_path / 'run'}" in printed
    assert "Traceback" not in printed
    assert json.loads((tmp_path / "run" / "results.json").read_text())["status"] == "interrupted"


@pytest.mark.slow
def test_second_ctrl_c_quits_at_once(tmp_path):
    process = started(replace(KERAS, log_dir=str(tmp_path), name="run", max_epochs=5_000, patience=5_000))
    for line in process.stdout:
        if "epoch  3" in line:
            break
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    printed = process.communicate()[0]
    assert process.returncode == 130, printed
