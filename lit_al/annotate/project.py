"""A run folder to label: made from a file of texts, or the one that an earlier start has left.

The same call again goes on with the same run. Rows of the file may have moved meanwhile: each is found by its id or by
what it says (`annotate.rows`). What would change a run under its labels is refused, and the refusal names what differs:
another text under an id, other label names, other settings.
"""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid5

from lit_al.annotate.names import FILE_ANNOTATOR
from lit_al.annotate.project_options import DEFAULTS, ProjectSettings
from lit_al.annotate.rows import Rows
from lit_al.annotate.seed_words import read_seed_words, without_texts
from lit_al.annotate.suggesting import take_suggestions
from lit_al.data import IMDB_CLASSES, Corpus, load_corpus
from lit_al.data.beside import Beside
from lit_al.data.tables import Reading
from lit_al.exceptions import ConfigError, DamagedError, DataError, RunError, StoreError
from lit_al.record import (
    BACKUP_FILE,
    MIRROR_FILE,
    RECORD_FILE,
    Action,
    NewEvent,
    Record,
    damaged,
    missing,
    sha256_of,
)
from lit_al.record.own_columns import OwnColumns
from lit_al.text.units import suited
from lit_al.typing import UNLABELED
from lit_al.utils.cells import check_column
from lit_al.utils.links import own
from lit_al.utils.options import flag
from lit_al.utils.terminal_text import say

_MANY_EVENTS = 2_000  # in one transaction


@dataclass(frozen=True)
class Project:
    """A run, ready to be labeled; a context manager that closes its record.

    Attributes:
        folder: of the run.
        record: open.
        notes: what the user should know, a sentence each.
    """

    folder: Path
    record: Record
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the run, for people."""
        return self.folder.resolve().name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.record.close()


def folder_of(wish: ProjectSettings) -> Path:
    """The run's folder, there or not.

    Raises:
        ConfigError: it is not to be known, or its name leads elsewhere.
        StoreError: its record is missing.
    """
    if wish.run is not None:
        if not own(wish.run / RECORD_FILE).is_file():
            if any((wish.run / name).is_file() for name in (BACKUP_FILE, MIRROR_FILE)):
                raise StoreError(missing(wish.run / RECORD_FILE))
            raise ConfigError(f"{wish.run} is no run with labels: it holds no {RECORD_FILE}")
        return wish.run
    if wish.data is None:
        raise ConfigError("give --data FILE and --labels to begin a run, or --run RUN to go on with one")
    name = Path(wish.data).expanduser().resolve().stem if wish.name is None else wish.name
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
        raise ConfigError(f"--name {name!r} must be a plain folder name, without slashes")
    return Path(wish.log_dir, name)


def corpus_of(wish: ProjectSettings) -> Corpus | None:
    """The texts asked for, and nothing made yet: what is wrong with them or the settings is said before.

    Returns:
        None where a run is gone on with, without data.

    Raises:
        LitALError: texts, labels or settings that cannot work.
    """
    folder_of(wish)
    from lit_al.strategies import make_strategy

    make_strategy(wish.asked.get("strategy", DEFAULTS["strategy"]))
    if wish.guidelines is not None:
        _read_guidelines(wish.guidelines)
    corpus = None if wish.data is None else _corpus(wish)
    if wish.seed_words is not None and corpus is not None:
        _check_seed_words(wish.seed_words, corpus)
    _check_vectors(wish, corpus)
    return corpus


def _check_seed_words(spelling: str, corpus: Corpus) -> None:
    """Refuse seed words of no class; warn of those that no text holds.

    Raises:
        ConfigError: as `read_seed_words`.
    """
    words = read_seed_words(spelling, corpus.classes)
    if lost := without_texts(words, corpus.texts):
        shown = ", ".join(map(repr, lost[:5])) + (", …" if len(lost) > 5 else "")
        say(f"note: no text holds the seed words {shown}", sys.stderr)


def _check_vectors(wish: ProjectSettings, corpus: Corpus | None) -> None:
    """Refuse an encoder or a file of vectors that would fail later, out of sight, in the trainer."""
    from lit_al.text.embeddings import read_embeddings
    from lit_al.text.pretrained import check_encoder, check_package

    if wish.encoder is not None:
        check_encoder(wish.encoder)
        check_package()
    if wish.embeddings is not None and corpus is not None:
        full = [row for row, text in enumerate(corpus.texts) if text and not text.isspace()]
        texts = Corpus([corpus.texts[row] for row in full], corpus.labels[full], corpus.classes)
        read_embeddings(Path(wish.embeddings).expanduser(), texts)


def make_folder(wish: ProjectSettings) -> Path:
    """The folder of the run, made if it is not there.

    Raises:
        RunError: it cannot be made, or holds something else.
    """
    folder = folder_of(wish)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise RunError(f"{folder} cannot be made: {error.strerror or error}; give another --log-dir") from error
    if RECORD_FILE not in there and {BACKUP_FILE, MIRROR_FILE} & set(there):
        raise StoreError(missing(folder / RECORD_FILE))
    if RECORD_FILE not in there and set(there) - {"owner.lock"}:
        raise RunError(f"{folder} is there already and is no run with labels; give another --name")
    return folder


def open_project(wish: ProjectSettings, folder: Path, corpus: Corpus | None = None) -> Project:
    """The run as it was left, or a new one; the caller owns the folder.

    Args:
        wish: for it.
        folder: of the run.
        corpus: as `corpus_of` has found it; None to look.

    Raises:
        LitALError: texts that cannot be read, or a run that is another one.
    """
    is_new = not (folder / RECORD_FILE).exists()
    corpus = corpus or corpus_of(wish)
    if is_new:
        assert corpus is not None  # without data there is a record, or `Wish.folder` has refused
        record = Record.create(folder / RECORD_FILE, corpus.classes, settings=_settings(wish, corpus))
    else:
        record = Record.open(folder)
    try:
        _check_known(record)
        notes = (*_filled(wish, record, corpus, is_new), *record.mended, *_backed_up(record))
    except BaseException:
        record.close()
        raise
    return Project(folder, record, notes)


def _corpus(wish: ProjectSettings) -> Corpus:
    """The texts of the data, under the labels asked for."""
    labels = wish.classes or (IMDB_CLASSES if wish.data == "demo" else ())
    if len(labels) < 2:
        raise ConfigError("give two labels or more, as in --labels negative,positive")
    corpus = load_corpus(**{**wish.corpus, "classes": labels})
    if corpus.classes != labels:
        raise ConfigError(f"--data {wish.data} has the labels {','.join(corpus.classes)}; give these as --labels")
    if all(not text or text.isspace() for text in corpus.texts):
        raise DataError(f"{wish.data} holds no text that is not empty")
    for name in wish.show_columns:
        check_column(name, list(corpus.columns), corpus.source, "--show-columns")
    return corpus


def _settings(wish: ProjectSettings, corpus: Corpus) -> dict[str, Any]:
    """The settings of a new run, its data among them."""
    settings = {**DEFAULTS, **wish.asked}
    path = Path(str(wish.data)).expanduser()
    source = {"data": str(path.resolve()) if path.exists() else str(wish.data), "rows": len(corpus)}
    return {**settings, "source": {**source, "sha256": _digest(corpus.texts)}}


def _filled(wish: ProjectSettings, record: Record, corpus: Corpus | None, is_new: bool) -> tuple[str, ...]:
    """Bring a record to what was asked for, and say what there is to say."""
    if wish.classes and wish.classes not in (record.classes, record.facts.classes):
        raise ConfigError(
            f"the labels of {record.path.parent} are {','.join(record.classes)}, not {','.join(wish.classes)}; "
            f"lit-al project {record.path.parent} add-label, rename-label or merge-labels changes them, or give "
            "another --name"
        )
    notes: list[str] = []
    own = _own_columns(wish, record, corpus)
    if corpus is not None:
        rows = Rows(record, corpus, own, same=_is_same(record, corpus))
        notes += _add_texts(record, corpus, rows, own)
        if is_new and wish.training and record.settings.get("units") == "auto":
            notes.append(str(suited(corpus.texts)))  # as the trainer will find
        notes += _take_labels(record, corpus, rows, wish.take_labels)
    if not record.count_texts():
        raise ConfigError(
            f"{record.path.parent} holds answers but no texts, as simulated runs do; begin one of its own with --data, "
            "--labels and another --name"
        )
    _check_settings(record, wish.asked)
    if own != OwnColumns.of(record):
        own.keep(record)
    if wish.suggest is not None:
        names = ("text_column", "label_column", "encoding", "separator", "no_header")
        reading = Reading(**{name: wish.corpus[name] for name in names})
        notes.append(take_suggestions(record, wish.suggest, reading))
    if wish.guidelines is not None:
        record.set_state("guidelines", {"text": _read_guidelines(wish.guidelines)})
    if not is_new:
        notes.insert(0, f"goes on with {record.path.parent}: {len(record.answers()):,} answers so far")
    return tuple(notes)


def _backed_up(record: Record) -> list[str]:
    """Copy the record as it is at the start: with `events.jsonl` that is all that `lit-al recover` needs."""
    try:
        record.backup()
    except StoreError as error:
        return [f"no backup could be made, and labeling goes on without: {error}"]
    return []


def _own_columns(wish: ProjectSettings, record: Record, corpus: Corpus | None) -> OwnColumns:
    """Which columns are which: what was said now, else what was said before."""
    own = OwnColumns.of(record)
    if wish.id_column is not None:
        own = replace(own, id=wish.id_column if corpus is None else corpus.id_column)
    if corpus is not None and corpus.label_column is not None:
        own = replace(own, label=corpus.label_column)
    return replace(own, shown=wish.show_columns) if wish.show_columns else own


def _is_same(record: Record, corpus: Corpus) -> bool:
    """Is it the file that the run began with, row by row?"""
    if record.settings:
        return bool((record.settings.get("source") or {}).get("sha256") == _digest(corpus.texts))
    # recovered from a mirror of before it held the settings: all that is known has to stand in its row
    known = {row: sha256 for row, sha256 in record.digests().items() if sha256}
    return all(row < len(corpus) and sha256_of(corpus.texts[row]) == sha256 for row, sha256 in known.items())


def _add_texts(record: Record, corpus: Corpus, rows: Rows, own: OwnColumns) -> list[str]:
    """The texts that the run lacks, and the columns, in one transaction; what a kill left out comes later."""
    beside = Beside({})
    if rows.wanted:
        beside = Beside.of(corpus, [*([own.id] if own.id else ()), *own.shown])
        record.add_items(rows.texts(beside))
    notes = [f"{record.count_items():,} texts, {len(record.classes)} labels: {', '.join(record.classes)}"]
    copies = record.groups().sentence("the answer to one holds for all (--copies none asks for each)")
    notes += [copies] if copies else []
    return [*notes, *rows.notes(), *beside.notes, *corpus.notes]


def _take_labels(record: Record, corpus: Corpus, rows: Rows, take: bool) -> list[str]:
    """Labels that came with the data, as answers of an annotator of their own, on request."""
    labeled = {item: row for row, item in rows.items.items() if corpus.labels[row] != UNLABELED}
    if not labeled:
        return []
    if not take:
        return [f"labels in the file: {len(labeled):,}; they are not used, unless --take-labels is given"]
    space = UUID(record.run_id)
    events = [
        NewEvent(
            uuid=str(uuid5(space, f"file:{item}")),  # the same at every start: taken once
            item=item,
            annotator=FILE_ANNOTATOR,
            action=Action.LABEL,
            label=corpus.classes[corpus.labels[row]],
            source="file",
        )
        for item, row in sorted(labeled.items())
    ]
    for start in range(0, len(events), _MANY_EVENTS):
        record.append_all(events[start : start + _MANY_EVENTS])
    return [f"labels in the file: {len(labeled):,}; they are taken as answers of {FILE_ANNOTATOR!r}"]


def _check_settings(record: Record, asked: Mapping[str, Any]) -> None:
    for name, value in asked.items():
        known = record.settings.get(name, DEFAULTS[name])
        if known != value:
            before = "none" if known == "" else known
            raise ConfigError(
                f"{record.path.parent} was begun with {flag(name)} {before}, not {value}; leave {flag(name)} out, or "
                "give another --name"
            )


def _check_known(record: Record) -> None:
    """Refuse a record whose settings are of another kind than ours.

    Raises:
        DamagedError: one is.
    """
    for name, ours in DEFAULTS.items():
        found = record.settings.get(name)
        if found is None:
            continue
        counts = isinstance(ours, int) and not isinstance(ours, bool)
        if type(found) is not type(ours) or (counts and not 0 <= found < 2**31) or (name == "overlap" and found < 1):
            raise DamagedError(damaged(record.path, f"its setting {name} is {found!r:.40}"))
    if not isinstance(record.settings.get("source") or {}, dict):
        raise DamagedError(damaged(record.path, "its setting source is no object"))


def _read_guidelines(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"--guidelines {path} cannot be read: {reason}") from error


def guidelines_of(record: Record) -> str:
    """What annotators are told: the newest guidelines given, or those of the record."""
    return str((record.state("guidelines") or {}).get("text", record.guidelines))


def _digest(texts: Sequence[str]) -> str:
    """Of the texts in their order: 64 hex digits."""
    digest = hashlib.sha256()
    for text in texts:
        content = text.encode()
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.hexdigest()
