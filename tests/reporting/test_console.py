import io

import numpy as np
import pytest
from rich.console import Console

from lit_al.metrics import Confusion, Evaluation
from lit_al.reporting.console import RunConsole, conclusion, flaws


def part(accuracy, total, error=0.005):
    return {"test": {"accuracy": accuracy, "standard_error": error}, "labels_spent": {"total": total}}


def test_flaws_name_what_the_settings_leak():
    keras = {"steer_on": "test", "pool_classes": "true", "ratio_direction": "as-coded"}
    honest = {"steer_on": "val", "pool_classes": "predicted", "ratio_direction": "as-stated"}
    assert len(flaws(keras)) == 3
    assert flaws(honest) == []
    assert flaws({**honest, "steer_on": "test"}) == ["steers by the test set, so that its test figure is optimistic"]


def test_conclusion_weighs_the_gap_against_the_noise():
    assert "0.0084 below full, within the noise" in conclusion(part(0.8508, 45_000), part(0.8424, 39_997))
    assert "0.0500 below full, more than the noise" in conclusion(part(0.87, 45_000), part(0.82, 39_997))
    assert "above full" in conclusion(part(0.80, 45_000), part(0.81, 39_997))
    assert "5,003 fewer labels in all" in conclusion(part(0.85, 45_000), part(0.84, 39_997))
    assert "2 more labels" in conclusion(part(0.85, 45_000), part(0.84, 45_002))
    assert "no fewer labels" in conclusion(part(0.85, 45_000), part(0.84, 45_000))


def judged_words(matrix, classes=None):
    """What is printed of a test."""
    matrix = np.array(matrix)
    out = io.StringIO()
    classes = classes or [f"class {index}" for index in range(len(matrix))]
    RunConsole(Console(file=out, width=120), classes).test(Evaluation(0.5, Confusion(matrix)))
    return out.getvalue()


def test_two_even_classes_need_one_line_with_both_measures():
    words = judged_words([[45, 5], [15, 35]])
    assert words.count("\n") == 1
    assert "accuracy 0.8000" in words
    assert "macro-F1 0.7980, FN 15, FP 5" in words


@pytest.mark.parametrize(("matrix", "shown"), [([[90, 10], [5, 15]], 2), ([[40, 0, 0], [0, 40, 0], [1, 1, 38]], 3)])
def test_uneven_or_several_classes_are_shown_worst_first(matrix, shown):
    words = judged_words(matrix)
    f1 = Confusion(np.array(matrix)).f1
    places = [words.index(f"class {index} ") for index in np.argsort(f1, kind="stable")]
    assert f"lowest F1 in the test: {shown} of {shown} classes" in words
    assert places == sorted(places)
    assert len(places) == shown
    assert "too rare" not in words
    assert "accuracy" in words.splitlines()[-1]  # the test line stands last


def test_of_many_classes_the_worst_are_shown_and_rare_ones_named():
    matrix = np.diag([20] * 30)
    matrix[7, 7], matrix[7, 8] = 5, 15
    matrix[3] = 0
    matrix[3, 3] = 2
    matrix[11] = 0
    words = judged_words(matrix, [f"[b]{index}" for index in range(30)])
    assert "lowest F1 in the test: 5 of 30 classes" in words
    assert words.index("[b]7 ") < words.index("[b]8 ")
    assert "too rare to judge, with fewer than 10 test rows: '[b]3', '[b]11'" in words
    assert f"15 of {matrix.sum():,} wrong" in words
    assert len(words.splitlines()) < 15
