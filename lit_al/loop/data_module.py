"""A LightningDataModule whose training set grows: loaders over one encoded tensor and a mutable split.

The corpus is encoded once, into one compact tensor that lives on the training device or, on a CPU, in a mapped file. A
batch is then one gather; no worker process, no collation, and moving a row from the pool to the training set copies
nothing.
"""

import warnings
from collections.abc import Callable

import lightning as L
import numpy as np
import torch
from torch import Tensor

from lit_al.data import Corpus
from lit_al.data.split import Split, stratified_split
from lit_al.models.batches import EVALUATION_BATCH, Batches
from lit_al.models.classifier import Encoder
from lit_al.text.cache import encoded
from lit_al.text.encoder import TextEncoder
from lit_al.typing import UNLABELED, Ints, Mask, Rows


class ActiveDataModule(L.LightningDataModule):
    """Texts in four parts (validation, test, labeled, pool), of which the last two change.

    The labels of pool rows are not in here: an oracle holds them, and `label` brings its answers in.

    Args:
        corpus: the texts, the labels known at the start, the class names.
        split: which row plays which part; None splits as the Keras example does, with `split_seed`.
        encoder: texts to what the network reads, of any shape; None learns the vocabulary of a `TextEncoder` from the
            initial training texts, as the example does.
        batch_size: B of training.
        seed: of the training shuffles.
        split_seed: of the split, where none is given.

    >>> from lit_al import load_corpus
    >>> data = ActiveDataModule(load_corpus("demo", demo_rows=200))
    >>> len(data.split.labeled), len(data.split.pool)
    (60, 100)
    """

    def __init__(
        self,
        corpus: Corpus,
        split: Split | None = None,
        encoder: Encoder | None = None,
        *,
        batch_size: int = 256,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        super().__init__()
        self.corpus = corpus
        self.split = split or stratified_split(corpus, seed=split_seed)
        for note in () if split else self.split.notes:  # whoever splits by hand has read them
            warnings.warn(note, stacklevel=2)
        self.encoder: Encoder = encoder or TextEncoder.fit(corpus.texts[row] for row in self.split.labeled)
        self.batch_size = batch_size
        self.seed = seed
        self.known = np.where(_member(self.split.pool, len(corpus.texts)), UNLABELED, corpus.labels)
        self._tokens: Tensor | None = None
        self._labels: Tensor | None = None

    @property
    def tokens(self) -> Tensor:
        """The whole corpus as its encoder has it, (N, T) uint16 word ids by default, encoded at the first call."""
        if self._tokens is None:
            self.encode()
        assert self._tokens is not None
        return self._tokens

    def encode(self, advance: Callable[[int], object] | None = None) -> None:
        """Encode the corpus, or find it in the cache.

        Args:
            advance: called with the number of texts encoded since the last call, to show progress.
        """
        if isinstance(self.encoder, TextEncoder):
            self._tokens = torch.from_numpy(encoded(self.corpus, self.encoder, advance=advance))
        else:
            self._tokens = torch.as_tensor(self.encoder.encode(self.corpus.texts))

    def setup(self, stage: str) -> None:
        """Encode the corpus and take it to the training device. Runs at every fit and never splits again."""
        device = self.trainer.strategy.root_device if self.trainer is not None else torch.device("cpu")
        self._tokens = self.tokens.to(device)

    def label(self, rows: Rows, labels: Ints) -> None:
        """Take answers in: rows (n,) int64 leave the pool with labels (n,) int64.

        Raises:
            StrategyError: a row twice, or one that is not in the pool.
        """
        self.split.label(rows)
        self.known[rows] = labels
        self._labels = None

    def batches(self, rows: Rows) -> Batches:
        """Tokens and labels of given rows, in order, in large batches."""
        return Batches(self.tokens, self.labels, torch.from_numpy(rows), EVALUATION_BATCH)

    @property
    def labels(self) -> Tensor:
        """(N,) int64 what the learner knows, -1 for unlabeled rows, beside the tokens."""
        if self._labels is None or self._labels.device != self.tokens.device:
            self._labels = torch.from_numpy(self.known).to(self.tokens.device)
        return self._labels

    def train_dataloader(self) -> Batches:
        """Shuffled mini-batches of the labeled rows; seed and round alone decide the shuffles."""
        seed = np.random.SeedSequence([self.seed, len(self.split.rounds)]).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(seed[0] >> np.uint64(1)))
        return Batches(self.tokens, self.labels, torch.from_numpy(self.split.labeled), self.batch_size, generator)

    def val_dataloader(self) -> Batches:
        """Tokens and labels of the validation rows."""
        return self.batches(self.split.validation)

    def test_dataloader(self) -> Batches:
        """Tokens and labels of the test rows."""
        return self.batches(self.split.test)

    def pool_dataloader(self, rows: Rows | None = None) -> Batches:
        """Tokens and row ids, without labels, of pool rows; None takes the whole pool."""
        return Batches(self.tokens, None, torch.from_numpy(self.split.pool if rows is None else rows), EVALUATION_BATCH)

    def predict_dataloader(self) -> Batches:
        """The pool, so that `trainer.predict(model, data)` scores it."""
        return self.pool_dataloader()


def _member(rows: Rows, total: int) -> Mask:
    """(total,) bool: is each row among `rows`?"""
    mask = np.zeros(total, dtype=np.bool_)
    mask[rows] = True
    return mask
