"""What stands beside a text: the other columns of its row, as a run keeps them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from lit_al.data.corpus import Corpus
from lit_al.exceptions import DataError
from lit_al.utils.cells import plain_cell, sayable
from lit_al.utils.readers import shown

MOST = 100_000  # characters that a run keeps beside a text, names of columns included


@dataclass(frozen=True)
class Beside:
    """The columns beside N texts, as JSON can hold them.

    Attributes:
        columns: by name, in the order of the file, with N cells each.
        notes: what is not kept, a sentence.
    """

    columns: Mapping[str, Sequence[Any]] = field(repr=False)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, corpus: Corpus, needed: Collection[str] = ()) -> Self:
        """The columns of a corpus, but for those that are too long to be kept.

        Of a row that holds more than `MOST` characters the longest column is left out, in all rows, until none does.

        Args:
            corpus: N texts.
            needed: columns that have to be there.

        Raises:
            DataError: one of these is too long.
        """
        columns = {sayable(name): [plain_cell(cell) for cell in cells] for name, cells in corpus.columns.items()}
        names = list(columns)
        lengths = np.array(
            [[len(name) + _length(cell) for cell in columns[name]] for name in names], np.int64
        )  # (K, N)
        totals = lengths.sum(axis=0, dtype=np.int64) if names else np.zeros(1, np.int64)
        left: dict[str, tuple[int, int]] = {}
        while totals.max(initial=0) > MOST:
            row = int(totals.argmax())
            longest = int(lengths[:, row].argmax())
            left[names[longest]] = row, int(lengths[longest, row])
            totals -= lengths[longest]
            lengths[longest] = 0
        for name in (name if name in columns else name.split(".")[0] for name in needed):
            if name in left:
                row, length = left[name]
                raise DataError(
                    f"{corpus.source}, row {row + 1}: column {name!r} holds {length:,} characters, and a run keeps "
                    f"{MOST:,} beside a text; name another column"
                )
        note = (
            f"not kept, for a row holds more than the {MOST:,} characters that a run keeps beside a text: "
            f"{shown(list(left))}",
        )
        return cls({name: cells for name, cells in columns.items() if name not in left}, note if left else ())

    def row(self, row: int) -> dict[str, Any]:
        """The cells of a row, by column.

        >>> Beside({"order": [7, 8], "channel": ["web", None]}).row(1)
        {'order': 8, 'channel': None}
        """
        return {name: cells[row] for name, cells in self.columns.items()}


def _length(cell: Any) -> int:
    return len(cell) if isinstance(cell, str) else len(json.dumps(cell))
