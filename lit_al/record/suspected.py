"""Labels that may be wrong, as `lit-al suspects` noted them for whoever looks at them on the page."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from lit_al.record.database import now
from lit_al.record.store import Record

KEY: Final = "suspects"
MOST: Final = 500  # noted


@dataclass(frozen=True)
class Suspected:
    """A label that may be wrong.

    Attributes:
        item: the text.
        label: that it had.
        suggestion: the most probable other class.
        probability: of that class, by a model that had not learned from the label.
        own: of the label.
        confident: the rule takes the label for wrong.
    """

    item: int
    label: str
    suggestion: str
    probability: float
    own: float
    confident: bool


@dataclass(frozen=True)
class SuspectedList:
    """The newest list.

    Attributes:
        created: UTC, ISO 8601; "" where no list was ever made.
        seq: of the newest event that it knew.
        labels: that were asked about.
        named: of these, taken for wrong.
        found: the likeliest to be wrong first.
    """

    created: str = ""
    seq: int = 0
    labels: int = 0
    named: int = 0
    found: tuple[Suspected, ...] = ()


def keep(record: Record, found: Iterable[Suspected], labels: int, named: int) -> None:
    """Note a list, in place of the last one.

    Args:
        record: of the run.
        found: the likeliest to be wrong first.
        labels: that were asked about.
        named: of these, taken for wrong.
    """
    listed = [asdict(one) for one in found][:MOST]
    facts = {"created": now(), "seq": record.last_seq(), "labels": labels, "named": named}
    record.set_state(KEY, {**facts, "found": listed})


def kept(record: Record) -> SuspectedList:
    """The newest list; an empty one where none was made, or it holds what this program never writes."""
    noted: dict[str, Any] = record.state(KEY) or {}
    try:
        history, seq = record.class_history, int(noted["seq"])
        listed = (Suspected(**one) for one in noted["found"])
        found = tuple(
            replace(one, label=history.meaning(one.label, seq), suggestion=history.meaning(one.suggestion, seq))
            for one in listed
        )
        seq, labels, named = (int(noted[name]) for name in ("seq", "labels", "named"))
        return SuspectedList(str(noted["created"]), seq, labels, named, found)
    except (KeyError, TypeError, ValueError):
        return SuspectedList()
