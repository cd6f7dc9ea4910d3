import numpy as np
import torch

from lit_al.datamodule import ActiveDataModule, Batches
from lit_al.model import LitBiLSTM
from lit_al.scoring import evaluate, score


def test_score_and_evaluate_agree_and_leave_the_model_as_it_was(corpus):
    data = ActiveDataModule(corpus)
    model = LitBiLSTM(corpus.classes, data.encoder.state_dict())
    model.train()
    found = evaluate(model, data.test_dataloader())
    probabilities = score(model, data.pool_dataloader(data.split.test))
    assert model.training
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    predicted = (probabilities[:, 1] > 0.5).astype(int)
    assert found.accuracy == (predicted == corpus.labels[data.split.test]).mean()
    true = probabilities[np.arange(20), corpus.labels[data.split.test]]
    np.testing.assert_allclose(found.loss, -np.log(true).mean(), rtol=1e-5)


def test_score_of_nothing_is_empty(corpus):
    model = LitBiLSTM(corpus.classes)
    nothing = Batches(torch.zeros(5, 3, dtype=torch.int64), None, torch.arange(0), 4)
    assert score(model, nothing).shape == (0, 2)


def test_evaluate_starts_from_zero_each_time(corpus):
    data = ActiveDataModule(corpus)
    model = LitBiLSTM(corpus.classes, data.encoder.state_dict())
    first, again = (evaluate(model, data.val_dataloader()) for _ in range(2))
    assert first.loss == again.loss
    assert torch.is_grad_enabled()
