import re
from dataclasses import replace

import pytest

from lit_al.benchmark.benchmark_page import About, Study, write_benchmark_report
from lit_al.benchmark.results_table import append_cell
from lit_al.benchmark.synthetic import synthetic_cells
from lit_al.exceptions import DataError

ABOUT = About(subtitle="imdb, lean protocol", targets=(0.8,))


def report(cells, about=ABOUT, ending="md"):
    study = Study.of(cells, about)
    return study.report(ending, dict.fromkeys(study.figures(), b"<svg/>"))


def folder_of(tmp_path, cells):
    for cell in cells:
        append_cell(tmp_path / "cells.jsonl", cell)
    return tmp_path


def test_a_folder_gets_page_markdown_and_pictures(tmp_path):
    folder = folder_of(tmp_path, synthetic_cells({"random": 0, "entropy": 0.4}, seeds=6, full=0.9, noise=0.004))
    written = write_benchmark_report(folder, ABOUT)
    names = {f"{name}.{end}" for name in ("learning-curves", "differences", "labels-needed") for end in ("svg", "png")}
    assert {path.name for path in written} == names | {"report.html", "report.md"}
    assert {path.name for path in folder.iterdir()} == names | {"report.html", "report.md", "cells.jsonl"}
    for picture in re.findall(r"\]\((.*?)\)", (folder / "report.md").read_text()):
        assert (folder / picture).is_file()


def test_the_same_cells_give_the_same_report(tmp_path):
    folder = folder_of(tmp_path, synthetic_cells({"random": 0, "a": 0.2}, seeds=3))
    one = [path.read_bytes() for path in write_benchmark_report(folder, ABOUT)]
    assert one == [path.read_bytes() for path in write_benchmark_report(folder, ABOUT)]


def test_a_report_leads_with_its_verdict():
    shown = report(synthetic_cells({"random": 0, "entropy": 0.4, "badge": 0}, full=0.9, noise=0.004))
    assert shown.index("Proven to save labels: entropy.") < shown.index("entropy saves labels: it reaches .80")
    assert "no evidence that badge saves labels" in shown
    for part in ("95 % of full (.8", "full (40,000 labels): .9", "to .80: ", "target .80 (.800)"):
        assert part in shown


def test_without_proof_the_report_says_none():
    assert "No strategy is proven to save labels." in report(synthetic_cells({"random": 0, "a": 0}))
    assert "no claim at .05 was possible here" in report(synthetic_cells({"random": 0, "a": 0.5}, seeds=3))


def test_without_a_target_random_sets_it():
    assert "random at half its budget (.8" in report(synthetic_cells({"random": 0, "a": 0}), About())


def test_a_benchmark_in_progress_has_a_report():
    cells = synthetic_cells({"random": 0, "a": 0.2}, seeds=3)
    for done in (1, 3, 6, 8, 15, 20):
        assert "Verdict" in report(cells[:done])


def test_failed_cells_are_listed_and_escaped():
    cells = synthetic_cells({"random": 0, "a": 0.2}, seeds=3)
    cells = [replace(c, accuracy=None, error="<b>out | of memory") if c.key == ("a", 1, 2) else c for c in cells]
    shown = report(cells)
    assert "| &#60;b&#62;out &#124; of memory | a | 1 | 2 |" in shown
    assert "1 of 18" in shown
    assert "&lt;b&gt;out | of memory" in report(cells, ending="html")


def test_every_word_of_a_report_says_what_was_measured():
    cells = synthetic_cells({"random": 0, "entropy": 0.4, "badge": 0}, full=0.9, noise=0.004)
    by_f1 = [replace(cell, accuracy=0.99, macro_f1=cell.accuracy) for cell in cells]
    accuracy, macro = report(cells), report(by_f1, replace(ABOUT, metric="macro-f1"))
    for part in (
        "## Verdict, by macro-F1",
        "## Macro-F1",
        "entropy saves labels: it reaches a macro-F1 of .80",
        "points of macro-F1 on average",
        "test macro-F1, mean over seeds",
        "Macro-F1 is the mean F1 of the classes",
    ):
        assert part in macro
        assert part not in accuracy
    numbers = [re.findall(r"\d+", page.split("## How")[0].replace("F1", "")) for page in (accuracy, macro)]
    assert numbers[0] == numbers[1]


def test_costs_stand_in_the_report():
    cells = [
        replace(cell, fit_seconds=2.5, score_seconds=0.25, select_seconds=125.0, diversity=0.5)
        for cell in synthetic_cells({"random": 0, "a": 0.2}, seeds=2)
    ]
    assert "| a | 2.50 | 0.25 | 125 | 50 % | 50 % | 50 % | 0.500 | 0 of 12 |" in report(cells)


def test_a_demo_is_loud(tmp_path):
    folder = folder_of(tmp_path, synthetic_cells({"random": 0, "a": 0.2}, seeds=2))
    write_benchmark_report(folder, replace(ABOUT, demo=True))
    assert "DEMO CORPUS" in (folder / "report.html").read_text()
    assert (folder / "report.md").read_text().startswith("> **DEMO CORPUS")


def test_rows_are_set_against_their_own_random_picks():
    shown = report(synthetic_cells({"random": 0, "entropy": 0.2, "warm/random": 0, "warm/entropy": 0.2}), About())
    for pair in ("entropy | random", "warm/entropy | warm/random", "warm/random | random"):
        assert f"| {pair} | 10 |" in shown
    alone = report(synthetic_cells({"keras/random": 0, "keras/ratio": 0}), About())
    assert "| keras/ratio | keras/random |" in alone
    assert "Nothing was compared" in report(synthetic_cells({"random": 0, "lsa-lr": 0}), About())


def test_no_cells_are_one_sentence(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        write_benchmark_report(tmp_path)
