from dataclasses import replace

import numpy as np
import pytest

from lit_al.benchmark.comparison import compare
from lit_al.benchmark.curves import learning_curves
from lit_al.benchmark.results_table import Result
from lit_al.benchmark.synthetic import synthetic_cells, true_accuracy
from lit_al.benchmark.verdict import caveats, finding, verdicts


def judged(cells, **settings):
    return {one.strategy: one for one in verdicts(compare(learning_curves(cells), resamples=1_000, **settings))}


def test_a_real_saving_is_claimed_with_its_evidence():
    found = judged(synthetic_cells({"random": 0, "entropy": 0.4}, noise=0.004), targets=[0.8])["entropy"]
    assert found.finding == "saves"
    assert found.text.startswith("entropy saves labels: it reaches .80 with 6")
    assert "where random needs 1,0" in found.text
    for part in (
        " % fewer, 95 % interval ",
        "points on average from 100 to 2,500 labels",
        "Holm p = .002",
        "10 paired",
    ):
        assert part in found.text


def test_a_real_loss_is_claimed_as_a_loss():
    found = judged(synthetic_cells({"random": 0, "bad": -1}, noise=0.004), targets=[0.8])["bad"]
    assert found.finding == "costs"
    assert "bad needs more labels" in found.text
    assert "% more, 95 % interval" in found.text


def test_no_difference_is_no_evidence():
    found = judged(synthetic_cells({"random": 0, "badge": 0}))["badge"]
    assert found.finding == "open"
    assert found.text.startswith("no evidence that badge saves labels: ")


def test_strategies_that_are_random_are_seldom_said_to_differ():
    """The family-wise rate: any claim at all, of three strategies, counts against it."""
    false = 0
    for trial in range(150):
        cells = synthetic_cells({"random": 0, "a": 0, "b": 0, "c": 0}, seed=trial)
        found = verdicts(compare(learning_curves(cells), resamples=300))
        false += any(one.finding != "open" for one in found)
    assert false / 150 <= 0.05


def test_a_real_effect_is_nearly_always_found():
    found = [judged(synthetic_cells({"random": 0, "a": 0.5}, seed=trial))["a"].finding for trial in range(30)]
    assert np.mean([one in ("saves", "better") for one in found]) >= 0.9


def early(seed):
    """A strategy that is ahead at small budgets only: it saves nothing on the way to where random ends."""
    cells = synthetic_cells({"random": 0, "early": 0}, noise=0.004, seed=seed)
    return [replace(c, accuracy=c.accuracy + 0.03) if c.strategy == "early" and c.round in (1, 2) else c for c in cells]


def test_a_head_start_is_not_called_a_saving():
    found = [judged(early(seed), targets=[0.8])["early"] for seed in range(40)]
    assert np.mean([one.finding == "saves" for one in found]) <= 0.05
    better = next(one for one in found if one.finding == "better")
    assert "early is better than random" in better.text
    assert "How many labels that is worth at .80 is open" in better.text


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_few_seeds_never_claim_and_say_why(seeds):
    cells = synthetic_cells({"random": 0, "a": 0.5}, seeds=seeds, noise=0.001)
    found = judged(cells)["a"]
    assert found.finding == "open"
    assert "nothing could be proven" in found.text
    notes = caveats(learning_curves(cells), compare(learning_curves(cells)))
    assert f"With {seeds} seeds the smallest two-sided Wilcoxon p is" in notes[0]
    assert "6 seeds are the fewest" in notes[0]


def test_five_seeds_have_a_smallest_p_of_one_sixteenth():
    curves = learning_curves(synthetic_cells({"random": 0, "a": 0.5, "b": 0.2}, seeds=5))
    assert "p is .0625, and Holm corrects it over 2 rows" in caveats(curves, compare(curves))[0]


def test_enough_seeds_need_no_caveat():
    curves = learning_curves(synthetic_cells({"random": 0, "a": 0.5}))
    assert [note for note in caveats(curves, compare(curves)) if "smallest" in note] == []


def test_a_claim_needs_interval_and_corrected_p_together():
    one = compare(learning_curves(synthetic_cells({"random": 0, "a": 0.5})))[0]
    assert finding(one) == "saves"
    assert finding(replace(one, corrected=0.05)) == "open"
    assert finding(replace(one, difference=replace(one.difference, low=-0.001))) == "open"
    assert finding(replace(one, savings=())) == "better"


def test_an_interval_that_the_corrected_p_does_not_bear_out_is_no_claim_and_says_so():
    one = replace(compare(learning_curves(synthetic_cells({"random": 0, "a": 0.5})))[0], corrected=0.08)
    found = verdicts([one])[0]
    assert found.finding == "open"
    assert "Holm p = .08" in found.text
    assert found.text.endswith("The interval excludes 0, but the corrected p is not under .05.")


def test_a_target_that_random_misses_is_said_to_be_missed():
    found = judged(synthetic_cells({"random": 0, "a": 0.5}, noise=0.001), targets=[0.9])["a"]
    assert "where random needs more than 2,500 (fewer, 95 % interval" in found.text


def test_verdicts_come_largest_difference_first():
    found = judged(synthetic_cells({"random": 0, "a": 0.1, "b": 0.5, "c": -0.5}))
    assert list(found) == ["b", "a", "c"]


def test_caveats_name_gaps_failures_and_collapsed_batches():
    cells = synthetic_cells({"random": 0, "a": 0.3})
    cells = [replace(c, accuracy=None, error="x") if c.key == ("a", 4, 3) else c for c in cells]
    cells = [replace(c, taken=(1, 99)) if c.key == ("a", 2, 1) else c for c in cells]
    cells.append(Result("keras/ratio", 0, 0, 15_000, 20_000, true_accuracy(20_000)))
    cells.append(Result("lsa-lr", 0, 0, 100, 100, 0.8))
    curves = learning_curves(cells)
    notes = " ".join(caveats(curves, compare(curves), cells))
    assert "a seed shared: keras/ratio (with keras/random)." in notes
    assert "Another model, in tables and pictures alone: lsa-lr." in notes
    assert "Cells that failed: 1 (a)" in notes
    assert "A batch of a was 99 % of one class" in notes
    assert "1 left out with cells missing" in judged(cells)["a"].text


def test_training_is_a_family_of_its_own():
    found = judged(synthetic_cells({"random": 0, "warm/random": 0, "warm/entropy": 0.5, "lsa-lr": 0.5}, noise=0.004))
    assert list(found) == ["warm/entropy", "warm/random"]
    assert found["warm/random"].text.startswith("no evidence that warm/random differs from random: ")
    assert "where warm/random needs" in found["warm/entropy"].text
    curves = learning_curves(synthetic_cells({"random": 0, "warm/random": 0, "a": 0, "b": 0}, seeds=6))
    notes = caveats(curves, compare(curves))
    assert "Holm corrects it over 2 rows" in notes[0]
    assert not any("the one row" in note for note in notes)  # six seeds suffice for one


def test_nothing_compared_has_nothing_to_say():
    curves = learning_curves(synthetic_cells({"random": 0}))
    assert verdicts(compare(curves)) == []
    assert all("smallest" not in note for note in caveats(curves, compare(curves)))
