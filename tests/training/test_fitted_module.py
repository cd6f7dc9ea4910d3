import lightning as L
import numpy as np
import pytest
import torch

from lit_al.exceptions import ConfigError
from lit_al.loop.acquisition import _collapse
from lit_al.loop.data_module import ActiveDataModule
from lit_al.loop.state import LoopState
from lit_al.metrics import Confusion, Evaluation
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import score, see
from lit_al.oracles import SimulatedOracle
from lit_al.strategies import Pool, make_strategy
from lit_al.text.lsa import text_vectors
from lit_al.training.fitted_module import FittedModule


@pytest.fixture
def data(corpus):
    return ActiveDataModule(corpus, batch_size=32)


@pytest.fixture
def model(corpus, data):
    torch.manual_seed(0)
    return LitBiLSTM(corpus.classes, data.encoder.state_dict(), embedding_size=8, hidden_size=4, learning_rate=0.01)


@pytest.fixture
def fitted(model, data):
    """Made of the module and its data."""

    def make(epochs=0, **settings):
        found = FittedModule(**settings)
        found.take(model, data, epochs)
        return found

    return make


def pool_of(fitted, rows, *needs):
    [seen] = fitted.look(1, [], [rows], set(needs), set())
    return seen.pool


def labeled_of(fitted, *needs):
    [seen] = fitted.look(1, [], [fitted.data.split.pool[:0]], set(), set(needs))
    return seen.labeled


def test_pool_holds_what_was_asked_for_and_no_more(fitted, model, data):
    rows = data.split.pool[:30]
    pool = pool_of(fitted(), rows, "embeddings", "draws", "vectors")
    assert set(pool.columns) == {"embeddings", "draws", "vectors"}
    assert pool.rows.tolist() == rows.tolist()
    [seen] = see(model, data.pool_dataloader(rows), {"embeddings"})
    np.testing.assert_array_equal(pool.embeddings, seen["embeddings"])


def test_nothing_is_computed_where_nothing_is_needed(fitted, model, data, monkeypatch):
    monkeypatch.setattr(model.net.lstm, "forward", lambda *given: pytest.fail("the model was asked"))
    assert pool_of(fitted(), data.split.pool).columns == {}
    assert set(labeled_of(fitted(), "labels").columns) == {"labels"}


def test_classes_are_true_ones_or_those_predicted(fitted, model, data, corpus):
    rows = data.split.pool[:30]
    true = pool_of(fitted(oracle=SimulatedOracle(corpus.labels)), rows, "classes")
    assert true.columns.keys() == {"classes"}
    np.testing.assert_array_equal(true.classes, corpus.labels[rows])
    guessed = pool_of(fitted(), rows, "classes")
    np.testing.assert_array_equal(guessed.classes, score(model, data.pool_dataloader(rows)).argmax(axis=1))


def test_labeled_rows_come_with_their_labels_and_no_others(fitted, data, corpus):
    labeled = labeled_of(fitted(), "labels", "probabilities", "vectors")
    assert set(labeled.columns) == {"labels", "probabilities", "vectors"}
    np.testing.assert_array_equal(labeled.labels, corpus.labels[data.split.labeled])


def test_vectors_are_made_once_without_the_texts_held_out(fitted, data, monkeypatch):
    models, ours = fitted(), data.corpus.in_order(np.concatenate([data.split.labeled, data.split.pool]))
    rows = data.split.pool[:9]
    places = [ours.tolist().index(row) for row in rows]
    expected = text_vectors(data.tokens[ours], len(data.encoder.vocabulary))[places]
    np.testing.assert_array_equal(pool_of(models, rows, "vectors").vectors, expected)
    monkeypatch.setattr("lit_al.training.fitted_module.vectors_of", lambda *given: pytest.fail("made twice"))
    data.label(rows, np.zeros(9, np.int64))
    np.testing.assert_array_equal(labeled_of(models, "vectors").vectors[-9:], expected)


def test_committee_learns_and_goes_on_from_its_weights(fitted, data):
    models, labeled = fitted(epochs=8, committee_size=3, seed=5), data.split.labeled
    losses = []
    for _ in range(2):
        probabilities = pool_of(models, labeled, "committee").committee  # (3, n, 2)
        right = probabilities[:, np.arange(len(labeled)), data.known[labeled]]
        losses.append(-np.log(right).mean(axis=1))
    assert (losses[1] < losses[0]).all()
    assert (losses[0] < np.log(2)).all()
    assert len({loss.tobytes() for loss in losses[1]}) == 3
    assert models.committee.hparams["learning_rate"] == 0.01


def test_committee_follows_its_seed_and_leaves_torchs_generator(fitted, data):
    state = torch.random.get_rng_state()
    rows = data.split.pool[:20]

    def committee(seed):
        return pool_of(fitted(epochs=2, committee_size=2, seed=seed), rows, "committee").committee

    first, again, other = committee(1), committee(1), committee(2)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4
    assert torch.equal(torch.random.get_rng_state(), state)
    L.seed_everything(3, verbose=False)
    np.testing.assert_array_equal(committee(1), first)


def test_draws_change_from_round_to_round(fitted, data):
    models, rows = fitted(), data.split.pool[:20]
    first = pool_of(models, rows, "draws").draws
    np.testing.assert_array_equal(first, pool_of(models, rows, "draws").draws)
    data.label(data.split.pool[50:51], np.zeros(1, np.int64))
    assert np.abs(first - pool_of(models, rows, "draws").draws).max() > 0


def test_committee_of_one_is_refused():
    with pytest.raises(ConfigError, match="committee_size=1"):
        FittedModule(committee_size=1)


EVEN, ONE_SIDED = Confusion(np.array([[5, 5], [5, 5]])), Confusion(np.array([[10, 0], [9, 1]]))


def steered_by(confusion):
    return LoopState(0, make_strategy("random"), np.arange(40), steering=Evaluation(0.5, confusion))


def test_collapse_is_that_of_the_candidates_where_they_were_scored():
    sure = np.repeat([[0.1, 0.9]], 40, axis=0)
    found = _collapse(Pool(np.arange(40), probabilities=sure), steered_by(EVEN))
    assert (found.label, found.share, found.of) == (1, 1.0, "candidates")
    mixed = np.where(np.arange(40)[:, None] % 2, sure, sure[:, ::-1])
    assert _collapse(Pool(np.arange(40), probabilities=mixed), steered_by(ONE_SIDED)) is None


def test_collapse_is_that_of_the_steering_set_where_they_were_not():
    found = _collapse(Pool(np.arange(40)), steered_by(ONE_SIDED))
    assert (found.label, found.share, found.of) == (0, 0.95, "set that steers")
    assert _collapse(Pool(np.arange(40)), steered_by(EVEN)) is None
    assert _collapse(Pool(np.arange(40)), LoopState(0, make_strategy("random"), np.arange(40))) is None
