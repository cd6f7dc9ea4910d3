import re
from pathlib import Path

import pytest

from lit_al.exceptions import ConfigError
from lit_al.stopping import RULES, AllOf, AnyOf, Budget, Kappa, Plateau, PoolEmpty, Progress, make_rule, rule_until


def test_every_rule_has_a_name_that_makes_it():
    numbers = {"budget": ":100", "target": ":0.9"}
    for name, rule in RULES.items():
        made = make_rule(name + numbers.get(name, ""))
        assert isinstance(made, rule)
        assert make_rule(str(made)) == made


def test_comma_is_any_and_plus_is_all_and_binds_closer():
    rule = make_rule("budget:200, kappa:0.98 + plateau:2:0.01")
    assert rule == AnyOf((Budget(200), AllOf((Kappa(0.98), Plateau(2, 0.01)))))
    assert make_rule(str(rule)) == rule
    assert rule.needs == {"predictions", "accuracy"}


def test_any_stops_with_the_reasons_of_those_that_stop():
    rule = make_rule("budget:200,pool-empty")
    assert rule.check([Progress(100, 0)]) == (True, "the pool is empty")
    assert not rule.check([Progress(100, 5)])[0]


def test_all_stops_only_together():
    rule = AllOf((Budget(200), PoolEmpty()))
    assert not rule.check([Progress(200, 5)])[0]
    stop, reason = rule.check([Progress(200, 0)])
    assert stop
    assert "200 labels are spent" in reason
    assert "the pool is empty" in reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kapa:0.99", "did you mean 'kappa'"),
        ("", "the rules are budget, target"),
        ("kappa,", "'' is unknown"),
        ("kappa:high", "KAPPA:THRESHOLD:WINDOW"),
        ("budget", "BUDGET:LABELS"),
        ("budget:2.5", "budget:LABELS"),
        ("pool-empty:3", "it takes pool-empty"),
        ("kappa:1.5", "between 0 and 1"),
    ],
)
def test_what_cannot_be_read_is_answered_with_the_way_out(text, words):
    with pytest.raises(ConfigError) as caught:
        make_rule(text)
    assert words.lower() in str(caught.value).lower()


def test_the_page_has_every_rule_as_it_is_spelled():
    page = (Path(__file__).parents[2] / "docs" / "stopping.md").read_text(encoding="utf-8")
    shown = [make_rule(text) for text in re.findall(r"^\| `([a-z-]+[:\d.]*)` \|", page, re.MULTILINE)]
    assert [rule.name for rule in shown] == list(RULES)
    for rule in shown:
        if rule.name not in ("budget", "target"):
            assert rule == RULES[rule.name]()


def test_until_is_the_target_by_the_lower_end_of_the_interval():
    rule = make_rule(rule_until("accuracy>=85%, accuracy >= 0.9"))
    assert not rule.check([Progress(200, 100, accuracy=0.93, standard_error=0.02)])[0]
    assert rule.check([Progress(200, 100, accuracy=0.94, standard_error=0.02)])[0]


@pytest.mark.parametrize("text", ["recall[spam]>=0.9", "accuracy<=0.9", "accuracy>=0.9, latency_p99<=20ms"])
def test_until_takes_what_a_run_estimates(text):
    with pytest.raises(ConfigError, match="cannot end a run"):
        rule_until(text)
