"""What a fit delivers follows what the network and its teacher said of labels that they had not learned."""

import numpy as np
import pytest

from lit_al.experiment.delivery import Delivery
from lit_al.loop.state import Validated


def judged(right, rows):
    """Labels of class 0, so many of them called right, in an order of rows."""
    called = np.where(np.arange(len(rows)) < right, 0, 1)
    return Validated(rows, np.zeros(len(rows), np.int64), np.eye(2, dtype=np.float32)[called])


@pytest.mark.parametrize(
    ("asked", "student", "teacher", "delivered"),
    [
        ("student", 100, 190, "student"),
        ("teacher", 190, 100, "teacher"),
        ("best", 150, 190, "teacher"),
        ("best", 190, 150, "student"),
        ("best", 190, 190, "student"),
        ("best", 189, 190, "student"),  # of 200 labels one more: half a point, as chance would have it
    ],
)
def test_best_is_the_network_unless_its_teacher_is_clearly_better(asked, student, teacher, delivered):
    found = Delivery(asked, judged(student, np.arange(200)), judged(teacher, np.arange(200)))
    assert found.described()["delivered"] == delivered
    assert found.is_student == (delivered == "student")
    assert found.validated is (found.student if delivered == "student" else found.teacher)


def test_labels_are_paired_by_their_rows():
    rows = np.random.default_rng(0).permutation(300)
    one, other = judged(280, np.arange(300)), judged(290, np.arange(300))
    mixed = Validated(one.rows[rows], one.answers[rows], one.probabilities[rows])
    assert Delivery("best", mixed, other).teacher_is_better
    assert Delivery("best", one, other).teacher_is_better


def test_says_that_a_network_does_not_follow_and_what_would():
    words = Delivery("student", judged(100, np.arange(200)), judged(190, np.arange(200))).words
    assert "45.0 points above" in words
    assert "--deliver best" in words
    assert Delivery("student", judged(190, np.arange(200)), judged(189, np.arange(200))).words == ""
    assert Delivery("student", None, None).words == ""
    assert "teacher" in Delivery("teacher", None, judged(190, np.arange(200))).words
