"""Files as people bring them: each shape is written here and read back, texts, labels and columns exact."""

import bz2
import contextlib
import csv
import gzip
import io
import json
import lzma
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from lit_al.data import load_corpus
from lit_al.data.columns import texts_of
from lit_al.data.formats import read_file
from lit_al.data.load import read_table
from lit_al.data.tables import Reading
from lit_al.exceptions import ConfigError, DataError

TEXTS = [
    "The soup was cold; we left.",
    'They call it "fine", I do not',
    "Très bien, garçon’s choice",
    "a | b\tc, and d",
]
LABELS = ["neg", "neg", "pos", "pos"]
NUMBERS = {"neg": 0, "pos": 1}


def cells(texts=TEXTS, labels=LABELS, separator=",", **how):
    """A table of separated cells, in characters."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, **how).writerows([("id", "text", "label"), *rows(texts, labels)])
    return out.getvalue()


def rows(texts=TEXTS, labels=LABELS):
    return [(f"r{row}", text, label) for row, (text, label) in enumerate(zip(texts, labels, strict=True))]


def records(texts=TEXTS, labels=LABELS):
    return [{"id": number, "text": text, "label": label} for number, text, label in rows(texts, labels)]


def lines(items):
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in items) + "\n"


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def words(corpus):
    return [corpus.classes[label] if label >= 0 else None for label in corpus.labels]


def holds(corpus, texts=TEXTS, labels=LABELS):
    assert list(corpus.texts) == texts
    assert words(corpus) == labels
    return True


def refuses(data, *messages, error=DataError, **how):
    with pytest.raises(error) as refused:
        load_corpus(str(data), **how)
    for message in messages:
        assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def says(corpus, *words):
    """One note has all the words."""
    assert any(all(word in note for word in words) for note in corpus.notes), corpus.notes
    assert all("\n" not in note for note in corpus.notes)
    return True


# Separated cells


@pytest.mark.parametrize(("separator", "name"), [(",", ""), (";", "semicolons"), ("\t", "tabs"), ("|", "pipes")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_separator_and_encoding_are_found_out_and_said(write, separator, name, encoding):
    corpus = load_corpus(str(write("r.csv", cells(separator=separator).encode(encoding))))
    assert holds(corpus)
    assert corpus.columns["id"] == ["r0", "r1", "r2", "r3"]
    said = len(corpus.notes)
    assert not name or says(corpus, f"separated by {name}, a guess; --separator names another")
    if encoding in ("utf-8", "utf-8-sig"):
        assert said == bool(name)
    elif encoding == "cp1252":
        assert says(corpus, "read as cp1252, a guess (not UTF-8: byte 0xe8 at offset", "--encoding names another")
    else:
        assert says(corpus, encoding.upper())


texts_of_any_kind = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(
    table=st.lists(st.tuples(texts_of_any_kind, texts_of_any_kind, texts_of_any_kind).filter(any), min_size=1),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    packed=st.sampled_from(["", ".gz"]),
)
def test_any_table_comes_back(tmp_path_factory, table, separator, encoding, quoting, end, packed):
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if end == "\n" else quoting  # else Python's writer leaves "\r" without quotes
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerows([("text", "label", "note"), *table])
    content = out.getvalue().encode(encoding)
    path = tmp_path_factory.mktemp("any") / f"r.csv{packed}"
    path.write_bytes(gzip.compress(content) if packed else content)
    found = texts_of(read_file(path, Reading()), Reading())
    assert list(zip(found.texts, found.labels, found.others["note"], strict=True)) == table


@given(
    table=st.lists(st.tuples(st.text(st.sampled_from('ab \\",;\n')), st.text("xyz")).filter(any)),
    separator=st.sampled_from(",;\t|"),
)
def test_any_table_with_escaped_quotes_comes_back(tmp_path_factory, table, separator):
    table = [('they say "hi" twice', "x"), *table]  # without any quote there is nothing to tell the dialect by
    out = io.StringIO()
    how = {"delimiter": separator, "quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"}
    csv.writer(out, lineterminator="\n", **how).writerows([("text", "label"), *table])
    path = tmp_path_factory.mktemp("any") / "r.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    found = texts_of(read_file(path, Reading()), Reading())
    assert list(zip(found.texts, found.labels, strict=True)) == table
    assert any("escaped by backslashes" in note for note in found.notes)


def test_a_backslash_that_escapes_nothing_stays(write):
    corpus = load_corpus(str(write("r.csv", 'text,label\n"C:\\temp is \\"here\\"",x\n"b",y\n')))
    assert holds(corpus, ['C:\\temp is "here"', "b"], ["x", "y"])


def test_a_backslash_may_stand_before_a_separator(write):
    assert holds(load_corpus(str(write("r.csv", "text,label\none\\, two,x\nb,y\n"))), ["one, two", "b"], ["x", "y"])


def test_blanks_before_quotes_are_passed_over(write):
    corpus = load_corpus(str(write("r.csv", '"text", "label"\n"a, b", "x"\n"c", "y"\n')))
    assert holds(corpus, ["a, b", "c"], ["x", "y"])
    assert says(corpus, "blanks between a separator and a quote are passed over")
    path = write("r.csv", '0,so, "fine" they said\n1,so, "not fine" they said\n')
    assert (
        load_corpus(str(path), no_header=True, text_column="2,3", label_column="1").texts[0] == 'so\n "fine" they said'
    )


def test_quotes_between_tabs_may_be_letters(write):
    corpus = load_corpus(str(write("r.tsv", 'text\tlabel\n"Great" they said\tx\nfive o"clock\ty\n')))
    assert holds(corpus, ['"Great" they said', 'five o"clock'], ["x", "y"])
    assert says(corpus, "quotes are letters like any other")


def test_a_broken_quote_is_refused_where_no_way_of_quoting_helps(write):
    refuses(write("r.csv", 'text,label\n"b" c,1\na,"0\n'), "line 2, column 1: not valid CSV")


def test_first_line_of_excel_names_the_separator(write):
    corpus = load_corpus(str(write("r.csv", "sep=|\r\ntext|label\r\na, b|x\r\n\r\nc|y\r\n")))
    assert holds(corpus, ["a, b", "c"], ["x", "y"])
    assert says(corpus, "pipes, as its first line says")
    refuses(write("r.csv", "sep=|\ntext|label\na|x|y\n"), "line 3, column 3: 3 cells where the header has 2")


def test_separator_of_the_header_counts_not_those_of_texts(write):
    corpus = load_corpus(str(write("r.csv", "text,label\na;b;c,x\nd;e;f,y\n")))
    assert holds(corpus, ["a;b;c", "d;e;f"], ["x", "y"])
    corpus = load_corpus(str(write("r.csv", "text;label\na, b, c;x\nd, e;y\n")))
    assert holds(corpus, ["a, b, c", "d, e"], ["x", "y"])


def test_separator_and_encoding_can_be_named(write):
    path = write("r.csv", "text~label\né~x\nb~y\n".encode("cp850"))
    corpus = load_corpus(str(path), separator="~", encoding="cp850")
    assert holds(corpus, ["é", "b"], ["x", "y"])
    assert corpus.notes == ()
    refuses(path, "is not utf-8, as --encoding says: byte 0x82 at offset 11", encoding="utf-8", separator="~")
    refuses(path, "--encoding nonsense is no encoding of text", encoding="nonsense", error=ConfigError)
    refuses(path, "--encoding base64 is no encoding of text", encoding="base64", error=ConfigError)
    refuses(path, "--separator ab is no separator", separator="ab", error=ConfigError)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Это очень хороший фильм, мне понравилось; смотреть можно", "cp1251"),
        ("这个地方很好吃，我们还会再来的，服务员很热情，价格也不贵", "gb18030"),
        ("Żółta łódź pływa po jeziorze, świetny film, polecam gorąco", "cp1250"),
    ],
)
def test_other_encodings_are_guessed_too(write, text, encoding):
    texts = [f"{text} {row}" for row in range(20)]
    corpus = load_corpus(str(write("r.csv", cells(texts, ["x", "y"] * 10).encode(encoding))))
    assert holds(corpus, texts, ["x", "y"] * 10)
    assert says(corpus, f"read as {encoding}, a guess")


def test_trailing_separators_and_blank_lines_are_read_and_a_short_row_is_not(write):
    corpus = load_corpus(str(write("r.csv", "text,label,,\na,x,,\nb,y,,,,\n\n,,,\nc,x,,\n,,\n")))
    assert holds(corpus, ["a", "b", "c"], ["x", "y", "x"])
    assert list(corpus.columns) == ["label"]
    assert says(corpus, "2 rows of empty cells are passed over")
    corpus = load_corpus(str(write("r.csv", "text;label;;\na;x\nb;y;\n")))  # a header longer than its rows
    assert holds(corpus, ["a", "b"], ["x", "y"])
    refuses(write("r.csv", "text,label\na,x\nb\n"), "line 3, column 2: 1 cells where the header has 2")
    refuses(write("r.csv", "text,label\na,x\nb,y,z\n"), "line 3, column 3: 3 cells where the header has 2")


def test_a_table_without_header_is_read_by_numbers(write):
    path = write(
        "r.csv", "".join(f'"{row % 2}","Title number {row}","A text of some length, {row}"\n' for row in range(6))
    )
    corpus = load_corpus(str(path), no_header=True, text_column="2,3", label_column="1")
    assert holds(corpus, [f"Title number {row}\nA text of some length, {row}" for row in range(6)], ["0", "1"] * 3)
    assert list(corpus.columns) == ["1", "2", "3"]
    assert says(corpus, "columns '2', '3', joined by line breaks")


def test_a_table_without_header_is_told_from_one_with_other_names(write):
    head = '"1","A title of a good length, number 0","The text of it, which is longer than all names of columns are"\n'
    rest = "".join(
        f'"{row % 2}","Another title {row}","The text of it goes on and on and on {row}"\n' for row in range(9)
    )
    path = write("r.csv", head + rest)
    refuses(path, "no text column", "give --no-header --text-column 2,3 --label-column 1")
    path = write(
        "r.csv", "".join(f"A film of a large number {row},{'good' if row % 2 else 'bad'}\n" for row in range(9))
    )
    refuses(path, "if its first line is a row like the others", "give --no-header --text-column 1 --label-column 2")
    corpus = load_corpus(str(path), no_header=True)  # of two columns it is plain which is which
    assert words(corpus) == ["bad", "good"] * 4 + ["bad"]


# Packed files


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", lambda content: pa.compress(content, "zstd", asbytes=True)),
    ],
)
@pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "r.json", "r.txt"])
def test_packed_files_are_unpacked(write, name, suffix, pack):
    content = {
        "r.csv": cells(),
        "r.jsonl": lines(records()),
        "r.json": json.dumps(records()),
        "r.txt": "".join(f"__label__{label} {text}\n" for text, label in zip(TEXTS, LABELS, strict=True)),
    }[name]
    assert holds(load_corpus(str(write(name + suffix, pack(content.encode())))))
    refuses(write("b.csv" + suffix, content.encode()), f"is no sound {suffix} file")
    refuses(write("c.csv" + suffix, pack(content.encode() * 50)[:-20]), f"is no sound {suffix} file")


def test_a_packed_file_of_gigabytes_is_refused_before_it_is_unpacked(write, monkeypatch):
    monkeypatch.setattr("lit_al.utils.memory.available", lambda: 3_000_000)
    path = write("bomb.csv.gz", gzip.compress(b"text,label\n" + b"x" * 10_000_000))
    refuses(path, "unpacks to more than", "give fewer rows of it")


# JSON


def test_json_is_read_in_all_its_shapes(write):
    table = {"text": TEXTS, "label": LABELS}
    by_row = {name: {str(row): cell for row, cell in enumerate(column)} for name, column in table.items()}
    shapes = [records(), {"data": records(), "version": 1}, table, by_row]
    shapes.append({"test": records()[2:], "train": records()[:2]})
    for shape in shapes:
        assert holds(load_corpus(str(write("r.json", json.dumps(shape)))))
    assert holds(load_corpus(str(write("r.json", lines(records())))))
    assert holds(load_corpus(str(write("r.ndjson", lines(records())))))


def test_nested_keys_are_named_with_points(write):
    items = [
        {"doc": {"body": {"en": text}}, "meta": {"label": label}} for text, label in zip(TEXTS, LABELS, strict=True)
    ]
    how = {"text_column": "doc.body.en", "label_column": "meta.label"}
    assert holds(load_corpus(str(write("r.jsonl", lines(items))), **how))
    assert holds(load_corpus(str(write("r.json", json.dumps(items))), **how))
    refuses(
        write("r.jsonl", lines(items)), "has nothing at 'doc.x'; 'doc' holds 'body'", **{**how, "text_column": "doc.x"}
    )
    nested = {"doc": [{"body": text} for text in TEXTS], "label": LABELS}
    path = write("r.parquet", b"")
    parquet.write_table(pa.table(nested), path)
    assert holds(load_corpus(str(path), text_column="doc.body"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"text": "a"},\n{"text": }]', "r.json, line 2, character 10: not valid JSON"),
        ('[{"text": "a"}, 3]', "r.json, item 2: 3 is not a JSON object"),
        ('"text"', "r.json holds neither a list of objects nor"),
        ("[]", "r.json is empty: it holds no JSON object"),
        ("[" * 100_000, "r.json: not valid JSON"),
        ('[{"text": "a", "label": 1}, {"text": 7, "label": 0}]', "r.json, item 2: the text is 7 (int), not a string"),
    ],
)
def test_bad_json_is_refused_with_its_place(write, content, message):
    refuses(write("r.json", content), message)


# Exports of annotation tools


def test_lists_of_labels_as_of_doccano(write):
    for key in ("label", "labels"):
        items = [
            {"id": 1, "text": text, key: [label] if label else []}
            for text, label in [("a", "x"), ("b", "y"), ("c", "")]
        ]
        assert holds(load_corpus(str(write("r.jsonl", lines(items)))), ["a", "b", "c"], ["x", "y", None])
        items[1][key] = ["x", "y"]
        refuses(write("r.jsonl", lines(items)), "line 2: the label is ['x', 'y']", "--several-labels first")
        items[1][key] = [[0, 1, "x"]]
        refuses(write("r.jsonl", lines(items)), "line 2: the label is [[0, 1, 'x']]; a label is an integer or a string")


def test_prodigy(write):
    options = [{"id": "x", "text": "x"}, {"id": "y", "text": "y"}]

    def task(text, answer, accept):
        return {
            "text": text,
            "_input_hash": 1,
            "options": options,
            "accept": accept,
            "answer": answer,
            "meta": {"page": 3},
        }

    items = [
        task("a", "accept", ["x"]),
        task("b", "accept", ["y"]),
        task("c", "ignore", ["x"]),
        task("d", "reject", []),
    ]
    corpus = load_corpus(str(write("r.jsonl", lines(items))))
    assert holds(corpus, ["a", "b", "c", "d"], ["x", "y", None, None])
    assert says(corpus, "a Prodigy export (2 accept, 1 reject, 1 ignore); what was ignored or rejected has no label")
    assert corpus.columns["meta"] == [{"page": 3}] * 4
    binary = [{"text": f"t{row}", "label": label, "answer": answer} for row, (label, answer) in enumerate(
        [("x", "accept"), ("y", "accept"), ("x", "reject")]
    )]  # fmt: skip
    assert holds(load_corpus(str(write("r.jsonl", lines(binary)))), ["t0", "t1", "t2"], ["x", "y", None])
    items[0]["accept"] = ["x", "y"]
    refuses(write("r.jsonl", lines(items)), "line 1: the label is ['x', 'y']")


def choice(label, name="sentiment"):
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [label]}}


def test_label_studio(write):
    def task(text, *labels, cancelled=False):
        given = [{"result": [choice(label)], "was_cancelled": cancelled} for label in labels]
        return {"id": 7, "data": {"text": text, "source": "web"}, "annotations": given, "predictions": []}

    items = [task("a"), task("b", "x"), task("c", "y", "y", "x"), task("d", "x", "y"), task("e", "x", cancelled=True)]
    corpus = load_corpus(str(write("r.json", json.dumps(items))))
    assert holds(corpus, ["a", "b", "c", "d", "e"], [None, "x", "y", None, None])
    assert corpus.columns["source"] == ["web"] * 5
    assert says(corpus, "an export of Label Studio, 2 of 5 texts labeled; 1 on which people disagree have no label")
    flat = [{"id": 1, "text": "a", "sentiment": "x"}, {"id": 2, "text": "b", "sentiment": {"choices": ["y"]}}]
    assert holds(load_corpus(str(write("r.json", json.dumps(flat)))), ["a", "b"], ["x", "y"])


def test_argilla(write):
    def record(text, *responses):
        said = [{"value": value, "status": status, "user_id": "u"} for value, status in responses]
        return {"id": text, "fields": {"text": text}, "metadata": {}, "responses": {"topic": said}, "suggestions": {}}

    items = [
        record("a", ("x", "submitted")),
        record("b", ("y", "submitted"), ("x", "draft")),
        record("c", ("x", "discarded")),
    ]
    corpus = load_corpus(str(write("r.json", json.dumps(items))))
    assert holds(corpus, ["a", "b", "c"], ["x", "y", None])
    assert says(corpus, "an export of Argilla, 2 of 3 texts labeled")
    said = {"a": ["x"], "b": ["y", "y"], "c": []}
    flat = [
        {"text": text, "topic.responses": labels, "topic.responses.status": ["submitted"] * len(labels)}
        for text, labels in said.items()
    ]
    assert holds(load_corpus(str(write("r.jsonl", lines(flat)))), ["a", "b", "c"], ["x", "y", None])
    said = {"a": ("x", "Validated"), "b": ("y", "Validated"), "c": ("x", "Discarded"), "d": (None, "Default")}
    old = [
        {"text": text, "annotation": label, "prediction": None, "status": status}
        for text, (label, status) in said.items()
    ]
    assert holds(load_corpus(str(write("r.jsonl", lines(old)))), ["a", "b", "c", "d"], ["x", "y", None, None])


# Lines


def test_lines_are_texts_blank_ones_too(write):
    path = write("r.txt", "One, two.\r\n\r\n  three\u2028four\r\n")
    corpus = load_corpus(str(path), classes=("x", "y"))
    assert holds(corpus, ["One, two.", "", "  three\u2028four"], [None] * 3)
    assert says(corpus, "each of its 3 lines is a text")
    assert says(corpus, "1 of 3 texts are empty or only white space (line 2; --drop-empty leaves them out)")
    refuses(path, "has no label column", "or label the texts with lit-al annotate")


def test_lines_of_fasttext(write):
    path = write("r.txt", "__label__x One, two\n__label__y  three\n\n__label__x four\n")
    corpus = load_corpus(str(path), drop_empty=True)
    assert holds(corpus, ["One, two", "three", "four"], ["x", "y", "x"])
    refuses(write("r.txt", "__label__x __label__y a\n__label__y b\n"), "line 1: the label is ['x', 'y']")


def test_lines_with_tabs_or_a_separator_are_cells(write):
    texts = [f"Hello, this is message {row} of some" for row in range(4)]
    path = write("SMS.txt", "".join(f"{label}\t{text}\n" for label, text in zip(LABELS, texts, strict=True)))
    for how in ({"no_header": True, "text_column": "2", "label_column": "1"}, {}):
        corpus = load_corpus(str(path), **how)
        assert holds(corpus, texts)
    assert says(corpus, "lines of 2 cells with tabs, read as rows without a header")
    assert holds(load_corpus(str(write("r.txt", "label\ttext\nx\ta\ny\tb\n"))), ["a", "b"], ["x", "y"])
    assert holds(load_corpus(str(write("r.txt", "label|text\nx|a\ny|b\n")), separator="|"), ["a", "b"], ["x", "y"])


# Spreadsheets


def test_xlsx(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "empty"
    sheet = book.create_sheet("tickets")
    for row in [
        ("id", "text", "label", None),
        (1, "a, b\nc", "x", None),
        (),
        (2, 404, "y", None),
        (3, None, None, None),
    ]:
        sheet.append(row)
    book.save(tmp_path / "r.xlsx")
    corpus = load_corpus(str(tmp_path / "r.xlsx"))
    assert holds(corpus, ["a, b\nc", "404", ""], ["x", "y", None])
    assert corpus.columns == {"id": [1, 2, 3], "label": ["x", "y", None]}
    assert says(corpus, "sheet 'tickets', the first of 2")
    assert says(corpus, "1 of 3 texts are empty", "row 5")
    (tmp_path / "b.xlsx").write_bytes(b"PK\3\4 no archive")
    refuses(tmp_path / "b.xlsx", "is no sound XLSX file")


def test_xlsx_without_its_library_says_what_to_install(write):
    path = write("r.xlsx", b"PK")
    code = f"""
import sys
sys.modules["openpyxl"] = None
from lit_al.data import load_corpus
try:
    load_corpus({str(path)!r})
except Exception as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "install it with: pip install 'lit_al[xlsx]', or save it as CSV" in run.stdout


# Folders


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "json", "parquet", "csv.gz"])
def test_folder_of_train_and_test_in_any_format(tmp_path, suffix):
    for name, start in (("test", 2), ("train", 0)):
        part = records()[start : start + 2]
        path = tmp_path / f"{name}.{suffix}"
        match suffix:
            case "parquet":
                parquet.write_table(pa.Table.from_pylist(part), path)
            case "json" | "jsonl":
                path.write_text(json.dumps(part) if suffix == "json" else lines(part), encoding="utf-8")
            case _:
                content = cells(TEXTS[start : start + 2], LABELS[start : start + 2], "\t" if suffix == "tsv" else ",")
                path.write_bytes(gzip.compress(content.encode()) if suffix.endswith("gz") else content.encode())
    (tmp_path / "sample_submission.csv").write_text("id,label\n1,2\n")
    corpus = load_corpus(str(tmp_path))
    assert holds(corpus)
    assert corpus.columns["split"] == ["train", "train", "test", "test"]


def test_a_test_file_without_labels_is_unlabeled(write, tmp_path):
    write("train.csv", "id,text,target\n1,a,0\n2,b,1\n")
    write("test.csv", "id,text\n3,c\n4,d\n")
    write("test_labels.csv", "id,target\n3,0\n4,1\n")
    corpus = load_corpus(str(tmp_path), id_column="id")
    assert holds(corpus, ["a", "b", "c", "d"], ["0", "1", None, None])
    assert corpus.ids == ["1", "2", "3", "4"]
    write("test.csv", "id,body\n3,c\n4,d\n")
    refuses(tmp_path, "test.csv has no column 'text', where", "its columns are 'id', 'body'")


def test_clone_of_a_data_set_of_the_hub(tmp_path):
    info = {"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}
    folder = tmp_path / "clone" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "clone" / "README.md").write_text("# data")
    parts = {
        "train-00000-of-00002": [0, 1],
        "train-00001-of-00002": [1],
        "validation-00000-of-00001": [0],
        "test-00000-of-00001": [-1, -1],
    }
    for name, labels in parts.items():
        table = pa.table({"text": [f"{name} {row}" for row in range(len(labels))], "label": labels})
        parquet.write_table(
            table.replace_schema_metadata({"huggingface": json.dumps(info)}), folder / f"{name}.parquet"
        )
    corpus = load_corpus(str(tmp_path / "clone"))
    assert corpus.classes == ("neg", "pos")
    assert corpus.labels.tolist() == [0, 1, 1, 0, -1, -1]
    assert corpus.columns["split"] == ["train"] * 3 + ["validation"] + ["test"] * 2
    assert says(corpus, "2 labels are -1: no label, as in test sets whose labels are kept back")


def test_parts_of_different_formats_in_folders_or_alone(write, tmp_path):
    for name in ("a/train.jsonl", "b/data/train/0000.jsonl", "b/data/train/0001.jsonl", "c/reviews.jsonl"):
        write(name, lines(records()))
    write("a/dev.tsv", cells(separator="\t"))
    write("b/data/test/0000.jsonl", lines(records()[:1]))
    write("c/dataset_infos.json", "{}")
    write("c/README.md", "# reviews")
    assert holds(load_corpus(str(tmp_path / "a")), TEXTS * 2, LABELS * 2)
    assert load_corpus(str(tmp_path / "a")).columns["split"] == ["train"] * 4 + ["validation"] * 4
    assert holds(load_corpus(str(tmp_path / "b")), [*TEXTS * 2, TEXTS[0]], [*LABELS * 2, LABELS[0]])
    assert holds(load_corpus(str(tmp_path / "c")))


@pytest.mark.parametrize("parts", [("",), ("train/", "test/"), ("bydate-train/", "bydate-test/")])
def test_folders_of_texts_by_class(write, tmp_path, parts):
    for part in parts:
        for name, text in {
            "neg/2_1.txt": "bad\n",
            "neg/10_1.txt": "worse",
            "pos/0_9.txt": "caf\xe9",
            "pos/.hidden": "no",
        }.items():
            write(f"reviews/{part}{name}", text.encode("cp1252"))
    write("reviews/README", "not a text of any class")
    if len(parts) > 1:
        write(f"reviews/{parts[0]}unsup/0_0.txt", "what")
    corpus = load_corpus(str(tmp_path / "reviews"))
    texts, labels = ["bad\n", "worse", "café"], ["neg", "neg", "pos"]
    if len(parts) > 1:
        assert holds(corpus, [*texts, "what", *texts], [*labels, None, *labels])
        assert corpus.columns["split"] == ["train"] * 4 + ["test"] * 3
        assert says(corpus, "1 texts are in folders of unlabeled ones")
    else:
        assert holds(corpus, texts, labels)
    assert corpus.columns["file"][:2] == [f"{parts[0]}neg/2_1.txt", f"{parts[0]}neg/10_1.txt"]
    assert says(corpus, "are read as cp1252, a guess")


# Data sets in memory, saved, and on the hub


@pytest.fixture
def splits():
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    columns = {"text": TEXTS, "label": [NUMBERS[label] for label in LABELS]}
    whole = datasets.Dataset.from_dict(columns, features=features)
    return datasets.DatasetDict({"test": whole.select([2, 3]), "train": whole.select([0, 1])})


def test_data_sets_saved_and_in_memory(splits, tmp_path):
    assert holds(load_corpus(splits))
    splits.save_to_disk(str(tmp_path / "saved"))
    corpus = load_corpus(str(tmp_path / "saved"))
    assert holds(corpus)
    assert corpus.columns["split"] == ["train", "train", "test", "test"]
    turned = splits["train"].select([1, 0])  # an index over the rows, which a reader must follow
    corpus = load_corpus(turned, classes=("neg", "pos"))
    assert holds(corpus, TEXTS[1::-1], ["neg", "neg"])
    turned.save_to_disk(str(tmp_path / "one"))
    assert load_corpus(str(tmp_path / "one"), classes=("neg", "pos")).texts == TEXTS[1::-1]


def test_frames_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"text": [*TEXTS, None], "label": pandas.Categorical([*LABELS, None]), "n": [1.5, np.nan, 2, 3, 4]}
    )
    corpus = load_corpus(frame, drop_empty=True)
    assert holds(corpus)
    assert corpus.columns["n"] == [1.5, None, 2.0, 3.0]
    assert holds(load_corpus(pa.table({"text": TEXTS, "label": LABELS})))
    with pytest.raises(DataError, match=r"cannot read list; give a path or name, a datasets\.Dataset"):
        load_corpus([1, 2])


# Columns


def test_columns_that_are_not_usual_are_named_as_likely(write):
    content = "id,tweet,airline_sentiment\n" + "".join(
        f"{row},My flight was late again number {row},{'negative' if row % 2 else 'neutral'}\n" for row in range(20)
    )
    path = write("r.csv", content)
    refuses(path, "no text column", "most likely --text-column tweet --label-column airline_sentiment")
    refuses(path, "no label column", "most likely --label-column airline_sentiment", text_column="tweet")
    corpus = load_corpus(str(path), text_column="tweet", label_column="3", id_column="id")
    assert corpus.classes == ("negative", "neutral")
    assert corpus.ids == [str(row) for row in range(20)]


def test_of_two_columns_it_is_plain_which_is_which(write):
    content = "v1,v2,,,\n" + "".join(
        f"{'ham' if row % 2 else 'spam'},A message of some length {row},,,\n" for row in range(9)
    )
    corpus = load_corpus(str(write("r.csv", content)))
    assert corpus.classes == ("ham", "spam")
    assert corpus.texts[3] == "A message of some length 3"
    assert says(corpus, "texts are those of column 'v2', a guess; --text-column names another")
    assert says(corpus, "labels are those of column 'v1', a guess; --label-column names another")


def test_ids_are_kept_and_unique(write):
    path = write("r.csv", "key,text,label\nA,a,x\nB,b,y\nA,c,x\n")
    refuses(path, "line 4: the id 'A' stands at", "line 2 too; ids are unique", id_column="key")
    refuses(write("r.csv", "key,text,label\nA,a,x\n,b,y\n"), "line 3: no id in column 'key'", id_column="key")
    refuses(path, "has no column 'keys'", "did you mean 'key'?", id_column="keys")


def test_all_other_columns_are_carried(write):
    corpus = load_corpus(str(write("r.csv", ",order,text,label,order\n0,7,a,x,p\n1,8,b,y,q\n")))
    assert corpus.columns == {"": ["0", "1"], "order": ["7", "8"], "label": ["x", "y"], "order (5)": ["p", "q"]}


def test_missing_texts_are_kept_with_their_places_or_left_out(tmp_path, write):
    parquet.write_table(
        pa.table({"text": ["a", None, "c", " "], "label": ["x", "x", "y", "y"]}), tmp_path / "r.parquet"
    )
    items = [{"text": "a", "label": "x"}, {"label": "x"}, {"text": "c", "label": "y"}, {"text": " ", "label": "y"}]
    for path, place in (
        (write("r.csv", "text,label\na,x\n,x\nc,y\n ,y\n"), "line 3, line 5"),
        (write("r.jsonl", lines(items)), "line 2, line 4"),
        (tmp_path / "r.parquet", "row 2 of 4, row 4 of 4"),
    ):
        corpus = load_corpus(str(path))
        assert holds(corpus, ["a", "", "c", " "], ["x", "x", "y", "y"])
        assert says(corpus, f"2 of 4 texts are empty or only white space ({place}; --drop-empty leaves them out)")
        corpus = load_corpus(str(path), drop_empty=True)
        assert holds(corpus, ["a", "c"], ["x", "y"])
        assert corpus.columns["label"] == ["x", "y"]
        assert says(corpus, "2 rows without a text are left out")


# Labels


def table(write, labels, name="r.csv"):
    if name.endswith("csv"):
        return write(name, cells([f"text {row}" for row in range(len(labels))], labels))
    return write(name, lines(records([f"text {row}" for row in range(len(labels))], labels)))


def test_labels_that_differ_in_case_or_blanks_are_one_and_said(write):
    path = table(write, ["good", "Good", " good", "good", "BAD", "bad ", "bad"])
    corpus = load_corpus(str(path))
    assert words(corpus) == ["good"] * 4 + ["bad"] * 3
    assert says(corpus, "are one: 3 spellings as 'good' (4), 3 spellings as 'bad' (3); --exact-labels keeps them apart")
    assert load_corpus(str(path), exact_labels=True).classes == (" good", "BAD", "Good", "bad", "bad ", "good")
    assert load_corpus(str(table(write, ["good ", "bad"]))).notes == ()  # there is nothing to tell apart
    path = table(write, ["good", "Good", " good", "good", "BAD", "bad ", "bad"])
    given = load_corpus(str(path), classes=("Bad", "Good"))
    assert words(given) == ["Good"] * 4 + ["Bad"] * 3
    refuses(path, "line 3: 'Good' is not one of the labels", classes=("bad", "good"), exact_labels=True)


@pytest.mark.parametrize("word", ["NA", "N/A", "NULL", "None", "NaN", "nan", "-", "?", "#N/A", "<NA>"])
def test_words_that_mean_no_label_are_none_and_counted(write, word):
    path = table(write, ["x", word, "y", f" {word} ", ""])
    corpus = load_corpus(str(path))
    assert words(corpus) == ["x", None, "y", None, None]
    assert says(corpus, f"2 labels are taken for no label ({word!r} 2); --keep-na-labels makes classes of them")
    assert says(corpus, "3 of 5 rows have no label")
    kept = load_corpus(str(path), keep_na_labels=True)
    assert words(kept) == ["x", word, "y", word, None]
    assert words(load_corpus(str(path), classes=("x", "y", word))) == ["x", word, "y", word, None]


def test_missing_labels_of_numbers(write):
    assert words(
        load_corpus(
            str(write("r.jsonl", '{"text": "a", "label": NaN}\n{"text": "b", "label": 1.0}\n{"text": "c", "label": 0}'))
        )
    ) == [None, "1", "0"]
    assert words(load_corpus(str(table(write, ["1.0", "0", "", "1", "NaN"])))) == ["1", "0", None, "1", None]
    assert words(load_corpus(str(table(write, [True, False, None], "r.jsonl")))) == ["True", "False", None]
    corpus = load_corpus(str(table(write, ["1", "0", "-1"])))
    assert words(corpus) == ["1", "0", None]
    assert says(corpus, "1 labels are -1")


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (["food#bad", "bad", "good"], "r.csv"),
        (["bad;food", "bad", "good"], "r.csv"),
        (["food|bad", "food|good", "bad"], "r.csv"),
        (["bad/food", "bad", "food"], "r.csv"),
        (["['food', 'bad']", "['bad']", "good"], "r.csv"),
        ([["food", "bad"], ["bad"], ["good"]], "r.jsonl"),
    ],
)
def test_cells_of_several_labels_are_refused_or_cut(write, labels, name):
    path = table(write, labels, name)
    line = 2 if name == "r.csv" else 1
    refuses(path, f"line {line}: the label is", "a text has one label here", "--several-labels first or none")
    first = load_corpus(str(path), several_labels="first")
    assert words(first)[0] in ("food", "bad")
    assert not any(separator in name for name in first.classes for separator in "#|;,/[")
    assert words(load_corpus(str(table(write, [*labels, *labels, "x", "y"], name)), several_labels="none"))[0] is None


def test_a_label_that_only_looks_like_several_is_one(write):
    names = ("R&B", "Rock, Pop", "Sci/Tech", "Tech", "World")
    assert load_corpus(str(table(write, names))).classes == names
    corpus = load_corpus(str(table(write, ["food#bad", "bad"])), exact_labels=True)
    assert corpus.classes == ("bad", "food#bad")


def test_one_class_is_refused_with_the_way_to_go_on(write):
    path = table(write, ["x", "", "x"])
    refuses(path, "all labels are 'x', but a classifier needs two classes or more; name both with --labels")
    assert words(load_corpus(str(path), classes=("x", "y"))) == ["x", None, "x"]


def test_texts_under_two_labels_are_counted_listed_and_resolved(write):
    texts = ["a", "a ", "a", "b", "b", "c", "c"]
    path = write("r.csv", cells(texts, ["x", "y", "x", "y", "x", "x", "x"]))
    corpus = load_corpus(str(path))
    assert words(corpus) == ["x", "y", "x", "y", "x", "x", "x"]
    assert says(
        corpus, "2 texts stand there under different labels ('a': x (line 2), y (line 3), x (line 4); 'b': y (line 5)"
    )
    assert says(corpus, "all are kept; --resolve majority, first or drop settles them")
    settled = {how: words(load_corpus(str(path), resolve=how)) for how in ("majority", "first", "drop")}
    assert "resolve" not in " ".join(load_corpus(str(path), classes=("x", "y")).notes)  # annotate's means another thing
    refuses(path, "--resolve last must be one of keep, majority, first, drop", resolve="last", error=ConfigError)
    assert settled == {
        "majority": ["x", "x", "x", None, None, "x", "x"],
        "first": ["x", "x", "x", "y", "y", "x", "x"],
        "drop": [None] * 5 + ["x", "x"],
    }


# For whoever wants the table


def test_read_table_gives_all_columns_and_the_texts(write):
    path = write("in.csv", 'id,text,n\nk0,"one\ntwo",1\nk1,,2\n')
    found, source = read_table(str(path), Reading())
    assert source == "file in.csv"
    assert found.names == ("id", "text", "n")
    texts = texts_of(found, Reading(id_column="id"), labeled=False)
    assert texts.texts == ["one\ntwo", ""]
    assert texts.ids == ["k0", "k1"]
    assert texts.others == {"id": ["k0", "k1"], "n": ["1", "2"]}


def test_options_of_commands_are_the_fields_of_a_reading():
    from dataclasses import fields

    from lit_al.utils.options import SplitOptions

    options = {item.name: item.default for item in fields(SplitOptions)}
    for item in fields(Reading):
        assert options[item.name] == item.default
    arguments = SplitOptions(data="r.csv").corpus
    assert {item.name for item in fields(Reading)} <= set(arguments)


def test_hub_names_are_refused_without_one():
    refuses("hub:", "names no data set; write it as hub:owner/name")
    refuses("nowhere-at-all", "--data takes imdb, demo, auto, hub:OWNER/NAME, a file such as .csv")


# Whatever a file holds, it is read or refused

STARTS = [
    b"",
    b"text,label\n",
    b"sep=;\n",
    b"text\tlabel\n",
    b'[{"text": "a", "label": ',
    b"__label__x ",
    b"\xff\xfe",
    b"PK\3\4",
]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "txt", "xlsx", "parquet", "csv.gz", "json.zst"])
@given(start=st.sampled_from(STARTS), content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, suffix, start, content):
    path = tmp_path_factory.mktemp("bytes") / f"r.{suffix}"
    content = start + content
    pack = {"gz": gzip.compress, "zst": lambda bytes_: pa.compress(bytes_, "zstd", asbytes=True)}
    path.write_bytes(pack.get(suffix.rsplit(".", 1)[-1], bytes)(content))
    with contextlib.suppress(DataError):
        corpus = load_corpus(str(path))
        assert all("\0" not in text and text.encode() is not None for text in corpus.texts)


KEYS = "text label answer accept options data annotations result fields responses status value choices topic.responses"
keys = st.sampled_from([*KEYS.split(), "annotation", "prediction", "cats", "_input_hash", "was_cancelled"])
words_of_tools = st.sampled_from(
    ["accept", "reject", "ignore", "choices", "submitted", "discarded", "x", "y", "[1]", "NA"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | words_of_tools,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


texts_of_tools = {"text": st.sampled_from(["a", "b"])}
choices = st.lists(st.fixed_dictionaries({"type": st.just("choices"), "value": values | st.just({"choices": ["x"]})}))
tools = {
    "any": st.dictionaries(keys, values, max_size=6),
    "prodigy": st.fixed_dictionaries({**texts_of_tools, "answer": values | words_of_tools, "accept": values}),
    "labelstudio": st.fixed_dictionaries(
        {
            "data": st.fixed_dictionaries(texts_of_tools),
            "annotations": values | st.lists(st.fixed_dictionaries({"result": choices | values})),
        }
    ),
    "argilla": st.fixed_dictionaries({"fields": st.fixed_dictionaries(texts_of_tools), "responses": values}),
    "flat argilla": st.fixed_dictionaries(
        {**texts_of_tools, "topic.responses": values, "topic.responses.status": values}
    ),
    "old argilla": st.fixed_dictionaries({**texts_of_tools, "annotation": values, "status": values}),
}


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
@pytest.mark.parametrize("tool", tools)
@given(data=st.data())
def test_records_of_any_shape_are_read_or_refused(tmp_path_factory, suffix, tool, data):
    items = data.draw(st.lists(tools[tool], min_size=1, max_size=4))
    path = tmp_path_factory.mktemp("items") / f"r.{suffix}"
    path.write_text(json.dumps(items) if suffix == "json" else lines(items), encoding="utf-8")
    for how in ({"classes": ("x", "y")}, {"several_labels": "first"}):
        with contextlib.suppress(DataError):
            corpus = load_corpus(str(path), **how)
            assert len(corpus) == len(items)
