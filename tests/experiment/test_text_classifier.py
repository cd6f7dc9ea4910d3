"""`TextClassifier` in scikit-learn's manners: its own checks, pipelines, searches, and what is ours beside."""

import inspect
import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import validate_data

from lit_al import TextClassifier
from lit_al.exceptions import CheckpointError, ConfigError, InputError, LitALError
from lit_al.models.checkpoint import load_model
from lit_al.models.prediction import classify

SCRATCH = {"recipe": "scratch", "steps": 30, "vocabulary_size": 200, "max_length": 12, "accelerator": "cpu"}
LEAN = {"study_steps": 3, "vocabulary_size": 200, "max_length": 12, "accelerator": "cpu"}


def named(corpus, rows=slice(None)):
    return [corpus.classes[label] for label in corpus.labels[rows]]


@pytest.fixture(scope="module", params=[2, 3])
def corpus(request, make_corpus):
    return make_corpus(240, ("negative", "neutral", "positive")[: request.param])


@pytest.fixture(scope="module")
def lean(corpus):
    """Fitted on 60 labels and 120 texts without."""
    return TextClassifier(**LEAN).fit(corpus.texts[:60], named(corpus, slice(60)), unlabeled=corpus.texts[60:180])


# --- scikit-learn's checks --------------------------------------------------------------------------------------------


class OfNumbers(TextClassifier):
    """The same for tables of numbers, a text of each row, so that scikit-learn's checks have something to give it."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string, tags.input_tags.one_d_array = True, False, False
        return tags

    def fit(self, X, y):
        return super().fit(spelled(validate_data(self, X)), y)

    def predict_proba(self, X):
        if not hasattr(self, "model_"):
            return super().predict_proba(["nothing"])
        return super().predict_proba(spelled(validate_data(self, X, reset=False)))


def spelled(table):
    """Each row as words: the number of a column and where about its value lies."""
    return [" ".join(f"c{column}v{round(value)}" for column, value in enumerate(row)) for row in table.tolist()]


MISSING = "labels that are missing are allowed: NaN is one"
NOT_OURS = {
    "check_supervised_y_no_nan": MISSING,
    "check_classifiers_classes": "the whole number -1 means no label, as in sklearn.semi_supervised",
    "check_supervised_y_2d": "a table of labels is refused, not taken for a column of them",
    "check_classifiers_train": "numbers as words are no task to be good at, and -1 means no label",
}


@parametrize_with_checks(
    [OfNumbers(**SCRATCH | {"steps": 5})], expected_failed_checks=lambda estimator: NOT_OURS, xfail_strict=True
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:Can't test estimator")
def test_checks_of_the_classifier_itself_are_few_because_it_takes_texts():
    done = check_estimator(TextClassifier())
    assert {one["status"] for one in done} == {"passed"}
