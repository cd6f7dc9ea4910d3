"""Progress and the model's state, in the words that the page and the terminal show."""

import time
from typing import Any

from lit_al.record import Record

QUEUE_WORDS = {
    "open": "Fetching the next text …",
    "wait": "All texts that are left are with others right now; more come as soon as one is free.",
    "skipped": "Only texts that you skipped are left; go back to label them.",
    "finished": "All done: there is no text left to label. Thank you.",
}
_AT_WORK = {
    "waiting": "Waiting",
    "preparing": "Preparing",
    "training": "Training",
    "ready": "Ready",
    "failed": "Failed",
}
_SILENT_SECONDS = 60.0  # without a heartbeat, work has stopped


def described(record: Record, *, training: bool) -> dict[str, Any]:
    """What is known of the model: at work or not, its size, its estimate, advice when to stop."""
    model, work = record.newest_model(), record.state("trainer") if training else None
    return {
        "training": training,
        "state": None if work is None else work.get("state"),
        "detail": "" if work is None else str(work.get("detail", "")),
        "silent": work is not None and _silent(work),
        "version": None if model is None else model.version,
        "labels": None if model is None else model.labels,
        "estimate": None if model is None else figures_of(model.facts.get("estimate")),
        "estimate_needs": None if model is None else model.facts.get("estimate_needs"),
        "advice": None if model is None else _object(model.facts.get("advice")),
    }


def _object(found: object) -> dict[str, Any] | None:
    """A JSON object, or nothing: a record may hold what nobody of ours has written."""
    return found if isinstance(found, dict) else None


def figures_of(found: object) -> dict[str, Any] | None:
    """An estimate that can be said."""
    estimate = _object(found) or {}
    numbers = [estimate.get(name) for name in ("accuracy", "low", "high", "rows")]
    return estimate if all(type(number) in (int, float) for number in numbers) else None


def _silent(work: dict[str, Any]) -> bool:
    """Has the trainer stopped saying that it is there, while it should be at work?"""
    busy = work.get("state") in ("preparing", "training")
    beat = work.get("heartbeat")
    last = beat if isinstance(beat, int | float) and not isinstance(beat, bool) else 0.0
    return busy and time.time() - last > _SILENT_SECONDS


def progress_words(status: dict[str, Any]) -> dict[str, str]:
    """A status as sentences, by the place on the page where each stands."""
    model = status["model"]
    agreement = status["agreement"]
    return {
        "done": _done(status),
        "model": _model(model),
        "estimate": estimate_words(model),
        "advice": _sentence(str((model["advice"] or {}).get("text", ""))),
        "agreement": "" if agreement is None else agreement["sentence"],
        "copies": _sentence(status["copies"]),
    }


def _sentence(words: str) -> str:
    """With a capital and an end.

    >>> _sentence("keep labeling: 3 to go")
    'Keep labeling: 3 to go.'
    """
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") or not words else ".")


def _done(status: dict[str, Any]) -> str:
    mine = f"{status['labeled']:,} labeled" + (f", {status['skipped']:,} skipped" if status["skipped"] else "")
    if status["annotators"] < 2:
        return f"{mine}, of {status['total']:,} texts."
    by = f" by {status['overlap']} people each" if status["overlap"] > 1 else ""
    return f"You: {mine}. All together: {status['done']:,} of {status['total']:,} texts done{by}."


def _model(model: dict[str, Any]) -> str:
    learned = "" if model["version"] is None else f"Version {model['version']} learned from {model['labels']:,} labels."
    if not model["training"]:
        return f"{learned} Nothing is trained in this session.".strip()
    if model["silent"]:
        return f"{learned} Training does not answer; labeling goes on without it.".strip()
    if model["state"] is None:
        return learned or "No model yet; texts come in random order."
    detail = f": {model['detail'].rstrip('.')}" if model["detail"] else ""
    return f"{learned} {_AT_WORK.get(model['state'], 'At work')}{detail}.".strip()


def estimate_words(model: dict[str, Any]) -> str:
    """How good a model is, as far as that is known; "" without one."""
    estimate = model["estimate"]
    if model["version"] is None:
        return ""
    if not estimate:
        return _not_known(model.get("estimate_needs"))
    low, high = 100 * estimate["low"], 100 * estimate["high"]
    return (
        f"Accuracy about {100 * estimate['accuracy']:.0f}\u00a0% ({low:.0f} to {high:.0f}\u00a0%), by "
        f"{estimate['rows']:,} texts drawn at random."
    )


def _not_known(needs: int | None) -> str:
    """What is missing.

    >>> _not_known(6)
    'Its accuracy is not known yet: 6 more random texts are needed.'
    """
    if needs is None:  # of a model on record from before this was counted
        return "Its accuracy is not known yet: too few texts were drawn at random."
    verb = "text is" if needs == 1 else "texts are"
    return f"Its accuracy is not known yet: {needs} more random {verb} needed."
