"""One recipe on many corpora: where lit_al is best, level or worse than what a user would take instead.

    python benchmarks/zoo.py --data ../shared/data/others --to zoo
    python benchmarks/zoo.py --data ../shared/data/others --to zoo-encoder --embeddings FOLDER

Each file of the folders (CSV, JSONL, Parquet), or corpus that `--data` of the benchmark knows (`imdb`, `demo`), is a
benchmark of its own in `--to`, which is gone on with where it was left. With `--encoder`, or `--embeddings`, a folder
of files with the corpora's names, teachers have the vectors as one view more, and `encoder-lr` is a simple row.

The table compares the delivered network, random picks, with the best simple row at each budget: with that one which is
best on average over the seeds, in pairs, so that chance favors the simple rows. The last line says what picks are
worth: labels that margin picks need for what random picks reach, all corpora together, each with the same weight.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console

from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.curves import Curves, learning_curves
from lit_al.benchmark.inference import Interval, bootstrap, bounds, draw_seeds
from lit_al.benchmark.results_table import read_cells
from lit_al.benchmark.runner import run_benchmark
from lit_al.data import Corpus, load_corpus
from lit_al.exceptions import LitALError
from lit_al.typing import Float64s
from lit_al.utils.silence import quiet

OURS, PICKED = "lean/random", "lean/margin+balanced+random:0.1"
SIMPLE: Final = ("tfidf-lr", "lsa-lr", "chars-lr")
BUDGETS: Final = (50, 100, 250, 500, 1_000, 2_500)
LEVEL: Final = 0.005  # a difference that nobody would notice
SUFFIXES: Final = (".csv", ".jsonl", ".parquet")
LABELS: Final = ("label", "category", "intent", "sentiment", "class")


@dataclass(frozen=True)
class Line:
    """A corpus at a budget.

    Attributes:
        corpus: name of it.
        labels: spent.
        means: mean score of each row.
        best: the simple row of the highest mean.
        difference: ours less that row's, in pairs of seeds.
    """

    corpus: str
    labels: int
    means: dict[str, float]
    best: str
    difference: Interval

    @property
    def verdict(self) -> str:
        """best, level or worse: by more than half a point."""
        if abs(self.difference.estimate) <= LEVEL:
            return "level"
        return "best" if self.difference.estimate > 0 else "worse"


# --- The corpora ------------------------------------------------------------------------------------------------------


def corpora(named: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and `--data` of each."""
    for one in named:
        path = Path(one)
        files = sorted(file for file in path.glob("*") if file.suffix in SUFFIXES) if path.is_dir() else []
        if files and not (path / "train.parquet").exists():
            yield from ((file.stem, str(file)) for file in files)
        else:
            yield path.stem, one


def columns(data: str) -> dict[str, str]:
    """The label column of a CSV file whose name is not one of the usual ones."""
    path = Path(data)
    if path.suffix != ".csv":
        return {}
    header = path.open(encoding="utf-8-sig").readline().strip().lower().split(",")
    found = [name for name in LABELS if name in header]
    return {"label_column": found[0]} if found else {}


def settings(name: str, data: str, asked: argparse.Namespace) -> BenchConfig:
    """The benchmark of a corpus: budgets as far as the pool goes."""
    given: dict[str, Any] = {"data": data, **columns(data)}
    with_vectors = {}
    if asked.encoder:
        with_vectors = {"encoder": asked.encoder}
    elif asked.embeddings:
        with_vectors = {"embeddings": str(vectors_of(Path(asked.embeddings), name))}
    rows = [OURS, *([] if asked.no_picks else [PICKED]), *SIMPLE, *(["encoder-lr"] if with_vectors else [])]
    size = pool_size(load_corpus(**BenchConfig(**given).corpus))
    budgets = tuple(labels for labels in asked.budgets if labels <= size // 2)
    return BenchConfig(
        **given,
        **with_vectors,
        name=name,
        log_dir=asked.to,
        strategies=tuple(rows),
        seeds=asked.seeds,
        budgets=budgets,
        judge=asked.judge,
    )


def vectors_of(folder: Path, name: str) -> Path:
    """The vectors of a corpus."""
    return next(path for path in (folder / f"{name}.parquet", folder / f"{name}.npy") if path.exists())


def pool_size(corpus: Corpus) -> int:
    """Texts that can be asked for: all but a tenth."""
    return int(0.9 * (corpus.labels >= 0).sum())


# --- What they show ---------------------------------------------------------------------------------------------------


def lines(name: str, curves: Curves, simple: Sequence[str]) -> Iterator[Line]:
    """A line for each budget that ours and a simple row have."""
    for place, labels in enumerate(curves.labels):
        at = {row: scores[:, place] for row, scores in curves.scores.items()}
        means = {row: float(np.nanmean(scores)) for row, scores in at.items() if not np.isnan(scores).all()}
        rivals = {row: means[row] for row in simple if row in means}
        if OURS in means and rivals:
            best = max(rivals, key=rivals.__getitem__)
            paired = at[OURS] - at[best]
            yield Line(name, int(labels), means, best, bootstrap(paired[~np.isnan(paired)]))


def labels_share(curves: Curves) -> Float64s | None:
    """(S,) log of the labels that margin picks need for what random picks reach, over theirs, mean over the budgets."""
    one, other = curves.scores.get(PICKED), curves.scores.get(OURS)
    if one is None or other is None or len(curves.labels) < 3:
        return None
    log = np.log(curves.labels.astype(np.float64))
    inner = slice(1, len(log) - 1)  # where a curve has a budget on either side
    rising = np.maximum.accumulate(one, axis=1) + 1e-9 * np.arange(len(log))
    return np.array(
        [
            np.mean([np.interp(target, mine, log) for target in theirs[inner]] - log[inner])
            for mine, theirs in zip(rising, np.maximum.accumulate(other, axis=1), strict=True)
        ]
    )


def pooled(shares: Sequence[Float64s]) -> Interval:
    """Share of the labels that picks save, each corpus a block of the same weight; seeds are drawn anew in each."""
    means = [draw_seeds(len(one), seed=number) @ one for number, one in enumerate(shares)]  # (R,) of each
    low, high = 1 - np.exp(bounds(np.mean(means, axis=0), min(len(one) for one in shares)))[::-1]
    return Interval(float(1 - np.exp(np.mean([one.mean() for one in shares]))), float(low), float(high))


def table(found: Sequence[Line]) -> Iterator[str]:
    """Markdown: scores of each row, and what the comparison says."""
    rows = list(dict.fromkeys(row for line in found for row in line.means))
    yield f"| corpus | labels | {' | '.join(rows)} | less the best simple row, points | |"
    yield "|---|---|" + "---|" * (len(rows) + 2)
    for line in found:
        scores = " | ".join(f"{line.means[row]:.3f}" if row in line.means else "" for row in rows)
        low, high = 100 * line.difference.low, 100 * line.difference.high
        shown = f"{100 * line.difference.estimate:+.1f} ({low:+.1f} to {high:+.1f}), {line.best}"
        yield f"| {line.corpus} | {line.labels:,} | {scores} | {shown} | {line.verdict} |"


def picture(found: Sequence[Line], path: Path) -> None:
    """Differences from the best simple row with their intervals, a panel for each corpus."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(line.corpus for line in found))
    figure = Figure(figsize=(3.2 * len(names), 3.6), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    colors = {"best": "#2a7f62", "level": "#888888", "worse": "#c0392b"}
    for name, axes in zip(names, panels, strict=True):
        own = [line for line in found if line.corpus == name]
        axes.axhspan(-100 * LEVEL, 100 * LEVEL, color="#eeeeee")
        axes.axhline(0, color="black", linewidth=0.8)
        for place, line in enumerate(own):
            interval = line.difference
            axes.plot([place] * 2, [100 * interval.low, 100 * interval.high], color=colors[line.verdict], linewidth=2)
            axes.plot(place, 100 * interval.estimate, "o", color=colors[line.verdict])
        axes.set_xticks(range(len(own)), [f"{line.labels:,}" for line in own], rotation=45)
        axes.set_title(name)
        axes.set_xlabel("labels")
    panels[0].set_ylabel("points above the best simple row")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run what is missing, and say what it shows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", nargs="+", default=["demo"], help="Folders of files, files, or names as imdb.")
    parser.add_argument("--to", default="zoo", help="Folder of the benchmarks, the table and the picture.")
    parser.add_argument("--seeds", type=int, default=5, help="Runs of each row.")
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS, help="Labels; those that a pool has twice.")
    parser.add_argument("--judge", choices=["test", "validation"], default="test", help="As of the benchmark.")
    parser.add_argument("--encoder", default="", help="A pretrained encoder, as of the benchmark.")
    parser.add_argument("--embeddings", default="", help="Folder of vectors, a file for each corpus by its name.")
    parser.add_argument("--no-picks", action="store_true", help="Random picks alone.")
    asked = parser.parse_args()
    quiet()
    console, found, shares = Console(), [], []
    for name, data in corpora(asked.data):
        console.rule(name)
        try:
            run_benchmark(settings(name, data, asked), console)
        except LitALError as error:
            console.print(f"[red]{name}: {error}[/]")
            continue
        curves = learning_curves(read_cells(Path(asked.to, name, "cells.jsonl")))
        found += list(lines(name, curves, [*SIMPLE, "encoder-lr"]))
        share = labels_share(curves)
        shares += [] if share is None else [share]
        report = [*table(found)]
        if shares:
            saved = pooled(shares)
            report += ["", f"Labels that margin picks save over {len(shares)} corpora, for what random picks reach: "
                       f"{saved.estimate:.0%} ({saved.low:.0%} to {saved.high:.0%})."]  # fmt: skip
        Path(asked.to, "zoo.md").write_text("\n".join(report) + "\n", encoding="utf-8")
        picture(found, Path(asked.to, "zoo.png"))
    print(Path(asked.to, "zoo.md").read_text(encoding="utf-8") if found else "nothing to compare")


if __name__ == "__main__":
    main()
