from dataclasses import replace

import matplotlib.colors
import matplotlib.text
import numpy as np
import pytest

from lit_al.benchmark import curve_figures as curves
from lit_al.benchmark.comparison import compare, full_targets
from lit_al.benchmark.curves import learning_curves
from lit_al.benchmark.results_table import Result
from lit_al.benchmark.synthetic import synthetic_cells
from lit_al.reporting.figures import save


def drawn(strategies=None, cells=None, title="imdb, 10 seeds", metric="accuracy", **settings):
    cells = cells or synthetic_cells(strategies or {"random": 0, "entropy": 0.3, "badge": 0}, full=0.9, **settings)
    found = learning_curves(cells, metric)
    targets = {".80": 0.8, **{f"{share:.0%} of full": value for share, value in full_targets(found).items()}}
    return curves.figures(found, compare(found, resamples=300), targets, title)


def words(figure):
    save(figure, "png")
    texts = [figure.get_suptitle()]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        texts += [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    return " | ".join(texts)


def test_learning_curves_carry_their_names_and_the_full_score():
    shown = words(drawn()["learning-curves"])
    for part in ("random  .", "entropy  .", "badge  .", "all 40,000 labels: .", "over 10 seeds", "2,500", "imdb, 10"):
        assert part in shown
    assert drawn()["learning-curves"].axes[0].get_legend() is None


@pytest.mark.parametrize(("metric", "measure"), [("accuracy", "accuracy"), ("macro-f1", "macro-F1")])
def test_axes_say_what_was_measured(metric, measure):
    cells = [
        replace(cell, macro_f1=cell.accuracy) for cell in synthetic_cells({"random": 0, "entropy": 0.3, "badge": 0})
    ]
    shown = {name: words(figure) for name, figure in drawn(cells=cells, metric=metric).items()}
    assert f"test {measure}" in shown["learning-curves"]
    assert f"points of {measure} above random" in shown["differences"]
    assert f"labels to that {measure}" in shown["labels-needed"]


def test_bands_hold_the_mean_between_them():
    axes = drawn()["learning-curves"].axes[0]
    assert len(axes.collections) == 3
    for band in axes.collections:
        path = band.get_paths()[0].vertices
        assert path[:, 1].max() > path[:, 1].min()


def test_one_seed_has_no_band_and_says_so():
    figure = drawn(seeds=1)["learning-curves"]
    assert not figure.axes[0].collections
    assert "one seed: no interval" in words(figure)


def test_differences_are_colored_by_what_is_proven():
    figure = drawn({"random": 0, "entropy": 0.5, "badge": 0, "bad": -1}, noise=0.004)["differences"]
    shown = words(figure)
    assert "saves" in shown
    assert "no evidence" in shown
    assert "costs" in shown
    colors = [matplotlib.colors.to_hex(line.get_color()) for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert colors == [curves.CLASS_COLORS[0], curves.GREY, curves.BLUE]


def test_labels_needed_show_what_the_budgets_leave_open():
    shown = words(drawn()["labels-needed"])
    assert "> 2,500" in shown
    assert ".80: .80" in shown
    assert "95% of full: ." in shown


def test_gaps_and_strategies_of_one_budget_are_drawn_as_far_as_they_go():
    cells = synthetic_cells({"random": 0, "a": 0.3})
    cells = [replace(c, accuracy=None, error="x") if c.strategy == "a" and c.round > 3 else c for c in cells]
    cells.append(Result("keras", 0, 0, 15_000, 20_000, 0.85))
    found = drawn(cells=cells)
    assert "keras  .85" in words(found["learning-curves"])
    assert "keras" not in words(found["labels-needed"])


def test_only_the_baseline_still_has_its_curves():
    assert set(drawn({"random": 0})) == {"learning-curves", "labels-needed"}


def test_many_strategies_keep_names_apart_and_grey_what_is_not_proven():
    figure = drawn({"random": 0, **{f"s{i}": 0 for i in range(14)}})["learning-curves"]
    save(figure, "png")
    names = [text for text in figure.axes[0].texts if "  ." in text.get_text()]
    heights = sorted(matplotlib.text.Text.get_window_extent(text).y0 for text in names)  # less its leader
    assert len(names) == 15
    assert np.diff(heights).min() > 12  # pixels: letters are 11 high
    assert "grey: no evidence" in words(figure)


def test_dollars_in_a_name_are_no_mathematics():
    assert r"\$x^2\$" in words(drawn({"random": 0, "$x^2$": 0.2})["learning-curves"])


def test_demo_is_named_in_red():
    figure = drawn(title="DEMO CORPUS (generated text)")["differences"]
    assert figure._suptitle.get_color() == "#b00020"


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_is_the_same_every_time(ending):
    one, two = (save(drawn()["differences"], ending) for _ in range(2))
    assert one == two
    assert one.startswith(b"\x89PNG" if ending == "png" else b"<?xml")


def test_colors_of_many_strategies_differ():
    found = learning_curves(synthetic_cells({"random": 0, **{f"s{i}": 0 for i in range(20)}}))
    looks = [str(look) for look in curves.strategy_colors(found).values()]
    assert len(set(looks)) == 21
