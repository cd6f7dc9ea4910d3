"""Exports of annotation tools as tables: Prodigy, Label Studio, Argilla; doccano's lists of labels need no help.

An annotation that was cancelled, ignored, rejected or discarded is no label. Where several people labeled a text, the
label that most of them gave is taken; a tie is no label.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]

_ANSWERS = ("accept", "reject", "ignore")
_MANY = 100  # records from which a tool is known


@dataclass(frozen=True)
class Flattened:
    """Records with their text and their label as plain cells.

    Args:
        rows: as many as there were records.
        text: the name of the column of the texts; None where there are several to choose from.
        label: likewise of the labels.
        notes: what was made of them.
    """

    rows: Sequence[Record]
    text: str | None
    label: str
    notes: tuple[str, ...]


def flattened(records: Sequence[Record], name: str) -> Flattened | None:
    """The records of a tool's export as rows; None where they are no tool's.

    Args:
        records: at least one.
        name: of the file, for notes.
    """
    some = records[:_MANY]
    if all(map(_is_prodigy, some)) and any(record.get("answer") in _ANSWERS for record in some):
        return _prodigy(records, name)
    if all(isinstance(record.get("data"), dict) and "annotations" in record for record in some):
        return _several(records, name, "Label Studio", "data", _of_label_studio)
    if all(isinstance(record.get("fields"), dict) for record in some):
        return _several(records, name, "Argilla", "fields", _of_argilla)
    if all(any(key.endswith(".responses") for key in record) for record in some):
        return _several(records, name, "Argilla", "", _of_flat_argilla)
    if all("annotation" in record and ("prediction" in record or "status" in record) for record in some):
        return _several(records, name, "Argilla", "", _of_old_argilla)
    return None


def _is_prodigy(record: Record) -> bool:
    signs = {"accept", "label", "options", "_input_hash", "_task_hash", "_view_id"}
    return "text" in record and record.get("answer", "ignore") in _ANSWERS and bool(signs & set(record))


def _prodigy(records: Sequence[Record], name: str) -> Flattened:
    counted = Counter(record.get("answer") for record in records)
    rows = [{**record, "label": _chosen(record)} for record in records]
    for row in rows:
        row.pop("accept", None)
        row.pop("options", None)
    said = ", ".join(f"{counted[answer]:,} {answer}" for answer in _ANSWERS if counted[answer])
    note = f"{name}: a Prodigy export ({said}); what was ignored or rejected has no label"
    return Flattened(rows, "text", "label", (note,))


def _chosen(record: Record) -> object:
    if record.get("answer") != "accept":
        return None
    if "accept" in record:
        return record["accept"]
    if isinstance(record.get("cats"), dict):
        return [label for label, value in record["cats"].items() if value]
    return record.get("label")


def _several(
    records: Sequence[Record],
    name: str,
    tool: str,
    inner: str,
    said: Callable[[Record], tuple[str, list[object]]],
) -> Flattened:
    """The rows of a tool where a record may hold what several people said."""
    found = [said(record) for record in records]
    names = Counter(key for key, _ in found if key)
    label = names.most_common(1)[0][0] if names else "label"
    rows, ties = [], 0
    for record, (_, values) in zip(records, found, strict=True):
        value, tied = _majority(values)
        ties += tied
        around = record[inner] if inner and isinstance(record.get(inner), dict) else record
        rows.append({**around, label: value})
    labeled = sum(row.get(label) not in (None, []) for row in rows)
    tied_words = f"; {ties:,} on which people disagree have no label" if ties else ""
    texts = [key for key in rows[0] if isinstance(rows[0][key], str) and key != label]
    note = f"{name}: an export of {tool}, {labeled:,} of {len(rows):,} texts labeled{tied_words}"
    return Flattened(rows, texts[0] if inner and len(texts) == 1 else None, label, (note,))


def _majority(values: Iterable[object]) -> tuple[object, bool]:
    """What most say, and whether there is a tie.

    >>> _majority(["a", "b", "a"]), _majority(["a", "b"]), _majority([])
    (('a', False), (None, True), (None, False))
    """
    said = [value for value in values if value not in (None, [], "")]
    counted = Counter(map(repr, said)).most_common(2)
    if not counted:
        return None, False
    if len(counted) > 1 and counted[0][1] == counted[1][1]:
        return None, True
    return next(value for value in said if repr(value) == counted[0][0]), False


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _of_label_studio(record: Record) -> tuple[str, list[object]]:
    """The name of the choices, and what each annotation chose."""
    name, values = "", list[object]()
    for annotation in _listed(record.get("annotations")):
        if not isinstance(annotation, dict) or annotation.get("was_cancelled") is True:
            continue
        for result in _listed(annotation.get("result")):
            match result:
                case {"type": "choices", "value": {"choices": choices}}:
                    name = name or str(result.get("from_name") or "")
                    values.append(choices)
                case _:
                    continue
    return name, values


def _of_argilla(record: Record) -> tuple[str, list[object]]:
    """The name of the question, and what each submitted response says."""
    responses = record.get("responses")
    if isinstance(responses, dict):
        for name, given in responses.items():
            if isinstance(given, list):
                return name, [_response(one) for one in given]
    return "", []


def _response(one: object) -> object:
    match one:
        case {"status": "discarded" | "draft" | "pending"}:
            return None
        case {"value": value}:
            return value
        case _:
            return None


def _of_flat_argilla(record: Record) -> tuple[str, list[object]]:
    """The same of a record as `to_datasets` flattens it: `label.responses` beside `label.responses.status`."""
    key = next((key for key in record if key.endswith(".responses")), "")
    values, states = _listed(record.get(key)), _listed(record.get(f"{key}.status"))
    states = [*states, *["submitted"] * (len(values) - len(states))]
    given = [value for value, state in zip(values, states, strict=False) if state == "submitted"]
    return key.removesuffix(".responses"), given


def _of_old_argilla(record: Record) -> tuple[str, list[object]]:
    """The same of a record of Argilla 1: what stands under `annotation` is the label, unless it was discarded."""
    return "label", [] if record.get("status") == "Discarded" else [record.get("annotation")]
