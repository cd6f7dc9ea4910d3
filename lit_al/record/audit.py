"""Audits: texts drawn at random whose labels judge models, and which no model learns until the audit is closed.

An audit is drawn from the texts that nobody has answered, and is asked first. What people say of its texts is in the
record like any other answer; `HeldBack` says which labels a learner leaves alone. It lies in `audit.json` beside the
record, replaced whole.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from lit_al.exceptions import ConfigError, StoreError
from lit_al.record.database import now
from lit_al.record.entries import NewGeneration, Ranked
from lit_al.record.lock import OwnerLock
from lit_al.record.store import Record
from lit_al.utils.folders import write_text
from lit_al.utils.links import own

AUDIT_FILE: Final = "audit.json"
LOCK_FILE: Final = "audit.lock"
SCHEMA: Final = 1  # of the file; docs/deploy.md describes it
STRATEGY: Final = "audit"  # of a ranking that holds nothing else
REASON: Final = "drawn at random for an audit, to judge models by"


@dataclass(frozen=True)
class Audit:
    """Texts to judge models by.

    Attributes:
        number: from 1.
        drawn: UTC, ISO 8601.
        wanted: texts that were asked for.
        items: ids of its texts, in the order in which they are asked.
        pool: texts that nobody had answered when it was drawn, which it is a sample of.
        seen: number of the newest event then.
        closed: when its labels were given free, UTC, ISO 8601; None while it is open.
        looks: for each judgement by it, of which model (sha256), by how many labels and which criteria, when, and how
            it ended.
    """

    number: int
    drawn: str
    wanted: int
    items: tuple[int, ...]
    pool: int
    seen: int
    closed: str | None = None
    looks: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """As the file has it."""
        return cls(**{**found, "items": tuple(map(int, found["items"])), "looks": tuple(found["looks"])})

    @property
    def is_open(self) -> bool:
        """May no model learn its labels yet?"""
        return self.closed is None

    def unlearned_by(self, seen: int | None, closed: int | None) -> bool:
        """Has a model surely learned none of its labels?

        Args:
            seen: number of the newest event that the model may have learned; None where that is not known.
            closed: audits that were closed when it read its labels, which it may have learned; likewise.
        """
        drawn_later = seen is not None and seen <= self.seen
        return self.is_open or drawn_later or (closed is not None and closed < self.number)


def audits(folder: Path) -> list[Audit]:
    """All audits of a run, the oldest first.

    Raises:
        StoreError: the file cannot be read.
    """
    path = own(folder / AUDIT_FILE)
    if not path.is_file():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema"] != SCHEMA:
            raise ValueError(f"it is not of schema {SCHEMA}")
        return [Audit.of(one) for one in found["audits"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} cannot be read ({getattr(error, 'strerror', None) or error}); put it back, for it says which "
            "labels no model may learn"
        ) from error


@dataclass(frozen=True)
class HeldBack:
    """What a learner leaves alone at one moment.

    Attributes:
        items: texts whose labels it may not learn, those of open audits, in the order in which they are asked.
        closed: audits that are closed, whose labels it may learn.
    """

    items: tuple[int, ...]
    closed: int

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Of a run, now; asked after its answers were read, for an audit that is drawn later has none of these."""
        there = audits(folder)
        return cls(tuple(item for audit in there if audit.is_open for item in audit.items),
                   sum(not audit.is_open for audit in there))  # fmt: skip


def draw(record: Record, n: int) -> Audit:
    """Draw an audit, and ask its texts before all others; where one is open, that one.

    A text counts once, whatever its copies. One that was answered while it was drawn is left out again, for a model may
    have learned it.

    Raises:
        ConfigError: one of another size is open, or there are fewer texts that nobody has answered.
        StoreError: nothing can be written.
    """
    folder = record.path.parent
    with OwnerLock(folder, "an audit", LOCK_FILE):
        there = audits(folder)
        if there and there[-1].is_open:
            if there[-1].wanted != n:
                raise ConfigError(
                    f"an audit of {there[-1].wanted:,} texts is open; give --audit {there[-1].wanted}, or close it "
                    f"with lit-al gate {folder} --close-audit"
                )
            return there[-1]
        with record.one_moment():
            seen, pool = record.last_seq(), _unanswered(record)
        if n > len(pool):
            raise ConfigError(
                f"--audit {n} asks for more texts than the {len(pool):,} that nobody has answered; give fewer, or "
                "judge by texts of another file with --data"
            )
        digests, number = record.digests(), len(there) + 1
        order = sorted(pool, key=lambda item: (digests[item], item))
        items = Random(f"{record.run_id}:audit:{number}").sample(order, n)
        audit = Audit(number, now(), n, tuple(items), len(pool), seen)
        _write(folder, [*there, audit])
        answered = set(items) - set(_unanswered(record))
        if answered:
            audit = replace(audit, items=tuple(item for item in items if item not in answered))
            _write(folder, [*there, audit])
        _ask_first(record, audit)
    return audit


def note_look(folder: Path, look: Mapping[str, Any]) -> int:
    """Note that a model was judged by the newest audit; returns how many looks there were, this one included.

    The same model by the same labels and criteria tells nothing new, and is no further look.
    """
    with OwnerLock(folder, "an audit", LOCK_FILE):
        *earlier, audit = audits(folder)
        same = [one for one in audit.looks if {**one, "at": ""} == {**look, "at": ""}]
        if not same:
            audit = replace(audit, looks=(*audit.looks, {**look, "at": now()}))
            _write(folder, [*earlier, audit])
    return len(audit.looks)


def close(record: Record) -> Audit:
    """Close the open audit: its labels may be learned from now on.

    Raises:
        ConfigError: none is open.
    """
    folder = record.path.parent
    with OwnerLock(folder, "an audit", LOCK_FILE):
        there = audits(folder)
        if not there or not there[-1].is_open:
            raise ConfigError(f"no audit of {folder} is open; lit-al gate {folder} --audit 200 draws one")
        audit = replace(there[-1], closed=now())
        _write(folder, [*there[:-1], audit])
    return audit


def _unanswered(record: Record) -> list[int]:
    """Texts of which nobody has said anything, nor of a copy of theirs; of copies the one that is asked."""
    groups = record.groups()
    said = {groups.first_of(answer.item) for answer in record.answers()}
    said |= {groups.first_of(item) for item in record.verdicts()}
    return [item for item in record.digests() if item not in groups.further and item not in said]


def _ask_first(record: Record, audit: Audit) -> None:
    """Put its texts before the ranking in force; nothing is said of what a model thinks of them."""
    there, first = record.newest_generation(), set(audit.items)
    rest = [one for one in record.ranked(there.id) if one.item not in first] if there else []
    new = NewGeneration(None, STRATEGY) if there is None else NewGeneration(
        there.model_version, there.strategy, there.labels_seen
    )  # fmt: skip
    record.publish(new, [*(Ranked(item, 0.0, REASON) for item in audit.items), *rest])


def _write(folder: Path, there: list[Audit]) -> None:
    found = {"schema": SCHEMA, "audits": [asdict(audit) for audit in there]}
    write_text(own(folder / AUDIT_FILE), json.dumps(found, indent=2, ensure_ascii=False) + "\n")
