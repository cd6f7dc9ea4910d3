"""`lit-al drift`: has what comes in changed since the model learned, and what may that have cost?

Today's texts are held against the model's reference (`drift.model_reference`): one that it carries, or one made of
texts of before. Tests say whether there is a shift, and an alarm is a shift that tests are sure of; the accuracy is
guessed.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from lit_al.data import load_corpus
from lit_al.data.columns import TextTable, texts_of
from lit_al.data.load import read_table
from lit_al.data.tables import DataTable, Reading
from lit_al.delivery.drift_options import DriftOptions
from lit_al.delivery.held_out import reading_model
from lit_al.delivery.origin import reference_at
from lit_al.drift.accuracy_guess import AccuracyGuess
from lit_al.drift.model_reference import FEWEST, FILE, Reference
from lit_al.drift.next_labels import Reason, next_labels, strangeness_of
from lit_al.drift.reading import encoder_of, read
from lit_al.drift.shifts import Shift, WordShift, shifts, word_shifts
from lit_al.drift.text_counts import TextCounts
from lit_al.exceptions import CheckpointError, DataError
from lit_al.exchange.carried import free_names
from lit_al.exchange.table_files import check_suffix, table_file
from lit_al.models.frozen import FrozenBiLSTM
from lit_al.models.text_teacher import TextTeacher
from lit_al.typing import UNLABELED, Float64s, Floats
from lit_al.utils.folders import write_text

REASON: Final = "drift_reason"  # column of the file of texts to label
SCHEMA: Final = 1


@dataclass(frozen=True)
class DriftReport:
    """What was found.

    Attributes:
        model: that reads the texts.
        source: of today's texts.
        reference: what they are held against.
        now: counts of today's texts.
        shifts: one for each question.
        words: that have changed, the surest first; `spelled` has their spelling.
        spelled: by id.
        guess: of the accuracy; None where the reference has no labels.
        alarms: why there is one, a clause each.
        chosen: texts to label next, their rows and why.
        texts: of today.
        notes: what else a user should read.
    """

    model: str
    source: str
    reference: Reference
    now: TextCounts
    shifts: Sequence[Shift]
    words: Sequence[WordShift]
    spelled: Sequence[str]
    guess: AccuracyGuess | None
    alarms: tuple[str, ...]
    chosen: Sequence[tuple[int, Reason]]
    texts: Sequence[str]
    notes: tuple[str, ...]

    def described(self) -> dict[str, Any]:
        """As JSON; docs/deploy.md describes it."""
        before, now = self.reference.counts, self.now
        return {
            "schema": SCHEMA,
            "model": self.model,
            "data": self.source,
            "reference": self.reference.by,
            "texts": {"before": before.texts, "now": now.texts},
            "alarm": bool(self.alarms),
            "reasons": list(self.alarms),
            "shifts": [_plain({**asdict(shift), "size": shift.size}) for shift in self.shifts],
            "unknown_share": {"before": unknown_share(before), "now": unknown_share(now)},
            "classes": {
                name: {"before": int(one), "now": int(other)}
                for name, one, other in zip(self.reference.names, before.classes, now.classes, strict=True)
            },
            "words": [{**asdict(one), "word": self.spelled[one.word]} for one in self.words],
            "accuracy": asdict(self.guess) if self.guess else None,
        }


@dataclass(frozen=True)
class _Today:
    """Today's texts, read."""

    counts: TextCounts
    said: Floats  # (n, C) as the model would have said when the reference was made
    strangeness: Float64s  # (n,)


Watch = Callable[[str, int], Callable[[int], object]]  # what is read, and how many texts; called as they are


def look(asked: DriftOptions, progress: Watch = lambda doing, total: lambda texts: None) -> DriftReport:
    """Hold texts against a model's reference, and write what was asked for, but for the page.

    Raises:
        LitALError: a model, a reference or texts that cannot be read, or that do not fit together.
    """
    if asked.to_label is not None:
        check_suffix(asked.to_label)
    model = reading_model(asked.model)
    table, source = read_table(asked.data, _reading(asked))
    found = texts_of(table, _reading(asked), labeled=False)
    encoder = encoder_of(model)
    reference, notes = _reference(asked, model, progress)
    today = _today(model, found.texts, reference, progress("reading today's texts", len(found.texts)))
    all_shifts = shifts(reference.counts, today.counts)
    guess = reference.known.guessed(today.said) if reference.known else None
    chosen = next_labels(today.said, today.strangeness, min(asked.label_rows, len(found.texts)))
    if asked.to_label is not None:
        _write_to_label(asked.to_label, table, found, chosen)
    sure = [one for one in word_shifts(reference.counts, today.counts) if one.p < asked.alarm]
    report = DriftReport(
        str(asked.model), source, reference, today.counts, all_shifts, sure, encoder.vocabulary, guess,
        tuple(_alarms(asked, all_shifts, guess, reference.exact)), chosen, found.texts,
        (*found.notes, *notes, *_few(reference.counts, today.counts)),
    )  # fmt: skip
    if asked.json is not None:
        write_text(asked.json, json.dumps(report.described(), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return report


def _reading(asked: DriftOptions) -> Reading:
    """Which columns are which, of texts whose labels are not read."""
    return Reading(asked.text_column, None, None, asked.encoding, asked.separator, asked.no_header)


def unknown_share(counts: TextCounts) -> float:
    """Of all words read."""
    return counts.unknown_units / max(1, counts.units)


def _reference(
    asked: DriftOptions, model: FrozenBiLSTM | TextTeacher, progress: Watch
) -> tuple[Reference, tuple[str, ...]]:
    """What is held against today's texts, and notes on it."""
    if asked.reference is None or Path(asked.reference).name == FILE:
        path = _own_reference(asked.model) if asked.reference is None else Path(asked.reference)
        reference = Reference.read(path)
        reference.check(encoder_of(model), model.classes, str(path))
        return reference, ()
    return _of_table(asked, model, progress)


def _own_reference(model: Path) -> Path:
    """Where the reference of a model lies.

    Raises:
        CheckpointError: it has none.
    """
    path = reference_at(model)
    if not path.is_file():
        raise CheckpointError(
            f"{model} carries no {FILE}, which lit-al fit, lit-al train (of protocol lean) and lit-al export-model "
            "leave beside a model; give texts of before as --reference FILE"
        )
    return path


def _of_table(
    asked: DriftOptions, model: FrozenBiLSTM | TextTeacher, progress: Watch
) -> tuple[Reference, tuple[str, ...]]:
    """Of texts of before, with labels or without."""
    assert asked.reference is not None  # as `_reference` has seen
    how = asdict(replace(_reading(asked), label_column=asked.label_column))
    corpus = load_corpus(asked.reference, classes=tuple(model.classes), **how)
    if len(corpus) < FEWEST:
        raise DataError(
            f"{asked.reference} has {len(corpus):,} texts, and fewer than {FEWEST} are no reference; give more texts "
            "of before"
        )
    counts, said = TextCounts.none(len(model.classes)), []
    for tokens, some in read(model, corpus.texts, progress("reading the texts of before", len(corpus))):
        counts += TextCounts.of(tokens, some)
        said.append(some)
    reference = Reference.of(counts, encoder_of(model), model.classes, f"{len(corpus):,} texts of {corpus.source}")
    rows = np.flatnonzero((corpus.labels != UNLABELED) & (corpus.classes == tuple(model.classes)))
    return reference.knowing(np.concatenate(said)[rows], corpus.labels[rows]), corpus.notes


def _today(
    model: FrozenBiLSTM | TextTeacher, texts: Sequence[str], reference: Reference, advance: Callable[[int], object]
) -> _Today:
    counts, said, strange = TextCounts.none(len(model.classes)), [], []
    words = len(encoder_of(model).vocabulary)
    for tokens, some in read(model, texts, advance):
        plain = reference.plain(some)
        counts += TextCounts.of(tokens, plain)
        said.append(plain.astype(np.float32))
        strange.append(strangeness_of(tokens, reference.counts, words))
    return _Today(counts, np.concatenate(said), np.concatenate(strange))


def _alarms(asked: DriftOptions, found: Sequence[Shift], guess: AccuracyGuess | None, exact: bool) -> Any:
    for shift in found:
        if shift.alarms(asked.alarm, asked.alarm_psi, exact=exact):
            yield f"{shift.question} have shifted" if shift.question.endswith("s") else f"{shift.question} has shifted"
    if guess is not None and asked.alarm_accuracy is not None and guess.doc < asked.alarm_accuracy:
        yield f"the accuracy is guessed at {guess.doc:.3f}, below {asked.alarm_accuracy:g}"


def _few(before: TextCounts, now: TextCounts) -> Any:
    for texts, whose in ((before.texts, "the reference"), (now.texts, "today")):
        if texts < FEWEST:
            yield f"{whose} has {texts:,} texts, too few for a test to see anything but a large shift"


def _write_to_label(path: Path, table: DataTable, found: TextTable, chosen: Sequence[tuple[int, Reason]]) -> None:
    """All columns of the table, in the order of the choice, and why each text is there."""
    names = list(dict.fromkeys(table.names))
    [reason] = free_names([REASON], names, "lit_al_")
    rows = [row for row, _ in chosen]
    columns = [[table.column(name)[row] for row in rows] for name in names]
    kinds = {**dict(zip(names, columns, strict=True)), reason: str}
    with table_file(path, [*names, reason], kinds) as write:
        write([*columns, [why for _, why in chosen]])


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """What is no number becomes null."""
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in found.items()}
