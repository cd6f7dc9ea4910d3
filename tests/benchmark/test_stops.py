from dataclasses import replace

from lit_al.benchmark.results_table import Result
from lit_al.benchmark.stops import stops


def run(seed, said, rule="kappa", name="a"):
    """A run of 100, 200, … labels that gains two points a round."""
    accuracies = [0.6 + 0.02 * number for number in range(len(said))]
    return [
        Result(name, seed, number, 100 * (number + 1), 100 * (number + 1), accuracies[number], stopped={rule: word})
        for number, word in enumerate(said)
    ]


def test_means_are_over_the_runs_that_stop():
    found = stops([*run(0, [False, True, False]), *run(1, [True, True, True]), *run(2, [False, False, False])])["a"]
    assert (found["kappa"].fired, found["kappa"].runs, found["kappa"].labels) == (2, 3, 150)
    assert round(found["kappa"].change, 4) == -0.03


def test_a_rule_that_never_stops_has_no_means():
    found = stops(run(0, [False, False]))["a"]["kappa"]
    assert (found.fired, found.runs, found.labels, found.change) == (0, 1, None, None)


def test_runs_under_way_and_cells_without_rules_are_left_out():
    cells = [*run(0, [False, True]), *run(1, [True]), Result("full", 0, 0, 500, 500, 0.9)]
    found = stops(cells)
    assert list(found) == ["a"]
    assert found["a"]["kappa"].runs == 1
    assert stops([replace(cell, stopped=None) for cell in cells]) == {}


def test_rules_and_rows_are_apart():
    found = stops([*run(0, [True]), *run(0, [False], "change", "b")])
    assert {name: list(rules) for name, rules in found.items()} == {"a": ["kappa"], "b": ["change"]}
