"""What `lit-al export-model` and `lit-al gate` can be told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from lit_al.exceptions import ConfigError
from lit_al.utils.options import REQUIRED, CorpusOptions, Options, again, grouped

model_option, held_option, gate_option, output_option = map(grouped, ("Model", "Held-out texts", "Gate", "Output"))
Precision = Literal["fp32", "fp16", "int8"]  # of the numbers of that graph
OPSET: Final = 17  # of the ONNX graph: runtimes of 2022 and later read it
_MODEL: Final = "A .ckpt file, the folder of a run (RUN@3: its version 3), or one of lit-al export-model."
_DATA: Final = "Labeled texts that the model has not learned from, as --data of lit-al train takes them."
_READ: Final = ("text_column", "label_column", "encoding", "separator", "no_header", "exact_labels", "keep_na_labels",
                "several_labels", "drop_empty")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HeldOutOptions(Options):
    """Labeled texts to judge a model by."""

    data: str | None = held_option(None, _DATA)
    text_column: str | None = again(CorpusOptions, "text_column", None)
    label_column: str | None = again(CorpusOptions, "label_column", None)
    encoding: str | None = again(CorpusOptions, "encoding", None)
    separator: str | None = again(CorpusOptions, "separator", None)
    no_header: bool = again(CorpusOptions, "no_header", False)
    exact_labels: bool = again(CorpusOptions, "exact_labels", False)
    keep_na_labels: bool = again(CorpusOptions, "keep_na_labels", False)
    several_labels: Literal["refuse", "first", "none"] = again(CorpusOptions, "several_labels", "refuse")
    drop_empty: bool = again(CorpusOptions, "drop_empty", False)

    @property
    def corpus(self) -> dict[str, Any]:
        """The arguments of `load_corpus` that say how texts are read."""
        return {name: getattr(self, name) for name in _READ}


@dataclass(frozen=True, kw_only=True)
class ExportModelOptions(HeldOutOptions):
    """A model to be handed over."""

    model: Path = model_option(REQUIRED, _MODEL, "MODEL", positional=True)
    to: Path = model_option(REQUIRED, "Folder that the files go to; it is made.", "FOLDER")
    precision: Precision = model_option(
        "fp32", "Numbers in model.onnx: as they were trained, in half the space, or in a quarter (docs/deploy.md)."
    )
    calibrate: bool = model_option(
        True,
        "Leave the probabilities as they are; else, where held-out labels are known, the last layer is divided by a "
        "temperature fitted by them, which changes no answer.",
    )
    onnx: bool = model_option(True, "Write no model.onnx.")
    license: str = model_option("", "Licence of the model, for its card, as in mit or cc-by-4.0.")
    language: str = model_option("", "Language of the texts, for its card, as in en.")

    def __post_init__(self) -> None:
        if not self.onnx and self.precision != "fp32":
            raise ConfigError("--precision is that of model.onnx, which --no-onnx leaves out; give one of the two")


@dataclass(frozen=True, kw_only=True)
class GateOptions(HeldOutOptions):
    """A model, and what is asked of it."""

    model: Path = model_option(REQUIRED, _MODEL, "MODEL", positional=True)
    data: str | None = held_option(
        None,
        f"{_DATA[:-1]}; of a run in which people label, if not given, its audit, or else its random controls.",
    )
    require: str | None = gate_option(
        None,
        'Criteria with commas, as in "accuracy>=0.9, recall[spam]>=0.95, macro-f1>=0.8, latency_p99<=20ms"; also '
        "precision[CLASS], f1[CLASS], loss, gain, latency_p50.",
        "CRITERIA",
    )
    baseline: Path | None = gate_option(None, "A model of before, to compare with on the same texts.", "MODEL")
    audit: int | None = gate_option(
        None,
        "Of a run in which people label: draw as many texts at random, to be asked first and never learned from, and "
        "judge once they have answers.",
        "N",
        least=10,
    )
    close_audit: bool = gate_option(False, "End the audit: models learn its labels from now on.")
    point: bool = gate_option(
        False, "Criteria hold by the value itself, not by the end of its 95 % interval that is worse."
    )
    json: Path | None = output_option(None, "A file for the results, as JSON.", "FILE")

    def __post_init__(self) -> None:
        if self.data is not None and (self.audit is not None or self.close_audit):
            raise ConfigError("--data judges by texts of a file, an audit by texts of the run; give one of the two")
        if self.close_audit and (self.audit is not None or self.require is not None):
            raise ConfigError("--close-audit ends an audit and judges nothing; give it alone")
        if self.require is None and not self.manages:
            raise ConfigError("the following arguments are required: --require; --help lists the options")

    @property
    def manages(self) -> bool:
        """Is an audit to be drawn or closed, and nothing judged?"""
        return self.close_audit or (self.audit is not None and self.require is None)


Task = Literal["list", "keep", "promote", "rollback", "compare", "add"]


@dataclass(frozen=True, kw_only=True)
class ModelsOptions(HeldOutOptions):
    """The versions of a run, and what is to be done with them."""

    run: Path = model_option(REQUIRED, "Folder of a run, or of versions added to it.", "RUN", positional=True)
    do: Task = model_option(
        "list",
        "list them; keep N: never delete it; promote N: put it into production; rollback: put there what was before; "
        "compare A B: on texts that neither has learned; add MODEL: a run, a version of another run, or a checkpoint.",
        "list|keep|promote|rollback|compare|add",
        positional=True,
    )
    first: str | None = model_option(None, "A version, or a model to add.", "N|MODEL", positional=True)
    second: str | None = model_option(None, "Version to compare with the first.", "N", positional=True)
    data: str | None = held_option(
        None, "With compare: labeled texts that neither has learned, as --data of lit-al train takes them."
    )
    json: Path | None = output_option(None, "With list and compare: a file for what was found, as JSON.", "FILE")

    def __post_init__(self) -> None:
        wanted = {"list": 0, "rollback": 0, "compare": 2}.get(self.do, 1)
        given = sum(word is not None for word in (self.first, self.second))
        if given != wanted:
            names = {0: "nothing", 1: "one version" if self.do != "add" else "one model", 2: "two versions"}[wanted]
            raise ConfigError(f"{self.do} takes {names}, as in lit-al models {self.run} {_AS_IN[self.do]}")
        for word in () if self.do == "add" else filter(None, (self.first, self.second)):
            if not word.isdecimal() or not int(word):
                raise ConfigError(f"{word!r} is no number of a version; lit-al models {self.run} lists them")
        if self.do != "compare" and self.data is not None:
            raise ConfigError("--data is for compare; leave it out")
        if self.do not in ("list", "compare") and self.json is not None:
            raise ConfigError("--json is for list and compare; leave it out")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The versions that are named."""
        return tuple(int(word) for word in (self.first, self.second) if word is not None)


_AS_IN: Final[dict[str, str]] = {
    "list": "list", "keep": "keep 3", "promote": "promote 3", "rollback": "rollback", "compare": "compare 3 4",
    "add": "add lightning_logs/version_0",
}  # fmt: skip
