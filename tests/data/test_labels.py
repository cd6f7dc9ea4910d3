import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.data.labels import encode_as, encode_labels
from lit_al.exceptions import DataError


def encode(values, names=None):
    labels, classes = encode_labels(values, lambda row: f"line {row + 1}", "f.csv, column 'label'", names)
    assert labels.dtype == np.int64
    return labels.tolist(), classes


@pytest.mark.parametrize(
    ("values", "labels", "classes"),
    [
        (["pos", "neg", "pos"], [1, 0, 1], ("neg", "pos")),
        (["positive", "negative"], [1, 0], ("negative", "positive")),
        ([10, 9, 2], [2, 1, 0], ("2", "9", "10")),
        (["10", "9", "2"], [2, 1, 0], ("2", "9", "10")),  # by value, as if they were integers
        (["007", "7"], [0, 1], ("007", "7")),  # a leading zero makes a name
        (["1.5", "0.5"], [1, 0], ("0.5", "1.5")),
        ([True, False], [1, 0], ("0", "1")),
        ([0.0, 1.0, float("nan")], [0, 1, -1], ("0", "1")),
        ([1.0, 0.0, None], [1, 0, -1], ("0", "1")),
        (["1.0", "0.0", ""], [1, 0, -1], ("0", "1")),  # what a table with gaps is often saved as
        (["c", "a", "b"], [2, 0, 1], ("a", "b", "c")),
        ([3, -5], [1, 0], ("-5", "3")),
        ([1, "0", "1.0", None], [1, 0, 1, -1], ("0", "1")),  # as spreadsheets and people mix them
    ],
)
def test_classes_are_numbered_and_named(values, labels, classes):
    assert encode(values) == (labels, classes)


@pytest.mark.parametrize("values", [[0, 1, -1], [0, 1, None], ["a", "b", ""], ["0", "1", "-1"], [0.0, 1.0, -1.0]])
def test_missing_labels_are_minus_one(values):
    assert encode(values)[0] == [0, 1, -1]


def test_names_of_the_file_are_kept_even_when_unused():
    assert encode([2, 0, -1, None], ("sport", "film", "news")) == ([2, 0, -1, -1], ("sport", "film", "news"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 0.5], "line 2: the label is 0.5; a label is an integer or a string"),
        ([0, float("inf")], "line 2: the label is inf"),
        ([0, [1]], "line 2: the label is [1]"),
        ([0, {"a": 1}], "line 2: the label is {'a': 1}"),
        ([0, None, "pos"], "labels must be all integers or all strings: line 1 has 0, line 3 has 'pos'"),
        (["a", "a"], "f.csv, column 'label': all labels are 'a', but a classifier needs two classes or more"),
        ([1, 1, None], "all labels are 1, but"),
        ([1, -1], "-1 means no label, so number the classes 0 and 1"),
        (["1", "-1"], "-1 means no label, so number the classes 0 and 1"),
        ([None, ""], "f.csv, column 'label': no row has a label; name the right column with --label-column"),
        ([-1, -1], "no row has a label"),
        (list(range(1_001)), "1,001 different labels, more than the 1,000 allowed; this is probably not the label"),
        (["a", "1", "a"], None),  # strings all: fine
    ],
)
def test_bad_labels_are_refused(values, message):
    if message is None:
        assert encode(values)[1] == ("1", "a")
        return
    with pytest.raises(DataError, match=re.escape(message)):
        encode(values)


def test_a_thousand_classes_are_allowed():
    assert len(encode(list(range(1_000)))[1]) == 1_000


@pytest.mark.parametrize("values", [[0, 1, 2], [0, 1, -2], ["a", "b"]])
def test_label_beyond_the_names_is_refused(values):
    with pytest.raises(DataError, match=r"line \d: the label is .*, but the file names only 2 classes"):
        encode(values, ("negative", "positive"))


@given(st.lists(st.one_of(st.none(), st.integers(-1, 20)), min_size=1))
def test_integers_come_back_by_name(values):
    present = {value for value in values if value not in (None, -1)}
    if len(present) < 2:
        return
    labels, classes = encode(values)
    assert list(classes) == [str(value) for value in sorted(present)]
    for value, label in zip(values, labels, strict=True):
        assert (label == -1) if value in (None, -1) else classes[label] == str(value)


def test_given_classes_need_no_labels():
    assert encode_as([None, "", -1], str, ("neg", "pos")).tolist() == [-1, -1, -1]


def test_given_classes_number_labels_by_their_place():
    assert encode_as(["zeta", "alpha", "zeta"], str, ("zeta", "alpha")).tolist() == [0, 1, 0]


def test_a_label_outside_the_given_classes_is_refused_with_its_place_and_the_likely_one():
    with pytest.raises(DataError, match=r"line 1: 'Pos' is not one of the labels; did you mean 'pos'\? they are 'neg'"):
        encode_as(["neg", "Pos"], lambda row: f"line {row}", ("neg", "pos"))
