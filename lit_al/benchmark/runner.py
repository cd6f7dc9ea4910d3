"""The benchmark: rows of a table, each a way to train and a way to pick, over paired seeds and growing budgets.

A seed's first labels and initial weights are the same under every strategy, so that strategies are compared in pairs.
Seeds run side by side in one batched pass. After each cell the state of the loop is saved beside the table: a run that
was killed goes on after the last whole cell, to the same table.

Every text but the test set's is in the pool, and the vocabulary comes from the pool's texts, which costs no label. Rows
of the example's loop (`example_method`) split and read the words as the example does.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.benchmark_page import About, write_benchmark_report
from lit_al.benchmark.example_method import ROUNDS, ExampleRows, example_config
from lit_al.benchmark.judging import accuracy_and_loss, distinct_words
from lit_al.benchmark.methods import FULL, RANDOM, Method
from lit_al.benchmark.results_table import Result, append_cell, read_cells
from lit_al.data import Corpus, first_copies, load_corpus
from lit_al.data.split import shuffled, stratified_split, without
from lit_al.exceptions import CheckpointError, ConfigError, RunError
from lit_al.experiment.example import checked_example
from lit_al.loop.active_loop import ActiveLoop, FittedRound
from lit_al.loop.state import CHANCE, LoopState
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.metrics import counts
from lit_al.models.checkpoint import loaded
from lit_al.oracles import ImperfectOracle, make_noise
from lit_al.strategies import make_strategy
from lit_al.text.cache import encoded
from lit_al.text.encoder import TextEncoder
from lit_al.text.lsa import vectors_of
from lit_al.training.linear_training import SEEN, LinearFeatures, LinearTraining
from lit_al.training.pretraining import learn
from lit_al.training.recipe import Recipe, make_recipe
from lit_al.training.step_training import StepTraining
from lit_al.typing import UNLABELED, Rows
from lit_al.utils.folders import write_bytes, write_text
from lit_al.utils.links import check_links
from lit_al.utils.terminal_text import markup
from lit_al.utils.yaml_settings import read_settings

FULL_EPOCHS = 5
SETTINGS = "benchmark.yaml"
_NOT_OF_CELLS = ("name", "log_dir", "strategies", "targets")  # a folder is gone on with whatever these are


def run_benchmark(config: BenchConfig, console: Console) -> list[Path]:
    """Fill the table and write the report.

    Returns:
        The files of the report.

    Raises:
        LitALError: settings or data that cannot work, or a folder with a benchmark of other settings.
    """
    config = config.checked()
    for row in map(Method.of, config.strategies):
        check_row(row, config)
    folder = _folder(config)
    table = folder / "cells.jsonl"
    done = {cell.key for cell in read_cells(table)} if table.exists() else set()
    with console.status("loading and encoding the corpus …"):
        bench = Bench(config, load_corpus(**config.corpus), folder)
    for note in bench.corpus.notes:
        console.print(f"note: {markup(note)}", soft_wrap=True)
    _begin(folder, config)
    cells = bench.plan()
    missing = sum(cell not in done for cell in cells)
    console.print(
        f"{len(cells)} cells, {len(cells) - missing} of them done; the table is {markup(table)}", soft_wrap=True
    )
    with _bar(console) as bar:
        task = bar.add_task("", total=len(cells), completed=len(cells) - missing)
        for cell in bench.cells(done):
            append_cell(table, cell)
            bar.update(task, advance=1, description=f"{markup(cell.strategy)}, {cell.labels:,} labels")
    source = f"{bench.corpus.source}, judged on {len(bench.judged):,} {config.judge} texts"
    if config.oracle_noise != "0" or config.oracle_skip:
        source += f", labels by an oracle that errs at {config.oracle_noise} and skips {config.oracle_skip:.0%}"
    files = write_benchmark_report(folder, About(subtitle=source, demo=bench.corpus.is_demo, targets=config.targets))
    console.print(f"report: {markup(folder / 'report.html')}", soft_wrap=True)
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
        keep = first_copies(corpus.texts) if config.drop_duplicates else None
        split = stratified_split(corpus, seed=config.split_seed, keep=keep)
        judged = config.judge == "validation"
        self.judged: Rows = split.validation if judged else split.test
        judges = (split.test, split.validation) if judged else (split.test,)
        self.pool: Rows = without(shuffled(corpus, config.split_seed), *judges)
        self.pool = self.pool[corpus.labels[self.pool] != UNLABELED]
        if keep is not None:
            self.pool = self.pool[keep[self.pool]]
        if config.budgets and config.budgets[-1] > len(self.pool):
            raise ConfigError(
                f"--budgets ends at {config.budgets[-1]:,} labels but the pool has {len(self.pool):,} rows; end lower"
            )
        noise = make_noise(config.oracle_noise, len(corpus.classes))
        self.encoder = TextEncoder.fit(
            (corpus.texts[row] for row in self.pool),
            vocabulary_size=config.vocabulary_size,
            max_length=config.max_length,
            cut=config.cut,
        )
        self.words = len(self.encoder.vocabulary)
        self.tokens = torch.from_numpy(encoded(corpus, self.encoder))
        self.oracle = ImperfectOracle(corpus.labels, noise, config.oracle_skip, keys=corpus.keys[:, 0])
        self.features = LinearFeatures(corpus, self.pool)
        self.example = ExampleRows(corpus, split, folder / "state" / "example", config.network)
        self.rows = [Method.of(name) for name in config.strategies]
        wanted = {need for row in self.rows for need in _needs(row)}
        self.vectors = vectors_of(corpus.in_order(self.pool), self.tokens, self.words) if "vectors" in wanted else None

    def plan(self) -> list[tuple[str, int, int]]:
        """Keys of all cells, in no particular order."""
        return [key for row in self.rows for key in self._keys(row, range(self.config.seeds))]

    def _keys(self, row: Method, seeds: range) -> list[tuple[str, int, int]]:
        rounds = {"whole": 1, "example": ROUNDS + 1}.get(row.how.loop, len(self.config.budgets))
        return [(row.spelling, seed, number) for seed in seeds for number in range(rounds)]

    def cells(self, done: set[tuple[str, int, int]]) -> Iterator[Result]:
        """The cells that are not done, each as soon as it is known."""
        for row in self.rows:
            if row.how.loop == "example":
                yield from self._seed_by_seed(row, done)
                continue
            for first in range(0, self.config.seeds, self.config.side_by_side):
                seeds = range(first, min(first + self.config.side_by_side, self.config.seeds))
                yield from self._group(row, seeds, done)

    def _seed_by_seed(self, row: Method, done: set[tuple[str, int, int]]) -> Iterator[Result]:
        """What is missing of a seed is found by computing the seed again."""
        seeds = [s for s in range(self.config.seeds) if not done.issuperset(self._keys(row, range(s, s + 1)))]
        for seed in seeds:
            yield from (cell for cell in self.example.cells(row, seed) if cell.key not in done)

    def _group(self, row: Method, seeds: range, done: set[tuple[str, int, int]]) -> Iterator[Result]:
        """Seeds of one row, side by side, from where they were left."""
        if done.issuperset(self._keys(row, seeds)):
            return
        loop = self._loop(row, seeds)
        monitors = [StoppingMonitor(None, self.pool, seed) for seed in seeds if row.how.loop == "lean"]
        state = self.folder / "state" / f"{_plain(row.spelling)}.{seeds.start}.state"
        if state.exists():
            saved = _state(state)
            loop.load_state_dict(saved["loop"])
            for monitor, past in zip(monitors, saved["watches"], strict=True):
                monitor.restore(past)
        for finished in loop.rounds():
            self._look(monitors, loop)
            for cell in self._judge(row, loop, finished, monitors):
                if cell.key not in done:
                    yield cell
            kept = {"loop": loop.state_dict(), "watches": [monitor.state() for monitor in monitors]}
            _save(kept, state)  # after its cells: a kill in between computes a round again, loses none
        state.unlink(missing_ok=True)

    def _loop(self, row: Method, seeds: range) -> ActiveLoop:
        whole = row.spelling == FULL
        return ActiveLoop(
            self._linear_training(row) if row.how.loop == "linear" else self._step_training(row),
            self.pool,
            self.oracle,
            classes=len(self.corpus.classes),
            seeds=seeds,
            strategy=RANDOM if whole else row.picks,
            schedule=(len(self.pool),) if whole else self.config.budgets,
        )

    def _linear_training(self, row: Method) -> LinearTraining:
        return LinearTraining(self.features, len(self.corpus.classes), latent=row.how.name == "lsa-lr")

    def _step_training(self, row: Method) -> StepTraining:
        config = self.config
        base = Recipe(
            steps=config.steps,
            batch_size=config.batch_size,
            weights=row.how.weights,
            masked=config.padding == "masked",
            study_steps=config.study_steps,
        )
        recipe = make_recipe(row.how.recipe, base)
        if row.spelling == FULL:
            recipe = replace(recipe, steps=FULL_EPOCHS * len(self.pool) // 256, batch_size=256)
        return StepTraining(
            self.tokens,
            self.words,
            self.corpus.classes,
            recipe=recipe,
            pretraining=learn(recipe, self.corpus, self.pool, self.encoder, self.tokens),
            vectors=self.vectors,
        )

    def _look(self, monitors: Sequence[StoppingMonitor], loop: ActiveLoop) -> None:
        """Show the stop sets of all seeds to their models, for the rules that are judged in shadow."""
        if monitors:
            found = loop.method.score(np.stack([monitor.rows for monitor in monitors]))  # (M, k, C)
            for monitor, state, probabilities in zip(monitors, loop.states, found, strict=True):
                monitor.record(probabilities, state)

    def _judge(
        self, row: Method, loop: ActiveLoop, finished: FittedRound, monitors: Sequence[StoppingMonitor]
    ) -> Iterator[Result]:
        """A cell for each seed, judged on texts of which the loop knows nothing."""
        members = len(finished.states)
        found, truth = loop.method.score(self.judged), self.corpus.labels[self.judged]  # (M, n, C) and (n,)
        stopped = [monitor.would_stop() for monitor in monitors] if monitors else [None] * members
        for run, probabilities, rules in zip(finished.states, found, stopped, strict=True):
            yield Result(
                strategy=row.spelling,
                seed=run.seed,
                round=finished.number,
                labels=len(run.labeled),
                labels_spent=run.asked,
                **accuracy_and_loss(probabilities, truth),
                **self._batch(run),
                fit_seconds=finished.fit_seconds / members,
                score_seconds=finished.score_seconds / members,
                select_seconds=finished.select_seconds / members,
                stopped=rules,
            )

    def _batch(self, run: LoopState) -> dict[str, Any]:
        """Class mix and diversity of the last batch; nothing of the first, which nobody chose."""
        query, classes = run.query, len(self.corpus.classes)
        if query is None or not query.chosen:
            return {}
        return {
            "predicted": query.called(classes),
            "taken": counts(self.corpus.labels[query.rows], classes),
            "diversity": distinct_words(self.tokens[torch.from_numpy(query.rows)].numpy()),
        }


def check_row(row: Method, config: BenchConfig) -> None:
    """Refuse a row that the settings have no use for, or that picks by what its models do not have.

    Raises:
        ConfigError: as said, or no such strategy.
    """
    if row.how.loop == "example":
        checked_example(example_config(row, labeled=1, network=config.network))
        if config.judge == "validation":
            raise ConfigError(
                f"--judge validation cannot judge {row.spelling}, which stops training by the validation set; "
                "leave the row out, or --judge test"
            )
        if config.oracle_noise != "0" or config.oracle_skip:
            raise ConfigError(
                f"--oracle-noise and --oracle-skip have no part in {row.spelling}, whose first labels are given; "
                "leave the row out"
            )
    missing = _needs(row) - {*SEEN, "labels"}
    if row.how.loop == "linear" and missing:
        raise ConfigError(
            f"{row.spelling!r} picks by {' and '.join(sorted(missing))}, which a linear model does not have; take "
            f"random picks or those by its probabilities, as in {row.how.name}:margin"
        )


def _needs(row: Method) -> frozenset[str]:
    """What a loop of rounds has to be given for a row."""
    if row.how.loop not in ("lean", "linear"):
        return frozenset()
    strategy = make_strategy(row.picks)
    return strategy.needs | strategy.needs_labeled


def _plain(name: str) -> str:
    """A file name of a row."""
    return name.replace(":", "-").replace("/", "-")


def _folder(config: BenchConfig) -> Path:
    """The folder of a benchmark: not there yet, empty, or of the same settings, and without links."""
    folder = Path(config.log_dir) / config.name
    check_links(folder)
    path = folder / SETTINGS
    if path.exists():
        defaults = _settings(BenchConfig())  # what a setting was before there was such a setting
        found = read_settings(path)
        sound = isinstance(found, dict)
        if sound and found.get("chance") != CHANCE:
            raise RunError(
                f"{folder} holds a benchmark of an earlier version of lit_al, whose seeds drew other texts; it cannot "
                "be gone on with, give another --name"
            )
        if not sound or {**defaults, **found} != _settings(config):
            raise RunError(f"{folder} holds a benchmark of other settings ({path.name}); give another --name")
    elif folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder} holds something else; give another --name")
    return folder


def _begin(folder: Path, config: BenchConfig) -> None:
    """Write the settings, once all of them are known to work."""
    (folder / "state").mkdir(parents=True, exist_ok=True)
    if not (folder / SETTINGS).exists():
        write_text(folder / SETTINGS, yaml.safe_dump(_settings(config), sort_keys=False))


def _settings(config: BenchConfig) -> dict[str, Any]:
    """All that cells depend on besides their row."""
    found = {name: value for name, value in asdict(config).items() if name not in _NOT_OF_CELLS}
    found["chance"] = CHANCE
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _save(state: dict[str, Any], path: Path) -> None:
    content = io.BytesIO()
    torch.save(state, content)
    write_bytes(path, content.getvalue())


def _state(path: Path) -> dict[str, Any]:
    """What `_save` has written.

    Raises:
        CheckpointError: it is damaged.
    """
    try:
        found: dict[str, Any] = loaded(path.read_bytes(), path)
    except CheckpointError as error:
        raise CheckpointError(f"the state {path} is damaged; delete it, and its cells are computed again") from error
    return found


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
