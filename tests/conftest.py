"""What many tests share: a tiny corpus whose sentiment is easy to learn."""

import os
from pathlib import Path

import numpy as np
import pytest

from lit_al.corpora import Corpus

WORDS = {
    "negative": ["awful", "dull", "boring", "bad", "mess", "waste", "poor", "tedious"],
    "neutral": ["decent", "average", "middling", "usual", "ordinary", "plain", "fair", "common"],
    "positive": ["great", "lovely", "superb", "good", "gem", "joy", "fine", "moving"],
}
FILLER = ["the", "a", "film", "plot", "actor", "scene", "story", "it", "was", "and", "with", "of", "movie", "camera"]


def build_corpus(rows=200, classes=("negative", "positive"), seed=0, unlabeled=0):
    """`rows` texts of 12 words, classes in turn; the last `unlabeled` rows have no label."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % len(classes)
    texts = []
    for label in labels:
        words = list(rng.choice(FILLER, 9)) + list(rng.choice(WORDS[classes[label]], 3))
        texts.append(" ".join(rng.permutation(words)))
    if unlabeled:
        labels[-unlabeled:] = -1
    return Corpus(texts, labels, tuple(classes), source="tiny")


@pytest.fixture(scope="session")
def make_corpus():
    return build_corpus


@pytest.fixture
def corpus():
    return build_corpus()


@pytest.fixture(scope="session")
def imdb_folder():
    """The folder of the real reviews; tests that ask for it are skipped without it."""
    for folder in (os.environ.get("LIT_AL_IMDB"), Path(__file__).parents[2] / "shared" / "data" / "imdb"):
        if folder and Path(folder, "train.parquet").is_file():
            return Path(folder)
    pytest.skip("the IMDB reviews are not here: set LIT_AL_IMDB to their folder")


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """Tests leave nothing in the user's cache, nor do they find anything there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIT_AL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _no_outside_corpus(monkeypatch):
    """`--data auto` must not depend on the machine's environment."""
    monkeypatch.delenv("LIT_AL_IMDB", raising=False)
