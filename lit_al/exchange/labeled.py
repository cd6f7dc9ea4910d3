"""The labeled texts of a run as CSV, JSONL or Parquet: what other programs learn from.

Columns: the user's own ones, the id first; `lit_al_id`, `lit_al_sha256`, `text`, `label`, `annotators` (how many gave
any label), `agree` (of these, how many gave this one), `notes`, `flagged_by`, `skipped_by`, `copy_of` (the id of
the text whose answer it is, where a copy of this text was asked instead). A text that was skipped, flagged or noted, or
whose annotators are tied, has a row without a label. Each of the three is a corpus that `load_corpus` reads, with the
texts in the order of their ids.
"""

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from lit_al.exceptions import DataError
from lit_al.exchange.shapes import SCHEMA, LabeledText, columns_of
from lit_al.exchange.writing import csv_bytes, jsonl_bytes
from lit_al.utils.cells import word_of

COLUMNS = (
    "lit_al_id", "lit_al_sha256", "text", "label", "annotators", "agree", "notes", "flagged_by", "skipped_by",
    "copy_of",
)  # fmt: skip
_WORDS = "string"
_NUMBERS = ("lit_al_id", "label", "annotators", "agree", "copy_of")


def labeled_csv(labeled: Sequence[LabeledText], own: Sequence[str] = (), *, raw: bool = False) -> bytes:
    """A table.

    Args:
        labeled: the texts.
        own: the user's own columns, which stand before ours.
        raw: leave cells that spreadsheets take for formulas as they are.
    """
    return csv_bytes((*own, *COLUMNS), map(columns_of, labeled), raw=raw)


def labeled_jsonl(labeled: Iterable[LabeledText]) -> bytes:
    """A line for each text."""
    return jsonl_bytes({"schema_version": SCHEMA, **columns_of(one)} for one in labeled)


def labeled_parquet(labeled: Sequence[LabeledText], classes: Sequence[str], own: Sequence[str] = ()) -> bytes:
    """A Parquet file whose labels are numbers with names, as the package `datasets` keeps them.

    Raises:
        DataError: pyarrow is missing.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise DataError("writing Parquet needs pyarrow; install it, or write CSV or JSONL") from None
    number = {name: place for place, name in enumerate(classes)}
    rows = [{**columns_of(one), "label": None if one.label is None else number[one.label]} for one in labeled]
    columns = {name: [row[name] for row in rows] for name in (*own, *COLUMNS)}
    kinds = {name: _kind(columns[name]) for name in own} | dict.fromkeys(COLUMNS, _WORDS)
    kinds |= dict.fromkeys(_NUMBERS, "int64")
    cells = {
        name: [None if cell is None else word_of(cell) for cell in column] if kinds[name] == _WORDS else column
        for name, column in columns.items()
    }
    features: dict[str, Any] = {name: {"dtype": kind, "_type": "Value"} for name, kind in kinds.items()}
    features["label"] = {"names": list(classes), "_type": "ClassLabel"}
    schema = pa.schema(
        [(name, pa.type_for_alias(kind)) for name, kind in kinds.items()],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    file = io.BytesIO()
    parquet.write_table(pa.table(cells, schema=schema), file)
    return file.getvalue()


def _kind(cells: Sequence[Any]) -> str:
    """What Arrow calls the kind of a column; one of several kinds, or of lists and objects, becomes one of words."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {bool}:
        return "bool"
    if kinds == {int} and all(-(2**63) <= cell < 2**63 for cell in cells if cell is not None):
        return "int64"
    return "float64" if kinds and kinds <= {int, float} else _WORDS
