"""Parquet files that are small and stand for much: refused before they are unpacked."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from lit_al.data import Corpus
from lit_al.data.bounds import Bound
from lit_al.data.columns import texts_of
from lit_al.data.formats import read_file
from lit_al.data.tables import Reading
from lit_al.exceptions import DataError
from lit_al.utils import memory


def read_table(path, text_column=None, label_column=None, **how):
    reading = Reading(text_column=text_column, label_column=label_column, **how)
    return texts_of(read_file(path, reading), reading)


@pytest.fixture
def free(monkeypatch):
    """100 MB of memory are free."""
    monkeypatch.setattr(memory, "available", lambda: 100_000_000)


def repeated(path, text, rows, **settings):
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))
    parquet.write_table(pa.table({"text": texts, "label": pa.array(np.zeros(rows, np.int8))}), path, **settings)
    assert path.stat().st_size < 100_000
    return path


@pytest.mark.parametrize(("length", "rows"), [(40_000, 100_000), (4_000_000, 1_000), (10, 10_000_000)])
def test_a_small_file_of_gigabytes_is_refused_before_it_is_unpacked(length, rows, tmp_path, free):
    path = repeated(tmp_path / "bomb.parquet", "x" * length, rows, compression="zstd")
    before = pa.total_allocated_bytes()
    with pytest.raises(DataError, match=r"bomb.parquet unpacks to some .* GB, .* fewer rows of it, or free memory"):
        read_table(path, None, None)
    assert pa.total_allocated_bytes() - before < 75_000_000


def test_what_fits_is_read_whatever_a_text_repeats(tmp_path, free):
    table = read_table(repeated(tmp_path / "many.parquet", "x" * 1_000, 20_000), None, None)
    assert table.texts == ["x" * 1_000] * 20_000
    texts = ["x" * 1_000_000, *map(str, range(5_000)), None, ""]  # at worst 5 GB, in truth 1 MB
    parquet.write_table(pa.table({"text": texts[:-2], "label": [0] * 5_001}), tmp_path / "one.parquet")
    assert read_table(tmp_path / "one.parquet", None, None).texts == texts[:-2]


def test_a_count_beyond_the_bound_is_refused(tmp_path, free):
    bound = Bound(tmp_path / "a.parquet")
    bound.take(70_000_000)
    with pytest.raises(DataError, match=r"more than 0\.1 GB"):
        bound.take(10_000_000)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_file_larger_than_the_memory_is_refused(suffix, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10)
    path = tmp_path / f"r.{suffix}"
    path.write_text("text,label\na,0\nb,1\n")
    with pytest.raises(DataError, match="19 bytes, more than the 10 of memory that are free"):
        read_table(path, None, None)


@pytest.mark.parametrize(
    "names",
    ["negative", {"a": 1}, 7, [1, 2], [["a"], ["b"]], ["a", "a"], ["a", None], ["a", "\ud800"], ["a"] * 2_000],
    ids=lambda names: str(names)[:20],
)
def test_names_of_classes_that_datasets_does_not_write_are_refused(names, tmp_path):
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    table = pa.table({"text": ["a", "b"], "label": [0, 1]})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, tmp_path / "r.parquet")
    with pytest.raises(DataError, match=r"r.parquet: the metadata of column 'label'") as refused:
        read_table(tmp_path / "r.parquet", None, None)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("garbage", [b"\xff\x00", b"[" * 100_000, b'{"info": 3}', b'{"info": {"features": []}}'])
def test_garbage_that_names_no_class_is_passed_over(garbage, tmp_path):
    table = pa.table({"text": ["a", "b"], "label": [0, 1]}).replace_schema_metadata({"huggingface": garbage})
    parquet.write_table(table, tmp_path / "r.parquet")
    assert read_table(tmp_path / "r.parquet", None, None).names is None


def test_columns_of_lists_are_refused(tmp_path):
    parquet.write_table(pa.table({"text": [["a"], ["b"]], "label": [0, 1]}), tmp_path / "r.parquet")
    with pytest.raises(DataError, match=r"row 1 of 2: the text is \['a'\] \(list\), not a string"):
        read_table(tmp_path / "r.parquet", None, None)


def test_names_of_classes_that_cannot_be_written_are_refused():
    with pytest.raises(DataError, match="half a surrogate pair"):
        Corpus(["a"], np.array([0]), ("no", "\udce9"))
