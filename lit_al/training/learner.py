"""`ActiveLearner`: the loop over fresh Trainers, with early stopping, the best checkpoint and the epoch curves."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import EarlyStopping

from lit_al.exceptions import ConfigError, FitError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.metrics import Evaluation
from lit_al.models.best_checkpoint import BestCheckpoint
from lit_al.models.checkpoint import load_weights
from lit_al.models.classifier import Classifier
from lit_al.models.scoring import evaluate
from lit_al.training.callback import ActiveLearningCallback
from lit_al.training.fitting import fit, trainer_on
from lit_al.training.history import EpochHistory


class ActiveLearner:
    """Fit, acquire, fit again, until the callback is done; then take the best weights and test them.

    Args:
        model: learns, a `Classifier` that logs `val_loss`; its weights go on from fit to fit.
        data: its labeled rows grow from fit to fit.
        acquisition: acquires after each fit; None makes it one fit on what is labeled.
        folder: where `checkpoints/best.ckpt` goes.
        history: collects the epoch curves.
        max_epochs: of each fit.
        patience: epochs without a lower validation loss before a fit ends.
        accelerator: Lightning's.
        devices: Lightning's; one device.
        precision: Lightning's.
        callbacks: more of Lightning's callbacks, such as a progress bar.

    >>> from lit_al import ActiveDataModule, ActiveLearningCallback, LitBiLSTM, SimulatedOracle, load_corpus
    >>> corpus = load_corpus("demo", demo_rows=400)
    >>> data = ActiveDataModule(corpus)
    >>> model = LitBiLSTM(corpus.classes, data.encoder.state_dict())
    >>> acquisition = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=1, query_size=50)
    >>> learner = ActiveLearner(model, data, acquisition, folder=getfixture("tmp_path"), max_epochs=1)
    >>> learner.fit()
    >>> len(acquisition.history), len(data.split.labeled) in (169, 170)
    (1, True)
    """

    def __init__(
        self,
        model: L.LightningModule,
        data: ActiveDataModule,
        acquisition: ActiveLearningCallback | None = None,
        *,
        folder: Path | str,
        history: EpochHistory | None = None,
        max_epochs: int = 20,
        patience: int = 4,
        accelerator: str = "auto",
        devices: str | int = 1,
        precision: str = "32-true",
        callbacks: Sequence[L.Callback] = (),
    ) -> None:
        self.model = model
        self.data = data
        self.acquisition = acquisition
        self.folder = Path(folder)
        self.history = history or EpochHistory()
        self.best = BestCheckpoint(self.folder / "checkpoints")
        self.max_epochs = max_epochs
        self.patience = patience
        self.hardware = {"accelerator": accelerator, "devices": devices, "precision": precision}
        self.callbacks = list(callbacks)

    def fit(self) -> None:
        """Run every fit and every acquisition; leaves the model with the best weights of them all.

        Raises:
            FitError: the validation loss was never finite.
            KeyboardInterrupt: Ctrl-C during a fit; nothing was acquired by that fit.
        """
        for _ in self.fits():
            pass
        load_weights(self.model, self.best_path)

    def fits(self) -> Iterator[int]:
        """The same fit by fit, each with the acquisition after it, numbered on from those that the history has.

        The best weights are not taken.
        """
        for number in count(self.history.fits):
            fit(self.trainer(), self.model, self.data)
            yield number
            if self.acquisition is None or self.acquisition.done:
                return

    @property
    def best_path(self) -> str:
        """The checkpoint with the lowest validation loss so far: what a run that ends here delivers.

        Raises:
            FitError: the validation loss was never finite.
        """
        if not self.best.best_model_path:
            raise FitError("the validation loss was never finite, so there is no best model; lower the learning rate")
        return self.best.best_model_path

    def test(self) -> Evaluation:
        """Judge the model on the test set."""
        assert isinstance(self.model, Classifier)  # else the callback has refused it
        return evaluate(self.model, self.data.test_dataloader())

    def trainer(self) -> L.Trainer:
        """A fresh Trainer: one that has reached `max_epochs` would train nothing in a second fit.

        Raises:
            ConfigError: an accelerator, device or precision that is not here, or more than one device.
        """
        acquisition = [] if self.acquisition is None else [self.acquisition]
        stopping = EarlyStopping("val_loss", patience=self.patience)
        trainer = trainer_on(
            self.hardware,
            max_epochs=self.max_epochs,
            callbacks=[self.history, stopping, self.best, *self.callbacks, *acquisition],
            default_root_dir=self.folder,
            logger=False,  # the history has the curves of all fits on one axis
            enable_model_summary=False,
            enable_progress_bar=bool(self.callbacks),
            num_sanity_val_steps=0,
        )
        if trainer.world_size > 1:
            raise ConfigError(
                f"devices {self.hardware['devices']!r} are {trainer.world_size} processes; give one device"
            )
        return trainer
