"""Tables of Arrow and its kin: Parquet files, data sets of Hugging Face `datasets`, pandas frames, Arrow tables."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lit_al.data.bounds import ROW, Bound, row_size, rows_at_once
from lit_al.data.columns import TEXT_COLUMNS
from lit_al.data.labels import MAX_CLASSES
from lit_al.data.parts import in_order
from lit_al.data.tables import DataTable, Reading, joined
from lit_al.exceptions import DataError, LitALError
from lit_al.utils.memory import is_shortage
from lit_al.utils.readers import check_text
from lit_al.utils.terminal_text import first_line


def read_parquet(path: Path, reading: Reading) -> DataTable:
    """Read a Parquet file; class names come from the metadata that Hugging Face `datasets` writes, if there.

    Columns that hold neither numbers nor words, such as images or vectors, are left out unless one is named.

    Raises:
        DataError: no sound Parquet file, or one that does not fit into memory.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise DataError(f"{path}: reading Parquet needs pyarrow; install it, or convert the file to CSV") from None
    bound = Bound(path)
    try:
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            kept = [name for name in schema.names if _is_kept(pa, name, schema.field(name).type, reading)]
            cells: tuple[list[object], ...] = tuple([] for _ in kept)
            for batch in _batches(file, path, kept, bound):
                for name, column in zip(kept, cells, strict=True):
                    column.extend(batch.column(name).to_pylist())
    except Exception as error:  # whatever a broken file does to Arrow
        if isinstance(error, LitALError) or is_shortage(error):
            raise
        raise DataError(f"{path} is not a sound Parquet file ({first_line(error)}); copy or write it again") from None
    names = _class_names(schema.metadata or {}, kept, str(path))
    return DataTable(tuple(kept), cells, lambda row: f"{path}, row {row + 1} of {rows}", str(path), class_names=names)


def _is_kept(pa: Any, name: str, kind: Any, reading: Reading) -> bool:
    """Whether a column is one of words, numbers and dates, or one that may hold texts or labels in another way."""
    wanted = ",".join(filter(None, (reading.text_column, reading.label_column, reading.id_column))).split(",")
    if name in wanted or name.strip().lower() in TEXT_COLUMNS or any(one.startswith(f"{name}.") for one in wanted):
        return True
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):  # of words: labels of texts that have several
        return bool(pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type))
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _batches(file: Any, path: Path, columns: list[str], bound: Bound) -> Iterator[Any]:
    """The rows of a Parquet file, some at a time, until they no longer fit into memory."""
    bound.check(ROW * file.metadata.num_rows)
    for group in range(file.metadata.num_row_groups):
        most = rows_at_once(path, group, columns, bound)
        for batch in file.iter_batches(most, row_groups=[group], columns=columns):
            bound.take(row_size(batch))
            yield batch


def _class_names(metadata: Mapping[bytes, bytes], columns: list[str], origin: str) -> dict[str, tuple[str, ...]]:
    try:
        found = {name: class_names(metadata, name) for name in columns}
    except DataError as error:
        raise DataError(f"{origin}: {error}") from None
    return {name: names for name, names in found.items() if names}


def class_names(metadata: Mapping[bytes, bytes], column: str) -> tuple[str, ...] | None:
    """The names of a `ClassLabel` column, from the schema metadata of a Hugging Face Parquet file.

    Raises:
        DataError: it has names that `datasets` does not write.
    """
    try:
        feature = json.loads(metadata[b"huggingface"])["info"]["features"][column]
        if feature["_type"] != "ClassLabel":
            return None
        names = feature["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    if names is None or names == []:
        return None
    if not isinstance(names, list) or len(names) > MAX_CLASSES or not all(isinstance(name, str) for name in names):
        raise DataError(
            f"the metadata of column {column!r} names its classes {first_line(repr(names))}, which is no list of 2 to "
            f"{MAX_CLASSES:,} names as `datasets` writes it; write the file again without the metadata"
        )
    if len(set(names)) < len(names):
        raise DataError(f"the metadata of column {column!r} names two classes alike; write the file again without it")
    for name in names:
        check_text(name, f"the metadata of column {column!r}", "name of a class")
    return tuple(names)


def table_in_memory(data: Any, reading: Reading) -> DataTable:
    """A `datasets.Dataset` or `DatasetDict`, a pandas frame, or whatever exports Arrow, such as an Arrow table.

    Raises:
        DataError: it is nothing of the kind.
    """
    library = type(data).__module__.partition(".")[0]
    if library == "datasets" and isinstance(data, dict):
        return table_of_splits(data, "data set", reading)
    if library == "datasets" and hasattr(data, "with_format") and hasattr(data, "num_rows"):
        return _of_dataset(data, "data set", reading)
    if library == "pandas" and hasattr(data, "columns"):
        names = tuple(map(str, data.columns))
        cells = tuple(_of_series(data.iloc[:, place]) for place in range(len(names)))
        return DataTable(
            names, cells, lambda row: f"data frame, row {row + 1} of {len(data)}", "data frame", loose=True
        )
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow as pa

        return _of_arrow(pa.table(data), "table", reading)
    raise DataError(
        f"load_corpus cannot read {type(data).__name__}; give a path or name, a datasets.Dataset or DatasetDict, a "
        "pandas frame, or an Arrow table"
    )


def table_of_splits(splits: Mapping[str, Any], origin: str, reading: Reading) -> DataTable:
    """The splits of a data set as one table: train, validation, test, then all others.

    Raises:
        DataError: there is none, or they name their classes differently.
    """
    if not splits:
        raise DataError(f"the {origin} has no splits")
    names = in_order(list(splits))
    return joined({name: _of_dataset(splits[name], f"{origin}, {name}", reading) for name in names}, origin)


def _of_dataset(data: Any, origin: str, reading: Reading) -> DataTable:
    """A `datasets.Dataset`, its rows as it shows them."""
    return _of_arrow(data.with_format("arrow")[:], origin, reading)


def _of_arrow(table: Any, origin: str, reading: Reading) -> DataTable:
    import pyarrow as pa

    schema = table.schema
    kept = [place for place, item in enumerate(schema) if _is_kept(pa, item.name, item.type, reading)]
    names = [schema.names[place] for place in kept]
    cells: tuple[list[object], ...] = tuple(table.column(place).to_pylist() for place in kept)
    classes = _class_names(schema.metadata or {}, names, origin)
    rows = table.num_rows
    return DataTable(tuple(names), cells, lambda row: f"{origin}, row {row + 1} of {rows}", origin, class_names=classes)


def _of_series(series: Any) -> list[object]:
    """The cells of a frame's column; whatever pandas takes for missing is None."""
    missing = series.isna().tolist()
    return [None if gone else cell for cell, gone in zip(series.tolist(), missing, strict=True)]
