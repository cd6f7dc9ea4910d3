"""Checksums of what a record holds, so that a flipped bit is found, and the copy that is sound is known.

A checksum is the sha256, in 64 hex digits, of a JSON list in UTF-8 without blanks, the keys of objects sorted. A text
is covered by the sha256 that stands beside it.

| of | list |
|---|---|
| an event | the checksum of the event before it (of the first: the run's id), all its other fields as an object |
| a text | id, sha256, whether the text is there, what came with it (JSON, as stored), place |
| an annotator | name, token, created, removed |
| the run's facts | the rows of `meta` as an object, but for the checksum itself |

Events are a chain: one that is changed, left out or moved breaks it at its place.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from lit_al.record.entries import NO_TEXT, Event

FIELDS = tuple(item.name for item in fields(Event) if item.name != "checksum")
FLAGS = ("suggestion_shown", "control", "forced", "late")

Values = Mapping[str, Any]

_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=repr).encode


def checksum(content: Any) -> str:
    """Of anything that JSON holds.

    >>> checksum([1, "a"])[:8]
    '20109453'
    """
    return hashlib.sha256(_encode(content).encode(errors="surrogatepass")).hexdigest()


def of_event(values: Values, before: str) -> str:
    """Of an event's fields and the checksum of the event before it."""
    return checksum([before, {name: values[name] for name in FIELDS}])


def of_text(row: Values) -> str:
    """Of a row of `item`; whether the text is the one of the sha256 is another question."""
    return checksum([row["id"], row["sha256"], row["text"] is not None, row["meta"], row["place"]])


def of_annotator(row: Values) -> str:
    """Of a row of `annotator`."""
    return checksum([row["name"], row["token"], row["created"], row["removed"]])


def of_facts(facts: Mapping[str, str]) -> str:
    """Of the rows of `meta`."""
    return checksum({key: value for key, value in facts.items() if key != "checksum"})


@dataclass(frozen=True)
class Link:
    """An event as a copy has it, with what it has of the chain.

    Attributes:
        values: its fields, but for the checksum.
        before: checksum of the event before it, as the copy has it.
        checksum: of the event, as the copy has it; "" where the copy is of before there were any.
    """

    values: Values
    before: str
    checksum: str

    @property
    def seq(self) -> int:
        """Its place in the order."""
        return int(self.values["seq"])

    @property
    def sound(self) -> bool:
        """Is it as it was written?"""
        return bool(self.checksum) and of_event(self.values, self.before) == self.checksum


def row_values(row: Values) -> dict[str, Any]:
    """The fields of a row of `event`: flags as such, unless they hold what no flag can."""
    values = {name: row[name] for name in FIELDS}
    values["item"] = NO_TEXT if values["item"] is None else values["item"]
    values.update({name: bool(values[name]) for name in FLAGS if values[name] in (0, 1)})
    return values


def as_row(values: Values) -> dict[str, Any]:
    """An event's fields, its checksum among them, as a row of `event` holds them."""
    return {**values, "item": None if values["item"] == NO_TEXT else values["item"]}


def chained(rows: Iterable[Values], run_id: str) -> Iterator[Link]:
    """The chain that a table holds, its rows in order."""
    before = run_id
    for row in rows:
        here = row["checksum"] if "checksum" in row.keys() else ""  # noqa: SIM118 - `in` of a Row asks its values
        yield Link(row_values(row), before, here)
        before = here
