"""What `lit-al drift` can be told."""

from dataclasses import dataclass
from pathlib import Path

from lit_al.delivery.delivery_options import MODEL, model_option, output_option
from lit_al.exceptions import ConfigError
from lit_al.utils.options import REQUIRED, CorpusOptions, Options, again, grouped

texts_option, alarm_option, label_option = map(grouped, ("Texts", "Alarm", "To label"))


@dataclass(frozen=True, kw_only=True)
class DriftOptions(Options):
    """A model, texts of today, and what is to raise an alarm."""

    model: Path = model_option(REQUIRED, MODEL, "MODEL", positional=True)
    data: str = texts_option(
        REQUIRED, "Texts of today, a table as --data of lit-al predict; their labels are not read."
    )
    reference: str | None = texts_option(
        None,
        "Texts of before, a table likewise, or a reference.json; the model's own if not given. Labels that the model "
        "has not learned from say how right it was.",
    )
    text_column: str | None = again(CorpusOptions, "text_column", None)
    label_column: str | None = again(
        CorpusOptions,
        "label_column",
        None,
        "Column of the labels of --reference; found by its usual names if not given.",
    )
    encoding: str | None = again(CorpusOptions, "encoding", None)
    separator: str | None = again(CorpusOptions, "separator", None)
    no_header: bool = again(CorpusOptions, "no_header", False)
    alarm: float = alarm_option(
        0.05, "Chance of a false alarm that is borne where nothing has changed, over all tests together.", "P"
    )
    alarm_psi: float = alarm_option(
        0.0, "A shift raises an alarm only if its population stability index, less what chance makes, is so large."
    )
    alarm_accuracy: float | None = alarm_option(None, "Alarm, too, where the guessed accuracy is lower.", "SHARE")
    to: Path | None = output_option(None, "A file for the report: one HTML page.", "FILE")
    json: Path | None = output_option(None, "A file for the results, as JSON.", "FILE")
    to_label: Path | None = label_option(
        None, "A file (.csv, .jsonl, .parquet) for texts to label next, with all columns of --data.", "FILE"
    )
    label_rows: int = label_option(
        100, "Texts to label: half by chance, which judge; the others the least sure and the strangest.", least=2
    )

    def __post_init__(self) -> None:
        if not 0 < self.alarm < 1:
            raise ConfigError(f"--alarm {self.alarm} must lie between 0 and 1, as in 0.05")
        if self.alarm_psi < 0:
            raise ConfigError(f"--alarm-psi {self.alarm_psi} must be 0 or more, as in 0.1")
        if self.alarm_accuracy is not None and not 0 < self.alarm_accuracy <= 1:
            raise ConfigError(f"--alarm-accuracy {self.alarm_accuracy} must lie above 0 and at most at 1, as in 0.85")
