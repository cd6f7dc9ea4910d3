"""The labeled texts of a run as CSV, JSONL or Parquet: what other programs learn from.

Columns: `lit_al_id`, `lit_al_sha256`, `text`, `label`, `annotators` (who gave any label) and `agree` (of these, who
gave this one). Each of the three is a corpus that `load_corpus` reads, with the texts in the order of their ids.
"""

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from lit_al.exceptions import DataError
from lit_al.exchange.shapes import SCHEMA, LabeledText, columns_of
from lit_al.exchange.writing import csv_bytes, jsonl_bytes

COLUMNS = ("lit_al_id", "lit_al_sha256", "text", "label", "annotators", "agree")


def labeled_csv(labeled: Iterable[LabeledText], *, raw: bool = False) -> bytes:
    """A table; `raw` leaves cells that spreadsheets take for formulas as they are."""
    return csv_bytes(COLUMNS, map(columns_of, labeled), raw=raw)


def labeled_jsonl(labeled: Iterable[LabeledText]) -> bytes:
    """A line for each text."""
    return jsonl_bytes({"schema_version": SCHEMA, **columns_of(one)} for one in labeled)


def labeled_parquet(labeled: Sequence[LabeledText], classes: Sequence[str]) -> bytes:
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
    rows = [{**columns_of(one), "label": number[one.label]} for one in labeled]
    kinds = {name: pa.string() if name in ("lit_al_sha256", "text") else pa.int64() for name in COLUMNS}
    schema = pa.schema(kinds.items(), metadata={"huggingface": json.dumps({"info": {"features": _features(classes)}})})
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return file.getvalue()


def _features(classes: Sequence[str]) -> dict[str, Any]:
    """The columns as `datasets` describes them."""
    words = {"dtype": "string", "_type": "Value"}
    numbers = {"dtype": "int64", "_type": "Value"}
    features: dict[str, Any] = {name: words if name in ("lit_al_sha256", "text") else numbers for name in COLUMNS}
    return {**features, "label": {"names": list(classes), "_type": "ClassLabel"}}
