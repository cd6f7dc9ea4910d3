import json

import numpy as np
import pytest

from lit_al.annotate.stop_advice import advise, noted, remembered
from lit_al.record.class_history import ClassHistory
from lit_al.stopping import Progress

CLASSES = ("bad", "good")


def models(labels, **settings):
    """Models that agree from the third on, unless told otherwise."""
    rng = np.random.default_rng(0)
    steady = rng.integers(0, 2, 200)
    for index, count in enumerate(labels):
        predictions = steady if index > 1 else rng.integers(0, 2, 200)
        yield Progress(count, 10_000 - count, uncertainty=0.3, **{"predictions": predictions, **settings})


def test_models_that_agree_over_hundreds_of_labels_say_stop():
    history = list(models(range(50, 700, 100)))
    advice = advise(history)
    assert advice.stop
    assert advice.text == "you may stop: predictions hardly change any more: on 0 % of texts by the last 100 labels"
    assert not advise(history[:3]).stop
    assert "predictions still change on 3" in advise(history[:4]).text  # two pairs of coin tosses, and one alike


def test_models_of_ten_more_labels_say_nothing_however_much_they_agree():
    advice = advise(list(models(range(20, 110, 10))))
    assert not advice.stop
    assert advice.text == (
        "keep labeling: the model is still unsure of the other texts: 0.30 on a scale to 1; it should be 0.05 or less"
    )


@pytest.mark.parametrize(("uncertainty", "stop"), [(0.04, True), (0.2, False)])
def test_accuracy_that_stands_still_counts_only_for_a_model_that_is_sure(uncertainty, stop):
    rng = np.random.default_rng(1)
    history = [
        Progress(100 * n, 5_000, accuracy=0.8, uncertainty=uncertainty, predictions=rng.integers(0, 2, 99))
        for n in range(1, 7)
    ]
    assert advise(history).stop == stop


def test_sure_model_of_few_labels_is_not_believed():
    advice = advise([Progress(20, 980, uncertainty=0.01, predictions=np.zeros(9, np.int64))])
    assert advice.text == (
        "keep labeling: 20 answers are too few to tell; models 100 labels apart are compared from the fourth"
    )


def test_nothing_left_says_stop():
    assert advise([Progress(60, 0)]).text == "you may stop: all texts are answered, 60 of them"


def test_figures_come_back_from_json_but_for_those_of_other_texts():
    history = list(models([10, 20]))
    notes = [json.loads(json.dumps(noted(one, texts, CLASSES))) for one, texts in zip(history, (60, 61), strict=True)]
    [back] = remembered(dict(enumerate([*notes, None], 4)), 61, ClassHistory(CLASSES))
    assert back.model == 5
    assert (back.predictions == history[1].predictions).all()
    assert (back.labels, back.uncertainty) == (20, 0.3)
