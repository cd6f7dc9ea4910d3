"""Keep the best weights over any number of fits, and write them so that a crash leaves the old file or the new one."""

import os
import pickle
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint

from lit_al.errors import CheckpointError
from lit_al.model import LitBiLSTM


class BestCheckpoint(Checkpoint):
    """Save the model whenever its validation loss is the lowest so far; one object serves all rounds of a run.

    Lightning's own ModelCheckpoint is made for one fit: in the next one it takes an equal step number for "already
    saved" and warns of its own files. It also neither syncs what it writes nor reports a folder it may not write to.

    Args:
        folder: where `best.ckpt` goes.
        monitor: logged metric, the lower the better.

    Attributes:
        best_model_path: path of the file, "" before the first save.
        best_model_score: lowest value so far.
    """

    def __init__(self, folder: Path | str, monitor: str = "val_loss") -> None:
        self.folder = Path(folder)
        self.monitor = monitor
        self.best_model_path = ""
        self.best_model_score = float("inf")

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save when the monitored value fell."""
        if trainer.sanity_checking or self.monitor not in trainer.callback_metrics:
            return
        value = float(trainer.callback_metrics[self.monitor])
        if value < self.best_model_score:
            self.best_model_path = str(save(trainer, self.folder / "best.ckpt"))
            self.best_model_score = value


def save_model(model: L.LightningModule, path: Path) -> Path:
    """Write the checkpoint of a model that no Trainer holds any more.

    Raises:
        CheckpointError: it cannot be written.
    """
    trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(model)
    return save(trainer, path)


def save(trainer: L.Trainer, path: Path) -> Path:
    """Write what a Trainer holds so that a crash leaves the old file or the new one.

    Raises:
        CheckpointError: it cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb"):  # Lightning hides a PermissionError; this does not
            pass
        trainer.save_checkpoint(temporary, weights_only=True)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise CheckpointError(
            f"the best checkpoint cannot be written to {path}: {error.strerror or error}; "
            "free the disk or give another --log-dir"
        ) from error
    return path


def load_weights(model: LitBiLSTM, path: Path | str) -> None:
    """Give a model the weights of a checkpoint of its own kind.

    Raises:
        CheckpointError: the file is missing, broken, or of another model.
    """
    state = read_checkpoint(path)["state_dict"]
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(f"{path} holds weights of another model: {error}") from error


def load_model(path: Path | str) -> LitBiLSTM:
    """The model of a checkpoint file, with its vocabulary and class names, on the CPU.

    Raises:
        CheckpointError: the file is missing, broken, or of another model.
    """
    read_checkpoint(path)
    try:
        return LitBiLSTM.load_from_checkpoint(path, map_location="cpu", weights_only=True)
    except (RuntimeError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path} is a checkpoint, but not one of LitBiLSTM: {error}") from error


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """The contents of a checkpoint file; nothing in it is executed.

    Raises:
        CheckpointError: the file is missing or not a Lightning checkpoint.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error.strerror or error}") from error
    except (RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is not a checkpoint, or it is damaged; give a .ckpt file of a run") from error
    if not isinstance(state, dict) or "state_dict" not in state:
        raise CheckpointError(f"{path} holds no model; give a .ckpt file of a run")
    return state
