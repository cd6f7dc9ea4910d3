"""What a record holds, as small frozen records."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


def sha256_of(text: str) -> str:
    """Of the exact text in UTF-8: 64 hex digits; not of a normalized form, in which two texts may be one.

    >>> sha256_of("a gem")[:8]
    'fa49b5fd'
    """
    return hashlib.sha256(text.encode()).hexdigest()


class Action(StrEnum):
    """What an event does."""

    LABEL = "label"
    SETTLE = "settle"  # a label that counts above what annotators say
    SKIP = "skip"
    UNDO = "undo"
    FLAG = "flag"
    UNFLAG = "unflag"
    NOTE = "note"
    CLASSES = "classes"  # a change of the classes (`record.class_history`); it is about no text


NAMING = (Action.LABEL, Action.SETTLE)  # those that name a class
NO_TEXT = -1  # item of an event that is about none; NULL in the file


@dataclass(frozen=True)
class Item:
    """A text that may be asked for.

    Attributes:
        id: its row in the whole corpus.
        sha256: of the text (`sha256_of`).
        text: None where the run can load it again, as simulated runs can.
        meta: the other columns of its row in the user's file, by name, as JSON holds them.
    """

    id: int
    sha256: str
    text: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewEvent:
    """Something that an annotator did.

    Attributes:
        uuid: made by whoever sends it; sent again, it is the same event.
        item: the text; `NO_TEXT` for a change of the classes.
        annotator: who.
        action: what.
        label: the class by name, for a label or a settlement; else None.
        note: free words, for a note; the change as JSON, of classes; else None.
        undoes: uuid of the label, skip or settlement that is taken back, for an undo; else None.
        generation: of the ranking that put the text before the annotator.
        model_version: of the model behind it.
        predicted: the class that this model gave the text.
        probability: that it gave this class.
        suggestion_shown: the annotator saw that before answering.
        strategy: spelling of what chose the text.
        round: its number, in runs that have rounds.
        control: drawn at random from the whole pool.
        lead_ms: milliseconds between seeing and answering.
        client_time: by the annotator's clock; nothing depends on it.
        forced: taken although the text was not the one asked for.
        source: page, terminal, file, import or simulated.
    """

    uuid: str
    item: int
    annotator: str
    action: Action
    label: str | None = None
    note: str | None = None
    undoes: str | None = None
    generation: int | None = None
    model_version: int | None = None
    predicted: str | None = None
    probability: float | None = None
    suggestion_shown: bool = False
    strategy: str = ""
    round: int | None = None
    control: bool = False
    lead_ms: int | None = None
    client_time: str | None = None
    forced: bool = False
    source: str = "page"


@dataclass(frozen=True)
class Event(NewEvent):
    """An event on record.

    Attributes:
        seq: its place in the order of all events; no clock has a say in it.
        server_time: of the commit, UTC, ISO 8601.
        late: the annotator's lease of the text had run out.
        schema_hash: of the class names in force.
        checksum: of all this and of the event before it (`record.checksums`).
    """

    seq: int = 0
    server_time: str = ""
    late: bool = False
    schema_hash: str = ""
    checksum: str = ""


@dataclass(frozen=True)
class Answer:
    """What an annotator says of a text now.

    Attributes:
        item: the text.
        annotator: who.
        label: the class by name; None for a skip.
        seq: of the event.
        uuid: of the event.
        control: the text was drawn at random.
        predicted: what the model took it for before.
        round: in runs that have rounds.
    """

    item: int
    annotator: str
    label: str | None
    seq: int
    uuid: str
    control: bool
    predicted: str | None
    round: int | None


@dataclass(frozen=True)
class Ranked:
    """A place in a ranking.

    Attributes:
        item: the text.
        score: how much it is wanted.
        reason: why, a sentence.
        probabilities: of each class under the model; empty where there is none.
        control: drawn at random from the whole pool.
    """

    item: int
    score: float
    reason: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    control: bool = False

    @property
    def predicted(self) -> str | None:
        """The most probable class; None without a model."""
        return max(self.probabilities, key=self.probabilities.__getitem__) if self.probabilities else None


@dataclass(frozen=True)
class NewGeneration:
    """A ranking of texts to ask for.

    Attributes:
        model_version: of the model that it rests on; None for a cold start.
        strategy: spelling of what chose.
        labels_seen: sequence number of the last event that it knew.
    """

    model_version: int | None
    strategy: str
    labels_seen: int = 0


@dataclass(frozen=True)
class Generation(NewGeneration):
    """A ranking on record.

    Attributes:
        id: the higher, the newer.
        created: UTC, ISO 8601.
        n: its texts.
    """

    id: int = 0
    created: str = ""
    n: int = 0


@dataclass(frozen=True)
class Queued:
    """A text handed to an annotator, with what put it there.

    Attributes:
        item: the text.
        generation: of the ranking; None for one out of turn, when there is no ranking or it is used up.
        rank: in it, from 0.
        control: drawn at random.
        model_version: behind the ranking.
        predicted: the class that the model gave it.
        probability: that it gave this class.
        strategy: spelling of what chose.
        reason: why.
    """

    item: Item
    generation: int | None = None
    rank: int | None = None
    control: bool = False
    model_version: int | None = None
    predicted: str | None = None
    probability: float | None = None
    strategy: str = "random"
    reason: str = ""


@dataclass(frozen=True)
class ModelVersion:
    """A trained model.

    Attributes:
        version: from 1.
        path: of its checkpoint, relative to the run's folder.
        sha256: of the file.
        labels_seen: sequence number of the last event that it knew.
        labels: it learned from.
        facts: whatever else is known of it, as JSON.
        created: UTC, ISO 8601; filled in by the record.
    """

    version: int
    path: str
    sha256: str
    labels_seen: int
    labels: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""


@dataclass(frozen=True)
class RoundFacts:
    """A round of a run that has rounds.

    Attributes:
        number: from 0.
        strategy: spelling of what chose.
        rows: texts asked for, in the order chosen.
        facts: whatever else is known of it, as JSON.
        ended: it was learned from, and its state was written.
    """

    number: int
    strategy: str
    rows: tuple[int, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    ended: bool = False


_WORDS, _WORDS_OR_NONE, _WHOLE, _WHOLE_OR_NONE, _FLAG = range(5)
_FIELDS = {
    "uuid": _WORDS, "item": _WHOLE, "annotator": _WORDS, "action": _WORDS, "label": _WORDS_OR_NONE,
    "note": _WORDS_OR_NONE, "undoes": _WORDS_OR_NONE, "generation": _WHOLE_OR_NONE, "model_version": _WHOLE_OR_NONE,
    "predicted": _WORDS_OR_NONE, "suggestion_shown": _FLAG, "strategy": _WORDS, "round": _WHOLE_OR_NONE,
    "control": _FLAG, "lead_ms": _WHOLE_OR_NONE, "client_time": _WORDS_OR_NONE, "forced": _FLAG, "source": _WORDS,
    "seq": _WHOLE, "server_time": _WORDS, "late": _FLAG, "schema_hash": _WORDS,
}  # fmt: skip


def misfit(values: Mapping[str, Any]) -> str:
    """The first field of an event that holds what it cannot, in words; "" where all fit.

    >>> misfit({"item": True}), misfit({"note": chr(0xD800)}), misfit({"lead_ms": None})
    ('item is no whole number', 'note holds a NUL character or half a surrogate pair', '')
    """
    for name, value in values.items():
        kind = _FIELDS.get(name)
        if kind in (_WORDS, _WORDS_OR_NONE) and (why := _no_words(value, kind == _WORDS_OR_NONE)):
            return f"{name} {why}"
        if kind in (_WHOLE, _WHOLE_OR_NONE) and not _is_whole(value) and (value is not None or kind == _WHOLE):
            return f"{name} is no whole number"
        if kind == _FLAG and not isinstance(value, bool):
            return f"{name} is neither true nor false"
        if name == "probability" and value is not None and not (type(value) in (int, float) and abs(value) < math.inf):
            return f"{name} is no number"
    if (action := values.get("action")) is not None and action not in tuple(Action):
        return f"action is none of {', '.join(Action)}"
    return ""


def _no_words(value: object, or_none: bool) -> str:
    if value is None and or_none:
        return ""
    if not isinstance(value, str):
        return "is no text"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds a NUL character or half a surrogate pair"
    return "holds a NUL character or half a surrogate pair" if "\0" in value else ""


def _is_whole(value: object) -> bool:
    """A number that SQLite can hold."""
    return type(value) is int and -(2**63) <= value < 2**63
