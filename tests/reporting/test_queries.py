import json
from dataclasses import replace

import numpy as np
import pytest

from lit_al.data import Corpus
from lit_al.data.beside import Beside
from lit_al.exceptions import DataError
from lit_al.loop.query import Query
from lit_al.record import sha256_of
from lit_al.reporting.queries import Pick, picks_of, read_picks, write_picks
from lit_al.reporting.run_page import picked_texts
from lit_al.strategies import Choice

TEXTS = [f"text {number}" for number in range(8)]
CORPUS = Corpus(
    TEXTS, np.array([0, 1] * 4), ("bad", "good"), ids=[f"T-{number}" for number in range(8)], id_column="ticket",
    columns={"ticket": [f"T-{number}" for number in range(8)], "channel": ["web", None] * 4},
)  # fmt: skip
BESIDE = Beside.of(CORPUS)


def a_query(number=1, scores=(0.5, 0.0)):
    choice = Choice(np.array([7, 3]), np.array(scores), ("ünsure", "random control"), np.array([False, True]))
    probabilities = np.array([[0.25, 0.75], [0.875, 0.125]], np.float32)
    return Query(number, "entropy+random", choice, probabilities, answers=np.array([0, 1]))


def test_picks_tell_all_of_each_text():
    own = [(sha256_of(TEXTS[n]), f"T-{n}", {"ticket": f"T-{n}", "channel": None}) for n in (7, 3)]
    assert picks_of(a_query(), CORPUS, BESIDE) == [
        Pick(1, 7, "bad", "good", {"bad": 0.25, "good": 0.75}, 0.5, "ünsure", False, *own[0]),
        Pick(1, 3, "good", "bad", {"bad": 0.875, "good": 0.125}, 0.0, "random control", True, *own[1]),
    ]


def test_picks_page_shows_what_stands_beside_a_text():
    first, second = picked_texts([a_query()], CORPUS, BESIDE)
    assert (first.beside, second.beside) == ("ticket: T-7", "ticket: T-3")
    long = replace(CORPUS, columns={"channel": ["x" * 1_000] * 8}, id_column=None, ids=None)
    assert picked_texts([a_query()], long, Beside.of(long))[0].beside.endswith("… (609 more characters)")


def test_picks_of_an_older_version_are_read(tmp_path):
    (tmp_path / "picks.jsonl").write_text(
        '{"round": 1, "row": 7, "label": "bad", "predicted": "good", "probabilities": {}, "score": null, "reason": "", '
        '"control": false}\n'
    )
    assert read_picks(tmp_path)[0].columns == {}


def test_picks_come_back_from_the_file(tmp_path):
    queries = [a_query(1), a_query(2)]
    write_picks(tmp_path, queries, CORPUS, BESIDE)
    assert read_picks(tmp_path) == [pick for query in queries for pick in picks_of(query, CORPUS, BESIDE)]
    lines = (tmp_path / "picks.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["round"] for line in lines] == [1, 1, 2, 2]


def test_score_that_is_not_finite_becomes_null(tmp_path):
    write_picks(tmp_path, [a_query(scores=(np.inf, 0.0))], CORPUS, BESIDE)
    assert [pick.score for pick in read_picks(tmp_path)] == [None, 0.0]


@pytest.mark.parametrize("content", ["{", '{"a": 1}\n', "7\n", b"\xff\xfe"])
def test_broken_file_is_refused(tmp_path, content):
    path = tmp_path / "picks.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match="holds no picks"):
        read_picks(tmp_path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_picks(tmp_path)
