"""Every option of a run in one dataclass: its help text, its default and its place in `--help` and in the YAML file."""

import re
from argparse import SUPPRESS, ArgumentError
from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from jsonargparse import ActionConfigFile, ArgumentParser  # type: ignore[attr-defined]  # both are public

from lit_al.errors import ConfigError

Mode = Literal["active", "full", "compare"]
Protocol = Literal["keras", "honest"]

_PLAIN = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}

HONEST = {"ratio_direction": "as-stated", "steer_on": "val", "pool_classes": "predicted"}
KERAS = {"ratio_direction": "as-coded", "steer_on": "test", "pool_classes": "true"}


def option(default: Any, group: str, text: str) -> Any:
    """A dataclass field that knows its group and its help text."""
    return field(default=default, metadata={"group": group, "help": text})


@dataclass(frozen=True)
class TrainConfig:
    """Settings of `scripts/train.py`; each attribute is an option with dashes for underscores."""

    mode: Mode = option(
        "active",
        "Run",
        "active: fit, acquire by --strategy, fit again; full: one fit on all labels, the yardstick; "
        "compare: both on the same split and seed.",
    )
    log_dir: str = option("lightning_logs", "Run", "Folder of all runs.")
    name: str | None = option(None, "Run", "Folder of this run inside --log-dir; version_N if not given.")
    seed: int = option(0, "Run", "Seed of initial weights, dropout and shuffles.")

    data: str = option(
        "auto",
        "Data",
        "imdb (Hugging Face hub or its cache), a folder with train.parquet and test.parquet, a .csv, .jsonl or "
        ".parquet file, demo (generated reviews), or auto: the folder $LIT_AL_IMDB, else imdb, else demo.",
    )
    text_column: str | None = option(None, "Data", "Column of the texts; found by its usual names if not given.")
    label_column: str | None = option(None, "Data", "Column of the labels; found by its usual names if not given.")
    drop_duplicates: bool = option(False, "Data", "Keep only the first copy of each text.")
    demo_rows: int = option(50_000, "Data", "Reviews in the demo corpus.")
    demo_seed: int = option(0, "Data", "Seed of the demo corpus.")

    split_seed: int = option(0, "Split", "Seed of the split.")
    val_size: int | None = option(None, "Split", "Validation rows; 10 % of the labeled rows if not given.")
    test_size: int | None = option(None, "Split", "Test rows; 10 % of the labeled rows if not given.")
    initial_size: int | None = option(None, "Split", "Initial training rows; 30 % of the labeled rows if not given.")

    standardize: Literal["keras3", "keras2"] = option(
        "keras3", "Encoder", "keras3: tags become words such as br; keras2: <br /> becomes a space first."
    )
    vocabulary_size: int = option(3_000, "Encoder", "Words, padding and unknown included.")
    max_length: int = option(150, "Encoder", "Words kept of each text, from its beginning.")

    protocol: Protocol = option(
        "keras",
        "Active learning",
        "keras: the example to the letter, leaks included; honest: steers by the validation set, uses predicted "
        "classes of the pool and the ratio as the page states it.",
    )
    strategy: str = option(
        "ratio",
        "Active learning",
        "What chooses the texts, as in entropy+balanced+random:0.1; --list-strategies prints the names. ratio alone "
        "rounds its shares down, as the example does.",
    )
    committee_size: int = option(5, "Active learning", "Models asked by strategies that need a committee.")
    rounds: int = option(3, "Active learning", "Acquisitions.")
    query_size: int = option(5_000, "Active learning", "Texts per acquisition.")
    ratio_direction: Literal["as-coded", "as-stated"] | None = option(
        None,
        "Active learning",
        "as-coded: positives' share is FP/(FN+FP), as in the example's code; as-stated: FN/(FN+FP), as in its text.",
    )
    steer_on: Literal["test", "val"] | None = option(
        None, "Active learning", "Set whose errors decide what to label next."
    )
    pool_classes: Literal["true", "predicted"] | None = option(
        None, "Active learning", "How the pool is split by class: by its hidden labels, or by the model's predictions."
    )
    target_accuracy: float | None = option(
        None, "Active learning", "Acquire no more once the steering set reaches this accuracy."
    )

    max_epochs: int = option(20, "Training", "Epochs of each fit, at most.")
    patience: int = option(4, "Training", "Epochs without a lower validation loss before a fit ends.")
    batch_size: int = option(256, "Training", "Texts per training step.")
    learning_rate: float = option(1e-3, "Training", "Learning rate of RMSprop.")

    accelerator: str = option("auto", "Hardware", "Lightning's accelerator: auto, cpu, gpu, mps.")
    devices: str = option("1", "Hardware", "Lightning's devices; one device: 1, or its index with a comma, as in 2,")
    precision: str = option("32-true", "Hardware", "Lightning's precision: 32-true, 16-mixed, bf16-mixed.")
    kernel: str = option("auto", "Hardware", "Implementation of the LSTM: auto, cpu, cuda, lstm, reference.")

    @property
    def corpus(self) -> dict[str, Any]:
        """The arguments of `load_corpus`."""
        names = ("data", "text_column", "label_column", "demo_rows", "demo_seed")
        return {name: getattr(self, name) for name in names}

    def resolved(self) -> "TrainConfig":
        """The same settings with what the protocol decides filled in, checked for what cannot work.

        Raises:
            ConfigError: a setting out of range.
        """
        decided = HONEST if self.protocol == "honest" else KERAS
        missing = {name: value for name, value in decided.items() if getattr(self, name) is None}
        config = replace(self, **missing)  # type: ignore[arg-type]
        config.check()
        return config

    def check(self) -> None:
        """Raise `ConfigError` for a number out of range; the rest is checked where it is used."""
        least = {"max_epochs": 1, "patience": 1, "batch_size": 1, "query_size": 1, "rounds": 0, "seed": 0}
        least["committee_size"] = 2
        for name, bound in {**least, "split_seed": 0, "demo_seed": 0}.items():
            if getattr(self, name) < bound:
                raise ConfigError(f"--{name.replace('_', '-')} {getattr(self, name)} must be {bound} or more")
        if not 0 < self.learning_rate < float("inf"):
            raise ConfigError(f"--learning-rate {self.learning_rate} must be a positive number, as in 0.001")
        if self.target_accuracy is not None and not 0 < self.target_accuracy <= 1:
            raise ConfigError(f"--target-accuracy {self.target_accuracy} must lie above 0 and at most at 1, as in 0.9")


def train_parser() -> ArgumentParser:
    """The command line of `scripts/train.py`, made from `TrainConfig`."""
    parser = ArgumentParser(
        prog="train.py",
        usage="%(prog)s [options]",
        description="Train a BiLSTM text classifier, labeling its training texts round by round.",
        exit_on_error=False,
        print_config="--print-config",
    )
    types = get_type_hints(TrainConfig)
    groups: dict[str, Any] = {}
    for item in fields(TrainConfig):
        title = item.metadata["group"]
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        groups[title].add_argument("--" + item.name.replace("_", "-"), **_argument(item, types[item.name]))
    parser.add_argument(
        "--list-strategies", action="store_true", default=SUPPRESS, help="Print a line for each strategy and exit."
    )
    parser.add_argument("--config", action=ActionConfigFile, help="YAML file of options, as --print-config prints.")
    return parser


def _argument(item: Field[Any], kind: Any) -> dict[str, Any]:
    """What argparse needs to know of an option."""
    described = {"default": item.default, "help": item.metadata["help"]}
    if kind is bool:
        return {**described, "action": "store_true"}
    choices = _choices(kind)
    metavar = "{" + ",".join(choices) + "}" if choices else item.name.rsplit("_")[-1].upper()
    return {**described, "type": kind, "metavar": metavar}


def _choices(kind: Any) -> list[str]:
    """The words that an option takes, where it takes only some."""
    return [word for part in (kind, *get_args(kind)) if get_origin(part) is Literal for word in get_args(part)]


def parse_train(arguments: Sequence[str] | None = None) -> TrainConfig:
    """Options of the command line, a `--config` file's included.

    Raises:
        ConfigError: an unknown option or a value that does not fit.
    """
    try:
        namespace = train_parser().parse_args(arguments)
    except ArgumentError as error:
        raise ConfigError(f"{_one_sentence(str(error))}; --help lists the options") from error
    return TrainConfig(**{item.name: namespace[item.name] for item in fields(TrainConfig)})


def _one_sentence(message: str) -> str:
    """The parser's words on one line, with the option named as it is typed and what it takes."""
    words = " ".join(message.split())
    misfit = re.match(r'Parser key "(\w+)": .*(?:Got|Given) value: (.*)', words)
    if misfit is None:
        return re.sub(r'^Parser key "(\w+)":', r"--\1:", words)
    name, value = misfit.groups()
    kind = get_type_hints(TrainConfig)[name]
    wanted = ", ".join(_choices(kind)) or " or ".join(
        _PLAIN[part] for part in (kind, *get_args(kind)) if part in _PLAIN
    )
    return f"--{name.replace('_', '-')} {value} does not fit, it takes {wanted}"
