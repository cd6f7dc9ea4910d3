"""Query by committee (Seung et al. 1992): ask where models that fit the labels equally well differ.

The members are separately trained models, or one model under draws of dropout (Gal et al. 2017). With BALD, members
that are unsure in the same way do not count; only what they disagree about does.
"""

from dataclasses import dataclass

import numpy as np

from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Context, Scores, Strategy
from lit_al.strategies.uncertainty import entropy
from lit_al.typing import Floats


def consensus(members: Floats) -> Scores:
    """(n, C) mean distribution of members (M, n, C)."""
    total = np.zeros(members.shape[1:])
    for member in members:  # (n, C): one at a time, so that memory does not grow with M
        total += member
    return total / len(members)


def vote_entropy(members: Floats) -> Scores:
    """(n,) entropy in nats of the members' votes (Dagan and Engelson 1995); members (M, n, C).

    >>> vote_entropy(np.array([[[0.9, 0.1]], [[0.2, 0.8]]])).round(3)
    array([0.693])
    """
    _, n, classes = members.shape
    votes = np.zeros((n, classes))
    for member in members:  # (n, C)
        votes[np.arange(n), member.argmax(axis=1)] += 1
    return entropy(votes / len(members))


def mean_divergence(members: Floats) -> Scores:
    """(n,) mean KL divergence in nats of the members from their consensus (McCallum and Nigam 1998).

    It equals the entropy of the consensus less the mean entropy of the members: the mutual information between label
    and member, which is BALD (Houlsby et al. 2011). Members of shape (M, n, C).
    """
    mean = np.zeros(members.shape[1])
    for member in members:  # (n, C)
        mean += entropy(member) / len(members)
    return np.maximum(entropy(consensus(members)) - mean, 0)  # rounding can leave -1e-17


@dataclass(frozen=True)
class CommitteeVote(Strategy):
    """The members' votes have the highest entropy (Dagan and Engelson 1995)."""

    name = "committee-vote"
    needs = frozenset({"committee"})
    wording = "entropy of the votes {:.3f} nats"

    def score(self, pool: Pool, context: Context) -> Scores:
        """Vote entropy in nats."""
        return vote_entropy(pool.committee)


@dataclass(frozen=True)
class CommitteeConsensus(Strategy):
    """The members' mean distribution has the highest entropy."""

    name = "committee-consensus"
    needs = frozenset({"committee"})
    wording = "entropy of the consensus {:.3f} nats"

    def score(self, pool: Pool, context: Context) -> Scores:
        """Entropy of the consensus in nats."""
        return entropy(consensus(pool.committee))


@dataclass(frozen=True)
class CommitteeKL(Strategy):
    """The members lie farthest from their mean (McCallum and Nigam 1998); the same number as bald-committee."""

    name = "committee-kl"
    needs = frozenset({"committee"})
    wording = "members {:.3f} nats from their consensus"

    def score(self, pool: Pool, context: Context) -> Scores:
        """Mean KL divergence in nats."""
        return mean_divergence(pool.committee)


@dataclass(frozen=True)
class BALD(Strategy):
    """The label would tell most about the model, by draws of dropout (Houlsby et al. 2011, Gal et al. 2017)."""

    name = "bald"
    needs = frozenset({"draws"})
    wording = "label tells {:.3f} nats about the model"

    def score(self, pool: Pool, context: Context) -> Scores:
        """Mutual information in nats between the label and the weights."""
        return mean_divergence(pool.draws)


@dataclass(frozen=True)
class BALDCommittee(BALD):
    """The label would tell most about which member is right (Houlsby et al. 2011)."""

    name = "bald-committee"
    needs = frozenset({"committee"})

    def score(self, pool: Pool, context: Context) -> Scores:
        """Mutual information in nats between the label and the member."""
        return mean_divergence(pool.committee)
