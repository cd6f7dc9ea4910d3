"""Pools of made-up numbers: what a strategy sees, without a model."""

import numpy as np
import pytest

from lit_al.metrics import Confusion
from lit_al.strategies import Context, Labeled, Pool

FIRST_ID = 10_000  # row ids that no position in a small pool can be mistaken for


def distributions(rng, *shape):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)


def build_pool(rows=60, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return Pool(
        FIRST_ID + 7 * rng.permutation(rows),
        probabilities=distributions(rng, rows, classes),
        draws=distributions(rng, 6, rows, classes),
        committee=distributions(rng, 5, rows, classes),
        embeddings=rng.normal(size=(rows, 5)).astype(np.float32),
        vectors=rng.normal(size=(rows, 4)).astype(np.float32),
        classes=rng.integers(classes, size=rows),
    )


def build_labeled(rows=15, classes=3, seed=1):
    rng = np.random.default_rng(seed)
    return Labeled(
        np.arange(rows),
        labels=rng.integers(classes, size=rows),
        probabilities=distributions(rng, rows, classes),
        embeddings=rng.normal(size=(rows, 5)).astype(np.float32),
        vectors=rng.normal(size=(rows, 4)).astype(np.float32),
    )


def build_context(seed=0, classes=3, labeled=True):
    matrix = np.full((classes, classes), 3) + 10 * np.eye(classes, dtype=np.int64) + np.arange(classes)
    there = build_labeled(classes=classes) if labeled else Labeled.none()
    return Context(np.random.default_rng(seed), there, Confusion(matrix))


@pytest.fixture(scope="session")
def make_pool():
    return build_pool


@pytest.fixture(scope="session")
def make_labeled():
    return build_labeled


@pytest.fixture(scope="session")
def make_context():
    return build_context
