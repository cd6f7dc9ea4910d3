"""The folder of a run: one of its own for each, and files that are whole or absent."""

import json
import math
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lit_al.exceptions import DataError, RunError
from lit_al.utils.files import replacing, way_out
from lit_al.utils.links import check_links

SCHEMA = 1  # of results.json; docs/results-schema.md describes it
PACKAGES = ("torch", "lightning", "torchmetrics", "tokenizers", "numpy", "numba")


def make_run_folder(log_dir: Path | str, name: str | None = None) -> Path:
    """A new folder for a run: `log_dir/name`, or the first free `log_dir/version_N`.

    Raises:
        RunError: the name is taken or leaves `log_dir`, or the folder cannot be made.
    """
    parent = Path(log_dir)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        return _next_version(parent) if name is None else _named(parent, name)
    except OSError as error:
        raise RunError(
            f"no run folder can be made in {parent}: {error.strerror or error}; give a --log-dir that can be written"
        ) from error


def _named(parent: Path, name: str) -> Path:
    folder = parent / name
    if not name or folder.parent != parent or name in (".", ".."):
        raise RunError(f"--name {name!r} must be a plain folder name, without slashes")
    try:
        folder.mkdir()
    except FileExistsError:
        raise RunError(
            f"{folder} is there already, and no run writes into another's folder; give another --name"
        ) from None
    return folder


def _next_version(parent: Path) -> Path:
    number = 0
    while True:
        try:
            folder = parent / f"version_{number}"
            folder.mkdir()  # two runs started at once get two numbers: only one can make a folder
        except FileExistsError:
            number += 1
        else:
            return folder


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader, or a crash, finds the old one or the new one, never half of it.

    Raises:
        RunError: it cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, finds the old one or the new one, never half of it.

    Raises:
        RunError: it cannot be written.
    """
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}; {way_out(error, path)}") from error


def write_results(folder: Path, results: dict[str, Any]) -> None:
    """Write `results.json`; a number that is not finite, as of a fit that diverged, becomes null."""
    write_text(folder / "results.json", json.dumps(_finite(results), indent=2, allow_nan=False) + "\n")


@contextmanager
def whole_or_gone(folder: Path) -> Iterator[Path]:
    """A new folder, which is not left behind half full."""
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_results(folder: Path) -> dict[str, Any]:
    """The contents of a run's `results.json`.

    Raises:
        DataError: it is missing, broken, or of another schema.
        RunError: a file of the run is a symbolic link.
    """
    path = folder / "results.json"
    check_links(folder)
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read ({reason}); give the folder of a run") from error
    if not isinstance(results, dict) or results.get("schema") != SCHEMA:
        raise DataError(f"{path} is not of schema {SCHEMA}; was it written by another version of lit_al?")
    return results


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def versions() -> dict[str, str]:
    """Versions that can change a figure."""
    found = {"python": sys.version.split()[0]}
    for package in ("lit_al", *PACKAGES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def peak_memory_mb() -> float:
    """Most memory the process has held so far, in MB (the operating system's own count)."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: `getrusage` would count the memory of a large parent as ours
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) * 1024 / 1e6, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)
