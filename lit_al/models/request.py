"""What `lit-al predict` is asked: which model, and texts from a table, the command line, a file or standard input."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lit_al.exceptions import CheckpointError, ConfigError, DataError
from lit_al.models.named_model import FoundModel, chosen, split_version
from lit_al.utils.cluster import CLUSTER_HELP
from lit_al.utils.links import check_links
from lit_al.utils.options import CorpusOptions, Options, again, flag, grouped

TABLES: Final = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".xlsx", ".parquet")  # of `data.formats`

model_option, text_option, table_option, output_option = map(grouped, ("Model", "Texts", "Table", "Output"))


@dataclass(frozen=True)
class PredictOptions(Options):
    """Texts to classify."""

    words: tuple[str, ...] = model_option(
        (),
        "A .ckpt file, the folder of a run (RUN@3: its version 3), or one of lit-al export-model; then texts. Without "
        "texts, --data or --file each line of standard input is one.",
        "MODEL [TEXT]",
        positional=True,
    )
    checkpoint: Path | None = model_option(None, "The model, where all words are texts.", "PATH")
    network: str | None = model_option(
        None, "Class of the checkpoint, if it is a network of your own, as in mynet.py:MyNet.", "FILE:CLASS"
    )
    data: str | None = table_option(
        None,
        "A table, as --data of lit-al train takes it (.csv, .tsv, .xlsx, .json, .jsonl, .txt, .parquet, packed or not, "
        "a folder, hub:OWNER/NAME): all its columns are kept, and label and probability added.",
    )
    text_column: str | None = again(CorpusOptions, "text_column", None)
    encoding: str | None = again(CorpusOptions, "encoding", None)
    separator: str | None = again(CorpusOptions, "separator", None)
    no_header: bool = again(CorpusOptions, "no_header", False)
    file: Path | None = text_option(None, "A UTF-8 file with a text on each line.", "PATH")
    json: bool = output_option(False, "One JSON object per text.")
    to: Path | None = output_option(
        None, "The file with the answers: .csv, .jsonl or .parquet; standard output if not given.", "FILE"
    )
    all: bool = output_option(False, "With --data or --to: a column for the probability of each class.")
    abstain_below: float | None = output_option(
        None, "With --data or --to: no label where the probability is lower, and a column that says so.", "P"
    )
    cluster: str | None = output_option(
        None,
        f"With --data FILE.parquet, or a folder of such files, and --to FOLDER: classify on {CLUSTER_HELP}",
        "auto|ADDRESS",
    )
    raw: bool = output_option(False, "Leave cells of a CSV that a spreadsheet would compute as they are.")

    @classmethod
    def of(cls, given: dict[str, Any]) -> Any:
        """With the model told from the texts."""
        words = given.get("words", ())
        if "checkpoint" not in given:
            if not words:
                raise ConfigError("the following arguments are required: MODEL; --help lists the options")
            given |= {"checkpoint": Path(words[0]), "words": words[1:]}
        return super().of(given)

    def __post_init__(self) -> None:
        if self.file is not None and self.words:
            raise ConfigError("give texts or --file, not both; --help lists the options")
        if self.cluster is not None and (self.data is None or self.network is not None):
            raise ConfigError("--cluster classifies tables by models of lit_al; give --data, and no --network")
        if self.data is not None and (self.words or self.file is not None):
            raise ConfigError("give --data or texts, not both; --help lists the options")
        for path in [self.file] if self.file else map(Path, self.words[:1]):
            if path.suffix.lower() in TABLES and path.is_file():
                raise ConfigError(f"{path} is a table and would be read line by line; give it as --data {path}")
        if not self.is_table:
            for name in ("all", "abstain_below", "raw", "text_column", "encoding", "separator", "no_header"):
                if getattr(self, name) not in (None, False):
                    raise ConfigError(f"{flag(name)} is of tables; give --data FILE, or --to FILE")
        if self.to is not None and self.data is not None and _same(self.to, Path(self.data)):
            raise ConfigError(f"--to {self.to} is the file that is read; give another name")
        if self.abstain_below is not None and not 0 < self.abstain_below <= 1:
            raise ConfigError(f"--abstain-below {self.abstain_below} must lie above 0 and at most at 1, as in 0.8")

    @property
    def is_table(self) -> bool:
        """Is a table written, and not a line for each text?"""
        return self.data is not None or self.to is not None

    def found(self) -> FoundModel:
        """As `model_at`."""
        assert self.checkpoint is not None  # as `of` sees to
        return model_at(self.checkpoint)

    def read(self) -> Iterator[str]:
        """The texts, one after the other.

        Raises:
            DataError: they cannot be read, or are not UTF-8.
        """
        if self.words:
            yield from map(_valid, self.words)
            return
        try:
            with self.file.open(encoding="utf-8") if self.file else sys.stdin as lines:
                for line in lines:
                    yield line.rstrip("\n")
        except UnicodeDecodeError as error:
            where = self.file or "standard input"
            raise DataError(f"{where} is not UTF-8 at byte {error.start}; convert it first") from error
        except OSError as error:
            raise DataError(f"{self.file} cannot be read: {error.strerror or error}") from error


def weights_at(path: Path) -> Path:
    """Where the weights of a model are, as `model_at` finds them."""
    return model_at(path).weights


def model_at(path: Path) -> FoundModel:
    """A checkpoint or the folder of a model itself; of a run the version named (`RUN@3`), else that in production.

    Where none is in production, it is the newest version, or the best checkpoint of a run that has one model.

    Raises:
        CheckpointError: the folder holds none.
        RunError: it holds a symbolic link where a file of its own should be.
    """
    from lit_al.models.model_folder import is_model_folder

    run, word = split_version(path)
    if not run.is_dir() or is_model_folder(run):
        return FoundModel(path)
    check_links(run)
    found = chosen(run, word)
    if found is not None:
        return found
    best = run / "checkpoints" / "best.ckpt"
    if not best.is_file():
        raise CheckpointError(
            f"{path} holds no checkpoints/best.ckpt and no model.safetensors; give the folder of a run, one that "
            "lit-al export-model has written, or a .ckpt file"
        )
    return FoundModel(best)


def _same(one: Path, other: Path) -> bool:
    """Are two names those of one file?"""
    try:
        return one.exists() and one.samefile(other)
    except OSError:
        return False


def _valid(text: str) -> str:
    """An argument as it is, unless the shell gave bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"the text {text[:20]!r} is not UTF-8 at character {error.start}; convert it first") from error
    return text
