"""Every event of a record, one JSON object a line, out and in.

A line holds `schema_version`, the `sha256` of the text and all fields of `lit_al.record.Event` but its checksum, which
is one of its own record's. Read back, an event
keeps its uuid, so that one that is on record already is found and not added; its place in the order and the time of its
commit are the new record's. Its text is the one of its sha256, whatever number that has there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from lit_al.exceptions import DataError
from lit_al.exchange.answers import check_version
from lit_al.exchange.checking import id_of, refuse
from lit_al.exchange.shapes import SCHEMA
from lit_al.exchange.writing import jsonl_bytes
from lit_al.record import Action, Event, NewEvent
from lit_al.record.entries import NAMING
from lit_al.record.matching import matched
from lit_al.utils.readers import check_text, json_objects, reading, shown
from lit_al.utils.terminal_text import first_line

_NAMES = tuple(field.name for field in fields(NewEvent))
_TEXTS = ("uuid", "annotator", "label", "note", "undoes", "predicted", "strategy", "client_time", "source")
_NUMBERS = ("item", "generation", "model_version", "round", "lead_ms")
_FLAGS = ("suggestion_shown", "control", "forced")
_REQUIRED = ("uuid", "annotator", "item")
_NEEDED = {"label": NAMING, "note": (Action.NOTE,), "undoes": (Action.UNDO,)}


@dataclass(frozen=True)
class Logged:
    """An event of a file.

    Attributes:
        where: its place, for messages.
        event: itself.
        sha256: of the text that it is about.
    """

    where: str
    event: NewEvent
    sha256: object


def event_lines(events: Iterable[Event], texts: Mapping[int, str]) -> bytes:
    """A line for each event.

    Args:
        events: in the order of the record.
        texts: sha256 of each text, by id.
    """
    return jsonl_bytes(_line(one, texts[one.item]) for one in events)


def _line(event: Event, sha256: str) -> dict[str, Any]:
    values = {name: value for name, value in asdict(event).items() if name != "checksum"}
    return {"schema_version": SCHEMA, "sha256": sha256, **values}


def read_events(path: Path) -> list[Logged]:
    """The events of a file.

    Raises:
        DataError: no such file, or lines that are no events: up to ten, with their places.
    """
    problems: list[str] = []
    with reading(path):
        found = list(_read(path, problems))
    refuse(problems, path)
    return found


def _read(path: Path, problems: list[str]) -> Iterator[Logged]:
    for line, record in json_objects(path):
        try:
            yield _logged(record, f"{path}, line {line}")
        except DataError as error:
            problems.append(str(error))


def _logged(record: Mapping[str, Any], where: str) -> Logged:
    check_version(record, where)
    values = {key: value for key, value in record.items() if key in _NAMES and value is not None}
    for name in _NAMES:
        _check_field(name, values.get(name), where)
    values["action"] = _action(values, where)
    return Logged(where, NewEvent(**values), record.get("sha256"))


def _check_field(name: str, value: object, where: str) -> None:
    if name in _REQUIRED and (value is None or value == ""):
        raise DataError(f"{where}: the {name} is missing")
    if value is None:
        return
    if name in _TEXTS:
        check_text(value, where, name)
    if name in _NUMBERS and id_of(value) != value:
        raise DataError(f"{where}: the {name} is {first_line(repr(value), 60)}, not a whole number")
    if name in _FLAGS and not isinstance(value, bool):
        raise DataError(f"{where}: {name} is {first_line(repr(value), 60)}, not true or false")
    if name == "probability" and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise DataError(f"{where}: the probability is {first_line(repr(value), 60)}, not a number")


def _action(values: Mapping[str, Any], where: str) -> Action:
    """The action, if its one field is there and those of others are not."""
    try:
        action = Action(values.get("action"))  # type: ignore[arg-type]
    except ValueError:
        raise DataError(f"{where}: the action is {first_line(repr(values.get('action')), 60)}, which is none") from None
    for name, actions in _NEEDED.items():
        if (values.get(name) is not None) != (action in actions):
            raise DataError(f"{where}: an event of action {action} {'lacks' if action in actions else 'has'} {name!r}")
    return action


def of_this_run(logged: Sequence[Logged], texts: Mapping[int, str]) -> list[Logged]:
    """The same events, each about the text of this run that says what its own said; others as they are.

    Args:
        logged: as read.
        texts: sha256 of the record's texts, by id.
    """
    found = matched([(one.event.item, one.sha256) for one in logged if isinstance(one.sha256, str)], texts)
    return [
        replace(one, event=replace(one.event, item=found.get((one.event.item, str(one.sha256)), one.event.item)))
        for one in logged
    ]


def check_events(
    logged: Sequence[Logged], texts: Mapping[int, str], classes: Sequence[str], known: Mapping[str, Event], path: object
) -> None:
    """Hold events against the record that is to take them.

    Args:
        logged: as read.
        texts: sha256 of the record's texts, by id.
        classes: of the record.
        known: events on record with uuids that these have, or take back.
        path: of the file, for messages.

    Raises:
        DataError: those that it cannot take: up to ten, with their places.
    """
    problems: list[str] = []
    before = set(known)
    for one in logged:
        if problem := _problem(one, texts, classes, known, before):
            problems.append(f"{one.where}: {problem}")
        before.add(one.event.uuid)
    refuse(problems, path)


def _problem(
    one: Logged, texts: Mapping[int, str], classes: Sequence[str], known: Mapping[str, Event], before: set[str]
) -> str:
    """Why a record cannot take an event; "" if it can."""
    event = one.event
    if event.item not in texts:
        return f"text {event.item} is none of this run"
    if one.sha256 != texts[event.item]:
        return f"text {event.item} is another one in this run (sha256)"
    if event.label is not None and event.label not in classes:
        return f"the label is {event.label!r}; the labels are {shown(classes)}"
    if event.undoes is not None and event.undoes not in before:
        return f"it takes back {event.undoes}, which is neither here nor on record"
    if event.uuid in known and _content(known[event.uuid]) != _content(event):
        return f"the event {event.uuid} is on record with other content"
    return ""


def _content(event: NewEvent) -> tuple[object, ...]:
    """What makes two events of one uuid the same."""
    return event.item, event.annotator, event.action, event.label, event.note, event.undoes
