"""The pictures of a run, drawn from its `results.json` alone, so that they can be drawn again at any time.

Figures are made without pyplot: no window, no global state, and matplotlib is loaded only when one is drawn.
"""

import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Results = Mapping[str, Any]

BLUE, ORANGE, GREY = "#0b62a4", "#d1640f", "#6b6b6b"  # told apart by every kind of color vision, and in print
CLASS_COLORS = (ORANGE, BLUE, "#3a923a", "#8c5aa8", "#a0522d", "#c44e9c", "#7f7f7f", "#a9a91f", "#2aa7b8", "#444444")

FONTS = (
    "DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "PingFang SC",
    "Hiragino Sans", "Noto Sans Thai", "Noto Naskh Arabic", "Noto Sans Devanagari", "Noto Emoji",
)  # fmt: skip


def figures(results: Results) -> dict[str, "Figure"]:
    """Every figure that the results allow, by file name without ending."""
    if results["mode"] == "compare":
        return {"compare": comparison_figure(results)}
    if results["protocol"] == "lean":
        return {"labels": labels_figure(results), "batches": batches_figure(results)} if results["rounds"] else {}
    drawn = {"loss": loss_figure(results)} if results["epochs"] else {}
    if any(epoch["val_accuracy"] is not None for epoch in results["epochs"]):  # not every network counts it
        drawn["accuracy"] = accuracy_figure(results)
    return {**drawn, "rounds": rounds_figure(results)} if results["rounds"] else drawn


def title(results: Results) -> str:
    """What was run on what; a demo corpus is named first and in capitals."""
    data = results["data"]
    corpus = f"DEMO CORPUS (generated text): {data['source']}" if data["demo"] else data["source"]
    chosen = results.get("strategy") or "ratio"
    by = "" if chosen.startswith("ratio") else f", {chosen}"
    return f"{corpus} · {results['mode']}, {results['protocol']} protocol{by}, seed {results['seeds']['seed']}"


def loss_figure(results: Results) -> "Figure":
    """Training and validation loss over the epochs of all fits."""
    figure, axes = _figure(results)
    _curves(axes, results, "loss", "val_loss")
    axes.set_ylabel("cross-entropy (nats)")
    return figure


def accuracy_figure(results: Results) -> "Figure":
    """Training and validation accuracy over the epochs of all fits."""
    figure, axes = _figure(results)
    _curves(axes, results, "accuracy", "val_accuracy")
    axes.set_ylabel("accuracy")
    return figure


def rounds_figure(results: Results) -> "Figure":
    """What steered each round and what it took: rows of each class that were missed, labels of each class."""
    figure, axes = _figure(results, columns=2)
    rounds, classes = results["rounds"], results["data"]["classes"]
    names = [str(entry["round"]) for entry in rounds]
    missed = {name: [entry["errors"][name]["false_negatives"] for entry in rounds] for name in classes}
    if len(classes) == 2:  # what one class misses the other claims: false positives and false negatives
        missed = {f"{name} ({kind})": missed[name] for name, kind in zip(classes, ("FP", "FN"), strict=True)}
    _grouped_bars(axes[0], names, missed)
    shared = any(entry["shares"] for entry in rounds)
    title = "what steered" if shared else "errors before each round"
    axes[0].set(xlabel="round", ylabel=f"rows missed on the {results['steer_on']} set", title=title)
    taken = {name: [entry["taken"][name] for entry in rounds] for name in classes}
    _grouped_bars(axes[1], names, taken)
    title = "what was labeled, and the shares wanted" if shared else "what was labeled"
    axes[1].set(xlabel="round", ylabel="labels taken", title=title)
    for position, entry in enumerate(rounds):
        shares = " / ".join(f"{share:.0%}" for share in entry["shares"].values())
        top = (position, max(entry["taken"].values()))
        axes[1].annotate(shares, top, (0, 16), textcoords="offset points", ha="center", color=GREY, fontsize=8)
    return figure


def labels_figure(results: Results) -> "Figure":
    """Accuracy over the labels spent: on the test set, where there is one, and as the run itself estimates it."""
    figure, axes = _figure(results)
    rounds = results["rounds"]
    spent = [entry["labels_spent"] for entry in rounds]
    if all(entry["test"] for entry in rounds):
        accuracy = [entry["test"]["accuracy"] for entry in rounds]
        axes.plot(spent, accuracy, color=BLUE, marker="o", markersize=4, label="test set (for the report alone)")
    estimates = {
        "estimate": (ORANGE, "whole corpus, by random controls, 95 % interval"),
        "validation": (GREY, f"validation ({results['recipe'].get('validation')}), 95 % interval"),
    }
    for key, (color, text) in estimates.items():
        known = [(labels, entry[key]) for labels, entry in zip(spent, rounds, strict=True) if entry.get(key)]
        if known:
            labels = [one for one, _ in known]
            low, middle, high = ([found[part] for _, found in known] for part in ("low", "accuracy", "high"))
            axes.plot(labels, middle, color=color, marker="s", markersize=3.5, linewidth=1, label=text)
            axes.fill_between(labels, low, high, color=color, alpha=0.18, linewidth=0)
    axes.set(xlabel="labels spent", ylabel="accuracy")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="lower right")
    return figure


def batches_figure(results: Results) -> "Figure":
    """Class mix of each batch, as the oracle gave it and as the model took it for before it learned from it."""
    figure, axes = _figure(results, columns=2)
    rounds, classes = results["rounds"], results["data"]["classes"]
    for panel, key, title in zip(
        axes, ("taken", "predicted"), ("what was labeled", "what the model took it for"), strict=True
    ):
        shown = [entry for entry in rounds if entry[key]]  # nobody predicted the first labels
        below = [0] * len(shown)
        for index, name in enumerate(classes):
            counts = [entry[key][name] for entry in shown]
            places = [entry["round"] for entry in shown]
            color = CLASS_COLORS[index % len(CLASS_COLORS)]
            panel.bar(places, counts, 0.8, bottom=below, color=color, label=name)
            below = [before + count for before, count in zip(below, counts, strict=True)]
        panel.set(xlabel="round", ylabel="texts", title=title, xlim=(-0.6, rounds[-1]["round"] + 0.6))
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.margins(y=0.15)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, loc="outside lower center", ncols=min(len(classes), 6), fontsize=8)
    return figure


def comparison_figure(results: Results) -> "Figure":
    """`full` beside `active`: accuracy with its 95 % interval over labels; errors, loss and seconds of each."""
    figure, axes = _figure(results, columns=2)
    found = {name: results[name] for name in ("full", "active")}
    for (name, part), color, side in zip(found.items(), (BLUE, ORANGE), ("left", "right"), strict=True):
        labels, accuracy = part["labels_spent"]["train"], part["test"]["accuracy"]
        error = [[accuracy - part["test"]["low"]], [part["test"]["high"] - accuracy]]
        axes[0].errorbar(labels, accuracy, yerr=error, fmt="o", color=color, capsize=5, markersize=7)
        text = f"{name}\n{labels:,} labels\n{accuracy:.4f}"
        beside = {"xytext": (10 if side == "left" else -10, 0), "textcoords": "offset points", "ha": side}
        axes[0].annotate(text, (labels, accuracy), va="center", color=color, **beside)
    most = max(part["labels_spent"]["train"] for part in found.values())
    axes[0].set(xlabel="training labels", ylabel="test accuracy", xlim=(0, 1.4 * most))
    axes[0].set_title("accuracy with its 95 % interval on this test set")
    names = [f"{name}\nloss {part['test']['loss']:.4f}\n{part['wall_seconds']:.0f} s" for name, part in found.items()]
    kinds = {kind: kind.replace(" ", "_") for kind in ("false negatives", "false positives")}
    errors = {kind: [part["test"][key] for part in found.values()] for kind, key in kinds.items()}
    _grouped_bars(axes[1], names, errors)
    axes[1].set(ylabel="rows of the test set", title="errors, loss and time")
    return figure


def estimates_figure(
    points: Sequence[tuple[int, Mapping[str, float]]], heading: str, is_demo: bool = False
) -> "Figure":
    """Accuracy of models over the labels that they learned from, as it was estimated.

    Args:
        points: labels, and `accuracy`, `low` and `high` of each model.
        heading: over the picture.
        is_demo: the texts are made up, which is said in red.
    """
    figure, axes = _blank(f"DEMO CORPUS (generated text): {heading}" if is_demo else heading, is_demo)
    labels = [one for one, _ in points]
    low, middle, high = ([found[part] for _, found in points] for part in ("low", "accuracy", "high"))
    axes.plot(labels, middle, color=BLUE, marker="o", markersize=4, linewidth=1)
    axes.fill_between(labels, low, high, color=BLUE, alpha=0.18, linewidth=0)
    if len(points) == 1:  # a band needs two
        axes.errorbar(labels, middle, [[middle[0] - low[0]], [high[0] - middle[0]]], color=BLUE, capsize=5)
    axes.set(xlabel="labels learned from", ylabel="accuracy", ylim=(max(0.0, min(low) - 0.05), 1.01))
    return figure


def _figure(results: Results, columns: int = 1) -> tuple["Figure", Any]:
    return _blank(title(results), results["data"]["demo"], columns)


def _blank(heading: str, is_demo: bool, columns: int = 1) -> tuple["Figure", Any]:
    """A figure under its heading, and its axes, several for several columns."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8 if columns == 1 else 11, 4.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns)
    if columns == 1 and len(heading) > 90:  # a narrow picture would cut it
        heading = heading.replace(" · ", "\n")
    figure.suptitle(heading, fontsize=10, color="#b00020" if is_demo else "black")
    for one in [axes] if columns == 1 else axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        one.set_axisbelow(True)
    return figure, axes


def _curves(axes: "Axes", results: Results, training: str, validation: str) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = results["epochs"]
    for fit in sorted({epoch["fit"] for epoch in epochs}):
        steps = [index + 1 for index, epoch in enumerate(epochs) if epoch["fit"] == fit]
        for key, color, name in ((training, GREY, "training (with dropout)"), (validation, BLUE, "validation")):
            values = [epochs[step - 1][key] for step in steps]
            label = name if fit == 0 else None
            axes.plot(steps, values, color=color, marker="o", markersize=3.5, label=label)
        _boundary(axes, steps[0] - 0.5, f"{epochs[steps[0] - 1]['samples']:,} labels")
    axes.set_xlabel("epoch, counted over all fits")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="lower right" if training == "accuracy" else "upper right")


def _boundary(axes: "Axes", position: float, text: str) -> None:
    axes.axvline(position, color="#bbbbbb", linewidth=1, linestyle=(0, (4, 3)))
    axes.text(
        position, 1.0, f" {text}", transform=axes.get_xaxis_transform(), color=GREY, fontsize=8, va="bottom", ha="left"
    )


def _grouped_bars(axes: "Axes", names: Sequence[str], groups: Mapping[str, Sequence[int]]) -> None:
    width = 0.8 / len(groups)
    for index, (label, values) in enumerate(groups.items()):
        offset = (index - (len(groups) - 1) / 2) * width
        color = CLASS_COLORS[index % len(CLASS_COLORS)]
        bars = axes.bar([x + offset for x in range(len(names))], values, width * 0.92, color=color, label=label)
        axes.bar_label(bars, fmt="{:,.0f}", fontsize=8, padding=2)
    axes.set_xticks(range(len(names)), names)
    axes.margins(y=0.3)
    axes.legend(frameon=False, loc="upper center", ncols=len(groups) if len(groups) < 4 else 3, fontsize=8)


def save(figure: "Figure", ending: str) -> bytes:
    """The file of a figure, `png` or `svg`; the same figure gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.text import Text

    buffer, families = BytesIO(), _families()
    for text in figure.findobj(Text):
        text.set_fontfamily(families)
    with rc_context({"svg.hashsalt": "lit_al"}), warnings.catch_warnings():  # else the ids in it are drawn at random
        warnings.filterwarnings("ignore", message="Glyph")  # a machine without a font of a script shows boxes, as ever
        figure.savefig(buffer, format=ending, metadata={"Date": None} if ending == "svg" else None)
    return buffer.getvalue()


@cache
def _families() -> list[str]:
    """Matplotlib's own font, then those of this machine that know the scripts it does not."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return [name for name in FONTS if name in there] or ["sans-serif"]
