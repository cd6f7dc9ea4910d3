"""The reference of a model that a run delivers, made of the run's own texts: what `lit-al drift` holds others against.

The model has learned some of these texts' labels, and the vocabulary is made of all of them. So a labeled text counts
as a model saw it that had not learned its label, and each text as a vocabulary would have it that had not seen it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lit_al.data import Corpus
from lit_al.drift.model_reference import FEWEST, MOST, Reference, as_if_new
from lit_al.drift.reading import encoder_of
from lit_al.drift.text_counts import TextCounts
from lit_al.loop.state import Validated
from lit_al.models.batches import EVALUATION_BATCH, Batches
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import score
from lit_al.models.text_teacher import TextTeacher
from lit_al.text.encoder import TextEncoder
from lit_al.typing import UNLABELED, Floats, Rows

Say = Callable[[Rows, Any], Floats]  # (n, C) probabilities of rows (n,) and their tokens (n, T)


def of_pool(
    tokens: torch.Tensor,
    encoder: TextEncoder,
    names: Sequence[str],
    rows: Rows,
    say: Say,
    validated: Validated | None = None,
) -> Reference | None:
    """Of texts that the vocabulary was made of; None where there are too few.

    Args:
        tokens: (N, T) of all of them.
        encoder: of the tokens.
        names: of the classes.
        rows: (n,) texts that may be taken, in an order of chance: those without a label, and those in `validated`.
        say: what the model says of texts whose labels it has not learned.
        validated: what models said that had not learned the labels; of these texts they are believed.
    """
    taken = rows[:MOST]
    if len(taken) < FEWEST:
        return None
    new = as_if_new(tokens.cpu().numpy(), taken, len(encoder.vocabulary))  # (n, T)
    said = np.empty((len(taken), len(names)), np.float32)
    known = np.full(len(tokens), UNLABELED)  # (N,) place in `validated`
    if validated is not None:
        known[validated.rows] = np.arange(len(validated.rows))
        learned = known[taken] >= 0
        said[learned] = validated.probabilities[known[taken[learned]]]
    fresh = known[taken] < 0
    if fresh.any():
        said[fresh] = say(taken[fresh], new[fresh])
    by = f"{len(taken):,} of the texts that the model is from, as if it had not seen them"
    return replace(Reference.of(TextCounts.of(new, said), encoder, names, by), exact=False)


def of_test(tokens: torch.Tensor, encoder: TextEncoder, corpus: Corpus, rows: Rows, say: Say) -> Reference | None:
    """Of a test set, whose texts nothing was made of, with how right the model is on it; None where it is too small."""
    if len(rows) < FEWEST:
        return None
    taken = np.random.default_rng(0).permutation(corpus.in_order(rows))[:MOST]
    read, labels = tokens.cpu().numpy()[taken], corpus.labels[taken]
    said = say(taken, read)
    counts = TextCounts.of(read, said)
    reference = Reference.of(counts, encoder, corpus.classes, f"{len(taken):,} texts of the run's test set")
    return reference.knowing(said[labels != UNLABELED], labels[labels != UNLABELED])


def judged_by(reference: Reference | None, validated: Validated | None, drawn: Rows) -> Reference | None:
    """With how right models were on labels that they had not learned: those that chance asked for, if they are enough.

    Args:
        reference: of the texts.
        validated: what models said of labels.
        drawn: (d,) rows whose labels chance asked for.
    """
    if reference is None or validated is None:
        return reference
    by_chance = np.isin(validated.rows, drawn)
    found = reference.knowing(validated.probabilities[by_chance], validated.answers[by_chance])
    return found if found.known else reference.knowing(validated.probabilities, validated.answers)


def of_teacher(model: TextTeacher, texts: Sequence[str], rows: Rows, validated: Validated | None) -> Reference | None:
    """As `of_pool`, for a teacher that is delivered: it reads texts whole, and their words are counted by its terms."""
    encoder = encoder_of(model)
    tokens = torch.from_numpy(encoder.encode(texts))
    return of_pool(
        tokens, encoder, model.classes, rows, lambda taken, _: model.read([texts[row] for row in taken]), validated
    )


def said_by(model: LitBiLSTM, rows: Rows, tokens: npt.NDArray[Any]) -> Floats:
    """(n, C) probabilities of texts by their tokens (n, T)."""
    return score(model, Batches(torch.from_numpy(tokens), None, torch.arange(len(rows)), EVALUATION_BATCH))
