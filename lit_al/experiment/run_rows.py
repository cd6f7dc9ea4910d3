"""The rows of a run: which texts it began with, in which order, so that its data are known again wherever rows stand.

All that a run keeps speaks of rows by their numbers. The file `rows.sha256` of its folder holds the sha256 of each
text, 32 bytes a row: data whose rows were moved are put back into that order, and rows that came later are left out.
"""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from lit_al.data import Corpus
from lit_al.typing import Ints
from lit_al.utils.folders import write_bytes
from lit_al.utils.links import own

FILE = "rows.sha256"
_BYTES = 32  # of a sha256


def keep_rows(folder: Path, corpus: Corpus) -> None:
    """Note the texts of a run that begins.

    Raises:
        RunError: the file cannot be written.
    """
    write_bytes(folder / FILE, corpus.keys.astype(">u8").tobytes())


def put_back(corpus: Corpus, folder: Path, fingerprint: object) -> Corpus:
    """The corpus that a run began with, from data whose rows may stand elsewhere now; copies are taken in their order.

    Args:
        corpus: of the data as they are.
        folder: of the run.
        fingerprint: of the corpus that it began with.

    Returns:
        That corpus; where it cannot be had, the one that is there, whose fingerprint is another one.
    """
    if corpus.fingerprint == fingerprint:
        return corpus
    try:
        kept = own(folder / FILE).read_bytes()
    except OSError:
        return corpus  # a run of before rows were kept
    rows = _rows_of(corpus, [kept[start : start + _BYTES] for start in range(0, len(kept), _BYTES)])
    if rows is None:
        return corpus
    more = len(corpus) - len(rows)
    found = corpus.at(rows)
    if found.fingerprint != fingerprint:
        return corpus
    note = f"rows of {corpus.source} that are not of this run: {more:,}; they are left out"
    return replace(found, notes=(*found.notes, note)) if more else found


def _rows_of(corpus: Corpus, wanted: list[bytes]) -> Ints | None:
    """The row of each text (n,) int64; None where one is not there."""
    there: dict[bytes, list[int]] = defaultdict(list)
    keys = corpus.keys.astype(">u8").tobytes()
    for row in reversed(range(len(corpus))):
        there[keys[row * _BYTES : (row + 1) * _BYTES]].append(row)
    rows = [there[key].pop() if there.get(key) else -1 for key in wanted]
    return None if -1 in rows else np.array(rows, np.int64)
