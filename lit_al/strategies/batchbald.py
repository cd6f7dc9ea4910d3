"""BatchBALD: the batch whose labels together tell most about the model (Kirsch et al. 2019).

BALD scores rows one by one and so takes the same information many times over. The joint mutual information of a batch
falls apart by the chain rule: the gain of one more row x after the batch A is

    I(y_x; w | y_A) = E over answers a to A of [ H(y_x | a) - E over w given a of H(y_x | w) ]

so it is enough to keep, for each possible string of answers a, its probability and the posterior over the M draws w.

Limits. The strings are exact while there are at most 2,000 of them, which with two classes is up to ten rows; beyond,
2,000 are sampled by their probability. M draws hold log M nats at most: once the answers so far would tell them apart,
no row can add anything, and the rest of the batch is taken by BALD. A gain never exceeds the row's gain for a smaller
batch, so most rows need not be looked at again (lazy greedy, Minoux 1978); with sampled strings that bound is
approximate.
"""

from dataclasses import dataclass

import numpy as np

from lit_al.strategies.disagreement import mean_divergence
from lit_al.strategies.pool import Pool
from lit_al.strategies.strategy import Choice, Context, Scores, Strategy
from lit_al.strategies.uncertainty import entropy
from lit_al.typing import Floats, Ints

STRINGS = 2_000  # of answers, kept at most
CHUNK = 512  # probabilities whose gain is computed together, for every string
SETTLED = 1e-3  # nats left to learn about which draw is right


@dataclass
class Answers:
    """The strings of answers that the batch so far could get.

    Attributes:
        weights: (S,) probability of each string.
        posterior: (S, M) probability of each draw of the weights given the string.
    """

    weights: Scores
    posterior: Scores

    @classmethod
    def none(cls, draws: int) -> "Answers":
        """Before the first row: one empty string, every draw as likely."""
        return cls(np.ones(1), np.full((1, draws), 1 / draws))

    @property
    def unknown(self) -> float:
        """Nats left to learn about the draws: no row can gain more."""
        return float(self.weights @ entropy(self.posterior))

    def gain(self, rows: Floats) -> Scores:
        """(k,) information in nats that each of rows (M, k, C) would add."""
        draws, k, classes = rows.shape
        mixed = (self.posterior @ rows.reshape(draws, k * classes)).reshape(-1, k, classes)  # (S, k, C)
        return self.weights @ entropy(mixed) - self.weights @ self.posterior @ entropy(rows)

    def extend(self, row: Floats, rng: np.random.Generator) -> "Answers":
        """The strings after one more row (M, C); a sample of them where they become too many."""
        joint = self.posterior[:, None] * row.T[None].astype(np.float64)  # (S, C, M)
        joint = joint.reshape(-1, joint.shape[2])  # (S * C, M)
        likelihood = joint.sum(axis=1)  # (S * C,) of the answer given the string before
        weights = np.repeat(self.weights, row.shape[1]) * likelihood
        possible = np.flatnonzero(weights > 0)
        if len(possible) > STRINGS:
            possible = rng.choice(len(weights), STRINGS, p=weights / weights.sum())
            weights = np.full(len(weights), 1 / STRINGS)
        weights = weights[possible] / weights[possible].sum()
        return Answers(weights, joint[possible] / likelihood[possible, None])


@dataclass(frozen=True)
class BatchBALD(Strategy):
    """The batch's labels together would tell most about the model, by draws of dropout (Kirsch et al. 2019)."""

    name = "batchbald"
    needs = frozenset({"draws"})

    def select(self, pool: Pool, n: int, context: Context) -> Choice:
        """Add the row with the largest gain, n times."""
        alone = mean_divergence(pool.draws)  # (n,)
        picks, gains = greedy(pool.draws, alone, n, context.rng)
        rest = self.highest_rest(alone, picks, n, context.rng)
        words = [f"adds {gain:.3f} nats to what the batch tells about the model" for gain in gains]
        words += [f"tells {alone[i]:.3f} nats alone; the batch tells the draws apart already" for i in rest]
        scores = np.concatenate([gains, np.zeros(len(rest))])  # what they add to the batch
        return Choice(pool.rows[np.concatenate([picks, rest])], scores, tuple(words))

    @staticmethod
    def highest_rest(alone: Scores, picks: Ints, n: int, rng: np.random.Generator) -> Ints:
        """Positions that fill the batch, by BALD alone."""
        order = np.lexsort((rng.random(len(alone)), -alone))
        return order[~np.isin(order, picks)][: n - len(picks)]


def greedy(draws: Floats, alone: Scores, n: int, rng: np.random.Generator) -> tuple[Ints, Scores]:
    """Pick rows by their gain until there are n or the draws are told apart; draws (M, N, C), alone (N,).

    Returns:
        Positions and gains, the same number of each, n at most.
    """
    bound = alone.copy()  # (N,) of the gain of each row, from the last time it was computed
    tie, step = rng.permutation(len(bound)), max(1, CHUNK // draws.shape[2])
    answers, picks, gains = Answers.none(len(draws)), list[int](), list[float]()
    while len(picks) < n and answers.unknown > SETTLED:
        fresh = np.zeros(len(bound), np.bool_)
        order = np.lexsort((tie, -bound))
        for start in range(0, len(order), step):
            part = order[start : start + step]
            if start and bound[fresh].max() > bound[part[0]] + 1e-12:
                break  # no row further down can be better
            part = part[bound[part] > -np.inf]
            bound[part], fresh[part] = answers.gain(draws[:, part]), True
        best = int(np.lexsort((tie, -np.where(fresh, bound, -np.inf)))[0])
        picks.append(best)
        gains.append(max(float(bound[best]), 0.0))
        answers = answers.extend(draws[:, best], rng)
        bound[best] = -np.inf  # taken
    return np.array(picks, np.int64), np.array(gains)
