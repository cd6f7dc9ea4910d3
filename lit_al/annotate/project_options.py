"""What labeling can be told: `lit-al annotate` and `lit-al label` share all that says which run, and how it asks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.text.units import UnitsAsked
from lit_al.utils.options import (
    COPIES,
    CorpusOptions,
    FolderOptions,
    again,
    check_not_both,
    data_option,
    grouped,
    run_option,
)

DEFAULTS: Final[dict[str, Any]] = {
    "strategy": "margin+balanced+random:0.1",
    "seed": 0,
    "recipe": "lean",
    "units": "auto",
    "encoder": "",
    "embeddings": "",
    "vocabulary_size": 20_000,
    "max_length": 400,
    "retrain_every": 10,
    "cold_start": "random",
    "seed_words": "",
    "overlap": 1,
    "show_suggestions": False,
    "resolve": "majority",
    "copies": COPIES,
}

asking_option, page_option = grouped("Asking"), grouped("Page")


@dataclass(frozen=True)
class ProjectSettings(CorpusOptions, FolderOptions):
    """A run to label, new or there already, and how it chooses what to ask."""

    name: str | None = again(
        FolderOptions, "name", None, "Folder of this run inside --log-dir; by default that of --data."
    )
    run: Path | None = run_option(None, "Folder of a run to go on with, instead of --data.", "RUN")
    demo_rows: int = again(CorpusOptions, "demo_rows", 2_000)
    take_labels: bool = data_option(False, "Take labels that are there as answers of an annotator named file.")
    show_columns: tuple[str, ...] = data_option(
        (),
        "Columns shown beside each text while it is labeled, with that of the ids; a.b is nested. The newest given are "
        "shown; all columns are kept and exported.",
        "a,b",
    )
    guidelines: Path | None = data_option(
        None, "Text file that tells annotators what to do; the newest given is shown.", "FILE"
    )

    strategy: str | None = asking_option(
        None, "What chooses the texts. lit-al train --list-strategies prints names.", otherwise=DEFAULTS["strategy"]
    )
    units: UnitsAsked | None = again(TrainConfig, "units", None)
    cold_start: Literal["random", "typicality", "kmeans"] | None = asking_option(
        None, "What chooses the first ones.", otherwise=DEFAULTS["cold_start"]
    )
    encoder: str | None = asking_option(
        None,
        "A pretrained encoder whose vectors of the texts help the model to learn, and the cold start and other "
        "strategies to choose: a folder, or a name of the Hugging Face hub; needs lit_al[encoder].",
        "NAME_OR_FOLDER",
    )
    embeddings: str | None = asking_option(
        None,
        "Vectors of the texts made elsewhere, instead of --encoder: .parquet with the columns key (sha256) or text, "
        "and vector.",
        "FILE.parquet",
    )
    retrain_every: int | None = asking_option(
        None, "Answers between two fits.", "N", least=1, otherwise=DEFAULTS["retrain_every"]
    )
    overlap: int | None = asking_option(
        None, "People who label each text.", "K", least=1, otherwise=DEFAULTS["overlap"]
    )
    resolve: Literal["majority", "latest", "drop"] | None = asking_option(
        None,
        "Which label is learned from where people disagree: the one given most often (ties have none), the last one, "
        "or none.",
        otherwise=DEFAULTS["resolve"],
    )
    suggest: Path | None = asking_option(
        None,
        "Table of what any model says of the texts: ids or texts, labels, and if known probabilities and the model's "
        "name. It is shown before the answer, but not of random controls, and is never an answer itself.",
        "FILE",
    )
    seed_words: str | None = asking_option(
        None,
        "Words that tell of classes, as in spam:free,win;ham:meeting: before there is a model, every other text asked "
        "holds one.",
        "CLASS:WORD,WORD;...",
    )
    show_suggestions: bool = asking_option(False, "Show what the model thinks before the answer.")
    seed: int | None = asking_option(
        None, "Seed of the order of texts and of training.", least=0, otherwise=DEFAULTS["seed"]
    )
    training: bool = asking_option(True, "Train no model; texts come in the order that is there.")

    def __post_init__(self) -> None:
        check_not_both(self, "run", "name")
        check_not_both(self, "encoder", "embeddings")
        if self.seed_words is not None and not self.training:
            raise ConfigError("--seed-words are found by the trainer; leave out --no-training")
        if self.embeddings is not None and not self.embeddings.lower().endswith(".parquet"):
            raise ConfigError(
                f"--embeddings {self.embeddings} is no .parquet file; a record of labels knows its texts by what they "
                "say, not by their rows, so that vectors of a labeling page come with keys"
            )

    @property
    def asked(self) -> dict[str, Any]:
        """Of `DEFAULTS`, those that were asked for; the others are as the run has them."""
        known: dict[str, Any] = {name: getattr(self, name, None) for name in DEFAULTS}
        for name in ("encoder", "embeddings"):  # a run may be gone on with from another folder
            if known[name] and Path(known[name]).expanduser().exists():
                known[name] = str(Path(known[name]).expanduser().resolve())
        return {name: value for name, value in known.items() if value is not None and value is not False}


@dataclass(frozen=True)
class AnnotateOptions(ProjectSettings):
    """The page: who labels, and how it is served."""

    annotators: tuple[str, ...] = page_option((), "Names; each gets a link of their own.", "ann,bob")
    host: str = page_option("127.0.0.1", "Address to listen at; others than this machine's need --annotators.")
    port: int = page_option(8765, "The first port to try, or 0 for any; a taken one gives the next.")
    allow_host: tuple[str, ...] = page_option((), "Further names that this machine is called by.", "NAME")
    browser: bool = page_option(True, "Open no browser.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.port < 65_536:
            raise ConfigError(f"--port {self.port} must lie in 0 to 65535")


@dataclass(frozen=True)
class LabelOptions(ProjectSettings):
    """The terminal: who labels."""

    folder: Path | None = run_option(
        None, "Folder of a run, as of lit-al annotate; the same as --run.", "RUN", positional=True
    )
    annotator: str | None = asking_option(
        None, "Who labels; by default the one of the run, or who is at the keyboard.", "NAME"
    )

    @classmethod
    def of(cls, given: dict[str, Any]) -> Any:
        """With the run, however it was given."""
        if "folder" in given:
            if "run" in given or "data" in given:
                raise ConfigError("give RUN, --run or --data, not two of them; --help lists the options")
            given["run"] = given.pop("folder")
        return super().of(given)
