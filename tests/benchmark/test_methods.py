import pytest

from lit_al.benchmark.methods import TRAININGS, Method
from lit_al.exceptions import ConfigError


@pytest.mark.parametrize(
    ("text", "spelling", "reference", "family"),
    [
        ("random", "random", None, "training"),
        ("entropy:0.5+balanced", "entropy:0.5+balanced", "random", "picks"),
        ("warm/random", "warm/random", "random", "training"),
        ("shrink/badge", "shrink/badge", "shrink/random", "picks"),
        ("keras", "keras/ratio", "keras/random", "picks"),
        ("honest/ratio:as-coded", "honest/ratio:as-coded", "keras/random", "picks"),
        ("honest/random", "honest/random", None, "training"),
        ("lean-teacher/margin", "lean-teacher/margin", "lean-teacher/random", "picks"),
        ("lean/random", "lean/random", "random", "training"),
        ("tfidf-lr:random", "tfidf-lr", None, "training"),
        ("lsa-lr:margin", "lsa-lr:margin", "lsa-lr", "picks"),
        ("full", "full", None, "picks"),
    ],
)
def test_a_row_knows_what_it_is_compared_with(text, spelling, reference, family):
    row = Method.of(text)
    assert (row.spelling, row.reference, row.family) == (spelling, reference, family)
    assert Method.of(row.spelling) == row


@pytest.mark.parametrize(
    "text",
    ["hot/entropy", "/entropy", "warm", "warm/", "keras:random", "full/random", "full:x", "lean", "lean-x/random"],
)
def test_rows_that_cannot_be_are_refused(text):
    with pytest.raises(ConfigError, match="row "):
        Method.of(text)


def test_every_way_to_train_says_what_it_does():
    assert all(how.words and name == how.name for name, how in TRAININGS.items())
