"""What a run keeps of the columns beside its texts."""

import datetime
import decimal
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.data import Corpus, load_corpus
from lit_al.data.beside import MOST, Beside
from lit_al.exceptions import DataError
from lit_al.utils.cells import plain_cell


def corpus(**columns):
    rows = len(next(iter(columns.values())))
    texts = [f"text {row}" for row in range(rows)]
    return Corpus(texts, np.full(rows, -1), ("a", "b"), "file t.csv", columns=columns)


def test_columns_keep_the_order_of_the_file_and_their_cells():
    beside = Beside.of(corpus(b=[1, None], a=["x", 2.5], date=[datetime.date(2026, 1, 2), decimal.Decimal("1.20")]))
    assert [beside.row(0), beside.row(1)] == [
        {"b": 1, "a": "x", "date": "2026-01-02"},
        {"b": None, "a": 2.5, "date": "1.20"},
    ]
    assert beside.notes == ()


def test_the_longest_columns_are_left_out_until_each_row_fits():
    long = "x" * (MOST // 2)
    found = Beside.of(corpus(id=["1", "2"], a=[long, ""], b=[long + "x", ""], c=["", "y" * MOST]))
    assert list(found.columns) == ["id", "a"]
    assert found.notes[0].endswith("'b', 'c'")
    assert list(Beside.of(corpus(a=["x" * (MOST - 1)])).columns) == ["a"]
    with pytest.raises(DataError, match=r"file t.csv, row 2: column 'c' holds 100,001 characters, and a run keeps"):
        Beside.of(corpus(id=["1", "2"], c=["", "y" * MOST]), ["id", "c.d"])


def test_a_table_of_too_many_columns_is_cut_to_what_fits():
    found = Beside.of(corpus(**{f"column {number:05d}": [number] for number in range(9_000)}))
    assert 0 < len(found.columns) < 9_000
    assert sum(len(name) + len(str(cell)) for name, cell in found.row(0).items()) <= MOST


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters()), st.binary()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(st.characters()), inner)),
        max_leaves=6,
    )
)
def test_cells_of_any_kind_can_be_written_and_come_back(cell):
    kept = plain_cell(cell)
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    json.dumps(kept, ensure_ascii=False).encode()


def test_the_columns_of_ids_and_labels_are_known_by_their_names(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"doc": {"id": 7.0}, "text": "a", "kind": "x"}\n{"doc": {"id": 8}, "text": "b", "kind": "y"}\n')
    found = load_corpus(str(path), id_column="doc.id", label_column="kind")
    assert (found.ids, found.id_column, found.label_column) == (["7", "8"], "doc.id", "kind")
    assert list(found.columns) == ["doc", "kind"]
    turned = found.at(np.array([1, 0]))
    assert (turned.texts, turned.ids, turned.columns["kind"]) == (["b", "a"], ["8", "7"], ["y", "x"])
