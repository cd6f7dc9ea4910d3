"""The pictures of a benchmark: learning curves, paired differences, labels needed.

Lines carry their names at their ends; where many are drawn, names are moved apart. Bands and bars are 95 % intervals
over seeds. Figures are made without pyplot, like those of a run.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lit_al.benchmark.comparison import Comparison, reaches
from lit_al.benchmark.curves import Curves
from lit_al.benchmark.inference import band
from lit_al.benchmark.measures import Reach
from lit_al.benchmark.methods import RANDOM
from lit_al.benchmark.verdict import Finding, finding, share_of, signed, three_digits
from lit_al.metrics import METRIC_WORDS
from lit_al.reporting.figures import BLUE, CLASS_COLORS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RANDOM_COLOR = "#222222"
_FINDING_COLORS: dict[Finding, str] = {
    "saves": BLUE,
    "better": BLUE,
    "open": GREY,
    "worse": CLASS_COLORS[0],
    "costs": CLASS_COLORS[0],
}
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)))  # once the colors are used up
_MOST_BANDS = 6  # more would cover each other: random and those that end highest have one
MOST_COLORS = 8  # more cannot be told apart: then only proven differences are in color


def figures(
    curves: Curves, comparisons: Sequence[Comparison], targets: Mapping[str, float], title: str
) -> dict[str, "Figure"]:
    """Every picture that the statistics allow, by file name without ending.

    Args:
        curves: of all strategies.
        comparisons: with references; empty leaves their picture out.
        targets: scores whose labels are counted, by what they are called.
        title: what was run on what.
    """
    unproven = [one.strategy for one in comparisons if not one.proven]
    quiet = unproven if len(curves.scores) > MOST_COLORS else []
    drawn = {"learning-curves": learning_curves_figure(curves, title, quiet)}
    if comparisons:
        drawn["differences"] = differences_figure(comparisons, title)
    if reached := _reached(curves, targets):
        drawn["labels-needed"] = labels_needed_figure(curves, targets, reached, title)
    return drawn


def learning_curves_figure(curves: Curves, title: str, quiet: Collection[str] = ()) -> "Figure":
    """Mean score over labels spent on a log axis, with bands, and the score of the full data as a line.

    Args:
        curves: of all strategies.
        title: what was run on what.
        quiet: strategies drawn in grey, behind the others.
    """
    height = max(4.8, 1.2 + 0.26 * len(curves.scores))
    figure, axes = _figure(title, height)
    colors = {**strategy_colors(curves), **dict.fromkeys(quiet, ("#a8a8a8", "-"))}
    bands = {name: band(scores) for name, scores in curves.scores.items()}  # (3, B) each
    order = sorted(bands, key=lambda name: -_last(bands[name][0]))
    shaded = [RANDOM, *(name for name in order if name not in (RANDOM, *quiet))][:_MOST_BANDS]
    for name in order:
        estimate, low, high = bands[name]
        color, dashes = colors[name]
        look: dict[str, Any] = {"linewidth": 1.6, "marker": "o", "zorder": 4 if name == RANDOM else 3}
        if name in quiet:
            look = {"linewidth": 1, "zorder": 2}
        axes.plot(curves.labels, estimate, color=color, linestyle=dashes, markersize=3, **look)
        if name in shaded and np.isfinite(low[~np.isnan(low)]).all():
            axes.fill_between(curves.labels, low, high, color=color, alpha=0.13, linewidth=0)
    _log_labels(axes, curves)
    _limits(axes, curves)
    if curves.full_score is not None:
        _full_line(axes, curves)
    ends = {name: (curves.labels[known][-1], found[known][-1]) for name, (known, found) in _known(bands).items()}
    gap = 0.21 / (height - 1)  # a line of text, of the inches that the axes are high
    _name_lines(axes, ends, {name: color for name, (color, _) in colors.items()}, gap)
    axes.set(xlabel="labels spent (log scale)", ylabel=f"test {curves.measure}")
    seeds = len(curves.seeds)
    note = "one seed: no interval" if seeds == 1 else f"mean and 95 % interval over {seeds} seeds"
    note += "; grey: no evidence of a difference" if quiet else ""
    axes.set_title(note, fontsize=9, color=GREY, loc="left")
    return figure


def differences_figure(comparisons: Sequence[Comparison], title: str) -> "Figure":
    """A forest plot: paired difference of the areas under the curves, with its interval, largest on top."""
    order = sorted(comparisons, key=lambda one: one.difference.estimate)
    figure, axes = _figure(title, height=1.6 + 0.36 * len(order))
    axes.axvline(0, color=RANDOM_COLOR, linewidth=1)
    for row, one in enumerate(order):
        color = _FINDING_COLORS[finding(one)]
        ends = np.array([one.difference.low, one.difference.high])
        if np.isfinite(ends).all():
            axes.plot(100 * ends, [row, row], color=color, linewidth=2, solid_capstyle="butt")
        axes.plot([100 * one.difference.estimate], [row], "o", color=color, markersize=6)
        text = f"{signed(100 * one.difference.estimate)}   {finding(one) if one.proven else 'no evidence'}"
        axes.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=color)
    references = {one.reference for one in order}
    names = [one.strategy if len(references) == 1 else f"{one.strategy} − {one.reference}" for one in order]
    axes.set_yticks(range(len(order)), [_plain(name) for name in names])
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    axes.grid(visible=False, axis="y")
    reference = order[0].reference if len(references) == 1 else "the reference"
    axes.set_xlabel(
        f"points of {METRIC_WORDS[order[0].metric]} above {_plain(reference)}, mean over the budgets (log labels)"
    )
    axes.set_title("paired by seed, 95 % intervals", fontsize=9, color=GREY, loc="left")
    return figure


def labels_needed_figure(
    curves: Curves,
    targets: Mapping[str, float],
    reached: Mapping[str, Mapping[str, Reach]],
    title: str,
) -> "Figure":
    """Bars: labels that each mean curve needs for each target; an open bar goes on where the budgets end."""
    names = list(reached)
    height = 1.7 + 0.30 * len(names)
    figure, panels = _figure(title, height=height, columns=len(targets))
    most = max(one.low if np.isinf(one.high) else one.high for found in reached.values() for one in found.values())
    for axes, (target, goal) in zip(np.atleast_1d(panels), targets.items(), strict=True):
        for row, name in enumerate(reversed(names)):
            found = reached[name][target]
            _bar(axes, row, found, RANDOM_COLOR if name == RANDOM else BLUE)
        axes.set_yticks(
            range(len(names)), [_plain(name) for name in reversed(names)] if axes is np.atleast_1d(panels)[0] else []
        )
        axes.set_title(f"{target}: {share_of(goal)}", fontsize=9, loc="left")
        axes.set(xlim=(0, 1.45 * most), xlabel=f"labels to that {curves.measure}")
        axes.grid(visible=False, axis="y")
        axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.locator_params(axis="x", nbins=4)
    return figure


def strategy_colors(curves: Curves) -> dict[str, tuple[str, Any]]:
    """Color and dashes of each strategy, the same in every picture; random is black."""
    palette = [color for color in CLASS_COLORS if color not in ("#7f7f7f", "#444444")]  # greys belong to random
    names = [name for name in curves.scores if name != RANDOM]
    found = {
        name: (palette[i % len(palette)], _DASHES[i // len(palette) % len(_DASHES)]) for i, name in enumerate(names)
    }
    return {RANDOM: (RANDOM_COLOR, "-"), **found}


def _figure(title: str, height: float, columns: int = 1) -> tuple["Figure", Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8 if columns < 3 else 11, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns)
    figure.suptitle(_plain(title), fontsize=10, color="#b00020" if title.startswith("DEMO") else "black")
    for one in np.atleast_1d(axes):
        one.spines[["top", "right"]].set_visible(False)
        one.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        one.set_axisbelow(True)
    return figure, axes


def _plain(text: str) -> str:
    """Text that matplotlib does not take for mathematics."""
    return text.replace("$", r"\$")


def _known(bands: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    known = {name: (~np.isnan(found[0]), found[0]) for name, found in bands.items()}
    return {name: pair for name, pair in known.items() if pair[0].any()}


def _last(estimate: Any) -> float:
    known = estimate[~np.isnan(estimate)]
    return float(known[-1]) if known.size else 0.0


def _log_labels(axes: "Axes", curves: Curves) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    axes.set_xscale("log")
    ticks: list[int] = []
    apart = max(1.35, (curves.labels[-1] / curves.labels[0]) ** 0.1)  # a tenth of the axis
    for labels in curves.labels[::-1]:  # from the right, as many as can stand side by side
        if not ticks or labels < ticks[-1] / apart:
            ticks.append(int(labels))
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _limits(axes: "Axes", curves: Curves) -> None:
    """From the data alone: an interval of two seeds can be wider than the picture is worth."""
    values = np.concatenate([scores.ravel() for scores in curves.scores.values()])
    values = np.append(values[~np.isnan(values)], curves.full if curves.full.size else [])
    margin = max(0.06 * (values.max() - values.min()), 0.005)
    axes.set_ylim(values.min() - margin, values.max() + margin)


def _full_line(axes: "Axes", curves: Curves) -> None:
    score = curves.full_score or 0.0
    axes.axhline(score, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    text = f"all {curves.full_labels:,} labels: {three_digits(score)}"
    axes.annotate(
        text,
        (0.01, score),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        color=GREY,
        fontsize=8,
    )


def _name_lines(axes: "Axes", ends: Mapping[str, tuple[float, float]], colors: Mapping[str, str], gap: float) -> None:
    """Write each name at the right, as near to its line's end as the others leave room, with a thin leader."""
    low, high = axes.get_ylim()
    order = sorted(ends, key=lambda name: ends[name][1])
    places = spread([(ends[name][1] - low) / (high - low) for name in order], gap)
    for name, place in zip(order, places, strict=True):
        axes.annotate(
            f"{_plain(name)}  {three_digits(ends[name][1])}",
            ends[name],
            xytext=(1.03, place),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            color=colors[name],
            arrowprops={"arrowstyle": "-", "color": colors[name], "linewidth": 0.6, "alpha": 0.6, "relpos": (0, 0.5)},
        )


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Rising places between 0 and 1, moved as little as keeps each a gap above the one before.

    >>> [round(place, 2) for place in spread([.5, .5, .9, 1.], .2)]
    [0.4, 0.6, 0.8, 1.0]
    """
    groups: list[list[float]] = []  # of places that touch; each is centered where its members were
    for place in places:
        groups.append([place])
        while len(groups) > 1 and _bottom(groups[-2], gap) + gap * len(groups[-2]) > _bottom(groups[-1], gap) + 1e-12:
            last = groups.pop()
            groups[-1] += last
    return [_bottom(group, gap) + gap * index for group in groups for index in range(len(group))]


def _bottom(group: Sequence[float], gap: float) -> float:
    height = gap * (len(group) - 1)
    return max(0.0, min(sum(group) / len(group) - height / 2, 1 - height))


def _reached(curves: Curves, targets: Mapping[str, float]) -> dict[str, dict[str, Reach]]:
    """By strategy and target, those that need least for the first target first; without those that begin too late.

    A row whose budgets begin where those of random end, as in the example's loop, could only be said to need less.
    """
    end = _ends(curves.scores[RANDOM], curves)[1] if RANDOM in curves.scores else np.inf
    found: dict[str, dict[str, Reach]] = {}
    for name, scores in curves.scores.items() if targets else ():
        if _ends(scores, curves)[0] > end:
            continue
        each = {target: reaches(curves, name, goal) for target, goal in targets.items()}
        if all(one is not None for one in each.values()):
            found[name] = {target: one for target, one in each.items() if one is not None}
    return dict(sorted(found.items(), key=lambda item: [(one.high, one.low) for one in item[1].values()]))


def _ends(scores: Any, curves: Curves) -> tuple[float, float]:
    """First and last budget of a curve (S, B)."""
    labels = curves.labels[~np.isnan(scores).all(axis=0)]
    return float(labels[0]), float(labels[-1])


def _bar(axes: "Axes", row: int, found: Reach, color: str) -> None:
    if np.isinf(found.high):
        axes.barh(row, found.low, 0.62, facecolor="none", edgecolor=color, linestyle=(0, (3, 2)), linewidth=1)
    else:
        axes.barh(row, found.high, 0.62, color=color)
    text = f" {found}".replace("more than", ">").replace(" or fewer", " or less")
    axes.annotate(text, (found.low if np.isinf(found.high) else found.high, row), va="center", fontsize=8)
