import json

import numpy as np
import pytest

from lit_al.exceptions import DataError
from lit_al.loop.query import Query
from lit_al.reporting.queries import Pick, picks_of, read_picks, write_picks
from lit_al.strategies import Choice

CLASSES = ("bad", "good")


def a_query(number=1, scores=(0.5, 0.0)):
    choice = Choice(np.array([7, 3]), np.array(scores), ("ünsure", "random control"), np.array([False, True]))
    probabilities = np.array([[0.25, 0.75], [0.875, 0.125]], np.float32)
    return Query(number, "entropy+random", choice, probabilities, answers=np.array([0, 1]))


def test_picks_tell_all_of_each_text():
    assert picks_of(a_query(), CLASSES) == [
        Pick(1, 7, "bad", "good", {"bad": 0.25, "good": 0.75}, 0.5, "ünsure", control=False),
        Pick(1, 3, "good", "bad", {"bad": 0.875, "good": 0.125}, 0.0, "random control", control=True),
    ]


def test_picks_come_back_from_the_file(tmp_path):
    queries = [a_query(1), a_query(2)]
    write_picks(tmp_path, queries, CLASSES)
    assert read_picks(tmp_path) == [pick for query in queries for pick in picks_of(query, CLASSES)]
    lines = (tmp_path / "picks.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["round"] for line in lines] == [1, 1, 2, 2]


def test_score_that_is_not_finite_becomes_null(tmp_path):
    write_picks(tmp_path, [a_query(scores=(np.inf, 0.0))], CLASSES)
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
