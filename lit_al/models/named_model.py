"""Which model of a run is meant: `RUN`, `RUN@3`, `RUN@newest`, `RUN@production`."""

import filecmp
from pathlib import Path
from typing import NamedTuple

from lit_al.models.model_registry import BEST, CHECKPOINTS, NUMBER, RESULTS, ModelRegistry, production_of
from lit_al.utils.links import own


class FoundModel(NamedTuple):
    """The weights that a user has named.

    Attributes:
        weights: a checkpoint, or the folder of a model.
        version: its number; None where it has none.
        words: which version of which run is used; "" where there was nothing to choose.
    """

    weights: Path
    version: int | None = None
    words: str = ""


def chosen(run: Path, word: str = "") -> FoundModel | None:
    """The version of a run that is meant; None where a run has one model, or none, and no word chooses.

    Args:
        run: its folder.
        word: a number, `production`, `newest`, or "": the one in production, else the newest.

    Raises:
        CheckpointError: there is no such version.
    """
    registry, name = ModelRegistry(run), run.resolve().name
    production = registry.production if word in ("", "production") else None
    if word == "production" and production is None:
        production_of(run)  # which says so
    if production is not None:
        return FoundModel(registry.weights(production), production, f"version {production} of {name}, in production")
    if word not in ("", "newest"):
        return FoundModel(registry.weights(int(word)), int(word), f"version {word} of {name}")
    kept, best = max(registry.kept(), default=0), run / CHECKPOINTS / BEST
    trained = _number_of(registry, best)
    if max(kept, trained) == 0:
        return None
    newest = max(kept, trained)
    weights = best if trained > kept else registry.weights(kept)
    return FoundModel(weights, newest, f"version {newest} of {name}, the newest")


def _number_of(registry: ModelRegistry, best: Path) -> int:
    """The number of `best.ckpt`, the newest sound model that people have trained; 0 where it has none."""
    if not own(best).is_file():
        return 0
    numbers = [number for number in registry.numbers() if (best.parent / f"model-{number}.ckpt").is_file()]
    same = (number for number in reversed(numbers) if filecmp.cmp(best, best.parent / f"model-{number}.ckpt", False))
    return next(same, 1 if registry.kept() and (registry.run / RESULTS).is_file() else 0)


def split_version(path: Path) -> tuple[Path, str]:
    """A run and the version that is named behind it, as in `tickets@3`; "" where none is.

    >>> split_version(Path("tickets@3")), split_version(Path("me@home"))
    ((PosixPath('tickets'), '3'), (PosixPath('me@home'), ''))
    """
    name, at, word = path.name.rpartition("@")
    if not at or not name or path.exists() or not (NUMBER.fullmatch(word) or word in ("production", "newest")):
        return path, ""
    return path.with_name(name), word
