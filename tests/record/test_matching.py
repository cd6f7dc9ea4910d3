"""Texts of a file and of a run are matched by what they say."""

from hypothesis import given
from hypothesis import strategies as st

from lit_al.record.matching import matched

NAMES = st.one_of(st.integers(0, 9), st.sampled_from(["#0", "#1", "row 7"]))
WANTED = st.lists(st.tuples(NAMES, st.sampled_from("abc")), max_size=9)
THERE = st.dictionaries(st.integers(0, 9), st.sampled_from("abc"), max_size=9)


@given(wanted=WANTED, there=THERE)
def test_each_is_one_that_says_the_same_and_each_of_these_is_taken_once(wanted, there):
    found = matched(wanted, there)
    assert all(there[number] == sha256 for (_, sha256), number in found.items())
    assert len({*found.values()}) == len(found)
    for sha256 in "abc":  # nothing is left that could be matched
        asked = {one for one in wanted if one[1] == sha256}
        copies = sum(one == sha256 for one in there.values())
        assert sum(name in found for name in asked) == min(len(asked), copies)


@given(wanted=WANTED, there=THERE)
def test_a_number_that_says_the_same_here_is_kept(wanted, there):
    found = matched(wanted, there)
    for name, sha256 in wanted:
        if isinstance(name, int) and there.get(name) == sha256:
            assert found[name, sha256] == name


@given(there=THERE, moved=st.data())
def test_neither_the_order_of_a_file_nor_other_texts_in_it_matter_where_there_are_no_copies(there, moved):
    one_each = {sha256: number for number, sha256 in there.items()}
    rows = [(f"row {number}", sha256) for sha256, number in one_each.items()]
    shuffled = moved.draw(st.permutations([*rows, ("row 99", "z")]))
    run = {number: sha256 for sha256, number in one_each.items()}
    assert matched(shuffled, run) == {(name, sha256): one_each[sha256] for name, sha256 in rows}
