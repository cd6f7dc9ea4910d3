"""What changes in a labeling project while people label: its classes, its texts, and who may label.

`lit-al project` and the owner's dialog on the page do the same by these functions. Each is a transaction of its own
beside whatever serves or trains; those see it at their next look at the record.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from lit_al.annotate.rows import Rows
from lit_al.data import Corpus
from lit_al.data.beside import Beside
from lit_al.exceptions import ConfigError, DataError, RefusedError, StoreError
from lit_al.record import Action, NewEvent, Record
from lit_al.record.class_history import ClassChange
from lit_al.record.own_columns import OwnColumns
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.terminal_text import counted

TRIES = 5  # to find free numbers for new texts, beside somebody who adds some, too


def owner_of(record: Record) -> str:
    """Who a change is by that is made from the command line: the first annotator."""
    return next(iter(record.annotators()), "owner")


# --- Classes ----------------------------------------------------------------------------------------------------------


def change_classes(record: Record, change: ClassChange, who: str, source: str = "project") -> str:
    """Add, rename or merge classes, of all answers that there are, too; what was done, in words.

    Raises:
        RefusedError: it cannot be done; nothing was.
    """
    record.change_classes(change, who, source)
    labels = sum(answer.label == change.into for answer in record.answers()) if change.into else 0
    told = f" ({counted(labels, 'label')} so far)" if change.into else ""
    return f"{change}{told}; the classes are {', '.join(record.classes)}"


# --- Texts ------------------------------------------------------------------------------------------------------------


def add_texts(record: Record, corpus: Corpus) -> str:
    """Add the texts of a file that the run lacks, with their columns; what was done, in words.

    A row is a text of the run by its id, where the run has ids, or else by what it says. Texts that are there stay as
    they are, and so do their numbers and labels.

    Raises:
        DataError: rows without the ids that the run has.
        RefusedError: a known id with another text.
        StoreError: it cannot be written.
    """
    own = OwnColumns.of(record)
    rows = Rows(record, corpus, own, same=False, apart=True)
    if own.id is not None and rows.full and not rows.ids:
        raise DataError(
            f"{corpus.source} has no column {own.id!r} in which each row has an id of its own, as texts of "
            f"{record.path.parent} have; add it"
        )
    if not rows.new:
        return f"{corpus.source} has no text that is not in {record.path.parent}; nothing was added"
    beside = Beside.of(corpus, [*([own.id] if own.id else ()), *own.shown])
    for attempt in range(TRIES):
        try:
            record.add_items(rows.new_texts(beside, first=max(record.digests(), default=-1) + 1))
            break
        except StoreError:
            if attempt == TRIES - 1:
                raise
    known = f", {len(rows.items):,} were there already" if rows.items else ""
    notes = "".join(f"; {note}" for note in beside.notes)
    return f"texts added: {len(rows.new):,}{known}; the run has {record.count_items():,}{notes}"


# --- People -----------------------------------------------------------------------------------------------------------


def remove_annotator(record: Record, name: str, *, with_labels: bool = False) -> str:
    """Let somebody in no more, also while the page is served; what was done, in words.

    Raises:
        ConfigError: nobody of this name.
        StoreError: it cannot be written.
    """
    known = sorted({*record.annotators(), *(event.annotator for event in record.events_of_texts())})
    if name not in known:
        raise ConfigError(
            f"{record.path.parent} has no annotator {name!r}; {did_you_mean(name, known)}there are {', '.join(known)}"
        )
    record.remove_annotator(name)
    given = sum(answer.label is not None for answer in record.answers(name))
    if not with_labels:
        return f"{name} is let in no more; their labels stay: {given:,} (--with-labels takes them back)"
    while standing := record.answers(name):  # below an answer may lie an earlier one
        record.append_all(
            [
                NewEvent(
                    str(uuid5(UUID(record.run_id), f"removed:{answer.uuid}")),
                    answer.item,
                    name,
                    Action.UNDO,
                    undoes=answer.uuid,
                    source="project",
                )
                for answer in standing
            ]
        )
    return f"{name} is let in no more; labels taken back: {given:,}"


# --- From the page ----------------------------------------------------------------------------------------------------


def asked_by_owner(record: Record, owner: str, asked: object) -> str:
    """Do what the owner's dialog asks for; what was done, in words.

    | `do` | with |
    |---|---|
    | `add-label` | `names` |
    | `rename-label` | `old`, `new` |
    | `merge-labels` | `names`, `into` |
    | `remove-annotator` | `name` |

    Raises:
        RefusedError: it is none of these, or cannot be done; nothing was.
    """
    if not isinstance(asked, Mapping):
        raise RefusedError("a change is a JSON object")
    match asked.get("do"):
        case "add-label":
            return change_classes(record, ClassChange("add", _names(asked)), owner, "page")
        case "rename-label":
            return change_classes(
                record, ClassChange("rename", (_word(asked, "old"),), _word(asked, "new")), owner, "page"
            )
        case "merge-labels":
            return change_classes(record, ClassChange("merge", _names(asked), _word(asked, "into")), owner, "page")
        case "remove-annotator":
            name = _word(asked, "name")
            if name == owner:
                raise RefusedError("the owner of a run cannot be removed")
            try:
                return remove_annotator(record, name)
            except ConfigError as error:
                raise RefusedError(str(error)) from None
    raise RefusedError("do is one of add-label, rename-label, merge-labels, remove-annotator")


def _names(asked: Mapping[str, Any]) -> tuple[str, ...]:
    found = asked.get("names")
    if not isinstance(found, list) or not found or not all(isinstance(name, str) for name in found):
        raise RefusedError("names is a list of names")
    return tuple(found)


def _word(asked: Mapping[str, Any], name: str) -> str:
    found = asked.get(name)
    if not isinstance(found, str) or not found:
        raise RefusedError(f"{name} is a name")
    return found
