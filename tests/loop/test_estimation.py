import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.loop.estimation import LEAST, Estimate, needed, newest
from lit_al.loop.state import Judgment
from lit_al.utils.intervals import wilson


def batches(*calls, pool=20_000, others=(0, 0)):
    """Batches of right calls and controls, each judged by the model of its round, from a pool that shrinks."""
    sizes = np.cumsum([0] + [controls + others[1] for _, controls in calls]).tolist()
    return [
        Judgment(number, pool - size, controls, right, others[1], others[0])
        for number, ((right, controls), size) in enumerate(zip(calls, sizes, strict=False))
    ]


def width(estimate):
    low, high = estimate.interval
    return high - low


JUDGMENTS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 40), st.integers(0, 20), st.integers(0, 40), st.floats(0, 1)),
    min_size=1,
    max_size=12,
)


@given(JUDGMENTS, st.integers(0, 30_000))
def test_whatever_was_judged_the_estimate_is_a_share_with_a_width(counts, left):
    asked = sum(max(one[0], one[1]) + max(one[2], one[3]) for one in counts)
    judgments, pool = [], asked + left
    for number, (right, controls, others_right, others, _) in enumerate(counts):
        controls, others = max(right, controls), max(others_right, others)
        judgments.append(Judgment(number, max(pool, 1), controls, right, others, others_right))
        pool -= controls + others
    found = newest(judgments, {number: one[4] for number, one in enumerate(counts)})
    missing = needed(judgments)
    assert (found is None) == (missing > 0)
    if found:
        low, high = found.interval
        assert 0 <= low < high <= 1
        assert low <= found.accuracy <= high
        assert found.standard_error > 0


def test_too_few_controls_give_no_estimate_but_their_missing_number():
    assert newest([], {}) is None
    assert needed([]) == LEAST
    assert newest(batches((3, 4), (2, 3)), {0: 0.1, 1: 0.1}) is None
    assert needed(batches((3, 4), (2, 3))) == LEAST - 7
    assert newest(batches((3, 4), (6, 6)), {0: 0.1, 1: 0.1}) is not None


def test_one_model_judged_by_few_of_many_is_a_simple_sample():
    """Where every judge calls texts as the newest model does, only the draw of the controls is left."""
    found = newest(batches(*[(8, 10)] * 6, pool=1_000_000), dict.fromkeys(range(6), 0.0))
    assert found.accuracy == pytest.approx(0.8, abs=1e-3)
    assert found.interval == pytest.approx(wilson(0.8, 60), abs=0.01)


def test_interval_widens_with_the_distance_of_the_judges():
    judged = batches((8, 10), (8, 10), (8, 10))
    found = [newest(judged, dict.fromkeys(range(3), away)) for away in (0.0, 0.1, 0.3, 0.6)]
    assert [width(one) for one in found] == sorted(width(one) for one in found)
    assert width(found[-1]) > 2 * width(found[0])


def test_judge_of_unknown_distance_is_taken_for_the_farthest():
    judged = batches((2, 10), (9, 10))
    assert newest(judged, {1: 0.05}) == newest(judged, {0: 1.0, 1: 0.05})
    near, far = newest(judged, {0: 0.05, 1: 0.05}), newest(judged, {1: 0.05})
    assert near.accuracy < far.accuracy  # the bad calls were those of another model


def test_rising_models_are_not_averaged():
    """Far judges were at chance, near ones are good: it is the newest model that is asked about."""
    judged = batches(*[(5, 10)] * 10, *[(9, 10)] * 4)
    found = newest(judged, {number: 0.45 if number < 10 else 0.08 for number in range(14)})
    assert sum(one.right for one in judged) / 140 < 0.62
    assert found.accuracy > 0.75
    assert found.interval[1] > 0.9


def test_model_that_has_just_changed_everything_is_not_known():
    """An abrupt learner: no judge says anything of it, and the interval admits so."""
    found = newest(batches(*[(5, 10)] * 20), dict.fromkeys(range(20), 0.45))
    low, high = found.interval
    assert low < 0.4
    assert high > 0.7


def test_small_pool_that_is_asked_to_the_end_does_not_flatter():
    """Hard texts are asked first, so that late controls are easy; all texts together are as they are."""
    rng = np.random.default_rng(0)
    ours, alike = [], []
    for _ in range(40):
        judged, truth = drained(rng, texts=300, batch=30, controls=3)
        ours.append(newest(judged, dict.fromkeys(range(10), 0.0)).accuracy - truth)
        alike.append(sum(one.right for one in judged) / sum(one.controls for one in judged) - truth)
    assert np.mean(alike) > 0.04
    assert abs(np.mean(ours)) < 0.02


@pytest.mark.parametrize(
    ("texts", "batch", "controls"),
    [(300, 30, 10), (2_000, 100, 10), pytest.param(20_000, 100, 10, marks=pytest.mark.slow)],
)
def test_interval_covers_a_model_that_stands_still(texts, batch, controls):
    rng = np.random.default_rng(1)
    hits = []
    for _ in range(150):
        judged, truth = drained(rng, texts, batch, controls, most=10)
        low, high = newest(judged, dict.fromkeys(range(10), 0.0)).interval
        hits.append(low <= truth <= high)
    assert np.mean(hits) >= 0.93


def drained(rng, texts, batch, controls, most=99):
    """A pool whose hardest texts are asked first by one model; how it judged them, and its accuracy over all."""
    ease = rng.uniform(0.5, 1, texts)
    right, judged = rng.random(texts) < ease, []
    pool = np.arange(texts)
    while len(pool) and len(judged) < most:
        drawn = rng.choice(pool, min(controls, len(pool)), replace=False)
        rest = np.setdiff1d(pool, drawn)
        hard = rest[np.argsort(ease[rest])][: batch - len(drawn)]
        calls = right[drawn].sum(), len(hard), right[hard].sum()
        judged.append(Judgment(len(judged), len(pool), len(drawn), *map(int, calls)))
        pool = np.setdiff1d(pool, np.concatenate([drawn, hard]))
    return judged, right.mean()


def test_simple_sample_is_wilsons():
    assert Estimate.of([]) is None
    found = Estimate.of([True] * 7)
    assert (found.accuracy, found.rows) == (1.0, 7)
    assert found.interval == wilson(1.0, 7)
    assert found.standard_error > 0.05
