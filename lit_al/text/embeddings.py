"""Text vectors from outside the corpus: of a pretrained encoder, or made by anybody and read from a file.

| file | holds | a vector's text |
|---|---|---|
| `.npy` | N × D numbers | the one at the same place of the corpus |
| `.parquet` | lists of D numbers in a column `vector` or `embedding` | `key`, its sha256 in 64 hex digits, or `text` |

A Parquet file may hold more texts than the corpus, in any order; of vectors of the same text the first counts. A file
executes nothing, whatever is in it.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lit_al.data import Corpus
from lit_al.data.bounds import Bound, rows_at_once
from lit_al.data.corpus import shorten
from lit_al.exceptions import DataError, LitALError
from lit_al.text.pretrained import encoder_vectors, unit_rows
from lit_al.typing import Float16s, Ints
from lit_al.utils.memory import is_shortage
from lit_al.utils.readers import reading, shown
from lit_al.utils.terminal_text import first_line

KEY_COLUMNS: Final = ("key", "text")
VECTOR_COLUMNS: Final = ("vector", "embedding")
MOST: Final = 2**15  # numbers in a vector
AT_ONCE: Final = 2**22  # numbers that are looked at in one piece


def embeddings_of(
    corpus: Corpus,
    encoder: str | None,
    file: str | None,
    *,
    device: str | None = None,
    advance: Callable[[int], object] = lambda texts: None,
) -> Float16s | None:
    """The vectors that `--encoder` or `--embeddings` ask for; None where neither is given.

    Args:
        corpus: N texts.
        encoder: a folder, or a name of the Hugging Face hub.
        file: with vectors, where there is no encoder.
        device: of the encoder, torch's; None for the best one there is.
        advance: called with the number of texts that an encoder has read since the last call.

    Returns:
        (N, D) float16, rows of length 1 or 0.

    Raises:
        ConfigError: as `encoder_vectors`.
        DataError: as `read_embeddings`.
    """
    if encoder is not None:
        return encoder_vectors(corpus, encoder, device=device, advance=advance)
    return None if file is None else read_embeddings(Path(file).expanduser(), corpus)


def read_embeddings(path: Path, corpus: Corpus) -> Float16s:
    """Vectors of every text, from a file.

    Args:
        path: `.npy` or `.parquet`, as said above.
        corpus: N texts.

    Returns:
        (N, D) float16, rows of length 1 or 0.

    Raises:
        DataError: a file that is missing, broken, of another kind, without a vector for each text, with vectors of
            unlike length, or with something that is no number.
    """
    readers = {".npy": _read_npy, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise DataError(f"{path} holds no vectors by its name; a file of vectors ends in .npy or .parquet")
    with reading(path):
        return readers[path.suffix.lower()](path, corpus)


def _check_width(width: int, where: str) -> int:
    if not 1 <= width <= MOST:
        raise DataError(f"{where} has vectors of {width:,} numbers; 1 to {MOST:,} can be")
    return width


def _check_finite(vectors: npt.NDArray[Any], where: Callable[[int], str]) -> None:
    """Refuse (n, D) vectors with NaN or infinity; `where` says the place of a row, counted from 0."""
    sound = np.isfinite(vectors).all(axis=1)
    if not sound.all():
        raise DataError(f"{where(int(np.argmin(sound)))}: the vector holds NaN or infinity; compute it again")


# --- .npy -------------------------------------------------------------------------------------------------------------


def _read_npy(path: Path, corpus: Corpus) -> Float16s:
    """In the order of the corpus; mapped, and never unpickled."""
    try:
        found = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, EOFError, SyntaxError, OverflowError) as error:
        raise DataError(f"{path} is no sound .npy file ({first_line(error)}); write it again with numpy.save") from None
    if found.ndim != 2 or found.dtype.kind != "f":
        raise DataError(
            f"{path} holds {found.dtype.name} of shape {found.shape}, not rows of floating-point numbers; save an "
            "array of shape (texts, numbers)"
        )
    if len(found) != len(corpus):
        raise DataError(
            f"{path} has {len(found):,} rows and the corpus {len(corpus):,} texts; give one row for each text in the "
            "order of the corpus, or a .parquet file that says whose each vector is"
        )
    width = _check_width(found.shape[1], str(path))
    Bound(path).check(2 * found.size)
    vectors = np.empty(found.shape, np.float16)
    step = max(1, AT_ONCE // width)
    for first in range(0, len(found), step):
        part = found[first : first + step]
        _check_finite(part, lambda row, first=first: f"{path}, row {first + row + 1} of {len(found)}")  # type: ignore[misc]
        vectors[first : first + step] = unit_rows(part)
    return vectors


# --- .parquet ---------------------------------------------------------------------------------------------------------


def _read_parquet(path: Path, corpus: Corpus) -> Float16s:
    """By the texts' keys, whatever the order."""
    try:
        import pyarrow  # noqa: F401  # the only place where it may be missing
        from pyarrow import parquet
    except ImportError:
        raise DataError(f"{path}: reading Parquet needs pyarrow; install it, or give a .npy file") from None
    copies = _rows_by_key(corpus)
    vectors, here = np.empty((0, 0), np.float16), np.zeros(len(corpus), np.bool_)
    try:
        with parquet.ParquetFile(path) as file:
            for keys, found, first in _batches(file, path):
                if not vectors.size:
                    Bound(path).check(2 * len(corpus) * found.shape[1])
                    vectors = np.zeros((len(corpus), found.shape[1]), np.float16)
                if found.shape[1] != vectors.shape[1]:
                    raise DataError(
                        f"{path}, row {first + 1}: the vector has {found.shape[1]:,} numbers and those before it "
                        f"{vectors.shape[1]:,}; write vectors of one encoder"
                    )
                units = unit_rows(found)
                for key, unit in zip(keys, units, strict=True):
                    rows = copies.pop(key, None)  # gone once it has its vector: the first counts
                    if rows is not None:
                        vectors[rows], here[rows] = unit, True
    except Exception as error:  # whatever a broken file does to Arrow
        if isinstance(error, LitALError) or is_shortage(error):
            raise
        raise DataError(f"{path} is not a sound Parquet file ({first_line(error)}); copy or write it again") from None
    if copies:
        row = int(np.argmin(here))
        others = f", nor for {len(copies) - 1:,} other texts" if len(copies) > 1 else ""
        raise DataError(
            f"{path} has no vector for the text {shorten(corpus.texts[row], 40)!r}{others}; make vectors of all "
            "texts of the corpus"
        )
    return vectors


def _rows_by_key(corpus: Corpus) -> dict[bytes, list[int]]:
    """The rows of each text, by the 32 bytes of its sha256."""
    rows: dict[bytes, list[int]] = {}
    for row, key in enumerate(corpus.keys.astype(">u8")):
        rows.setdefault(key.tobytes(), []).append(row)
    return rows


def _batches(file: Any, path: Path) -> Iterator[tuple[list[bytes], npt.NDArray[Any], int]]:
    """Some rows at a time: their keys, their (n, D) vectors, and the number of the first."""
    schema, bound, first = file.schema_arrow, Bound(path), 0
    key, vector = _column(schema.names, KEY_COLUMNS, path), _column(schema.names, VECTOR_COLUMNS, path)
    _check_kinds(schema, key, vector, path)
    for group in range(file.metadata.num_row_groups):
        found = file.metadata.row_group(group)
        width = _width(found, vector, path)
        bound.check(schema.field(vector).type.value_type.bit_width // 8 * found.num_rows * width)
        most = max(1, min(rows_at_once(path, group, [key], bound), AT_ONCE // width))
        for batch in file.iter_batches(most, row_groups=[group], columns=[key, vector]):

            def where(row: int, first: int = first) -> str:
                return f"{path}, row {first + row + 1} of {file.metadata.num_rows}"

            yield _keys(batch.column(key), key, where), _vectors(batch.column(vector), where), first
            first += len(batch)


def _column(names: Sequence[str], usual: Sequence[str], path: Path) -> str:
    found = [name for name in usual if name in names]
    if not found:
        raise DataError(
            f"{path} has no column {' or '.join(usual)}; its columns are {shown(names)}; a file of vectors has key or "
            "text, and vector or embedding"
        )
    if list(names).count(found[0]) > 1:
        raise DataError(f"{path} has more than one column {found[0]!r}; rename all but one")
    return found[0]


def _check_kinds(schema: Any, key: str, vector: str, path: Path) -> None:
    """Refuse columns of other things than texts and lists of numbers."""
    import pyarrow as pa

    kind = schema.field(key).type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain)):
        raise DataError(f"{path}: column {key!r} holds {kind}, not texts; write it as a column of strings")
    lists = schema.field(vector).type
    is_list = pa.types.is_list(lists) or pa.types.is_large_list(lists) or pa.types.is_fixed_size_list(lists)
    if not is_list or not pa.types.is_floating(lists.value_type):
        raise DataError(f"{path}: column {vector!r} holds {lists}, not lists of floating-point numbers")


def _width(group: Any, vector: str, path: Path) -> int:
    """Numbers in each vector of a row group, by the file's own count; nothing is unpacked for it."""
    chunks = [group.column(index) for index in range(group.num_columns)]
    [values] = [chunk.num_values for chunk in chunks if chunk.path_in_schema.split(".")[0] == vector]
    return _check_width(-(-values // max(group.num_rows, 1)), str(path))


def _keys(column: Any, name: str, where: Callable[[int], str]) -> list[bytes]:
    """(n,) the 32 bytes of each text's sha256."""
    import hashlib

    keys = []
    for row, value in enumerate(column.to_pylist()):
        if value is None:
            raise DataError(f"{where(row)}: the {name} is missing (null); remove the row")
        if name == "text":
            keys.append(hashlib.sha256(value.encode()).digest())
            continue
        try:
            keys.append(bytes.fromhex(value))
        except ValueError:
            keys.append(b"")
        if len(keys[-1]) != 32:
            raise DataError(
                f"{where(row)}: the key {first_line(repr(value), 40)} is no sha256 of a text in 64 hex digits; write "
                "such keys, or a column text"
            )
    return keys


def _vectors(column: Any, where: Callable[[int], str]) -> npt.NDArray[Any]:
    """(n, D) of a column of lists.

    Raises:
        DataError: a list is missing, or longer or shorter than the first; a number is missing, NaN or infinite.
    """
    from pyarrow import compute

    lengths: Ints = compute.list_value_length(column).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    width = int(lengths[0])
    if (lengths != width).any() or width < 0:
        row = int(np.argmax((lengths != width) | (lengths < 0)))
        what = "is missing (null)" if lengths[row] < 0 else f"has {lengths[row]:,} numbers, and others {width:,}"
        raise DataError(f"{where(row)}: the vector {what}; write vectors of one length for all")
    _check_width(width, where(0))
    flat = column.flatten()
    if flat.null_count:
        row = int(np.argmax(flat.is_null().to_numpy(zero_copy_only=False))) // width
        raise DataError(f"{where(row)}: a number of the vector is missing (null); compute it again")
    vectors = flat.to_numpy(zero_copy_only=False).reshape(len(lengths), width)
    _check_finite(vectors, where)
    return np.asarray(vectors)
