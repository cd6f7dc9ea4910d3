"""`Bench`: the cells of a benchmark, each a way to train and a way to pick, over paired seeds and growing budgets.

A seed's first labels and initial weights are the same under every strategy, so that strategies are compared in pairs.
Seeds of a group run side by side in one batched pass. Whoever computes a group, here or elsewhere, gets the same cells;
after each round the state of its loop is told beside them, from which it can be gone on with.

Every text but the test set's is in the pool, and the vocabulary comes from the pool's texts, which costs no label. Rows
of the example's loop (`example_method`) split and read the words as the example does.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.example_method import ROUNDS, ExampleRows, example_config
from lit_al.benchmark.judging import distinct_words, judgment
from lit_al.benchmark.methods import ENCODER, FULL, RANDOM, Method
from lit_al.benchmark.results_table import Key, Result
from lit_al.data import Corpus, first_copies
from lit_al.data.split import shuffled, stratified_split, without
from lit_al.exceptions import ConfigError
from lit_al.experiment.example import checked_example
from lit_al.loop.active_loop import ActiveLoop, FittedRound
from lit_al.loop.state import LoopState
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.metrics import counts
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

FULL_EPOCHS = 5

State = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """Cells that are computed together: seeds of a row side by side, round after round.

    Attributes:
        row: spelling of it.
        seeds: of them.
        rounds: of each.
    """

    row: str
    seeds: range
    rounds: int

    @property
    def keys(self) -> set[Key]:
        """Of its cells."""
        return {(self.row, seed, number) for seed in self.seeds for number in range(self.rounds)}

    @property
    def file(self) -> str:
        """Name of the file that its state is kept in."""
        return f"{self.row.replace(':', '-').replace('/', '-')}.{self.seeds.start}.state"


@dataclass(frozen=True)
class Step:
    """What a round of a group has brought.

    Attributes:
        cells: those that were not known.
        state: from which the group goes on; None where it cannot be gone on with.
    """

    cells: tuple[Result, ...]
    state: State | None = None


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
    """The cells of a benchmark, computed group by group.

    Args:
        config: checked.
        corpus: labeled.
        folder: for what a row of the example's loop keeps while it runs.
        report: called with what is being done before the first cell.
    """

    def __init__(
        self,
        config: BenchConfig,
        corpus: Corpus,
        folder: Path,
        report: Callable[[str], object] = lambda doing: None,
    ) -> None:
        self.config, self.corpus = config, corpus
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
        self.example = ExampleRows(corpus, split, folder / "example", config.network)
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

    # --- Cells --------------------------------------------------------------------------------------------------------

    def plan(self) -> list[Group]:
        """All groups, in the order of the rows."""
        config = self.config
        return [
            Group(row.spelling, range(first, min(first + size, config.seeds)), _rounds(row, config))
            for row in self.rows
            for size in [1 if row.how.loop == "example" else config.side_by_side]
            for first in range(0, config.seeds, size)
        ]

    def cells(self, done: Collection[Key]) -> Iterator[Result]:
        """The cells that are not done, each as soon as it is known."""
        for group in self.plan():
            if not group.keys <= set(done):
                for step in self.compute(group, done):
                    yield from step.cells

    def compute(self, group: Group, done: Collection[Key], state: State | None = None) -> Iterator[Step]:
        """The steps of a group.

        Args:
            group: of `plan`.
            done: cells that are not told again.
            state: of an earlier step, after which is gone on; None begins anew.
        """
        row = Method.of(group.row)
        if row.how.loop == "example":  # what is missing of a seed is found by computing the seed again
            for cell in self.example.cells(row, group.seeds.start):
                yield Step(_missing([cell], done))
        else:
            yield from self._rounds_of(row, group.seeds, done, state)

    def _rounds_of(self, row: Method, seeds: range, done: Collection[Key], state: State | None) -> Iterator[Step]:
        """A step for each round of seeds side by side."""
        loop = self._loop(row, seeds)
        monitors = [StoppingMonitor(None, self.pool, seed) for seed in seeds if row.how.loop == "lean"]
        if state is not None:
            loop.load_state_dict(state["loop"])
            for monitor, past in zip(monitors, state["watches"], strict=True):
                monitor.restore(past)
        for finished in loop.rounds():
            self._look(monitors, loop)
            cells = _missing(self._judge(row, loop, finished, monitors), done)
            yield Step(cells, {"loop": loop.state_dict(), "watches": [monitor.state() for monitor in monitors]})

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


def _rounds(row: Method, config: BenchConfig) -> int:
    """Cells of a seed."""
    return {"whole": 1, "example": ROUNDS + 1}.get(row.how.loop, len(config.budgets))


def _missing(cells: Iterable[Result], done: Collection[Key]) -> tuple[Result, ...]:
    return tuple(cell for cell in cells if cell.key not in done)
