import numpy as np
import pytest

from lit_al.strategies import BADGE, Context, Pool, choose, make_strategy


def plain_badge(probabilities, embeddings, n, rng):
    """k-means++ over gradients written out in full, with the draws in the same order."""
    gradients = []
    for p, h in zip(probabilities, embeddings, strict=True):
        pseudo = int(np.argmax(p))
        gradients.append([(p[c] - (c == pseudo)) * x for c in range(len(p)) for x in h])
    lengths = [sum(g * g for g in gradient) for gradient in gradients]
    picks = [int(rng.choice([lengths.index(max(lengths))]))]
    while len(picks) < n:
        nearest = [
            min(sum((a - b) ** 2 for a, b in zip(gradient, gradients[i], strict=True)) for i in picks)
            for gradient in gradients
        ]
        target, place, so_far = rng.random() * sum(nearest), -1, 0.0
        while so_far <= target:
            place += 1
            so_far += nearest[place]
        picks.append(place)
    return picks


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("classes", [2, 3])
def test_picks_are_those_of_gradients_written_out(seed, classes, make_pool):
    pool = make_pool(rows=25, classes=classes, seed=seed)
    expected = plain_badge(
        pool.probabilities.astype(float), pool.embeddings.astype(float), 6, np.random.default_rng(seed)
    )
    choice = choose(BADGE(), pool, 6, Context(np.random.default_rng(seed)))
    assert choice.rows.tolist() == pool.rows[expected].tolist()


def test_first_pick_is_the_longest_gradient(make_pool):
    pool = make_pool(classes=2)
    residual = 1 - pool.probabilities.max(axis=1)
    longest = (residual * np.linalg.norm(pool.embeddings, axis=1)).argmax()
    assert choose(BADGE(), pool, 1, Context(np.random.default_rng(0))).rows[0] == pool.rows[longest]


def test_one_row_stands_for_all_that_the_model_is_sure_of():
    rng = np.random.default_rng(0)
    sure, unsure = np.tile([0.9999, 0.0001], (90, 1)), np.tile([0.55, 0.45], (10, 1))
    pool = Pool(np.arange(100), probabilities=np.concatenate([sure, unsure]), embeddings=rng.normal(size=(100, 6)))
    for _ in range(5):
        assert (choose(BADGE(), pool, 8, Context(rng)).rows < 90).sum() <= 1


def test_text_vectors_can_take_the_place_of_the_models_embeddings(make_pool):
    pool = make_pool(rows=25, seed=3)
    vectors = np.random.default_rng(1).normal(size=(25, 6)).astype(np.float32)
    swapped = Pool(pool.rows, probabilities=pool.probabilities, vectors=vectors)
    strategy = make_strategy("badge:vectors")
    assert (strategy.needs, strategy.spelling) == ({"vectors", "probabilities"}, "badge:vectors")
    expected = plain_badge(pool.probabilities.astype(float), vectors.astype(float), 6, np.random.default_rng(3))
    choice = choose(strategy, swapped, 6, Context(np.random.default_rng(3)))
    assert choice.rows.tolist() == pool.rows[expected].tolist()
