"""An event as a client sends it: every field is checked, and what a client must not decide is not read at all."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lit_al.exceptions import RefusedError
from lit_al.record import Action, NewEvent
from lit_al.record.entries import NAMING

LONGEST_NOTE = 10_000  # characters
_UUID = re.compile(r"[0-9A-Za-z-]{8,64}")
_SENT = tuple(action for action in Action if action is not Action.CLASSES)
_ANSWERS = tuple(action for action in _SENT if action is not Action.SETTLE)  # who answers does not judge, too
_DAY_MS = 24 * 3_600 * 1_000


def read_event(sent: object, annotator: str, source: str = "page", *, settles: bool = False) -> NewEvent:
    """The event, by this annotator, whoever it says it is by; they may settle a text only where that is said here.

    Raises:
        RefusedError: a field that is missing or of another kind.
    """
    if not isinstance(sent, Mapping):
        raise RefusedError("an event is a JSON object")
    action = _action(sent.get("action"), _SENT if settles else _ANSWERS)
    return NewEvent(
        uuid=_uuid(sent, "uuid"),
        item=_integer(sent, "item"),
        annotator=annotator,
        action=action,
        label=_words(sent, "label", LONGEST_NOTE) if action in NAMING else None,
        note=_words(sent, "note", LONGEST_NOTE) if action is Action.NOTE else None,
        undoes=_uuid(sent, "undoes") if action is Action.UNDO else None,
        generation=None if sent.get("generation") is None else _integer(sent, "generation"),
        lead_ms=_lead(sent.get("lead_ms")),
        client_time=_client_time(sent.get("client_time")),
        source=source,
    )


def _action(value: Any, known: Sequence[Action]) -> Action:
    if not isinstance(value, str) or value not in known:
        raise RefusedError(f"an event's action is one of {', '.join(known)}")
    return Action(value)


def _uuid(sent: Mapping[str, Any], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise RefusedError(f"an event's {name} is 8 to 64 letters, digits and dashes")
    return value


def _integer(sent: Mapping[str, Any], name: str) -> int:
    value = sent.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise RefusedError(f"an event's {name} is a whole number")
    return value


def _words(sent: Mapping[str, Any], name: str, most: int) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise RefusedError(f"an event's {name} is a string of at most {most:,} characters")
    return value


def _lead(value: Any) -> int | None:
    """Milliseconds before the answer, if they can be true."""
    return int(value) if isinstance(value, (int, float)) and 0 <= value <= _DAY_MS else None


def _client_time(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= 40 else None
