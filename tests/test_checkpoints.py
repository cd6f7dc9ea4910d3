import lightning as L
import pytest
import torch

from lit_al.checkpoints import BestCheckpoint, load_model, load_weights, read_checkpoint
from lit_al.datamodule import ActiveDataModule
from lit_al.errors import CheckpointError
from lit_al.model import LitBiLSTM


class ScriptedLoss(L.Callback):
    """Logs a metric of our choice, epoch by epoch."""

    def __init__(self, losses):
        self.losses = list(losses)

    def on_validation_epoch_end(self, trainer, pl_module):
        pl_module.log("scripted", self.losses.pop(0))


def fit(model, data, best, losses):
    trainer = L.Trainer(
        max_epochs=len(losses),
        callbacks=[ScriptedLoss(losses), best],
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(model, data)


@pytest.fixture
def parts(corpus):
    data = ActiveDataModule(corpus)
    return LitBiLSTM(corpus.classes, data.encoder.state_dict()), data


def test_best_is_kept_over_fits(parts, tmp_path):
    model, data = parts
    best = BestCheckpoint(tmp_path, "scripted")
    fit(model, data, best, [0.5, 0.3, 0.4])
    assert best.best_model_score == pytest.approx(0.3)
    kept = read_checkpoint(best.best_model_path)["state_dict"]
    assert not torch.equal(kept["net.head.weight"], model.state_dict()["net.head.weight"])  # epoch 2, not 3
    fit(model, data, best, [0.31, 0.32])  # not better than the first fit
    assert torch.equal(read_checkpoint(best.best_model_path)["state_dict"]["net.head.weight"], kept["net.head.weight"])
    fit(model, data, best, [0.2])  # better, after as many steps as a save before
    assert best.best_model_score == pytest.approx(0.2)
    saved = read_checkpoint(best.best_model_path)["state_dict"]["net.head.weight"]
    assert torch.equal(saved, model.state_dict()["net.head.weight"])


def test_folder_holds_one_whole_file(parts, tmp_path):
    model, data = parts
    best = BestCheckpoint(tmp_path / "checkpoints")
    fit(model, data, best, [0.5, 0.4])
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["best.ckpt"]
    loaded = load_model(best.best_model_path)
    assert loaded.classes == model.classes
    assert loaded.encoder == model.encoder


def test_folder_that_cannot_be_made_is_said(parts, tmp_path):
    model, data = parts
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match=r"cannot be written .* --log-dir"):
        fit(model, data, BestCheckpoint(tmp_path / "file"), [0.5])


def test_files_that_are_no_checkpoint_are_refused(tmp_path, parts):
    with pytest.raises(CheckpointError, match="cannot be read: No such file"):
        load_model(tmp_path / "none.ckpt")
    (tmp_path / "text.ckpt").write_text("hello")
    with pytest.raises(CheckpointError, match="not a checkpoint, or it is damaged"):
        load_model(tmp_path / "text.ckpt")
    torch.save({"a": 1}, tmp_path / "dict.ckpt")
    with pytest.raises(CheckpointError, match="holds no model"):
        load_model(tmp_path / "dict.ckpt")
    torch.save({"state_dict": {"x": torch.zeros(1)}}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="another model"):
        load_weights(parts[0], tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="not one of LitBiLSTM"):
        load_model(tmp_path / "other.ckpt")


def test_truncated_checkpoint_is_refused(parts, tmp_path):
    model, data = parts
    best = BestCheckpoint(tmp_path)
    fit(model, data, best, [0.5])
    whole = (tmp_path / "best.ckpt").read_bytes()
    (tmp_path / "best.ckpt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(tmp_path / "best.ckpt")


def test_nothing_in_a_checkpoint_is_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (print, ("executed",))

    torch.save({"state_dict": Bomb()}, tmp_path / "bomb.ckpt")
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path / "bomb.ckpt")
