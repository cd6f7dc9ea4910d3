import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from lit_al.utils.intervals import standard_error, wilson


@given(st.integers(1, 3_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_is_that_of_scipy(counts):
    right, n = counts
    expected = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert wilson(right / n, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.floats(0, 1), st.floats(0.1, 1e6))
def test_interval_has_a_width_and_stays_on_the_scale(share, rows):
    low, high = wilson(share, rows)
    assert 0 <= low < high <= 1
    assert low - 1e-9 <= share <= high + 1e-9
    assert standard_error(share, rows) > 0


def test_more_rows_say_more():
    widths = [high - low for low, high in (wilson(0.8, rows) for rows in (3.5, 10, 40.5, 1_000))]
    assert widths == sorted(widths, reverse=True)
