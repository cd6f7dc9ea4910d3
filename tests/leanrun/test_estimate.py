from itertools import product

import numpy as np
import pytest

from lit_al.leanrun import Estimate


def test_no_control_gives_no_estimate():
    assert Estimate.of([]) is None


def test_wilson_interval_is_where_the_score_test_turns():
    """Its ends are the shares whose distance to what was seen is 1.96 of their own standard deviations."""
    for right, n in [(0, 5), (3, 10), (50, 60), (7, 7)]:
        found = Estimate(right, n)
        for bound in found.interval:
            if 1e-9 < bound < 1 - 1e-9:  # an end of the scale has no spread
                assert abs(found.accuracy - bound) == pytest.approx(1.959964 * np.sqrt(bound * (1 - bound) / n))


@pytest.mark.parametrize(("share", "n"), [*product([0.6, 0.85, 0.97], [20, 200])])
def test_interval_covers_the_true_share_nearly_always(share, n):
    drawn = np.random.default_rng(0).binomial(n, share, 4_000)
    hits = [low <= share <= high for low, high in (Estimate(int(right), n).interval for right in drawn)]
    assert 0.92 < np.mean(hits) < 0.985


def test_standard_error_is_never_zero():
    assert Estimate(3, 3).standard_error > 0.1
    assert Estimate(500, 1_000).standard_error == pytest.approx(0.0158, abs=1e-4)
