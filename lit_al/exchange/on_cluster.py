"""`lit-al predict --cluster`: Parquet files classified on many cores or machines, by Ray Data.

What is written has the rows of the input in their order, and the columns that `exchange.classified` adds. Ray reads,
hands out and writes; a worker that is lost is replaced, and its rows are classified again.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lit_al.data.columns import choose_columns, texts_of
from lit_al.data.tables import DataTable, Reading
from lit_al.exceptions import ConfigError, DataError, LitALError, RunError
from lit_al.exchange.carried import free_names
from lit_al.exchange.classified import AT_ONCE, Wanted, added_columns, in_words, said
from lit_al.models.checkpoint import load_frozen
from lit_al.models.prediction import probabilities
from lit_al.utils.cluster import cluster
from lit_al.utils.terminal_text import first_line

if TYPE_CHECKING:
    import pyarrow as pa

LOOKED_AT = 500  # rows by which the column of the texts is known


def classify_on_cluster(weights: Path, data: str, reading: Reading, wanted: Wanted, address: str) -> str:
    """Classify the texts of Parquet files, and write them with all that stands beside them.

    Args:
        weights: of the model, as `load_frozen` takes it.
        data: a Parquet file, or a folder of some, that every machine of the cluster can read.
        reading: which column holds the texts.
        wanted: what is written; `to` is a new folder that every machine can write.
        address: of the cluster, as `utils.cluster.cluster` takes it.

    Returns:
        What was done, a sentence.

    Raises:
        LitALError: a cluster, a file or a folder that cannot be used.
    """
    to = _new_folder(wanted.to)
    model = _packed(weights)
    with cluster(address) as ray:
        ray.data.DataContext.get_current().execution_options.preserve_order = True
        ray.data.DataContext.get_current().enable_progress_bars = False
        try:
            rows = ray.data.read_parquet(data)
            names = list(rows.schema().names)
            head = rows.take(LOOKED_AT)
        except Exception as error:  # of a dozen libraries' own kinds: all mean the same here
            raise DataError(f"{data} cannot be read as Parquet: {first_line(error)}") from error
        texts, classes = _text_columns(data, names, head, reading), load_frozen(weights).classes
        ours = added_columns(classes, wanted)
        free = list(free_names(ours, names, "predicted_"))
        partial = to.with_name(f".{to.name}.part")
        try:
            rows.map_batches(
                _Classifying,
                fn_constructor_args=(model, texts, free, wanted),
                batch_format="pyarrow",
                batch_size=AT_ONCE,
                num_cpus=1,
                concurrency=(1, max(1, int(ray.cluster_resources().get("CPU", 1)))),
            ).write_parquet(str(partial))
            partial.rename(to)
        except ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            raise cause if isinstance(cause, LitALError) else RunError(f"{data}: {first_line(error)}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return in_words(data, classes, _counted(to, free[0], classes), wanted)


def _new_folder(to: Path | None) -> Path:
    """Where the files go.

    Raises:
        ConfigError: there is none, or it is there already.
    """
    if to is None or to.suffix:
        raise ConfigError("--cluster writes a folder of Parquet files; give --to FOLDER")
    if to.exists():
        raise RunError(f"{to} is there already; give --to another name")
    return to


def _text_columns(data: str, names: list[str], head: list[Mapping[str, Any]], reading: Reading) -> tuple[str, ...]:
    """The columns of the texts, by the first rows; what is wrong with these is said before a worker meets it."""
    table = _table(data, names, tuple([row[name] for row in head] for name in names))
    texts, _, _ = choose_columns(table, reading, labeled=False)
    texts_of(table, Reading(text_column=",".join(texts)), labeled=False)
    return texts


def _table(data: str, names: list[str], cells: tuple[list[Any], ...]) -> DataTable:
    return DataTable(tuple(names), cells, lambda row: f"{data}, row {row + 1} of a batch", data)


def _packed(weights: Path) -> dict[str, bytes]:
    """The files of a model, for machines that do not see this one's."""
    files = [weights] if weights.is_file() else [path for path in weights.iterdir() if path.is_file()]
    try:
        return {path.name: path.read_bytes() for path in files}
    except OSError as error:
        raise RunError(f"{weights} cannot be read: {error.strerror or error}") from error


def _counted(folder: Path, column: str, classes: tuple[str, ...]) -> Any:
    """(C + 1,) int64 texts of each class; the last are those without a label."""
    from pyarrow import dataset

    found: Counter[str | None] = Counter()
    for batch in dataset.dataset(str(folder)).to_batches(columns=[column]):
        found.update(batch.column(0).to_pylist())
    return np.array([found[name] for name in (*classes, None)], np.int64)


class _Classifying:
    """On a worker: the model, and a batch after the other.

    Args:
        model: files of it.
        texts: columns that hold them.
        added: names of the columns that it adds.
        wanted: which these are.
    """

    def __init__(self, model: dict[str, bytes], texts: tuple[str, ...], added: list[str], wanted: Wanted) -> None:
        self.texts, self.added, self.wanted = texts, added, wanted
        with tempfile.TemporaryDirectory() as place:
            for name, content in model.items():
                Path(place, name).write_bytes(content)
            self.model = load_frozen(Path(place) if len(model) > 1 else Path(place, *model))

    def __call__(self, batch: "pa.Table") -> "pa.Table":
        """The batch, with the model's columns behind its own."""
        import pyarrow as pa

        names = [name for name in batch.column_names if any(_is_of(name, text) for text in self.texts)]
        table = _table("the data", names, tuple(batch.column(name).to_pylist() for name in names))
        found = texts_of(table, Reading(text_column=",".join(self.texts)), labeled=False)
        scores = np.concatenate(list(probabilities(self.model, found.texts, AT_ONCE)))  # (n, C)
        _, columns = said(self.model.classes, scores, self.wanted)
        kinds = {"label": pa.string(), "abstained": pa.bool_()}
        ours = added_columns(self.model.classes, self.wanted)
        for name, free, cells in zip(ours, self.added, columns, strict=True):
            batch = batch.append_column(free, pa.array(cells, kinds.get(name, pa.float64())))
        return batch


def _is_of(name: str, text: str) -> bool:
    """Is a column that of the texts, or what they are nested in?"""
    return text == name or text.startswith(f"{name}.")
