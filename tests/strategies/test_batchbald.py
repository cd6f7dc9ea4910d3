import itertools
import math

import numpy as np
import pytest

from lit_al.strategies import Context, Pool, batchbald, choose, make_strategy


def plain_joint_information(draws, batch):
    """I(y_1..y_b; w) from all strings of answers; draws as nested lists, M x n x C."""
    members, classes = len(draws), len(draws[0][0])
    joint = 0.0
    for answers in itertools.product(range(classes), repeat=len(batch)):
        p = sum(math.prod(w[i][a] for i, a in zip(batch, answers, strict=True)) for w in draws) / members
        joint -= p * math.log(p)
    own = sum(-sum(x * math.log(x) for x in w[i]) for w in draws for i in batch) / members
    return joint - own


def plain_greedy(draws, n):
    batch = []
    for _ in range(n):
        rest = [i for i in range(len(draws[0])) if i not in batch]
        batch.append(max(rest, key=lambda i: plain_joint_information(draws, [*batch, i])))
    return batch


def made_up(rows, classes, members, seed, sharpness=0.5):
    return np.random.default_rng(seed).dirichlet(np.full(classes, sharpness), (members, rows))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [2, 3])
def test_picks_and_gains_are_those_of_the_joint_information(seed, classes):
    draws = made_up(9, classes, 6, seed) * 0.98 + 0.02 / classes
    expected = plain_greedy(draws.tolist(), 4)
    pool = Pool(np.arange(9) + 100, draws=draws)
    choice = choose(make_strategy("batchbald"), pool, 4, Context(np.random.default_rng(0)))
    assert (choice.rows - 100).tolist() == expected
    totals = [plain_joint_information(draws.tolist(), expected[: k + 1]) for k in range(4)]
    assert np.cumsum(choice.scores).tolist() == pytest.approx(totals, abs=1e-6)


def test_looking_at_few_rows_gives_the_same_picks(monkeypatch):
    draws = made_up(200, 2, 8, 1)
    pool = Pool(np.arange(200), draws=draws)
    choices = []
    for chunk in (1, 7, 1_000):
        monkeypatch.setattr(batchbald, "CHUNK", chunk)
        choices.append(choose(make_strategy("batchbald"), pool, 6, Context(np.random.default_rng(0))).rows.tolist())
    assert choices[0] == choices[1] == choices[2]


def test_copies_of_a_row_are_not_taken_together():
    members = 32
    weights = np.random.default_rng(0).uniform(size=(members, 2)) > 0.5  # two independent things to learn
    first = np.where(weights[:, :1], [0.99, 0.01], [0.01, 0.99])  # (M, 2): everything about the one
    other = np.where(weights[:, 1:], [0.9, 0.1], [0.1, 0.9])  # less about the other
    draws = np.stack([first, first, first, other], axis=1)
    pool = Pool(np.arange(4), draws=draws)
    assert 3 in choose(make_strategy("batchbald"), pool, 2, Context(np.random.default_rng(0))).rows
    assert 3 not in choose(make_strategy("bald"), pool, 2, Context(np.random.default_rng(0))).rows


def test_sampled_strings_come_close_to_all_of_them(monkeypatch):
    draws = made_up(12, 2, 10, 3, sharpness=2.0)
    rng = np.random.default_rng(0)

    def information(strings):
        monkeypatch.setattr(batchbald, "STRINGS", strings)
        answers, total = batchbald.Answers.none(10), 0.0
        for i in range(12):
            total += float(answers.gain(draws[:, [i]])[0])
            answers = answers.extend(draws[:, i], rng)
        return total, len(answers.weights)

    exact, all_strings = information(10_000)
    sampled, kept = information(500)
    assert (all_strings, kept) == (2**12, 500)
    assert exact == pytest.approx(plain_joint_information(draws.tolist(), list(range(12))), abs=1e-6)
    assert sampled == pytest.approx(exact, rel=0.05)


def test_rest_of_the_batch_follows_bald_once_the_draws_are_told_apart():
    draws = np.stack([np.tile([0.999999, 0.000001], (30, 1)), np.tile([0.000001, 0.999999], (30, 1))])
    draws[:, 5] = [[0.9, 0.1], [0.2, 0.8]]
    pool = Pool(np.arange(30), draws=draws)
    choice = choose(make_strategy("batchbald"), pool, 30, Context(np.random.default_rng(0)))
    assert choice.scores[0] == pytest.approx(math.log(2), abs=1e-4)
    assert choice.rows[-1] == 5
    assert "apart already" in choice.reasons[1]
