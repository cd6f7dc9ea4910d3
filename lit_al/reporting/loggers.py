"""Where the curves of a run go besides TensorBoard: Lightning's loggers for CSV files, MLflow and Weights & Biases.

Each gets the parameters of a run and its metrics under the names that TensorBoard has. A run that goes on where it was
cut off goes on in the same run of MLflow or W&B (`loggers.json` has their ids); a CSV file is written anew.
"""

import json
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from lit_al.exceptions import ConfigError, RunError
from lit_al.utils.folders import write_text
from lit_al.utils.links import own
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.options import words_of

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger

NAMES: Final = ("tensorboard", "csv", "mlflow", "wandb", "none")
IDS: Final = "loggers.json"  # of runs elsewhere
PROJECT: Final = "lit_al"  # of experiments there
CSV_FOLDER: Final = "csv"
_NEEDS: Final = {"mlflow": ("mlflow", "sqlalchemy", "alembic"), "wandb": ("wandb",)}


def logger_names(text: str) -> tuple[str, ...]:
    """What `--logger` asks for, each once, in its order; `none` is none.

    Raises:
        ConfigError: a name that there is not, `none` beside others, or a package that is not installed.

    >>> logger_names("csv, tensorboard,csv"), logger_names("none")
    (('csv', 'tensorboard'), ())
    """
    names = tuple(dict.fromkeys(words_of(text)))
    for name in names:
        if name not in NAMES:
            guess = did_you_mean(name, NAMES)
            raise ConfigError(f"--logger {name!r} is none of {', '.join(NAMES)}; {guess}several stand with commas")
    if not names or ("none" in names and len(names) > 1):
        raise ConfigError(f"--logger {text!r} must name loggers, or none alone")
    for name in names:
        check_packages(name, f"--logger {name}")
    return tuple(name for name in names if name != "none")


def check_packages(name: str, asked: str) -> None:
    """Refuse what needs a package that is not installed.

    Args:
        name: of the extra of this package.
        asked: the option that asks for it.

    Raises:
        ConfigError: one is missing.
    """
    missing = [package for package in _NEEDS.get(name, ()) if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"{asked} needs {', '.join(missing)}; install it with pip install 'lit_al[{name}]', or leave it out"
        )


def tracking_uri(folder: Path) -> str:
    """Where MLflow keeps runs: `MLFLOW_TRACKING_URI`, else a file of SQLite beside the run's folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(folder.parent / 'mlflow.db').resolve()}"


class MetricLoggers:
    """Lightning's loggers of a run, beside TensorBoard.

    Args:
        names: of `NAMES`.
        folder: of the run.
        parameters: of the run, by name.

    Raises:
        RunError: one of them cannot be reached.
    """

    def __init__(self, names: Sequence[str], folder: Path, parameters: Mapping[str, Any]) -> None:
        self.folder = folder
        self.replays = False  # what is told was told in an earlier sitting
        self._ids = _read(folder)
        self._loggers: dict[str, Logger] = {}
        for name in names:
            if name in _MADE:
                with quietly():
                    self._loggers[name] = _MADE[name](folder, self._ids)
                    self._introduce(name, parameters)

    def _introduce(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Log the parameters, unless an earlier sitting has; then its run is known by an id."""
        if name in self._ids:
            return
        logger = self._loggers[name]
        logger.log_hyperparams(dict(parameters))
        if name != "csv":
            self._ids[name] = str(getattr(logger, "run_id", None) or logger.version)
            write_text(own(self.folder / IDS), json.dumps(self._ids, indent=2) + "\n")

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Metrics of a step, by the names that TensorBoard has."""
        for name, logger in self._loggers.items():
            if name == "csv" or not self.replays:
                renamed = {allowed(tag): value for tag, value in values.items()} if name == "mlflow" else values
                with quietly():
                    logger.log_metrics(dict(renamed), step)

    def save(self) -> None:
        """Write what is held back."""
        for logger in self._loggers.values():
            logger.save()

    def close(self, status: str) -> None:
        """Say how the run ended, and end."""
        for name, logger in self._loggers.items():
            with quietly():
                logger.save()
                logger.finalize("success" if status == "finished" else "failed")
                if name == "wandb":
                    _experiment_of(logger).finish(exit_code=int(status != "finished"))


def run_in_mlflow(folder: Path, parameters: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The run of MLflow that is of a run's folder; one that is new has its parameters and metrics.

    Raises:
        RunError: as `MetricLoggers`.
    """
    there = _read(folder).get("mlflow")
    if there is None:
        loggers = MetricLoggers(("mlflow",), folder, parameters)
        loggers.scalars({name: value for name, value in metrics.items() if isinstance(value, (int, float))}, 0)
        loggers.close("finished")
        there = _read(folder)["mlflow"]
    return there


def allowed(tag: str) -> str:
    """The name of a metric as MLflow allows it: what it cannot hold is marked, and told apart by four hex digits.

    >>> allowed("test/macro_f1"), allowed("taken/好"), allowed("taken/吃")
    ('test/macro_f1', 'taken/_.4346', 'taken/_.e50a')
    """
    plain = re.sub(r"[^a-zA-Z0-9_/. -]", "_", tag)
    return plain if plain == tag else f"{plain}.{sha256(tag.encode()).hexdigest()[:4]}"


def _csv(folder: Path, ids: Mapping[str, str]) -> "Logger":
    from lightning.pytorch.loggers import CSVLogger

    return CSVLogger(folder, name=CSV_FOLDER, version="")


def _mlflow(folder: Path, ids: Mapping[str, str]) -> "Logger":
    from lightning.pytorch.loggers import MLFlowLogger

    uri = tracking_uri(folder)
    where = None if "MLFLOW_TRACKING_URI" in os.environ else (folder.parent / "mlartifacts").resolve().as_uri()
    try:
        logger = MLFlowLogger(
            PROJECT, folder.name, uri, artifact_location=where, run_id=ids.get("mlflow"), synchronous=True
        )
        _ = logger.run_id  # makes the run
    except Exception as error:  # whatever a server or its database says
        raise RunError(
            f"MLflow at {uri} cannot be used ({' '.join(str(error).split())[:200]}); set MLFLOW_TRACKING_URI, or leave "
            "mlflow out of --logger"
        ) from error
    return logger


def _wandb(folder: Path, ids: Mapping[str, str]) -> "Logger":
    from lightning.pytorch.loggers import WandbLogger
    from wandb import Settings

    project, number = os.environ.get("WANDB_PROJECT", PROJECT), ids.get("wandb", uuid4().hex[:8])
    try:
        logger = WandbLogger(folder.name, folder.parent, id=number, project=project, settings=Settings(quiet=True))
        _ = logger.experiment  # begins the run
    except Exception as error:  # whatever a service says
        raise RunError(
            f"Weights & Biases cannot be used ({' '.join(str(error).split())[:200]}); log in with wandb login, set "
            "WANDB_MODE=offline, or leave wandb out of --logger"
        ) from error
    return logger


def _experiment_of(logger: Any) -> Any:
    return logger.experiment


_MADE: Final = {"csv": _csv, "mlflow": _mlflow, "wandb": _wandb}


@contextmanager
def quietly() -> Iterator[None]:
    """Inside, nothing is said of how a service does its work: the console is the run's."""
    for name in ("mlflow", "alembic", "lightning.pytorch.loggers.mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        yield


def _read(folder: Path) -> dict[str, str]:
    path = own(folder / IDS)
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(f"{path} cannot be read ({error}); take it away, and new runs are begun there") from error
