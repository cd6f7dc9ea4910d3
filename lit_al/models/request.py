"""What `lit-al predict` is asked: which checkpoint, and texts from the command line, a file or standard input."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lit_al.exceptions import CheckpointError, ConfigError, DataError
from lit_al.utils.links import check_links
from lit_al.utils.options import REQUIRED, Options, grouped

text_option = grouped("Texts")


@dataclass(frozen=True)
class PredictOptions(Options):
    """Texts to classify."""

    checkpoint: Path = text_option(REQUIRED, "A .ckpt file, or the folder of a run.", "PATH")
    texts: tuple[str, ...] = text_option(
        (), "Texts; without any, each line of standard input is one.", "TEXT", positional=True
    )
    file: Path | None = text_option(None, "A UTF-8 file with a text on each line.", "PATH")
    network: str | None = text_option(
        None, "Class of the checkpoint, if it is a network of your own, as in mynet.py:MyNet.", "FILE:CLASS"
    )
    json: bool = text_option(False, "One JSON object per text.")

    def __post_init__(self) -> None:
        if self.file is not None and self.texts:
            raise ConfigError("give texts or --file, not both; --help lists the options")

    def weights(self) -> Path:
        """The checkpoint itself, or the best one of a run's folder.

        Raises:
            CheckpointError: the folder holds none.
            RunError: it holds a symbolic link where a file of its own should be.
        """
        if not self.checkpoint.is_dir():
            return self.checkpoint
        check_links(self.checkpoint)
        best = self.checkpoint / "checkpoints" / "best.ckpt"
        if not best.is_file():
            raise CheckpointError(
                f"{self.checkpoint} holds no checkpoints/best.ckpt; give the folder of a run or a .ckpt file"
            )
        return best

    def read(self) -> Iterator[str]:
        """The texts, one after the other.

        Raises:
            DataError: they cannot be read, or are not UTF-8.
        """
        if self.texts:
            yield from map(_valid, self.texts)
            return
        try:
            with self.file.open(encoding="utf-8") if self.file else sys.stdin as lines:
                for line in lines:
                    yield line.rstrip("\n")
        except UnicodeDecodeError as error:
            where = self.file or "standard input"
            raise DataError(f"{where} is not UTF-8 at byte {error.start}; convert it first") from error
        except OSError as error:
            raise DataError(f"{self.file} cannot be read: {error.strerror or error}") from error


def _valid(text: str) -> str:
    """An argument as it is, unless the shell gave bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"the text {text[:20]!r} is not UTF-8 at character {error.start}; convert it first") from error
    return text
