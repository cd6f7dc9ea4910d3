"""A module that a Trainer has fitted, as the loop asks it: what it makes of the pool, no more than a strategy needs.

Nothing in the package computes more than is asked for: a pool of a million rows is scored once a round, dropout draws
and committees only where a strategy wants them.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
import torch

from lit_al.exceptions import ConfigError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.loop.method import Seen
from lit_al.loop.state import LoopState
from lit_al.metrics import Evaluation
from lit_al.models.batches import Batches
from lit_al.models.classifier import Classifier
from lit_al.models.ensemble import LitCommittee
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import evaluate, score, see
from lit_al.oracles import Oracle
from lit_al.strategies import Labeled, Pool
from lit_al.text.cache import encoded
from lit_al.text.encoder import TextEncoder
from lit_al.text.lsa import vectors_of
from lit_al.typing import Float32s, Floats, Rows

SteerOn = Literal["test", "val"]


class FittedModule:
    """One module and its data module, with whom `loop.acquisition` chooses.

    Args:
        oracle: knows the true classes of pool rows, where a strategy may see them; None lets it see those predicted.
        committee_size: M, models in a committee.
        draws: K, draws of dropout.
        seed: of the committee's initial weights, its dropout and shuffles, and of the draws.

    Attributes:
        committee: once one was asked for; it goes on from its weights in every round.

    Raises:
        ConfigError: a committee that cannot disagree.
    """

    guard = False  # a strategy chooses whatever the model answers, and a warning is said
    validation = None  # the data module has rows of its own for that
    model: Classifier
    data: ActiveDataModule

    def __init__(self, oracle: Oracle | None = None, committee_size: int = 5, draws: int = 10, seed: int = 0) -> None:
        if committee_size < 2:
            raise ConfigError(f"committee_size={committee_size} cannot disagree; give 2 or more")
        self.oracle, self.committee_size, self.draws, self.seed = oracle, committee_size, draws, seed
        self.epochs = 0
        self.committee: LitCommittee | None = None
        self._vectors: Float32s | None = None

    def take(self, model: Classifier, data: ActiveDataModule, epochs: int = 0) -> None:
        """Take a module after its fit.

        Args:
            model: on the device where it is to be asked.
            data: what it learned from.
            epochs: of the fit; a committee learns as many.
        """
        self.model, self.data, self.epochs = model, data, epochs

    def judge(self, steer_on: SteerOn) -> Evaluation:
        """The module on the set that steers."""
        split = self.data.split
        return evaluate(self.model, self.data.batches(split.test if steer_on == "test" else split.validation))

    def look(
        self,
        number: int,
        states: Sequence[LoopState],
        candidates: Sequence[Rows],
        needs: Collection[str],
        needs_labeled: Collection[str],
    ) -> list[Seen]:
        """The arrays named, and the probabilities wherever they were computed on the way."""
        [rows] = candidates
        pool = self._pool(rows, needs)
        return [Seen(pool, self._labeled(needs_labeled), pool.columns.get("probabilities"))]

    def score(self, rows: Rows) -> Floats:
        """(1, n, C) float32."""
        return score(self.model, self.data.pool_dataloader(rows))[None]

    def _pool(self, rows: Rows, needs: Collection[str]) -> Pool:
        """Unlabeled rows (n,)."""
        guessed = "classes" in needs and self.oracle is None
        batches = self.data.pool_dataloader(rows)
        wanted = {*needs, "probabilities"} if guessed else set(needs)
        [seen] = see(self.model, batches, wanted, draws=self.draws, seed=self._number)
        columns: dict[str, Any] = {**seen}
        if "classes" in needs:
            columns["classes"] = self.oracle.ask(rows) if self.oracle else seen["probabilities"].argmax(axis=1)
        if "committee" in needs:
            columns["committee"] = score(self._train_committee(), batches)
        if "vectors" in needs:
            columns["vectors"] = self._vectors_of(rows)
        return Pool(rows, **columns)

    def _labeled(self, needs: Collection[str]) -> Labeled:
        rows = self.data.split.labeled
        [seen] = see(self.model, self.data.pool_dataloader(rows), set(needs) - {"draws"})
        columns: dict[str, Any] = {**seen}
        if "labels" in needs:
            columns["labels"] = self.data.known[rows]
        if "vectors" in needs:
            columns["vectors"] = self._vectors_of(rows)
        return Labeled(rows, **columns)

    def _vectors_of(self, rows: Rows) -> Float32s:
        """(n, D) text vectors of labeled or pool rows, all made at the first call; held-out texts have no part in it.

        Both kinds of row count alike, so that the vectors stay what they are when rows get their labels.
        """
        if self._vectors is None:
            data = self.data
            ours = data.corpus.in_order(np.concatenate([data.split.labeled, data.split.pool]))
            encoder, tokens = data.encoder, data.tokens
            if not isinstance(encoder, TextEncoder):  # vectors are counts of words
                encoder = TextEncoder.fit(data.corpus.texts[row] for row in data.split.labeled)
                tokens = torch.from_numpy(encoded(data.corpus, encoder))
            self._vectors = vectors_of(ours, tokens, len(encoder.vocabulary))
        return self._vectors[rows]

    @property
    def _number(self) -> int:
        """A seed for the round at hand."""
        return int(np.random.SeedSequence((self.seed, len(self.data.split.rounds))).generate_state(1)[0])

    # --- Committee ----------------------------------------------------------------------------------------------------

    def _train_committee(self) -> LitCommittee:
        """Models like this one from other seeds, trained beside it: in each round they go on from their weights.

        Torch's own generator is left as it was, so that the model's next fit does not depend on the committee.
        """
        committee = (self.committee or self.new_committee(self.model)).to(self.model.device)
        devices = [self.model.device] if self.model.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), torch.enable_grad():
            torch.manual_seed(self._number)
            _fit(committee, self.data.train_dataloader(), self.epochs)
        return committee

    def new_committee(self, model: Classifier) -> LitCommittee:
        """Models like this one from other seeds, which have not learned yet; kept for the rounds to come.

        Raises:
            ConfigError: a network of one's own, which nobody knows how to make side by side.
        """
        if not isinstance(model, LitBiLSTM):
            raise ConfigError(
                f"a committee is made of LitBiLSTM, not of {type(model).__name__}; take a strategy that needs "
                "probabilities alone, such as margin"
            )
        seeds = np.random.SeedSequence(self.seed).generate_state(self.committee_size).tolist()
        self.committee = LitCommittee(seeds, **model.hparams)
        return self.committee


def _fit(committee: LitCommittee, batches: Batches, epochs: int) -> None:
    """Epochs of training; the optimizer starts anew, as it does in each fit of the model."""
    optimizer = committee.configure_optimizers()
    committee.train()
    for _ in range(epochs):
        for index, (tokens, labels) in enumerate(batches):
            optimizer.zero_grad()
            loss = committee.training_step((tokens.to(committee.device), labels.to(committee.device)), index)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
