import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from lit_al.metrics import Confusion, Evaluation


@st.composite
def judged(draw):
    """Classes C, and true and predicted class of some rows; any class may be missing from either."""
    classes = draw(st.integers(2, 6))
    rows = st.lists(st.tuples(*[st.integers(0, classes - 1)] * 2), min_size=1, max_size=40)
    truth, predicted = zip(*draw(rows), strict=True)
    return classes, np.array(truth), np.array(predicted)


@given(judged())
def test_precision_recall_and_f1_are_those_of_scikit_learn(case):
    classes, truth, predicted = case
    found = Confusion(confusion_matrix(truth, predicted, labels=range(classes)))
    expected = precision_recall_fscore_support(truth, predicted, labels=range(classes), zero_division=0)
    for ours, theirs in zip((found.precision, found.recall, found.f1, found.support), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)
    described = found.per_class([f"class {index}" for index in range(classes)])
    for index, one in enumerate(described.values()):
        assert list(one.values()) == pytest.approx([column[index] for column in expected])
        assert list(one) == ["precision", "recall", "f1", "support"]


@given(judged())
def test_macro_f1_is_the_mean_over_the_classes_that_have_a_row(case):
    classes, truth, predicted = case
    found = Confusion(confusion_matrix(truth, predicted, labels=range(classes)))
    present = np.unique(truth)
    expected = f1_score(truth, predicted, labels=present, average="macro", zero_division=0)
    assert found.macro_f1 == pytest.approx(expected)
    wider = np.pad(found.matrix, (0, 1))  # one more class, which has no row
    assert Confusion(wider).macro_f1 == found.macro_f1


@given(judged(), st.permutations(range(6)))
def test_the_order_of_classes_does_not_matter(case, order):
    classes, truth, predicted = case
    order = np.array([index for index in order if index < classes])
    one = Confusion(confusion_matrix(truth, predicted, labels=range(classes)))
    other = Confusion(one.matrix[np.ix_(order, order)])
    assert other.macro_f1 == pytest.approx(one.macro_f1)
    np.testing.assert_allclose(other.f1, one.f1[order])


def test_one_class_for_all_has_a_low_macro_f1_where_accuracy_is_high():
    found = Confusion(np.array([[90, 0], [10, 0]]))
    assert found.accuracy == 0.9
    assert found.macro_f1 == pytest.approx((180 / 190) / 2)
    assert found.uneven
    assert not Confusion(np.array([[50, 0], [10, 40]])).uneven


def test_two_classes_count_the_positive_one():
    found = Confusion(np.array([[90, 10], [30, 70]]))
    assert (found.rows, found.accuracy) == (200, 0.8)
    assert (found.false_negatives, found.false_positives) == (30, 10)
    assert found.standard_error == pytest.approx((0.8 * 0.2 / 200) ** 0.5, rel=0.02)


def test_perfect_answers_leave_room_for_an_error():
    found = Evaluation(0.0, Confusion(np.diag([12, 8])))
    assert found.accuracy == 1
    assert found.confusion.standard_error > 0.03
    described = found.described(("a", "b"))
    assert described["low"] < 0.85
    assert described["high"] == 1


def test_three_classes_count_all_errors_and_each_class():
    found = Confusion(np.array([[8, 1, 1], [2, 7, 1], [0, 3, 7]]))
    assert found.false_negatives == found.false_positives == 8
    assert found.missed.tolist() == [2, 3, 3]
    assert found.claimed.tolist() == [2, 4, 2]
    assert Evaluation(0.5, found).accuracy == pytest.approx(22 / 30)


@pytest.mark.parametrize(("shares", "rows"), [((0.9, 0.97), 60), ((0.995, 0.995), 40), ((0.95, 0.9, 0.7), 100)])
def test_macro_f1_interval_covers_what_is_true(shares, rows):
    rng, classes = np.random.default_rng(0), len(shares)
    cells = np.full((classes, classes), 0.0)
    for index, share in enumerate(shares):
        cells[index] = (1 - share) / (classes - 1)
        cells[index, index] = share
    cells /= classes
    true = Confusion(np.round(cells * 1e9).astype(np.int64)).macro_f1
    drawn = (Confusion(rng.multinomial(rows, cells.ravel()).reshape(classes, classes)) for _ in range(150))
    covered = [low <= true <= high for low, high in (one.macro_f1_interval for one in drawn)]
    assert np.mean(covered) > 0.9


def test_macro_f1_interval_holds_the_macro_f1_and_leaves_out_classes_without_a_row():
    found = Confusion(np.array([[8, 2, 0], [0, 0, 0], [0, 0, 4]]))
    low, high = found.macro_f1_interval
    assert 0 < low < found.macro_f1 < high <= 1
    assert Confusion(np.diag([3, 2])).macro_f1_interval[1] == 1
