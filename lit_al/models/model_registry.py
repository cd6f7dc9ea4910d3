"""The models of a project by number: which are kept, and which one is in production.

    models/3.ckpt            weights of version 3; never written again, and never deleted by the program
    models/3.json            when it was made, by what, of which labels, how good it is; with it the version is there
    models/production.json   which version is in production, and which were before; a file that is replaced whole

The models that are trained while people label (`checkpoints/model-N.ckpt`) have their numbers in the same count, and so
has the model of a run itself; of the former the newest alone stay, and one that is to stay is copied to the kept ones.

A kill leaves the old alias or the new one, and a version whole or not there. Whoever follows what is in production
reads the alias again (`production_of`), and never keeps a path for good.
"""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lit_al.exceptions import CheckpointError, RunError
from lit_al.utils.failpoints import crash_point
from lit_al.utils.files import way_out
from lit_al.utils.folders import write_bytes, write_text
from lit_al.utils.links import own, private

FOLDER: Final = "models"
ALIAS: Final = "production.json"
SCHEMA: Final = 1  # of these files; docs/deploy.md describes them
CHECKPOINTS: Final = "checkpoints"
BEST: Final = "best.ckpt"
RESULTS: Final = "results.json"
_LOCK: Final = "registry.lock"
NUMBER: Final = re.compile(r"[1-9]\d{0,8}")  # of a version


@dataclass(frozen=True)
class Promotion:
    """A change of what is in production.

    Attributes:
        version: that came into production.
        at: UTC, ISO 8601.
        how: `promote` or `rollback`.
    """

    version: int
    at: str
    how: str


class ModelRegistry:
    """The versions of a run.

    Args:
        run: its folder.
    """

    def __init__(self, run: Path) -> None:
        self.run, self.folder = run, run / FOLDER

    # --- What is there ------------------------------------------------------------------------------------------------

    @property
    def alias(self) -> Path:
        """The file that says what is in production."""
        return self.folder / ALIAS

    def kept(self) -> dict[int, dict[str, Any]]:
        """What is known of each kept version, by number.

        Raises:
            RunError: a file that is none of ours.
        """
        paths = self.folder.glob("*.json") if self.folder.is_dir() else ()
        numbers = sorted(int(path.stem) for path in paths if NUMBER.fullmatch(path.stem))
        return {number: _read(self.folder / f"{number}.json") for number in numbers}

    def numbers(self) -> list[int]:
        """Versions whose weights are there, in ascending order."""
        trained = {
            int(path.stem.removeprefix("model-"))
            for path in (self.run / CHECKPOINTS).glob("model-*.ckpt")
            if NUMBER.fullmatch(path.stem.removeprefix("model-"))
        }
        return sorted(trained | self._itself() | self.kept().keys())

    def _itself(self) -> set[int]:
        """The number of the one model that a run of `lit-al train` or `fit` has made."""
        return {1} if (self.run / RESULTS).is_file() and (self.run / CHECKPOINTS / BEST).is_file() else set()

    def weights(self, version: int) -> Path:
        """The checkpoint of a version.

        Raises:
            CheckpointError: it is not there, or not any more.
        """
        places = [self.folder / f"{version}.ckpt", self.run / CHECKPOINTS / f"model-{version}.ckpt"]
        if version == 1 and (self.run / RESULTS).is_file():
            places.append(self.run / CHECKPOINTS / BEST)
        for path in places:
            if own(path).is_file():
                return path
        there = ", ".join(map(str, self.numbers())) or "none"
        raise CheckpointError(f"{self.run} holds no model of version {version} any more, or never did; it has {there}")

    def history(self) -> tuple[Promotion, ...]:
        """All changes of what is in production, the oldest first.

        Raises:
            RunError: the alias is none of ours.
        """
        if not own(self.alias).is_file():
            return ()
        try:
            return tuple(Promotion(int(one["version"]), *(str(one[name]) for name in ("at", "how")))
                         for one in _read(self.alias)["history"])  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.alias} is not as it was written; take it away and promote a version") from error

    @property
    def production(self) -> int | None:
        """The version in production; None where none is."""
        stack = _stack(self.history())
        return stack[-1] if stack else None

    # --- What changes it ----------------------------------------------------------------------------------------------

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One writer at a time gives numbers and moves the alias; the others wait their moment.

        Raises:
            RunError: nothing can be written here.
        """
        path = self.folder / _LOCK
        try:
            self.folder.mkdir(exist_ok=True)
            descriptor = private(os.fspath(own(path)), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror or error}; {way_out(error, path)}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # ends with the process
            yield
        finally:
            os.close(descriptor)

    def next_number(self, after: int = 0) -> int:
        """The number of a new version: above all that are kept, and above `after`, the last trained for people."""
        return max([after, *self._itself(), *self.kept()]) + 1

    def keep(self, version: int, content: bytes, facts: Mapping[str, Any]) -> None:
        """Put a version among the kept ones, for good; called again it changes nothing.

        Args:
            version: its number.
            content: of its checkpoint.
            facts: what is known of it, as JSON; `made` among them where that was before.

        Raises:
            RunError: it cannot be written.
        """
        if version in self.kept():
            return
        write_bytes(own(self.folder / f"{version}.ckpt"), content)
        crash_point("before_version")
        digest = hashlib.sha256(content).hexdigest()
        self._write(f"{version}.json", {"version": version, "sha256": digest, "made": _now(), **facts})

    def register(self, content: bytes, facts: Mapping[str, Any], after: int = 0) -> int:
        """A new version; returns its number.

        Raises:
            RunError: as `keep`.
        """
        with self.alone():
            number = self.next_number(after)
            self.keep(number, content, facts)
        return number

    def promote(self, version: int) -> None:
        """Put a kept version into production; the one that is there already stays so, without a word in the history.

        Raises:
            CheckpointError: it is not kept, or not as it was written.
        """
        with self.alone():
            self._check(version)
            if version != self.production:
                self._move(version, "promote")

    def rollback(self) -> int:
        """Put the version into production that was before the one that is; returns its number.

        Raises:
            CheckpointError: there was none, or it is not as it was written.
        """
        with self.alone():
            stack = _stack(self.history())
            if len(stack) < 2:
                before = f"before version {stack[0]}" if stack else "yet"
                raise CheckpointError(
                    f"no version of {self.run} was in production {before}; lit-al models {self.run} promote N puts one "
                    "there"
                )
            self._check(stack[-2])
            self._move(stack[-2], "rollback")
        return stack[-2]

    def _check(self, version: int) -> None:
        facts = self.kept().get(version)
        path = own(self.folder / f"{version}.ckpt")
        try:
            digest = digest_of(path)
        except OSError:
            digest = ""
        if facts is None or digest != facts.get("sha256"):
            raise CheckpointError(f"{path} is missing or not as it was written; promote another version of {self.run}")

    def _move(self, version: int, how: str) -> None:
        history = [*self.history(), Promotion(version, _now(), how)]
        self._write(ALIAS, {"version": version, "history": [vars(one) for one in history]})

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        found = json.dumps({"schema": SCHEMA, **content}, indent=2, ensure_ascii=False)
        write_text(own(self.folder / name), found + "\n")


def production_of(run: Path) -> Path:
    """The weights of the version that is in production, for `checkpoint.load_frozen`.

    A server follows by calling this again, say every second: the alias (`ModelRegistry.alias`) is replaced whole, so
    that the answer is the old version or the new one, and a kept version's file is never written again. The path is
    another exactly when the version is.

    Raises:
        CheckpointError: none is in production, or its file is gone.
        RunError: the alias is none of ours.
    """
    version = ModelRegistry(run).production
    if version is None:
        raise CheckpointError(f"no version of {run} is in production; lit-al models {run} promote N puts one there")
    return model_of(run, version)


def model_of(run: Path, version: int) -> Path:
    """The weights of a version of a run, as `production_of`.

    Raises:
        CheckpointError: they are not there, or not any more.
    """
    return ModelRegistry(run).weights(version)


def digest_of(path: Path) -> str:
    """Sha256 of a file, 64 hex digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def labels_fingerprint(labels: Iterable[tuple[str, str]]) -> str:
    """Sha256 of labels, whatever their order: 64 hex digits.

    Args:
        labels: sha256 of the text and class, for each label.

    >>> labels_fingerprint([("a", "x"), ("b", "y")]) == labels_fingerprint([("b", "y"), ("a", "x")])
    True
    """
    return hashlib.sha256(json.dumps(sorted(labels)).encode()).hexdigest()


def _stack(history: tuple[Promotion, ...]) -> list[int]:
    """Versions in production, each above the one that a rollback goes to."""
    stack: list[int] = []
    for one in history:
        if one.how == "rollback":
            stack.pop()
        else:
            stack.append(one.version)
    return stack


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(own(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error}); put it back") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise RunError(f"{path} is not of schema {SCHEMA}; was it written by another version of lit_al?")
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
