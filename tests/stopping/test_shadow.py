import numpy as np
import pytest

from lit_al.exceptions import ConfigError
from lit_al.stopping import Budget, Kappa, Plateau, PoolEmpty, Progress, report, shadow

ACCURACY = [0.70, 0.80, 0.84, 0.842, 0.841, 0.846]


def history(last_pool=0):
    rng = np.random.default_rng(0)
    settled = rng.integers(0, 2, 50)
    predictions = [rng.integers(0, 2, 50), rng.integers(0, 2, 50), settled, settled, settled, settled]
    rows = zip(ACCURACY, predictions, strict=True)
    records = [Progress(100 * (i + 1), 500 - 100 * i, accuracy=a, predictions=p) for i, (a, p) in enumerate(rows)]
    return [*records[:-1], Progress(600, last_pool, accuracy=ACCURACY[-1], predictions=settled)]


def test_shadow_finds_where_each_rule_would_have_stopped():
    found = shadow([Budget(250), Plateau(2, 0.005), Kappa(), PoolEmpty(), Budget(10_000)], history())
    assert [stop.position for stop in found] == [2, 4, 5, 5, None]


def test_a_rule_in_shadow_sees_only_the_rounds_before():
    class Longest:
        needs = frozenset()

        def __init__(self):
            self.seen = []

        def check(self, records):
            self.seen.append(len(records))
            return False, "never"

    rule = Longest()
    shadow([rule], history())
    assert rule.seen == [1, 2, 3, 4, 5, 6]


def test_report_says_what_each_rule_would_have_cost():
    rules = [Budget(250), Plateau(2, 0.005), PoolEmpty(), Budget(10_000)]
    test = [0.70, 0.79, 0.83, 0.84, 0.834, 0.834]
    assert report(shadow(rules, history()), history(), test) == [
        "budget:250 would have stopped at 300 labels, 0.4 points below the last round (300 labels fewer)",
        "plateau:2:0.005 would have stopped at 500 labels, level with the last round (100 labels fewer)",
        "pool-empty would have stopped at 600 labels, the last round",
        "budget:10000 would not have stopped within 600 labels: 600 labels are spent, of a budget of 10,000",
    ]


def test_report_wants_an_accuracy_for_each_round():
    with pytest.raises(ConfigError, match="1 accuracies for 6 rounds"):
        report(shadow([PoolEmpty()], history()), history(), [0.8])


def test_shadow_before_the_first_fit_is_refused():
    with pytest.raises(ConfigError, match="empty"):
        shadow([PoolEmpty()], [])
