"""A class with one row in the whole corpus, or with no label yet, stops nothing: what runs is run to its end."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from lit_al.benchmark.results_table import read_cells
from lit_al.benchmark.runner import BenchConfig, run_benchmark
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.experiment_data import prepare
from lit_al.experiment.learning import Learner
from lit_al.experiment.session import run
from lit_al.models.checkpoint import load_model
from lit_al.models.prediction import classify

FILLER = ["the", "a", "story", "it", "was", "and", "with", "of", "there", "again", "one", "more"]
WORDS = {"sport": ["goal", "match", "team"], "money": ["bank", "price", "shares"], "moon": ["crater", "orbit", "lunar"]}
ROWS = {"sport": 60, "money": 39, "moon": 1}
CLASSES = ("money", "moon", "sport")  # as a file's labels are sorted
NOTE = "classes too rare to be in every set: 'moon' (1 labeled row, none in "


def made_up():
    """Texts and labels, in an order of chance."""
    rng = np.random.default_rng(0)
    labels = rng.permutation([name for name, count in ROWS.items() for _ in range(count)]).tolist()
    drawn = [[*rng.choice(FILLER, 9), *rng.choice(WORDS[label], 3)] for label in labels]
    return [" ".join(rng.permutation(words)) for words in drawn], labels


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "rare.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(*made_up(), strict=True)])
    return str(path)


def finished(tmp_path, data, **settings):
    """Results of a run, and what it said."""
    said = Console(file=io.StringIO(), width=200)
    config = TrainConfig(data=data, name="run", log_dir=str(tmp_path), accelerator="cpu", **settings)
    return run(config, said), said.file.getvalue()


def check(results, said):
    """It ended, judged all three classes as far as it could, and named the one that it could not."""
    assert results["status"] == "finished"
    test = results["test"]
    assert test["per_class"]["moon"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert sum(one["support"] for one in test["per_class"].values()) == 10
    others = [test["per_class"][name]["f1"] for name in ("money", "sport")]
    assert test["macro_f1"] == pytest.approx(np.mean(others))
    [note] = [note for note in results["data"]["notes"] if note.startswith(NOTE)]
    assert said.count(note) == 1
    assert "too rare to judge, with fewer than 10 test rows" in said


@pytest.mark.parametrize("protocol", ["keras", "honest"])
def test_the_examples_loop_runs_to_its_end(protocol, data, tmp_path):
    check(*finished(tmp_path, data, protocol=protocol, max_epochs=1, rounds=1, query_size=10, strategy="margin"))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"initial_size": 1},  # one class alone is labeled: there is nothing to tell apart yet
        {"recipe": "scratch", "validation": "cross:3"},
        {"validation": "holdout:0.3", "strategy": "badge+balanced+random:0.2"},
    ],
    ids=str,
)
def test_a_lean_run_goes_on_without_a_label_of_a_class_until_its_one_row_is_asked(settings, data, tmp_path):
    lean = {"protocol": "lean", "initial_size": 6, "query_size": 20, "steps": 4, "study_steps": 4}
    results, said = finished(tmp_path, data, **{**lean, **settings})
    check(results, said)
    taken = [entry["taken"]["moon"] for entry in results["rounds"]]
    assert taken[0] == 0  # no label of it in the beginning
    assert sum(taken) == 1  # and its only row before the pool was empty
    model = load_model(tmp_path / "run" / "checkpoints" / "best.ckpt")
    for prediction in classify(model.eval(), ["the goal of the team", "a crater", ""]):
        assert tuple(prediction.probabilities) == CLASSES
        assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_where_people_answer_a_test_set_names_the_classes_that_it_lacks(data):
    config = TrainConfig(data=data, protocol="lean", oracle="file", test_size=10).resolved()
    split = prepare(config).split
    assert len(split.test) == 10
    assert split.notes == (f"{NOTE}test)",)
    assert prepare(replace(config, test_size=None)).split.notes == ()


@pytest.mark.parametrize("moons", [0, 1])
def test_the_labeling_page_learns_and_ranks(moons):
    texts, labels = made_up()
    answers = np.array([CLASSES.index(label) for label in labels])
    learner = Learner(texts, (*CLASSES, "never seen"), {"study_steps": 4})
    others = np.flatnonzero(answers != CLASSES.index("moon"))[:12]
    rows = np.sort(np.concatenate([others, np.flatnonzero(answers == CLASSES.index("moon"))[:moons]]))
    learned = learner.learn(rows, answers[rows], number=1)
    assert learned.model.classes == (*CLASSES, "never seen")
    ranked = learner.rank(30)
    assert len({one.item for one in ranked} - set(rows.tolist())) == 30
    assert all(sum(one.probabilities.values()) == pytest.approx(1, abs=1e-5) for one in ranked)


def test_every_kind_of_benchmark_row_is_judged(data, tmp_path):
    config = BenchConfig(
        data=data, strategies=("random", "lean/margin", "tfidf-lr:margin", "lsa-lr", "full"), seeds=2, budgets=(4, 60),
        steps=4, study_steps=4, side_by_side=2, name="b", log_dir=str(tmp_path), metric="macro-f1",
    )  # fmt: skip
    said = Console(file=io.StringIO(), width=200)
    run_benchmark(config, said)
    assert said.file.getvalue().count(NOTE) == 1
    cells = read_cells(tmp_path / "b" / "cells.jsonl")
    assert len(cells) == 4 * 2 * 2 + 2
    assert all(cell.error is None and 0 < cell.macro_f1 <= 1 for cell in cells)
