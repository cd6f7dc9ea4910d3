import numpy as np
import pytest
import torch

from lit_al.models.checkpoint import save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.text.encoder import TextEncoder

SPAM = ["win", "cash", "free", "prize", "claim"]
HAM = ["meeting", "lunch", "report", "tomorrow", "thanks"]


def _mails(rows, seed=0, wrong=0.1):
    """Texts of ten words, four of them spam's or ham's own, and labels of which a share is wrong."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, rows)
    texts = []
    for label in labels:
        words = [*rng.choice(SPAM if label else HAM, 4), *rng.choice(["the", "a", "of", "to"], 6)]
        texts.append(" ".join(rng.permutation(words)))
    flipped = rng.random(rows) < wrong
    return texts, ["spam" if label else "ham" for label in labels ^ flipped]


def _made(classes=("ham", "spam"), how="unicode", units="words", cut="end", masked=True, length=12, **settings):
    """A network that knows nothing, whose weights are large enough that texts differ."""
    texts, _ = _mails(200)
    encoder = TextEncoder.fit(
        [*texts, "Straße 好吃 👍🏽!"] * 2, vocabulary_size=80, max_length=length, how=how, units=units, cut=cut
    )
    torch.manual_seed(0)
    sizes = {"embedding_size": 8, "hidden_size": 5, "dense_size": 6, "masked": masked, **settings}
    model = LitBiLSTM(classes, encoder.state_dict(), **sizes)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return model.eval()


def _learned(sureness=1.0):
    """A network that tells spam by its words, as sure of it as is asked."""
    model = _made()
    words = {word: number for number, word in enumerate(model.encoder.vocabulary)}
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        for column, own in enumerate((HAM, SPAM)):
            model.net.embedding.weight[[words[word] for word in own], column] = 1
        for direction in range(2):
            kernel = model.net.lstm.input_kernel[direction]
            for unit in range(2):  # input and output gate open, new content by the word alone
                kernel[unit, 10 + unit] = 2.0  # the cell's content is the third of four blocks of five
                model.net.lstm.bias[direction, [unit, 15 + unit]] = 4.0
                model.net.lstm.bias[direction, 5 + unit] = 1.0
        for unit in range(2):
            model.net.dense.weight[unit, [unit, 5 + unit]] = 1.0
        model.net.head.weight[0, :2] = torch.tensor([-6.0, 6.0]) * sureness
    return model


@pytest.fixture
def made():
    """Makes networks: see `_made`."""
    return _made


@pytest.fixture
def learned():
    """Makes networks that know spam: see `_learned`."""
    return _learned


@pytest.fixture
def checkpoint(tmp_path):
    return save_model(_learned(), tmp_path / "model.ckpt")


@pytest.fixture
def write_mails(tmp_path):
    def write(rows=400, seed=1, wrong=0.1, name="held.csv"):
        texts, labels = _mails(rows, seed, wrong)
        path = tmp_path / name
        path.write_text(
            "text,label\n" + "".join(f"{text},{label}\n" for text, label in zip(texts, labels, strict=True))
        )
        return path

    return write
