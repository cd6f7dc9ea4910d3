"""Folders of texts: a file for each text, a folder for each class, and above these, where there are any, the parts."""

import re
from collections.abc import Iterator
from pathlib import Path

from lit_al.data.bounds import Bound
from lit_al.data.parts import PARTS, part_of
from lit_al.data.sources import likely
from lit_al.data.tables import PART, DataTable, Reading
from lit_al.exceptions import DataError

_UNLABELED = ("unsup", "unsupervised", "unlabeled", "unlabelled")
_ROOM = 2**16  # bytes of texts in another encoding than UTF-8 from which it is guessed


def has_class_folders(path: Path) -> bool:
    """Whether a folder holds folders of texts for two classes or more, or such a folder for train or test."""
    return bool(_layout(path))


def read_class_folders(path: Path, reading: Reading) -> DataTable:
    """Read each file as one text, with its folder as its label; folders and files are in order of their names.

    Raises:
        DataError: texts that are neither UTF-8 nor in another encoding that can be guessed.
    """
    rows = [
        (file, label, part)
        for part, classes in _layout(path).items()
        for label, folder in classes.items()
        for file in _texts(folder)
    ]
    bound = Bound(path)
    contents = []
    for file, _, _ in rows:
        contents.append(file.read_bytes())
        bound.take(len(contents[-1]))
    texts, notes = _decoded(contents, [file for file, _, _ in rows], path, reading.encoding)
    labels = [None if label.lower() in _UNLABELED else label for _, label, _ in rows]
    parts = {part for _, _, part in rows}
    unlabeled = sum(label is None for label in labels)
    if unlabeled:
        notes += (f"{path.name}: {unlabeled:,} texts are in folders of unlabeled ones and have no label",)
    columns: list[list[object]] = [
        list(texts),
        list(labels),
        [file.relative_to(path).as_posix() for file, _, _ in rows],
    ]
    if len(parts) > 1:
        columns.append([part for _, _, part in rows])
    return DataTable(
        ("text", "label", "file", PART)[: len(columns)],
        tuple(columns),
        lambda row: str(rows[row][0]),
        str(path),
        notes,
        text="text",
        label="label",
    )


def _layout(path: Path) -> dict[str, dict[str, Path]]:
    """The folder of each class in each part; the part is "" where there is one level of folders alone."""
    folders = _folders(path)
    classes = {entry.name: entry for entry in folders if _has_texts(entry)}
    if len(classes) > 1:
        return {"": classes}
    found = {}
    for part in PARTS:
        for entry in folders:
            below = {inner.name: inner for inner in _folders(entry) if _has_texts(inner)}
            if part_of(entry.name) == part and len(below) > 1:
                found[part] = below
    return found


def _folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _has_texts(folder: Path) -> bool:
    return next(_files(folder), None) is not None


def _files(folder: Path) -> Iterator[Path]:
    """The texts of a folder: files that end in .txt, or in nothing, as those of 20 newsgroups."""
    for entry in folder.iterdir():
        plain = entry.suffix.lower() == ".txt" or not entry.suffix or entry.suffix[1:].isdigit()
        if plain and not entry.name.startswith(".") and entry.is_file():
            yield entry


def _texts(folder: Path) -> list[Path]:
    """The same in order: 9_1.txt before 10_1.txt."""
    return sorted(_files(folder), key=lambda file: _natural(file.name))


def _natural(name: str) -> list[str | int]:
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d+)", name))]


def _decoded(
    contents: list[bytes], files: list[Path], path: Path, encoding: str | None
) -> tuple[list[str], tuple[str, ...]]:
    """The characters of all files; those that are not UTF-8 have one encoding."""
    texts: list[str] = []
    strange: list[int] = []
    for row, content in enumerate(contents):
        try:
            texts.append(content.decode(encoding or "utf-8-sig"))
        except UnicodeDecodeError as error:
            if encoding is not None:
                raise DataError(
                    f"{files[row]} is not {encoding}, as --encoding says: byte 0x{content[error.start]:02x} at offset "
                    f"{error.start}; name the right one, or none"
                ) from None
            texts.append("")
            strange.append(row)
        except LookupError:
            raise DataError(f"--encoding {encoding} is no encoding; give one such as utf-8 or cp1252") from None
    if not strange:
        return texts, ()
    codec = likely(b"\n".join(contents[row] for row in strange)[:_ROOM])
    for row in strange:
        try:
            texts[row] = contents[row].decode(codec or "ascii")
        except UnicodeDecodeError:
            raise DataError(
                f"{files[row]} is neither UTF-8 nor {codec or 'any encoding known'}; save it as UTF-8, or name the "
                "encoding of all files with --encoding"
            ) from None
    said = (
        f"{path.name}: {len(strange):,} texts that are not UTF-8 are read as {codec}, a guess; --encoding names another"
    )
    return texts, (said,)
