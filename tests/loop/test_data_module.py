import numpy as np
import pytest
import torch

from lit_al.exceptions import StrategyError
from lit_al.loop.data_module import ActiveDataModule


@pytest.fixture
def data(corpus):
    return ActiveDataModule(corpus, batch_size=16)


def rows_of(batches):
    return torch.cat([second for _, second in batches]).tolist()


def test_pool_loader_gives_rows_and_no_labels(data):
    batches = data.pool_dataloader()
    assert rows_of(batches) == data.split.pool.tolist()
    tokens, _ = next(iter(batches))
    assert tokens.dtype == torch.uint16
    assert tokens.shape == (100, 150)


def test_labels_of_pool_rows_are_not_in_the_datamodule(data):
    assert (data.known[data.split.pool] == -1).all()
    assert (data.labels[torch.from_numpy(data.split.pool)] == -1).all()
    assert (data.known[data.split.labeled] >= 0).all()


def test_label_grows_the_training_set(data, corpus):
    rows = data.split.pool[:5]
    data.label(rows, corpus.labels[rows])
    tokens, labels = zip(*data.train_dataloader(), strict=True)
    assert len(torch.cat(tokens)) == 65
    assert sorted(torch.cat(labels).tolist()) == sorted(corpus.labels[data.split.labeled].tolist())


def test_label_refused_changes_nothing(data):
    before = data.known.copy()
    with pytest.raises(StrategyError):
        data.label(data.split.test[:1], np.array([1]))
    assert (data.known == before).all()


def test_train_loader_shuffles_each_epoch_and_repeats_with_the_seed(corpus):
    first, again = (ActiveDataModule(corpus, seed=7).train_dataloader() for _ in range(2))
    epochs = [torch.cat([t for t, _ in first]) for _ in range(2)]
    assert not torch.equal(epochs[0], epochs[1])
    assert torch.equal(epochs[0], torch.cat([t for t, _ in again]))
    other = torch.cat([t for t, _ in ActiveDataModule(corpus, seed=8).train_dataloader()])
    assert not torch.equal(epochs[0], other)


def test_train_loader_shuffle_depends_on_the_round(data, corpus):
    before = data.train_dataloader().generator.initial_seed()
    rows = data.split.pool[:1]
    data.label(rows, corpus.labels[rows])
    assert data.train_dataloader().generator.initial_seed() != before


def test_setup_neither_splits_nor_encodes_again(data):
    tokens = data.tokens
    split = data.split
    data.setup("fit")
    data.setup("fit")
    assert data.split is split
    assert data.tokens.data_ptr() == tokens.data_ptr()


def test_batches_count_their_length(data):
    batches = data.train_dataloader()
    assert len(batches) == len(list(batches)) == 4  # 60 rows in batches of 16


def test_vocabulary_comes_from_the_initial_training_texts_alone(corpus):
    data = ActiveDataModule(corpus)
    words = {word for row in data.split.labeled for word in corpus.texts[row].split()}
    assert set(data.encoder.vocabulary[2:]) == words
