import pytest

from lit_al.exceptions import CheckpointError
from lit_al.models.checkpoint import load_frozen
from lit_al.models.model_registry import ModelRegistry
from lit_al.models.prediction import classify
from lit_al.serving.live_model import LiveModel


def said(model):
    return next(classify(model, ["win a prize"])).probabilities


@pytest.fixture
def named(tmp_path, write_model):
    return write_model(tmp_path / "model.ckpt", seed=1)


@pytest.fixture
def other(tmp_path, write_model):
    return write_model(tmp_path / "other.ckpt", seed=2)


def test_nothing_changes_while_the_files_do_not(named):
    live = LiveModel(named)
    before = live.current
    assert not live.look()
    assert live.current is before


def test_a_new_file_takes_over_once_it_has_stood_there_for_a_look(named, other):
    told = []
    live = LiveModel(named, told.append)
    before = live.current
    other.replace(named)
    assert not live.look()  # somebody may be writing it
    assert live.current is before
    assert live.look()
    assert live.current.version != before.version
    assert said(live.current.model) == said(load_frozen(named)) != said(before.model)
    assert [(event["event"], event["model"]) for event in told] == [("model", live.current.version)]


def test_the_same_content_in_a_new_file_is_no_new_model(named, tmp_path):
    told = []
    live = LiveModel(named, told.append)
    content = named.read_bytes()
    (tmp_path / "copy").write_bytes(content)
    (tmp_path / "copy").replace(named)
    assert not any([live.look(), live.look(), live.look()])
    assert told == []


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None], ids=["empty", "nonsense", "gone"])
def test_what_cannot_be_loaded_changes_nothing_and_is_said_once(named, other, content):
    told = []
    live = LiveModel(named, told.append)
    before = live.current
    if content is None:
        named.unlink()
    else:
        named.write_bytes(content)
    assert not any(live.look() for _ in range(5))
    assert live.current is before
    assert [event["event"] for event in told] == ["model kept"]
    other.replace(named)
    live.look()
    assert live.look()  # a good one takes over all the same
    assert live.current.version != before.version


def test_the_newest_model_of_a_run_is_followed(tmp_path, write_model):
    best = tmp_path / "run" / "checkpoints" / "best.ckpt"
    write_model(best, seed=1)
    live = LiveModel(tmp_path / "run")
    before = live.current.version
    write_model(best, seed=2)
    live.look()
    assert live.look()
    assert live.current.version != before


def test_an_exported_folder_is_followed(tmp_path, write_model):
    from lit_al.models.checkpoint import load_model

    load_model(write_model(tmp_path / "one.ckpt", seed=1)).save_pretrained(tmp_path / "exported")
    live = LiveModel(tmp_path / "exported")
    before = live.current
    load_model(write_model(tmp_path / "two.ckpt", seed=2)).save_pretrained(tmp_path / "exported")
    live.look()
    assert live.look()
    assert said(live.current.model) == said(load_frozen(tmp_path / "two.ckpt")) != said(before.model)


def test_nothing_there_is_said_at_once(tmp_path):
    with pytest.raises(CheckpointError, match=r"nothing\.ckpt cannot be read: No such file"):
        LiveModel(tmp_path / "nothing.ckpt")


def test_what_is_in_production_is_followed_there_and_back(tmp_path, write_model):
    registry = ModelRegistry(tmp_path / "project")
    (tmp_path / "project").mkdir()
    for seed in (1, 2):
        registry.register(write_model(tmp_path / f"{seed}.ckpt", seed=seed).read_bytes(), {"by": "file"})
    registry.promote(1)
    live = LiveModel(tmp_path / "project")
    seen = [live.current.version.split("-")[0]]
    for change in (lambda: registry.promote(2), registry.rollback):
        change()
        live.look()
        assert live.look()
        seen.append(live.current.version.split("-")[0])
    assert seen == ["1", "2", "1"]
    assert said(live.current.model) == said(load_frozen(tmp_path / "1.ckpt"))
