"""The loop of the Keras example, put together from settings: one run of the protocol `keras` or `honest`.

A run with a folder (`example_session`) and the benchmark (`example_method`) both use it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L

from lit_al.data import Corpus
from lit_al.data.split import Split
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.journal import Journal
from lit_al.loop.data_module import ActiveDataModule
from lit_al.loop.rounds import Round
from lit_al.models.classifier import Encoder
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.own_network import load_network, make_network
from lit_al.oracles import Oracle, SimulatedOracle
from lit_al.stopping import make_rule
from lit_al.strategies import RatioSampling, Strategy, make_strategy
from lit_al.text.encoder import TextEncoder
from lit_al.training.callback import ActiveLearningCallback
from lit_al.training.history import EpochHistory
from lit_al.training.learner import ActiveLearner


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


def checked_example(config: TrainConfig) -> None:
    """Refuse what cannot be, before anything is loaded.

    Raises:
        ConfigError: a strategy or a rule that does not exist; a network that cannot be imported.
    """
    strategy_of(config)
    if config.stop:
        make_rule(config.stop)
    if config.network:
        load_network(config.network)


class ExampleLoop:
    """Data, model, oracle, callback and learner of one run.

    Args:
        config: resolved settings; with the mode `full` nothing is acquired.
        corpus: texts and labels.
        split: at the start; not changed.
        encoder: texts to word ids.
        folder: where the best checkpoint goes.
        journal: records what is asked and answered, where it is to be recorded.
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
        journal: Journal | None = None,
        on_epoch: Callable[[Any], None] | None = None,
        on_round: Callable[[Round], None] | None = None,
        callbacks: Sequence[L.Callback] = (),
    ) -> None:
        self.config = config
        L.seed_everything(config.seed, verbose=False)
        own = replace(split, rounds=list(split.rounds))
        self.model = self._network(corpus, encoder)
        reads: Encoder = self.model if config.network and hasattr(self.model, "encode") else encoder
        self.data = ActiveDataModule(corpus, own, reads, batch_size=config.batch_size, seed=config.seed)  # type: ignore[arg-type]
        self.journal, oracle = journal, SimulatedOracle(corpus.labels)
        self.oracle: Oracle = journal.oracle(oracle) if journal else oracle
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

    def _network(self, corpus: Corpus, encoder: TextEncoder) -> Any:
        if self.config.network:
            return make_network(self.config.network, corpus.classes)
        return LitBiLSTM(
            corpus.classes,
            encoder.state_dict(),
            learning_rate=self.config.learning_rate,  # type: ignore[arg-type]  # resolved: not None
            kernel=self.config.kernel,
            masked=self.config.padding == "masked",
        )

    def _acquisition(self, on_round: Callable[[Round], None] | None) -> ActiveLearningCallback:
        config = self.config
        return ActiveLearningCallback(
            self.oracle,
            strategy_of(config),
            rounds=config.rounds,  # type: ignore[arg-type]  # resolved: not None
            query_size=config.query_sizes,
            steer_on=config.steer_on,  # type: ignore[arg-type]
            pool_classes=config.pool_classes,  # type: ignore[arg-type]
            target_accuracy=config.target_accuracy,
            stop=config.stop,
            seed=config.seed,
            committee_size=config.committee_size,
            on_round=on_round,
            journal=self.journal,
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
