"""How often the verdict claims what is not so, and how often it finds what is: on benchmarks whose truth is known.

python benchmarks/verdict.py --trials 1500
"""

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lit_al.benchmark.comparison import compare
from lit_al.benchmark.curves import learning_curves
from lit_al.benchmark.results_table import Result
from lit_al.benchmark.synthetic import synthetic_cells
from lit_al.benchmark.verdict import verdicts

NULL = {"random": 0.0, "a": 0.0, "b": 0.0, "c": 0.0}


def null(seed: int) -> list[Result]:
    """Three strategies that are random."""
    return synthetic_cells(NULL, seed=seed)


def collapsing(seed: int) -> list[Result]:
    """The same, but one fit in twenty ends at .50."""
    rng = np.random.default_rng(seed)
    return [replace(cell, accuracy=0.5) if cell.round and rng.random() < 0.05 else cell for cell in null(seed)]


def head_start(seed: int) -> list[Result]:
    """A strategy three points ahead at 200 and 400 labels that saves nothing on the way to .80."""
    cells = synthetic_cells({"random": 0, "early": 0}, noise=0.004, seed=seed)
    ahead = {("early", 1), ("early", 2)}
    return [
        replace(cell, accuracy=cell.accuracy + 0.03) if (cell.strategy, cell.round) in ahead else cell for cell in cells
    ]


def saving(share: float) -> Callable[[int], list[Result]]:
    """A strategy that saves a share, among two that save nothing."""
    return lambda seed: synthetic_cells({"random": 0, "a": share, "b": 0, "c": 0}, seed=seed)


def measure(name: str, make: Callable[[int], list[Result]], trials: int, targets: list[float] | None = None) -> None:
    """Print how many of the trials had a claim of any kind, and of labels saved or wasted."""
    found = [
        {one.finding for one in verdicts(compare(learning_curves(make(seed)), targets=targets, resamples=500))}
        for seed in range(trials)
    ]
    claims = sum(bool(kinds - {"open"}) for kinds in found) / trials
    labels = sum(bool(kinds & {"saves", "costs"}) for kinds in found) / trials
    print(f"{name:40} any claim {claims:.3f}   of labels {labels:.3f}   of {trials:,} benchmarks", flush=True)


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1_500, help="benchmarks of each kind")
    trials = parser.parse_args().trials
    measure("three that are random", null, trials)
    measure("the same, 5 % of fits collapse", collapsing, trials)
    measure("ahead early, nothing saved at .80", head_start, trials, [0.8])
    for share in (0.1, 0.2, 0.3):
        measure(f"one of three saves {share:.0%}", saving(share), max(1, trials // 5))


if __name__ == "__main__":
    main()
