"""What a benchmark compares on what, and the folder that holds it to that."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from lit_al.benchmark.example_method import example_config
from lit_al.benchmark.methods import Method
from lit_al.data.split import FORMAT as SPLIT_FORMAT
from lit_al.exceptions import ConfigError, RunError
from lit_al.experiment.example import strategy_of
from lit_al.strategies import make_strategy
from lit_al.text.encoder import Cut
from lit_al.training.linear_training import SEEN
from lit_al.utils.folders import write_text
from lit_al.utils.links import check_links
from lit_al.utils.yaml_settings import read_settings

SETTINGS = "benchmark.yaml"
_NOT_OF_CELLS = ("name", "log_dir", "strategies", "targets")  # a folder is gone on with whatever these are


@dataclass(frozen=True)
class BenchConfig:
    """What to compare on what.

    Attributes:
        data: as of `load_corpus`.
        text_column: likewise.
        label_column: likewise.
        strategies: rows, as `methods` spells them.
        seeds: how many, from 0.
        budgets: labels at which each row is judged; the example's loop has its own.
        name: of the folder below `log_dir`; a folder that is there already is gone on with.
        log_dir: where folders go.
        demo_rows: size of the demo corpus.
        split_seed: which rows are the test set.
        judge: the set whose accuracy the table holds. With "validation" the test set is not touched at all: settings
            are chosen so.
        vocabulary_size: words of the network; the linear models have their own, the example's loop has the example's.
        max_length: words kept of each text, likewise.
        cut: which words of a longer text are dropped.
        padding: read by the LSTM as a word, or masked.
        steps: training steps of a fit on labels alone.
        batch_size: texts per step of such a fit.
        study_steps: training steps of a fit that learns from the pool.
        side_by_side: seeds in one batched pass.
        oracle_noise: how the oracle errs, as of `make_noise`; it says the same of a text in every row and seed.
        oracle_skip: share of questions that it does not answer. A question without an answer is paid for too.
        targets: accuracies whose labels the report counts; without any, what random picks reach at half their budget.
    """

    data: str = "demo"
    text_column: str | None = None
    label_column: str | None = None
    strategies: tuple[str, ...] = ("random", "entropy", "badge")
    seeds: int = 5
    budgets: tuple[int, ...] = (100, 200, 400, 800)
    name: str = "benchmark"
    log_dir: str = "lightning_logs"
    demo_rows: int = 50_000
    split_seed: int = 0
    judge: Literal["test", "validation"] = "test"
    vocabulary_size: int = 3_000
    max_length: int = 150
    cut: Cut = "end"
    padding: Literal["read", "masked"] = "read"
    steps: int = 200
    batch_size: int = 64
    study_steps: int = 350
    side_by_side: int = 5
    oracle_noise: str = "0"
    oracle_skip: float = 0.0
    targets: tuple[float, ...] = ()

    def checked(self) -> "BenchConfig":
        """The same with each row spelled as in the table.

        Raises:
            ConfigError: settings that cannot work.
        """
        if self.seeds < 1 or self.side_by_side < 1:
            raise ConfigError(f"--seeds {self.seeds} and --side-by-side {self.side_by_side} must be 1 or more")
        if not 0 <= self.oracle_skip < 1:
            raise ConfigError(f"--oracle-skip {self.oracle_skip} must be 0 or more and less than 1")
        if not self.budgets or list(self.budgets) != sorted({*self.budgets}) or self.budgets[0] < 1:
            raise ConfigError(f"--budgets {','.join(map(str, self.budgets))} must grow, as in 100,200,400")
        if not all(0 < target <= 1 for target in self.targets):
            raise ConfigError(f"--targets {','.join(map(str, self.targets))} must be accuracies, as in 0.85,0.9")
        rows = [Method.of(name) for name in self.strategies]
        names = tuple(row.spelling for row in rows)
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ConfigError(f"--strategies names {repeated.pop()!r} twice; name each once")
        for row in rows:
            self._check(row)
        return replace(self, strategies=names)

    def _check(self, row: Method) -> None:
        loop = row.how.loop
        if loop == "linear":
            _check_linear(row)
        elif loop == "lean":
            make_strategy(row.picks)
        elif loop == "example":
            strategy_of(example_config(row, labeled=1))
            if self.judge == "validation":
                raise ConfigError(
                    f"--judge validation cannot judge {row.spelling}, which stops training by the validation set; "
                    "leave the row out, or --judge test"
                )
            if self.oracle_noise != "0" or self.oracle_skip:
                raise ConfigError(
                    f"--oracle-noise and --oracle-skip have no part in {row.spelling}, whose first labels are given; "
                    "leave the row out"
                )


def _check_linear(row: Method) -> None:
    """Refuse picks that a linear model cannot make.

    Raises:
        ConfigError: as said, or no such strategy.
    """
    strategy = make_strategy(row.picks)
    missing = sorted({*strategy.needs, *strategy.needs_labeled} - {*SEEN, "labels"})
    if missing:
        raise ConfigError(
            f"{row.spelling!r} picks by {' and '.join(missing)}, which a linear model does not have; take random picks "
            f"or those by its probabilities, as in {row.how.name}:margin"
        )


def folder_of(config: BenchConfig) -> Path:
    """The folder of a benchmark: not there yet, empty, or of the same settings, and without links.

    Raises:
        RunError: anything else.
    """
    folder = Path(config.log_dir) / config.name
    check_links(folder)
    path = folder / SETTINGS
    if path.exists():
        defaults = _settings(BenchConfig())  # what a setting was before there was such a setting
        found = read_settings(path)
        sound = isinstance(found, dict)
        if sound and found.get("split", 1) != SPLIT_FORMAT:  # at first nobody wrote down how it was split
            raise RunError(
                f"{folder} holds a benchmark whose splits followed the order of the file, which cannot be gone on "
                "with; give another --name"
            )
        if not sound or {**defaults, **found} != _settings(config):
            raise RunError(f"{folder} holds a benchmark of other settings ({path.name}); give another --name")
    elif folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder} holds something else; give another --name")
    return folder


def begin(folder: Path, config: BenchConfig) -> None:
    """Write the settings, once all of them are known to work."""
    (folder / "state").mkdir(parents=True, exist_ok=True)
    if not (folder / SETTINGS).exists():
        write_text(folder / SETTINGS, yaml.safe_dump(_settings(config), sort_keys=False))


def _settings(config: BenchConfig) -> dict[str, Any]:
    """All that cells depend on besides their row."""
    found = {name: value for name, value in asdict(config).items() if name not in _NOT_OF_CELLS}
    found["split"] = SPLIT_FORMAT
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
