"""`load_corpus`: what `--data` means."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lit_al.data.corpus import IMDB_CLASSES, Corpus, build_corpus, is_imdb
from lit_al.data.hub import HubError, load_imdb
from lit_al.data.labels import encode_as, encode_labels
from lit_al.data.tables import TextTable, read_table
from lit_al.exceptions import DataError
from lit_al.typing import UNLABELED
from lit_al.utils.nearest import did_you_mean

FOLDER_VARIABLE = "LIT_AL_IMDB"
_FILES = ("train.parquet", "test.parquet")
_WAYS = "imdb, demo, auto, a folder with train.parquet and test.parquet, or a .csv, .jsonl or .parquet file"


def load_corpus(
    data: str = "auto",
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    demo_rows: int = 50_000,
    demo_seed: int = 0,
    classes: tuple[str, ...] | None = None,
) -> Corpus:
    """Load the corpus that `data` names.

    Args:
        data: `imdb` (from the Hugging Face hub or its cache: train, then test), a folder with `train.parquet` and
            `test.parquet`, a `.csv`, `.jsonl` or `.parquet` file, `demo` (generated reviews), or `auto`: the folder
            that the environment variable LIT_AL_IMDB names, else IMDB, else `demo` with a note that says why.
        text_column: of a file or folder, the column of the texts; by default text, review, sentence or content.
        label_column: likewise the labels; by default label, sentiment, class, category or target.
        demo_rows: reviews to generate.
        demo_seed: seed of the generator.
        classes: of a file or folder, where people are to label it: the names that labels may have, whether or not
            any text has one yet.

    Raises:
        DataError: a corpus that cannot be had or read, in one sentence with the way out.
    """
    if data == "demo":
        return _demo(demo_rows, demo_seed)
    if data == "imdb":
        return _imdb()
    if data == "auto":
        return _auto(text_column, label_column, demo_rows, demo_seed)
    return _local(Path(data).expanduser(), text_column, label_column, classes)


def _auto(text_column: str | None, label_column: str | None, demo_rows: int, demo_seed: int) -> Corpus:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        try:
            return _local(Path(folder).expanduser(), text_column, label_column)
        except DataError as error:
            raise DataError(f"{FOLDER_VARIABLE}={folder} is of no use: {error}; set it right or unset it") from None
    try:
        texts, labels = load_imdb()
    except HubError as error:
        note = (
            f"DEMO CORPUS, NOT IMDB: {error}. For IMDB, connect to the hub once, or set {FOLDER_VARIABLE} "
            f"to a folder with {' and '.join(_FILES)}"
        )
        return _demo(demo_rows, demo_seed, note)
    return _from_hub(texts, labels)


def _imdb() -> Corpus:
    try:
        return _from_hub(*load_imdb())
    except HubError as error:
        raise DataError(
            f"{error}; connect to the hub once, give --data a folder with {' and '.join(_FILES)}, or take --data demo"
        ) from None


def _from_hub(texts: list[str], labels: Sequence[object]) -> Corpus:
    numbers, classes = encode_labels(labels, lambda row: f"imdb, row {row + 1}", "imdb", IMDB_CLASSES)
    strange = "this copy of IMDB is not the 50,000 reviews that the package knows; its figures may differ"
    return build_corpus(texts, numbers, classes, "imdb", notes=() if is_imdb(texts, numbers) else (strange,))


def _demo(rows: int, seed: int, *notes: str) -> Corpus:
    from lit_al.data import demo

    texts, labels = demo.generate(rows, seed)
    source = f"demo (seed {seed}, {rows:,} rows, v{demo.VERSION})"
    notes = notes or ("DEMO CORPUS: generated reviews; no figure of it says anything about IMDB",)
    return build_corpus(texts, np.asarray(labels, np.int64), IMDB_CLASSES, source, is_demo=True, notes=notes)


def _local(
    path: Path, text_column: str | None, label_column: str | None, classes: tuple[str, ...] | None = None
) -> Corpus:
    """A folder of two Parquet files, or one file."""
    try:
        if path.is_dir():
            return _folder(path, text_column, label_column, classes)
        if not path.exists():
            raise DataError(f"no file or folder {path} (looked in {Path.cwd()}); {_meant(path)}--data takes {_WAYS}")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    table = read_table(path, text_column, label_column, labeled=classes is None)
    return _corpus(table, str(path), f"file {path.name}", classes)


def _meant(path: Path) -> str:
    """A name of this package's own, or a neighbor in the same folder, whose name is near."""
    try:
        there = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        there = []
    return did_you_mean(path.name, ["imdb", "demo", "auto", *there])


def _folder(path: Path, text_column: str | None, label_column: str | None, classes: tuple[str, ...] | None) -> Corpus:
    there = sorted(entry.name for entry in path.iterdir())
    missing = [name for name in _FILES if name not in there]
    if missing:
        holds = ", ".join(there[:8]) + (", …" if len(there) > 8 else "") if there else "nothing"
        raise DataError(f"the folder {path} has no {' and no '.join(missing)} (it holds {holds}); --data takes {_WAYS}")
    labeled = classes is None
    train = read_table(path / _FILES[0], text_column, label_column, labeled=labeled)
    test = read_table(path / _FILES[1], *train.columns, labeled=labeled)
    if train.names != test.names:
        raise DataError(f"the two files of {path} name their classes differently: {train.names} and {test.names}")
    return _corpus(_joined(train, test), str(path), f"folder {path.resolve().name}", classes)


def _joined(first: TextTable, second: TextTable) -> TextTable:
    """The rows of one table after those of another."""
    rows = len(first.texts)

    def where(row: int) -> str:
        return first.where(row) if row < rows else second.where(row - rows)

    return TextTable(first.texts + second.texts, first.labels + second.labels, first.columns, where, first.names)


def _corpus(table: TextTable, origin: str, source: str, classes: tuple[str, ...] | None) -> Corpus:
    if classes is not None:
        labels = encode_as(_by_name(table), table.where, classes)
        return build_corpus(table.texts, labels, classes, source)
    origin = f"{origin}, column {table.columns[1]!r}"
    labels, classes = encode_labels(table.labels, table.where, origin, table.names)
    return build_corpus(table.texts, labels, classes, source)


def _by_name(table: TextTable) -> Sequence[object]:
    """The labels as words, where the file numbers them and brings the names."""
    names = table.names
    if names is None:
        return table.labels
    return [
        names[label] if isinstance(label, int) and 0 <= label < len(names) else None if label == UNLABELED else label
        for label in table.labels
    ]
