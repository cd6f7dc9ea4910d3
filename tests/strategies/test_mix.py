import numpy as np
import pytest

from lit_al.strategies import collapsed, mix


def test_mix_counts_labels_and_predictions_alike():
    labels = np.array([2, 0, 2, 2])
    assert mix(labels, 4).tolist() == [0.25, 0, 0.75, 0]
    assert mix(np.eye(4)[labels], 4).tolist() == [0.25, 0, 0.75, 0]


def test_mix_of_nothing_is_zero():
    assert mix(np.empty(0, np.int64), 2).tolist() == [0, 0]
    assert collapsed(np.empty((0, 2))) is None


@pytest.mark.parametrize(("positives", "found"), [(94, None), (95, 0.95), (100, 1.0)])
def test_collapse_is_found_from_the_threshold_on(positives, found):
    probabilities = np.tile([0.7, 0.3], (100, 1))
    probabilities[:positives] = [0.4, 0.6]
    answer = collapsed(probabilities)
    assert (answer and answer.share) == found
    assert found is None or answer.label == 1
