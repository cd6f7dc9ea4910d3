"""`BestCheckpoint`: keep the best weights over any number of fits."""

from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import Checkpoint

from lit_al.models.checkpoint import save, writer_of


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
            save(writer_of(trainer), path)
            self.best_model_path = str(path)
            self.best_model_score = value
