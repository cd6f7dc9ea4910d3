"""From a record to a file: the texts to be labeled next, the labels, or everything that happened."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, get_args

from lit_al.exceptions import ConfigError, DataError
from lit_al.exchange import argilla, conflicts, labelstudio, prodigy
from lit_al.exchange.carried import Carried
from lit_al.exchange.eventlog import event_lines
from lit_al.exchange.labeled import labeled_csv, labeled_jsonl, labeled_parquet
from lit_al.exchange.questions import questions_csv, questions_jsonl
from lit_al.exchange.shapes import LabeledText, Question, Said, listed
from lit_al.exchange.writing import write_new
from lit_al.record import Item, Ranked, Record, Resolve, TextVerdict
from lit_al.utils.terminal_text import counted

SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet", ".json": "labelstudio"}
Outgoing = Literal["csv", "jsonl", "parquet", "labelstudio", "argilla", "prodigy", "events"]
FORMATS = get_args(Outgoing)
_OF_ONE_LABEL = ("csv", "jsonl", "parquet", "labelstudio")  # the others hold what each annotator said


def export(
    record: Record,
    path: Path,
    format: str | None = None,
    *,
    resolve: Resolve | None = None,
    unlabeled: int | None = None,
    suggestions: bool = False,
    raw: bool = False,
    overwrite: bool = False,
) -> str:
    """Write a file whole, or not at all.

    Args:
        record: of the run.
        path: of the file.
        format: one of `FORMATS`; by default what the suffix says.
        resolve: where annotators disagree, as of `Record.labels`; by default as the run does.
        unlabeled: write so many texts that nobody has answered, the most wanted first, instead of labels.
        suggestions: with them, what the model thinks of them.
        raw: in CSV, leave cells that spreadsheets take for formulas as they are.
        overwrite: replace a file that stands there.

    Returns:
        What was written, in words, and how many texts are in conflict and what was done about them.

    Raises:
        ConfigError: options that do not go together.
        DataError: a text that the record does not hold.
        RunError: the file is there already, or cannot be written.
    """
    kind = format or format_of(path)
    _check_options(kind, resolve, unlabeled, suggestions, raw)
    own, more = Carried(record, labels=unlabeled is None), ""
    if unlabeled is not None:
        questions = _next_questions(record, unlabeled, own, suggestions=suggestions)
        content, words = (
            _questions(record, kind, questions, own, suggestions, raw),
            f"{counted(len(questions), 'text')} to label",
        )
    elif kind in _OF_ONE_LABEL:
        resolve = resolve or record.resolve
        verdicts = record.verdicts(resolve)
        labeled = _labeled_texts(record, verdicts, resolve, own)
        content, words = _labeled(record, kind, labeled, own, raw), _in_words(labeled)
        more = conflicts.in_words(verdicts, resolve, record.path.parent)
    else:
        content, words = _everything(record, kind, own)
        more = _of_everything(record, kind)
    write_new(path, content, overwrite=overwrite)
    if kind == "labelstudio":
        config = path.with_suffix(".xml")
        write_new(config, labelstudio.labeling_config(record.classes).encode(), overwrite=overwrite)
        return "; ".join(filter(None, [f"{words} in {path}, the labeling interface in {config}", more]))
    return "; ".join(filter(None, [f"{words} in {path}", more]))


def format_of(path: Path) -> str:
    """What the suffix of a file says.

    Raises:
        ConfigError: nothing.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"the suffix of {path} says no format; name one with --format: {', '.join(FORMATS)}")
    return SUFFIXES[path.suffix.lower()]


def _check_options(kind: str, resolve: str | None, unlabeled: int | None, suggestions: bool, raw: bool) -> None:
    if kind not in FORMATS:
        raise ConfigError(f"--format {kind!r} is none of {', '.join(FORMATS)}")
    if unlabeled is not None and unlabeled < 1:
        raise ConfigError(f"--unlabeled {unlabeled} must be 1 or more")
    if unlabeled is not None and kind in ("parquet", "events"):
        raise ConfigError(f"--unlabeled does not go with --format {kind}, which nobody can write answers into")
    if suggestions and unlabeled is None:
        raise ConfigError("--suggestions works with --unlabeled alone")
    if resolve is not None and (unlabeled is not None or kind not in _OF_ONE_LABEL):
        raise ConfigError(f"--resolve is for labels in {', '.join(_OF_ONE_LABEL)}; nothing is resolved here")
    if raw and kind != "csv":
        raise ConfigError(f"--raw is for CSV; in {kind} nothing is changed anyway")


def next_questions(record: Record, n: int, *, suggestions: bool = False) -> list[Question]:
    """The next texts to label: those of the newest ranking, then others at random, always the same.

    Args:
        record: of the run.
        n: texts, at most.
        suggestions: with what the model thinks.
    """
    return _next_questions(record, n, Carried(record, labels=False), suggestions=suggestions)


def _next_questions(record: Record, n: int, own: Carried, *, suggestions: bool) -> list[Question]:
    groups = record.groups()
    known = {answer.item for answer in record.answers()} | record.verdicts().keys()
    answered = groups.further | {groups.first_of(item) for item in known}
    generation = record.newest_generation()
    ranked = {one.item: one for one in record.ranked(generation.id)} if generation else {}
    wanted = [item for item in ranked if item not in answered][:n]
    if len(wanted) < n:
        rest = (item.id for item in record.items() if item.id not in answered and item.id not in ranked)
        wanted += sorted(rest, key=lambda item: _chance(record.run_id, item))[: n - len(wanted)]
    rounds = record.rounds()
    number = rounds[-1].number if rounds else None
    return [
        replace(_question(item, ranked.get(item.id) if suggestions else None, number), own=own.of(item))
        for item in record.items(wanted)
    ]


def _chance(run_id: str, item: int) -> bytes:
    return hashlib.sha256(f"{run_id} {item}".encode()).digest()


def _question(item: Item, ranked: Ranked | None, number: int | None) -> Question:
    label = ranked.predicted if ranked else None
    probability = round(ranked.probabilities[label], 6) if ranked and label is not None else None
    return Question(item.id, item.sha256, _text(item), label, probability, number)


def _text(item: Item) -> str:
    if item.text is None:
        raise DataError(f"the record does not hold text {item.id}, as simulated runs do not; export --format events")
    return item.text


def labeled_texts(record: Record, resolve: Resolve | None = None) -> list[LabeledText]:
    """The texts that somebody has said something of, and those that have the label of a copy, by id."""
    resolve = resolve or record.resolve
    return _labeled_texts(record, record.verdicts(resolve), resolve, Carried(record, labels=True))


def _labeled_texts(
    record: Record, verdicts: Mapping[int, TextVerdict], resolve: Resolve, own: Carried
) -> list[LabeledText]:
    said = {number: list(several) for number, several in groupby(said_of_texts(record, own), lambda one: one.id)}
    found = {
        item.id: _labeled_text(item, own.of(item), said.get(item.id, []), verdicts.get(item.id))
        for item in record.items(sorted({*verdicts, *said}))
    }
    found |= _by_copies(record, found, verdicts, resolve, own)
    return [found[number] for number in sorted(found)]


def _by_copies(
    record: Record,
    found: Mapping[int, LabeledText],
    verdicts: Mapping[int, TextVerdict],
    resolve: Resolve,
    own: Carried,
) -> dict[int, LabeledText]:
    """The texts that nobody has answered, but copies of them; `found` has notes and flags of their own."""
    groups = record.groups()
    if not groups.members:
        return {}
    answers = record.answers()
    settled = {item: str(one.label) for item, one in verdicts.items() if one.settled_by}
    shared = groups.of_each(answers, resolve, settled)
    taken = groups.taken(answers, settled, shared)
    given: dict[int, list[str]] = defaultdict(list)
    for answer in answers:
        if answer.label is not None:
            given[groups.first_of(answer.item)].append(answer.label)
    texts = {}
    for item in record.items(sorted(taken)):
        first = groups.first_of(item.id)
        text = found.get(item.id) or LabeledText(item.id, item.sha256, _text(item), None, own=own.of(item))
        agree = given[first].count(shared[first])
        texts[item.id] = replace(
            text, label=shared[first], annotators=len(given[first]), agree=agree, copy_of=taken[item.id]
        )
    return texts


def _labeled_text(item: Item, own: Mapping[str, Any], said: Sequence[Said], one: TextVerdict | None) -> LabeledText:
    """A text with its label, and what else was said of it."""
    label = None if one is None else one.label
    return LabeledText(
        item.id,
        item.sha256,
        _text(item),
        label,
        0 if one is None else len(one.votes),
        0 if one is None or label is None else one.counts.get(label, 0),
        listed({one.annotator: one.note for one in said if one.note}),
        ", ".join(one.annotator for one in said if one.flagged) or None,
        ", ".join(one.annotator for one in said if one.skipped) or None,
        own=own,
    )


def _in_words(labeled: Sequence[LabeledText]) -> str:
    """How many texts there are, and how many of them only because something else was said of them."""
    more = sum(one.label is None for one in labeled)
    others = f" and {more:,} without a label (skipped, tied, noted or flagged)" if more else ""
    copies = sum(one.copy_of is not None for one in labeled)
    told = f" ({copies:,} of them by their copies)" if copies else ""
    return counted(len(labeled) - more, "labeled text") + told + others


def said_of_texts(record: Record, own: Carried) -> list[Said]:
    """What everyone says of each text now, by text and annotator."""
    answers = {(answer.item, answer.annotator): answer.label for answer in record.answers()}
    notes, flags = record.notes(), record.flags()
    keys = sorted({*answers, *notes, *flags})
    texts = {item.id: item for item in record.items(sorted({number for number, _ in keys}))}
    return [
        Said(
            item.id,
            item.sha256,
            _text(item),
            annotator,
            answers.get((item.id, annotator)),
            notes.get((item.id, annotator), ""),
            (item.id, annotator) in answers,
            (item.id, annotator) in flags,
            own.of(item),
        )
        for item, annotator in ((texts[number], annotator) for number, annotator in keys)
    ]


def _questions(
    record: Record, kind: str, questions: Sequence[Question], own: Carried, suggestions: bool, raw: bool
) -> bytes:
    generation = record.newest_generation()
    model = f"lit_al-{generation.model_version}" if generation and generation.model_version is not None else "lit_al"
    match kind:
        case "csv":
            return questions_csv(questions, list(own.names.values()), suggestions=suggestions, raw=raw)
        case "jsonl":
            return questions_jsonl(questions, suggestions=suggestions)
        case "labelstudio":
            return labelstudio.question_tasks(questions, model)
        case "argilla":
            return argilla.question_records(questions, model)
        case _:
            return prodigy.question_lines(questions, record.classes)


def _labeled(record: Record, kind: str, labeled: Sequence[LabeledText], own: Carried, raw: bool) -> bytes:
    names = list(own.names.values())
    match kind:
        case "csv":
            return labeled_csv(labeled, names, raw=raw)
        case "jsonl":
            return labeled_jsonl(labeled)
        case "parquet":
            return labeled_parquet(labeled, record.classes, names)
        case _:
            return labelstudio.labeled_tasks(labeled)


def _everything(record: Record, kind: str, own: Carried) -> tuple[bytes, str]:
    """What each annotator said, or every event; and what that is, in words."""
    if kind == "events":
        texts = {item.id: item.sha256 for item in record.items()}
        events = list(record.events_of_texts())
        return event_lines(events, texts), counted(len(events), "event")
    said = said_of_texts(record, own)
    lines = argilla.said_records(said) if kind == "argilla" else prodigy.said_lines(said, record.classes)
    return lines, counted(len(said), "answer")


def _of_everything(record: Record, kind: str) -> str:
    """What the reader of each annotator's answers should know of conflicts."""
    found = record.verdicts()
    differ, settled = sum(one.conflict for one in found.values()), sum(bool(one.settled_by) for one in found.values())
    words = [f"annotators differ on {counted(differ, 'text')}, and each answer is in it"] if differ else []
    words += [f"{settled:,} settled labels are not"] if settled and kind != "events" else []
    return ", but ".join(words)
