"""How an option is declared: a field of a frozen dataclass, its default, its group and its help beside it.

`lit_al.cli.command_line` turns such a dataclass into a command line and into the settings of a YAML file. What several
commands take is declared here, once, so that it means the same everywhere.
"""

from argparse import SUPPRESS
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from lit_al.exceptions import ConfigError

COPIES: Final = "near"  # which texts are taken for one, where nobody says otherwise
REQUIRED: Final[Any] = MISSING
ABSENT: Final[Any] = SUPPRESS  # the default of what is an order of the moment, and no setting to be written down


def option(
    group: str,
    default: Any,
    text: str,
    metavar: str = "",
    *,
    least: int | None = None,
    positional: bool = False,
    prints: str = "",
    **decided: Any,
) -> Any:
    """A field of a dataclass that is an option; `a_name` is `--a-name`, and `--no-a-name` where it is true by default.

    Args:
        group: of `--help` that it stands in.
        default: `REQUIRED` for none.
        text: for `--help`.
        metavar: what stands for its value there; by default the last word of the name.
        least: a number that it takes.
        positional: it is an argument without a name.
        prints: a function of lines, as `module:function` below `lit_al`; they are printed and nothing else is done.
        decided: what is taken for None, by the choice that decides it, such as a protocol, and `otherwise`.
    """
    words = {"group": group, "help": text, "metavar": metavar, "prints": prints}
    return field(default=default, metadata={**words, "least": least, "positional": positional, "decided": decided})


def grouped(title: str) -> Callable[..., Any]:
    """`option` for one group of `--help`."""
    return partial(option, title)


run_option, data_option, split_option = grouped("Run"), grouped("Data"), grouped("Split")


def again(owner: type, name: str, default: Any, text: str = "") -> Any:
    """The option of another class, with another default or another help text."""
    known: Mapping[str, Any] = owner.__dataclass_fields__[name].metadata  # type: ignore[attr-defined]
    return field(default=default, metadata={**known, "help": text or known["help"]})


def flag(name: str) -> str:
    """The option of a field, as it is typed."""
    return "--" + name.replace("_", "-")


def check_not_both(asked: Any, one: str, other: str) -> None:
    """Refuse two options that exclude each other.

    Raises:
        ConfigError: both are given.
    """
    if getattr(asked, one) is not None and getattr(asked, other) is not None:
        raise ConfigError(f"give {flag(one)} or {flag(other)}, not both")


@dataclass(frozen=True)
class Options:
    """What a command can be told."""

    @classmethod
    def of(cls, given: dict[str, Any]) -> Any:
        """What a command line asks for, from what was typed; whatever was not has its default.

        Raises:
            ConfigError: a number out of range, or options that do not go together.
        """
        asked = cls(**given)
        asked.check_bounds()
        return asked

    def check_bounds(self) -> None:
        """Raise `ConfigError` for a number below the least that its option takes."""
        for item in fields(self):
            least, value = item.metadata["least"], getattr(self, item.name)
            if least is not None and value is not None and value < least:
                raise ConfigError(f"{flag(item.name)} {value} must be {least} or more")


@dataclass(frozen=True)
class RunOptions(Options):
    """A run that is there."""

    run: Path = run_option(REQUIRED, "Folder of a run.", "RUN", positional=True)


@dataclass(frozen=True)
class FolderOptions(Options):
    """Where what is made goes."""

    log_dir: str = run_option("lightning_logs", "Folder of all runs.")
    name: str | None = run_option(None, "Folder of this run inside --log-dir; version_N if not given.")


@dataclass(frozen=True)
class CorpusOptions(Options):
    """Which texts, as of `load_corpus`."""

    data: str | None = data_option(
        None,
        "A file (.csv, .tsv, .xlsx, .json, .jsonl, .txt, .parquet, packed or not), a folder (train and test files, or "
        "texts by class), imdb or hub:OWNER/NAME (Hugging Face hub or its cache), demo (generated reviews), or auto: "
        "the folder $LIT_AL_IMDB, else imdb, else demo.",
    )
    text_column: str | None = data_option(
        None,
        "Column of the texts, by name or number; several with commas are joined, a.b is nested; found by its usual "
        "names if not given.",
    )
    label_column: str | None = data_option(
        None, "Column of the labels, by name or number; found by its usual names if not given."
    )
    id_column: str | None = data_option(None, "Column of ids of your own, each once.")
    labels: str | None = data_option(
        None,
        "Names of the classes with commas, as in negative,positive, for a file whose texts have few labels or none.",
    )
    encoding: str | None = data_option(None, "Encoding of a text file, as cp1252; found out, and said, if not given.")
    separator: str | None = data_option(
        None,
        "Between the cells of a row: comma, semicolon, tab, pipe or a character; found out, and said, if not given.",
    )
    no_header: bool = data_option(False, "The first row is a row like any other; columns have numbers, from 1.")
    exact_labels: bool = data_option(False, "Keep labels apart that differ in case or blanks alone.")
    keep_na_labels: bool = data_option(False, 'Take labels such as NA, None, "-" and "?" for classes, not for none.')
    several_labels: Literal["refuse", "first", "none"] = data_option(
        "refuse", "Cells with several labels: refused, cut to the first, or no label."
    )
    drop_empty: bool = data_option(False, "Leave out rows without a text.")
    copies: Literal["near", "exact", "none"] | None = data_option(
        None,
        "Texts that are taken for one, so that the answer to one holds for all and no split parts them: near, which "
        "differ in a few signs of a hundred; exact, in case and blanks alone; or none.",
        otherwise=COPIES,
    )
    demo_rows: int = data_option(50_000, "Reviews in the demo corpus.")
    demo_seed: int = data_option(0, "Seed of the demo corpus.", least=0)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names in `labels`; None where it does not say."""
        return None if self.labels is None else words_of(self.labels)

    @property
    def corpus(self) -> dict[str, Any]:
        """The arguments of `load_corpus`."""
        names = [item.name for item in fields(CorpusOptions) if item.name != "labels"]
        found = {name: getattr(self, name) for name in names}
        return {**found, "classes": self.classes, "copies": self.copies or COPIES}


@dataclass(frozen=True)
class SplitOptions(CorpusOptions):
    """Which texts, and what is set aside to judge by."""

    drop_duplicates: bool = data_option(False, "Keep only the first copy of each text.")
    resolve: Literal["keep", "majority", "first", "drop"] = data_option(
        "keep",
        "What a text has that stands there under two labels: both, in its copies; the label that most copies have "
        "(ties have none); that of its first copy; or none.",
    )
    split_seed: int = split_option(0, "Seed of the split.", least=0)

    @property
    def corpus(self) -> dict[str, Any]:
        """The arguments of `load_corpus`."""
        return {**super().corpus, "resolve": self.resolve}


def words_of(text: str) -> tuple[str, ...]:
    """Words with commas between them.

    >>> words_of("ann, bob,")
    ('ann', 'bob')
    """
    return tuple(word.strip() for word in text.split(",") if word.strip())
