"""Tests of a shift: p-values are scipy's, no shift is called one as rarely as is said, and shifts are seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from lit_al.drift.shifts import GROUPS, Shift, chi_square, group_numbers, grouped, psi, shifts, word_shifts
from lit_al.drift.text_counts import WORDS, TextCounts

histograms = arrays(np.int64, 12, elements=st.integers(0, 50))


def texts(rows, rng, *, words=(4, 5, 6), unknown=0.1, positive=0.5, length=20.0, sureness=2.0):
    """Tokens and probabilities of texts of words drawn from a Zipf-like vocabulary, with some of the given words."""
    lengths = np.clip(rng.poisson(length, rows), 1, 60)
    tokens = np.minimum(rng.zipf(1.3, (rows, 60)) + 9, 3_000).astype(np.uint16)
    tokens[rng.random(tokens.shape) < unknown] = 1
    tokens[:, 0] = rng.choice(words, rows)
    tokens[np.arange(60) >= lengths[:, None]] = 0
    odds = rng.normal(sureness, 1, rows) * np.where(rng.random(rows) < positive, 1, -1)
    said = 1 / (1 + np.exp(-odds))
    return TextCounts.of(tokens, np.column_stack([1 - said, said]))


def answers(before, now):
    return {shift.question: shift for shift in shifts(before, now)}


@given(histograms, histograms)
def test_index_is_symmetric_never_negative_and_zero_of_the_same_shares(one, other):
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, other) >= 0
    assert psi(one, one) == 0


@given(histograms, st.integers(1, GROUPS))
def test_groups_are_neighbors_lose_nothing_and_are_no_more_than_asked(counts, most):
    numbers = group_numbers(counts, most)
    assert set(np.diff(numbers)) <= {0, 1}
    assert numbers[0] == 0
    assert numbers[-1] < most
    assert grouped(counts, numbers).sum() == counts.sum()


def test_p_values_are_those_of_scipy():
    rng = np.random.default_rng(0)
    before, now = texts(900, rng), texts(300, rng, positive=0.6, unknown=0.15)
    found = answers(before, now)
    table = np.stack([before.classes, now.classes])
    assert found["class shares"].p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    each = {word.word: word.p for word in word_shifts(before, now)}
    tested = len(each)
    word = 4
    fisher = [
        stats.fisher_exact(
            [[now.words[word], now.texts - now.words[word]], [before.words[word], before.texts - before.words[word]]],
            alternative=side,
        ).pvalue
        for side in ("less", "greater")
    ]
    assert each[word] == pytest.approx(min(1, 2 * min(fisher) * tested))
    assert found["words"].p == pytest.approx(min(each.values()))


def test_corrected_p_is_never_smaller_and_order_of_the_sets_does_not_matter():
    rng = np.random.default_rng(1)
    one, other = texts(400, rng), texts(400, rng, unknown=0.2)
    there, back = answers(one, other), answers(other, one)
    assert all(shift.corrected >= shift.p for shift in there.values())
    for question in ("class shares", "confidence", "unknown words", "text lengths", "words"):
        assert there[question].p == pytest.approx(back[question].p)


def test_no_shift_raises_no_more_alarms_than_it_may():
    rng = np.random.default_rng(2)
    alarms = [any(s.corrected < 0.05 for s in shifts(texts(600, rng), texts(300, rng))) for _ in range(200)]
    assert np.mean(alarms) <= 0.08


@pytest.mark.parametrize(
    ("question", "change"),
    [
        ("class shares", {"positive": 0.7}),
        ("confidence", {"sureness": 1.2}),
        ("unknown words", {"unknown": 0.16}),
        ("text lengths", {"length": 26.0}),
        ("words", {"words": (4, 5, 6, 7)}),
    ],
)
def test_each_shift_is_seen_by_its_own_question(question, change):
    rng = np.random.default_rng(3)
    found = answers(texts(1_000, rng), texts(500, rng, **change))
    assert found[question].corrected < 0.01
    if question != "words":
        assert found[question].psi > found[question].by_chance


def test_word_that_came_is_named_first():
    rng = np.random.default_rng(4)
    first = word_shifts(texts(1_000, rng), texts(500, rng, words=(4, 5, 6, 7)))[0]
    assert (first.word, first.before) == (7, 0)
    assert first.now == pytest.approx(0.25, abs=0.06)


@given(st.integers(1, 5))
def test_texts_without_anything_to_compare_are_no_shift(rows):
    empty = TextCounts.of(np.zeros((rows, 3), np.uint16), np.full((rows, 2), 0.5))
    assert [shift.p for shift in shifts(empty, empty)] == [1.0] * 5
    assert np.zeros(WORDS).sum() == empty.words.sum()


def test_rare_classes_are_one_and_never_make_a_p_of_nothing():
    many = np.array([500, 400, *[1] * 50])
    assert chi_square(many, many) == pytest.approx(1)
    assert chi_square(np.array([3, 0]), np.array([0, 0])) == 1


def test_confidence_is_no_alarm_where_other_models_made_the_reference_and_a_small_index_none_where_it_is_to_be_large():
    sure = Shift("confidence", 0.2, 0.01, 1e-6, 1e-5)
    assert sure.alarms(0.05)
    assert sure.alarms(0.05, 0.1)
    assert not sure.alarms(0.05, 0.25)
    assert not sure.alarms(0.05, exact=False)
    assert Shift("text lengths", 0.05, 0.01, 1e-6, 1e-5).alarms(0.05, exact=False)
    assert Shift("words", np.nan, np.nan, 1e-6, 1e-5).alarms(0.05, 9.0)
    assert not Shift("words", np.nan, np.nan, 0.02, 0.1).alarms(0.05)
