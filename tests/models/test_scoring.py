import numpy as np
import pytest
import torch

from lit_al.exceptions import ConfigError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.models.batches import Batches
from lit_al.models.ensemble import LitCommittee
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import evaluate, score, see


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


SIZES = {"vocabulary_size": 40, "embedding_size": 8, "hidden_size": 4, "dense_size": 6}
EVERYTHING = frozenset({"probabilities", "embeddings", "draws"})


def texts(rows=30, batch_size=7):
    tokens = torch.randint(0, 40, (rows, 9), generator=torch.Generator().manual_seed(0))
    return Batches(tokens, None, torch.arange(rows), batch_size)


@pytest.fixture(params=[2, 3])
def classes(request):
    return [f"class {number}" for number in range(request.param)]


def test_see_gives_what_score_gives_and_the_features_before_dropout(classes):
    model, batches = LitBiLSTM(classes, **SIZES), texts()
    [seen] = see(model, batches, EVERYTHING)
    np.testing.assert_array_equal(seen["probabilities"], score(model, batches))
    head = torch.from_numpy(seen["embeddings"])
    with torch.no_grad():
        again = model.probabilities(model.net.logits_of(head))
    np.testing.assert_allclose(seen["probabilities"], again.numpy(), rtol=0, atol=1e-6)
    assert seen["embeddings"].min() >= 0
    assert {name: array.dtype for name, array in seen.items()} == dict.fromkeys(EVERYTHING, np.float32)


def test_draws_are_those_of_dropout_with_one_mask_for_all_texts(classes):
    torch.manual_seed(0)
    model = LitBiLSTM(classes, **SIZES, dropout=0.3)
    with torch.no_grad():
        model.net.dense.bias += 1  # no feature is 0 by itself
    [seen] = see(model, texts(), EVERYTHING, draws=3_000)
    assert seen["draws"].shape == (3_000, 30, len(classes))
    np.testing.assert_allclose(seen["draws"].sum(axis=2), 1, rtol=1e-5)
    features = torch.from_numpy(seen["embeddings"])
    with torch.no_grad():
        model.train()
        dropped = torch.stack([model.probabilities(model.net.logits_of(model.net.dropout(features)))
                               for _ in range(3_000)]).numpy()  # fmt: skip
    np.testing.assert_allclose(seen["draws"].mean(axis=0), dropped.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(seen["draws"].std(axis=0), dropped.std(axis=0), atol=0.03)
    twice = Batches(texts().tokens, None, torch.tensor([4, 4]), 1)
    [same] = see(model, twice, {"draws"})
    np.testing.assert_array_equal(same["draws"][:, 0], same["draws"][:, 1])


def test_draws_follow_the_seed_and_not_the_batches():
    model = LitBiLSTM(**SIZES)
    first, again, other = (
        see(model, texts(batch_size=size), {"draws"}, seed=seed)[0]["draws"] for size, seed in [(7, 3), (30, 3), (7, 4)]
    )
    np.testing.assert_allclose(first, again, rtol=0, atol=1e-6)
    assert np.abs(first - other).max() > 1e-3


def test_see_asks_each_member_of_a_committee(classes):
    committee = LitCommittee([3, 1], classes, **SIZES)
    seen = see(committee, texts(), EVERYTHING, draws=4)
    assert len(seen) == 2
    masks = set()
    for member, found in enumerate(seen):
        alone = LitBiLSTM(classes, **SIZES)
        alone.net.load_state_dict(committee.net.weights_of(member))
        [expected] = see(alone, texts(), EVERYTHING)
        for name in ("probabilities", "embeddings"):
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-5)
        assert found["draws"].shape == (4, 30, len(classes))
        masks.add(found["draws"].tobytes())
    assert len(masks) == 2
    np.testing.assert_array_equal(score(committee, texts()), np.stack([found["probabilities"] for found in seen]))


def test_see_runs_the_lstm_once_and_only_for_what_a_model_can_give(monkeypatch):
    model, passes = LitBiLSTM(**SIZES), []
    monkeypatch.setattr(model.net.lstm, "forward", lambda *given: passes.append(1) or torch.zeros(len(given[0]), 8))
    [seen] = see(model, texts(batch_size=30), {"draws", "probabilities", "vectors", "classes"})
    assert set(seen) == {"draws", "probabilities"}
    assert passes == [1]
    assert see(model, texts(), {"vectors"}) == [{}]
    assert passes == [1]


def test_see_leaves_the_model_and_torchs_generator_as_they_were():
    model = LitBiLSTM(**SIZES).train()
    state = torch.random.get_rng_state()
    see(model, texts(), EVERYTHING)
    assert model.training
    assert torch.equal(torch.random.get_rng_state(), state)


def test_see_with_no_draw_is_refused():
    with pytest.raises(ConfigError, match="draws=0"):
        see(LitBiLSTM(**SIZES), texts(), {"draws"}, draws=0)


@pytest.mark.parametrize("own", [False, True])
def test_masked_texts_are_scored_by_length_and_come_back_in_order(own):
    tokens = torch.randint(1, 40, (23, 9), generator=torch.Generator().manual_seed(0))
    tokens[torch.arange(9) >= torch.randint(0, 10, (23, 1), generator=torch.Generator().manual_seed(1))] = 0
    committee = LitCommittee([3, 1], **SIZES, masked=True).eval()
    rows = torch.stack([torch.arange(23), torch.arange(23).flip(0)]) if own else torch.arange(23)
    seen = see(committee, Batches(tokens, None, rows, 4), {"probabilities", "draws"}, draws=3)
    with torch.no_grad():
        expected = committee.probabilities(committee(tokens[rows]))
    for member in range(2):
        np.testing.assert_allclose(seen[member]["probabilities"], expected[member], atol=1e-6)
        assert seen[member]["draws"].shape == (3, 23, 2)
    alone = committee.member(0).eval()
    single = score(alone, Batches(tokens, None, torch.arange(23), 4))
    np.testing.assert_allclose(single, alone.probabilities(alone(tokens)).detach(), atol=1e-6)
