import math

import numpy as np
import pytest

from lit_al.strategies import choose, make_strategy


def plain_entropy(p):
    return -sum(x * math.log(x) for x in p if x > 0)


def mean_of(members):
    return [sum(column) / len(members) for column in zip(*members, strict=True)]


def plain_vote(members):
    votes = [0] * len(members[0])
    for p in members:
        votes[p.index(max(p))] += 1
    return plain_entropy([vote / len(members) for vote in votes])


def plain_consensus(members):
    return plain_entropy(mean_of(members))


def plain_kl(members):
    mean = mean_of(members)
    return sum(sum(x * math.log(x / m) for x, m in zip(p, mean, strict=True)) for p in members) / len(members)


def plain_bald(members):
    return plain_entropy(mean_of(members)) - sum(map(plain_entropy, members)) / len(members)


PLAIN = {
    "committee-vote": (plain_vote, "committee"),
    "committee-consensus": (plain_consensus, "committee"),
    "committee-kl": (plain_kl, "committee"),
    "bald": (plain_bald, "draws"),
    "bald-committee": (plain_bald, "committee"),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("classes", [2, 4])
def test_scores_are_those_of_the_definition(name, classes, make_pool, make_context):
    plain, column = PLAIN[name]
    pool = make_pool(classes=classes)
    members = pool.columns[column].astype(np.float64)
    expected = {int(row): plain(members[:, i].tolist()) for i, row in enumerate(pool.rows)}
    choice = choose(make_strategy(name), pool, 60, make_context())
    assert choice.scores.tolist() == pytest.approx([expected[row] for row in choice.rows.tolist()], abs=1e-6)
    assert choice.scores.tolist() == sorted(choice.scores.tolist(), reverse=True)


def test_members_that_agree_to_be_unsure_do_not_count_for_bald(make_pool, make_context):
    pool = make_pool(classes=2)
    draws = np.array(pool.draws)
    draws[:, 0] = 0.5  # all unsure
    draws[:3, 1], draws[3:, 1] = [0.99, 0.01], [0.01, 0.99]  # all sure, of opposite things
    pool = type(pool)(pool.rows, draws=draws)
    choice = choose(make_strategy("bald"), pool, 60, make_context(classes=2))
    assert choice.rows[0] == pool.rows[1]
    assert choice.rows[-1] == pool.rows[0]
    assert choice.scores[-1] == 0
