import numpy as np
import pytest

from lit_al.exceptions import ConfigError
from lit_al.metrics import Confusion
from lit_al.strategies import Context, Pool, RatioSampling, choose, make_strategy

# The logs of the two Keras pages: FN, FP, share of positives, share of negatives, negatives and positives taken.
GOLDEN = [
    (665, 234, 0.26028921023359286, 0.7397107897664071, 3698, 1301),
    (270, 498, 0.6484375, 0.3515625, 1757, 3242),
    (392, 356, 0.47593582887700536, 0.5240641711229946, 2620, 2379),
    (290, 538, 0.6497584541062802, 0.3502415458937198, 1751, 3248),
    (376, 442, 0.5403422982885085, 0.45965770171149145, 2298, 2701),
    (407, 410, 0.5018359853121175, 0.4981640146878825, 2490, 2509),
]


def binary(false_negatives, false_positives, rows=2_500):
    return Confusion(np.array([[rows - false_positives, false_positives], [false_negatives, rows - false_negatives]]))


@pytest.mark.parametrize("golden", GOLDEN)
def test_shares_and_quotas_are_those_of_the_pages(golden):
    fn, fp, positives, negatives, taken_negatives, taken_positives = golden
    strategy = RatioSampling()
    assert strategy.shares(binary(fn, fp)).tolist() == [negatives, positives]
    assert strategy.quotas(binary(fn, fp), 5_000) == [taken_negatives, taken_positives]
    assert RatioSampling("as-stated").quotas(binary(fn, fp), 5_000) == [taken_positives, taken_negatives]


@pytest.mark.parametrize("pages", [GOLDEN[:3], GOLDEN[3:]])
def test_labels_after_three_rounds_are_those_of_the_pages(pages):
    labels = 15_000
    after = []
    for fn, fp, *_ in pages:
        labels += sum(RatioSampling().quotas(binary(fn, fp), 5_000))
        after.append(labels)
    assert after == [19_999, 24_998, 29_997]


@pytest.mark.parametrize(("fn", "fp"), [(0, 10), (10, 0), (0, 0)])
def test_shares_are_equal_when_a_count_is_zero(fn, fp):
    assert RatioSampling().shares(binary(fn, fp)).tolist() == [0.5, 0.5]


def test_shares_of_three_classes_follow_the_side_of_the_confusion():
    matrix = np.array([[10, 1, 3], [2, 10, 2], [0, 4, 10]])
    as_stated = RatioSampling("as-stated").shares(Confusion(matrix))
    as_coded = RatioSampling("as-coded").shares(Confusion(matrix))
    assert as_stated.tolist() == [4 / 12, 4 / 12, 4 / 12]
    assert as_coded.tolist() == [2 / 12, 5 / 12, 5 / 12]


def query(strategy, rows, classes, size, confusion):
    pool = Pool(np.array(rows), classes=np.array(classes))
    return choose(strategy, pool, size, Context(np.random.default_rng(0), confusion=confusion))


def test_select_takes_the_head_of_each_class():
    errors = binary(30, 10)  # positives 1/4, negatives 3/4
    choice = query(RatioSampling(), [9, 8, 7, 6, 5, 4], [0, 1, 1, 0, 1, 0], 4, errors)
    assert choice.rows.tolist() == [9, 6, 4, 8]
    assert choice.shares == (0.75, 0.25)
    assert not choice.short


def test_select_takes_what_is_left_and_says_so():
    choice = query(RatioSampling(), [5, 6, 7], [0, 0, 0], 3, binary(10, 10))
    assert choice.rows.tolist() == [5]  # half of three, rounded down
    assert choice.short


def test_strategy_by_name_fills_the_query_from_the_head_of_the_pool():
    ratio = make_strategy("ratio:as-stated")
    assert ratio == RatioSampling("as-stated", fill=True)
    choice = query(ratio, [9, 8, 7, 6, 5], [0, 0, 0, 0, 1], 4, binary(30, 10))
    assert choice.rows.tolist() == [9, 5, 8, 7]
    assert choice.reasons[-1] == "head of the pool, to fill the query"
    assert not choice.short


def test_unknown_direction_is_refused():
    with pytest.raises(ConfigError, match="'backwards'"):
        RatioSampling("backwards")
