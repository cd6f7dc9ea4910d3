"""The benchmark: rows of a table, each a way to train and a way to pick, over paired seeds and growing budgets.

A seed's first labels and initial weights are the same under every strategy, so that strategies are compared in pairs.
Seeds run side by side in one batched pass. After each cell the state of the loop is saved beside the table: a run that
was killed goes on after the last whole cell, to the same table.

Every text but the test set's is in the pool, and the vocabulary comes from the pool's texts, which costs no label. Rows
of the example's loop (`example_method`) split and read the words as the example does.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.benchmark_page import About, write_benchmark_report
from lit_al.benchmark.curves import check_metric
from lit_al.benchmark.example_method import ROUNDS, ExampleRows, example_config
from lit_al.benchmark.judging import distinct_words, judgment
from lit_al.benchmark.methods import ENCODER, FULL, RANDOM, Method
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
from lit_al.text.embeddings import embeddings_of
from lit_al.text.encoder import TextEncoder, suited_encoder
from lit_al.text.lsa import vectors_of
from lit_al.training.linear_training import SEEN, LinearFeatures, LinearTraining
from lit_al.training.pretraining import learn
from lit_al.training.recipe import Recipe, make_recipe
from lit_al.training.step_training import StepTraining
from lit_al.typing import UNLABELED, Float32s, Rows
from lit_al.utils.countdown import Countdown
from lit_al.utils.folders import write_bytes, write_text
from lit_al.utils.links import check_links
from lit_al.utils.terminal_text import markup
from lit_al.utils.yaml_settings import read_settings

FULL_EPOCHS = 5
SETTINGS = "benchmark.yaml"
_NOT_OF_CELLS = ("name", "log_dir", "strategies", "targets", "metric")  # a folder is gone on with whatever these are


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
    known = read_cells(table) if table.exists() else []
    check_metric(known, config.metric)
    done = {cell.key for cell in known}
    with console.status("loading and encoding the corpus …") as status:
        bench = Bench(config, load_corpus(**config.corpus), folder, lambda doing: status.update(f"{markup(doing)} …"))
    for note in (*bench.corpus.notes, *bench.notes, *bench.copies):
        console.print(f"[yellow]note:[/yellow] {markup(note)}", soft_wrap=True)
    _begin(folder, config)
    for said in bench.said:
        console.print(said, highlight=False)
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
    about = About(subtitle=source, demo=bench.corpus.is_demo, targets=config.targets, metric=config.metric)
    files = write_benchmark_report(folder, about)
    console.print(f"report: {markup(folder / 'report.html')}", soft_wrap=True)
    return files


@dataclass(frozen=True)
class EncodedTexts:
    """The texts of a corpus as a network reads them.

    Attributes:
        encoder: of the pool's texts.
        tokens: (N, T) uint16.
        masked: padding has no state.
        said: which units were chosen, and why; "" where there was no choice.
    """

    encoder: TextEncoder
    tokens: Tensor
    masked: bool
    said: str


class Bench:
    """The cells of a benchmark, computed one after the other.

    Args:
        config: checked.
        corpus: labeled.
        folder: where the state of loops is kept.
        report: called with what is being done before the first cell.
    """

    def __init__(
        self,
        config: BenchConfig,
        corpus: Corpus,
        folder: Path,
        report: Callable[[str], object] = lambda doing: None,
    ) -> None:
        self.config, self.corpus, self.folder = config, corpus, folder
        keep = first_copies(corpus.texts) if config.drop_duplicates else None
        split = stratified_split(corpus, seed=config.split_seed, keep=keep)
        self.notes = split.notes
        judged = config.judge == "validation"
        self.judged: Rows = split.validation if judged else split.test
        judges = (split.test, split.validation) if judged else (split.test,)
        self.pool: Rows = without(shuffled(corpus, config.split_seed), *judges)
        self.pool = self.pool[corpus.labels[self.pool] != UNLABELED]
        if keep is not None:
            self.pool = self.pool[keep[self.pool]]
        if not corpus.is_example:  # of a text and its copies one is paid for
            self.pool = corpus.one_of_each(self.pool)
        if config.budgets and config.budgets[-1] > len(self.pool):
            raise ConfigError(
                f"--budgets ends at {config.budgets[-1]:,} labels but the pool has {len(self.pool):,} rows; end lower"
            )
        noise = make_noise(config.oracle_noise, len(corpus.classes))
        self.oracle = ImperfectOracle(corpus.labels, noise, config.oracle_skip, keys=corpus.keys[:, 0])
        self.embeddings = embeddings_of(
            corpus, config.encoder, config.embeddings, advance=Countdown(report, "vectors of the texts", len(corpus))
        )
        self.features = LinearFeatures(corpus, self.pool, self.embeddings)
        self.example = ExampleRows(corpus, split, folder / "state" / "example", config.network)
        self.rows = [Method.of(name) for name in config.strategies]
        self._readings: dict[str, EncodedTexts] = {}

    def reading(self, recipe: str = "") -> "EncodedTexts":
        """The texts as rows of a recipe read them; those of no recipe as the benchmark does unless it is told."""
        settings = self.config.reading(recipe)
        key = repr(settings)
        if key not in self._readings:
            encoder, said = suited_encoder(
                [self.corpus.texts[row] for row in self.pool],
                units=self.config.units,
                vocabulary_size=settings["vocabulary_size"],
                max_length=settings["max_length"],
                how=settings["standardize"],
                cut=settings["cut"],
            )
            tokens = torch.from_numpy(encoded(self.corpus, encoder))
            self._readings[key] = EncodedTexts(encoder, tokens, settings["padding"] == "masked", said)
        return self._readings[key]

    def text_vectors(self, row: Method) -> Float32s | None:
        """(N, D) for strategies: those from outside, or latent directions of the pool's texts; None if not needed."""
        if "vectors" not in _needs(row):
            return None
        if self.embeddings is not None:
            return self.embeddings.astype(np.float32)
        reading = self.reading(row.how.recipe)
        return vectors_of(self.corpus.in_order(self.pool), reading.tokens, len(reading.encoder.vocabulary))

    @property
    def copies(self) -> list[str]:
        """What becomes of copies of a text, in one line; nothing where there are none."""
        own = "asked once, never over pool and test"
        words = self.corpus.grouped.sentence("over pool and test, as in the example" if self.corpus.is_example else own)
        return [words] if words else []

    @property
    def said(self) -> list[str]:
        """What there is to say of how the networks read the texts, a line for each way."""
        readings = [self.reading(row.how.recipe) for row in self.rows if row.how.loop in ("lean", "whole")]
        return list(dict.fromkeys(reading.said for reading in readings if reading.said))

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
        return LinearTraining(self.features, len(self.corpus.classes), row.how.name)

    def _step_training(self, row: Method) -> StepTraining:
        config, reading = self.config, self.reading(row.how.recipe)
        base = Recipe(
            steps=config.steps,
            batch_size=config.batch_size,
            weights=row.how.weights,
            masked=reading.masked,
            study_steps=config.study_steps,
        )
        recipe = make_recipe(row.how.recipe, base)
        if row.spelling == FULL:
            recipe = replace(recipe, steps=FULL_EPOCHS * len(self.pool) // 256, batch_size=256)
        return StepTraining(
            reading.tokens,
            len(reading.encoder.vocabulary),
            self.corpus.classes,
            recipe=recipe,
            pretraining=learn(
                recipe, self.corpus, self.pool, reading.encoder, reading.tokens, embeddings=self.embeddings
            ),
            vectors=self.text_vectors(row),
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
                **judgment(probabilities, truth),
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
            "diversity": distinct_words(self.reading().tokens[torch.from_numpy(query.rows)].numpy()),
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
    if row.how.name == ENCODER and config.encoder is None and config.embeddings is None:
        raise ConfigError(f"{row.spelling!r} needs vectors of the texts; give --encoder or --embeddings")
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
        defaults = _settings(BenchConfig(copies="none"))  # what a setting was before there was such a setting
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
