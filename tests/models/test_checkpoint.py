import random
import zipfile

import lightning as L
import numpy as np
import pytest
import torch

from lit_al.cli import main
from lit_al.exceptions import CheckpointError, FitError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.models.best_checkpoint import BestCheckpoint
from lit_al.models.checkpoint import check_finite, load_frozen, load_model, load_weights, read_checkpoint, save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.prediction import probabilities
from lit_al.text.encoder import TextEncoder


class ScriptedLoss(L.Callback):
    """Logs a metric of our choice, epoch by epoch."""

    def __init__(self, losses):
        self.losses = list(losses)

    def on_validation_epoch_end(self, trainer, pl_module):
        pl_module.log("scripted", self.losses.pop(0))


def fit(model, data, best, losses):
    trainer = L.Trainer(
        max_epochs=len(losses),
        callbacks=[ScriptedLoss(losses), best],
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(model, data)


@pytest.fixture
def parts(corpus):
    data = ActiveDataModule(corpus)
    return LitBiLSTM(corpus.classes, data.encoder.state_dict()), data


def test_best_is_kept_over_fits(parts, tmp_path):
    model, data = parts
    best = BestCheckpoint(tmp_path, "scripted")
    fit(model, data, best, [0.5, 0.3, 0.4])
    assert best.best_model_score == pytest.approx(0.3)
    kept = read_checkpoint(best.best_model_path)["state_dict"]
    assert not torch.equal(kept["net.head.weight"], model.state_dict()["net.head.weight"])  # epoch 2, not 3
    fit(model, data, best, [0.31, 0.32])  # not better than the first fit
    assert torch.equal(read_checkpoint(best.best_model_path)["state_dict"]["net.head.weight"], kept["net.head.weight"])
    fit(model, data, best, [0.2])  # better, after as many steps as a save before
    assert best.best_model_score == pytest.approx(0.2)
    saved = read_checkpoint(best.best_model_path)["state_dict"]["net.head.weight"]
    assert torch.equal(saved, model.state_dict()["net.head.weight"])


def test_folder_holds_one_whole_file(parts, tmp_path):
    model, data = parts
    best = BestCheckpoint(tmp_path / "checkpoints")
    fit(model, data, best, [0.5, 0.4])
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["best.ckpt"]
    loaded = load_model(best.best_model_path)
    assert loaded.classes == model.classes
    assert loaded.encoder == model.encoder


def test_folder_that_cannot_be_made_is_said(parts, tmp_path):
    model, data = parts
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match=r"cannot be written .* --log-dir"):
        fit(model, data, BestCheckpoint(tmp_path / "file"), [0.5])


def test_files_that_are_no_checkpoint_are_refused(tmp_path, parts):
    with pytest.raises(CheckpointError, match="cannot be read: No such file"):
        load_model(tmp_path / "none.ckpt")
    (tmp_path / "text.ckpt").write_text("hello")
    with pytest.raises(CheckpointError, match="not a checkpoint, or it is damaged"):
        load_model(tmp_path / "text.ckpt")
    torch.save({"a": 1}, tmp_path / "dict.ckpt")
    with pytest.raises(CheckpointError, match="holds no model"):
        load_model(tmp_path / "dict.ckpt")
    torch.save({"state_dict": {"x": torch.zeros(1)}}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="another model"):
        load_weights(parts[0], tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="not one of LitBiLSTM"):
        load_model(tmp_path / "other.ckpt")


def test_truncated_checkpoint_is_refused(parts, tmp_path):
    model, data = parts
    best = BestCheckpoint(tmp_path)
    fit(model, data, best, [0.5])
    whole = (tmp_path / "best.ckpt").read_bytes()
    (tmp_path / "best.ckpt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(tmp_path / "best.ckpt")


def test_nothing_in_a_checkpoint_is_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (print, ("executed",))

    torch.save({"state_dict": Bomb()}, tmp_path / "bomb.ckpt")
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path / "bomb.ckpt")


# --- Damaged, and made by somebody else -------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A small model and its checkpoint."""
    encoder = TextEncoder.fit(["a good film", "a bad film"], vocabulary_size=6, max_length=4)
    model = LitBiLSTM(("bad", "good"), encoder.state_dict(), embedding_size=4, hidden_size=2)
    return model, save_model(model, tmp_path / "small.ckpt")


def contents(model):
    weights = {name: weight.numpy().tobytes() for name, weight in model.state_dict().items()}
    return dict(model.hparams), model.classes, model.encoder, weights


@pytest.mark.parametrize("seed", range(4))
def test_no_flipped_bit_changes_what_is_loaded(seed, small, capsys):
    model, path = small
    whole = path.read_bytes()
    rng = random.Random(seed)
    refused = 0
    for place in rng.sample(range(8 * len(whole)), 150):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            found = load_model(path)
        except CheckpointError:
            refused += 1
        else:
            assert contents(found) == contents(model), place
    assert refused > 75  # the others are outside of all that is read: padding, dates
    print(f"{refused} of 150 flipped bits refused, none of the others changed anything")


def test_weights_that_are_not_finite_are_refused(small, tmp_path, capsys):
    state = read_checkpoint(small[1])
    state["state_dict"]["net.dense.bias"][3] = float("nan")
    torch.save(state, tmp_path / "nan.ckpt")
    assert main.main(["predict", "--checkpoint", str(tmp_path / "nan.ckpt"), "a film"]) == 2
    assert "not finite numbers" in capsys.readouterr().err
    with pytest.raises(CheckpointError, match="not finite"):
        load_weights(small[0], tmp_path / "nan.ckpt")


def vast(*shape):
    """An array of any size that takes the memory of one number."""
    return torch.zeros(1).expand(shape)


CRAFTED = {
    "no settings": {"hyper_parameters": None},
    "settings that are a list": {"hyper_parameters": [1, 2]},
    "no weights": {"state_dict": None},
    "unknown setting": {"hyper_parameters": {"color": 1}},
    "classes that are a number": {"hyper_parameters": {"classes": 7}},
    "classes that are numbers": {"hyper_parameters": {"classes": [1, 2]}},
    "classes with half a surrogate": {"hyper_parameters": {"classes": ["a", "\ud800"]}},
    "one class": {"hyper_parameters": {"classes": ["a"]}},
    "a million classes": {"hyper_parameters": {"classes": ["a"] * 1_000_000}},
    "an encoder that is text": {"hyper_parameters": {"encoder": "words"}},
    "an empty encoder": {"hyper_parameters": {"encoder": {}}},
    "a dropout that is text": {"hyper_parameters": {"dropout": "half"}},
    "a dropout of 7": {"hyper_parameters": {"dropout": 7.0}},
    "a width of 2**62": {"hyper_parameters": {"embedding_size": 2**62}},
    "a width of 2**40": {"hyper_parameters": {"embedding_size": 2**40}},
    "no width": {"hyper_parameters": {"hidden_size": 0}},
    "a width below zero": {"hyper_parameters": {"dense_size": -20}},
    "a width that is text": {"hyper_parameters": {"hidden_size": "2"}},
    "masked that is text": {"hyper_parameters": {"masked": "yes"}},
    "an unknown kernel": {"hyper_parameters": {"kernel": "os.system"}},
    "max_length of 2**60": {"encoder": {"max_length": 2**60}},
    "max_length below zero": {"encoder": {"max_length": -4}},
    "max_length that is text": {"encoder": {"max_length": "4"}},
    "an unknown cut": {"encoder": {"cut": "sideways"}},
    "an unknown standard": {"encoder": {"how": ["keras3"]}},
    "a vocabulary of numbers": {"encoder": {"vocabulary": ["", "[UNK]", 1, 2, 3, 4]}},
    "words with line feeds": {"encoder": {"vocabulary": ["", "[UNK]", "a\nb\nc", "x", "y", "z"]}},
    "a vocabulary of another size": {"encoder": {"vocabulary": ["", "[UNK]", "a"]}},
    "weights of terabytes": {
        "hyper_parameters": {"encoder": None, "vocabulary_size": 2**30, "embedding_size": 2**12},
        "state_dict": {"net.embedding.weight": vast(2**30, 2**12), "net.lstm.input_kernel": vast(2, 2**12, 8)},
    },
    "a weight of another shape": {"state_dict": {"net.head.bias": torch.zeros(2)}},
    "a weight of whole numbers": {"state_dict": {"net.head.bias": torch.zeros(1, dtype=torch.int64)}},
    "a sparse weight": {"state_dict": {"net.embedding.weight": torch.zeros(6, 4).to_sparse()}},
    "a weight that is a list": {"state_dict": {"net.head.bias": [0.0]}},
    "a weight besides": {"state_dict": {"net.more": torch.zeros(1)}},
    "a weight under a number": {"state_dict": {7: torch.zeros(1)}},
}  # fmt: skip


@pytest.mark.parametrize("change", CRAFTED.values(), ids=CRAFTED.keys())
def test_crafted_checkpoint_is_refused_in_one_sentence(change, small, tmp_path, capsys):
    state = read_checkpoint(small[1])
    state["hyper_parameters"]["encoder"].update(change.get("encoder", {}))
    for part in ("hyper_parameters", "state_dict"):
        if isinstance(change.get(part, {}), dict):
            state[part].update(change.get(part, {}))
        else:
            state[part] = change[part]
    torch.save(state, tmp_path / "crafted.ckpt")
    assert (tmp_path / "crafted.ckpt").stat().st_size < 5_000_000
    assert main.main(["predict", "--checkpoint", str(tmp_path / "crafted.ckpt"), "a good film"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {tmp_path / 'crafted.ckpt'}")
    assert printed.count("\n") == 1
    assert "give" in printed


def test_archives_that_torch_never_writes_are_refused(small, tmp_path, capsys):
    packed = tmp_path / "packed.ckpt"
    with zipfile.ZipFile(small[1]) as whole, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as other:
        for member in whole.namelist():
            other.writestr(member, whole.read(member))
    torch.save(read_checkpoint(small[1]), tmp_path / "old.ckpt", _use_new_zipfile_serialization=False)
    for path, words in [(packed, "compressed"), (tmp_path / "old.ckpt", "no whole zip archive")]:
        assert main.main(["predict", "--checkpoint", str(path), "a good film"]) == 2
        assert words in capsys.readouterr().err


def test_a_state_that_names_itself_is_looked_at_once(tmp_path):
    state = {"w": torch.tensor([1.0])}
    for _ in range(60):
        state = {"a": state, "b": state}  # 2 ** 60 ways to the one number
    state["self"] = state
    check_finite({"model": state})
    state["c"] = torch.tensor([float("inf")])
    with pytest.raises(FitError):
        check_finite({"model": state})


@pytest.mark.parametrize(("classes", "masked"), [(("a", "b"), False), (("a", "b", "c"), True)])
def test_a_frozen_model_says_what_the_model_says(classes, masked, tmp_path):
    texts = ["a good film", "", "bad", "a film a film a film", "good bad"] * 3
    encoder = TextEncoder.fit(texts, vocabulary_size=9, max_length=5)
    torch.manual_seed(1)
    model = LitBiLSTM(classes, encoder.state_dict(), embedding_size=4, hidden_size=3, masked=masked)
    path = save_model(model, tmp_path / "x.ckpt")
    frozen = load_frozen(path)
    assert frozen.classes == load_model(path).classes == classes
    [expected], [found] = (list(probabilities(one, texts)) for one in (load_model(path), frozen))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == expected.dtype == np.float32
    pieces = list(probabilities(frozen, texts, 4))
    assert [len(piece) for piece in pieces] == [4, 4, 4, 3]
    np.testing.assert_allclose(np.concatenate(pieces), expected, atol=1e-6)
