"""What a strategy gets to see: of the pool and of the labeled rows, the arrays it asked for and no others.

A committee is trained here too. It is asked between two fits, from a hook of the model's Trainer, which must not be
entered again; so it learns in a plain loop.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from lit_al.exceptions import ConfigError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.metrics import Confusion
from lit_al.models.batches import Batches
from lit_al.models.ensemble import LitCommittee
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import score, see
from lit_al.strategies import Labeled, Pool, collapsed, one_class
from lit_al.text.lsa import vectors_of
from lit_al.typing import Float32s, Ints, Rows


@dataclass
class StrategyInputs:
    """Computes what strategies need, round by round.

    Attributes:
        committee_size: M, models in a committee.
        draws: K, draws of dropout.
        seed: of the committee's initial weights, its dropout and shuffles, and of the draws.
        committee: the committee, once one was asked for.

    Raises:
        ConfigError: a committee that cannot disagree.
    """

    committee_size: int = 5
    draws: int = 10
    seed: int = 0
    committee: LitCommittee | None = None
    _vectors: Float32s | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a committee of one."""
        if self.committee_size < 2:
            raise ConfigError(f"committee_size={self.committee_size} cannot disagree; give 2 or more")

    def pool(
        self,
        model: LitBiLSTM,
        data: ActiveDataModule,
        rows: Rows,
        needs: Collection[str],
        classes: Ints | None = None,
        epochs: int = 0,
    ) -> Pool:
        """Unlabeled rows with the arrays named, and with the probabilities wherever they were computed on the way.

        Args:
            model: after its fit.
            data: whose labeled rows a committee learns.
            rows: (n,) int64 ids.
            needs: names of `Pool`'s arrays.
            classes: (n,) int64 true classes, where they may be known; None takes those predicted.
            epochs: that a committee learns, as many as the model did since the last round.
        """
        guessed = "classes" in needs and classes is None
        batches = data.pool_dataloader(rows)
        wanted = {*needs, "probabilities"} if guessed else set(needs)
        [seen] = see(model, batches, wanted, draws=self.draws, seed=_number(self.seed, len(data.split.rounds)))
        columns: dict[str, Any] = {**seen, "classes": seen["probabilities"].argmax(axis=1) if guessed else classes}
        if "committee" in needs:
            columns["committee"] = score(self.train_committee(model, data, epochs), batches)
        if "vectors" in needs:
            columns["vectors"] = self.vectors(data, rows)
        return Pool(rows, **columns)

    def labeled(self, model: LitBiLSTM, data: ActiveDataModule, needs: Collection[str]) -> Labeled:
        """The labeled rows with the arrays named."""
        rows = data.split.labeled
        [seen] = see(model, data.pool_dataloader(rows), set(needs) - {"draws"})
        columns: dict[str, Any] = {**seen}
        if "labels" in needs:
            columns["labels"] = data.known[rows]
        if "vectors" in needs:
            columns["vectors"] = self.vectors(data, rows)
        return Labeled(rows, **columns)

    def vectors(self, data: ActiveDataModule, rows: Rows) -> Float32s:
        """(n, D) text vectors of labeled or pool rows, all made at the first call; held-out texts have no part in it.

        Both kinds of row count alike, so that the vectors stay what they are when rows get their labels.
        """
        if self._vectors is None:
            ours = data.corpus.in_order(np.concatenate([data.split.labeled, data.split.pool]))
            self._vectors = vectors_of(ours, data.tokens, len(data.encoder.vocabulary))
        return self._vectors[rows]

    def train_committee(self, model: LitBiLSTM, data: ActiveDataModule, epochs: int) -> LitCommittee:
        """Models like this one from other seeds, trained beside it: in each round they go on from their weights.

        Torch's own generator is left as it was, so that the model's next fit does not depend on the committee.
        """
        committee = (self.committee or self.new_committee(model)).to(model.device)
        devices = [model.device] if model.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), torch.enable_grad():
            torch.manual_seed(_number(self.seed, len(data.split.rounds)))
            _fit(committee, data.train_dataloader(), epochs)
        return committee

    def new_committee(self, model: LitBiLSTM) -> LitCommittee:
        """Models like this one from other seeds, which have not learned yet; kept for the rounds to come."""
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


def _number(*parts: int) -> int:
    """A seed out of several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def collapse_warning(pool: Pool, confusion: Confusion, judged: str, classes: tuple[str, ...]) -> str:
    """A sentence where the model answers nearly one class, "" where it does not.

    Args:
        pool: the candidates; where nobody needed their probabilities, the steering set speaks for them.
        confusion: of the steering set.
        judged: name of the steering set.
        classes: C names.
    """
    if "probabilities" in pool.columns:
        found, where = collapsed(pool.probabilities), f"{len(pool):,} candidates"
    else:
        answers = confusion.matrix.sum(axis=0)  # (C,)
        found, where = one_class(answers / max(answers.sum(), 1)), f"{answers.sum():,} rows of the {judged} set"
    if found is None:
        return ""
    return (
        f"the model calls {found.share:.1%} of the {where} {classes[found.label]!r}; batches chosen by its answers can "
        "keep it there, which +balanced and +random prevent"
    )
