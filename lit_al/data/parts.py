"""The parts that data sets come in: train, validation, test; which of them a file, a folder or a split is."""

import re
from typing import Final

PARTS: Final[tuple[str, ...]] = ("train", "validation", "test")  # in the order of their rows
_NAMES: Final = {
    "train": re.compile("train|training"),
    "validation": re.compile("validation|valid|val|dev|eval"),
    "test": re.compile("test|testing"),
}


def part_of(name: str) -> str | None:
    """Which part a file or folder is, by the words of its name.

    >>> part_of("train-00000-of-00002.parquet"), part_of("20news-bydate-test"), part_of("latest.csv")
    ('train', 'test', None)
    """
    words = re.split(r"[^a-z]+", name.lower())
    return next((part for part, known in _NAMES.items() if any(map(known.fullmatch, words))), None)


def in_order(names: list[str]) -> list[str]:
    """The parts first, all others behind them by name.

    >>> in_order(["extra", "test", "train"])
    ['train', 'test', 'extra']
    """
    return sorted(names, key=lambda name: (PARTS.index(name) if name in PARTS else len(PARTS), name))
