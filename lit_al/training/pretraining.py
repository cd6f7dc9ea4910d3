"""What the unlabeled texts teach before any label is asked for, learned once for a corpus and an encoder.

| part | what | of |
|---|---|---|
| features | the teacher's views of the whole texts | `text.tfidf` |
| embedding | word vectors | `text.ppmi` |
| weights | embedding and LSTM, trained to tell each text's latent directions | here |

All of it is learned from the texts that may be labeled or read freely, never from the test set, and kept in the cache,
so that every round, seed and strategy begins with the same.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import lightning as L
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lit_al.data import Corpus
from lit_al.models.bilstm import BiLSTM
from lit_al.models.ensemble import LitCommittee
from lit_al.models.lit_bilstm import rms_prop
from lit_al.text.bucketing import in_windows, lengths_of
from lit_al.text.cache import kept
from lit_al.text.encoder import TextEncoder
from lit_al.text.ppmi import word_vectors
from lit_al.text.tfidf import Features, text_features
from lit_al.training.fitting import fit, plain_trainer
from lit_al.training.recipe import Recipe
from lit_al.typing import Float16s, Float32s, Rows

FORMAT: Final = "2"  # part of the cached files' names: raise it when the same texts teach something else
DIRECTIONS: Final = 100  # the main ones, which pretraining tells
PASSES: Final = 2  # of pretraining
BATCH: Final = 256
FEWEST: Final = 1_000  # texts from which there is something to learn without labels


@dataclass(frozen=True)
class Pretraining:
    """What is known before the first label.

    Attributes:
        rows: (u,) int64 texts that may be learned from.
        features: of every text, for the teacher; None where there is none.
        weights: of embedding and LSTM to begin with, by their names in `BiLSTM`.
        notes: what could not be done, a sentence each.
    """

    rows: Rows
    features: Features | None = None
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def begin(self, model: LitCommittee) -> None:
        """Give every member these weights; the others stay as they were drawn."""
        with torch.no_grad():
            for name, weight in zip(model.net.names, model.net.weights, strict=True):
                if name in self.weights:
                    weight.copy_(self.weights[name].expand_as(weight))


def learn(
    recipe: Recipe,
    corpus: Corpus,
    rows: Rows,
    encoder: TextEncoder,
    tokens: Tensor,
    report: Callable[[str], object] = lambda doing: None,
    accelerator: str = "auto",
    *,
    embeddings: Float16s | None = None,
) -> Pretraining:
    """Learn what a recipe begins with.

    Args:
        recipe: says what is needed.
        corpus: N texts; no label is read.
        rows: (u,) int64 texts that may be learned from.
        encoder: of the tokens.
        tokens: (N, T) uint16.
        report: called with what is being done.
        accelerator: Lightning's, for pretraining.
        embeddings: (N, D) float16 vectors of a pretrained encoder, one view more for the teacher.

    Raises:
        ConfigError: see `text_features`.
    """
    rows = corpus.in_order(rows)
    notes: tuple[str, ...] = ()
    if len(rows) < FEWEST and (recipe.vectors or recipe.pretrain or recipe.teacher):
        notes = (f"{len(rows):,} texts teach little without labels: word vectors and teacher will be poor",)
    features, weights = None, dict[str, Tensor]()
    if recipe.teacher or recipe.pretrain:
        report("reading the whole texts for the teacher")
        features = text_features(corpus, rows)
        if embeddings is not None:
            features = features.having("pretrained encoder", embeddings)
    key = {"prior": FORMAT, "corpus": corpus.fingerprint, "encoder": encoder.state_dict(), "rows": rows}
    words = len(encoder.vocabulary)
    if recipe.vectors:
        report("learning word vectors")
        found = kept(
            {**key, "what": "vectors"},
            len(rows),
            lambda: {"embedding.weight": word_vectors(tokens[torch.from_numpy(rows)], words).numpy()},
        )
        weights = {name: torch.from_numpy(array) for name, array in found.items()}
    if recipe.pretrain:
        assert features is not None  # computed above
        report("pretraining embedding and LSTM")
        start = {name: weight.numpy() for name, weight in weights.items()}
        directions = features.directions[rows, :DIRECTIONS]
        found = kept(
            {**key, "what": "pretrain", "masked": recipe.masked, "vectors": recipe.vectors},
            len(rows),
            lambda: pretrain(tokens, rows, directions, words, start, masked=recipe.masked, accelerator=accelerator),
        )
        weights = {name: torch.from_numpy(array) for name, array in found.items()}
    return Pretraining(rows, features, weights, notes)


def pretrain(
    tokens: Tensor,
    rows: Rows,
    directions: Float32s,
    words: int,
    start: Mapping[str, Float32s],
    *,
    masked: bool = False,
    accelerator: str = "auto",
) -> dict[str, Float32s]:
    """Train embedding and LSTM to tell the latent directions of each text from its words in their order.

    Args:
        tokens: (N, T) uint16.
        rows: (u,) int64 texts to learn from.
        directions: (u, D) float32, their targets.
        words: V.
        start: weights to begin with, by their names in `BiLSTM`.
        masked: padding has no state.
        accelerator: Lightning's.

    Returns:
        The weights of embedding and LSTM, by their names in `BiLSTM`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = BiLSTM(words, masked=masked)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in start.items()}, strict=False)
        centered = directions - directions.mean(axis=0)
        task = Directions(net, centered.shape[1])
        texts = _Texts(tokens, rows, centered / max(float(centered.std()), 1e-12))
        fit(plain_trainer(accelerator), task, texts)
    state = net.state_dict()
    return {name: weight.cpu().numpy() for name, weight in state.items() if name.startswith(("embedding", "lstm"))}


class Directions(L.LightningModule):
    """The task: D numbers of a text from its pooled states, by least squares.

    Args:
        net: whose embedding and LSTM learn.
        size: D.
    """

    def __init__(self, net: BiLSTM, size: int) -> None:
        super().__init__()
        self.net, self.out = net, nn.Linear(net.dense.in_features, size)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        """Mean squared error on tokens (B, T) and targets (B, D)."""
        tokens, targets = batch
        pooled = self.net.lstm(tokens, self.net.embedding.weight)  # (B, 2H)
        return F.mse_loss(self.out(pooled), targets)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """That of the network."""
        return rms_prop([*self.net.embedding.parameters(), *self.net.lstm.parameters(), *self.out.parameters()], 1e-3)


@dataclass
class _Texts:
    """Batches of tokens (B, T) and targets (B, D), texts of like length together."""

    tokens: Tensor
    rows: Rows
    targets: npt.NDArray[Any]

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        lengths = lengths_of(self.tokens, torch.from_numpy(self.rows))
        self.size = min(BATCH, len(self.rows))
        orders = [rng.permutation(len(self.rows)) for _ in range(PASSES)]
        self.order = np.concatenate([order[in_windows(lengths[order][None], self.size, rng)[0]] for order in orders])

    def __len__(self) -> int:
        return -(-len(self.order) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, len(self.order), self.size):
            places = self.order[first : first + self.size]
            yield self.tokens[torch.from_numpy(self.rows[places])], torch.from_numpy(self.targets[places])
