import lightning as L
import pytest

from lit_al.loop.data_module import ActiveDataModule
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.training.history import EpochHistory


@pytest.fixture
def recorded(corpus):
    seen = []
    history = EpochHistory(seen.append)
    data = ActiveDataModule(corpus, batch_size=16)
    model = LitBiLSTM(corpus.classes, data.encoder.state_dict())
    logged = []

    class Watch(L.Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            logged.append({name: float(value) for name, value in trainer.callback_metrics.items()})

    for _ in range(2):
        trainer = L.Trainer(
            max_epochs=3, callbacks=[history, Watch()], accelerator="cpu", logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(model, data)
    return history, seen, logged


def test_epochs_are_counted_over_fits(recorded):
    history, seen, _ = recorded
    assert history.epochs == seen
    assert [(epoch.fit, epoch.epoch) for epoch in seen] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert all(epoch.samples == 60 and epoch.seconds > 0 for epoch in seen)


def test_epochs_agree_with_what_lightning_logs(recorded):
    _, seen, logged = recorded
    for epoch, metrics in zip(seen[:2], logged[1:3], strict=True):  # seen again when the next epoch begins
        assert epoch.loss == pytest.approx(metrics["loss"])
        assert epoch.accuracy == pytest.approx(metrics["accuracy"])
        assert epoch.val_loss == pytest.approx(metrics["val_loss"])
        assert epoch.val_accuracy == pytest.approx(metrics["val_accuracy"])


def test_throughput_is_samples_over_seconds(recorded):
    history, seen, _ = recorded
    assert history.samples_per_second == pytest.approx(360 / sum(epoch.seconds for epoch in seen))
    assert EpochHistory().samples_per_second == 0
