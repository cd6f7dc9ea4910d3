"""Temperatures and calibration errors, on probabilities whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.calibration import LEAST, Calibration, calibration_error, temperature, tempered


def drawn(rows, classes, factor, seed=0):
    """Labels drawn from probabilities, and these with their logits multiplied: too sure by a known factor."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (rows, classes))
    true = tempered(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 1)
    labels = np.array([rng.choice(classes, p=row) for row in true])
    return tempered(true, 1 / factor), labels, true


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_temperature_is_the_factor_that_logits_were_multiplied_by(factor, classes):
    probabilities, labels, true = drawn(8_000, classes, factor)
    assert temperature(probabilities, labels) == pytest.approx(factor, rel=0.06)
    np.testing.assert_allclose(tempered(probabilities, factor), true, atol=1e-9)


def test_calibration_mends_a_model_that_is_too_sure():
    probabilities, labels, _ = drawn(4_000, 3, 3.0)
    found = Calibration.of(probabilities, labels)
    assert found.before > 0.15
    assert found.after < 0.03
    assert found.described()["rows"] == 4_000


@pytest.mark.parametrize("sure", [0.8, 0.999999])
def test_model_that_was_always_right_is_as_sure_as_its_labels_allow(sure):
    probabilities, labels = np.array([[sure, 1 - sure], [1 - sure, sure]] * 50), np.array([0, 1] * 50)
    found = tempered(probabilities, temperature(probabilities, labels))
    assert found.max() == pytest.approx(101 / 102, abs=1e-3)


def test_few_labels_say_nothing():
    probabilities, labels, _ = drawn(LEAST, 2, 2.0)
    assert Calibration.of(probabilities, labels) is not None
    assert Calibration.of(probabilities[1:], labels[1:]) is None


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_temperature_changes_no_answer_and_shares_add_up(seed, divisor):
    probabilities = np.random.default_rng(seed).dirichlet([0.3] * 4, 30)
    found = tempered(probabilities, divisor)
    sure = np.sort(probabilities)[:, -1] - np.sort(probabilities)[:, -2] > 1e-6
    assert (found.argmax(1) == probabilities.argmax(1))[sure].all()
    np.testing.assert_allclose(found.sum(1), 1)


def test_sure_and_wrong_probabilities_are_no_infinities():
    probabilities, labels = np.array([[1.0, 0.0]] * 60), np.array([0, 1] * 30)
    assert temperature(probabilities, labels) > 10
    assert calibration_error(probabilities, labels) == pytest.approx(0.5)
