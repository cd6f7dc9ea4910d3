import numpy as np
import pytest

from lit_al.benchmark.measures import Reach, area, labels_to_reach, reach

LABELS = np.array([100, 200, 400, 800])


def test_area_of_a_level_curve_is_its_level():
    assert area(LABELS, np.full(4, 0.7)) == pytest.approx(0.7)


def test_area_is_that_of_the_trapezoids_over_log_labels():
    labels, accuracy = np.array([100, 300, 1_000]), np.array([0.5, 0.8, 0.9])
    by_hand = (np.log(3) * 0.65 + np.log(10 / 3) * 0.85) / np.log(10)
    assert area(labels, accuracy) == pytest.approx(by_hand)


def test_area_takes_many_curves_and_leaves_none_to_gaps():
    curves = np.array([[0.5, 0.6, 0.7, 0.8], [0.5, np.nan, 0.7, 0.8]])
    found = area(LABELS, curves)
    assert found[0] == pytest.approx(0.65)
    assert np.isnan(found[1])
    assert np.isnan(area(LABELS[:1], curves[:, :1])).all()


def test_labels_to_reach_is_interpolated_on_log_labels():
    assert labels_to_reach(LABELS, np.array([0.5, 0.6, 0.7, 0.8]), 0.65) == pytest.approx(200 * 2**0.5)
    assert labels_to_reach(LABELS, np.array([0.5, 0.6, 0.7, 0.8]), 0.8) == pytest.approx(800)


def test_labels_to_reach_takes_the_first_crossing():
    assert labels_to_reach(LABELS, np.array([0.5, 0.7, 0.6, 0.8]), 0.7) == pytest.approx(200)


def test_reach_keeps_open_what_the_budgets_do_not_show():
    curves = np.array([[0.5, 0.6, 0.7, 0.8], [0.7, 0.7, 0.7, 0.7], [0.5, 0.5, 0.5, 0.5]])
    low, high = reach(LABELS, curves, 0.7)
    assert low == pytest.approx([400, 0, 800])
    assert high == pytest.approx([400, 100, np.inf])


def test_reach_agrees_with_walking_along_each_curve():
    rng = np.random.default_rng(0)
    curves = rng.uniform(0.4, 0.9, (200, 4))
    low, high = reach(LABELS, curves, 0.7)
    for curve, least, most in zip(curves, low, high, strict=True):
        fine = np.exp(np.linspace(np.log(100), np.log(800), 20_001))
        there = fine[np.interp(np.log(fine), np.log(LABELS), curve) >= 0.7]
        if not there.size:
            assert (least, most) == (800, np.inf)
        elif there[0] == fine[0]:
            assert (least, most) == (0, 100)
        else:
            assert least == most == pytest.approx(there[0], rel=2e-4)


def test_reach_in_words():
    assert [str(one) for one in (Reach(640.4, 640.4), Reach(0, 100), Reach(2_500, np.inf))] == [
        "640",
        "100 or fewer",
        "more than 2,500",
    ]
