"""The user's own columns in files that go out: the id first, then the others in the order of their file."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lit_al.exchange.answers import FIELDS
from lit_al.record import Item, Record
from lit_al.record.own_columns import OwnColumns

# Names that have a meaning in some file of ours; a column of the user's own that bears one gets another.
RESERVED = (
    *FIELDS,
    "annotators",
    "agree",
    "notes",
    "flagged",
    "flagged_by",
    "skipped_by",
    "schema_version",
    "state",
    "votes",
    "answers",
)


class Carried:
    """The columns of a record.

    Args:
        record: of the run.
        labels: with the labels that the file brought; people who see them agree with them more often.

    Attributes:
        names: of the columns in files of ours, by their own names.
    """

    def __init__(self, record: Record, *, labels: bool) -> None:
        self._own = OwnColumns.of(record)
        kept = [name for name in self._own.in_order(record.columns()) if labels or name != self._own.label]
        self.names: Mapping[str, str] = dict(zip(kept, free_names(kept, RESERVED, "file_"), strict=True))

    @property
    def key(self) -> str | None:
        """The name of the column of ids in files of ours; None where the run has none."""
        return None if self._own.id is None else self.names.get(self._own.id)

    def of(self, item: Item) -> dict[str, Any]:
        """What came with a text, by the names in files of ours."""
        row = self._own.row_of(item, list(self.names))
        return {self.names[name]: cell for name, cell in row.items()}


def free_names(wanted: Iterable[str], taken: Iterable[str], prefix: str) -> Iterator[str]:
    """Names that no column has yet, whatever their case and blanks around them.

    >>> list(free_names(["label", "probability"], ["Label", "text"], "predicted_"))
    ['predicted_label', 'probability']
    """
    known = {_plain(name) for name in taken}
    for name in wanted:
        while _plain(name) in known:
            name = f"{prefix}{name}"
        known.add(_plain(name))
        yield name


def _plain(name: str) -> str:
    return name.strip().casefold()
