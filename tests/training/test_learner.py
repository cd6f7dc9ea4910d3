import os
import signal
import threading

import lightning as L
import pytest
import torch

from lit_al.exceptions import ConfigError, FitError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.models.checkpoint import read_checkpoint
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.oracles import SimulatedOracle
from lit_al.training.callback import ActiveLearningCallback
from lit_al.training.learner import ActiveLearner


def build(corpus, tmp_path, acquire=True, **settings):
    data = ActiveDataModule(corpus, batch_size=32)
    L.seed_everything(0, verbose=False)
    model = LitBiLSTM(corpus.classes, data.encoder.state_dict(), learning_rate=3e-3)
    acquisition = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=2, query_size=20) if acquire else None
    return ActiveLearner(model, data, acquisition, folder=tmp_path, accelerator="cpu", **settings)


def test_fit_ends_with_the_best_weights_of_all_rounds(corpus, tmp_path):
    learner = build(corpus, tmp_path, max_epochs=2)
    learner.fit()
    history = learner.history
    assert [epoch.fit for epoch in history.epochs] == [0, 0, 1, 1, 2, 2]
    assert [epoch.epoch for epoch in history.epochs] == [0, 1] * 3
    assert [epoch.samples for epoch in history.epochs][::2] == [60, *(r.labels for r in learner.acquisition.history)]
    assert min(epoch.val_loss for epoch in history.epochs) == pytest.approx(learner.best.best_model_score)
    kept = read_checkpoint(learner.best.best_model_path)["state_dict"]
    assert all(torch.equal(kept[name], value) for name, value in learner.model.state_dict().items() if name in kept)
    assert 0 <= learner.test().accuracy <= 1
    assert history.samples_per_second > 0


def test_fit_without_acquisition_is_one_fit(corpus, tmp_path):
    learner = build(corpus, tmp_path, acquire=False, max_epochs=1)
    learner.fit()
    assert len(learner.history.epochs) == 1
    assert len(learner.data.split.labeled) == 60


def test_early_stopping_starts_anew_in_each_fit(corpus, tmp_path):
    learner = build(corpus, tmp_path, max_epochs=30, patience=1)
    learner.model.hparams["learning_rate"] = 0.3  # soon overshoots, so that the loss rises
    learner.fit()
    epochs = [sum(epoch.fit == fit for epoch in learner.history.epochs) for fit in range(3)]
    assert all(2 <= count < 30 for count in epochs)


def test_model_learns(make_corpus, tmp_path):
    learner = build(make_corpus(rows=600), tmp_path, acquire=False, max_epochs=15)
    learner.fit()
    assert learner.test().accuracy > 0.8


def test_fit_that_diverges_is_said(corpus, tmp_path):
    learner = build(corpus, tmp_path, acquire=False, max_epochs=3)
    learner.model.net.head.bias.data.fill_(float("nan"))
    with pytest.raises(FitError, match="never finite"):
        learner.fit()


def test_ctrl_c_is_handed_on_and_can_be_pressed_again(corpus, tmp_path):
    class Press(L.Callback):
        def on_train_batch_end(self, *args):
            os.kill(os.getpid(), signal.SIGINT)

    learner = build(corpus, tmp_path, max_epochs=2, callbacks=[Press()])
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        learner.fit()
    assert signal.getsignal(signal.SIGINT) is before
    assert learner.acquisition.history == []


def test_fit_runs_outside_the_main_thread(corpus, tmp_path):
    learner = build(corpus, tmp_path, acquire=False, max_epochs=1)
    thread = threading.Thread(target=learner.fit)
    thread.start()
    thread.join()
    assert len(learner.history.epochs) == 1


@pytest.mark.parametrize(
    "hardware", [{"accelerator": "abacus"}, {"precision": "12-true"}, {"devices": "0,1,2,3,4,5,6,7,x"}, {"devices": 2}]
)
def test_hardware_that_cannot_work_is_refused(corpus, tmp_path, hardware):
    settings = {"accelerator": "cpu", **hardware}
    learner = ActiveLearner(LitBiLSTM(corpus.classes), ActiveDataModule(corpus), folder=tmp_path, **settings)
    with pytest.raises(ConfigError, match=next(iter(hardware)) + "|one device"):
        learner.trainer()
