import numpy as np
import pytest

from lit_al.exceptions import ConfigError
from lit_al.stopping import (
    Budget,
    ClassificationChange,
    Kappa,
    OverallUncertainty,
    Plateau,
    PoolEmpty,
    Progress,
    Target,
    kappa,
    mean_uncertainty,
)


def rounds(**fields):
    """A history in which each field takes its values in turn."""
    lengths = {len(values) for values in fields.values()}
    assert len(lengths) == 1
    rows = [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]
    return [Progress(**{"labels": 100 * (i + 1), "pool": 900 - 100 * i, **row}) for i, row in enumerate(rows)]


def seen(*words):
    """Predictions of the stop set by round, a digit a row."""
    return rounds(predictions=[np.array([int(sign) for sign in word]) for word in words])


def stops(rule, history):
    return rule.check(history)[0]


def test_budget_stops_once_it_is_spent():
    history = rounds(accuracy=[None] * 3)
    assert [stops(Budget(200), history[: i + 1]) for i in range(3)] == [False, True, True]


def test_pool_empty_stops_only_at_zero():
    assert not stops(PoolEmpty(), [Progress(5, 1)])
    assert stops(PoolEmpty(), [Progress(6, 0)])


def test_target_without_margin_follows_the_estimate():
    assert stops(Target(0.85), rounds(accuracy=[0.80, 0.85]))
    assert not stops(Target(0.85), rounds(accuracy=[0.86, 0.84]))


def test_target_with_margin_wants_the_estimate_above_its_noise():
    history = rounds(accuracy=[0.86], standard_error=[0.01])
    assert stops(Target(0.85, errors=0.5), history)
    assert not stops(Target(0.85, errors=2), history)


@pytest.mark.parametrize("record", [{"accuracy": [None]}, {"accuracy": [0.9], "standard_error": [None]}])
def test_target_without_an_estimate_never_stops_and_says_so(record):
    stop, reason = Target(0.5, errors=2).check(rounds(**record))
    assert not stop
    assert "not known" in reason


def test_plateau_stops_after_rounds_without_a_gain():
    history = rounds(accuracy=[0.70, 0.80, 0.801, 0.79, 0.803])
    assert [stops(Plateau(3, 0.005), history[:n]) for n in (1, 2, 3, 4, 5)] == [False, False, False, False, True]


def test_plateau_goes_on_while_the_best_rises():
    assert not stops(Plateau(2, 0.005), rounds(accuracy=[0.70, 0.60, 0.71]))


def test_plateau_of_gain_zero_stops_only_without_any_rise():
    assert stops(Plateau(1, 0), rounds(accuracy=[0.7, 0.7]))
    assert not stops(Plateau(1, 0), rounds(accuracy=[0.7, 0.7001]))


def test_plateau_leaves_out_rounds_without_an_estimate():
    assert not stops(Plateau(2), rounds(accuracy=[0.7, None, 0.7]))


def test_uncertainty_stops_at_its_threshold():
    assert stops(OverallUncertainty(0.05), rounds(uncertainty=[0.2, 0.05]))
    assert not stops(OverallUncertainty(0.05), rounds(uncertainty=[0.01, 0.06]))
    assert not stops(OverallUncertainty(1), rounds(uncertainty=[None]))


def test_mean_uncertainty_is_one_for_guesses_of_any_number_of_classes():
    assert mean_uncertainty(np.full((5, 7), 1 / 7)) == pytest.approx(1)
    assert mean_uncertainty(np.eye(3)) == 0


def test_change_stops_when_no_answer_changes():
    assert stops(ClassificationChange(), seen("0110", "0111", "0111"))
    assert not stops(ClassificationChange(), seen("0111", "0110"))
    assert stops(ClassificationChange(0.25), seen("0111", "0110"))


def test_change_compares_successive_rounds_only():
    history = [seen("01")[0], Progress(150, 5), seen("01")[0]]
    assert not stops(ClassificationChange(), history)


def test_kappa_needs_three_agreements_in_a_row():
    history = seen("0101", "0101", "0101", "0101")
    assert [stops(Kappa(), history[:n]) for n in (1, 2, 3, 4)] == [False, False, False, True]


def test_kappa_rule_averages_the_last_three():
    history = seen("0011", "0010", "0010", "0010")  # kappas .5, 1, 1
    assert Kappa().check(history) == (False, "the mean of the last 3 kappas is below 0.99: 0.833")
    assert stops(Kappa(0.83), history)
    assert stops(Kappa(), [*history, *seen("0010")])


@pytest.mark.parametrize("rule", [Kappa(), ClassificationChange()])
def test_a_model_that_collapsed_onto_one_class_has_not_settled(rule):
    assert not stops(rule, seen("1111", "1111", "1111", "1111", "1111"))


def test_kappa_is_that_of_a_table_worked_by_hand():
    before = np.repeat([0, 0, 1, 1], [20, 5, 10, 15])  # Cohen's two by two: 20, 5, 10, 15
    after = np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    assert kappa(before, after) == pytest.approx(0.4)


@pytest.mark.parametrize("rule", [Kappa(window=1), ClassificationChange()])
def test_a_stop_set_of_other_rows_is_refused(rule):
    with pytest.raises(ConfigError, match="2 predictions in one round and 3"):
        rule.check(seen("01", "010"))


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        (Budget, [0]),
        (Target, [85]),
        (Target, [0.8, -1]),
        (Plateau, [0]),
        (Kappa, [1.01]),
        (Kappa, [0.9, 0]),
        (OverallUncertainty, [-0.1]),
        (ClassificationChange, [float("nan")]),
    ],
)
def test_a_number_out_of_range_is_refused(rule, arguments):
    with pytest.raises(ConfigError, match=rule.name):
        rule(*arguments)
