"""What a run works on: the corpus, its split, the vocabulary, and what was counted on the way."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lit_al.data import Corpus, PartDuplicates, count_contradictions, count_duplicates_across, first_copies, load_corpus
from lit_al.data.split import Split, apportion, rare_classes, shuffled, stratified_split, without
from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.oracles import SimulatedOracle
from lit_al.text.encoder import TextEncoder, suited_encoder
from lit_al.typing import UNLABELED, Ints, Mask, Rows


@dataclass(frozen=True)
class ExperimentData:
    """The encoded corpus, its split, and what was counted on the way.

    Attributes:
        corpus: texts, labels, class names.
        split: at the start of the run.
        encoder: texts to ids.
        reading: what the encoder reads, and why, a line; "" where it was not for the texts to decide.
        duplicates: by part of the split.
        extra_copies: rows that repeat the text of an earlier one.
        contradictions: texts that stand under two labels.
        dropped: the extra copies take no part.
    """

    corpus: Corpus
    split: Split
    encoder: TextEncoder
    reading: str
    duplicates: Mapping[str, PartDuplicates]
    extra_copies: int
    contradictions: int
    dropped: bool

    def described(self) -> dict[str, Any]:
        """The `data` of `results.json`; docs/results-schema.md describes it."""
        corpus = self.corpus
        return {
            "source": corpus.source,
            "demo": corpus.is_demo,
            "fingerprint": corpus.fingerprint,
            "rows": len(corpus),
            "classes": list(corpus.classes),
            "unlabeled": int((corpus.labels < 0).sum()),
            "split": {part: len(rows) for part, rows in self.split.parts.items()},
            "duplicates": {part: asdict(found) for part, found in self.duplicates.items()},
            "contradicting_duplicates": self.contradictions,
            "extra_copies": self.extra_copies,
            "dropped_duplicates": self.extra_copies if self.dropped else 0,
            "copies": described_copies(corpus),
            "notes": [*corpus.notes, *self.split.notes],
        }


def described_copies(corpus: Corpus) -> dict[str, Any]:
    """Texts beyond the first of each group, as `results.json` has them."""
    return {"taken_for": corpus.copies, "exact": corpus.grouped.exact, "near": corpus.grouped.near}


def prepare(config: TrainConfig, corpus: Corpus | None = None) -> ExperimentData:
    """Load, split and learn the vocabulary, from the initial texts or, with the lean protocol, from the pool's.

    Args:
        config: resolved settings.
        corpus: what they name, where it has been loaded already.

    Raises:
        LitALError: settings or data that cannot work.
    """
    corpus = corpus or load_corpus(**config.corpus)
    first = first_copies(corpus.texts)
    lean = config.protocol == "lean"
    if config.oracle == "file":
        split = _people_split(config, corpus, first)
    else:
        split = _lean_split(config, corpus, first) if lean else _split(config, corpus, first, config.initial_size)
    encoder, reading = suited_encoder(
        [corpus.texts[row] for row in (split.pool if lean else split.labeled)],
        units=config.units or "words",
        vocabulary_size=config.vocabulary_size,  # type: ignore[arg-type]  # resolved: not None, as are the others
        max_length=config.max_length,  # type: ignore[arg-type]
        how=config.standardize,  # type: ignore[arg-type]
        cut=config.cut,  # type: ignore[arg-type]
    )
    return ExperimentData(
        corpus,
        split,
        encoder,
        reading,
        count_duplicates_across(corpus.texts, split.parts),
        extra_copies=int((~first).sum()),
        contradictions=count_contradictions(corpus.texts, corpus.labels),
        dropped=config.drop_duplicates,
    )


def _split(config: TrainConfig, corpus: Corpus, first: Mask, initial: int | None) -> Split:
    return stratified_split(
        corpus,
        seed=config.split_seed,
        validation=config.val_size,
        test=config.test_size,
        initial=initial,
        keep=first if config.drop_duplicates else None,
    )


def _lean_split(config: TrainConfig, corpus: Corpus, first: Mask) -> Split:
    """The test set of the other protocols and of the benchmark; all else that the oracle can answer is the pool.

    Of a text and its copies one is asked and learned from, as where people label. IMDB and the demo corpus stay as they
    were, to be compared with figures of earlier versions.
    """
    test = _split(config, corpus, first, None).test
    keep = SimulatedOracle(corpus.labels).can_answer(np.arange(len(corpus)))
    if config.drop_duplicates:
        keep &= first
    order = shuffled(corpus, config.split_seed)
    none: Rows = np.empty(0, np.int64)
    pool = without(order[keep[order]], test)
    pool = pool if corpus.is_example else corpus.one_of_each(pool)
    notes = rare_classes(corpus, _counts(corpus, np.concatenate([pool, test])), {"test": test})
    return Split(none, test, pool, notes=notes)


def _people_split(config: TrainConfig, corpus: Corpus, first: Mask) -> Split:
    """All that people can be asked is the pool, but for a test set of labels that are there, where one is wanted."""
    order = shuffled(corpus, config.split_seed)
    if config.drop_duplicates:
        order = order[first[order]]
    labels = corpus.labels[order]
    test: Rows = np.empty(0, np.int64)
    notes: tuple[str, ...] = ()
    if config.test_size is not None:
        counts = _counts(corpus, order)
        if not 1 <= config.test_size <= counts.sum():
            raise ConfigError(
                f"--test-size {config.test_size} must lie between 1 and the {counts.sum():,} labels that the data has"
            )
        sizes = apportion(config.test_size, counts.tolist())
        test = np.concatenate([order[labels == index][:n] for index, n in enumerate(sizes)])
        notes = rare_classes(corpus, counts, {"test": test})
    none: Rows = np.empty(0, np.int64)
    groups = corpus.grouped.numbers
    pool = order[~np.isin(groups[order], groups[test])]
    return Split(none, test, corpus.one_of_each(pool), notes=notes)


def _counts(corpus: Corpus, rows: Rows) -> Ints:
    """(C,) labeled ones of the rows, by class."""
    labels = corpus.labels[rows]
    return np.bincount(labels[labels != UNLABELED], minlength=len(corpus.classes))
