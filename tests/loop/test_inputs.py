import lightning as L
import numpy as np
import pytest
import torch

from lit_al.exceptions import ConfigError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.loop.inputs import StrategyInputs, collapse_warning
from lit_al.metrics import Confusion
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import score, see
from lit_al.strategies import Pool
from lit_al.text.lsa import text_vectors


@pytest.fixture
def data(corpus):
    return ActiveDataModule(corpus, batch_size=32)


@pytest.fixture
def model(corpus, data):
    torch.manual_seed(0)
    return LitBiLSTM(corpus.classes, data.encoder.state_dict(), embedding_size=8, hidden_size=4, learning_rate=0.01)


def test_pool_holds_what_was_asked_for_and_no_more(model, data):
    rows = data.split.pool[:30]
    pool = StrategyInputs().pool(model, data, rows, {"embeddings", "draws", "vectors"})
    assert set(pool.columns) == {"embeddings", "draws", "vectors"}
    assert pool.rows.tolist() == rows.tolist()
    [seen] = see(model, data.pool_dataloader(rows), {"embeddings"})
    np.testing.assert_array_equal(pool.embeddings, seen["embeddings"])


def test_nothing_is_computed_where_nothing_is_needed(model, data, monkeypatch):
    monkeypatch.setattr(model.net.lstm, "forward", lambda *given: pytest.fail("the model was asked"))
    assert StrategyInputs().pool(model, data, data.split.pool, set()).columns == {}
    assert set(StrategyInputs().labeled(model, data, {"labels"}).columns) == {"labels"}


def test_classes_are_those_given_or_those_predicted(model, data):
    rows = data.split.pool[:30]
    given = np.arange(30) % 2
    assert StrategyInputs().pool(model, data, rows, {"classes"}, given).columns.keys() == {"classes"}
    guessed = StrategyInputs().pool(model, data, rows, {"classes"})
    np.testing.assert_array_equal(guessed.classes, score(model, data.pool_dataloader(rows)).argmax(axis=1))


def test_labeled_rows_come_with_their_labels_and_no_others(model, data, corpus):
    labeled = StrategyInputs().labeled(model, data, {"labels", "probabilities", "vectors"})
    assert set(labeled.columns) == {"labels", "probabilities", "vectors"}
    np.testing.assert_array_equal(labeled.labels, corpus.labels[data.split.labeled])


def test_vectors_are_made_once_without_the_texts_held_out(model, data, monkeypatch):
    inputs, ours = StrategyInputs(), data.corpus.in_order(np.concatenate([data.split.labeled, data.split.pool]))
    rows = data.split.pool[:9]
    places = [ours.tolist().index(row) for row in rows]
    expected = text_vectors(data.tokens[ours], len(data.encoder.vocabulary))[places]
    np.testing.assert_array_equal(inputs.vectors(data, rows), expected)
    monkeypatch.setattr("lit_al.loop.inputs.vectors_of", lambda *given: pytest.fail("made twice"))
    data.label(rows, np.zeros(9, np.int64))
    np.testing.assert_array_equal(inputs.vectors(data, rows), expected)


def test_committee_learns_and_goes_on_from_its_weights(model, data):
    inputs = StrategyInputs(committee_size=3, seed=5)
    losses = []
    for _ in range(2):
        committee = inputs.train_committee(model, data, epochs=8)
        probabilities = score(committee, data.pool_dataloader(data.split.labeled))  # (3, n, 2)
        right = probabilities[:, np.arange(len(data.split.labeled)), data.known[data.split.labeled]]
        losses.append(-np.log(right).mean(axis=1))
    assert (losses[1] < losses[0]).all()
    assert (losses[0] < np.log(2)).all()
    assert len({loss.tobytes() for loss in losses[1]}) == 3
    assert committee.hparams["learning_rate"] == 0.01
    pool = inputs.pool(model, data, data.split.pool[:7], {"committee"}, epochs=1)
    assert pool.committee.shape == (3, 7, 2)


def test_committee_follows_its_seed_and_leaves_torchs_generator(model, data):
    state = torch.random.get_rng_state()
    rows = data.split.pool[:20]
    first, again, other = (
        StrategyInputs(2, seed=seed).pool(model, data, rows, {"committee"}, epochs=2).committee for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4
    assert torch.equal(torch.random.get_rng_state(), state)
    L.seed_everything(3, verbose=False)
    np.testing.assert_array_equal(
        StrategyInputs(2, seed=1).pool(model, data, rows, {"committee"}, epochs=2).committee, first
    )


def test_draws_change_from_round_to_round(model, data):
    inputs, rows = StrategyInputs(), data.split.pool[:20]
    first = inputs.pool(model, data, rows, {"draws"}).draws
    np.testing.assert_array_equal(first, inputs.pool(model, data, rows, {"draws"}).draws)
    data.label(data.split.pool[50:51], np.zeros(1, np.int64))
    assert np.abs(first - inputs.pool(model, data, rows, {"draws"}).draws).max() > 0


def test_committee_of_one_is_refused():
    with pytest.raises(ConfigError, match="committee_size=1"):
        StrategyInputs(committee_size=1)


EVEN, ONE_SIDED = Confusion(np.array([[5, 5], [5, 5]])), Confusion(np.array([[10, 0], [9, 1]]))


def test_warning_speaks_of_the_candidates_where_they_were_scored():
    sure = np.repeat([[0.1, 0.9]], 40, axis=0)
    warning = collapse_warning(Pool(np.arange(40), probabilities=sure), EVEN, "val", ("bad", "good"))
    assert warning.startswith("the model calls 100.0% of the 40 candidates 'good'")
    mixed = np.where(np.arange(40)[:, None] % 2, sure, sure[:, ::-1])
    assert collapse_warning(Pool(np.arange(40), probabilities=mixed), ONE_SIDED, "val", ("bad", "good")) == ""


def test_warning_speaks_of_the_steering_set_where_they_were_not():
    pool = Pool(np.arange(40))
    warning = collapse_warning(pool, ONE_SIDED, "test", ("bad", "good"))
    assert warning.startswith("the model calls 95.0% of the 20 rows of the test set 'bad'")
    assert collapse_warning(pool, EVEN, "test", ("bad", "good")) == ""
