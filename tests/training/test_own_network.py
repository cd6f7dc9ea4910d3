"""A LightningModule of somebody else's, with its own encoding, through callback, strategies, rules and learner."""

import lightning as L
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lit_al.exceptions import ConfigError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.models.classifier import Classifier
from lit_al.models.scoring import evaluate, score, see
from lit_al.oracles import SimulatedOracle
from lit_al.strategies import make_strategy
from lit_al.training.callback import ActiveLearningCallback
from lit_al.training.history import EpochHistory
from lit_al.training.learner import ActiveLearner


class BagOfLetters(L.LightningModule):
    """Counts letters; knows nothing of lit_al."""

    def __init__(self, classes):
        super().__init__()
        self.save_hyperparameters()
        self.classes = tuple(classes)
        self.hidden = nn.Sequential(nn.Linear(128, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.head = nn.Linear(16, len(classes))

    @staticmethod
    def encode(texts):
        counts = np.stack([np.bincount([ord(sign) % 128 for sign in text], minlength=128) for text in texts])
        return torch.from_numpy(counts).float() / 10

    def embeddings(self, inputs):
        return self.hidden(inputs)

    def loss(self, batch):
        return F.cross_entropy(self.head(self.hidden(batch[0])), batch[1])

    def training_step(self, batch, batch_index):
        return self.loss(batch)

    def validation_step(self, batch, batch_index):
        self.log("val_loss", self.loss(batch))

    def predict_step(self, batch, batch_index):
        return self.head(self.hidden(batch[0])).softmax(dim=1)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.01)


@pytest.fixture
def data(corpus):
    return ActiveDataModule(corpus, encoder=BagOfLetters, batch_size=32)


@pytest.fixture
def network(corpus):
    torch.manual_seed(0)
    return BagOfLetters(corpus.classes)


def test_it_is_a_classifier_and_a_module_without_classes_is_none(network):
    assert isinstance(network, Classifier)
    assert not isinstance(L.LightningModule(), Classifier)


def test_it_is_judged_and_seen_by_its_predict_step(network, data, corpus):
    rows = data.split.test
    found = score(network, data.pool_dataloader(rows))
    network.eval()
    with torch.no_grad():
        expected = network.predict_step((data.tokens[torch.from_numpy(rows)], None), 0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    judged = evaluate(network, data.test_dataloader())
    assert judged.accuracy == pytest.approx((found.argmax(axis=1) == corpus.labels[rows]).mean())
    [seen] = see(network, data.pool_dataloader(rows), {"embeddings", "vectors"})
    assert {name: array.shape for name, array in seen.items()} == {"embeddings": (len(rows), 16)}


def test_what_it_does_not_give_is_refused_in_one_sentence(network, data):
    with pytest.raises(ConfigError, match="needs draws, which BagOfLetters does not give; take one that needs prob"):
        see(network, data.pool_dataloader(), {"draws"})


@pytest.mark.parametrize("strategy", ["margin+balanced+random:0.2", "badge", "kmeans:vectors", "contrastive", "ratio"])
def test_it_runs_through_learner_callback_strategy_and_rule(strategy, network, data, corpus, tmp_path):
    acquisition = ActiveLearningCallback(
        SimulatedOracle(corpus.labels), make_strategy(strategy), rounds=3, query_size=10, steer_on="val",
        pool_classes="predicted", stop="budget:80",
    )  # fmt: skip
    history = EpochHistory()
    learner = ActiveLearner(
        network, data, acquisition, folder=tmp_path, history=history, max_epochs=2, accelerator="cpu"
    )
    learner.fit()
    assert [done.query.strategy for done in acquisition.history] == [make_strategy(strategy).spelling] * 2
    assert "budget of 80" in acquisition.stop_reason
    assert all(epoch.loss > 0 and epoch.val_loss > 0 and epoch.accuracy is None for epoch in history.epochs)
    again = BagOfLetters.load_from_checkpoint(learner.best_path, weights_only=True)
    rows = data.pool_dataloader(data.split.test)
    np.testing.assert_array_equal(score(again, rows), score(network, rows))


@pytest.mark.parametrize("strategy", ["committee-vote", "bald"])
def test_strategies_that_want_more_are_refused(strategy, network, data, corpus, tmp_path):
    acquisition = ActiveLearningCallback(SimulatedOracle(corpus.labels), make_strategy(strategy), query_size=10)
    learner = ActiveLearner(network, data, acquisition, folder=tmp_path, max_epochs=1, accelerator="cpu")
    with pytest.raises(ConfigError, match=r"take (a strategy|one) that needs probabilities alone, such as margin"):
        learner.fit()
