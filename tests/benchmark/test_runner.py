import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
from rich.console import Console

from lit_al.benchmark import bench as bench_module
from lit_al.benchmark import example_method, runner
from lit_al.benchmark.bench import Bench
from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.benchmark_page import write_benchmark_report
from lit_al.benchmark.judging import distinct_words
from lit_al.benchmark.methods import Method
from lit_al.benchmark.results_table import read_cells
from lit_al.benchmark.runner import run_benchmark
from lit_al.cli import main
from lit_al.data import load_corpus
from lit_al.exceptions import ConfigError, DataError, RunError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.session import run

CONSOLE = Console(file=None, quiet=True)


@pytest.fixture
def config(tmp_path):
    return BenchConfig(
        strategies=("random", "entropy+subsample:60", "full"),
        seeds=3,
        budgets=(20, 30),
        demo_rows=400,
        steps=3,
        batch_size=16,
        side_by_side=2,
        log_dir=str(tmp_path),
        name="b",
    )


def table(config, tmp_path):
    """The cells without what a clock says."""
    cells = read_cells(tmp_path / config.name / "cells.jsonl")
    return [{name: value for name, value in asdict(cell).items() if "seconds" not in name} for cell in cells]


def test_table_has_every_cell_and_the_report_its_files(config, tmp_path):
    run_benchmark(config, CONSOLE)
    cells = table(config, tmp_path)
    keys = [(cell["strategy"], cell["seed"], cell["round"]) for cell in cells]
    assert sorted(keys) == sorted(
        [(name, seed, r) for name in config.strategies[:2] for seed in range(3) for r in range(2)]
        + [("full", seed, 0) for seed in range(3)]
    )
    for cell in cells:
        assert 0.2 < cell["accuracy"] < 1
        assert (
            cell["labels"] == cell["labels_spent"] == (360 if cell["strategy"] == "full" else (20, 30)[cell["round"]])
        )
        if cell["round"]:
            assert sum(cell["predicted"]) == sum(cell["taken"]) == 10
            assert cell["diversity"] > 1
    firsts = {(cell["seed"], cell["accuracy"], cell["loss"]) for cell in cells if cell["labels"] == 20}
    assert len(firsts) == 3  # pairs: the first fit of a seed is the same under each strategy
    folder = tmp_path / "b"
    assert {path.name for path in folder.iterdir()} >= {"report.html", "report.md", "learning-curves.png"}
    assert not list((folder / "state").iterdir())


@pytest.mark.parametrize("after", [1, 2, 3, 5, 9])
def test_stopped_benchmark_goes_on_to_the_same_table(after, config, tmp_path, monkeypatch):
    config = replace(config, strategies=config.strategies[:2])
    run_benchmark(config, CONSOLE)
    whole, append, written = table(config, tmp_path), runner.append_cell, []

    def stop(path, cell):
        if len(written) == after:
            raise KeyboardInterrupt
        append(path, cell)
        written.append(cell.key)

    again = replace(config, name="again")
    monkeypatch.setattr(runner, "append_cell", stop)
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(again, CONSOLE)
    monkeypatch.setattr(runner, "append_cell", append)
    run_benchmark(again, CONSOLE)
    assert table(again, tmp_path) == whole


def test_baselines_stand_in_the_same_table(config, tmp_path, monkeypatch):
    config = replace(config, strategies=("random", "tfidf-lr", "lsa-lr:margin"))
    run_benchmark(config, CONSOLE)
    cells = read_cells(tmp_path / "b" / "cells.jsonl")
    assert len(cells) == 3 * 3 * 2
    assert "tfidf-lr" in (tmp_path / "b" / "report.md").read_text()
    monkeypatch.setattr(bench_module.ActiveLoop, "rounds", None)
    run_benchmark(config, CONSOLE)
    with pytest.raises(ConfigError, match="tfidf-lr:badge"):
        run_benchmark(replace(config, strategies=("tfidf-lr:badge",)), CONSOLE)


@pytest.mark.parametrize(
    "name", ["benchmark.yaml", "cells.jsonl", "report.md", "learning-curves.svg", "state", "state/random.0.state",
             "state/example", "state/.random.0.state.7.tmp"],
)  # fmt: skip
def test_a_link_in_the_folder_is_refused_by_name_and_what_it_leads_to_untouched(name, config, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "precious").write_text("precious")
    link = tmp_path / "b" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(theirs / "precious" if "." in name else theirs)
    for attempt in (lambda: run_benchmark(config, CONSOLE), lambda: write_benchmark_report(tmp_path / "b")):
        with pytest.raises(RunError, match=f"{re.escape(str(link))} is a symbolic link to"):
            attempt()
    assert [(one.name, one.read_text()) for one in theirs.iterdir()] == [("precious", "precious")]


def test_finished_cells_are_not_computed_again(config, tmp_path, monkeypatch):
    run_benchmark(config, CONSOLE)
    before = (tmp_path / "b" / "cells.jsonl").read_bytes()
    monkeypatch.setattr(bench_module.ActiveLoop, "rounds", None)
    run_benchmark(config, CONSOLE)
    assert (tmp_path / "b" / "cells.jsonl").read_bytes() == before


def test_the_metric_decides_the_report_and_no_cell(config, tmp_path, monkeypatch):
    run_benchmark(config, CONSOLE)
    folder, before = tmp_path / "b", (tmp_path / "b" / "cells.jsonl").read_bytes()
    assert "## Verdict, by accuracy" in (folder / "report.md").read_text()
    monkeypatch.setattr(bench_module.ActiveLoop, "rounds", None)
    run_benchmark(replace(config, metric="macro-f1"), CONSOLE)
    assert (folder / "cells.jsonl").read_bytes() == before
    page = (folder / "report.md").read_text()
    assert "## Verdict, by macro-F1" in page
    mean = np.mean([cell.macro_f1 for cell in read_cells(folder / "cells.jsonl") if cell.key[::2] == ("random", 0)])
    assert f"| random | 3 | {mean:.3f}".replace("0.", ".") in page


def test_a_table_older_than_the_metric_is_refused_before_anything_is_computed(config, tmp_path, monkeypatch):
    run_benchmark(config, CONSOLE)
    path = tmp_path / "b" / "cells.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({k: v for k, v in x.items() if k != "macro_f1"}) + "\n" for x in lines))
    monkeypatch.setattr(bench_module.ActiveLoop, "rounds", None)
    monkeypatch.setattr(runner, "load_corpus", None)
    with pytest.raises(DataError, match=r"15 cells of the table are older than macro-F1 .* give --metric accuracy"):
        run_benchmark(replace(config, metric="macro-f1"), CONSOLE)
    monkeypatch.setattr(runner, "load_corpus", load_corpus)
    run_benchmark(config, CONSOLE)  # its accuracies are as good as ever


def test_strategies_can_be_added_but_other_settings_are_refused(config, tmp_path):
    run_benchmark(replace(config, strategies=("random",)), CONSOLE)
    run_benchmark(replace(config, strategies=("random", "margin")), CONSOLE)
    assert len(table(config, tmp_path)) == 12
    with pytest.raises(RunError, match="other settings"):
        run_benchmark(replace(config, steps=4), CONSOLE)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(RunError, match="something else"):
        run_benchmark(replace(config, name="mine"), CONSOLE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "--seeds 0"),
        ({"strategies": ("random", "random")}, "'random' twice"),
        ({"strategies": ("randon",)}, "random"),
        ({"budgets": (20, 1_000)}, "ends at 1,000 labels but the pool has 360"),
        ({"budgets": (30, 20)}, "--budgets 30,20 must grow"),
        ({"strategies": ("ratio", "keras", "keras/ratio")}, "'keras/ratio' twice"),
        ({"strategies": ("hot/entropy",)}, "before a slash stands one of warm, shrink, keras, honest"),
        ({"strategies": ("warm",)}, "write warm/random"),
        ({"oracle_skip": 1.0}, "--oracle-skip 1.0"),
        ({"targets": (86.0,)}, "--targets 86.0 must lie above 0"),
        ({"oracle_noise": "much"}, "neither a rate nor a CSV"),
        ({"strategies": ("random", "keras"), "oracle_noise": "0.1"}, "have no part in keras/ratio"),
        ({"strategies": ("keras/randon",)}, "randon"),
        (
            {"strategies": ("random", "honest"), "judge": "validation"},
            "cannot judge honest/ratio, which stops training",
        ),
    ],
)
def test_settings_of_no_use_are_refused(changes, message, config):
    with pytest.raises(ConfigError, match=message):
        run_benchmark(replace(config, **changes), CONSOLE)


def test_settings_refused_leave_no_folder_behind(config, tmp_path):
    with pytest.raises(ConfigError):
        run_benchmark(replace(config, budgets=(20, 1_000)), CONSOLE)
    assert not (tmp_path / "b").exists()


def test_labels_to_an_accuracy_are_counted_without_running_a_cell_again(config, tmp_path, monkeypatch):
    run_benchmark(replace(config, strategies=("random",)), CONSOLE)
    monkeypatch.setattr(bench_module.ActiveLoop, "rounds", None)
    run_benchmark(replace(config, strategies=("random",), targets=(0.31, 0.77)), CONSOLE)
    report = (tmp_path / "b" / "report.md").read_text()
    assert "target .31" in report
    assert "target .77" in report


def test_a_folder_of_a_version_that_drew_otherwise_is_not_gone_on_with(config, tmp_path):
    run_benchmark(replace(config, strategies=("random",)), CONSOLE)
    path = tmp_path / "b" / "benchmark.yaml"
    assert "chance: 3\n" in path.read_text()
    path.write_text(path.read_text().replace("chance: 3\n", ""))
    with pytest.raises(RunError, match="earlier version of lit_al, whose seeds"):
        run_benchmark(replace(config, strategies=("random",)), CONSOLE)


def test_a_folder_from_before_a_setting_was_there_goes_on_with_its_default(config, tmp_path):
    run_benchmark(replace(config, strategies=("random",)), CONSOLE)
    path = tmp_path / "b" / "benchmark.yaml"
    path.write_text(path.read_text().replace("side_by_side: 2\n", ""))
    run_benchmark(replace(config, strategies=("random",), side_by_side=5), CONSOLE)
    with pytest.raises(RunError, match="other settings"):
        run_benchmark(replace(config, strategies=("random",)), CONSOLE)


EXAMPLE = ("keras/random", "keras", "honest", "honest/random")


@pytest.fixture
def short_fits(monkeypatch):
    """Two epochs a fit."""
    make = example_method.example_config
    for module in (example_method, bench_module):
        monkeypatch.setattr(
            module, "example_config", lambda *given, **named: replace(make(*given, **named), max_epochs=2)
        )


def test_rows_of_the_examples_loop_stand_in_the_table(config, tmp_path, short_fits):
    config = replace(config, strategies=("random", *EXAMPLE), seeds=2, side_by_side=5)
    run_benchmark(config, CONSOLE)
    cells = {(cell["strategy"], cell["seed"], cell["round"]): cell for cell in table(config, tmp_path)}
    assert len(cells) == 2 * 2 + 4 * 2 * 4
    for number in range(4):  # of 400 rows, 120 at first, 40 each round; 40 validate, 40 steer
        labels = 120 + 40 * number
        for name, spent in (("keras/random", labels + 40), ("honest/random", labels + 40)):
            assert (cells[name, 0, number]["labels"], cells[name, 0, number]["labels_spent"]) == (labels, spent)
        ratio = cells["keras/ratio", 0, number]
        assert ratio["labels_spent"] - ratio["labels"] == 80
        assert ratio["labels"] in range(labels - number, labels + 1)  # its quotas are rounded down
        honest = cells["honest/ratio", 0, number]
        assert honest["error"] or honest["labels_spent"] - honest["labels"] == 40
    for seed in range(2):  # one fit at first, whatever picks afterwards
        assert len({cells[f"{name}/{picks}", seed, 0]["loss"] for name, picks in PAIRS}) == 1
    assert cells["keras/random", 0, 0]["loss"] != cells["keras/random", 1, 0]["loss"]
    assert sum(cells["keras/random", 0, 1]["taken"]) == sum(cells["keras/random", 0, 1]["predicted"]) == 40
    assert "| keras/ratio | keras/random | 2 |" in (tmp_path / "b" / "report.md").read_text()
    assert not list((tmp_path / "b" / "state").iterdir())


PAIRS = [(name, picks) for name in ("keras", "honest") for picks in ("random", "ratio")]


def test_the_last_cell_of_an_example_row_is_the_run_itself(config, tmp_path, short_fits):
    """What the runner judges is what `train.py` delivers."""
    run_benchmark(replace(config, strategies=("keras",), seeds=1), CONSOLE)
    last = table(config, tmp_path)[-1]
    settings = TrainConfig(data="demo", demo_rows=400, max_epochs=2, query_size=40, log_dir=str(tmp_path), name="run")
    test = run(settings, CONSOLE)["test"]
    assert last["accuracy"] == pytest.approx(test["accuracy"])
    assert last["loss"] == pytest.approx(test["loss"], rel=1e-4)


@pytest.mark.parametrize("after", [1, 5, 6])
def test_a_stopped_example_row_repeats_its_unfinished_seed_alone(after, config, tmp_path, monkeypatch, short_fits):
    config = replace(config, strategies=("keras",), seeds=2)
    run_benchmark(config, CONSOLE)
    whole, append, written = table(config, tmp_path), runner.append_cell, []

    def stop(path, cell):
        if len(written) == after:
            raise KeyboardInterrupt
        append(path, cell)
        written.append(cell.key)

    again = replace(config, name="again")
    monkeypatch.setattr(runner, "append_cell", stop)
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(again, CONSOLE)
    monkeypatch.setattr(runner, "append_cell", append)
    seeds, cells = [], bench_module.ExampleRows.cells
    monkeypatch.setattr(
        bench_module.ExampleRows, "cells", lambda rows, row, seed: seeds.append(seed) or cells(rows, row, seed)
    )
    run_benchmark(again, CONSOLE)
    assert table(again, tmp_path) == whole
    assert seeds == ([0, 1] if after < 4 else [1])


def test_a_pool_that_runs_short_leaves_cells_that_say_so(config, tmp_path, short_fits, monkeypatch):
    monkeypatch.setattr(example_method, "QUERY_SHARE", 0.4)
    run_benchmark(replace(config, strategies=("random", "keras/random"), seeds=1), CONSOLE)
    errors = [cell["error"] for cell in table(config, tmp_path) if cell["strategy"] == "keras/random"]
    assert errors[:2] == [None, None]
    assert "ran short" in errors[-1] or "holds no row" in errors[-1]
    run_benchmark(replace(config, strategies=("random", "keras/random"), seeds=1), CONSOLE)  # nothing is left to do


def test_warm_and_fresh_rows_part_after_the_first_fit(config, tmp_path):
    run_benchmark(replace(config, strategies=("random", "warm/random", "shrink/random"), seeds=1), CONSOLE)
    losses = {number: {c["loss"] for c in table(config, tmp_path) if c["round"] == number} for number in (0, 1)}
    assert (len(losses[0]), len(losses[1])) == (1, 3)
    assert "| warm/random | random |" in (tmp_path / "b" / "report.md").read_text()


def test_rules_speak_in_shadow_of_every_lean_row(config, tmp_path):
    config = replace(config, strategies=("random", "entropy", "full", "tfidf-lr"), budgets=(20, 30, 40, 50, 60))
    run_benchmark(config, CONSOLE)
    cells = table(config, tmp_path)
    by_model = {"uncertainty:0.05", "change:0.0", "kappa:0.99:3"}
    for cell in cells:
        if cell["strategy"] in ("full", "tfidf-lr"):
            assert cell["stopped"] is None
        else:  # random picks are controls, from round 1 on: only they give an estimate to follow
            controls = {"plateau:3:0.005"} if cell["strategy"] == "random" and cell["round"] else set()
            assert set(cell["stopped"]) == by_model | controls
    assert "Stopping rules, in shadow" in (tmp_path / "b" / "report.md").read_text()


def test_rules_in_shadow_say_what_a_run_of_its_own_would_have_heard(config, tmp_path):
    """Side by side or alone, the stop set and the answers are those of the seed."""
    config = replace(config, strategies=("random",), seeds=2, budgets=(20, 30, 40, 50))
    run_benchmark(replace(config, name="one", side_by_side=1), CONSOLE)
    run_benchmark(replace(config, name="two", side_by_side=2), CONSOLE)
    one, two = (table(replace(config, name=name), tmp_path) for name in ("one", "two"))
    order = [(cell["seed"], cell["round"]) for cell in one]
    at = {(cell["seed"], cell["round"]): cell["stopped"] for cell in two}
    assert [cell["stopped"] for cell in one] == [at[key] for key in order]


def test_an_oracle_that_errs_and_skips_is_paid_and_judged_by_the_truth(config, tmp_path):
    names = ("random", "entropy", "tfidf-lr:margin", "full")
    run_benchmark(replace(config, strategies=names, oracle_noise="0.3", oracle_skip=0.4), CONSOLE)
    cells = table(config, tmp_path)
    for cell in cells:
        spent = 360 if cell["strategy"] == "full" else (20, 30)[cell["round"]]
        assert cell["labels_spent"] == spent
        assert 0 < cell["labels"] < spent
        if cell["taken"]:
            assert sum(cell["taken"]) == 10  # of true class, answered or not
    assert len({cell["labels"] for cell in cells if cell["round"] == 0 and cell["seed"] == 1}) == 2  # full, and pairs
    assert "errs at 0.3 and skips 40%" in (tmp_path / "b" / "report.md").read_text()


def test_text_vectors_are_shaped_by_the_pool_alone(config, tmp_path):
    corpus = load_corpus("demo", demo_rows=400)
    made = Bench(config, corpus, tmp_path)
    vectors = made.text_vectors(Method.of("density"))
    assert not vectors[made.judged].any()
    assert vectors[made.pool].any(axis=1).all()


def test_judging_rows_are_in_no_pool(config, tmp_path):
    corpus = load_corpus("demo", demo_rows=400)
    by_test, by_validation = (Bench(replace(config, judge=judge), corpus, tmp_path) for judge in ("test", "validation"))
    assert not set(by_test.judged) & set(by_test.pool)
    assert not (set(by_validation.judged) | set(by_test.judged)) & set(by_validation.pool)
    assert len(by_test.pool) == 360
    assert len(by_validation.pool) == 320


def test_labels_are_named_and_copies_dropped_as_in_a_run(config, make_corpus, tmp_path):
    corpus = make_corpus(200)
    rows = [(text, corpus.classes[label]) for text, label in zip(corpus.texts, corpus.labels, strict=True)]
    lines = [f"{text},{label}" for text, label in [*rows, *rows[:50], ("never labeled", "")]]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *lines]))
    names = ",".join(corpus.classes)
    config = replace(config, data=str(tmp_path / "texts.csv"), labels=names, drop_duplicates=True)
    found = load_corpus(**config.corpus)
    bench = Bench(config, found, tmp_path)
    assert len(bench.pool) == len(bench.judged) * 9 == 180
    texts = [found.texts[row] for row in (*bench.pool, *bench.judged)]
    assert sorted(texts) == sorted(corpus.texts)
    kept = replace(config, drop_duplicates=False)
    once, each = (Bench(kept, replace(found, copies=copies), tmp_path) for copies in ("exact", "none"))
    judged = {found.texts[row] for row in once.judged}
    asked = [found.texts[row] for row in once.pool]
    assert sorted([*asked, *judged]) == sorted(corpus.texts)
    assert len(each.pool) == 225


def test_distinct_words_fall_when_texts_are_alike():
    assert distinct_words(np.array([[1, 2], [3, 4]])) > distinct_words(np.array([[1, 2], [2, 1]]))


def test_command_line(tmp_path, capsys):
    words = ["--data", "demo", "--demo-rows", "400", "--strategies", "random", "--seeds", "1", "--budgets", "20,30"]
    words += ["--steps", "2", "--log-dir", str(tmp_path)]
    assert main.main(["benchmark", *words]) == 0
    printed = capsys.readouterr().out
    assert "report.html" in printed
    assert "note: DEMO CORPUS" in printed
    assert main.main(["benchmark", *words, "--seeds", "2"]) == 2
    assert "other settings" in capsys.readouterr().err
    assert main.main(["benchmark", "--budgets", "ten"]) == 2
    assert "--budgets" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_benchmark_leaves_no_half_line_and_goes_on(tmp_path):
    command = [sys.executable, "scripts/benchmark.py", "--demo-rows", "2000", "--strategies", "random,entropy"]
    command += ["--seeds", "2", "--budgets", "20,30,40,50", "--steps", "20", "--log-dir", str(tmp_path)]
    subprocess.run([*command, "--name", "whole"], check=True, stdout=subprocess.DEVNULL)
    for pause in (4, 6, 8):
        process = subprocess.Popen([*command, "--name", "killed"], stdout=subprocess.DEVNULL)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        path = tmp_path / "killed" / "cells.jsonl"
        if path.exists():
            assert all(json.loads(line) for line in path.read_text().splitlines())
    subprocess.run([*command, "--name", "killed"], check=True, stdout=subprocess.DEVNULL)
    config = BenchConfig(name="whole")
    assert table(replace(config, name="killed"), tmp_path) == table(config, tmp_path)


def test_vectors_of_a_file_are_a_row_of_their_own_and_those_of_strategies(config, tmp_path):
    corpus = load_corpus("demo", demo_rows=400)
    vectors = np.random.default_rng(0).normal(size=(400, 6)) + 2 * corpus.labels[:, None]
    np.save(tmp_path / "vectors.npy", vectors)
    rows = ("encoder-lr", "chars-lr", "kmeans:vectors")
    config = replace(config, strategies=rows, seeds=1, embeddings=str(tmp_path / "vectors.npy"))
    run_benchmark(config, CONSOLE)
    cells = {(cell["strategy"], cell["round"]): cell["accuracy"] for cell in table(config, tmp_path)}
    assert cells.keys() == {(row, number) for row in rows for number in range(2)}
    assert cells["encoder-lr", 1] > 0.9
    bench = Bench(config.checked(), corpus, tmp_path / "b")
    assert bench.text_vectors(Method.of(rows[2])).shape == (400, 6)
    assert bench.text_vectors(Method.of("random")) is None
    with pytest.raises(RunError, match="other settings"):
        run_benchmark(replace(config, embeddings=None, strategies=rows[1:]), CONSOLE)
