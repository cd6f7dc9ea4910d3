import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lit_al.annotate.heartbeat import DAMAGED, Pulse
from lit_al.annotate.model_store import Weights
from lit_al.annotate.trainer import Trainer, in_a_sentence
from lit_al.annotate.training_set import Snapshot
from lit_al.exceptions import DamagedError, FitError
from lit_al.loop.state import Judgment
from lit_al.models.checkpoint import load_model
from lit_al.record import ModelVersion, NewGeneration, OwnerLock
from lit_al.training.distillation import Student

CRASHES = ["in_fit", "before_checkpoint", "after_checkpoint", "before_ranking"]

TRAINING = "lit_al.training.step_training"


class Killed(BaseException):
    """Stands for kill -9: nobody catches it, nothing is tidied up."""


def make_trainer(run):
    return Trainer(run.folder, run.record, Pulse(run.record))


def turn(trainer):
    trainer.turn(trainer.record.last_seq())


def rankings(run):
    return [
        (generation.model_version, run.record.ranked(generation.id))
        for generation in {one.model_version: one for one in run.record.generations()}.values()
    ]


def same_models(run, other):
    ours, theirs = run.record.models(), other.record.models()
    assert [model.version for model in ours] == [model.version for model in theirs]
    for one, two in zip(ours, theirs, strict=True):
        assert {**one.facts, "seconds": 0} == {**two.facts, "seconds": 0}
    one, two = (load_model(each.folder / "checkpoints" / "best.ckpt").state_dict() for each in (run, other))
    return all(torch.equal(weight, two[name]) for name, weight in one.items())


def test_a_session_from_the_first_answer_on(make_run):
    run = make_run()
    trainer = make_trainer(run)
    turn(trainer)
    cold = run.record.newest_generation()
    assert (cold.model_version, cold.strategy, cold.n) == (None, "random", 60)
    assert run.state["detail"] == "needs labels of two classes; there are none yet"
    run.answer(4)
    turn(trainer)
    assert run.record.models() == []
    run.answer(4)
    turn(trainer)
    [model] = run.record.models()
    newest = run.record.newest_generation()
    assert (newest.model_version, newest.labels_seen, newest.n) == (1, 8, 52)
    assert (model.path, model.labels, model.labels_seen) == ("checkpoints/model-1.ckpt", 8, 8)
    assert (model.facts["estimate"], model.facts["estimate_needs"]) == (None, 10)
    assert model.facts["advice"]["text"].startswith(("keep labeling: ", "you may stop: "))
    assert model.facts["seconds"] > 0
    assert run.state["state"] == "ready"
    assert load_model(run.folder / "checkpoints" / "best.ckpt").classes == ("negative", "positive")
    run.answer(4)
    turn(trainer)
    assert "the next one after one more answer" in run.state["detail"]
    run.answer(1)
    turn(trainer)
    assert run.record.newest_model().version == 2
    assert {item.item for item in run.record.ranked(run.record.newest_generation().id)} <= set(run.ids)


def test_labels_of_one_class_make_no_model(make_run):
    run = make_run()
    for item in run.ids[:12:2]:
        run.say(item, "negative")
    turn(make_trainer(run))
    assert run.state["state"] == "waiting"
    assert run.state["detail"] == "needs labels of two classes; all 6 so far are 'negative'"
    assert run.record.newest_generation().model_version is None


def test_changed_and_undone_labels_count_as_answers(make_run):
    run = make_run()
    events = [run.say(item, run.truth(item)) for item in run.ids[:8]]
    trainer = make_trainer(run)
    turn(trainer)
    assert run.record.newest_model().labels == 8
    for item in run.ids[:3]:
        run.say(item, "positive")
    run.undo(events[4])
    for _ in range(5):  # minds changed back and forth are one change
        run.say(run.ids[0], "negative")
    turn(trainer)
    assert run.record.newest_model().version == 1
    run.say(run.ids[20], None)
    turn(trainer)
    assert (run.record.newest_model().version, run.record.newest_model().labels) == (2, 7)
    offered = {one.item for one in run.record.ranked(run.record.newest_generation().id)}
    assert run.ids[4] in offered
    assert run.ids[20] not in offered


def test_texts_that_lack_annotators_come_first(make_run):
    run = make_run(overlap=2)
    for item in run.ids[:8]:
        run.say(item, run.truth(item), "ann")
    for item in run.ids[:3]:
        run.say(item, run.truth(item), "bob")
    turn(make_trainer(run))
    ranked = run.record.ranked(run.record.newest_generation().id)
    assert [one.item for one in ranked[:5]] == run.ids[3:8]
    assert not any(one.control for one in ranked[:5])
    assert [queued.item.id for queued in run.record.next_items("bob", 3, overlap=2)[0]] == run.ids[3:6]


def test_controls_judge_the_model_that_had_not_learned_them(make_run):
    run = make_run(strategy="random")
    for item in run.ids[:8]:
        run.say(item, run.truth(item))
    for item in run.ids[20:26]:
        run.say(item, run.truth(item), predicted="negative", control=True, model_version=1)
    run.say(run.ids[26], run.truth(run.ids[26]), predicted=None, control=True)  # before there was a model
    run.say(run.ids[27], "positive", predicted="negative", control=False, model_version=1)
    for item in run.ids[28:33]:
        run.say(item, "positive", predicted="positive", control=True, model_version=2)
    run.say(run.ids[32], "negative", predicted="negative", control=True)  # a mind changed counts for the label alone
    run.say(run.ids[33], None, predicted="negative", control=True, model_version=2)
    first, second = Snapshot.of(run.record, run.ids).judgments
    right = sum(run.truth(item) == "negative" for item in run.ids[20:26])
    assert first == Judgment(1, len(run.ids) - 1 - 8, 6, right, 1, 0)
    assert second == Judgment(2, len(run.ids) - 1 - 16, 5, 4, 0, 0)
    turn(make_trainer(run))
    facts = run.record.newest_model().facts
    assert facts["estimate_needs"] == 0
    assert facts["estimate"]["rows"] == 11
    assert 0 < facts["estimate"]["low"] < facts["estimate"]["accuracy"] < facts["estimate"]["high"] < 1


@pytest.mark.parametrize("where", CRASHES)
def test_what_a_kill_cuts_off_is_done_again_to_the_same_result(where, make_run, monkeypatch):
    """Faults 2 and 3, without the process: the next trainer finds what was left."""
    whole, broken = make_run("whole"), make_run("broken")
    for run in (whole, broken):
        for item in run.ids[:8]:
            run.say(item, run.truth(item))
        turn(make_trainer(run))
        for item in run.ids[8:14]:
            run.say(item, run.truth(item))
    turn(make_trainer(whole))

    def crash(name):
        if name == where:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("lit_al.annotate.trainer.crash_point", crash)
        patch.setattr("lit_al.training.fitting.crash_point", crash)
        with pytest.raises(Killed):
            turn(make_trainer(broken))
    assert broken.record.newest_generation().model_version == 1
    turn(make_trainer(broken))
    assert broken.state["state"] == "ready"
    assert rankings(broken) == rankings(whole)
    assert same_models(broken, whole)
    assert sorted(path.name for path in (broken.folder / "checkpoints").iterdir()) == [
        "best.ckpt",
        "model-1.ckpt",
        "model-2.ckpt",
    ]


def test_answers_after_a_kill_make_another_model(make_run, monkeypatch):
    run = make_run()
    run.answer(8)
    with monkeypatch.context() as patch:
        patch.setattr("lit_al.annotate.trainer.Trainer._publish", lambda *_: (_ for _ in ()).throw(Killed))
        patch.setattr(run.record, "newest_generation", lambda: NewGeneration(1, "random"))
        with pytest.raises(Killed):
            turn(make_trainer(run))
    run.answer(1)
    turn(make_trainer(run))
    assert [model.version for model in run.record.models()] == [1, 2]
    assert run.record.newest_generation().model_version == 2


def damage(path, how):
    content = path.read_bytes()
    path.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "flipped": content[:5_000] + bytes([content[5_000] ^ 1]) + content[5_001:],
            "empty": b"",
        }[how]
    )


@pytest.mark.parametrize("how", ["cut", "flipped", "empty", "gone"])
def test_damaged_checkpoint_is_named_and_never_used(how, make_run, caplog):
    """Fault 8."""
    run = make_run()
    run.answer(8)
    turn(make_trainer(run))
    path = run.folder / "checkpoints" / "model-1.ckpt"
    if how == "gone":
        path.unlink()
    else:
        damage(path, how)
    labels = run.record.labels()
    turn(make_trainer(run))
    assert "checkpoints/model-1.ckpt" in caplog.text
    newest = run.record.newest_model()
    assert newest.version == run.record.newest_generation().model_version == 2
    [note] = [note for note in newest.facts["notes"] if "model-1" in note]
    assert ("cannot be read" if how == "gone" else "sha256 is not the one on record") in note
    assert run.record.labels() == labels
    assert (run.folder / "checkpoints" / "best.ckpt").read_bytes() == (run.folder / newest.path).read_bytes()
    assert not path.exists()


def test_best_falls_back_to_the_last_sound_checkpoint_before_it_is_trained_anew(make_run, monkeypatch):
    run = make_run()
    trainer = make_trainer(run)
    for _ in range(3):
        run.answer(6)
        turn(trainer)
    folder = run.folder / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["best.ckpt", "model-2.ckpt", "model-3.ckpt"]
    damage(folder / "model-3.ckpt", "flipped")
    monkeypatch.setattr("lit_al.experiment.learning.Learner.learn", lambda *_: (_ for _ in ()).throw(FitError("no")))
    turn(make_trainer(run))
    assert (folder / "best.ckpt").read_bytes() == (folder / "model-2.ckpt").read_bytes()
    assert run.state["state"] == "failed"


class Evil:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (self.canary,)


@pytest.mark.parametrize("sha_fits", [False, True])
def test_code_in_a_checkpoint_is_never_run(sha_fits, make_run, tmp_path, monkeypatch):
    """Fault 9: by its sha256 it is refused unread, and read with weights_only even if that fits."""
    run = make_run()
    run.answer(8)
    turn(make_trainer(run))
    path, canary = run.folder / "checkpoints" / "model-1.ckpt", tmp_path / "canary"
    torch.save({"state_dict": Evil(str(canary))}, path)
    if sha_fits:
        monkeypatch.setattr("lit_al.annotate.model_store.Weights.fault", lambda *_: "")
    turn(make_trainer(run))
    with pytest.raises(Exception, match="not a checkpoint"):
        load_model(path if sha_fits else _saved(Evil(str(canary)), tmp_path))
    assert not canary.exists()


def _saved(content, folder):
    torch.save({"state_dict": content}, folder / "evil.ckpt")
    return folder / "evil.ckpt"


class Poisoned(Student):
    def training_step(self, batch, batch_index):
        return super().training_step(batch, batch_index) * torch.nan


def raising(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize(
    ("target", "fault", "words"),
    [
        ("lit_al.training.distillation.Student", Poisoned, "its weights are no numbers any more (NaN)"),
        (f"{TRAINING}.study", raising(MemoryError("2 GB")), "ran out of memory (2 GB)"),
        (f"{TRAINING}.study", raising(torch.OutOfMemoryError("CUDA")), "ran out of memory (CUDA)"),
        (
            f"{TRAINING}.teach",
            raising(ImportError("No module named 'sklearn'")),
            "ImportError: No module named",
        ),
        ("lit_al.experiment.learning.Learner.rank", raising(ValueError("odd\nlines")), "ValueError: odd lines"),
    ],
)
def test_a_turn_that_fails_says_why_and_leaves_all_as_it_was(target, fault, words, make_run, monkeypatch, capsys):
    """Fault 37."""
    run = make_run()
    trainer = make_trainer(run)
    run.answer(8)
    turn(trainer)
    before = run.record.newest_generation(), run.record.models()
    run.answer(6)
    with monkeypatch.context() as patch:
        patch.setattr(target, fault)
        turn(trainer)
    assert run.state["state"] == "failed"
    assert words in run.state["detail"]
    assert run.state["detail"].endswith("; trying again with the next answer")
    assert "\n" not in run.state["detail"]
    assert (run.record.newest_generation(), run.record.models()) == before
    assert "Traceback" in capsys.readouterr().err
    run.answer(1)
    turn(trainer)
    assert run.state["state"] == "ready"
    assert run.record.newest_model().labels == 15


def test_checkpoint_that_cannot_be_written_fails_the_turn(make_run, monkeypatch):
    run = make_run()
    run.answer(8)
    (run.folder / "checkpoints").write_text("in the way")
    turn(make_trainer(run))
    assert run.state["state"] == "failed"
    assert "checkpoint cannot be written" in run.state["detail"]
    assert run.record.models() == []


def test_library_that_is_missing_is_told_and_tried_again(make_run, monkeypatch):
    run = make_run()
    trainer = make_trainer(run)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "lit_al.experiment.learning", None)
        turn(trainer)
    assert run.state["state"] == "failed"
    assert "lit_al.experiment.learning" in run.state["detail"]
    run.answer(8)
    turn(trainer)
    assert run.record.newest_model().version == 1


def test_texts_that_are_added_are_learned_from(make_run, make_corpus):
    from lit_al.record import Item, sha256_of

    run = make_run()
    trainer = make_trainer(run)
    run.answer(8)
    turn(trainer)
    run.record.add_items([Item(1_001, sha256_of("a moving gem"), "a moving gem")])
    run.say(1_001, "positive")
    run.answer(6)
    turn(trainer)
    assert run.record.newest_model().labels == 15
    assert run.record.state("model 2")["texts"] == 61


def flipped(run):
    """One flipped bit in the label of the first answer."""
    with run.record.transaction() as db:
        [(sql,)] = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'event_is_never_updated'").fetchall()
        db.execute("DROP TRIGGER event_is_never_updated")
        label = db.execute("SELECT label FROM event WHERE seq = 1").fetchone()["label"]
        db.execute("UPDATE event SET label = ? WHERE seq = 1", (label[:-1] + chr(ord(label[-1]) ^ 1),))
        db.execute(sql)


def test_a_flipped_label_is_not_learned_from_and_not_tried_again(make_run):
    run = make_run()
    run.answer(8)
    flipped(run)
    with pytest.raises(DamagedError, match=r"event 1 \(text .*\) is not as it was written.*run: lit-al recover"):
        turn(make_trainer(run))
    assert run.record.models() == []


def test_a_process_ends_at_a_flipped_label_and_says_why(make_run, spawn):
    run = make_run()
    run.answer(8)
    flipped(run)
    with spawn(run.folder) as process:
        assert process.wait(120) == DAMAGED
        assert "event 1 (text" in process.stderr.read()
    assert run.record.models() == []


@pytest.mark.parametrize("path", ["../theirs", "/etc/passwd", "checkpoints/../../theirs", "checkpoints/best.ckpt"])
def test_a_checkpoint_elsewhere_is_no_checkpoint_of_the_run(make_run, path):
    run = make_run()
    theirs = run.folder.parent / "theirs"
    theirs.write_bytes(b"theirs")
    model = ModelVersion(1, path, hashlib.sha256(b"theirs").hexdigest(), 0, 8)
    weights = Weights(run.folder)
    assert "is no checkpoint of this run" in weights.fault(model)
    assert weights.sound([model]) == []


def test_a_checkpoint_that_is_a_link_is_not_followed(make_run):
    run = make_run()
    theirs = run.folder.parent / "theirs"
    theirs.write_bytes(b"theirs")
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "model-1.ckpt").symlink_to(theirs)
    model = ModelVersion(1, "checkpoints/model-1.ckpt", hashlib.sha256(b"theirs").hexdigest(), 0, 8)
    assert "is a symbolic link to" in Weights(run.folder).fault(model)


def test_when_asked_to_end_it_ends_between_stages(make_run):
    run = make_run()
    trainer = make_trainer(run)
    run.answer(8)
    trainer.end(15, None)
    with pytest.raises(SystemExit) as ended:
        turn(trainer)
    assert ended.value.code == 143
    assert run.record.models() == []
    trainer.run()  # ends at once


def test_sentence_for_an_error_without_words():
    assert in_a_sentence(KeyError()) == "training failed: KeyError: no reason given"


# --- Processes --------------------------------------------------------------------------------------------------------


def wait_for(found, seconds=240):
    ends = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_second_trainer_ends_at_once_and_names_the_first(make_run, spawn):
    """Fault 12."""
    run = make_run()
    with OwnerLock(run.folder, "a trainer", "trainer.lock"), spawn(run.folder) as second:
        assert second.wait(60) == 1
        assert f"in use by a trainer, process {os.getpid()}" in second.stderr.read()
    assert run.state is None


def test_process_trains_beats_and_ends_on_sigterm(make_run, spawn):
    run = make_run()
    run.answer(8)
    with spawn(run.folder) as process:
        wait_for(lambda: (run.state or {}).get("state") == "ready")
        assert run.state["pid"] == process.pid
        beat = run.state["heartbeat"]
        wait_for(lambda: run.state["heartbeat"] > beat)
        process.terminate()
        assert process.wait(30) in (0, 143)
    assert run.record.newest_generation().model_version == 1


def test_process_ends_on_sigterm_in_a_fit_too_and_has_nothing_to_say(make_run, spawn):
    """Fault 4."""
    run = make_run(recipe="scratch", steps=50_000)
    run.answer(8)
    with spawn(run.folder) as process:
        wait_for(lambda: (run.state or {}).get("state") == "training")
        beat = run.state["heartbeat"]
        wait_for(lambda: run.state["heartbeat"] > beat + 5)  # it beats while it fits
        process.send_signal(signal.SIGINT)  # Ctrl-C is for the server
        process.terminate()
        assert process.wait(60) == 143
        assert process.stderr.read() == ""
    assert run.record.models() == []


def test_process_ends_with_its_parent(make_run):
    run = make_run()
    code = (
        "import subprocess, sys, os\n"
        "made = subprocess.Popen([sys.executable, '-m', 'lit_al.annotate.trainer', sys.argv[1], "
        "'--parent', str(os.getpid())])\n"
        "print(made.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(run.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    wait_for(lambda: run.state)
    parent.kill()
    parent.communicate()
    wait_for(lambda: not is_running(child), 30)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("where", ["in_fit:2", *CRASHES[1:], "before_commit:9"])
def test_killed_process_resumes_to_the_same_models_and_rankings(where, make_run, spawn):
    """Fault 2, with real processes and SIGKILL."""
    whole, broken = make_run("whole"), make_run("broken")
    for run in (whole, broken):
        for item in run.ids[:8]:
            run.say(item, run.truth(item))
    with spawn(broken.folder, LIT_AL_CRASH_AT=where) as process:
        assert process.wait(240) == -9
    for run in (whole, broken):
        with spawn(run.folder):
            wait_for(lambda run=run: (run.state or {}).get("state") == "ready")
    assert rankings(broken) == rankings(whole)
    assert same_models(broken, whole)
