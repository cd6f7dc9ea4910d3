"""The curves of a run: one record per epoch, counted on over all its fits."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from torch import Tensor

from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.utils.failpoints import crash_point


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set.

    Attributes:
        fit: 0 for the first fit of the run.
        epoch: 0 for the first epoch of the fit.
        loss: mean over the training batches, with dropout, in nats.
        accuracy: likewise; None where the network does not count it.
        val_loss: after the epoch, on the validation set; None where the network does not log it, as is the next.
        val_accuracy: likewise.
        samples: training rows.
        seconds: of training alone, validation not counted.
    """

    fit: int
    epoch: int
    loss: float
    accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    samples: int
    seconds: float


class EpochHistory(L.Callback):
    """Collect an `Epoch` after each; one object serves all fits of a run.

    Args:
        on_epoch: called with each record, to show or store it.

    Attributes:
        epochs: the records so far.
    """

    def __init__(self, on_epoch: Callable[[Epoch], None] | None = None) -> None:
        self.on_epoch = on_epoch
        self.epochs: list[Epoch] = []
        self.fits = 0
        self._began = self._trained = 0.0
        self._losses: list[Tensor] = []

    @property
    def samples_per_second(self) -> float:
        """Training throughput over all epochs, validation not counted; 0 before the first."""
        seconds = sum(epoch.seconds for epoch in self.epochs)
        return sum(epoch.samples for epoch in self.epochs) / seconds if seconds else 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._began, self._losses = time.perf_counter(), []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, *_: Any) -> None:
        """Keep the loss where the network counts none itself; on a GPU nobody waits for it."""
        if not isinstance(pl_module, LitBiLSTM):
            self._losses.append(outputs["loss"].detach())

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop the clock: reading the loss waits for the device to finish."""
        if not trainer.sanity_checking:
            self._training(pl_module)
            self._trained = time.perf_counter() - self._began

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Record the epoch; Lightning calls this before the module logs and resets its counts."""
        found, validated = self._training(pl_module), trainer.callback_metrics
        record = Epoch(
            fit=self.fits,
            epoch=trainer.current_epoch,
            loss=found["loss"],
            accuracy=found.get("accuracy"),
            val_loss=float(validated["val_loss"]) if "val_loss" in validated else None,
            val_accuracy=float(validated["val_accuracy"]) if "val_accuracy" in validated else None,
            samples=len(trainer.train_dataloader.rows),  # type: ignore[union-attr]
            seconds=self._trained,
        )
        self.epochs.append(record)
        crash_point("in_fit")
        if self.on_epoch is not None:
            self.on_epoch(record)

    def _training(self, module: L.LightningModule) -> dict[str, float]:
        """Figures over the training batches of the epoch so far: the network's own, or the mean of their losses."""
        if isinstance(module, LitBiLSTM):
            return module.training_metrics()
        return {"loss": float(torch.stack(self._losses).mean())}

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The next epoch belongs to the next fit."""
        self.fits += 1
