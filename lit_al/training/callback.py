"""Active learning as one Lightning callback: it acquires between the fits of your own Trainers.

    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels))
    while not callback.done:
        Trainer(max_epochs=20, callbacks=[callback, EarlyStopping("val_loss", patience=4)]).fit(model, data)

Each pass needs a fresh Trainer: one that has reached `max_epochs` trains nothing more. The callback acts in
`on_train_end`, which Lightning skips when a fit is interrupted, so that Ctrl-C acquires nothing.
"""

import time
from collections.abc import Callable, Sequence
from typing import Literal

import lightning as L
import numpy as np

from lit_al.data.split import without
from lit_al.exceptions import ConfigError
from lit_al.loop.acquisition import Acquisition, QueryJournal
from lit_al.loop.data_module import ActiveDataModule
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round, Seconds, warning_of
from lit_al.loop.state import LoopState
from lit_al.loop.stopping_monitor import Source, StoppingMonitor
from lit_al.metrics import Evaluation
from lit_al.models.checkpoint import load_weights
from lit_al.models.classifier import Classifier
from lit_al.oracles import Oracle
from lit_al.stopping import Rule, make_rule
from lit_al.strategies import RatioSampling, Strategy
from lit_al.training.fitted_module import FittedModule, SteerOn

PoolClasses = Literal["true", "predicted"]


class ActiveLearningCallback(L.Callback):
    """After each fit: judge the model, let a strategy choose the next query, label, go on.

    The defaults are those of the Keras example, leaks included: it steers by the test set and splits the pool by labels
    that nobody has paid for. `steer_on="val"`, `pool_classes="predicted"` and `RatioSampling("as-stated")` are the
    honest settings. Any other strategy of `lit_al.strategies` will do; what it needs is computed, and no more.

    Where the Trainer has a checkpoint callback, the best weights so far are loaded after every fit but the first,
    before the model is judged and goes on to learn; so does the example.

    Args:
        oracle: answers the queries.
        strategy: chooses; it keeps what it remembers over all rounds.
        rounds: acquisitions at most.
        query_size: rows per acquisition, or of each, whose last size goes on.
        steer_on: the set whose errors decide.
        pool_classes: the class of a pool row: its true one, or what the model at hand predicts.
        target_accuracy: acquire no more once the steering set reaches it.
        stop: rule that ends the acquisitions, or its spelling; None looks at no model for it. It follows the accuracy
            on the validation set where that steers, else the one by random controls.
        seed: of all chance in choosing.
        committee_size: models that a strategy asks which needs a committee.
        on_round: called with each acquisition, to show or store it.
        journal: gets every query before the oracle does, and remembers those of an earlier sitting.

    Attributes:
        history: the acquisitions so far.
        fits: fits ended so far.
        done: nothing is left to acquire or to fit.
        stop_reason: why, in words; "" until then.

    Raises:
        ConfigError: a setting out of range.
    """

    def __init__(
        self,
        oracle: Oracle,
        strategy: Strategy | None = None,
        *,
        rounds: int = 3,
        query_size: int | Sequence[int] = 5_000,
        steer_on: SteerOn = "test",
        pool_classes: PoolClasses = "true",
        target_accuracy: float | None = None,
        stop: Rule | str | None = None,
        seed: int = 0,
        committee_size: int = 5,
        on_round: Callable[[Round], None] | None = None,
        journal: QueryJournal | None = None,
    ) -> None:
        self.query_sizes = [query_size] if isinstance(query_size, int) else list(query_size)
        _check(rounds, self.query_sizes, target_accuracy)
        self.strategy: Strategy = strategy or RatioSampling()
        self.rounds = rounds
        self.steer_on = steer_on
        self.target_accuracy = target_accuracy
        self.rule = make_rule(stop) if isinstance(stop, str) else stop
        self.monitor: StoppingMonitor | None = None  # it draws from the pool, which is not here yet
        self.models = FittedModule(oracle if pool_classes == "true" else None, committee_size, seed=seed)
        self.state = LoopState(seed, self.strategy, np.empty(0, np.int64))
        self.on_round = on_round
        self.oracle, self.journal = oracle, journal
        self.history: list[Round] = []
        self.fits = 0
        self.done = False
        self.stop_reason = ""
        self._acquisition: Acquisition | None = None  # as the monitor
        self._began = 0.0
        self._epochs = 0

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock of the round."""
        self._began = time.perf_counter()
        self._epochs = 0

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the epochs of the fit: a committee learns as many."""
        self._epochs += 1

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Judge, decide, acquire."""
        model, data = _parts(trainer, pl_module)
        best = getattr(trainer.checkpoint_callback, "best_model_path", "")
        if self.fits > 0 and best:
            load_weights(pl_module, best)
        self.fits += 1
        self.models.take(model, data, self._epochs)
        self.state.steering = self.models.judge(self.steer_on) if self._may_acquire() else None
        self.watch(data)
        by_rule = self.monitor.record(self.models.score(self.monitor.rows)[0], self.state) if self.monitor else ""
        self.stop_reason = self._stop(self.state.steering) or by_rule
        if self.state.steering is None or self.stop_reason:
            self.done = True
            return
        query = trainer.strategy.broadcast(self.next_query())
        if query.rows.size == 0:
            exact = self.strategy.exact
            self.done, self.stop_reason = True, f"the pool holds no row{'' if exact else ' of a wanted class'}"
            return
        assert self._acquisition is not None  # it has chosen
        self._acquisition.ask([query])
        self._record(data)

    def next_query(self) -> Query:
        """What the module that was fitted last asks for of the pool watched last; the journal has it from now on."""
        assert self._acquisition is not None  # the pool was watched
        done = len(self.history)
        size = self.query_sizes[min(done, len(self.query_sizes) - 1)]
        [query] = self._acquisition.choose(done + 1, [size])
        return query

    def _may_acquire(self) -> bool:
        return len(self.history) < self.rounds and not (self.history and self.history[-1].query.choice.short)

    def _stop(self, steering: Evaluation | None) -> str:
        """Why to acquire no more, or "" to go on."""
        if self.history and self.history[-1].query.choice.short:
            return f"the pool ran short in round {len(self.history)}"
        if steering is None:
            return f"all {self.rounds} rounds are done"
        if self.target_accuracy is not None and steering.accuracy >= self.target_accuracy:
            return f"accuracy {steering.accuracy:.4f} on the {self.steer_on} set reached {self.target_accuracy}"
        return ""

    def watch(self, data: ActiveDataModule) -> None:
        """Look at the pool and the labels as they are now, whoever gave them; what was asked once is not asked again.

        Where there is a rule, its monitor draws from the pool of the first look.
        """
        split, asked = data.split, [done.query.rows for done in self.history]
        pool = without(split.pool, *asked)
        self.state.pool = pool[self.oracle.can_answer(pool)]
        self.state.labeled, self.state.answers = split.labeled, data.known[split.labeled]
        self.state.asked = len(split.labeled) + sum(done.query.skipped for done in self.history)
        if self._acquisition is None:
            classes = len(data.corpus.classes)
            self._acquisition = Acquisition(
                self.models, self.oracle, [self.state], classes=classes, journal=self.journal
            )
        if self.rule is not None and self.monitor is None:
            follows: Source = "steering" if self.steer_on == "val" else "controls"
            source = "on the validation set" if follows == "steering" else "by random controls"
            self.monitor = StoppingMonitor(self.rule, self.state.pool, self.state.seed, follows, source)

    def _record(self, data: ActiveDataModule) -> None:
        """Hand the answers to the data module, and the round to whoever listens."""
        query, state = self.state.query, self.state
        assert query is not None  # it was just asked
        data.label(query.rows[query.given], query.said[query.given])
        seconds = Seconds(time.perf_counter() - self._began)
        warning = warning_of(query, self.models.model.classes, self.models.guard)
        done = Round(query, len(state.labeled), seconds, state.asked, warning, state.steering)
        self.history.append(done)
        if self.on_round is not None:
            self.on_round(done)


def _check(rounds: int, query_sizes: Sequence[int], target_accuracy: float | None) -> None:
    if rounds < 0:
        raise ConfigError(f"rounds={rounds} must be 0 or more")
    if not query_sizes or min(query_sizes) < 1:
        raise ConfigError(f"query_size={','.join(map(str, query_sizes))} must be 1 or more")
    if target_accuracy is not None and not 0 < target_accuracy <= 1:
        raise ConfigError(f"target_accuracy={target_accuracy} must lie above 0 and at most at 1, as in 0.9")


def _parts(trainer: L.Trainer, pl_module: L.LightningModule) -> tuple[Classifier, ActiveDataModule]:
    data = getattr(trainer, "datamodule", None)
    if not isinstance(pl_module, Classifier) or not isinstance(data, ActiveDataModule):
        raise ConfigError(
            "ActiveLearningCallback needs trainer.fit(module, ActiveDataModule), the module with its class names as "
            f"`classes`, but got {type(pl_module).__name__} and {type(data).__name__}"
        )
    return pl_module, data
