import csv
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lit_al.exceptions import DataError
from lit_al.exchange.answers import read_answers_csv, read_answers_jsonl
from lit_al.exchange.questions import questions_csv, questions_jsonl
from lit_al.exchange.shapes import Question
from lit_al.record import sha256_of

HEADER = "lit_al_id,lit_al_sha256,text,label\n"
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.fixture
def write(tmp_path):
    def write(content, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refuses(path, message):
    with pytest.raises(DataError, match=re.escape(message)) as error:
        (read_answers_csv if path.suffix == ".csv" else read_answers_jsonl)(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(any_text, min_size=1), raw=st.booleans())
def test_questions_come_back_exactly(tmp_path, texts, raw):
    questions = [Question(number, sha256_of(text), text, "pos", 0.5, 3) for number, text in enumerate(texts)]
    (tmp_path / "q.csv").write_bytes(questions_csv(questions, suggestions=True, raw=raw))
    (tmp_path / "q.jsonl").write_bytes(questions_jsonl(questions, suggestions=True))
    for rows in (read_answers_csv(tmp_path / "q.csv"), read_answers_jsonl(tmp_path / "q.jsonl")):
        assert [row.text for row in rows] == texts
        assert [str(row.id) for row in rows] == [str(number) for number in range(len(texts))]
        assert {(row.label or None, row.suggestion, str(row.round)) for row in rows} == {(None, "pos", "3")}


def test_questions_hide_what_the_model_thinks_unless_asked():
    question = Question(7, sha256_of("so so"), "so so", "pos", 0.5)
    assert questions_csv([question]).decode("utf-8-sig").splitlines()[0] == (
        "lit_al_id,lit_al_sha256,text,label,action,note,round"
    )
    assert "suggestion" not in json.loads(questions_jsonl([question]))
    assert json.loads(questions_jsonl([question], suggestions=True))["suggestion"] == "pos"
    assert json.loads(questions_jsonl([question]))["schema_version"] == 1


# Row 19: broken tables


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty: it holds blank lines only"),
        (HEADER + "1,x,a\n", "line 2, column 4: 3 cells where the header has 4"),
        (HEADER + '1,x,"a\r\nb",pos\n2,x,a, b,pos\n', "line 4, column 5: 5 cells where the header has 4"),
        (HEADER + '1,x,"a,pos\n2,x,b,pos\n', "line 2, column 3: a quote that opens here is never closed"),
        (HEADER + '1,x,"a" b,pos\n', "line 2, column 3: not valid CSV"),
        ("1,x,so so,pos\n", "line 1: no column 'label'; its columns are '1', 'x', 'so so', 'pos'"),
        ("order,label\n1,pos\n", "line 1: no column 'lit_al_sha256'; its columns are 'order', 'label'"),
        ("lit_al_id,text\n1,a\n", "line 1: no column 'label'"),
        ("lit_al_id,label,text,label\n1,a,b,c\n", "line 1, column 4: the column 'label' stands twice"),
        ("lit_al_id,text, Label \n1,a,b\n", "line 1: the column ' Label ' must be spelled 'label'"),
        (HEADER.replace(",", ";") + "1;x;a;pos\n", "it seems to be separated by ';', not by commas"),
        (HEADER.replace(",", "\t") + "1\tx\ta\tpos\n", r"it seems to be separated by '\t', not by commas"),
    ],
)
def test_a_broken_table_is_refused_with_its_place(write, content, message):
    refuses(write(content), message)


def test_a_header_alone_is_no_answers(write):
    assert read_answers_csv(write(HEADER)) == []


def test_lines_within_quotes_are_kept_and_counted(write):
    rows = read_answers_csv(write(HEADER + '1,x,"a\r\nb",pos\r\n2,x,c,neg\r\n'))
    assert [row.text for row in rows] == ["a\r\nb", "c"]
    assert rows[1].at("label").endswith("a.csv, line 4 (row 3), column 4")


# Row 20: encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_every_marked_encoding_is_read(write, encoding, name):
    content = HEADER + "1,x,é 👩,pos\n" if name == "a.csv" else '{"lit_al_id": 1, "text": "é 👩", "label": "pos"}\n'
    path = write(content.encode(encoding), name)
    assert (read_answers_csv if name == "a.csv" else read_answers_jsonl)(path)[0].text == "é 👩"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((HEADER + "1,x,caf").encode() + b"\xe9,pos\n", "is not UTF-8: byte 0xe9 at offset 42; save it as UTF-8"),
        ((HEADER + "1,x,e,pos\n").encode("utf-16-le"), "a NUL character, as in UTF-16"),
        ((HEADER + "1,x,é,pos\n").encode("utf-16")[:-1], "is UTF-16 by its byte order mark, but not sound: byte"),
    ],
)
def test_any_other_encoding_is_refused_with_its_byte(write, content, message):
    refuses(write(content), message)


# Rows 21 and 22: strange and long texts


def test_nul_and_lone_surrogates_are_refused(write):
    refuses(write(HEADER + "1,x,a\0b,pos\n"), "line 2: a NUL character")
    refuses(write(HEADER.encode() + b"1,x,\xed\xa0\x80,pos\n"), "byte 0xed at offset")


def test_long_cells_are_read_and_the_limit_is_set_back(write):
    limit = csv.field_size_limit()
    rows = read_answers_csv(write(HEADER + f'1,x,"{"word " * 2_000_000}",pos\n2,x,,neg\n3,x,  ,neg\n'))
    assert [len(row.text) for row in rows] == [10_000_000, 0, 2]
    assert csv.field_size_limit() == limit


# JSONL


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"lit_al_id": 1', "line 2, character"),
        ("[1]", "line 2: [1] is not a JSON object"),
        (
            '{"label": "pos"}',
            "line 2: no 'lit_al_sha256'; its keys are 'label', and lit-al import --id-column names one of",
        ),
        ('{"lit_al_id": 1, "Label": "pos"}', "line 2: the column 'Label' must be spelled 'label'"),
        ('{"lit_al_id": 1, "schema_version": 2}', "line 2: schema_version 2, but this lit_al knows 1; upgrade lit_al"),
    ],
)
def test_a_broken_line_is_refused_with_its_number(write, line, message):
    refuses(write('{"lit_al_id": 0, "label": "pos"}\n' + line, "a.jsonl"), message)
