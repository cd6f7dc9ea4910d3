import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.data import PartDuplicates, count_contradictions, count_duplicates_across, duplicate_groups, first_copies

TEXTS = ["a", "b", "a", "c", "b", "a"]


def test_groups_list_every_copy_in_order():
    assert duplicate_groups(TEXTS) == [[0, 2, 5], [1, 4]]
    assert duplicate_groups([]) == []


def test_first_copies_mark_one_row_per_text():
    assert first_copies(TEXTS).tolist() == [True, True, False, True, False, False]


@given(st.lists(st.sampled_from("abcdefgh")))
def test_first_copies_keep_every_text_once(texts):
    kept = [text for text, first in zip(texts, first_copies(texts), strict=True) if first]
    assert kept == list(dict.fromkeys(texts))


@pytest.mark.parametrize(
    ("labels", "contradictions"),
    [([0, 0, 0, 1, 0, 0], 0), ([0, 0, 1, 1, 0, 0], 1), ([0, 1, 1, 1, 0, 0], 2), ([0, 1, -1, 1, -1, 0], 0)],
)
def test_contradictions_count_texts_with_several_labels(labels, contradictions):
    assert count_contradictions(TEXTS, np.array(labels)) == contradictions


def test_copies_are_counted_inside_and_across_parts():
    parts = {"train": np.array([0, 1]), "val": np.array([4]), "test": np.array([2, 3, 5]), "pool": np.array([], int)}
    assert count_duplicates_across(TEXTS, parts) == {
        "train": PartDuplicates(2, 0, {"val": 1, "test": 1, "pool": 0}, 2),
        "val": PartDuplicates(1, 0, {"train": 1, "test": 0, "pool": 0}, 1),
        "test": PartDuplicates(3, 1, {"train": 2, "val": 0, "pool": 0}, 2),
        "pool": PartDuplicates(0, 0, {"train": 0, "val": 0, "test": 0}, 0),
    }


def test_a_row_shared_with_two_parts_counts_once_elsewhere():
    counts = count_duplicates_across(["a", "a", "a"], {"train": [0], "test": [1], "pool": [2]})
    assert counts["test"].shared == {"train": 1, "pool": 1}
    assert counts["test"].elsewhere == 1


def test_one_part_alone_shares_nothing():
    assert count_duplicates_across(TEXTS, {"all": range(6)}) == {"all": PartDuplicates(6, 3, {}, 0)}
