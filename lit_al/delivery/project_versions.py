"""The versions of a run: those of its record, those that are kept, its own; listed, kept, added, promoted."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lit_al.exceptions import CheckpointError, ConfigError
from lit_al.experiment.versions_of_runs import facts_of_results, figures_of
from lit_al.models.checkpoint import load_frozen
from lit_al.models.model_registry import BEST, CHECKPOINTS, RESULTS, ModelRegistry, labels_fingerprint
from lit_al.models.request import model_at
from lit_al.record import RECORD_FILE, ModelVersion, Record
from lit_al.utils.folders import read_results
from lit_al.utils.links import check_links, own

_OF_THE_FILE: Final = ("schema", "version", "sha256")


@dataclass(frozen=True)
class Version:
    """A model of a run.

    Attributes:
        number: from 1.
        facts: `made` (UTC, ISO 8601), `by` (annotate, fit, train or file), `labels` that it learned from, their
            `fingerprint` ("" where it is not known), `seen` (the newest event of the record that it may have learned,
            or None), `audits_closed` (audits that it may have learned, or None), `classes`, `figures` (accuracy, low,
            high, rows, by; or None).
        sha256: that its checkpoint must have; "" where that is not known.
        there: the weights are.
        kept: for good.
        in_production: now.
    """

    number: int
    facts: Mapping[str, Any]
    sha256: str
    there: bool
    kept: bool
    in_production: bool

    def described(self) -> dict[str, Any]:
        """As JSON, without the results of its run."""
        facts = {name: value for name, value in self.facts.items() if name not in ("results", *_OF_THE_FILE)}
        marks = {"there": self.there, "kept": self.kept, "production": self.in_production}
        return {"version": self.number, **facts, "sha256": self.sha256, **marks}


def versions_of(run: Path) -> list[Version]:
    """All versions of a run, in the order of their numbers.

    Raises:
        LitALError: there is no such folder, or something in it cannot be read.
    """
    if not run.is_dir():
        raise ConfigError(f"there is no folder {run}; give that of a run, or make one: lit-al models {run} add MODEL")
    check_links(run)
    registry = ModelRegistry(run)
    kept, production, there = registry.kept(), registry.production, registry.numbers()
    found = {**_own(run), **kept}
    return [
        Version(number, facts, facts.get("sha256", ""), number in there, number in kept, number == production)
        for number, facts in sorted(found.items())
    ]


def version_of(run: Path, number: int) -> Version:
    """A version of a run.

    Raises:
        CheckpointError: there is none of this number, or its weights are gone.
    """
    known = {version.number: version for version in versions_of(run)}
    if number not in known:
        there = ", ".join(map(str, known)) or "none"
        raise CheckpointError(f"{run} has no version {number}; it has {there}")
    if not known[number].there:
        raise CheckpointError(
            f"the weights of version {number} of {run} are not there any more: of the models that are trained while "
            "people label, the newest alone stay; keep one in time with lit-al models RUN keep N"
        )
    return known[number]


def keep(run: Path, number: int) -> bool:
    """See that a version is never deleted; returns whether it was in danger.

    Raises:
        LitALError: it is not there, or not as it was written.
    """
    registry = ModelRegistry(run)
    with registry.alone():
        version = version_of(run, number)
        if version.kept:
            return False
        content = registry.weights(number).read_bytes()
        if version.sha256 and hashlib.sha256(content).hexdigest() != version.sha256:
            raise CheckpointError(f"version {number} of {run} is damaged, and is not kept; take another one")
        registry.keep(number, content, version.facts)
    return True


def promote(run: Path, number: int) -> None:
    """Put a version into production; it is kept from then on.

    Raises:
        LitALError: as `keep`.
    """
    keep(run, number)
    ModelRegistry(run).promote(number)


def add(folder: Path, model: Path) -> int:
    """Make a model from elsewhere the next version of a folder, which is made where it is not there.

    Args:
        folder: of versions.
        model: a run of `lit-al fit` or `train`, a version of another (`RUN@3`), or a checkpoint.

    Returns:
        Its number.

    Raises:
        LitALError: it cannot be read, or is no single file.
    """
    weights = model_at(model).weights
    if weights.is_dir():
        raise ConfigError(f"{model} is an exported folder; add the run or the checkpoint that it was made from")
    classes = load_frozen(weights).classes  # nothing is added that cannot be read
    facts = {"classes": list(classes), **_facts_at(weights)}
    registry = ModelRegistry(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with registry.alone(), _record_of(folder) as record:
        newest = record.newest_model() if record else None
        number = registry.next_number(newest.version if newest else 0)
        registry.keep(number, weights.read_bytes(), facts)
    return number


def _facts_at(weights: Path) -> dict[str, Any]:
    """What is known of a checkpoint, by the run that it lies in; its events are those of another record."""
    run = weights.parent.parent
    for version in versions_of(run) if weights.parent.name in (CHECKPOINTS, "models") else ():
        if ModelRegistry(run).weights(version.number) == weights or _is_best(version, weights):
            facts = {name: value for name, value in version.facts.items() if name not in _OF_THE_FILE}
            return {**facts, "seen": None, "audits_closed": None, "from": f"{run.resolve().name}@{version.number}"}
    return {"by": "file", "labels": 0, "fingerprint": "", "seen": None, "figures": None, "from": weights.name}


def _is_best(version: Version, weights: Path) -> bool:
    """Is `best.ckpt` this model of people's?"""
    if weights.name != BEST or not version.sha256:
        return False
    return hashlib.sha256(weights.read_bytes()).hexdigest() == version.sha256


def _own(run: Path) -> dict[int, dict[str, Any]]:
    """What the run itself knows of its models, by number."""
    with _record_of(run) as record:
        trained = {} if record is None else {one.version: _of_people(one, record) for one in record.models()}
        if trained or not (run / RESULTS).is_file():
            return trained
        results, best = read_results(run), own(run / CHECKPOINTS / BEST)
        if not best.is_file():
            return {}
        made = datetime.fromtimestamp(best.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
        return {1: {"made": made, **facts_of_results(results, _labels_of(record))}}


def _of_people(model: ModelVersion, record: Record) -> dict[str, Any]:
    """A model that was trained while people labeled."""
    return {
        "made": model.created,
        "by": "annotate",
        "labels": model.labels,
        "fingerprint": model.facts.get("fingerprint", ""),
        "seen": model.labels_seen,
        "audits_closed": model.facts.get("audits_closed"),
        "classes": model.facts.get("classes") or list(record.facts.classes),
        "figures": figures_of(model.facts.get("estimate"), "random controls"),
        "sha256": model.sha256,
    }


def _labels_of(record: Record | None) -> str:
    """The fingerprint of all labels on a record; "" where there are none."""
    labels = record.labels() if record else {}
    digests = record.digests() if record and labels else {}
    return labels_fingerprint((digests[item], label) for item, label in labels.items()) if labels else ""


@contextmanager
def _record_of(run: Path) -> Iterator[Record | None]:
    """The record of a run, where it has one."""
    if not (run / RECORD_FILE).is_file():
        yield None
        return
    with Record.open(run, check=False) as record:
        yield record
