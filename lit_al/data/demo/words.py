"""The word lists and the sentences of the made-up reviews, read from the TOML files beside this module."""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files
from typing import Any


@functools.cache
def read(name: str) -> dict[str, Any]:
    """The tables of a file, its strings split into lists of words and phrases; read once.

    >>> read("films")["genres"]["war"]["roles"][:3]
    ['soldier', 'officer', 'general']
    """
    tables: dict[str, Any] = _listed(tomllib.loads((files(__package__) / f"{name}.toml").read_text("utf-8")))
    return tables


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(inner) for key, inner in value.items()}
    return split(value) if isinstance(value, str) else value


def split(text: str) -> list[str]:
    """A word list: phrases at `|`, or else words at white space."""
    return [" ".join(part.split()) for part in text.split("|")] if "|" in text else text.split()
