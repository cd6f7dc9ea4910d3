import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.exchange.formulas import guard, unguard
from lit_al.exchange.writing import csv_bytes

SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫\t\r\n"
cells = st.text() | st.text(st.sampled_from("'= +-@\t\u00a0\u3000＝a"))


@given(cells)
def test_a_guarded_cell_comes_back(cell):
    assert unguard(guard(cell)) == cell


@given(cells)
def test_two_cells_are_never_guarded_alike(cell):
    assert guard("'" + cell) != guard(cell)


@given(cells)
def test_no_guarded_cell_begins_like_a_formula(cell):
    assert not guard(cell).lstrip(" \u00a0\u3000\ufeff\u200b").startswith(tuple(SIGNS))


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u3000 ", "\u200b", "\ufeff"])
def test_every_sign_is_guarded_also_after_blanks(sign, before):
    assert guard(f"{before}{sign}cmd") == f"'{before}{sign}cmd"


@pytest.mark.parametrize("cell", ["", "plain", "a=b", "'tis", "1+1", "''", "“=”"])
def test_other_cells_stay(cell):
    assert guard(cell) == unguard(cell) == cell


def test_raw_tables_stay_as_they_are():
    for raw, expected in [(False, "'=1"), (True, "=1")]:
        content = csv_bytes(["a", "b"], [{"a": "=1", "b": -1}], raw=raw).decode("utf-8-sig")
        assert list(csv.reader(io.StringIO(content))) == [["a", "b"], [expected, "-1"]]  # numbers are no formulas
