import pytest

from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.protocol import budget_of, checked_rule, make_schedule
from lit_al.stopping import make_rule


def schedule(pool=1_000, **settings):
    config = TrainConfig(protocol="lean", **settings).resolved()
    return make_schedule(config, pool, checked_rule(config))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rounds": 0}, (100,)),
        ({"rounds": 2}, (100, 200, 300)),
        ({"query_size": "10,20,40"}, (100, 110, 130, 170)),
        ({"query_size": "10,20", "rounds": 4}, (100, 110, 130, 150, 170)),
        ({"query_size": "10,20", "rounds": 1}, (100, 110)),
        ({"query_size": 600, "rounds": 5}, (100, 700, 1_000)),
        ({"query_size": 600, "stop": "kappa"}, (100, 700, 1_000)),
        ({"stop": "budget:250,kappa"}, (100, 200, 250)),
        ({"stop": "budget:50"}, (50,)),
        ({"stop": "budget:250", "rounds": 1}, (100, 200)),
    ],
)
def test_schedule_grows_to_its_end_and_never_beyond_budget_or_pool(settings, expected):
    assert schedule(**settings) == expected


def test_default_schedule_ends_at_2500_labels():
    assert schedule(pool=50_000)[::24] == (100, 2_500)


def test_first_labels_must_be_in_the_pool():
    with pytest.raises(ConfigError, match="--initial-size 100 exceeds the pool of 60 rows"):
        schedule(pool=60)


def test_budget_that_needs_company_cuts_nothing():
    assert budget_of(make_rule("budget:300+plateau")) is None
    assert budget_of(make_rule("kappa")) is None


def test_rule_that_waits_for_controls_needs_some():
    with pytest.raises(ConfigError, match=r"draws none; add \+random:0.1"):
        schedule(strategy="entropy", stop="budget:500,target:0.9")
    assert schedule(strategy="entropy", stop="budget:500,target:0.9", validation="cross:5")[-1] == 500
    for strategy in ("random", "entropy+random:0.2"):
        assert schedule(strategy=strategy, stop="budget:500,target:0.9")[-1] == 500
