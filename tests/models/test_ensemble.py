import lightning as L
import numpy as np
import pytest
import torch

from lit_al.exceptions import ConfigError
from lit_al.models.batches import Batches
from lit_al.models.bilstm import BiLSTM
from lit_al.models.ensemble import Committee, LitCommittee
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import score

SIZES = {"vocabulary_size": 30, "embedding_size": 8, "hidden_size": 4, "dense_size": 5}
SEEDS = [3, 1, 4]


@pytest.fixture(params=[2, 3])
def classes(request):
    return [f"class {number}" for number in range(request.param)]


@pytest.fixture
def texts(classes):
    """Tokens (60, 9) and labels (60,): the class is among the words."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 30, (60, 9), generator=generator)
    return tokens, tokens[:, 0] % len(classes)


def alone(seed, classes, **options):
    L.seed_everything(seed, verbose=False)
    return LitBiLSTM(classes, **SIZES, **options)


def trainer(*callbacks, epochs=3):
    return L.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
    )


def test_committee_gives_the_logits_of_its_members(classes, texts):
    members = [alone(seed, classes).net for seed in SEEDS]
    committee = Committee(members)
    tokens, own = texts[0], torch.stack([texts[0].roll(shift, 0) for shift in range(3)])
    expected = torch.stack([member(tokens) for member in members])
    committee.dropout.eval()
    with torch.no_grad():
        committee.eval()
        torch.testing.assert_close(committee(tokens), torch.stack([member.eval()(tokens) for member in members]))
        found = committee(own)
        torch.testing.assert_close(found, torch.stack([m(t) for m, t in zip(members, own, strict=True)]))
    assert found.shape == expected.shape


def test_masked_committee_is_one_of_masked_members(classes, texts):
    committee = LitCommittee(SEEDS, classes, **SIZES, masked=True).eval()
    tokens = texts[0].clone()
    tokens[:, 5:] = 0
    member = committee.member(1).eval()
    with torch.no_grad():
        assert member.net.lstm.masked
        torch.testing.assert_close(committee(tokens)[1], member(tokens))
        torch.testing.assert_close(committee(tokens[:, :6]), committee(tokens), atol=1e-6, rtol=0)


def test_members_begin_as_models_of_their_seeds(classes):
    committee = LitCommittee(SEEDS, classes, **SIZES)
    for member, seed in enumerate(SEEDS):
        net = BiLSTM(30, len(classes), 8, 4, 5)
        net.load_state_dict(committee.net.weights_of(member))
        for name, weight in alone(seed, classes).net.state_dict().items():
            assert torch.equal(net.state_dict()[name], weight), name


def test_members_learn_what_they_would_learn_alone(classes, texts):
    tokens, labels = texts
    shuffles = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    rows = torch.stack([torch.arange(50), torch.arange(5, 55), torch.arange(10, 60)])
    committee = LitCommittee(SEEDS, classes, **SIZES, dropout=0.0)
    trainer().fit(committee, Batches(tokens, labels, rows, 16, shuffles))
    probabilities = score(committee, Batches(tokens, None, torch.arange(60), 7))
    assert probabilities.shape == (3, 60, len(classes))
    for member, seed in enumerate(SEEDS):
        model = alone(seed, classes, dropout=0.0)
        generator = torch.Generator().manual_seed(seed)
        validation = Batches(tokens, labels, torch.arange(60), 25)
        fitted = trainer()
        fitted.fit(model, Batches(tokens, labels, rows[member], 16, generator), validation)
        np.testing.assert_allclose(probabilities[member], score(model, validation), rtol=0, atol=1e-5)


def test_committee_of_nobody_or_of_unequal_members_is_refused():
    with pytest.raises(ConfigError, match="got none"):
        Committee([])
    with pytest.raises(ConfigError, match="one shape"):
        Committee([BiLSTM(10), BiLSTM(11)])
    with pytest.raises(ConfigError, match="some members of the committee are masked"):
        Committee([BiLSTM(10), BiLSTM(10, masked=True)])


def test_checkpoint_brings_a_committee_back(tmp_path, texts):
    committee = LitCommittee(SEEDS, ["a", "b"], **SIZES)
    batches = Batches(texts[0], texts[1] % 2, torch.arange(60), 16)
    fitted = trainer(epochs=1)
    fitted.fit(committee, batches)
    fitted.save_checkpoint(tmp_path / "c.ckpt", weights_only=True)
    again = LitCommittee.load_from_checkpoint(tmp_path / "c.ckpt", weights_only=True)
    np.testing.assert_array_equal(score(again, batches), score(committee, batches))
