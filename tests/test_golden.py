"""What every protocol, every kind of benchmark row and the labeling page choose and reach, as it was recorded.

A change of the program's structure must leave all of it as it is. A change of what it computes is recorded anew, in a
commit of its own, by `python tests/test_golden.py`. Rows, counts and words are held to the letter; figures and the sums
of the weights to a thousandth, since another processor adds in another order.
"""

import hashlib
import io
import json
import math
import platform
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from lit_al.benchmark.runner import BenchConfig, run_benchmark
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.learning import Learner
from lit_al.experiment.session import run
from lit_al.models.checkpoint import load_model

GOLDEN = Path(__file__).with_name("golden.json")
TOLERANCE = 1e-3
NOT_COMPARED = {
    "seconds", "wall_seconds", "fit_seconds", "validate_seconds", "score_seconds", "select_seconds", "peak_memory_mb",
    "train_samples_per_second", "checkpoint", "versions", "device", "started", "settings", "config",
}  # fmt: skip

SMALL = TrainConfig(data="demo", demo_rows=300, max_length=40, accelerator="cpu")
EXAMPLE = replace(SMALL, max_epochs=2, query_size=20, rounds=2, batch_size=32)
LEAN = replace(
    SMALL, protocol="lean", recipe="scratch", initial_size=30, query_size=15, rounds=2, steps=4, study_steps=4
)
RUNS = {
    "keras": EXAMPLE,
    "keras, committee": replace(EXAMPLE, strategy="committee-kl+random:0.2", committee_size=2, rounds=1),
    "keras, full": replace(EXAMPLE, mode="full", query_size=None, rounds=None),
    "honest": replace(EXAMPLE, protocol="honest", strategy="entropy+balanced+random:0.2"),
    "honest, ratio": replace(EXAMPLE, protocol="honest"),
    "lean, scratch": LEAN,
    "lean, teacher": replace(LEAN, recipe="lean"),
    "lean, stopping rules": replace(LEAN, rounds=None, query_size=10, stop="plateau:1:0.5,budget:70"),
    "lean, noise and skips": replace(LEAN, oracle_noise="0.2", oracle_skip=0.2, price_per_label=0.3, strategy="badge"),
    "lean, held out": replace(LEAN, validation="holdout:0.2", weights="warm"),
    "lean, folds": replace(LEAN, validation="cross:3", weights="shrink", strategy="ratio+random:0.2"),
}
QUICK = ("keras", "honest", "lean, scratch", "lean, teacher")
ROWS = (
    "random", "entropy", "warm/badge", "shrink/margin", "lean/margin", "full", "tfidf-lr:margin", "lsa-lr",
    "keras/ratio", "honest/margin",
)  # fmt: skip
BENCHMARK = BenchConfig(
    data="demo", demo_rows=300, strategies=ROWS, seeds=2, budgets=(30, 45), max_length=40, steps=4, study_steps=4,
    side_by_side=2, name="golden",
)  # fmt: skip
RANKINGS = {
    "scratch": {"recipe": "scratch", "steps": 4},
    "with a teacher": {"recipe": "lean", "study_steps": 4, "strategy": "entropy+balanced+random:0.2"},
}


def quiet():
    return Console(file=io.StringIO(), width=120)


def of_run(name, folder):
    """Results without times, each text chosen, and the sums of the delivered weights."""
    results = run(replace(RUNS[name], log_dir=str(folder), name="run"), quiet())
    path = folder / "run" / "picks.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    picks = [(line["round"], line["row"], line["reason"]) for line in map(json.loads, lines)]
    return {
        "results": results,
        "picks": picks,
        "weights": sums(load_model(folder / "run" / "checkpoints" / "best.ckpt")),
    }


def of_benchmark(folder):
    run_benchmark(replace(BENCHMARK, log_dir=str(folder)), quiet())
    return [json.loads(line) for line in (folder / "golden" / "cells.jsonl").read_text().splitlines()]


def of_ranking(name, corpus):
    """What people are asked before there is a model, and by the first model."""
    learner = Learner(corpus.texts, corpus.classes, RANKINGS[name])
    cold = [one.item for one in learner.cold_start(20)]
    rows = np.array(sorted(cold))
    learned = learner.learn(rows, corpus.labels[rows], number=1)
    ranked = [(one.item, one.control, one.reason) for one in learner.rank(30)]
    return {"cold": cold, "ranked": ranked, "weights": sums(learned.model)}


def sums(model):
    """Of each weight its sum and the sum of its squares."""
    with torch.no_grad():
        return {name: [float(one.sum()), float((one**2).sum())] for name, one in model.named_parameters()}


def plain(value):
    """As JSON holds it, without what differs from run to run."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items() if key not in NOT_COMPARED}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def differences(found, golden, where=""):
    """A sentence for each value that is not as recorded."""
    if isinstance(golden, dict) and isinstance(found, dict):
        names = {**golden, **found}
        absent = object()
        return [
            line
            for name in names
            for line in differences(found.get(name, absent), golden.get(name, absent), f"{where}/{name}")
        ]
    if isinstance(golden, list) and isinstance(found, list) and len(golden) == len(found):
        pairs = enumerate(zip(found, golden, strict=True))
        return [line for index, pair in pairs for line in differences(*pair, f"{where}/{index}")]
    both = all(isinstance(one, float | int) and not isinstance(one, bool) for one in (found, golden))
    exact = not both or (isinstance(found, int) and isinstance(golden, int))
    same = found == golden if exact else math.isclose(found, golden, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return [] if same else [f"{where}: {found!r}, recorded {golden!r}"]


def test_differences_are_found():
    golden = {"a": [1, 2.0, "x"], "b": {"c": None}}
    assert differences(json.loads(json.dumps(golden)), golden) == []
    assert differences({"a": [1, 2.0001, "x"], "b": {"c": None}}, golden) == []
    for other in (
        {"a": [2, 2.0, "x"]},
        {"a": [1, 2.01, "x"]},
        {"a": [1, 2.0]},
        {"a": [1, 2.0, "y"]},
        {"d": 1},
        {"b": 0},
    ):
        assert len(differences({**golden, **other}, golden)) == 1
    assert len(differences({"a": golden["a"]}, golden)) == 1


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As it was recorded: several threads add up in another order, and near ties are decided otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def golden():
    return json.loads(GOLDEN.read_text())


def machine():
    """What the last bits of a run depend on besides code and versions: the processor and what is compiled for it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "flags"))][:2]
    kind = hashlib.sha256(" ".join(model).encode()).hexdigest()[:16]
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()} {kind}"


def assert_as_recorded(found, recorded, where):
    """To the last pick on the processor that recorded it; on another, whose sums round otherwise, in its form."""
    if where == machine():
        assert differences(found, recorded) == []
    else:
        assert form(found) == form(recorded)


def form(value):
    """Names and kinds, without numbers."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(form(item), sort_keys=True) for item in value})
    return "number" if isinstance(value, float | int) and not isinstance(value, bool) else type(value).__name__


def test_form_is_that_of_names_and_kinds():
    assert form({"a": [1, 2.5], "b": None}) == form({"a": [7], "b": None})
    assert form({"a": 1}) != form({"b": 1})
    assert form({"a": [1]}) != form({"a": ["x"]})


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in RUNS]
)
def test_run_is_as_recorded(name, golden, tmp_path):
    assert_as_recorded(plain(of_run(name, tmp_path)), golden["runs"][name], golden["machine"])


@pytest.mark.slow
def test_benchmark_is_as_recorded(golden, tmp_path):
    assert_as_recorded(plain(of_benchmark(tmp_path)), golden["benchmark"], golden["machine"])


@pytest.mark.parametrize("name", RANKINGS)
def test_ranking_is_as_recorded(name, golden, make_corpus):
    found = plain(of_ranking(name, make_corpus(rows=120)))
    assert_as_recorded(found, golden["rankings"][name], golden["machine"])


def record():
    """Write down what is now."""
    from conftest import build_corpus

    torch.set_num_threads(1)
    folders = {name: Path(tempfile.mkdtemp()) for name in RUNS}
    found = {
        "machine": machine(),
        "runs": {name: of_run(name, folder) for name, folder in folders.items()},
        "benchmark": of_benchmark(Path(tempfile.mkdtemp())),
        "rankings": {name: of_ranking(name, build_corpus(rows=120)) for name in RANKINGS},
    }
    GOLDEN.write_text(json.dumps(plain(found), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    record()
