"""All labels that there are: in a run that people labeled, in one that an oracle answered, or in a file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lit_al.data import Corpus, load_corpus
from lit_al.data.split import without
from lit_al.exceptions import ConfigError, DataError
from lit_al.exchange.conflicts import in_words
from lit_al.experiment.config import config_of
from lit_al.experiment.experiment_data import prepare
from lit_al.experiment.fit_options import LabelsOptions
from lit_al.experiment.run_rows import put_back
from lit_al.models.model_registry import labels_fingerprint
from lit_al.record import RECORD_FILE, Record, sha256_of
from lit_al.record.audit import STRATEGY as AUDIT
from lit_al.record.audit import HeldBack
from lit_al.typing import UNLABELED, Ints, Rows
from lit_al.utils.terminal_text import counted


@dataclass(frozen=True)
class LabelsThere:
    """Texts, of which some have a label, and what is known of them.

    Attributes:
        corpus: the texts that may be learned from, with -1 where one has no label.
        settings: how the run learned that they are of, by name.
        strategy: what chose the texts to label; "" where that is not known.
        drawn: (d,) int64 labeled rows that chance asked for.
        notes: what else a user should read, a sentence each.
        items: of a labeling run, id of the text of each row; empty of anything else.
        settled: (s,) int64 rows whose label somebody has settled.
        seen: number of the newest event of the record that they may be of; 0 without a record.
        audits_closed: audits of the run whose labels may be among them.
    """

    corpus: Corpus
    settings: Mapping[str, Any] = field(default_factory=dict)
    strategy: str = ""
    drawn: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    notes: tuple[str, ...] = ()
    items: tuple[int, ...] = ()
    settled: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    seen: int = 0
    audits_closed: int = 0

    @property
    def fingerprint(self) -> str:
        """Of the labels, as versions of a model have it."""
        names, texts = self.corpus.classes, self.corpus.texts
        pairs = zip(self.rows.tolist(), self.labels.tolist(), strict=True)
        return labels_fingerprint((sha256_of(texts[row]), names[label]) for row, label in pairs)

    @property
    def rows(self) -> Rows:
        """(n,) int64 texts with a label."""
        return np.flatnonzero(self.corpus.labels != UNLABELED)

    @property
    def labels(self) -> Ints:
        """(n,) int64 classes of them."""
        found: Ints = self.corpus.labels[self.rows]
        return found


def labels_there(asked: LabelsOptions) -> LabelsThere:
    """What `RUN_OR_FILE` holds.

    Raises:
        LitALError: a run or data that cannot be read, or hold no labels.
    """
    folder = Path(asked.data).expanduser()
    if (folder / RECORD_FILE).is_file():
        with Record.open(folder) as record:
            found = _of_people(record, folder) if record.count_texts() else _of_oracle(record, folder)
            found = replace(found, seen=record.last_seq())
    elif (folder / "results.json").is_file():
        raise ConfigError(f"{folder} is a run without labels of its own; give the run or the data that it learned from")
    else:
        found = LabelsThere(load_corpus(**asked.corpus))
    if len(np.unique(found.corpus.labels[found.rows])) < 2:
        raise DataError(
            f"{asked.data} has labels of fewer than two classes; label more texts with lit-al annotate, or name the "
            "right column with --label-column"
        )
    return found


def _of_people(record: Record, folder: Path) -> LabelsThere:
    """What people have said of the texts of a record, by its verdicts."""
    items = list(record.items())
    place = {item.id: row for row, item in enumerate(items)}
    groups = record.groups()  # of copies of a text one is learned from
    verdicts = record.verdicts()
    back = HeldBack.of(folder)
    held = set(back.items)
    labels = groups.once({item: one.label for item, one in verdicts.items() if one.label is not None})
    labels = {item: label for item, label in labels.items() if groups.first_of(item) not in held}
    first = groups.first_labels(record.events_of_texts())
    asked = {item: first[groups.first_of(item)] for item in labels if groups.first_of(item) in first}
    drawn = [item for item, event in asked.items() if event.control or event.strategy in ("random", AUDIT)]
    chosen = {event.strategy for event in asked.values()} - {"", "random", AUDIT}
    config = record.settings.get("config")  # of a run of train.py whose oracle were people
    settings = config if isinstance(config, dict) else record.settings
    return LabelsThere(
        replace(
            _corpus([item.text or "" for item in items], place, labels, record.classes, folder),
            copies=record.settings.get("copies") or "near",
        ),
        settings,
        " and ".join(sorted(chosen)) or ("random" if len(drawn) == len(labels) else ""),
        np.array(sorted(place[item] for item in drawn), np.int64),
        (*record.mended, *filter(None, [in_words(verdicts, record.resolve, folder), _left_alone(held)])),
        tuple(place),
        np.array([place[item] for item, one in verdicts.items() if one.settled_by], np.int64),
        audits_closed=back.closed,
    )


def _left_alone(held: set[int]) -> str:
    return f"{counted(len(held), 'text')} of an open audit judge models, and none learns their labels" if held else ""


def _of_oracle(record: Record, folder: Path) -> LabelsThere:
    """What a run of train.py has paid for, and the texts that it could have asked for; its test set is left alone."""
    settings = record.settings.get("config")
    if settings is None:
        raise ConfigError(f"{folder} holds answers but no texts; give the file of the texts, labeled")
    if not record.count_items():
        raise ConfigError(f"{folder} compares two runs; give one of them, {folder / 'active'}")
    config = config_of(settings, record.path).resolved()
    began_with = record.settings.get("fingerprint")
    material = prepare(config, put_back(load_corpus(**config.corpus), folder, began_with))
    corpus, split = material.corpus, material.split
    if corpus.fingerprint != began_with:
        raise DataError(f"{config.data} is not the data that {folder} began with; put the old data back")
    kept = np.sort(without(np.arange(len(corpus)), split.test))
    place = {row: index for index, row in enumerate(kept.tolist())}
    paid = np.concatenate([split.labeled, split.validation]).tolist()
    labels = {row: corpus.classes[corpus.labels[row]] for row in paid} | record.labels("latest")
    drawn = {*paid, *(answer.item for answer in record.answers() if answer.control or answer.round == 0)}
    lean = config.protocol == "lean"
    return LabelsThere(
        _corpus([corpus.texts[row] for row in kept], place, labels, corpus.classes, folder, corpus),
        asdict(config) if lean else {"seed": config.seed},
        str(config.strategy or "") if record.labels("latest") else "random",
        np.array(sorted(place[row] for row in drawn if row in labels), np.int64),
        (f"the {len(split.test):,} texts of its test set are left alone",) if len(split.test) else (),
    )


def _corpus(
    texts: Sequence[str],
    place: Mapping[int, int],
    labels: Mapping[int, str],
    classes: Sequence[str],
    folder: Path,
    origin: Corpus | None = None,
) -> Corpus:
    """Texts under the labels given, by the ids that `place` finds."""
    number = {name: index for index, name in enumerate(classes)}
    known = np.full(len(texts), UNLABELED)
    for item, label in labels.items():
        known[place[item]] = number[label]
    source, demo = (f"run {folder.resolve().name}", False) if origin is None else (origin.source, origin.is_demo)
    copies = "near" if origin is None else origin.copies
    return Corpus(texts, known, tuple(classes), source, demo, copies=copies)
