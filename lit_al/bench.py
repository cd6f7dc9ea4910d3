"""The benchmark of strategies: paired seeds, growing budgets, one line of a table for each cell.

A seed's first labels and initial weights are the same under every strategy, so that strategies are compared in pairs.
Seeds run side by side in one batched pass. After each cell the state of the loop is saved beside the table: a run that
was killed goes on after the last whole cell, to the same table.

Every text but the test set's is in the pool, and the vocabulary comes from the pool's texts, which costs no label.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lit_al.baselines import Baseline, Linear, accuracy_and_loss, is_baseline
from lit_al.cache import encoded
from lit_al.cells import Cell, append_cell, read_cells
from lit_al.corpora import Corpus, load_corpus
from lit_al.datamodule import EVALUATION_BATCH, Batches
from lit_al.errors import ConfigError, RunError
from lit_al.lean import LeanLoop, LeanRound, Recipe, Run, Weights
from lit_al.oracles import SimulatedOracle
from lit_al.page import About, write_benchmark_report
from lit_al.run import write_text
from lit_al.scoring import score
from lit_al.split import Rows, stratified_split
from lit_al.strategies import make_strategy
from lit_al.text import TextEncoder
from lit_al.vectors import text_vectors

FULL = "full"  # the yardstick: one fit on the whole pool
FULL_EPOCHS = 5


@dataclass(frozen=True)
class BenchConfig:
    """What to compare on what.

    Attributes:
        data: as of `load_corpus`.
        strategies: spellings; `full` trains once on the whole pool; `tfidf-lr` and `lsa-lr` are `baselines`.
        seeds: how many, from 0.
        budgets: labels at which each strategy is judged.
        name: of the folder below `log_dir`; a folder that is there already is gone on with.
        log_dir: where folders go.
        demo_rows: size of the demo corpus.
        split_seed: which rows are the test set.
        judge: the set whose accuracy the table holds. With "validation" the test set is not touched at all: settings
            are chosen so.
        steps: training steps of a fit.
        batch_size: texts per step.
        weights: a round begins with fresh, warm or shrunk and perturbed weights.
        side_by_side: seeds in one batched pass.
    """

    data: str = "demo"
    strategies: tuple[str, ...] = ("random", "entropy", "badge")
    seeds: int = 5
    budgets: tuple[int, ...] = (100, 200, 400, 800)
    name: str = "benchmark"
    log_dir: str = "lightning_logs"
    demo_rows: int = 50_000
    split_seed: int = 0
    judge: Literal["test", "validation"] = "test"
    steps: int = 200
    batch_size: int = 64
    weights: Weights = "fresh"
    side_by_side: int = 5

    def checked(self) -> "BenchConfig":
        """Itself.

        Raises:
            ConfigError: settings that cannot work.
        """
        if self.seeds < 1 or self.side_by_side < 1:
            raise ConfigError(f"--seeds {self.seeds} and --side-by-side {self.side_by_side} must be 1 or more")
        repeated = {name for name in self.strategies if self.strategies.count(name) > 1}
        if repeated:
            raise ConfigError(f"--strategies names {repeated.pop()!r} twice; name each once")
        for name in self.strategies:
            if is_baseline(name):
                Baseline.of(name)
            elif name != FULL:
                make_strategy(name)
        return self


def run_benchmark(config: BenchConfig, console: Console) -> list[Path]:
    """Fill the table and write the report.

    Returns:
        The files of the report.

    Raises:
        LitALError: settings or data that cannot work, or a folder with a benchmark of other settings.
    """
    config = config.checked()
    folder = _folder(config)
    table = folder / "cells.jsonl"
    done = {cell.key for cell in read_cells(table)} if table.exists() else set()
    with console.status("loading and encoding the corpus …"):
        bench = Bench(config, load_corpus(config.data, demo_rows=config.demo_rows), folder)
    cells = bench.plan()
    missing = sum(cell not in done for cell in cells)
    console.print(f"{len(cells)} cells, {len(cells) - missing} of them done; the table is {table}", soft_wrap=True)
    with _bar(console) as bar:
        task = bar.add_task("", total=len(cells), completed=len(cells) - missing)
        for cell in bench.cells(done):
            append_cell(table, cell)
            bar.update(task, advance=1, description=f"{cell.strategy}, {cell.labels:,} labels")
    source = f"{bench.corpus.source}, judged on {len(bench.judged):,} {config.judge} texts, {config.weights} weights"
    files = write_benchmark_report(folder, About(subtitle=source, demo=bench.corpus.is_demo))
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    return files


class Bench:
    """The cells of a benchmark, computed one after the other.

    Args:
        config: checked.
        corpus: labeled.
        folder: where the state of loops is kept.
    """

    def __init__(self, config: BenchConfig, corpus: Corpus, folder: Path) -> None:
        self.config, self.corpus, self.folder = config, corpus, folder
        split = stratified_split(corpus.labels, corpus.classes, seed=config.split_seed)
        judged = config.judge == "validation"
        self.judged: Rows = split.validation if judged else split.test
        self.pool: Rows = np.concatenate([*([] if judged else [split.validation]), split.labeled, split.pool])
        self.pool = self.pool[corpus.labels[self.pool] >= 0]
        if config.budgets and config.budgets[-1] > len(self.pool):
            raise ConfigError(
                f"--budgets ends at {config.budgets[-1]:,} labels but the pool has {len(self.pool):,} rows; end lower"
            )
        encoder = TextEncoder.fit(corpus.texts[row] for row in self.pool)
        self.words = len(encoder.vocabulary)
        self.tokens = torch.from_numpy(encoded(corpus, encoder))
        self.linear = Linear(corpus, self.pool, self.judged)
        wanted = {need for name in config.strategies for need in _needs(name)}
        self.vectors = text_vectors(self.tokens, self.words) if "vectors" in wanted else None

    def plan(self) -> list[tuple[str, int, int]]:
        """Keys of all cells, in no particular order."""
        return [key for name in self.config.strategies for key in self._keys(name, range(self.config.seeds))]

    def _keys(self, name: str, seeds: range) -> list[tuple[str, int, int]]:
        rounds = 1 if name == FULL else len(self.config.budgets)
        return [(name, seed, number) for seed in seeds for number in range(rounds)]

    def cells(self, done: set[tuple[str, int, int]]) -> Iterator[Cell]:
        """The cells that are not done, each as soon as it is known."""
        for name in self.config.strategies:
            if is_baseline(name):
                yield from self._baseline(name, done)
                continue
            for first in range(0, self.config.seeds, self.config.side_by_side):
                seeds = range(first, min(first + self.config.side_by_side, self.config.seeds))
                yield from self._group(name, seeds, done)

    def _baseline(self, name: str, done: set[tuple[str, int, int]]) -> Iterator[Cell]:
        """Seconds each, so what is missing of a seed is found by computing the seed again."""
        seeds = [s for s in range(self.config.seeds) if not done.issuperset(self._keys(name, range(s, s + 1)))]
        if seeds:
            yield from (c for c in self.linear.cells(name, seeds, self.config.budgets) if c.key not in done)

    def _group(self, name: str, seeds: range, done: set[tuple[str, int, int]]) -> Iterator[Cell]:
        """Seeds of one strategy, side by side, from where they were left."""
        if done.issuperset(self._keys(name, seeds)):
            return
        loop = self._loop(name, seeds)
        state = self.folder / "state" / f"{name.replace(':', '-')}.{seeds.start}.pt"
        if state.exists():
            loop.load_state_dict(torch.load(state, weights_only=True))
        for finished in loop.rounds():
            for cell in self._judge(name, finished):
                if cell.key not in done:
                    yield cell
            _save(loop.state_dict(), state)  # after its cells: a kill in between computes a round again, loses none
        state.unlink(missing_ok=True)

    def _loop(self, name: str, seeds: range) -> LeanLoop:
        config = self.config
        recipe = Recipe(steps=config.steps, batch_size=config.batch_size, weights=config.weights)
        schedule, strategy = config.budgets, name
        if name == FULL:
            recipe = Recipe(steps=FULL_EPOCHS * len(self.pool) // 256, batch_size=256)
            schedule, strategy = (len(self.pool),), "random"
        return LeanLoop(
            self.tokens,
            self.words,
            self.corpus.classes,
            self.pool,
            SimulatedOracle(self.corpus.labels),
            seeds=seeds,
            strategy=strategy,
            schedule=schedule,
            recipe=recipe,
            vectors=self.vectors,
        )

    def _judge(self, name: str, finished: LeanRound) -> Iterator[Cell]:
        """A cell for each seed, judged on texts of which the loop knows nothing."""
        members = len(finished.runs)
        found = score(
            finished.model, Batches(self.tokens, None, torch.from_numpy(self.judged), EVALUATION_BATCH // members)
        )
        truth = self.corpus.labels[self.judged]
        for run, probabilities in zip(finished.runs, found, strict=True):
            yield Cell(
                strategy=name,
                seed=run.seed,
                round=finished.number,
                labels=len(run.labeled),
                labels_spent=run.asked,
                **accuracy_and_loss(probabilities, truth),
                **self._batch(run),
                fit_seconds=finished.fit_seconds / members,
                score_seconds=finished.score_seconds / members,
                select_seconds=finished.select_seconds / members,
            )

    def _batch(self, run: Run) -> dict[str, Any]:
        """Class mix and diversity of the last batch; nothing of the first, which nobody chose."""
        if run.choice is None or not len(run.predicted):
            return {}
        classes = len(self.corpus.classes)
        return {
            "predicted": tuple(np.bincount(run.predicted, minlength=classes).tolist()),
            "taken": tuple(np.bincount(run.newest[run.newest >= 0], minlength=classes).tolist()),
            "diversity": distinct_words(self.tokens[torch.from_numpy(run.choice.rows)].numpy()),
        }


def distinct_words(tokens: np.ndarray[Any, np.dtype[np.uint16]]) -> float:
    """Distinct words of a batch (n, T) per text: the more alike its texts, the fewer."""
    return float(len(np.unique(tokens)) / len(tokens))


def _needs(name: str) -> frozenset[str]:
    if name == FULL or is_baseline(name):
        return frozenset()
    strategy = make_strategy(name)
    return strategy.needs | strategy.needs_labeled


def _folder(config: BenchConfig) -> Path:
    """The folder of a benchmark, new or of the same settings."""
    folder = Path(config.log_dir) / config.name
    path = folder / "benchmark.yaml"
    settings = {name: value for name, value in asdict(config).items() if name not in ("name", "log_dir", "strategies")}
    text = yaml.safe_dump(
        {name: list(v) if isinstance(v, tuple) else v for name, v in settings.items()}, sort_keys=False
    )
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise RunError(f"{folder} holds a benchmark of other settings ({path.name}); give another --name")
        return folder
    if folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder} holds something else; give another --name")
    (folder / "state").mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    return folder


def _save(state: dict[str, Any], path: Path) -> None:
    """Write beside its place, then rename: a kill leaves the old file or the new one."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
