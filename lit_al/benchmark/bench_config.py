"""The settings of a benchmark in one dataclass: each option's default, help and place in `--help` and in YAML."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

from lit_al.benchmark.methods import TRAININGS, Method
from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.text.units import Standardize, UnitsAsked
from lit_al.utils.cluster import CLUSTER_HELP
from lit_al.utils.options import CorpusOptions, FolderOptions, SplitOptions, again, check_not_both, grouped

_WAYS = "; ".join(f"{how.name}: {how.words}" for how in TRAININGS.values() if how.name)

READING: Final = ("standardize", "vocabulary_size", "max_length", "cut", "padding")

row_option, network_option, oracle_option = grouped("Comparison"), grouped("Network"), grouped("Oracle")


@dataclass(frozen=True)
class BenchConfig(SplitOptions, FolderOptions):
    """What to compare on what; each attribute is an option with dashes for underscores."""

    data: str = again(CorpusOptions, "data", "demo")
    name: str = again(
        FolderOptions, "name", "benchmark", "Folder inside --log-dir; one that is there already is gone on with."
    )

    strategies: tuple[str, ...] = row_option(
        ("random", "entropy", "badge"),
        "Rows, with commas: a strategy as of train.py in the lean loop, or HOW/STRATEGY, or a model of its own; "
        f"{_WAYS}; a recipe, as in lean/margin or scratch+vectors/random. tfidf-lr, lsa-lr, chars-lr and encoder-lr "
        "stand alone or with :margin, full alone.",
    )
    seeds: int = row_option(5, "Runs of each row.", least=1)
    budgets: tuple[int, ...] = row_option(
        (100, 200, 400, 800), "Labels at which each strategy is judged; the example's loop has its own."
    )
    judge: Literal["test", "validation"] = row_option(
        "test", "Rows that judge; settings are chosen on validation, so that the test set stays unseen."
    )
    metric: Literal["accuracy", "macro-f1"] = row_option(
        "accuracy",
        "Score of the learning curves, the verdict, --targets and labels needed; the table has both, stopping rules "
        "follow accuracy whatever it is.",
    )
    targets: tuple[float, ...] = row_option(
        (),
        "Values of --metric whose labels the report counts, as in 0.86,0.9; without any, what random picks reach at "
        "half their budget.",
    )
    side_by_side: int = row_option(5, "Seeds in one batched pass.", least=1)
    cluster: str | None = row_option(
        None,
        f"Compute on the cores of {CLUSTER_HELP}",
        "auto|ADDRESS",
    )

    standardize: Standardize | None = network_option(
        None,
        "Case, punctuation and white space: of every script, or of ASCII, as in train.py.",
        otherwise="keras3",
        lean="unicode",
    )
    units: UnitsAsked = network_option(
        "auto", "What texts are cut into, as in train.py; auto lets the texts decide where --standardize is unicode."
    )
    vocabulary_size: int | None = network_option(
        None,
        "Units of the network in the rows of the lean recipe and in others; linear models and the example's loop have "
        "their own, as --max-length.",
        otherwise=3_000,
        lean=20_000,
    )
    max_length: int | None = network_option(None, "Units kept of each text.", otherwise=150, lean=400)
    cut: Literal["end", "middle"] | None = network_option(
        None, "Which units of a longer text are dropped.", otherwise="end", lean="middle"
    )
    padding: Literal["read", "masked"] | None = network_option(
        None, "Read by the LSTM as a word, or without state.", otherwise="read", lean="masked"
    )
    steps: int = network_option(200, "Training steps of a fit on labels alone.")
    batch_size: int = network_option(64, "Texts per step of such a fit.")
    study_steps: int = network_option(2_000, "Training steps, at most, of a fit that learns from the pool.")

    encoder: str | None = again(
        TrainConfig,
        "encoder",
        None,
        "A pretrained encoder, whose vectors help teachers, strategies that compare texts, and encoder-lr: a folder, "
        "or a name of the Hugging Face hub; needs lit_al[encoder].",
    )
    embeddings: str | None = again(TrainConfig, "embeddings", None)

    network: str | None = again(
        TrainConfig,
        "network",
        None,
        "A LightningModule of your own in the rows keras/… and honest/…, as in mynet.py:MyNet; its code is run.",
    )

    oracle_noise: str = oracle_option(
        "0",
        "How the oracle errs: a rate, or a CSV file with a row of shares per class; it says the same of a text in "
        "every row and seed, and accuracy is judged by true labels.",
    )
    oracle_skip: float = oracle_option(
        0.0, "Share of questions that it does not answer; they are paid for all the same."
    )

    def reading(self, recipe: str) -> dict[str, Any]:
        """How rows of a recipe read the texts: as given, or, where nothing is, as train.py would by that recipe."""
        by = "lean" if recipe.startswith("lean") else "otherwise"
        decided = {item.name: item.metadata["decided"] for item in fields(self)}
        given = {name: getattr(self, name) for name in READING}
        return {name: decided[name][by] if value is None else value for name, value in given.items()}

    def checked(self) -> "BenchConfig":
        """The same with each row spelled as in the table.

        Raises:
            ConfigError: settings that cannot work.
        """
        self.check_bounds()
        check_not_both(self, "encoder", "embeddings")
        if not 0 <= self.oracle_skip < 1:
            raise ConfigError(f"--oracle-skip {self.oracle_skip} must be 0 or more and less than 1")
        if not self.budgets or list(self.budgets) != sorted({*self.budgets}) or self.budgets[0] < 1:
            raise ConfigError(f"--budgets {','.join(map(str, self.budgets))} must grow, as in 100,200,400")
        if not all(0 < target <= 1 for target in self.targets):
            raise ConfigError(
                f"--targets {','.join(map(str, self.targets))} must lie above 0 and at most at 1, as in 0.85,0.9"
            )
        names = tuple(Method.of(name).spelling for name in self.strategies)
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ConfigError(f"--strategies names {repeated.pop()!r} twice; name each once")
        return replace(self, strategies=names)
