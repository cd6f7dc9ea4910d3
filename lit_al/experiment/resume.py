"""`train.py --resume RUN`: what may stand beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_al.exceptions import ConfigError
from lit_al.experiment.config import TrainConfig, loop_option
from lit_al.utils.options import ABSENT, flag, grouped

_BESIDE = ("answers", "dry_run", "log_dir", "accelerator", "network")

going_on_option = grouped("Going on")


@dataclass(frozen=True)
class Resume:
    """An order to go on with a run.

    Attributes:
        folder: of the run.
        answers: a file of answers for the texts that wait; None for none.
        dry_run: check the answers and write nothing.
        accelerator: another than the run began with; None for the same.
        network: of the run, where it has one of the user's own: code that a folder names is run only if they name it.
    """

    folder: Path
    answers: Path | None = None
    dry_run: bool = False
    accelerator: str | None = None
    network: str | None = None

    def check_network(self, network: str | None) -> None:
        """Raise `ConfigError` where a run's own network is not the one that was named."""
        if network is not None and self.network != network:
            raise ConfigError(
                f"{self.folder} trains a network of somebody's own, and its code is run only if you name it; add "
                f"--network {network}"
            )


@dataclass(frozen=True)
class TrainOptions(TrainConfig):
    """All that `train.py` takes: the settings of a new run, or an order to go on with one."""

    resume: str = going_on_option(
        ABSENT,
        "Go on with the run in this folder; of the other options only --log-dir, --accelerator, --network and the next "
        "two may stand beside it.",
        "RUN",
    )
    answers: Path = going_on_option(
        ABSENT, "With --resume: a file of answers for the texts that wait (--oracle file).", "FILE"
    )
    dry_run: bool = going_on_option(ABSENT, "With --answers: check the file and write nothing.")
    list_strategies: bool = loop_option(
        ABSENT, "Print a line for each strategy and exit.", prints="strategies:describe_strategies"
    )

    @classmethod
    def of(cls, given: dict[str, Any]) -> TrainConfig | Resume:
        """The settings or the order that was typed, each as whoever runs it takes it.

        Raises:
            ConfigError: an option that would change the run, or no such folder.

        >>> TrainOptions.of({"resume": "nowhere"})
        Traceback (most recent call last):
        lit_al.exceptions.ConfigError: there is no folder nowhere; --resume takes the folder of a run
        """
        if "resume" not in given:
            alone = [name for name in ("answers", "dry_run") if name in given]
            if alone:
                raise ConfigError(f"{flag(alone[0])} goes with --resume RUN; give the folder of a run")
            return TrainConfig(**given)
        others = [name for name in given if name not in ("resume", *_BESIDE)]
        if others:
            raise ConfigError(
                f"{flag(others[0])} cannot stand beside --resume, for a run goes on with the settings that it began "
                "with; leave it out, or begin a new run"
            )
        if "dry_run" in given and "answers" not in given:
            raise ConfigError("--dry-run checks a file of answers; give it with --answers")
        folder = _folder(given.pop("resume"), given.pop("log_dir", None))
        return Resume(folder, **given)


def _folder(named: str, log_dir: str | None) -> Path:
    """The folder itself, or the one of this name below `--log-dir`."""
    places = [Path(named), *([Path(log_dir) / named] if log_dir else [])]
    for place in places:
        if place.is_dir():
            return place
    raise ConfigError(f"there is no folder {' or '.join(map(str, places))}; --resume takes the folder of a run")


def way_on(folder: Path, network: str | None) -> str:
    """What to type to go on with a run."""
    more = f" --network {network}" if network else ""
    return f"go on with: python scripts/train.py --resume {folder}{more}"
