"""From a file to a record: answers checked, then added in one transaction, each once however often they come.

The uuid of an answer is made of the run, the text, the annotator, what is said, and the time of saying it or, where a
file holds no times, its content. So a file that is imported again adds nothing, also when an answer was taken back
since.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args
from uuid import UUID, uuid5

from lit_al.exceptions import ConfigError, DataError, RefusedError
from lit_al.exchange.answers import read_answers_csv, read_answers_jsonl
from lit_al.exchange.argilla import read_argilla
from lit_al.exchange.carried import Carried
from lit_al.exchange.checking import Asked, check_answers
from lit_al.exchange.effects import Effects
from lit_al.exchange.eventlog import Logged, check_events, of_this_run, read_events
from lit_al.exchange.labelstudio import read_labelstudio
from lit_al.exchange.prodigy import read_prodigy
from lit_al.exchange.shapes import Given, Reply, Report
from lit_al.record import Action, Event, NewEvent, Record, TextVerdict
from lit_al.record.class_history import ClassHistory
from lit_al.record.own_columns import OwnColumns
from lit_al.utils.readers import json_objects, reading

Incoming = Literal["csv", "jsonl", "labelstudio", "argilla", "prodigy", "events"]
FORMATS = get_args(Incoming)
_WITH_IDS = ("csv", "jsonl")
NOBODY = "file"  # the annotator of answers that come without one
NO_EFFECTS = Effects()
_OURS = UUID("3f0d9c52-8a55-5c0e-9d3e-0c6f8a2f4c11")  # namespace of the uuids made here


def import_answers(
    record: Record,
    path: Path,
    format: str | None = None,
    *,
    annotator: str | None = None,
    settles: bool = False,
    dry_run: bool = False,
    id_column: str | None = None,
    source: str = "import",
) -> Report:
    """Take the answers of a file, all of them or none.

    Answers that nobody is named for must neither take labels away nor be outvoted: where they would, none is taken.

    Args:
        record: of the run.
        path: of the file.
        format: one of `FORMATS`; by default what the suffix, and of JSONL the first line, says.
        annotator: who answered where the file does not say.
        settles: its labels count above what annotators said and will say; those that nobody disputes are passed over,
            as are skips.
        dry_run: check and count, but add nothing.
        id_column: of the file, with ids that the run has too: a row is about the text of its id, whatever else it
            says; by default rows are about the text that they hold, and ids of the run's tell copies apart.
        source: noted with each event.

    Raises:
        ConfigError: a format that is none, or that the file does not show, or a column of ids that is not there.
        DataError: a file that cannot be read, or rows that cannot be taken, with their places.
        RefusedError: answers of nobody in particular differ from labels on record, and would not be heard.
        StoreError: the events cannot be written; none was.
    """
    kind = format or format_of(path)
    if kind not in FORMATS:
        raise ConfigError(f"--format {kind!r} is none of {', '.join(FORMATS)}")
    if kind == "events":
        if settles:
            raise ConfigError("--settles is for labels; events say themselves what they are")
        return _import_events(record, path, dry_run=dry_run)
    if annotator is not None and (not annotator or annotator != annotator.strip()):
        raise ConfigError(f"--annotator {annotator!r} is no name; give one without blanks around it")
    if id_column is not None and kind not in _WITH_IDS:
        raise ConfigError(f"--id-column is for {' and '.join(_WITH_IDS)}; leave it out with --format {kind}")
    key, keys = _own_ids(record, id_column) if kind in _WITH_IDS else (None, {})
    rows = _in_present_words(_read(record, path, kind, key), record.class_history)
    if id_column is not None and rows and all(row.key is None for row in rows):
        raise DataError(f"{path} has no column {id_column!r}; name the one of your ids with --id-column, as in the run")
    asked = Asked(record.digests(), record.classes, annotator or NOBODY, keys, id_column)
    checked = check_answers(rows, asked, path)
    maker = _Maker(record.run_id, _digest(path), source, settles)
    new = _new_events(record, checked.replies, maker)
    known = sum(reply.answered + bool(reply.note) for reply in checked.replies) - len(new)
    effects = Effects.of(new, record.verdicts(), record.resolve)
    if annotator is None:
        _check_heard(path, effects, [event for event in new if event.annotator == NOBODY])
    if new and not dry_run:
        record.append_all(new)
    return _report(record, path, new, checked.unanswered, checked.repeated, known, dry_run, effects)


def _check_heard(path: Path, effects: Effects, by_nobody: Sequence[NewEvent]) -> None:
    """Refuse labels that nobody is named for and that would count for nothing, or make a text tie.

    Raises:
        RefusedError: there are some.
    """
    unheard = {*effects.unheard} & {event.item for event in by_nobody}
    if not unheard:
        return
    [whose] = effects.against if len(effects.against) == 1 else ("",)
    one = len(unheard) == 1
    differ, those = ("1 of its labels differs", "it") if one else (f"{len(unheard):,} of its labels differ", "they")
    ways = f"--annotator {whose} to correct the answers of {whose}, --annotator NAME" if whose else "--annotator NAME"
    raise RefusedError(
        f"{path} does not say who answered, and {differ} from {f'those of {whose}' if whose else 'what is on record'}: "
        f"as somebody else's {those} would make texts tie, or count for nothing. Nothing was taken: give lit-al import "
        f"{ways} for another opinion, or --settles for labels that count above all answers"
    )


def format_of(path: Path) -> str:
    """What a file is, by its suffix and, if that is .jsonl, by the keys of its first line.

    Raises:
        ConfigError: the suffix says nothing.
        DataError: it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        with reading(path):
            return _format_of_keys(next(json_objects(path), (0, {}))[1])
    if suffix not in (".csv", ".json"):
        raise ConfigError(
            f"the suffix of {path} says no format; name one with lit-al import --format: {', '.join(FORMATS)}"
        )
    return "csv" if suffix == ".csv" else "labelstudio"


def _format_of_keys(first: Mapping[str, object]) -> str:
    if "lit_al_sha256" in first:  # ours, whatever the user's own columns are called
        return "jsonl"
    keys = {"uuid": "events", "fields": "argilla", "meta": "prodigy"}
    return next((kind for key, kind in keys.items() if key in first), "jsonl")


def _own_ids(record: Record, named: str | None) -> tuple[str | None, dict[str, int]]:
    """The column of the user's own ids in a file, and the texts by their ids; None where there are none.

    Raises:
        ConfigError: the run does not have the column that was named.
    """
    own = OwnColumns.of(record)
    if named is None and own.id is None:
        return None, {}
    if named is None:
        return Carried(record, labels=True).key, own.ids(record)
    if own.id != named:
        own = replace(own, id=named)
        try:
            own.check(record)
        except DataError as error:
            raise ConfigError(str(error)) from None
    return named, own.ids(record)


def _read(record: Record, path: Path, kind: str, key: str | None) -> list[Given]:
    if kind == "prodigy":
        return read_prodigy(path, record.classes)
    if kind in _WITH_IDS:
        return read_answers_csv(path, key) if kind == "csv" else read_answers_jsonl(path, key)
    return read_labelstudio(path) if kind == "labelstudio" else read_argilla(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class _Maker:
    """Makes events of replies.

    Attributes:
        run_id: of the record.
        digest: of the file.
        source: noted with each event.
        settles: labels count above all answers.
    """

    run_id: str
    digest: str
    source: str
    settles: bool = False

    def answer(self, reply: Reply) -> NewEvent:
        """The label or skip of a reply."""
        action = Action.SKIP if reply.skipped else Action.SETTLE if self.settles else Action.LABEL
        return NewEvent(
            self._uuid(reply, action, reply.label),
            reply.item,
            reply.annotator,
            action,
            label=reply.label,
            predicted=reply.suggestion,
            probability=None if reply.suggestion is None else reply.probability,
            suggestion_shown=reply.suggestion is not None,
            round=reply.round,
            lead_ms=reply.lead_ms,
            client_time=reply.time,
            source=self.source,
        )

    def note(self, reply: Reply) -> NewEvent:
        """The note of a reply."""
        return NewEvent(
            self._uuid(reply, "note", reply.note),
            reply.item,
            reply.annotator,
            Action.NOTE,
            note=reply.note,
            client_time=reply.time,
            source=self.source,
        )

    def _uuid(self, reply: Reply, action: str, content: str | None) -> str:
        when = reply.time or self.digest
        # False: as of answers before there was no more --force, so that a file of then adds nothing now
        key = [self.run_id, reply.item, reply.annotator, action, content, False, when]
        return str(uuid5(_OURS, json.dumps(key)))


def _new_events(record: Record, replies: Sequence[Reply], maker: _Maker) -> list[NewEvent]:
    """What replies say that the record does not say already."""
    return [event for event in _events(record, replies, maker) if record.event(event.uuid) is None]


def _events(record: Record, replies: Sequence[Reply], maker: _Maker) -> Iterator[NewEvent]:
    answers = {(answer.item, answer.annotator): answer.label for answer in record.answers()}
    verdicts, notes = record.verdicts() if maker.settles else {}, record.notes()
    for reply in replies:
        key = reply.item, reply.annotator
        if maker.settles:
            if reply.label is not None and not _undisputed(verdicts.get(reply.item), reply.label):
                yield maker.answer(reply)
        elif reply.answered and not (key in answers and answers[key] == reply.label):
            yield maker.answer(reply)
        if reply.note and notes.get(key) != reply.note:
            yield maker.note(reply)


def _undisputed(one: TextVerdict | None, label: str) -> bool:
    """Is a text this label already, and nobody says otherwise, or it was settled so?"""
    return one is not None and one.label == label and not one.open


def _import_events(record: Record, path: Path, *, dry_run: bool) -> Report:
    texts = record.digests()
    logged = [_as_now(one, record.class_history) for one in of_this_run(read_events(path), texts)]
    known = _known(record, [one.event for one in logged])
    check_events(logged, texts, record.classes, known, path)
    by_uuid = {one.event.uuid: one.event for one in logged}
    new = [event for uuid, event in by_uuid.items() if uuid not in known]
    if new and not dry_run:
        record.append_all(new)
    return _report(record, path, new, 0, len(logged) - len(by_uuid), len(by_uuid) - len(new), dry_run)


def _in_present_words(rows: Sequence[Given], history: ClassHistory) -> Sequence[Given]:
    """The rows of a file that was written before classes were renamed or merged, with what they are called now."""
    if not history.seqs:
        return rows
    return [
        replace(row, label=history.present(row.label) or row.label) if isinstance(row.label, str) else row
        for row in rows
    ]


def _as_now(one: Logged, history: ClassHistory) -> Logged:
    event = one.event
    return replace(one, event=replace(event, label=history.present(event.label) or event.label))


def _known(record: Record, events: Iterable[NewEvent]) -> dict[str, Event]:
    """Events on record among these and those that they take back."""
    uuids = {uuid for event in events for uuid in (event.uuid, event.undoes) if uuid}
    found = (record.event(uuid) for uuid in uuids)
    return {event.uuid: event for event in found if event is not None}


def _report(
    record: Record,
    path: Path,
    new: Sequence[NewEvent],
    unanswered: int,
    repeated: int,
    known: int,
    dry_run: bool,
    effects: Effects = NO_EFFECTS,
) -> Report:
    actions = Counter(event.action for event in new)
    labels = Counter(event.label for event in new)
    counted = (Action.LABEL, Action.SETTLE, Action.SKIP, Action.NOTE)
    return Report(
        str(path),
        actions[Action.LABEL],
        actions[Action.SETTLE],
        actions[Action.SKIP],
        actions[Action.NOTE],
        sum(count for action, count in actions.items() if action not in counted),
        unanswered,
        repeated,
        known,
        {name: labels[name] for name in record.classes},
        effects.changed,
        len(effects.ties),
        dry_run,
    )
