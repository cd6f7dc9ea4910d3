import numpy as np
import pytest

from lit_al.outputs import Confusion, Evaluation


def test_two_classes_count_the_positive_one():
    found = Confusion(np.array([[90, 10], [30, 70]]))
    assert (found.rows, found.accuracy) == (200, 0.8)
    assert (found.false_negatives, found.false_positives) == (30, 10)
    assert found.standard_error == pytest.approx((0.8 * 0.2 / 200) ** 0.5)


def test_three_classes_count_all_errors_and_each_class():
    found = Confusion(np.array([[8, 1, 1], [2, 7, 1], [0, 3, 7]]))
    assert found.false_negatives == found.false_positives == 8
    assert found.missed.tolist() == [2, 3, 3]
    assert found.claimed.tolist() == [2, 4, 2]
    assert Evaluation(0.5, found).accuracy == pytest.approx(22 / 30)
