"""`train.py --resume RUN`: what may stand beside it."""

from argparse import ArgumentError, ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_al.exceptions import ConfigError


@dataclass(frozen=True)
class Resume:
    """An order to go on with a run.

    Attributes:
        folder: of the run.
        answers: a file of answers for the texts that wait; None for none.
        dry_run: check the answers and write nothing.
        accelerator: another than the run began with; None for the same.
    """

    folder: Path
    answers: Path | None = None
    dry_run: bool = False
    accelerator: str | None = None


def wants_resume(arguments: Sequence[str]) -> bool:
    """Is this command line one that goes on with a run?"""
    return any(word == "--resume" or word.startswith("--resume=") for word in arguments)


def parse_resume(arguments: Sequence[str]) -> Resume:
    """The order of a command line.

    Raises:
        ConfigError: an option that would change the run, or no such folder.

    >>> parse_resume(["--resume", "nowhere"])
    Traceback (most recent call last):
    lit_al.exceptions.ConfigError: there is no folder nowhere; --resume takes the folder of a run
    """
    parser = ArgumentParser(prog="train.py", add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in ("--resume", "--answers", "--log-dir", "--accelerator"):
        parser.add_argument(name)
    parser.add_argument("--dry-run", action="store_true")
    try:
        options, others = parser.parse_known_args(list(arguments))
    except ArgumentError as error:
        raise ConfigError(f"{error}; --resume takes the folder of a run") from error
    if others:
        raise ConfigError(
            f"{others[0]} cannot stand beside --resume, for a run goes on with the settings that it began with; "
            "leave it out, or begin a new run"
        )
    if options.dry_run and options.answers is None:
        raise ConfigError("--dry-run checks a file of answers; give it with --answers")
    answers = None if options.answers is None else Path(options.answers)
    return Resume(_folder(options.resume, options.log_dir), answers, options.dry_run, options.accelerator)


def _folder(named: str, log_dir: str | None) -> Path:
    """The folder itself, or the one of this name below `--log-dir`."""
    places = [Path(named), *([Path(log_dir) / named] if log_dir else [])]
    for place in places:
        if place.is_dir():
            return place
    raise ConfigError(f"there is no folder {' or '.join(map(str, places))}; --resume takes the folder of a run")


def way_on(folder: Path) -> str:
    """What to type to go on with a run."""
    return f"go on with: python scripts/train.py --resume {folder}"
