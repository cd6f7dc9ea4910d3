"""What `lit-al export` and `lit-al import` can be told."""

from dataclasses import dataclass
from pathlib import Path

from lit_al.exceptions import ConfigError
from lit_al.exchange.incoming import Incoming
from lit_al.exchange.outgoing import Outgoing
from lit_al.record import Resolve
from lit_al.utils.options import REQUIRED, RunOptions, grouped

file_option, contents_option, answers_option = grouped("File"), grouped("Contents"), grouped("Answers")


@dataclass(frozen=True)
class ExportOptions(RunOptions):
    """From a run to a file."""

    to: Path | None = file_option(None, "The file; written whole, and never over another.", "FILE")
    conflicts: Path | None = file_option(
        None,
        "A file, .csv or .jsonl, of the texts on which annotators differ, with each answer; filled in, it is taken "
        "back by lit-al import --settles.",
        "FILE",
    )
    format: Outgoing | None = file_option(
        None,
        "By default what the suffix says: .csv, .jsonl, .parquet, or .json for labelstudio. argilla and prodigy hold "
        "what each annotator said, events everything that happened.",
    )
    raw: bool = file_option(False, "Leave cells of a CSV that a spreadsheet would compute as they are.")
    overwrite: bool = file_option(False, "Replace a file that is there, with any answers in it.")
    resolve: Resolve | None = contents_option(
        None,
        "Which label a text has where annotators disagree and nobody has settled it: the one given most often (ties "
        "have none), the one given last, or none; as the run was begun (majority) if not given.",
    )
    unlabeled: int | None = contents_option(
        None, "Write the N most wanted texts that nobody has answered, instead of labels.", "N"
    )
    suggestions: bool = contents_option(False, "With --unlabeled: what the model thinks; people follow it.")

    def __post_init__(self) -> None:
        if self.to is None and self.conflicts is None:
            raise ConfigError("give --to FILE, --conflicts FILE, or both; --help lists the options")


@dataclass(frozen=True)
class ImportOptions(RunOptions):
    """From a file into a run."""

    file: Path = file_option(REQUIRED, "With the answers.", "FILE", positional=True)
    format: Incoming | None = file_option(None, "By default what the suffix and the first line say.")
    annotator: str | None = answers_option(
        None, "Who answered, where the file does not say; 'file' if not given.", "NAME"
    )
    settles: bool = answers_option(
        False, "Its labels count above what annotators say: a text that they differ on is settled."
    )
    dry_run: bool = answers_option(False, "Check and count, but take nothing.")
    id_column: str | None = answers_option(
        None, "Column of ids of your own that says which text a row is about, instead of the text itself."
    )
