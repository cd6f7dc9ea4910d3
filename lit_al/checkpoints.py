"""Keep the best weights over any number of fits, and write them so that a crash leaves the old file or the new one."""

import hashlib
import io
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from lit_al.durable import sync
from lit_al.errors import CheckpointError, FitError
from lit_al.faults import crash_point
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
            path = self.folder / "best.ckpt"
            save(_writer(trainer), path)
            self.best_model_path = str(path)
            self.best_model_score = value


def save_model(model: L.LightningModule, path: Path) -> Path:
    """Write the checkpoint of a model that no Trainer holds any more.

    Raises:
        CheckpointError: it cannot be written.
        FitError: a weight is not finite.
    """
    trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(model)
    save(_writer(trainer), path)
    return path


def _writer(trainer: L.Trainer) -> Callable[[Path], None]:
    """Writes what a Trainer holds, without what only a fit that goes on would need."""
    return lambda path: trainer.save_checkpoint(path, weights_only=True)


def save(write: Callable[[Path], None], path: Path) -> str:
    """Write a checkpoint so that a crash leaves the old file or the new one, and read it back before it is the new one.

    Args:
        write: writes the file it is given.
        path: where it goes in the end.

    Returns:
        The sha256 of the file, 64 hex digits.

    Raises:
        CheckpointError: it cannot be written, or does not read back.
        FitError: a weight is not finite.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb"):  # Lightning hides a PermissionError; this does not
            pass
        write(temporary)
        sync(temporary)
        digest = _read_back(temporary)
        crash_point("before_replace")
        temporary.replace(path)
        sync(path.parent)
    except (OSError, RuntimeError) as error:  # torch raises the latter where the disk is full
        raise CheckpointError(
            f"a checkpoint cannot be written to {path}: {getattr(error, 'strerror', None) or error}; "
            "free the disk or give another --log-dir"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return digest


def _read_back(path: Path) -> str:
    content = path.read_bytes()
    check_finite(loaded(content, path))
    return hashlib.sha256(content).hexdigest()


def check_finite(state: Any) -> None:
    """Refuse weights that are no numbers.

    Raises:
        FitError: there is such a weight.
    """
    if not all(bool(torch.isfinite(weight).all()) for weight in _weights(state)):
        raise FitError("the weights after a fit are not finite numbers, so nothing was saved; lower --learning-rate")


def _weights(state: Any, inside: bool = False) -> Iterator[Tensor]:
    """Floating numbers below the keys `state_dict` and `model`: scores, which stand elsewhere, may be infinite."""
    if isinstance(state, Tensor) and inside and state.is_floating_point():
        yield state
    elif isinstance(state, dict):
        for key, value in state.items():
            yield from _weights(value, inside or key in ("state_dict", "model"))


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
        content = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error.strerror or error}") from error
    state = loaded(content, path)
    if not isinstance(state, dict) or "state_dict" not in state:
        raise CheckpointError(f"{path} holds no model; give a .ckpt file of a run")
    return state


def loaded(content: bytes, path: Path | str) -> Any:
    """The contents of a file of torch's, without executing anything that stands in it.

    Raises:
        CheckpointError: it is none, or damaged.
    """
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{path} is not a checkpoint, or it is damaged; give a .ckpt file of a run") from error
