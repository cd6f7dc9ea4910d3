import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from lit_al.data import Corpus
from lit_al.exceptions import DataError
from lit_al.text.embeddings import embeddings_of, read_embeddings

TEXTS = ["dull", "a gem", "dull", "很好吃", ""]
VECTORS = np.array([[3, 4], [0, -2], [3, 4], [1e30, 1e30], [0, 0]])
UNITS = np.array([[0.6, 0.8], [0, -1], [0.6, 0.8], [0.5**0.5, 0.5**0.5], [0, 0]])


def corpus_of(texts=TEXTS):
    return Corpus(list(texts), np.zeros(len(texts), np.int64), ("a", "b"))


def key_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


def write(path, vectors=VECTORS, keys=None, column="vector", key="key", kind=None):
    lists = pa.array([None if v is None else list(v) for v in vectors], kind or pa.list_(pa.float64()))
    parquet.write_table(pa.table({key: keys or [key_of(text) for text in TEXTS], column: lists}), path)
    return path


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_gives_rows_in_the_order_of_the_corpus(dtype, order, tmp_path):
    np.save(tmp_path / "v.npy", np.asarray(np.minimum(VECTORS, 1000), dtype=dtype, order=order))
    found = read_embeddings(tmp_path / "v.npy", corpus_of())
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, UNITS, atol=1e-3)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 2), pa.list_(pa.float64())]
)
@pytest.mark.parametrize("column", ["vector", "embedding"])
def test_parquet_gives_rows_by_key(kind, column, tmp_path):
    found = read_embeddings(write(tmp_path / "v.parquet", column=column, kind=kind), corpus_of())
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, UNITS, atol=1e-3)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(8)), st.integers(1, 8), st.booleans())
def test_order_and_further_rows_of_a_parquet_file_do_not_matter(tmp_path, order, group, by_text):
    texts = [f"text {number}" for number in range(8)]
    vectors = np.random.default_rng(0).normal(size=(8, 3))
    names = [texts[row] if by_text else key_of(texts[row]) for row in order]
    table = pa.table({"text" if by_text else "key": names, "vector": list(vectors[order])})
    parquet.write_table(table, tmp_path / "v.parquet", row_group_size=group)
    wanted = [5, 0, 5, 3]
    found = read_embeddings(tmp_path / "v.parquet", corpus_of([texts[row] for row in wanted]))
    expected = vectors[wanted] / np.linalg.norm(vectors[wanted], axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_of_vectors_of_one_text_the_first_counts(tmp_path):
    path = write(tmp_path / "v.parquet", vectors=[*VECTORS, [1, 0]], keys=[*map(key_of, TEXTS), key_of("dull")])
    np.testing.assert_allclose(read_embeddings(path, corpus_of()), UNITS, atol=1e-3)


BAD = [
    ({"vectors": [*VECTORS[:3], [1, np.nan], [1, 1]]}, "row 4 of 5: the vector holds NaN or infinity"),
    ({"vectors": [*VECTORS[:3], [1, np.inf], [1, 1]]}, "row 4 of 5: the vector holds NaN or infinity"),
    ({"vectors": [*VECTORS[:3], [1], [1, 1]]}, r"row 4 of 5: the vector has 1 numbers, and others 2"),
    ({"vectors": [*VECTORS[:3], [1, None], [1, 1]]}, r"row 4 of 5: a number of the vector is missing"),
    ({"vectors": [*VECTORS[:3], None, [1, 1]]}, r"row 4 of 5: the vector is missing"),
    ({"vectors": [[]] * 5}, "has vectors of 0 numbers"),
    ({"keys": [*map(key_of, TEXTS[:3]), "abc", key_of("")]}, "row 4 of 5: the key 'abc' is no sha256"),
    ({"keys": [*map(key_of, TEXTS[:3]), None, key_of("")]}, r"row 4 of 5: the key is missing \(null\)"),
    ({"keys": [*map(key_of, TEXTS[:3]), "0" * 64, "1" * 64]}, "no vector for the text '很好吃', nor for 1 other"),
    ({"keys": list("12345")}, "row 1 of 5: the key '1' is no sha256"),
    ({"column": "weights"}, "has no column vector or embedding; its columns are 'key', 'weights'"),
    ({"key": "id"}, "has no column key or text"),
    ({"keys": [1, 2, 3, 4, 5]}, "column 'key' holds int64, not texts"),
    ({"kind": pa.list_(pa.string()), "vectors": [["a"]] * 5}, "not lists of floating-point numbers"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=[words[:30] for _, words in BAD])
def test_parquet_that_is_no_table_of_vectors_is_refused_with_its_place(wrong, words, tmp_path):
    with pytest.raises(DataError, match=words):
        read_embeddings(write(tmp_path / "v.parquet", **wrong), corpus_of())


def test_vectors_of_another_length_in_a_later_part_of_the_file_are_refused(tmp_path):
    table = pa.table({"text": TEXTS, "vector": [[1.0, 2.0]] * 3 + [[1.0]] * 2})
    parquet.write_table(table, tmp_path / "v.parquet", row_group_size=3)
    with pytest.raises(DataError, match="row 4: the vector has 1 numbers and those before it 2"):
        read_embeddings(tmp_path / "v.parquet", corpus_of())


def test_one_row_that_unpacks_to_gigabytes_is_refused_before_it_is_read(tmp_path):
    numbers = pa.array(np.zeros(50_000, np.float32))
    table = pa.table({"text": ["dull"], "vector": pa.ListArray.from_arrays([0, 50_000], numbers)})
    parquet.write_table(table, tmp_path / "v.parquet")
    with pytest.raises(DataError, match="vectors of 50,000 numbers; 1 to 32,768 can be"):
        read_embeddings(tmp_path / "v.parquet", corpus_of())


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (VECTORS[:4], "has 4 rows and the corpus 5 texts"),
        (VECTORS[:, 0], r"holds float64 of shape \(5,\), not rows"),
        (VECTORS.astype(np.complex64), "holds complex64"),
        (np.zeros((5, 2), np.int64), "holds int64"),
        (np.zeros((5, 0)), "has vectors of 0 numbers"),
        (np.where(np.arange(10).reshape(5, 2) == 7, np.nan, 1), "row 4 of 5: the vector holds NaN"),
        (np.array([[{}, {}]] * 5), "is no sound .npy file"),
    ],
)
def test_npy_of_another_kind_is_refused(array, words, tmp_path):
    np.save(tmp_path / "v.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=words):
        read_embeddings(tmp_path / "v.npy", corpus_of())


@pytest.mark.parametrize("name", ["v.npy", "v.parquet"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x93NUMPY\x01\x00v\x00{'descr'", b"PAR1\x00\x00\x00\x00PAR1"])
def test_broken_files_are_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        read_embeddings(tmp_path / name, corpus_of())


def test_file_that_was_cut_off_is_refused(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS)
    (tmp_path / "v.npy").write_bytes((tmp_path / "v.npy").read_bytes()[:-8])
    with pytest.raises(DataError, match="is no sound"):
        read_embeddings(tmp_path / "v.npy", corpus_of())


def test_missing_file_folder_and_unknown_kind_are_refused(tmp_path):
    for name, words in (("no.npy", "cannot be read"), ("v.txt", r"ends in .npy or .parquet"), ("d.npy", "is a folder")):
        (tmp_path / "d.npy").mkdir(exist_ok=True)
        with pytest.raises(DataError, match=words):
            read_embeddings(tmp_path / name, corpus_of())


def test_without_a_source_there_are_no_vectors(tmp_path):
    assert embeddings_of(corpus_of(), None, None) is None
    found = embeddings_of(corpus_of(), None, str(write(tmp_path / "v.parquet")))
    np.testing.assert_allclose(found, UNITS, atol=1e-3)
