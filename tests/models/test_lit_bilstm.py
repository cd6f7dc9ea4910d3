import subprocess
import sys

import pytest
import torch

from lit_al.models.checkpoint import load_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.text.encoder import TextEncoder

ENCODER = TextEncoder.fit(["a good film", "a bad film"], vocabulary_size=6, max_length=4).state_dict()


def small(classes=("no", "yes"), **settings):
    return LitBiLSTM(classes, ENCODER, embedding_size=4, hidden_size=3, dense_size=2, **settings)


def test_default_is_the_example():
    assert sum(parameter.numel() for parameter in LitBiLSTM().parameters()) == 426_537


def test_two_classes_need_more_than_half_for_the_second():
    model = small()
    logits = torch.tensor([-1.0, 0.0, 1e-6])
    assert model.predicted(logits).tolist() == [0, 0, 1]
    torch.testing.assert_close(model.probabilities(logits).sum(dim=1), torch.ones(3))
    assert model.loss(torch.zeros(2), torch.tensor([0, 1])).item() == pytest.approx(0.6931, abs=1e-4)


def test_three_classes_take_the_most_probable():
    model = small(("a", "b", "c"))
    logits = torch.tensor([[0.0, 2.0, 1.0]])
    assert model.predicted(logits).tolist() == [1]
    assert model.probabilities(logits).shape == (1, 3)
    assert model.loss(torch.zeros(1, 3), torch.tensor([2])).item() == pytest.approx(1.0986, abs=1e-4)


def test_metrics_weigh_batches_by_their_size():
    model = small(dropout=0.0).eval()
    tokens = torch.randint(0, 6, (7, 4))
    labels = torch.tensor([0, 1, 1, 0, 1, 0, 1])
    model.test_step((tokens, labels), 0)
    whole = model.take_evaluation("test")
    model.test_step((tokens[:5], labels[:5]), 0)
    model.test_step((tokens[5:], labels[5:]), 1)
    parts = model.take_evaluation("test")
    assert parts.loss == pytest.approx(whole.loss)
    assert (parts.confusion.matrix == whole.confusion.matrix).all()
    assert whole.confusion.matrix.sum(axis=1).tolist() == [3, 4]


def test_checkpoint_opens_in_a_fresh_process_with_vocabulary_and_classes(tmp_path):
    import lightning as L

    model = small().eval()
    trainer = L.Trainer(logger=False, enable_progress_bar=False, max_steps=0, accelerator="cpu")
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "m.ckpt", weights_only=True)
    code = f"""
from lit_al import LitBiLSTM
model = LitBiLSTM.load_from_checkpoint({str(tmp_path / "m.ckpt")!r}, weights_only=True)
print(model.classes, model.encoder.vocabulary[2:], model.training)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "('no', 'yes') ('film', 'a', 'good', 'bad')" in done.stdout
    again = load_model(tmp_path / "m.ckpt").eval()
    tokens = torch.randint(0, 6, (3, 4))
    with torch.no_grad():
        assert torch.equal(again(tokens), model(tokens))


def test_checkpoint_says_whether_padding_is_masked_and_older_ones_do_not(tmp_path):
    import lightning as L

    model = small(masked=True).eval()
    trainer = L.Trainer(logger=False, enable_progress_bar=False, max_steps=0, accelerator="cpu")
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "m.ckpt", weights_only=True)
    assert load_model(tmp_path / "m.ckpt").net.lstm.masked
    saved = torch.load(tmp_path / "m.ckpt", weights_only=True)
    del saved["hyper_parameters"]["masked"]
    torch.save(saved, tmp_path / "old.ckpt")
    assert not load_model(tmp_path / "old.ckpt").net.lstm.masked


def test_optimizer_steps_by_the_formula_of_keras_2():
    model = small()
    optimizer = model.configure_optimizers()
    bias = model.net.head.bias
    weight, mean_square = bias.detach().double().numpy().copy(), 0.0
    for gradient in (1.0, 1e-3, -1e-5, 0.0, 0.5):
        bias.grad = torch.full_like(bias, gradient)
        optimizer.step()
        mean_square = 0.9 * mean_square + 0.1 * gradient**2
        weight -= 1e-3 * gradient / (mean_square**0.5 + 1e-7)
    assert bias.item() == pytest.approx(weight.item(), abs=1e-7)
