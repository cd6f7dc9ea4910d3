import numpy as np

from lit_al.loop.state import Judgment, LoopState
from lit_al.loop.stopping_monitor import StoppingMonitor, shadow_rules
from lit_al.stopping import RULES, make_rule
from lit_al.strategies import make_strategy

POOL = np.arange(500, 3_000)


def run_with(labeled, *judged):
    """A run with a batch of right calls and controls by each model so far."""
    run = LoopState(0, make_strategy("random"), np.setdiff1d(POOL, labeled), np.asarray(labeled))
    run.asked = len(labeled)
    run.judgments = [Judgment(number, 2_000, all, right, 0, 0) for number, (right, all) in enumerate(judged)]
    return run


def a_model(seed=0, rows=40):
    """What a model says of the stop set, (k, 2)."""
    first = np.random.default_rng(seed).uniform(0.05, 0.95, rows)
    return np.stack([first, 1 - first], axis=1)


def test_stop_set_is_a_fixed_draw_from_the_pool():
    one, again, other = (StoppingMonitor(None, POOL, seed) for seed in (0, 0, 1))
    assert len(set(one.rows.tolist())) == 2_000
    assert set(one.rows.tolist()) <= set(POOL.tolist())
    assert (one.rows == again.rows).all()
    assert (one.rows != other.rows).any()
    assert len(StoppingMonitor(None, POOL[:70], 0).rows) == 70


def test_record_holds_what_rules_ask_for():
    monitor = StoppingMonitor(None, POOL[:40], 0)
    model = a_model()
    assert monitor.record(model, run_with(POOL[:10])) == ""
    assert monitor.record(model, run_with(POOL[:10], (15, 20))) == ""
    _, seen = monitor.history
    assert (seen.labels, seen.pool, seen.accuracy) == (10, 2_490, 0.75)  # no judge disagrees with the newest model
    assert seen.accuracy == monitor.estimate.accuracy
    assert seen.standard_error > 0
    assert 0 < seen.uncertainty <= 1
    assert seen.predictions.shape == (40,)


def test_rules_that_lack_what_they_need_are_not_asked():
    monitor = StoppingMonitor(None, POOL[:40], 0)
    monitor.record(a_model(), run_with(POOL[:10]))
    assert set(monitor.would_stop()) == {"uncertainty:0.05", "change:0.0", "kappa:0.99:3"}
    monitor.record(a_model(), run_with(POOL[:20], (3, 4)))
    assert "plateau:3:0.005" not in monitor.would_stop()  # four controls say nothing yet
    monitor.record(a_model(), run_with(POOL[:20], (3, 4), (8, 10)))
    assert "plateau:3:0.005" in monitor.would_stop()


def test_a_watch_goes_on_from_its_state():
    models = [a_model(seed) for seed in range(3)]
    whole, first, second = (StoppingMonitor(None, POOL[:40], 0) for _ in range(3))
    for number, model in enumerate(models):
        judged = [(9, 12)] * number
        whole.record(model, run_with(POOL[: 10 * number + 10], *judged))
        (first if number < 2 else second).record(model, run_with(POOL[: 10 * number + 10], *judged))
        if number == 1:
            second.restore(first.state())
    assert second.would_stop() == whole.would_stop()
    assert second.estimate == whole.estimate is not None
    for one, other in zip(second.history, whole.history, strict=True):
        assert {**vars(one), "predictions": 0} == {**vars(other), "predictions": 0}
        assert (one.predictions == other.predictions).all()


def test_nothing_left_leaves_uncertainty_and_accuracy_open():
    monitor = StoppingMonitor(make_rule("pool-empty"), POOL[:10], 0)
    run = run_with(POOL)
    assert monitor.record(a_model(rows=10), run) == "the pool is empty"
    assert monitor.history[0].uncertainty is monitor.history[0].accuracy is None


def test_shadow_holds_every_rule_once_and_those_in_force_first():
    spelled = [str(rule) for rule in shadow_rules(make_rule("plateau,budget:200,target:0.9"))]
    assert spelled[:3] == ["plateau:3:0.005", "budget:200", "target:0.9:0.0"]
    assert len(spelled) == len(set(spelled)) == len(RULES)
    assert str(shadow_rules(make_rule("kappa+plateau"))[0]) == "kappa:0.99:3+plateau:3:0.005"


def test_shadow_says_where_and_at_what_cost():
    monitor = StoppingMonitor(make_rule("budget:20"), POOL[:40], 0)
    for labels in (10, 20, 30):
        reason = monitor.record(a_model(), run_with(POOL[:labels]))
        assert bool(reason) == (labels >= 20)
    found = monitor.in_shadow([0.5, 0.6, 0.7])[0]
    assert (found["rule"], found["round"], found["labels"]) == ("budget:20", 1, 20)
    assert "10.0 points below the last round (10 labels fewer)" in found["sentence"]
