"""What `lit-al export-model` and `lit-al gate` can be told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from lit_al.exceptions import ConfigError
from lit_al.utils.options import REQUIRED, CorpusOptions, Options, again, grouped

model_option, held_option, gate_option, output_option = map(grouped, ("Model", "Held-out texts", "Gate", "Output"))
Precision = Literal["fp32", "fp16", "int8"]  # of the numbers of that graph
OPSET: Final = 17  # of the ONNX graph: runtimes of 2022 and later read it
MODEL: Final = "A .ckpt file, the folder of a run, or one of lit-al export-model."
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

    model: Path = model_option(REQUIRED, MODEL, "MODEL", positional=True)
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

    model: Path = model_option(REQUIRED, MODEL, "MODEL", positional=True)
    data: str = held_option(REQUIRED, _DATA)
    require: str = gate_option(
        REQUIRED,
        'Criteria with commas, as in "accuracy>=0.9, recall[spam]>=0.95, macro-f1>=0.8, latency_p99<=20ms"; also '
        "precision[CLASS], f1[CLASS], loss, gain, latency_p50.",
        "CRITERIA",
    )
    baseline: Path | None = gate_option(None, "A model of before, to compare with on the same texts.", "MODEL")
    point: bool = gate_option(
        False, "Criteria hold by the value itself, not by the end of its 95 % interval that is worse."
    )
    json: Path | None = output_option(None, "A file for the results, as JSON.", "FILE")
