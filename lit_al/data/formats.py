"""The formats of files, by suffix, and of folders, by shape; a new one is a reader and a row here."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lit_al.data.arrow_tables import read_parquet, table_of_splits
from lit_al.data.class_folders import has_class_folders, read_class_folders
from lit_al.data.columns import LABEL_COLUMNS, choose_columns
from lit_al.data.delimited import read_delimited
from lit_al.data.json_tables import read_json, read_json_lines
from lit_al.data.parts import PARTS, part_of
from lit_al.data.plain_lines import read_lines
from lit_al.data.sources import PACKINGS, Source
from lit_al.data.spreadsheets import read_xlsx
from lit_al.data.tables import DataTable, Reading, joined
from lit_al.exceptions import DataError
from lit_al.utils.readers import reading as read_from
from lit_al.utils.readers import shown

_TEXT: Mapping[str, Callable[[Source, Reading], DataTable]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".tab": read_delimited,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json,
    ".txt": read_lines,
}
_BINARY: Mapping[str, Callable[[Path, Reading], DataTable]] = {".parquet": read_parquet, ".xlsx": read_xlsx}
FORMATS = ("parquet", "csv", "tsv", "tab", "jsonl", "ndjson", "json", "xlsx", "txt")  # of two files, the first is taken
_MOST_SHOWN = 8


def read_file(path: Path, reading: Reading) -> DataTable:
    """Read one file, packed or not.

    Raises:
        DataError: a file that is missing, unreadable, empty, of another kind, or broken.
    """
    with read_from(path):
        suffix = path.suffix.lower()
        if suffix in _BINARY:
            return _BINARY[suffix](path, reading)
        source = Source(path, reading.encoding)
        if source.suffix not in _TEXT:
            suffix = source.suffix + source.packing if source.packing else path.suffix
            kind = f"of the unknown kind {suffix!r}" if suffix else "without a suffix"
            known = ", ".join([*_TEXT, *_BINARY])
            raise DataError(
                f"{path} is a file {kind}; a corpus file ends in {known}, text also with {', '.join(PACKINGS)} behind"
            )
        return _TEXT[source.suffix](source, reading)


def read_folder(path: Path, reading: Reading) -> DataTable:
    """Read a folder: a saved data set, a folder of texts for each class, or files of train, validation and test.

    Raises:
        DataError: a folder of none of these shapes.
        OSError: it cannot be read.
    """
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return _saved(path, reading)
    files = _part_files(path)
    if files:
        parts = {part: _shards(paths, reading) for part, paths in files.items()}
        _check_alike(list(parts.values()), reading)
        return joined(parts, str(path))
    if has_class_folders(path):
        return read_class_folders(path, reading)
    tables = _table_files(path)
    if len(tables) == 1:
        return read_file(tables[0], reading)
    folders = [entry for entry in sorted(path.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]
    below = {entry.name: entry for entry in folders if _part_files(entry) or len(_table_files(entry)) == 1}
    if "data" in below or len(below) == 1:  # as a data set of the hub is cloned
        return read_folder(below.get("data") or next(iter(below.values())), reading)
    there = sorted(entry.name for entry in path.iterdir())
    holds = ", ".join(there[:_MOST_SHOWN]) + (", …" if len(there) > _MOST_SHOWN else "") if there else "nothing"
    which = f"give one of {', '.join(below)}" if below else "name the file itself"
    raise DataError(
        f"the folder {path} has no files of train and test, no folder of texts for each class, and is no saved data "
        f"set (it holds {holds}); {which}"
    )


def _saved(path: Path, reading: Reading) -> DataTable:
    """What `save_to_disk` of `datasets` has written."""
    try:
        import datasets
    except ImportError:
        raise DataError(f"{path}: reading a saved data set needs the package datasets; install it") from None
    try:
        found = datasets.load_from_disk(str(path))
    except Exception as error:  # of a dozen libraries' own kinds
        raise DataError(
            f"{path} is no sound data set of save_to_disk ({type(error).__name__}); save it again"
        ) from None
    return table_of_splits(found if isinstance(found, dict) else {"train": found}, str(path), reading)


def _part_files(path: Path) -> dict[str, list[Path]]:
    """The files of each part, in the format that most parts have; or folders named after parts, with their files."""
    found: dict[str, dict[str, list[Path]]] = {}
    for entry in sorted(path.iterdir()):
        part = part_of(entry.name)
        if part is None:
            continue
        for file in [entry] if entry.is_file() else _table_files(entry):
            kind = Source(file).suffix.removeprefix(".")
            if kind in FORMATS:
                found.setdefault(kind, {}).setdefault(part, []).append(file)
    kinds = sorted(found, key=lambda kind: (-len(found[kind]), FORMATS.index(kind)))
    parts: dict[str, list[Path]] = {}
    for part in PARTS:
        files = next((found[kind][part] for kind in kinds if part in found[kind]), None)
        if files is not None:
            parts[part] = _alike(files)
    return parts


def _table_files(folder: Path) -> list[Path]:
    """The tables in a folder, as apart from its texts and from what describes it."""
    return [
        entry
        for entry in sorted(folder.iterdir())
        if entry.is_file()
        and Source(entry).suffix.removeprefix(".") in FORMATS
        and not entry.name.endswith(".txt")
        and not entry.name.startswith((".", "dataset_info"))
    ]


def _alike(paths: list[Path]) -> list[Path]:
    """Of the files of a part those that differ by their numbers alone: test.csv, and not test_labels.csv too."""
    names: dict[str, list[Path]] = {}
    for path in paths:
        names.setdefault(re.sub(r"\d+", "0", path.name), []).append(path)
    return names[min(names, key=len)]


def _check_alike(tables: Sequence[DataTable], reading: Reading) -> None:
    """Refuse parts whose texts or labels stand in columns of different names; a part without labels is fine."""
    first = tables[0]
    text, label, _ = choose_columns(first, reading, labeled=False)
    for table in tables[1:]:
        usual = {name.strip().lower() for name in table.names} & {*LABEL_COLUMNS}
        for name in [*text, *([label] if label and usual else [])]:
            if name.split(".")[0] not in table.names and name not in table.names:
                raise DataError(
                    f"{table.origin} has no column {name!r}, where {first.origin} has its texts or labels; its columns "
                    f"are {shown(table.names)}"
                )


def _shards(paths: list[Path], reading: Reading) -> DataTable:
    """The files of one part, one after the other."""
    return joined({str(path): read_file(path, reading) for path in paths}, str(paths[0].parent), column=None)
