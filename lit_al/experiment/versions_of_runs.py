"""What a version of a model is known by: its labels and its figures, and how a fit becomes one of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lit_al.exceptions import LitALError
from lit_al.models.model_registry import ModelRegistry
from lit_al.record import RECORD_FILE, Record

_LONG: Final = ("rounds", "epochs", "shadow", "config")  # of results: what no version is asked for


def facts_of_results(
    results: Mapping[str, Any], fingerprint: str, seen: int | None = None, audits_closed: int | None = None
) -> dict[str, Any]:
    """What `results.json` of a fit or a training says of its model, as a registry keeps it.

    Args:
        results: the contents of the file.
        fingerprint: of the labels that it has learned; "" where that is not known.
        seen: number of the newest event of the run's record that it may have learned; None where it is of no record.
        audits_closed: audits whose labels it may have learned; likewise.
    """
    fit = results["mode"] == "fit"
    judged = results.get("cross_validation" if fit else "test")
    labels = sum(results["labels"].values()) if fit else (results.get("labels_spent") or {}).get("total", 0)
    return {
        "by": results["mode"] if fit else "train",
        "labels": labels,
        "fingerprint": fingerprint,
        "seen": seen,
        "audits_closed": audits_closed,
        "classes": results["data"]["classes"],
        "figures": figures_of(judged, "cross-validation" if fit else "test set"),
        "results": {name: value for name, value in results.items() if name not in _LONG},
    }


def figures_of(found: Mapping[str, Any] | None, by: str) -> dict[str, Any] | None:
    """Accuracy, its 95 % interval and what they rest on; None where nothing has judged."""
    if not found:
        return None
    rows = found["rows"] if "rows" in found else sum(map(sum, found["confusion"]))
    return {**{name: found[name] for name in ("accuracy", "low", "high")}, "rows": rows, "by": by}


def register_fit(run: Path, checkpoint: Path, facts: Mapping[str, Any]) -> str:
    """Make a fit a version of the run that its labels are of; what came of it, in words, "" where it is of no run.

    The fit is whole in a folder of its own, so that nothing is lost where the run cannot be written.
    """
    if not (run / RECORD_FILE).is_file():
        return ""
    try:
        registry, content = ModelRegistry(run), checkpoint.read_bytes()
        with registry.alone(), Record.open(run, check=False) as record:
            newest = record.newest_model()
            number = registry.next_number(newest.version if newest else 0)
            registry.keep(number, content, facts)
    except (LitALError, OSError) as error:
        return f"it is no version of {run}: {error}"
    return f"it is version {number} of {run}; put it into production with: lit-al models {run} promote {number}"
