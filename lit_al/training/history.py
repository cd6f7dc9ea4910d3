"""The curves of a run: one record per epoch, counted on over all its fits."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import lightning as L

from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.utils.failpoints import crash_point


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set.

    Attributes:
        fit: 0 for the first fit of the run.
        epoch: 0 for the first epoch of the fit.
        loss: mean over the training batches, with dropout, in nats.
        accuracy: likewise.
        val_loss: after the epoch, on the validation set.
        val_accuracy: likewise.
        samples: training rows.
        seconds: of training alone, validation not counted.
    """

    fit: int
    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
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

    @property
    def samples_per_second(self) -> float:
        """Training throughput over all epochs, validation not counted; 0 before the first."""
        seconds = sum(epoch.seconds for epoch in self.epochs)
        return sum(epoch.samples for epoch in self.epochs) / seconds if seconds else 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop the clock: reading the loss waits for the device to finish."""
        if not trainer.sanity_checking and isinstance(pl_module, LitBiLSTM):
            pl_module.training_metrics()
            self._trained = time.perf_counter() - self._began

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Record the epoch; Lightning calls this before the module logs and resets its counts."""
        if not isinstance(pl_module, LitBiLSTM):
            return
        found, validated = pl_module.training_metrics(), trainer.callback_metrics
        record = Epoch(
            fit=self.fits,
            epoch=trainer.current_epoch,
            loss=found["loss"],
            accuracy=found["accuracy"],
            val_loss=float(validated["val_loss"]),
            val_accuracy=float(validated["val_accuracy"]),
            samples=len(trainer.train_dataloader.rows),  # type: ignore[union-attr]
            seconds=self._trained,
        )
        self.epochs.append(record)
        crash_point("in_fit")
        if self.on_epoch is not None:
            self.on_epoch(record)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The next epoch belongs to the next fit."""
        self.fits += 1
