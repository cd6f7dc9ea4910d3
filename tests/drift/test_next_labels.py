"""Which texts to label: each once, half of them by chance, the others where the model is least at home."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lit_al.drift.next_labels import next_labels, strangeness_of
from lit_al.drift.text_counts import TextCounts


@given(st.integers(1, 60), st.integers(2, 40), st.integers(0, 5))
def test_each_row_once_no_more_than_there_are_and_half_of_them_by_chance(rows, most, seed):
    rng = np.random.default_rng(seed)
    found = next_labels(rng.dirichlet([1, 1, 1], rows), rng.random(rows), most, seed)
    chosen = [row for row, _ in found]
    assert len(chosen) == len(set(chosen)) == min(most, rows)
    assert set(chosen) <= set(range(rows))
    assert sum(why == "random" for _, why in found) == min((most + 1) // 2, rows)


def test_least_sure_and_strangest_come_first_whatever_chance_took():
    said = np.column_stack([np.linspace(0.5, 1, 50), np.linspace(0.5, 0, 50)])
    found = next_labels(said, np.arange(50.0), 20)
    drawn = {row for row, why in found if why == "random"}
    left = [row for row in range(50) if row not in drawn]
    assert [row for row, why in found if why == "unsure"] == left[:5]
    assert [row for row, why in found if why == "strange"] == left[::-1][:5]


def test_text_of_words_that_nobody_used_is_stranger_than_one_of_words_that_all_use():
    before = TextCounts.of(np.array([[2, 3]] * 90 + [[2, 4]] * 10), np.full((100, 2), 0.5))
    common, rare, new, unknown = strangeness_of(np.array([[2, 3], [2, 4], [2, 5], [2, 1]]), before, 9)
    assert common < rare < new <= unknown
    assert strangeness_of(np.array([[0, 0]]), before, 9) == 0
    assert strangeness_of(np.array([[60_000, 2]]), before, 65_000) > rare
