"""The reference of a run: labels count as models saw them that had not learned them, all else as if it were new."""

import numpy as np
import pytest
import torch

from lit_al.data import Corpus
from lit_al.drift.model_reference import MOST
from lit_al.experiment.own_reference import judged_by, of_pool, of_test
from lit_al.loop.state import Validated
from lit_al.text.encoder import TextEncoder

TEXTS = [f"word{row % 7} text{row}" for row in range(300)]  # each with a word of its own
ENCODER = TextEncoder.fit(TEXTS, vocabulary_size=400, max_length=4)
TOKENS = torch.from_numpy(ENCODER.encode(TEXTS))
ROWS = np.random.default_rng(0).permutation(300)
NAMES = ("a", "b")


def says(label):
    return lambda rows, tokens: np.tile(np.eye(2)[label], (len(rows), 1))


def test_words_of_one_text_alone_are_unknown_and_others_are_not():
    reference = of_pool(TOKENS, ENCODER, NAMES, ROWS, says(0))
    assert (reference.counts.texts, reference.counts.units, reference.counts.unknown_units) == (300, 600, 300)


def test_labeled_texts_count_as_their_folds_said():
    validated = Validated(np.arange(80), np.ones(80, np.int64), np.tile([0.0, 1.0], (80, 1)))
    reference = of_pool(TOKENS, ENCODER, NAMES, ROWS, says(0), validated)
    assert reference.counts.classes.tolist() == [220, 80]


def test_model_is_asked_of_no_text_that_its_folds_have_judged():
    asked = []

    def say(rows, tokens):
        asked.extend(rows)
        return says(0)(rows, tokens)

    validated = Validated(np.arange(80), np.ones(80, np.int64), np.tile([0.0, 1.0], (80, 1)))
    of_pool(TOKENS, ENCODER, NAMES, ROWS, say, validated)
    assert sorted(asked) == list(range(80, 300))


def test_too_few_texts_are_no_reference():
    assert of_pool(TOKENS, ENCODER, NAMES, ROWS[:99], says(0)) is None
    assert of_test(TOKENS, ENCODER, Corpus(TEXTS, np.zeros(300, int), NAMES), ROWS[:99], says(0)) is None
    assert MOST >= 300


def test_test_set_judges_by_its_labels_and_is_read_as_it_is():
    labels = np.array([0] * 225 + [1] * 75)
    reference = of_test(TOKENS, ENCODER, Corpus(TEXTS, labels, NAMES), ROWS, says(0))
    assert reference.known.accuracy == pytest.approx(0.75)
    assert reference.counts.unknown_units == 0


def test_labels_that_chance_asked_for_judge_where_they_are_enough():
    reference = of_pool(TOKENS, ENCODER, NAMES, ROWS, says(0))
    said = np.tile([0.9, 0.1], (120, 1))
    validated = Validated(np.arange(120), np.array([0] * 60 + [1] * 60), said)
    assert judged_by(reference, validated, np.arange(60)).known.accuracy == 1
    assert judged_by(reference, validated, np.arange(9)).known.accuracy == 0.5
    assert judged_by(reference, None, ROWS).known is None
    assert judged_by(None, validated, ROWS) is None
