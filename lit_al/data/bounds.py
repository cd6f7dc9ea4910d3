"""How much of a Parquet file fits into memory: three kilobytes of one can stand for forty gigabytes.

A dictionary page holds a text once, however many rows repeat it; and a page of zeros compresses to nothing. So neither
the size of a file nor that of its pages says how large its rows are. What does: the longest text of the dictionary
times the rows, and the pages, unpacked, for all that is written out; where that is too much, the texts are counted.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lit_al.exceptions import DataError
from lit_al.typing import Ints
from lit_al.utils import memory

ROWS_AT_ONCE = 1_024  # memory stays flat however large the file
UNKNOWN = 8 * 2**30  # bytes believed to be free where the system does not say
ROW = 64  # bytes, at least, of a row in Python
_BATCH = 2**26  # bytes of texts that are unpacked at once, unless one of them is longer


class Bound:
    """A count of what was read, against the memory that was free before.

    Args:
        path: of the file, for messages.
        share: of the free memory that its rows may take.
    """

    def __init__(self, path: Path, share: float = 0.75) -> None:
        free = memory.available()
        self.path, self.most, self.taken = path, int(share * (UNKNOWN if free is None else free)), 0

    def take(self, size: int) -> None:
        """Count so many bytes.

        Raises:
            DataError: they no longer fit.
        """
        self.taken += size
        self.check(self.taken, "more than")

    def check(self, size: int, about: str = "some") -> None:
        """Refuse what will not fit.

        Raises:
            DataError: it will not.
        """
        if size > self.most:
            raise DataError(
                f"{self.path} unpacks to {about} {gigabytes(min(size, 2**60))}, and its texts may take "
                f"{gigabytes(self.most)} of the memory that is free; give fewer rows of it, or free memory"
            )


def gigabytes(size: int) -> str:
    """A size for people.

    >>> gigabytes(40 * 2**30), gigabytes(3_000_000)
    ('42.9 GB', '0.003 GB')
    """
    return f"{size / 1e9:,.1f} GB" if size >= 5e7 else f"{size / 1e9:.3f} GB"


def rows_at_once(path: Path, group: int, columns: list[str], bound: Bound) -> int:
    """Rows of a row group to unpack at once, so that they fit whatever they hold.

    Raises:
        DataError: all of them would not fit.
    """
    from pyarrow import parquet

    schema = parquet.read_metadata(path).schema
    paths = {schema.column(index).path for index in range(len(schema))}  # of lists it is name.list.element
    with parquet.ParquetFile(path, read_dictionary=[name for name in columns if name in paths]) as file:
        found = file.metadata.row_group(group)
        chunks = [found.column(index) for index in range(found.num_columns)]
        wanted = [chunk for chunk in chunks if {chunk.path_in_schema, chunk.path_in_schema.split(".")[0]} & {*columns}]
        pages = sum(chunk.total_uncompressed_size for chunk in wanted)
        bound.check(bound.taken + pages)
        batch: Any = next(file.iter_batches(1, row_groups=[group], columns=columns), None)  # its dictionaries, whole
        longest = sum(int(_lengths(column).max(initial=0)) for column in batch.columns) if batch is not None else 0
        if bound.taken + pages + longest * found.num_rows > bound.most:  # at worst; then it is counted
            table = file.read_row_group(group, columns=columns)
            bound.check(bound.taken + sum(_size(chunk) for column in table.columns for chunk in column.chunks))
    return max(1, min(ROWS_AT_ONCE, _BATCH // max(longest, 1)))


def _size(column: Any) -> int:
    """Bytes of a column once its dictionary is unpacked; only its rows' numbers were read for that."""
    lengths = _lengths(column)
    if not len(lengths):
        return int(column.nbytes)
    return int(lengths[column.indices.drop_null().to_numpy()].sum())


def _lengths(column: Any) -> Ints:
    """(d,) int64 bytes of each text of a dictionary; empty where the column has none."""
    import pyarrow as pa
    from pyarrow import compute

    if not pa.types.is_dictionary(column.type):
        return np.empty(0, np.int64)
    kind = column.type.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)):
        return np.empty(0, np.int64)
    lengths: Ints = compute.binary_length(column.dictionary).fill_null(0).to_numpy().astype(np.int64)
    return lengths


def row_size(batch: Any) -> int:
    """Bytes that a batch takes as Python's texts and numbers."""
    return int(batch.nbytes) + ROW * len(batch)
