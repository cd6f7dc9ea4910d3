"""Every option of a run in one dataclass: its help text, its default and its place in `--help` and in the YAML file."""

import re
from argparse import SUPPRESS, ArgumentError
from collections.abc import Iterable, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from jsonargparse import ActionConfigFile, ArgumentParser  # type: ignore[attr-defined]  # both are public

from lit_al.exceptions import ConfigError, DataError
from lit_al.training.recipe import PARTS
from lit_al.utils.arguments import unknown
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.yaml_settings import read_settings

Mode = Literal["active", "full", "compare"]
Protocol = Literal["keras", "honest", "lean"]

_PLAIN = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}

EXAMPLE: dict[str, Any] = {
    "strategy": "ratio",
    "rounds": 3,
    "query_size": 5_000,
    "batch_size": 256,
    "vocabulary_size": 3_000,
    "max_length": 150,
    "cut": "end",
    "padding": "read",
}
HONEST: dict[str, Any] = {**EXAMPLE, "ratio_direction": "as-stated", "steer_on": "val", "pool_classes": "predicted"}
KERAS: dict[str, Any] = {**EXAMPLE, "ratio_direction": "as-coded", "steer_on": "test", "pool_classes": "true"}
LEAN_ONLY: dict[str, Any] = {
    "stop": None,
    "validation": "none",
    "recipe": "lean",
    "steps": 200,
    "study_steps": 350,
    "weights": "fresh",
    "oracle": "simulated",
    "oracle_noise": "0",
    "oracle_skip": 0.0,
    "price_per_label": 0.0,
    "price_per_token": 0.0,
}
LEAN: dict[str, Any] = {
    "strategy": "margin+balanced+random:0.1",
    "query_size": 100,
    "batch_size": 64,
    "initial_size": 100,
    "vocabulary_size": 20_000,
    "max_length": 400,
    "cut": "middle",
    "padding": "masked",
    **LEAN_ONLY,
}
LEAN_ROUNDS = 24  # 100 labels at first and 100 a round: 2,500, the budget at which strategies are compared
NOT_LEAN = {
    "ratio_direction": "write it into the strategy, as in --strategy ratio:as-stated",
    "steer_on": "no set steers; the last batch's errors do, for strategies that want some",
    "pool_classes": "classes of the pool are always predicted",
    "target_accuracy": "use --stop target:0.9",
    "val_size": "use --validation holdout:0.2",
    "max_epochs": "a fit takes --steps",
    "patience": "a fit takes --steps",
    "devices": "it runs on one device, chosen by --accelerator",
    "precision": "it computes in 32 bits",
    "kernel": "it takes the kernel that auto takes",
}


RESUMING = {
    "--resume": ("RUN", "Go on with the run in this folder; of the other options only --log-dir, --accelerator and "
                 "the next two may stand beside it."),
    "--answers": ("FILE", "With --resume: a file of answers for the texts that wait (--oracle file)."),
    "--dry-run": ("", "With --answers: check the file and write nothing."),
}  # fmt: skip


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
    labels: str | None = option(
        None,
        "Data",
        "Names of the classes with commas, as in negative,positive, for a file whose texts have few labels or none.",
    )
    drop_duplicates: bool = option(False, "Data", "Keep only the first copy of each text.")
    demo_rows: int = option(50_000, "Data", "Reviews in the demo corpus.")
    demo_seed: int = option(0, "Data", "Seed of the demo corpus.")

    split_seed: int = option(0, "Split", "Seed of the split.")
    val_size: int | None = option(None, "Split", "Validation rows; 10 % of the labeled rows if not given.")
    test_size: int | None = option(None, "Split", "Test rows; 10 % of the labeled rows if not given.")
    initial_size: int | None = option(
        None, "Split", "Initial training rows; 30 % of the labeled rows if not given, 100 with --protocol lean."
    )

    standardize: Literal["keras3", "keras2"] = option(
        "keras3", "Encoder", "keras3: tags become words such as br; keras2: <br /> becomes a space first."
    )
    vocabulary_size: int | None = option(
        None, "Encoder", "Words, padding and unknown included: 3,000, or 20,000 with --protocol lean."
    )
    max_length: int | None = option(
        None, "Encoder", "Words kept of each text: the example's 150, or 400 with --protocol lean."
    )
    cut: Literal["end", "middle"] | None = option(
        None,
        "Encoder",
        "Part of a longer text that is left out: the end, or, with --protocol lean, the middle, which keeps the first "
        "and the last words.",
    )
    padding: Literal["read", "masked"] | None = option(
        None,
        "Encoder",
        "read: the LSTM reads padding as a word, as in the example; masked: padding has no state, as with --protocol "
        "lean.",
    )

    protocol: Protocol = option(
        "keras",
        "Active learning",
        "keras: the example to the letter, leaks included; honest: steers by the validation set, uses predicted "
        "classes of the pool and the ratio as the page states it; lean: from a hundred labels on, each one counted, "
        "the test set out of reach.",
    )
    strategy: str | None = option(
        None,
        "Active learning",
        "What chooses the texts, as in entropy+balanced+random:0.1; --list-strategies prints the names. ratio, which "
        f"alone rounds its shares down as the example does; {LEAN['strategy']} with --protocol lean.",
    )
    committee_size: int = option(5, "Active learning", "Models asked by strategies that need a committee.")
    rounds: int | None = option(
        None, "Active learning", f"Acquisitions; 3, or {LEAN_ROUNDS} with --protocol lean, or with --stop no limit."
    )
    query_size: int | str | None = option(
        None,
        "Active learning",
        "Texts per acquisition, 5000; with --protocol lean 100, or a list as in 100,200,400, whose last size goes on "
        "where --rounds asks for more.",
    )
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

    stop: str | None = option(
        None,
        "Lean protocol",
        "Rules that end the run, as in budget:2500,kappa:0.99; docs/stopping.md has them all. The others are judged in "
        "shadow.",
    )
    validation: str | None = option(
        None,
        "Lean protocol",
        "How labels paid for judge the model: none, the default; holdout:0.2, a share is never trained on, and the fit "
        "keeps its weights of the lowest loss on it; cross:5, each label is predicted by one of five further models "
        "that has not learned from it, at the cost of 5 + 1 fits a round.",
    )
    recipe: str | None = option(
        None,
        "Lean protocol",
        "lean: learns from the whole pool, the default; scratch: from the labels alone; with parts as in lean-teacher "
        "or scratch+vectors: " + ", ".join(PARTS) + ".",
    )
    steps: int | None = option(None, "Lean protocol", "Training steps of a fit on labels alone, 200.")
    study_steps: int | None = option(
        None, "Lean protocol", "Training steps of a fit that learns from the pool, 350 with 256 texts each."
    )
    weights: Literal["fresh", "warm", "shrink"] | None = option(
        None,
        "Lean protocol",
        "What a round begins with: fresh weights, the default, those of the round before, or those shrunk and "
        "perturbed.",
    )
    oracle: Literal["simulated", "file"] | None = option(
        None,
        "Lean protocol",
        "Who answers: simulated, by the labels of the data; file, people: each round's texts go to a CSV file, the run "
        "ends, and --resume RUN --answers FILE goes on.",
    )
    oracle_noise: str | None = option(
        None, "Lean protocol", "How the simulated oracle errs: a rate, or a CSV file with a row of shares per class."
    )
    oracle_skip: float | None = option(None, "Lean protocol", "Share of questions that the oracle does not answer.")
    price_per_label: float | None = option(None, "Lean protocol", "Cost of an answer, in any unit.")
    price_per_token: float | None = option(None, "Lean protocol", "Cost of a word that the oracle reads.")

    max_epochs: int = option(20, "Training", "Epochs of each fit, at most.")
    patience: int = option(4, "Training", "Epochs without a lower validation loss before a fit ends.")
    batch_size: int | None = option(None, "Training", "Texts per training step; 256, or 64 with --protocol lean.")
    learning_rate: float = option(1e-3, "Training", "Learning rate of RMSprop.")

    accelerator: str = option("auto", "Hardware", "Lightning's accelerator: auto, cpu, gpu, mps.")
    devices: str = option("1", "Hardware", "Lightning's devices; one device: 1, or its index with a comma, as in 2,")
    precision: str = option("32-true", "Hardware", "Lightning's precision: 32-true, 16-mixed, bf16-mixed.")
    kernel: str = option("auto", "Hardware", "Implementation of the LSTM: auto, cpu, cuda, lstm, reference.")

    @property
    def corpus(self) -> dict[str, Any]:
        """The arguments of `load_corpus`."""
        names = ("data", "text_column", "label_column", "demo_rows", "demo_seed")
        classes = None if self.labels is None else tuple(name.strip() for name in self.labels.split(","))
        return {**{name: getattr(self, name) for name in names}, "classes": classes}

    @property
    def query_sizes(self) -> tuple[int, ...]:
        """Texts of each acquisition; the last number goes on.

        Raises:
            ConfigError: no whole numbers.
        """
        try:
            return tuple(int(word) for word in str(self.query_size).split(","))
        except ValueError:
            raise ConfigError(
                f"--query-size {self.query_size} must be a whole number, or several as in 100,200,400"
            ) from None

    def resolved(self) -> "TrainConfig":
        """The same settings with what the protocol decides filled in, checked for what cannot work.

        Raises:
            ConfigError: a setting out of range, or one that the protocol has no use for.
        """
        self._check_protocol()
        decided = {"keras": KERAS, "honest": HONEST, "lean": LEAN}[self.protocol]
        missing = {name: value for name, value in decided.items() if getattr(self, name) is None}
        config = replace(self, **missing)
        if config.protocol == "lean" and config.rounds is None and config.stop is None:
            listed = len(config.query_sizes)
            config = replace(config, rounds=listed if listed > 1 else LEAN_ROUNDS)
        config.check()
        return config

    def _check_protocol(self) -> None:
        """Refuse what a protocol would silently pass over."""
        given = {item.name for item in fields(self) if getattr(self, item.name) != item.default}
        if self.protocol != "lean":
            for name in sorted(given & set(LEAN_ONLY)):
                raise ConfigError(f"--{name.replace('_', '-')} works with --protocol lean alone; leave it out")
            if "," in str(self.query_size):
                raise ConfigError(f"--query-size {self.query_size} is a list, which works with --protocol lean alone")
            return
        for name in ("oracle_noise", "oracle_skip"):
            if self.oracle == "file" and getattr(self, name) not in (None, LEAN_ONLY[name]):
                raise ConfigError(
                    f"--{name.replace('_', '-')} is of simulated oracles; leave it out with --oracle file"
                )
        if self.mode != "active":
            raise ConfigError(f"--mode {self.mode} has no lean protocol; give --mode active, or another --protocol")
        for name in NOT_LEAN:
            if name in given:
                raise ConfigError(f"--{name.replace('_', '-')} has no use with --protocol lean: {NOT_LEAN[name]}")

    def check(self) -> None:
        """Raise `ConfigError` for a number out of range; the rest is checked where it is used."""
        least = {"max_epochs": 1, "patience": 1, "batch_size": 1, "rounds": 0, "seed": 0, "steps": 1, "study_steps": 1}
        least |= {"committee_size": 2, "split_seed": 0, "demo_seed": 0, "price_per_label": 0, "price_per_token": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise ConfigError(f"--{name.replace('_', '-')} {value} must be {bound} or more")
        if min(self.query_sizes) < 1:
            raise ConfigError(f"--query-size {self.query_size} must be 1 or more")
        if self.protocol == "lean" and self.initial_size is not None and self.initial_size < 1:
            raise ConfigError(f"--initial-size {self.initial_size} must be 1 or more")
        if not 0 < self.learning_rate < float("inf"):
            raise ConfigError(f"--learning-rate {self.learning_rate} must be a positive number, as in 0.001")
        if self.oracle_skip is not None and not 0 <= self.oracle_skip < 1:
            raise ConfigError(f"--oracle-skip {self.oracle_skip} must be 0 or more and less than 1")
        if self.target_accuracy is not None and not 0 < self.target_accuracy <= 1:
            raise ConfigError(f"--target-accuracy {self.target_accuracy} must lie above 0 and at most at 1, as in 0.9")


class _SettingsFile(ActionConfigFile):
    """`--config`, its file looked at before the parser expands anything in it."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        """Take the settings of the file."""
        found = read_settings(Path(values), "--config")
        if not isinstance(found, dict) or "config" in found:
            raise ConfigError(
                f"--config {values} holds no settings, or names another file of them; --print-config prints some"
            )
        super().__call__(parser, cfg, values, option_string)  # type: ignore[no-untyped-call]


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
    for name, (metavar, text) in RESUMING.items():
        kind: dict[str, Any] = {"metavar": metavar} if metavar else {"action": "store_true"}
        parser.add_argument(name, default=SUPPRESS, help=text, **kind)
    parser.add_argument("--config", action=_SettingsFile, help="YAML file of options, as --print-config prints.")
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
    parser = train_parser()
    try:
        namespace = parser.parse_args(arguments)
    except ArgumentError as error:
        known = parser._option_string_actions
        raise ConfigError(_one_sentence(str(error), known)) from error
    alone = [name for name in RESUMING if name.removeprefix("--").replace("-", "_") in namespace]
    if alone:
        raise ConfigError(f"{alone[0]} goes with --resume RUN; give the folder of a run")
    return TrainConfig(**{item.name: namespace[item.name] for item in fields(TrainConfig)})


def config_of(settings: Any, where: object) -> TrainConfig:
    """Settings that a run wrote down, as they were.

    Args:
        settings: by name; those that there were not yet have their defaults.
        where: they stand, for the message.

    Raises:
        DataError: they are no settings, one is of no name that there is, or not of its kind.
    """
    kinds = get_type_hints(TrainConfig)
    names = [item.name for item in fields(TrainConfig)]
    if not isinstance(settings, dict):
        raise DataError(f"{where} holds no settings of train.py; give the folder of a run that it began")
    if strangers := sorted(map(str, settings.keys() - set(names))):
        guess = did_you_mean(strangers[0], names)
        raise DataError(
            f"{where} has {strangers[0]!r:.60}, which is no setting; {guess}give the folder as it was written"
        )
    for name in names:
        if name in settings and not _fits(settings[name], kinds[name]):
            raise DataError(f"{where} has the setting {name}: {settings[name]!r:.60}, which cannot be; begin a new run")
    return TrainConfig(**{name: settings[name] for name in names if name in settings})


def _fits(value: Any, kind: Any) -> bool:
    """Is a value of this kind, as the fields of `TrainConfig` have it?

    >>> _fits(3, int | None), _fits(1, float), _fits(True, int), _fits("east", Literal["west"])
    (True, True, False, False)
    """
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_args(kind):
        return any(_fits(value, part) for part in get_args(kind))
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _one_sentence(message: str, options: Iterable[str]) -> str:
    """The parser's words on one line, with the option named as it is typed and what it takes."""
    words = " ".join(message.split())
    if words.startswith("unrecognized arguments: "):
        return unknown(words.removeprefix("unrecognized arguments: ").split(), options)
    setting = re.fullmatch(r"Option '(\S+)' is not accepted", words)
    if setting is not None:
        names = [item.name for item in fields(TrainConfig)]
        guess = did_you_mean(setting[1], names)
        return f"--config holds {setting[1]}, which is no setting; {guess}--print-config prints those there are"
    misfit = re.match(r'Parser key "(\w+)": .*(?:Got|Given) value: (.*)', words)
    if misfit is None:
        return re.sub(r'^Parser key "(\w+)":', r"--\1:", words) + "; --help lists the options"
    name, value = misfit.groups()
    kind = get_type_hints(TrainConfig)[name]
    choices = _choices(kind)
    wanted = ", ".join(choices) or " or ".join(_PLAIN[part] for part in (kind, *get_args(kind)) if part in _PLAIN)
    option, guess = f"--{name.replace('_', '-')}", did_you_mean(value, choices)
    return f"{option} {value} does not fit; {guess}it takes {wanted}; --help lists the options"
