"""The settings of a run in one dataclass: each option's default, help and place in `--help` and in the YAML file."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from lit_al.exceptions import ConfigError, DataError
from lit_al.text.units import Standardize, UnitsAsked
from lit_al.training.recipe import PARTS, ClassWeight
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.options import (
    CorpusOptions,
    FolderOptions,
    RunOptions,
    SplitOptions,
    again,
    check_not_both,
    flag,
    grouped,
    run_option,
    split_option,
)

Mode = Literal["active", "full", "compare"]
Protocol = Literal["auto", "keras", "honest", "lean"]
NAMED: Final = ("auto", "demo", "imdb")  # data that is no path, whatever lies in the folder: that of the example

_GIVEN = "its oracle gives the labels of the data; --protocol lean has one that errs, skips and charges"
NOT_EXAMPLE = {
    "units": "it reads words, as the example does",
    "validation": "a validation set judges each epoch; --val-size says how large it is",
    "recipe": "a fit learns from the labels alone, epoch by epoch",
    "class_weight": "there is no teacher whose labels could weigh more or less",
    "steps": "a fit takes epochs, --max-epochs of them at most",
    "study_steps": "a fit takes epochs, --max-epochs of them at most",
    "weights": "each fit goes on from the best weights so far, as in the example",
    "oracle": "it begins with thousands of labels, more than people give; --protocol lean asks people",
    **dict.fromkeys(
        ("encoder", "embeddings"), "a fit learns from words alone; --protocol lean has a teacher that looks at vectors"
    ),
    **dict.fromkeys(("oracle_noise", "oracle_skip", "price_per_label", "price_per_token"), _GIVEN),
}
NOT_LEAN = {
    "network": "it trains many networks side by side, and only LitBiLSTM can be so; keras and honest train any",
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

encoder_option, loop_option, lean_option = grouped("Encoder"), grouped("Active learning"), grouped("Lean protocol")
training_option, hardware_option = grouped("Training"), grouped("Hardware")


@dataclass(frozen=True)
class TrainConfig(SplitOptions, FolderOptions):
    """Settings of `scripts/train.py`; each attribute is an option with dashes for underscores."""

    data: str = again(CorpusOptions, "data", "auto")
    mode: Mode = run_option(
        "active",
        "active: fit, acquire by --strategy, fit again; full: one fit on all labels, the yardstick; "
        "compare: both on the same split and seed.",
    )
    logger: str = run_option(
        "tensorboard",
        "Where curves and parameters go: tensorboard, csv, mlflow, wandb, several with commas, or none.",
        "NAMES",
    )
    register: str | None = run_option(
        None, "Name under which the delivered model goes into MLflow's registry; needs lit_al[mlflow].", "NAME"
    )
    seed: int = run_option(0, "Seed of initial weights, dropout and shuffles.", least=0)

    val_size: int | None = split_option(None, "Validation rows; 10 % of the labeled rows if not given.")
    test_size: int | None = split_option(None, "Test rows; 10 % of the labeled rows if not given.")
    initial_size: int | None = split_option(
        None, "Initial training rows; 30 % of the labeled rows if not given.", lean=100
    )

    standardize: Standardize | None = encoder_option(
        None,
        "unicode: case, punctuation and white space of every script, emoji are words; keras3: those of ASCII, and tags "
        "become words such as br; keras2: the same, but <br /> becomes a space first.",
        otherwise="keras3",
        lean="unicode",
    )
    units: UnitsAsked | None = encoder_option(
        None,
        "What texts are cut into: words; subwords, learned from the pool; characters; auto: characters where most "
        "texts have no spaces between words, subwords where some have none, else words.",
        lean="auto",
    )
    vocabulary_size: int | None = encoder_option(
        None, "Units that have an id, padding and unknown included.", otherwise=3_000, lean=20_000
    )
    max_length: int | None = encoder_option(None, "Units kept of each text.", otherwise=150, lean=400)
    cut: Literal["end", "middle"] | None = encoder_option(
        None,
        "Part of a longer text that is left out; the middle keeps the first and the last units.",
        otherwise="end",
        lean="middle",
    )
    padding: Literal["read", "masked"] | None = encoder_option(
        None, "read: the LSTM reads padding as a word; masked: padding has no state.", otherwise="read", lean="masked"
    )

    protocol: Protocol = loop_option(
        "auto",
        "auto: keras with IMDB, the demo corpus or another --mode than active, lean with data of your own; "
        "keras: the example to the letter, leaks included; honest: steers by the validation set, uses predicted "
        "classes of the pool and the ratio as the page states it; lean: from a hundred labels on, each one counted, "
        "the test set out of reach.",
    )
    strategy: str | None = loop_option(
        None,
        "What chooses the texts, as in entropy+balanced+random:0.1; --list-strategies prints the names. ratio alone "
        "rounds its shares down as the example does.",
        otherwise="ratio",
        lean="margin+balanced+random:0.1",
    )
    committee_size: int = loop_option(5, "Models asked by strategies that need a committee.", least=2)
    rounds: int | None = loop_option(  # 100 labels and 24 times 100: the budget at which strategies are compared
        None, "Acquisitions; by default no limit with --stop, and all of a list.", least=0, otherwise=3, lean=24
    )
    query_size: int | str | None = loop_option(
        None,
        "Texts per acquisition, or a list as in 100,200,400, whose last size goes on where --rounds asks for more.",
        otherwise=5_000,
        lean=100,
    )
    ratio_direction: Literal["as-coded", "as-stated"] | None = loop_option(
        None,
        "as-coded: positives' share is FP/(FN+FP), as in the example's code; as-stated: FN/(FN+FP), as in its text.",
        keras="as-coded",
        honest="as-stated",
    )
    steer_on: Literal["test", "val"] | None = loop_option(
        None, "Set whose errors decide what to label next.", keras="test", honest="val"
    )
    pool_classes: Literal["true", "predicted"] | None = loop_option(
        None,
        "How the pool is split by class: by its hidden labels, or by the model's predictions.",
        keras="true",
        honest="predicted",
    )
    target_accuracy: float | None = loop_option(None, "Acquire no more once the steering set reaches this accuracy.")

    stop: str | None = loop_option(
        None,
        "Rules that end the run, as in budget:2500,kappa:0.99; docs/stopping.md has them all. The others are judged in "
        "shadow.",
    )
    until: str | None = loop_option(
        None,
        "End the run once a criterion of lit-al gate holds by the labels it has paid for, as in accuracy>=0.9: by the "
        "lower end of the 95 % interval; beside --stop, whichever comes first.",
        "CRITERIA",
    )
    validation: str | None = lean_option(
        None,
        "How labels paid for judge the model: none; holdout:0.2, a share is never trained on, and the fit keeps its "
        "weights of the lowest loss on it; cross:5, each label is predicted by one of five further models that has not "
        "learned from it, at the cost of 5 + 1 fits a round.",
        lean="none",
    )
    recipe: str | None = lean_option(
        None,
        "lean: learns from the whole pool; scratch: from the labels alone; with parts as in lean-teacher or "
        "scratch+vectors: " + ", ".join(PARTS) + ".",
        lean="lean",
    )
    class_weight: ClassWeight | None = lean_option(
        None,
        "What labels weigh for the teacher: balanced, those of each class the same together, so that rare classes are "
        "not passed over; none, each label the same.",
        lean="balanced",
    )
    encoder: str | None = lean_option(
        None,
        "A pretrained encoder whose vectors of the texts help teacher and strategies: a folder, or a name of the "
        "Hugging Face hub; needs lit_al[encoder]. The model itself predicts without it.",
        "NAME_OR_FOLDER",
    )
    embeddings: str | None = lean_option(
        None,
        "Vectors of the texts made elsewhere, instead of --encoder: .npy, a row for each text of the data, or .parquet "
        "with the columns key (sha256) or text, and vector.",
        "FILE",
    )
    steps: int | None = lean_option(None, "Training steps of a fit on labels alone.", least=1, lean=200)
    study_steps: int | None = lean_option(
        None,
        "Training steps, at most, of a fit that learns from the pool, with 128 texts each; it ends when the network "
        "follows its teacher no better on texts held out.",
        least=1,
        lean=2_000,
    )
    weights: Literal["fresh", "warm", "shrink"] | None = lean_option(
        None,
        "What a round begins with: fresh weights, those of the round before, or those shrunk and perturbed.",
        lean="fresh",
    )
    oracle: Literal["simulated", "file"] | None = lean_option(
        None,
        "Who answers: simulated, by the labels of the data; file, people: each round's texts go to a CSV file, the run "
        "ends, and --resume RUN --answers FILE goes on.",
        lean="simulated",
    )
    oracle_noise: str | None = lean_option(
        None, "How the simulated oracle errs: a rate, or a CSV file with a row of shares per class.", lean="0"
    )
    oracle_skip: float | None = lean_option(None, "Share of questions that the oracle does not answer.", lean=0.0)
    price_per_label: float | None = lean_option(None, "Cost of an answer, in any unit.", least=0, lean=0.0)
    price_per_token: float | None = lean_option(None, "Cost of a unit that the oracle reads.", least=0, lean=0.0)

    network: str | None = training_option(
        None,
        "A LightningModule of your own instead of LitBiLSTM, as in mynet.py:MyNet; its code is run. README shows one.",
        "FILE:CLASS",
    )
    max_epochs: int = training_option(20, "Epochs of each fit, at most.", least=1)
    patience: int = training_option(4, "Epochs without a lower validation loss before a fit ends.", least=1)
    batch_size: int | None = training_option(None, "Texts per training step.", least=1, otherwise=256, lean=64)
    learning_rate: float | None = training_option(
        None,
        "Learning rate of RMSprop; 0.006 for a network that learns from a teacher, else 0.001.",
        otherwise=1e-3,
        lean=None,
    )

    accelerator: str = hardware_option("auto", "Lightning's accelerator: auto, cpu, gpu, mps.")
    devices: str = hardware_option("1", "Lightning's devices; one device: 1, or its index with a comma, as in 2,")
    precision: str = hardware_option("32-true", "Lightning's precision: 32-true, 16-mixed, bf16-mixed.")
    kernel: str = hardware_option("auto", "Implementation of the LSTM: auto, cpu, cuda, lstm, reference.")

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

    @property
    def is_example(self) -> bool:
        """Are mode or data, by their names, those of the example?"""
        return self.mode != "active" or self.data in NAMED

    @property
    def must_look(self) -> bool:
        """Must the corpus be looked at before it is known whether it is the example's? Folders may hold IMDB."""
        if self.is_example or self.data.startswith("hub:"):
            return not self.is_example
        try:
            return Path(self.data).expanduser().is_dir()
        except (OSError, RuntimeError):  # a name too long, or of nobody's home: whoever reads it says so
            return False

    def resolved(self) -> "TrainConfig":
        """The same settings with what the protocol decides filled in, checked for what cannot work.

        Raises:
            ConfigError: a setting out of range, or one that the protocol has no use for.
        """
        if self.protocol == "auto":
            return replace(self, protocol="keras" if self.is_example else "lean").resolved()
        if self.until is not None:
            from lit_al.stopping import rule_until

            rules = [rule for rule in (self.stop, rule_until(self.until)) if rule is not None]
            return replace(self, until=None, stop=",".join(rules)).resolved()
        self._check_protocol()
        missing = {item.name: item.metadata["decided"] for item in fields(self) if getattr(self, item.name) is None}
        decided = {name: known.get(self.protocol, known.get("otherwise")) for name, known in missing.items()}
        config = replace(self, **decided)
        listed = len(config.query_sizes)
        if self.protocol == "lean" and self.rounds is None and (listed > 1 or self.stop is not None):
            config = replace(config, rounds=None if self.stop is not None else listed)
        config.check()
        return config

    def _check_protocol(self) -> None:
        """Refuse what a protocol would silently pass over."""
        given = {item.name for item in fields(self) if getattr(self, item.name) != item.default}
        if self.protocol != "lean":
            for name, why in NOT_EXAMPLE.items():
                if name in given:
                    raise ConfigError(f"{flag(name)} has no use with --protocol {self.protocol}: {why}")
            if self.standardize == "unicode":
                raise ConfigError(
                    f"--standardize unicode has no use with --protocol {self.protocol}: it reads texts as Keras does; "
                    "give keras3 or keras2"
                )
            if self.stop is not None and self.mode == "full":
                raise ConfigError("--stop has no use with --mode full: it labels everything at once; leave it out")
            return
        for name, never in {"oracle_noise": "0", "oracle_skip": 0.0}.items():
            if self.oracle == "file" and getattr(self, name) not in (None, never):
                raise ConfigError(f"{flag(name)} is of simulated oracles; leave it out with --oracle file")
        if self.mode != "active":
            raise ConfigError(f"--mode {self.mode} has no lean protocol; give --mode active, or another --protocol")
        for name in NOT_LEAN:
            if name in given:
                raise ConfigError(f"{flag(name)} has no use with --protocol lean: {NOT_LEAN[name]}")

    def check(self) -> None:
        """Raise `ConfigError` for a number out of range; the rest is checked where it is used."""
        self.check_bounds()
        check_not_both(self, "encoder", "embeddings")
        self._check_loggers()
        if min(self.query_sizes) < 1:
            raise ConfigError(f"--query-size {self.query_size} must be 1 or more")
        if self.protocol == "lean" and self.initial_size is not None and self.initial_size < 1:
            raise ConfigError(f"--initial-size {self.initial_size} must be 1 or more")
        if self.standardize != "unicode" and self.units in ("subwords", "characters"):
            raise ConfigError(
                f"--units {self.units} cannot be read with --standardize {self.standardize}, which splits words as "
                "Keras does; give --standardize unicode"
            )
        if self.learning_rate is not None and not 0 < self.learning_rate < float("inf"):
            raise ConfigError(f"--learning-rate {self.learning_rate} must be a positive number, as in 0.001")
        if self.oracle_skip is not None and not 0 <= self.oracle_skip < 1:
            raise ConfigError(f"--oracle-skip {self.oracle_skip} must be 0 or more and less than 1")
        if self.target_accuracy is not None and not 0 < self.target_accuracy <= 1:
            raise ConfigError(f"--target-accuracy {self.target_accuracy} must lie above 0 and at most at 1, as in 0.9")

    def _check_loggers(self) -> None:
        from lit_al.reporting.loggers import logger_names
        from lit_al.reporting.mlflow_registry import check_name

        logger_names(self.logger)
        if self.register is not None:
            check_name(self.register)
            if self.mode == "compare" or self.network is not None:
                what = "--mode compare makes two models" if self.network is None else "--network is a model of your own"
                raise ConfigError(f"--register has no use here: {what}; leave it out")


@dataclass(frozen=True)
class ExplainOptions(RunOptions):
    """Which texts `lit-al explain` says something about."""

    round: int | None = run_option(
        None, "Number of the round, from 1, or of the ranking that people label by; the last if not given.", "N"
    )
    top: int = run_option(20, "Texts to show, in the order chosen.", "K", least=1)


def config_of(settings: Any, where: object) -> TrainConfig:
    """Settings that a run wrote down, as they were.

    Args:
        settings: by name; those that there were not yet have their defaults.
        where: they stand, for the message.

    Raises:
        DataError: they are no settings, one is of no name that there is, or not of its kind.
    """
    kinds = get_type_hints(TrainConfig)
    if not isinstance(settings, dict):
        raise DataError(f"{where} holds no settings of train.py; give the folder of a run that it began")
    settings = {"copies": "none", **settings}  # a run from before copies were known goes on with its own split
    if strangers := sorted(map(str, settings.keys() - kinds.keys())):
        guess = did_you_mean(strangers[0], kinds)
        raise DataError(
            f"{where} has {strangers[0]!r:.60}, which is no setting; {guess}give the folder as it was written"
        )
    for name, kind in kinds.items():
        if name in settings and not _fits(settings[name], kind):
            raise DataError(f"{where} has the setting {name}: {settings[name]!r:.60}, which cannot be; begin a new run")
    return TrainConfig(**{name: settings[name] for name in kinds if name in settings})


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
