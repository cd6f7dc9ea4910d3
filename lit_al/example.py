"""The loop of the Keras example, put together from settings: one run of the protocol `keras` or `honest`.

A run with a folder (`experiment`) and the benchmark (`bench`) both use it. `ExampleRows` judges after each fit what
would be delivered if the run ended there.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import lightning as L
import torch

from lit_al.callback import ActiveLearningCallback
from lit_al.cells import Cell
from lit_al.checkpoints import load_model
from lit_al.config import TrainConfig
from lit_al.corpora import UNLABELED, Corpus
from lit_al.datamodule import ActiveDataModule
from lit_al.errors import FitError
from lit_al.history import EpochHistory
from lit_al.judging import accuracy_and_loss, distinct_words
from lit_al.learner import ActiveLearner
from lit_al.ledger import Ledger
from lit_al.model import LitBiLSTM
from lit_al.oracles import Oracle, SimulatedOracle
from lit_al.outputs import Round
from lit_al.rows import Row
from lit_al.scoring import score
from lit_al.split import Split
from lit_al.strategies import RatioSampling, Strategy, make_strategy
from lit_al.text import TextEncoder

ROUNDS = 3
QUERY_SHARE = 0.1  # of the labeled rows: the example's 5,000 of 50,000; its split takes shares too (`split.SHARES`)


def strategy_of(config: TrainConfig) -> Strategy:
    """What resolved settings choose with; `ratio` follows the direction of the protocol.

    Raises:
        ConfigError: a name that does not exist.
    """
    spelling = str(config.strategy)
    if spelling == "ratio":
        return RatioSampling(config.ratio_direction)  # type: ignore[arg-type]  # resolved: not None
    first, plus, wrappers = spelling.partition("+")
    return make_strategy((f"ratio:{config.ratio_direction}" if first == "ratio" else first) + plus + wrappers)


class ExampleLoop:
    """Data, model, oracle, callback and learner of one run.

    Args:
        config: resolved settings; with the mode `full` nothing is acquired.
        corpus: texts and labels.
        split: at the start; not changed.
        encoder: texts to word ids.
        folder: where the best checkpoint goes.
        ledger: records what is asked and answered, where it is to be recorded.
        on_epoch: called with each epoch's record.
        on_round: called with each acquisition.
        callbacks: more of Lightning's.
    """

    def __init__(
        self,
        config: TrainConfig,
        corpus: Corpus,
        split: Split,
        encoder: TextEncoder,
        folder: Path,
        *,
        ledger: Ledger | None = None,
        on_epoch: Callable[[Any], None] | None = None,
        on_round: Callable[[Round], None] | None = None,
        callbacks: Sequence[L.Callback] = (),
    ) -> None:
        self.config = config
        L.seed_everything(config.seed, verbose=False)
        own = replace(split, rounds=list(split.rounds))
        self.data = ActiveDataModule(corpus, own, encoder, batch_size=config.batch_size, seed=config.seed)  # type: ignore[arg-type]
        self.model = LitBiLSTM(
            corpus.classes,
            encoder.state_dict(),
            learning_rate=config.learning_rate,
            kernel=config.kernel,
            masked=config.padding == "masked",
        )
        self.ledger, oracle = ledger, SimulatedOracle(corpus.labels)
        self.oracle: Oracle = ledger.oracle(oracle) if ledger else oracle
        self.history = EpochHistory(on_epoch)
        self.acquisition = self._acquisition(on_round) if config.mode == "active" else None
        self.learner = ActiveLearner(
            self.model,
            self.data,
            self.acquisition,
            folder=folder,
            history=self.history,
            max_epochs=config.max_epochs,
            patience=config.patience,
            accelerator=config.accelerator,
            devices=config.devices,
            precision=config.precision,
            callbacks=callbacks,
        )

    def _acquisition(self, on_round: Callable[[Round], None] | None) -> ActiveLearningCallback:
        config = self.config
        return ActiveLearningCallback(
            self.oracle,
            strategy_of(config),
            rounds=config.rounds,  # type: ignore[arg-type]  # resolved: not None
            query_size=config.query_sizes[0],
            steer_on=config.steer_on,  # type: ignore[arg-type]
            pool_classes=config.pool_classes,  # type: ignore[arg-type]
            target_accuracy=config.target_accuracy,
            seed=config.seed,
            committee_size=config.committee_size,
            on_round=on_round,
            ledger=self.ledger,
        )

    @property
    def steered(self) -> bool:
        """Does a decision depend on the steering set? Else it is judged on for the report alone."""
        if self.acquisition is None:
            return False
        return self.acquisition.strategy.needs_confusion or self.config.target_accuracy is not None

    def labels_spent(self) -> dict[str, int]:
        """Every label that the model's weights or a decision depended on so far."""
        split = self.data.split
        train, validation = len(split.labeled), len(split.validation)
        steering = len(split.test) if self.steered and self.config.steer_on == "test" else 0
        return {"train": train, "validation": validation, "steering": steering, "total": train + validation + steering}


class ExampleRows:
    """Cells of a benchmark's rows `keras/…` and `honest/…`: ROUNDS + 1 fits a seed.

    Rows of a seed share initial weights; all share the split, and with it the first labels.

    Args:
        corpus: texts and labels.
        split: of the benchmark; its test set judges and, under `keras`, steers too.
        folder: where the best checkpoint of the seed at hand is kept.
    """

    def __init__(self, corpus: Corpus, split: Split, folder: Path) -> None:
        self.corpus, self.split, self.folder = corpus, split, folder

    @cached_property
    def encoder(self) -> TextEncoder:
        """Knows the words of the first labeled texts, as in the example."""
        return TextEncoder.fit(self.corpus.texts[row] for row in self.split.labeled)

    def cells(self, row: Row, seed: int) -> Iterator[Cell]:
        """A cell after each fit; where the pool runs short before the last round, the rest say so."""
        config = example_config(row, int((self.corpus.labels != UNLABELED).sum()), seed)
        loop = ExampleLoop(config, self.corpus, self.split, self.encoder, self.folder)
        spent = loop.labels_spent()
        for number in loop.learner.fits():
            yield self._cell(row, loop, number, spent, **self._judged(loop))
            spent = loop.labels_spent()
        acquisition = loop.acquisition
        assert acquisition is not None  # the mode is active
        for number in range(acquisition.fits, ROUNDS + 1):
            yield self._cell(row, loop, number, spent, error=f"not fitted: {acquisition.stop_reason}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _judged(self, loop: ExampleLoop) -> dict[str, Any]:
        """Accuracy and loss of the best checkpoint so far, or why there is none."""
        try:
            path = loop.learner.best_path
        except FitError as error:
            return {"error": str(error)}
        with torch.random.fork_rng(devices=[]):  # a new model draws weights; the run's own chance is left as it was
            model = load_model(path).to(loop.model.device)
        rows = self.split.test
        return accuracy_and_loss(score(model, loop.data.pool_dataloader(rows)), self.corpus.labels[rows])

    def _cell(self, row: Row, loop: ExampleLoop, number: int, spent: dict[str, int], **found: Any) -> Cell:
        rounds = loop.acquisition.history if loop.acquisition else []
        if 0 < number <= len(rounds):
            batch = rounds[number - 1]
            found |= {"predicted": batch.predicted, "taken": batch.taken}
            found["diversity"] = distinct_words(loop.data.tokens[torch.from_numpy(batch.rows)].cpu().numpy())
        return Cell(
            row.spelling,
            loop.config.seed,
            number,
            labels=spent["train"],
            labels_spent=spent["total"],
            fit_seconds=sum(epoch.seconds for epoch in loop.history.epochs if epoch.fit == number),
            **found,
        )


def example_config(row: Row, labeled: int = 0, seed: int = 0) -> TrainConfig:
    """Settings of one seed of a row, over so many labeled texts; `ratio:as-stated` turns the protocol's direction.

    >>> config = example_config(Row.of("keras/ratio:as-stated"), 50_000)
    >>> config.strategy, config.ratio_direction, config.steer_on, config.query_size
    ('ratio', 'as-stated', 'test', 5000)
    """
    name, _, direction = row.picks.partition(":")
    turned = name == "ratio" and direction in ("as-coded", "as-stated")
    return TrainConfig(
        protocol=row.how.name,  # type: ignore[arg-type]  # its ways to train are named after the protocols
        strategy=name if turned else row.picks,
        ratio_direction=direction if turned else None,  # type: ignore[arg-type]
        rounds=ROUNDS,
        query_size=max(1, round(QUERY_SHARE * labeled)),
        seed=seed,
    ).resolved()
