"""Rows `keras/…` and `honest/…` of a benchmark: the example's loop, judged after each fit as if it ended there."""

import copy
import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from lit_al.benchmark.judging import distinct_words, judgment
from lit_al.benchmark.methods import Method
from lit_al.benchmark.results_table import Result
from lit_al.data import Corpus
from lit_al.data.split import Split
from lit_al.exceptions import FitError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.example import ExampleLoop
from lit_al.models.checkpoint import load_weights
from lit_al.models.scoring import score
from lit_al.text.encoder import TextEncoder
from lit_al.typing import UNLABELED

ROUNDS = 3
QUERY_SHARE = 0.1  # of the labeled rows: the example's 5,000 of 50,000; its split takes shares too (`split.SHARES`)


class ExampleRows:
    """Cells of a benchmark's rows `keras/…` and `honest/…`: ROUNDS + 1 fits a seed.

    Rows of a seed share initial weights; all share the split, and with it the first labels.

    Args:
        corpus: texts and labels.
        split: of the benchmark; its test set judges and, under `keras`, steers too.
        folder: where the best checkpoint of the seed at hand is kept.
        network: of the user's own; None takes LitBiLSTM.
    """

    def __init__(self, corpus: Corpus, split: Split, folder: Path, network: str | None = None) -> None:
        self.corpus, self.split, self.folder, self.network = corpus, split, folder, network

    @cached_property
    def encoder(self) -> TextEncoder:
        """Knows the words of the first labeled texts, as in the example."""
        return TextEncoder.fit(self.corpus.texts[row] for row in self.split.labeled)

    def cells(self, row: Method, seed: int) -> Iterator[Result]:
        """A cell after each fit; where the pool runs short before the last round, the rest say so."""
        config = example_config(row, int((self.corpus.labels != UNLABELED).sum()), seed, self.network)
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
        """Scores and loss of the best checkpoint so far, or why there is none."""
        try:
            path = loop.learner.best_path
        except FitError as error:
            return {"error": str(error)}
        model = copy.deepcopy(loop.model)  # the loop goes on from its last weights, not its best
        load_weights(model, path)
        rows = self.split.test
        return judgment(score(model, loop.data.pool_dataloader(rows)), self.corpus.labels[rows])

    def _cell(self, row: Method, loop: ExampleLoop, number: int, spent: dict[str, int], **found: Any) -> Result:
        rounds = loop.acquisition.history if loop.acquisition else []
        if 0 < number <= len(rounds):
            batch, classes = rounds[number - 1].query, len(self.corpus.classes)
            found |= {"predicted": batch.called(classes), "taken": batch.taken(classes)}
            if self.network is None:  # whose encoder says which numbers are words
                found["diversity"] = distinct_words(loop.data.tokens[torch.from_numpy(batch.rows)].cpu().numpy())
        return Result(
            row.spelling,
            loop.config.seed,
            number,
            labels=spent["train"],
            labels_spent=spent["total"],
            fit_seconds=sum(epoch.seconds for epoch in loop.history.epochs if epoch.fit == number),
            **found,
        )


def example_config(row: Method, labeled: int = 0, seed: int = 0, network: str | None = None) -> TrainConfig:
    """Settings of one seed of a row, over so many labeled texts; `ratio:as-stated` turns the protocol's direction.

    >>> config = example_config(Method.of("keras/ratio:as-stated"), 50_000)
    >>> config.strategy, config.ratio_direction, config.steer_on, config.query_size
    ('ratio', 'as-stated', 'test', 5000)
    """
    name, _, direction = row.picks.partition(":")
    turned = name == "ratio" and direction in ("as-coded", "as-stated")
    return TrainConfig(
        protocol=row.how.name,  # type: ignore[arg-type]  # its ways to train are named after the protocols
        strategy=name if turned else row.picks,
        ratio_direction=direction if turned else None,  # type: ignore[arg-type]  # one of the two, as tested above
        rounds=ROUNDS,
        query_size=max(1, round(QUERY_SHARE * labeled)),
        seed=seed,
        network=network,
    ).resolved()
