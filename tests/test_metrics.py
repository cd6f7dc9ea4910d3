import numpy as np
import pytest

from lit_al.metrics import Confusion, Evaluation


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
