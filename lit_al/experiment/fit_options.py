"""What `lit-al fit` and `lit-al suspects` are told: whose labels, how to learn, where the result goes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.utils.options import REQUIRED, CorpusOptions, FolderOptions, SplitOptions, again, check_not_both, run_option

Deliver = Literal["student", "teacher", "best"]


@dataclass(frozen=True, kw_only=True)
class LabelsOptions(CorpusOptions):
    """Labels to learn from, all of them."""

    data: str = run_option(
        REQUIRED,
        "Folder of a run, of lit-al annotate or of lit-al train; or data, as --data of lit-al train takes it, of which "
        "some texts may have no label.",
        "RUN_OR_FILE",
        positional=True,
    )
    folds: int = run_option(
        5, "Models that judge the fit, each by labels it has not learned from; 0 for no such figure.", "K", least=0
    )
    seed: int | None = again(TrainConfig, "seed", None)
    resolve: Literal["keep", "majority", "first", "drop"] = again(SplitOptions, "resolve", "keep")
    recipe: str | None = again(TrainConfig, "recipe", None)
    encoder: str | None = again(TrainConfig, "encoder", None)
    embeddings: str | None = again(TrainConfig, "embeddings", None)
    accelerator: str = again(TrainConfig, "accelerator", "auto")

    def __post_init__(self) -> None:
        check_not_both(self, "encoder", "embeddings")
        if self.folds == 1:
            raise ConfigError("--folds 1 would leave a model without labels; give 2 or more")

    @property
    def corpus(self) -> dict[str, Any]:
        """The arguments of `load_corpus`."""
        return {**super().corpus, "resolve": self.resolve}

    @property
    def asked(self) -> dict[str, Any]:
        """How to learn, as far as it was asked for; the rest is as in the run that the labels are of."""
        names = ("seed", "recipe", "encoder", "embeddings")
        found: dict[str, Any] = {name: value for name in names if (value := getattr(self, name)) is not None}
        return {**found, "accelerator": self.accelerator}


@dataclass(frozen=True, kw_only=True)
class FitOptions(LabelsOptions, FolderOptions):
    """A model of them."""

    to: Path | None = run_option(None, "Folder that the model goes to, instead of --log-dir and --name.", "FOLDER")
    register: str | None = again(TrainConfig, "register", None)
    deliver: Deliver = run_option(
        "student",
        "student: the small network; teacher: the linear models that it learns from, a larger file that reads more "
        "slowly; best: the network, unless its teacher called clearly more labels right that it had not learned.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.deliver == "best" and self.folds == 0:
            raise ConfigError("--deliver best chooses by cross-validation; leave out --folds 0")
        check_not_both(self, "to", "name")
        if self.register is not None:
            from lit_al.reporting.mlflow_registry import check_name

            check_name(self.register)
        if self.to is not None and self.to.suffix == ".ckpt":
            raise ConfigError(f"--to {self.to} is the name of a file; give that of a folder, which the model goes into")

    @property
    def place(self) -> tuple[str, str | None]:
        """The arguments of `make_run_folder`."""
        return (self.log_dir, self.name) if self.to is None else (str(self.to.parent), self.to.name)


@dataclass(frozen=True, kw_only=True)
class SuspectsOptions(LabelsOptions):
    """Labels among them that may be wrong."""

    folds: int = again(LabelsOptions, "folds", 5, "Models, each asked of labels that it has not learned from.")
    top: int | None = run_option(
        None,
        "Labels at most, the most suspect first; if not given, 20 on the screen, and in a file all.",
        "N",
        least=1,
    )
    to: Path | None = run_option(
        None,
        "A file, .csv, .jsonl or .parquet; of a labeling run, with its column label corrected, it is taken back by "
        "lit-al import --settles.",
        "FILE",
    )
    raw: bool = run_option(False, "Leave cells of a CSV that a spreadsheet would compute as they are.")
    overwrite: bool = run_option(False, "Replace a file that is there, with any corrections in it.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.folds == 0:
            raise ConfigError("--folds 0 leaves nobody to ask; give 2 or more")
        if self.raw and (self.to is None or self.to.suffix.lower() != ".csv"):
            raise ConfigError("--raw is for --to FILE.csv; leave it out")
