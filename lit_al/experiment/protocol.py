"""What the settings of a lean run come to, checked before anything is written or trained."""

from dataclasses import dataclass
from typing import Self

from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.experiment_data import ExperimentData
from lit_al.loop.stopping_monitor import Source
from lit_al.loop.validation import HoldOut, Validation, make_validation
from lit_al.oracles import Bill, ImperfectOracle, Price, WaitingOracle, make_noise
from lit_al.stopping import AnyOf, Budget, Rule, make_rule
from lit_al.strategies import Controls, make_strategy
from lit_al.training.recipe import Recipe, make_recipe
from lit_al.typing import UNLABELED, Rows

TEST_SET = (
    "The loop is given no test row: the model of each round is judged on the test set for the report alone, and "
    "nothing follows from it."
)
NO_TEST_SET = (
    "No label is set aside for a test, so there is no test figure: random controls estimate the accuracy. "
    "--test-size sets some aside."
)


@dataclass(frozen=True)
class RunProtocol:
    """The run to come.

    Attributes:
        schedule: questions asked in all, by the end of each query.
        recipe: how each round trains and asks.
        oracle: answers, errs, skips and charges.
        rule: in force; None where nothing but the schedule ends the run.
        validation: how labels that are paid for judge the model; None where they do not.
        follows: the estimate of accuracy that stopping rules see; None where there is none.
        flaws: what is wrong with validation by chosen texts, a clause, if anything is.
        start: (s,) int64 rows whose labels the data brings along, where people are asked for the others.
        test_use: what the test set is used for, in words.
    """

    schedule: tuple[int, ...]
    recipe: Recipe
    oracle: ImperfectOracle | WaitingOracle
    rule: Rule | None
    validation: Validation | None
    follows: Source | None
    flaws: tuple[str, ...]
    start: Rows
    test_use: str

    @classmethod
    def of(cls, config: TrainConfig, material: ExperimentData) -> Self:
        """The plan of resolved settings.

        Raises:
            ConfigError: settings that cannot work.
        """
        rule = checked_rule(config)
        recipe = recipe_of(config)
        start = labeled_before(config, material)
        schedule = make_schedule(config, len(material.split.pool), rule, len(start))
        validation = make_validation(recipe.validation)
        if validation:
            validation.check(schedule[0])
        return cls(
            schedule,
            recipe,
            make_oracle(config, material),
            rule,
            validation,
            followed(config),
            flaws_of(config, validation),
            start,
            TEST_SET if len(material.split.test) else NO_TEST_SET,
        )

    @property
    def source(self) -> str:
        """Where the estimate that is followed comes from, in words; "" where there is none."""
        if self.follows == "controls":
            return "by random controls"
        return source_of(self.validation) if self.validation else ""


def recipe_of(config: TrainConfig) -> Recipe:
    """How each round trains, by resolved settings.

    Raises:
        ConfigError: no such recipe.
    """
    base = Recipe(
        steps=config.steps,  # type: ignore[arg-type]  # resolved: not None, as are the others
        batch_size=config.batch_size,  # type: ignore[arg-type]
        learning_rate=config.learning_rate,
        weights=config.weights,  # type: ignore[arg-type]
        validation=str(config.validation),
        committee_size=config.committee_size,
        study_steps=config.study_steps,  # type: ignore[arg-type]
        class_weight=config.class_weight,  # type: ignore[arg-type]
        masked=config.padding == "masked",
    )
    return make_recipe(str(config.recipe), base)


def checked_rule(config: TrainConfig) -> Rule | None:
    """The rule in force.

    Raises:
        ConfigError: it cannot be spelled so, or waits for an estimate that nothing gives; or validation or strategy
            cannot be spelled so.
    """
    follows = followed(config)
    if config.stop is None:
        return None
    rule = make_rule(config.stop)
    if "accuracy" in rule.needs and follows is None:
        raise ConfigError(
            f"--stop {config.stop} follows the accuracy of random controls, and --strategy {config.strategy} draws "
            "none; add +random:0.1 to it, or give --validation cross:5"
        )
    return rule


def followed(config: TrainConfig) -> Source | None:
    """The estimate of accuracy that stopping rules follow: controls, which stand for the pool, come first."""
    strategy, validation = make_strategy(str(config.strategy)), make_validation(str(config.validation))
    if isinstance(strategy, Controls) or strategy.spelling == "random":
        return "controls"
    return "validation" if validation else None


def flaws_of(config: TrainConfig, validation: Validation | None) -> tuple[str, ...]:
    """What is wrong with validation by texts that a strategy chose, a clause; none for random picks."""
    strategy = make_strategy(str(config.strategy))
    if validation is None or strategy.spelling == "random":
        return ()
    way = "that by random controls is of the pool"
    if not isinstance(strategy, Controls):
        way = "random controls, as +random:0.1 in --strategy draws them, give one of the pool"
    return (
        f"validates on texts that {strategy.spelling} chose, not chance, so that the estimate {source_of(validation)} "
        f"is of the chosen texts and not of the pool; {way}",
    )


def source_of(validation: Validation) -> str:
    """The words for its estimate."""
    return "by held-out labels" if isinstance(validation, HoldOut) else "out of fold"


def labeled_before(config: TrainConfig, material: ExperimentData) -> Rows:
    """Rows of the pool that the first fit has labels of without asking: where people answer, those that have some."""
    pool = material.split.pool
    return pool[material.corpus.labels[pool] != UNLABELED] if config.oracle == "file" else pool[:0]


def make_schedule(config: TrainConfig, pool: int, rule: Rule | None = None, start: int = 0) -> tuple[int, ...]:
    """Questions in all by the end of each query; the last one is cut to what the pool or the budget holds.

    Args:
        config: resolved settings.
        pool: its rows.
        rule: in force.
        start: labels that are there already; the first number counts them.

    >>> make_schedule(TrainConfig(protocol="lean", query_size="10,20", rounds=3).resolved(), 1_000)
    (100, 110, 130, 150)
    """
    if config.initial_size is None or config.initial_size > pool:
        raise ConfigError(f"--initial-size {config.initial_size} exceeds the pool of {pool:,} rows; lower it")
    sizes, limit = config.query_sizes, min(pool, budget_of(rule) or pool)
    schedule = [max(min(config.initial_size, limit), start)]
    while schedule[-1] < limit and (config.rounds is None or len(schedule) <= config.rounds):
        size = sizes[min(len(schedule), len(sizes)) - 1]
        schedule.append(min(schedule[-1] + size, limit))
    return tuple(schedule)


def budget_of(rule: Rule | None) -> int | None:
    """The labels at which a rule surely stops, if it names any: no query may spend more.

    >>> budget_of(make_rule("kappa,budget:2500,budget:300+plateau"))
    2500
    """
    if isinstance(rule, AnyOf):
        return min((found for part in rule.rules if (found := budget_of(part))), default=None)
    return rule.labels if isinstance(rule, Budget) else None


def make_oracle(config: TrainConfig, material: ExperimentData) -> ImperfectOracle | WaitingOracle:
    """The simulated oracle, which without settings of its own never errs, never skips and costs nothing; or people."""
    corpus = material.corpus
    read = material.encoder.lengths(corpus.texts) if config.price_per_token else None  # (N,)
    price = Price(config.price_per_label or 0.0, config.price_per_token or 0.0, read)
    if config.oracle == "file":
        return WaitingOracle(price, Bill(wrong=None))
    noise = make_noise(config.oracle_noise or "0", len(corpus.classes))
    return ImperfectOracle(
        corpus.labels, noise, config.oracle_skip or 0.0, price, seed=config.seed, keys=corpus.keys[:, 0]
    )
