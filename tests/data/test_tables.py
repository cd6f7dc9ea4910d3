import contextlib
import csv
import json
import os
import re
import subprocess
import sys
import tracemalloc

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from lit_al.data.arrow_tables import class_names
from lit_al.data.columns import texts_of
from lit_al.data.formats import read_file
from lit_al.data.tables import Reading
from lit_al.exceptions import DataError

# Any text but NUL characters and halves of surrogate pairs.
texts_of_any_kind = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def read_table(path, text_column=None, label_column=None, **how):
    reading = Reading(text_column=text_column, label_column=label_column, **how)
    return texts_of(read_file(path, reading), reading)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def write_parquet(path, columns, **options):
    parquet.write_table(pa.table(columns), path, **options)
    return path


def refuses(path, message, **columns):
    with pytest.raises(DataError, match=re.escape(message)) as error:
        read_table(path, **columns)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


# What is read


def test_csv_keeps_commas_quotes_lines_and_unicode(write):
    path = write("r.csv", 'id,text,label\n1,"a, ""b""\r\nc",pos\n\n2,plain “é”,\n')
    table = read_table(path)
    assert table.texts == ['a, "b"\r\nc', "plain “é”"]
    assert table.labels == ["pos", ""]
    assert table.where(1) == f"{path}, line 5"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_csv_of_any_line_end_is_read(write, line_end):
    assert read_table(write("r.csv", line_end.join(["text,label", "a,0", "b,1"]))).texts == ["a", "b"]


def test_jsonl_skips_blank_lines_and_takes_missing_labels(write):
    path = write("r.jsonl", '{"text": "a", "label": 1}\n\n{"text": "b\\u2028"}\r\n{"label": null, "text": ""}')
    table = read_table(path)
    assert table.texts == ["a", "b\u2028", ""]
    assert table.labels == [1, None, None]
    assert table.where(2) == f"{path}, line 4"


def test_parquet_keeps_types_and_nulls(tmp_path):
    path = write_parquet(tmp_path / "r.parquet", {"text": ["a", "b"], "label": pa.array([1, None], pa.int8())})
    table = read_table(path)
    assert (table.texts, table.labels, table.names) == (["a", "b"], [1, None], None)
    assert table.where(1) == f"{path}, row 2 of 2"


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_strings_of_any_encoding_are_read(tmp_path, kind):
    path = tmp_path / "r.parquet"
    write_parquet(path, {"text": pa.array(["a", "b"]).cast(kind), "label": ["x", "y"]})
    assert read_table(path).texts == ["a", "b"]


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "R.CSV"])
def test_utf8_byte_order_mark_is_accepted(write, name):
    content = "text,label\né,1\n" if name.lower().endswith("csv") else '{"text": "é", "label": 1}\n'
    assert read_table(write(name, b"\xef\xbb\xbf" + content.encode())).texts == ["é"]


@pytest.mark.parametrize("text", ["text", "review", "sentence", "content", "Review", " TEXT "])
@pytest.mark.parametrize("label", ["label", "sentiment", "class", "category", "target", "Sentiment"])
def test_usual_column_names_are_found(write, text, label):
    for path in (
        write("r.csv", f"id,{label},{text}\n7,pos,fine\n"),
        write("r.jsonl", json.dumps({"id": 7, label: "pos", text: "fine"})),
    ):
        table = read_table(path)
        assert (table.texts, table.labels, table.columns) == (["fine"], ["pos"], (text, label))


def test_named_columns_win_over_usual_ones(write):
    csv_file = write("r.csv", "text,label,body,stars\na,0,b,5\n")
    jsonl = write("r.jsonl", '{"text": "a", "label": 0, "body": "b", "stars": "5"}')
    for path in (csv_file, jsonl):
        table = read_table(path, "body", "stars")
        assert (table.texts, table.labels) == (["b"], ["5"])


def test_class_label_names_are_read_from_parquet_metadata(tmp_path):
    features = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "text": {"_type": "Value"}}
    table = pa.table({"text": ["a", "b"], "label": [0, 1]})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, tmp_path / "r.parquet")
    assert read_table(tmp_path / "r.parquet").names == ("neg", "pos")


@pytest.mark.parametrize(
    "metadata", [{}, {b"huggingface": b"{"}, {b"huggingface": b"[]"}, {b"huggingface": b'{"info": {"features": {}}}'}]
)
def test_other_metadata_names_no_classes(metadata):
    assert class_names(metadata, "label") is None


def test_texts_of_ten_megabytes_are_read_in_modest_memory(tmp_path, write):
    long = "word " * 2_000_000
    write_parquet(tmp_path / "long.parquet", {"text": [long, "short"], "label": [0, 1]})
    write("long.csv", f'text,label\n"{long}",0\nshort,1\n')
    write("long.jsonl", "\n".join(json.dumps({"text": t, "label": i}) for i, t in enumerate([long, "short"])))
    limit = csv.field_size_limit()
    for suffix in ("csv", "jsonl", "parquet"):
        tracemalloc.start()
        table = read_table(tmp_path / f"long.{suffix}")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert table.texts == [long, "short"]
        assert peak < 10 * len(long)  # the csv module builds a cell in four bytes per character, doubling its room
    assert csv.field_size_limit() == limit


@given(rows=st.lists(st.tuples(texts_of_any_kind, texts_of_any_kind).filter(any), min_size=1))
def test_written_csv_and_jsonl_come_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("round")
    with (folder / "r.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    lines = (json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows)
    (folder / "r.jsonl").write_text("\n".join(lines), encoding="utf-8", newline="")
    for name in ("r.csv", "r.jsonl"):
        table = read_table(folder / name)
        assert list(zip(table.texts, table.labels, strict=True)) == rows


def test_csv_and_jsonl_need_the_standard_library_only(write):
    files = [
        write("r.csv", "text,label\na,0\nb,1\n"),
        write("r.jsonl", '{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n'),
        write("r.parquet", "PAR1"),
    ]
    code = f"""
import sys
sys.modules.update(datasets=None, pyarrow=None, huggingface_hub=None)
from lit_al.data import load_corpus
from lit_al.exceptions import DataError
for data in {[*map(str, files), "imdb"]!r}:
    try:
        print(load_corpus(data).fingerprint)
    except DataError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    of_csv, of_jsonl, parquet_error, hub_error = run.stdout.splitlines()
    assert of_csv == of_jsonl
    assert "needs pyarrow; install it, or convert the file to CSV" in parquet_error
    assert "through the package datasets, which is missing" in hub_error


# What is refused


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "r.parquet"])
def test_empty_file_is_refused(write, name):
    refuses(write(name, ""), "is empty")


def test_blank_files_are_refused(write):
    refuses(write("r.csv", "\n\n"), "is empty: it holds blank lines only")
    refuses(write("r.jsonl", "\n \n"), "is empty: it holds no JSON object")


def test_header_without_rows_is_refused(write, tmp_path):
    refuses(write("r.csv", "text,label\n"), "has a header but no rows")
    none = {"text": pa.array([], pa.string()), "label": pa.array([], pa.int64())}
    refuses(write_parquet(tmp_path / "r.parquet", none), "has a header but no rows")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("r.doc", "of the unknown kind '.doc'"), ("reviews", "without a suffix"), ("r.doc.gz", "kind '.doc.gz'")],
)
def test_unknown_suffix_is_refused(write, name, kind):
    refuses(write(name, "text,label"), kind)
    refuses(write(name, "text,label"), "a corpus file ends in .csv, .tsv, .tab, .jsonl")


def test_folder_given_as_file_is_refused(tmp_path):
    (tmp_path / "r.csv").mkdir()
    refuses(tmp_path / "r.csv", "is a folder, not a file")


def test_missing_file_is_refused(tmp_path):
    refuses(tmp_path / "r.csv", "cannot be read: No such file or directory")


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_file_without_permission_is_refused(write):
    path = write("r.csv", "text,label\n")
    path.chmod(0)
    refuses(path, "cannot be read: Permission denied")


def test_failing_disk_is_refused(write, monkeypatch):
    path = write("r.csv", "text,label\n")

    def fail(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", fail)
    refuses(path, "cannot be read: Permission denied")


@pytest.mark.parametrize("make", ["csv", "jsonl", "parquet"])
def test_missing_column_is_refused_with_those_there(make, write, tmp_path):
    def file(names):
        if make == "parquet":
            return write_parquet(tmp_path / "r.parquet", {name: ["x"] for name in names})
        if make == "csv":
            return write("r.csv", ",".join(names) + "\n" + ",".join("x" for _ in names))
        return write("r.jsonl", json.dumps(dict.fromkeys(names, "x")))

    text_lack = "has no text column (text, review, sentence, content); its columns are 'id', 'body', 'stars'"
    refuses(file(["id", "body", "stars"]), text_lack + "; name the right one with --text-column")
    label_lack = (
        "has no label column (label, sentiment, class, category, target, labels); its columns are 'text', 'stars'"
    )
    refuses(file(["text", "stars"]), label_lack + "; name the right one with --label-column")
    refuses(file(["text", "stars"]), "has no column 'Stars'", label_column="Stars")
    refuses(file(["text", "stars"]), "'text' cannot be the text column and the label column", label_column="text")


def test_column_that_stands_twice_is_refused(write):
    refuses(write("r.csv", "text,label,text\na,0,b\n"), "has more than one column 'text'; rename all but one")


def test_many_long_column_names_are_cut(write):
    with pytest.raises(DataError, match="and 18 more") as error:
        read_table(write("r.csv", ",".join(f"{i:03}" * 100 for i in range(30)) + "\n"))
    assert len(str(error.value)) < 1_000


def test_ragged_csv_is_refused_with_its_line(write):
    refuses(write("r.csv", 'text,label\n"a\nb",0\na, b,1\n'), "line 4, column 3: 3 cells where the header has 2")
    refuses(write("r.csv", "text,label\na,0\nb\n"), "line 3, column 2: 1 cells where the header has 2")


def test_unclosed_quote_is_refused_with_its_line(write):
    path = write("r.csv", 'text,label\na,0\n"b,1\nc,0\nd,1\n')
    refuses(path, "line 3, column 1: a quote that opens here is never closed")


def test_stray_quote_is_refused_with_its_line(write):
    refuses(write("r.csv", 'text,label\na,0\n"b" c,1\n'), "line 3, column 1: not valid CSV")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "a"', "line 2, character 1"),
        ("text,label", "line 2, character 1: not valid JSON"),
        ("[" * 100_000, "line 2: not valid JSON"),
        ('["a", 1]', 'line 2: ["a", 1] is not a JSON object'),
        ("3", "line 2: 3 is not a JSON object"),
        ('{"text": 3, "label": 1}', "line 2: the text is 3 (int), not a string"),
        ('{"text": ["a"], "label": 1}', "line 2: the text is ['a'] (list), not a string"),
        ('{"text": "a\\u0000b", "label": 1}', "line 2: a NUL character"),
        ('{"text": "ab\\ud800", "label": 1}', "line 2: half a surrogate pair at character 3"),
    ],
)
def test_bad_jsonl_line_is_refused(write, line, message):
    refuses(write("r.jsonl", '{"text": "fine", "label": 0}\n' + line + "\n"), message)


@pytest.mark.parametrize("number", [1, 1_500])  # in the first batch and in a later one
def test_bad_texts_of_parquet_are_refused_with_their_row(tmp_path, number):
    texts = ["a"] * 2_000
    texts[number] = "\0"
    path = write_parquet(tmp_path / "r.parquet", {"text": texts, "label": [0, 1] * 1_000})
    refuses(path, f"row {number + 1} of 2000: a NUL character")
    path = write_parquet(path, {"text": [1, 2], "label": [0, 1]})
    refuses(path, "row 1 of 2: the text is 1 (int), not a string")
    path = write_parquet(path, {"text": [b"a", b"b"], "label": [0, 1]})
    refuses(path, "row 1 of 2: the text is b'a' (bytes), not a string")


def test_nul_characters_are_refused_with_their_place(write, tmp_path):
    refuses(write("r.csv", "text,label\na,0\nb\0c,1\n"), "line 3: a NUL character, as in UTF-16 or binary content")
    path = write_parquet(tmp_path / "r.parquet", {"text": ["a", "\0"], "label": [0, 1]})
    refuses(path, "row 2 of 2: a NUL character")


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,label\n" + "é".encode() * 600_000 + b"\xff,0\n", "byte 0xff at offset 1200011"),  # one fault in UTF-8
        (b"text,label\nx" + "é".encode() * 600_000 + b"\xff,0\n", "byte 0xff at offset 1200012"),
        (b"text,label\na,0\nb\xc3", "byte 0xc3 at offset 16"),  # cut in the middle of a character
    ],
)
def test_damaged_utf8_is_refused_with_its_byte_not_guessed_at(write, name, content, message):
    refuses(write(name, content), f"is not UTF-8: {message}; save it as UTF-8")


@pytest.mark.parametrize("damage", ["no Parquet at all", "cut", "scribbled"])
def test_corrupt_parquet_is_refused(tmp_path, damage):
    path = write_parquet(
        tmp_path / "r.parquet", {"text": [str(row) * 9 for row in range(9_000)], "label": [0, 1] * 4_500}
    )
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "scribbled":
        content[4:4_000] = b"\xff" * 3_996
    else:
        content = bytearray(b"text,label\na,0\n")
    path.write_bytes(content)
    refuses(path, "is not a sound Parquet file")


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@given(start=st.sampled_from([b"", b"text,label\n", b'{"text": "a", "label": ', b"\xff\xfe"]), content=st.binary())
def test_any_bytes_are_read_or_refused(tmp_path_factory, suffix, start, content):
    path = tmp_path_factory.mktemp("bytes") / f"r.{suffix}"
    path.write_bytes(start + content)
    with contextlib.suppress(DataError):
        assert all(isinstance(text, str) for text in read_table(path).texts)


@given(at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_parquet_with_any_wrong_byte_is_read_or_refused(tmp_path_factory, at, byte):
    path = tmp_path_factory.mktemp("bytes") / "r.parquet"
    write_parquet(path, {"text": ["a good film", "a bad film"], "label": [1, 0]})
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] = byte
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        assert all(isinstance(text, str) for text in read_table(path).texts)
