"""`load_corpus`: what `--data` means, and the way from a table to a corpus."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from lit_al.data.columns import TextTable, texts_of
from lit_al.data.corpus import IMDB_CLASSES, Corpus, build_corpus, is_imdb, shorten
from lit_al.data.duplicates import Copies, contradictory_groups, resolved
from lit_al.data.formats import read_file, read_folder
from lit_al.data.hub import HubError, load_imdb, load_splits
from lit_al.data.label_cells import plain_labels
from lit_al.data.labels import encode_as, encode_labels
from lit_al.data.tables import DataTable, Reading
from lit_al.exceptions import ConfigError, DataError
from lit_al.typing import UNLABELED, Ints
from lit_al.utils.nearest import did_you_mean

FOLDER_VARIABLE = "LIT_AL_IMDB"
HUB = "hub:"
_WAYS = (
    "imdb, demo, auto, hub:OWNER/NAME, a file such as .csv, .tsv, .xlsx, .json, .jsonl, .txt or .parquet, or a folder "
    "with files of train and test or a folder of texts for each class"
)
_IMDB_FOLDER = "a folder with train.parquet and test.parquet"
_MOST_SHOWN = 3


def load_corpus(
    data: Any = "auto",
    *,
    demo_rows: int = 50_000,
    demo_seed: int = 0,
    classes: tuple[str, ...] | None = None,
    copies: Copies = "near",
    **how: Any,
) -> Corpus:
    """Load the corpus that `data` names, or is.

    Args:
        data: a path or a name: `imdb` (from the Hugging Face hub or its cache: train, then test), `hub:owner/name` or
            `hub:owner/name:config` (likewise), a file or folder (docs/files-in.md lists the shapes), `demo` (generated
            reviews), or `auto`: the folder that the environment variable LIT_AL_IMDB names, else IMDB, else `demo`
            with a note that says why. Or the texts themselves: a `datasets.Dataset` or `DatasetDict`, a pandas frame,
            an Arrow table.
        demo_rows: reviews to generate.
        demo_seed: seed of the generator.
        classes: where people are to label the texts: the names that labels may have, whether or not any text has one
            yet.
        copies: which texts are copies of one another: `near`, `exact`, or `none` (`Corpus.grouped`).
        how: which columns are which, and how cells are read: the fields of `lit_al.data.tables.Reading`.

    Raises:
        DataError: a corpus that cannot be had or read, in one sentence with the way out.
        ConfigError: an encoding, a separator or another choice that does not exist.
    """
    if copies not in get_args(Copies):
        raise ConfigError(f"--copies {copies} must be one of {', '.join(get_args(Copies))}")
    return replace(_loaded(data, Reading(**how), demo_rows, demo_seed, classes), copies=copies)


def _loaded(data: Any, reading: Reading, demo_rows: int, demo_seed: int, classes: tuple[str, ...] | None) -> Corpus:
    named = data if isinstance(data, str) else ""
    if named == "demo":
        return _demo(demo_rows, demo_seed)
    if named == "imdb":
        return _imdb()
    if named == "auto":
        return _auto(reading, demo_rows, demo_seed)
    table, source = read_table(data, reading)
    return _corpus(table, reading, source, classes)


def read_table(data: Any, reading: Reading) -> tuple[DataTable, str]:
    """All columns of a file, a folder, a data set of the hub, or an object in memory; and its name in a few words.

    Raises:
        DataError: it cannot be read, in one sentence with the way out.
    """
    if isinstance(data, str) and data.startswith(HUB):
        return _of_hub(data.removeprefix(HUB), reading)
    if not isinstance(data, str | os.PathLike):
        from lit_al.data.arrow_tables import table_in_memory

        table = table_in_memory(data, reading)
        return table, table.origin
    path = Path(data).expanduser()
    try:
        if path.is_dir():
            return read_folder(path, reading), f"folder {path.resolve().name}"
        if not path.exists():
            raise DataError(f"no file or folder {path} (looked in {Path.cwd()}); {_meant(path)}--data takes {_WAYS}")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    return read_file(path, reading), f"file {path.name}"


def _of_hub(name: str, reading: Reading) -> tuple[DataTable, str]:
    from lit_al.data.arrow_tables import table_of_splits

    repository, _, config = name.partition(":")
    if not repository:
        raise DataError(f"{HUB}{name} names no data set; write it as {HUB}owner/name or {HUB}owner/name:config")
    try:
        splits = load_splits(repository, config or None)
    except HubError as error:
        raise DataError(f"{error}; connect to the hub once, or give --data a file or folder") from None
    return table_of_splits(splits, f"data set {name}", reading), f"hub {name}"


def _auto(reading: Reading, demo_rows: int, demo_seed: int) -> Corpus:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        try:
            table, source = read_table(folder, reading)
            return _corpus(table, reading, source, None)
        except DataError as error:
            raise DataError(f"{FOLDER_VARIABLE}={folder} is of no use: {error}; set it right or unset it") from None
    try:
        texts, labels = load_imdb()
    except HubError as error:
        note = (
            f"DEMO CORPUS, NOT IMDB: {error}. For IMDB, connect to the hub once, or set {FOLDER_VARIABLE} "
            f"to {_IMDB_FOLDER}"
        )
        return _demo(demo_rows, demo_seed, note)
    return _from_hub(texts, labels)


def _imdb() -> Corpus:
    try:
        return _from_hub(*load_imdb())
    except HubError as error:
        raise DataError(f"{error}; connect to the hub once, give --data {_IMDB_FOLDER}, or take --data demo") from None


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


def _meant(path: Path) -> str:
    """A name of this package's own, or a neighbor in the same folder, whose name is near."""
    try:
        there = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        there = []
    return did_you_mean(path.name, ["imdb", "demo", "auto", *there])


def _corpus(table: DataTable, reading: Reading, source: str, classes: tuple[str, ...] | None) -> Corpus:
    """The corpus of a table: its texts, its labels as people write them, and all that stands beside them."""
    to_label = classes is not None
    found = texts_of(table, reading, labeled=not to_label)
    if reading.drop_empty:
        found = _without_empty(found)
    cells = _by_name(found) if classes is not None else found.labels
    origin = f"{table.origin}, column {found.columns[1]!r}"
    labels = plain_labels(cells, found.where, reading, classes or ())
    if classes is not None:
        numbers = encode_as(labels.values, found.where, classes)
    else:
        numbers, classes = encode_labels(labels.values, found.where, origin, found.names)
    hidden = sum(cell in (-1, "-1", "-1.0") for cell, number in zip(labels.values, numbers, strict=True) if number < 0)
    place = _place(found, table)
    numbers, notes = _one_label_a_text(found.texts, numbers, classes, reading, place, to_label=to_label)
    kept_back = (f"{hidden:,} labels are -1: no label, as in test sets whose labels are kept back",) if hidden else ()
    notes = (*found.notes, *labels.notes, *kept_back, *notes)
    return build_corpus(
        found.texts,
        numbers,
        classes,
        source,
        notes=notes,
        ids=found.ids,
        columns=found.others,
        id_column=found.id_column,
        label_column=found.columns[1],
        place=place,
        to_label=to_label,
    )


def _place(found: TextTable, table: DataTable) -> Callable[[int], str]:
    """Where a row is, without the name of the file."""
    return lambda row: found.where(row).removeprefix(f"{table.origin}, ")


def _without_empty(table: TextTable) -> TextTable:
    kept = [row for row, text in enumerate(table.texts) if text and not text.isspace()]
    dropped = len(table.texts) - len(kept)
    if not dropped:
        return table
    if not kept:
        raise DataError(f"{table.where(0)}: this text is empty, and so are all others; name another --text-column")
    return replace(
        table,
        texts=[table.texts[row] for row in kept],
        labels=[table.labels[row] for row in kept],
        where=lambda row: table.where(kept[row]),
        ids=None if table.ids is None else [table.ids[row] for row in kept],
        others={name: [cells[row] for row in kept] for name, cells in table.others.items()},
        notes=(*table.notes, f"{dropped:,} rows without a text are left out"),
    )


def _one_label_a_text(
    texts: Sequence[str],
    labels: Ints,
    classes: Sequence[str],
    reading: Reading,
    place: Callable[[int], str],
    *,
    to_label: bool,
) -> tuple[Ints, tuple[str, ...]]:
    """What is made of texts that stand there under two labels, and what is said of them."""
    groups = contradictory_groups(texts, labels)
    if not groups:
        return labels, ()
    shown = "; ".join(
        f"{shorten(texts[rows[0]], 40)!r}: "
        + ", ".join(f"{classes[labels[row]]} ({place(row)})" for row in rows[:_MOST_SHOWN])
        for rows in groups[:_MOST_SHOWN]
    )
    more = "; …" if len(groups) > _MOST_SHOWN else ""
    made = {
        "keep": "all are kept" if to_label else "all are kept; --resolve majority, first or drop settles them",
        "majority": "each has the label that most of its copies have, and none where there is a tie",
        "first": "each has the label of its first copy",
        "drop": "they are left without a label",
    }[reading.resolve]
    said = f"{len(groups):,} texts stand there under different labels ({shown}{more}): {made}"
    return (labels if reading.resolve == "keep" else resolved(labels, groups, reading.resolve)), (said,)


def _by_name(table: TextTable) -> Sequence[object]:
    """The labels as words, where the file numbers them and brings the names."""
    names = table.names
    if names is None:
        return table.labels
    return [
        names[label] if isinstance(label, int) and 0 <= label < len(names) else None if label == UNLABELED else label
        for label in table.labels
    ]
