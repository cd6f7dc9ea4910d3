"""What a run is: its id, its labels, its settings, said once at its beginning and never changed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lit_al.exceptions import StoreError
from lit_al.record.database import Unreadable


@dataclass(frozen=True)
class Facts:
    """The rows of `meta`, read.

    Attributes:
        run_id: of this run and no other, a UUID.
        classes: names of the labels, in the order of their numbers.
        settings: of the run, as JSON.
        guidelines: for annotators.
        created: UTC, ISO 8601.
    """

    run_id: str
    classes: tuple[str, ...]
    settings: Mapping[str, Any]
    guidelines: str
    created: str

    @classmethod
    def read(cls, rows: Mapping[str, str]) -> "Facts":
        """The facts of the rows of `meta`, JSON each.

        Raises:
            Unreadable: one is missing, or is what it cannot be.
        """
        found: dict[str, Any] = {}
        for name in ("run_id", "classes", "settings", "guidelines", "created"):
            try:
                found[name] = json.loads(rows[name])
            except (KeyError, TypeError, ValueError, RecursionError):
                raise Unreadable(f"the run's {name} cannot be read") from None
        return cls.of(found)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Facts":
        """The facts as JSON has them, checked.

        Raises:
            Unreadable: one is missing, or is what it cannot be.
        """
        try:
            classes = found["classes"]
            if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
                raise TypeError
            check_classes(classes)
            UUID(found["run_id"])
            settings, guidelines, created = found["settings"], found["guidelines"], found["created"]
        except (KeyError, TypeError, ValueError, AttributeError, StoreError):
            raise Unreadable("the run's id or its labels are none") from None
        if not isinstance(settings, dict) or not isinstance(guidelines, str) or not isinstance(created, str):
            raise Unreadable("the run's settings, guidelines or date are none")
        return cls(found["run_id"], tuple(classes), settings, guidelines, created)

    def rows(self) -> dict[str, str]:
        """The rows of `meta`, without their checksum."""
        found = {**vars(self), "classes": list(self.classes)}
        return {key: json.dumps(value, ensure_ascii=False) for key, value in found.items()}


def schema_hash(classes: Sequence[str]) -> str:
    """Of the names and their order: 16 hex digits."""
    return hashlib.sha256(json.dumps(list(classes)).encode()).hexdigest()[:16]


def check_classes(classes: Sequence[str]) -> None:
    """Refuse names that cannot be told apart.

    Raises:
        StoreError: fewer than two, or one that is empty, padded or there twice.
    """
    if len(classes) < 2:
        raise StoreError(f"two labels or more are needed, as in negative,positive; got {', '.join(classes) or 'none'}")
    for name in classes:
        if not name or name != name.strip() or "\0" in name:
            raise StoreError(f"{name!r} is no name of a label; give one without spaces around it")
    twice = sorted({name for name in classes if list(classes).count(name) > 1})
    if twice:
        raise StoreError(f"the label {twice[0]!r} is there twice; labels need names of their own")
