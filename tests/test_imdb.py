"""The system on the real reviews, where they are here."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lit_al.experiment.config import TrainConfig
from lit_al.experiment.experiment_data import prepare
from lit_al.experiment.session import settle
from lit_al.text.encoder import standardize

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.imdb


@pytest.fixture(scope="module")
def material(imdb_folder):
    config, said, corpus = settle(TrainConfig(data=str(imdb_folder)))
    assert said.startswith("protocol: keras, for ")
    return prepare(config, corpus)


def test_split_is_that_of_the_example(material):
    split, labels = material.split, material.corpus.labels
    sizes = [len(rows) for rows in (split.validation, split.test, split.labeled, split.pool)]
    assert sizes == [5_000, 5_000, 15_000, 25_000]
    assert [int(labels[rows].sum()) * 2 for rows in (split.validation, split.test, split.labeled)] == sizes[:3]
    assert material.corpus.classes == ("negative", "positive")
    assert material.corpus.source == "imdb"


def test_vocabulary_is_full_and_begins_with_the_commonest_words(material):
    assert len(material.encoder.vocabulary) == 3_000
    texts = (material.corpus.texts[row] for row in material.split.labeled)
    counted = Counter(word for text in texts for word in standardize(text).encode().split())  # at ASCII blanks
    counts = [counted[word.encode()] for word in material.encoder.vocabulary[2:]]
    assert counts == [count for _, count in counted.most_common(2_998)]  # whether "a" or "and" is first, the seed says
    assert material.encoder.vocabulary[2] == "the"
    assert "br" in material.encoder.vocabulary


def test_copies_across_the_parts_are_counted(material):
    found = material.duplicates
    assert sum(part.rows for part in found.values()) == 50_000
    assert found["test"].elsewhere > 0
    inside = sum(part.inside for part in found.values())
    assert 0 < inside < material.extra_copies == 418  # the other copies lie across


def test_tokens_are_mostly_known_words(material):
    tokens = material.encoder.encode(material.corpus.texts[:2_000])
    words = tokens[tokens > 0]
    assert 0.1 < np.mean(words == 1) < 0.25


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "low", "high"), [("full", 0.845, 0.875), ("active", 0.835, 0.865)])
def test_accuracy_is_that_of_the_example(imdb_folder, tmp_path, mode, low, high):
    command = [sys.executable, "scripts/train.py", "--mode", mode, "--data", str(imdb_folder)]
    subprocess.run([*command, "--log-dir", str(tmp_path), "--name", mode], cwd=ROOT, check=True, capture_output=True)
    results = json.loads((tmp_path / mode / "results.json").read_text())
    assert low <= results["test"]["accuracy"] <= high
    assert results["labels_spent"]["train"] == (40_000 if mode == "full" else results["rounds"][-1]["labels"])
