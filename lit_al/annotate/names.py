"""Who labels: names that can be told apart."""

import getpass
from collections.abc import Sequence

from lit_al.exceptions import ConfigError
from lit_al.record import Record

FILE_ANNOTATOR = "file"  # gives the labels that came with the data
_LONGEST_NAME = 60


def annotators_of(record: Record, asked: Sequence[str]) -> list[str]:
    """Those asked for, those of the run, or who is at the keyboard; the first is the owner.

    Raises:
        ConfigError: a name that differs from one on record by its capitals alone.
    """
    known = [name for name in record.annotators() if name != FILE_ANNOTATOR]
    check_annotators([*asked, *(name for name in known if name not in asked)])
    return list(asked) or known or [default_annotator()]


def check_annotators(names: Sequence[str]) -> tuple[str, ...]:
    """The names, if they can be told apart.

    Raises:
        ConfigError: one is empty, too long, reserved, or another in other letters.
    """
    for name in names:
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise ConfigError(f"{name!r} is no name of an annotator; give 1 to {_LONGEST_NAME} printable characters")
        if name.lower() == FILE_ANNOTATOR:
            raise ConfigError(f"{name!r} stands for labels that came with the data; give another name")
    folded = [name.casefold() for name in names]
    for place, name in enumerate(folded):
        if name in folded[:place]:
            raise ConfigError(f"{names[place]!r} and {names[folded.index(name)]!r} are hard to tell apart; rename one")
    return tuple(names)


def default_annotator() -> str:
    """The name of who is at the keyboard, or “me”."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # no such user in the system's list
        return "me"
    return name if name.isprintable() and name.lower() != FILE_ANNOTATOR else "me"
