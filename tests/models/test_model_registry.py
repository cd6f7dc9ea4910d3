import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.exceptions import CheckpointError, RunError
from lit_al.models.model_registry import ModelRegistry, labels_fingerprint, model_of, production_of
from lit_al.models.named_model import split_version
from lit_al.models.request import model_at


def run_of(folder, versions=4):
    """A run with kept versions 1, 2, …, whose files hold their numbers."""
    folder.mkdir()
    for number in range(1, versions + 1):
        ModelRegistry(folder).register(str(number).encode(), {"labels": number})
    return folder


@pytest.fixture
def run(tmp_path):
    return run_of(tmp_path / "run")


def test_promote_puts_a_version_into_production(run):
    assert ModelRegistry(run).production is None
    ModelRegistry(run).promote(3)
    assert production_of(run) == model_of(run, 3) == run / "models" / "3.ckpt"
    assert model_at(run) == (run / "models" / "3.ckpt", 3, "version 3 of run, in production")


@given(st.lists(st.integers(1, 4), max_size=8), st.integers(1, 4))
def test_promote_then_rollback_is_identity(tmp_path_factory, before, version):
    registry = ModelRegistry(run_of(tmp_path_factory.mktemp("runs") / "run"))
    for one in before:
        registry.promote(one)
    was, history = registry.production, registry.history()
    registry.promote(version)
    if was in (None, version):
        assert registry.history()[: len(history)] == history
        return
    assert registry.rollback() == registry.production == was
    assert registry.history()[: len(history)] == history
    assert len(registry.history()) == len(history) + 2


def test_rollbacks_go_back_one_promotion_after_the_other(run):
    registry = ModelRegistry(run)
    for version in (1, 2, 3):
        registry.promote(version)
    assert [registry.rollback(), registry.rollback()] == [2, 1]
    with pytest.raises(CheckpointError, match=r"no version of .* was in production before version 1; .* promote N"):
        registry.rollback()
    registry.promote(4)
    assert registry.rollback() == 1
    assert [one.version for one in registry.history()] == [1, 2, 3, 2, 1, 4, 1]


def test_promote_of_what_is_in_production_changes_nothing(run):
    registry = ModelRegistry(run)
    registry.promote(1)
    registry.promote(2)
    registry.promote(2)
    assert registry.rollback() == 1


@pytest.mark.parametrize("place", ["before_replacing", "after_replacing"])
def test_kill_during_promote_leaves_old_or_new(run, place):
    ModelRegistry(run).promote(1)
    code = f"""
import os, signal, sys
from pathlib import Path
from lit_al.models.model_registry import ModelRegistry
whole = Path.replace
def replace(self, target):
    if {place!r} == "after_replacing":
        whole(self, target)
    os.kill(os.getpid(), signal.SIGKILL)
Path.replace = replace
ModelRegistry(Path(sys.argv[1])).promote(2)
"""
    done = subprocess.run([sys.executable, "-c", code, str(run)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    wanted = 2 if place == "after_replacing" else 1
    assert production_of(run) == run / "models" / f"{wanted}.ckpt"
    ModelRegistry(run).promote(3)  # the lock went with the process
    assert ModelRegistry(run).rollback() == wanted


def test_kill_while_a_version_is_written_leaves_none_and_its_number_is_free(run):
    code = "import sys; from pathlib import Path; from lit_al.models.model_registry import ModelRegistry; "
    code += "ModelRegistry(Path(sys.argv[1])).register(b'half', {})"
    environment = {**os.environ, "LIT_AL_CRASH_AT": "before_version"}
    assert subprocess.run([sys.executable, "-c", code, str(run)], env=environment, check=False).returncode == -9
    assert ModelRegistry(run).numbers() == [1, 2, 3, 4]
    assert ModelRegistry(run).register(b"whole", {}) == 5
    assert model_of(run, 5).read_bytes() == b"whole"


def test_versions_registered_at_once_have_numbers_of_their_own(tmp_path):
    run = run_of(tmp_path / "run", 0)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda one: ModelRegistry(run).register(str(one).encode(), {"one": one}), range(16)))
    assert sorted(numbers) == list(range(1, 17))
    for one, number in enumerate(numbers):
        assert model_of(run, number).read_bytes() == str(one).encode()
        assert ModelRegistry(run).kept()[number]["one"] == one


def test_version_that_is_not_as_written_is_not_promoted(run):
    (run / "models" / "2.ckpt").write_bytes(b"other")
    with pytest.raises(CheckpointError, match=r"2\.ckpt is missing or not as it was written"):
        ModelRegistry(run).promote(2)
    with pytest.raises(CheckpointError, match=r"9\.ckpt is missing"):
        ModelRegistry(run).promote(9)
    assert ModelRegistry(run).production is None


def test_version_that_was_kept_stays_as_it_is(run):
    ModelRegistry(run).keep(2, b"other", {"labels": 9})
    assert model_of(run, 2).read_bytes() == b"2"
    assert ModelRegistry(run).kept()[2]["labels"] == 2


def test_without_a_version_in_production_the_newest_is_used(run):
    assert model_at(run).version == 4
    assert model_at(run).words == "version 4 of run, the newest"
    ModelRegistry(run).promote(1)
    assert model_at(run).version == 1
    assert model_at(Path(f"{run}@newest")).version == 4
    assert model_at(Path(f"{run}@production")).version == 1


def test_a_version_is_named_behind_the_run(run):
    assert model_at(Path(f"{run}@2")) == (run / "models" / "2.ckpt", 2, "version 2 of run")
    with pytest.raises(CheckpointError, match="holds no model of version 7 any more, or never did; it has 1, 2, 3, 4"):
        model_at(Path(f"{run}@7"))


def test_a_folder_with_the_sign_in_its_name_is_itself(tmp_path):
    run = run_of(tmp_path / "run@3", 1)
    assert split_version(run) == (run, "")
    assert model_at(run).version == 1


def test_newest_of_people_is_the_sound_one(tmp_path):
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    for name, content in (("model-7", b"7"), ("model-8", b"damaged"), ("best", b"7")):
        (folder / f"{name}.ckpt").write_bytes(content)
    assert model_at(tmp_path / "run") == (folder / "best.ckpt", 7, "version 7 of run, the newest")
    assert ModelRegistry(tmp_path / "run").register(b"final", {}, after=8) == 9
    assert model_at(tmp_path / "run").version == 9


def test_nothing_in_production_is_said(run):
    with pytest.raises(CheckpointError, match=r"no version of .*run is in production; lit-al models .*run promote N"):
        production_of(run)


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 2}', '{"schema": 1, "history": [{"version": "x"}]}'])
def test_an_alias_of_other_hands_is_one_sentence(run, content):
    ModelRegistry(run).alias.write_text(content)
    with pytest.raises(RunError, match=r"production\.json"):
        production_of(run)


def test_an_alias_is_not_followed_through_a_link(run, tmp_path):
    (tmp_path / "other").write_text(json.dumps({"schema": 1, "history": []}))
    ModelRegistry(run).alias.symlink_to(tmp_path / "other")
    with pytest.raises(RunError, match="symbolic link"):
        production_of(run)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.randoms())
def test_fingerprint_is_of_labels_not_of_their_order(labels, chance):
    mixed = list(labels)
    chance.shuffle(mixed)
    assert labels_fingerprint(mixed) == labels_fingerprint(labels)
    assert labels_fingerprint([*labels, ("new", "x")]) != labels_fingerprint([*labels, ("new", "y")])
