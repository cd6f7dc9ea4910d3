"""Which texts to label to find out what a change has done: some by chance, the least sure, the strangest.

Those drawn by chance judge the model on today's texts; the others are where it has most to learn, and judge nothing.
"""

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from lit_al.drift.text_counts import WORDS, TextCounts
from lit_al.text.encoder import PADDING, UNKNOWN
from lit_al.typing import Float64s, Floats, Rows

Reason = Literal["random", "unsure", "strange"]
_RAREST: Final = 256  # counted words, of which those beyond the counted ones are taken for one


def next_labels(said: Floats, strangeness: Float64s, most: int, seed: int = 0) -> list[tuple[int, Reason]]:
    """Rows and why, each once: half of them by chance, the others the least sure and the strangest in turn.

    Args:
        said: (n, C) probabilities.
        strangeness: (n,) as of `strangeness_of`.
        most: rows wanted.
        seed: of chance.

    >>> said = np.array([[0.9, 0.1], [0.5, 0.5], [0.8, 0.2], [0.7, 0.3]])
    >>> sorted(reason for _, reason in next_labels(said, np.array([0.0, 1.0, 2.0, 3.0]), 4))
    ['random', 'random', 'strange', 'unsure']
    """
    rng = np.random.default_rng(seed)
    drawn: Rows = rng.permutation(len(said))[: (most + 1) // 2]
    chosen: dict[int, Reason] = dict.fromkeys(drawn.tolist(), "random")
    waiting: dict[Reason, Any] = {
        "unsure": iter(np.argsort(said.max(axis=1), kind="stable").tolist()),
        "strange": iter(np.argsort(-strangeness, kind="stable").tolist()),
    }
    turn: Reason = "unsure"
    while len(chosen) < min(most, len(said)):
        row = next(row for row in waiting[turn] if row not in chosen)
        chosen[row] = turn
        turn = "strange" if turn == "unsure" else "unsure"
    return list(chosen.items())


def strangeness_of(tokens: npt.NDArray[np.integer[Any]], before: TextCounts, words: int) -> Float64s:
    """(n,) mean over a text's words of how few of the reference's texts hold them, as minus the logarithm of the share.

    Args:
        tokens: (n, T) ids.
        before: counts of the reference.
        words: in the vocabulary.
    """
    share = (before.words + 0.5) / (before.texts + 1)  # (WORDS,)
    cost = np.full(max(words, WORDS), -np.log(share[max(2, min(words, WORDS) - _RAREST) : words]).mean())
    cost[:WORDS] = -np.log(share)
    cost[PADDING], cost[UNKNOWN] = 0.0, -np.log(0.5 / (before.texts + 1))
    found: Float64s = cost[tokens].sum(axis=1) / np.maximum((tokens != PADDING).sum(axis=1), 1)
    return found
