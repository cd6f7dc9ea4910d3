"""The files of a run or a benchmark are its own: none is reached through a symbolic link, which may lead anywhere.

A folder that somebody else has made may hold `events.jsonl -> ~/.bashrc`. The folder of a run may itself be a link, and
so may what a user has put beside our files; what the program reads and writes by a name of its own must be plain.
"""

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from lit_al.exceptions import RunError

FOLDERS = ("checkpoints", "state", "questions", "full", "active", "example", "models", "csv")
FILES = (
    "record*.sqlite*", "events*.jsonl*", "texts*.jsonl*", "*.lock", "trainer*.log", "results.json", "config.yaml",
    "picks.jsonl", "benchmark.yaml", "cells.jsonl", "*.png", "*.svg", "*.html", "*.md", "*.ckpt", "*.pt", "*.state",
    "production.json", "audit.json", "loggers.json", "metrics.csv",
    "hparams.yaml", "[1-9]*.json", "round-*.csv", "events.out.tfevents.*", ".*.tmp", ".*.new",
)  # fmt: skip


def own(path: Path) -> Path:
    """The path of a file of a run, if nothing else stands there.

    Raises:
        RunError: it is a symbolic link, or no file at all, such as a pipe that would be waited for.
    """
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be looked at: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISLNK(mode):
        raise RunError(
            f"{path} is a symbolic link to {_target(path)}, and a run's own files are never followed through one; "
            "move the file itself there, or take the link away"
        )
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise RunError(f"{path} is neither a file nor a folder; take it away")
    return path


def check_links(folder: Path) -> None:
    """Refuse the folder of a run or a benchmark if a file of its own, or in a folder of its own, is a symbolic link.

    Raises:
        RunError: one is; the first is named.
    """
    for path in _own_files(folder):
        own(path)


def _own_files(folder: Path) -> Iterator[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return  # whoever opens it says why
    for path in paths:
        name = path.name
        if name in FOLDERS:
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from _own_files(path)
        elif any(fnmatch(name, pattern) for pattern in FILES):
            yield path


def strangers(folder: Path) -> list[str]:
    """Names in the folder of a run that no file of a run has."""
    names = sorted(path.name for path in folder.iterdir())
    known = (*FOLDERS, *FILES)
    return [name for name in names if not any(fnmatch(name, pattern) for pattern in known)]


def private(path: str, flags: int) -> int:
    """An opener for a run's own files: the owner's alone, and no link is followed even if it came this very moment.

    Raises:
        OSError: it cannot be opened.
    """
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return "somewhere else"
