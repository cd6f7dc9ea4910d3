"""`--suggest FILE`: what any model says of the texts, shown to annotators beside its name, and never an answer.

A row of the file is a text by the run's own ids, or else by what it says. Suggestions are shown before the answer, but
not of random controls: these are asked blind, so that the accuracy which they tell is nobody's echo. How often people
agreed is counted apart for texts where they saw the suggestion and where they did not (`agreed`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lit_al.data.load import read_table
from lit_al.data.tables import DataTable, Reading
from lit_al.exceptions import DataError
from lit_al.record import Action, Event, Record, sha256_of
from lit_al.record.own_columns import OwnColumns
from lit_al.record.suggestions import Suggestion
from lit_al.utils.cells import id_word, word_of
from lit_al.utils.intervals import wilson
from lit_al.utils.terminal_text import counted

LABELS: Final = ("suggestion", "prediction", "predicted", "label", "class", "category", "answer")
PROBABILITIES: Final = ("probability", "score", "confidence", "p")
SOURCES: Final = ("source", "model", "model_name")
TEXTS: Final = ("text", "review", "sentence", "content", "message")
SHA256: Final = "lit_al_sha256"
BY_HAND: Final = ("page", "terminal")
_AROUND: Final = " \t\r\n\"'`.*"  # what language models put around a label


def take_suggestions(record: Record, path: Path, reading: Reading) -> str:
    """Put the suggestions of a file on record; what was done, in words.

    Args:
        record: of the run.
        path: a table, as `load_corpus` takes it, with a column of labels (`suggestion`, `prediction`, `label` …), and
            if there is one, of probabilities and of the model's name.
        reading: which column holds the texts, where the run's ids are not there, and the labels.

    Raises:
        DataError: it cannot be read, has no such columns, or is about no text of the run.
        StoreError: it cannot be written.
    """
    table, _ = read_table(str(path), reading)
    labels = _cells(table, reading.label_column, LABELS)
    if labels is None:
        raise DataError(f"{path} has no column of labels such as suggestion, prediction or label; name it with one")
    items = _items(record, table, reading, path)
    probabilities, sources = (_cells(table, None, names) for names in (PROBABILITIES, SOURCES))
    known, strange, found = _spellings(record.classes), Counter[str](), dict[int, Suggestion]()
    for row, mine in enumerate(items):
        label = known.get(_plain(labels[row]))
        if label is None and _plain(labels[row]):
            strange[word_of(labels[row])[:30]] += 1
        probability = _share(None if probabilities is None else probabilities[row])
        source = id_word(None if sources is None else sources[row]) or path.stem
        if label is not None:
            found |= {item: Suggestion(item, label, probability, source) for item in mine}
    record.keep_suggestions(found.values())
    return "".join(
        [
            f"suggestions of {path.name}: {len(found):,}, shown before the answer but for random controls",
            f"; rows of texts that are not in this run: {lost:,}" if (lost := sum(not one for one in items)) else "",
            f"; of no class of this run: {strange.total():,} ({_few(strange)})" if strange else "",
        ]
    )


def _items(record: Record, table: DataTable, reading: Reading, path: Path) -> list[Sequence[int]]:
    """The texts of the run that each row is about."""
    own = OwnColumns.of(record)
    if own.id is not None and own.id in table.names:
        ids = own.ids(record)
        found: list[Sequence[int]] = [
            [ids[word]] if (word := id_word(cell)) in ids else [] for cell in table.column(own.id)
        ]
    else:
        alike: dict[str, list[int]] = {}
        for item, sha256 in record.digests().items():
            alike.setdefault(sha256, []).append(item)
        found = [alike.get(sha256, []) for sha256 in _digests(table, reading, path, own)]
    if not any(found):
        raise DataError(
            f"no row of {path} is about a text of {record.path.parent}; are its ids or texts those of the run?"
        )
    return found


def _digests(table: DataTable, reading: Reading, path: Path, own: OwnColumns) -> list[str]:
    if SHA256 in table.names:
        return [id_word(cell) for cell in table.column(SHA256)]
    texts = _cells(table, reading.text_column, TEXTS)
    if texts is None:
        ids = f"ids ({own.id})" if own.id else SHA256
        raise DataError(f"{path} has neither a column of {ids} nor of the texts; name that with --text-column")
    return [sha256_of(cell) if isinstance(cell, str) else "" for cell in texts]


def _cells(table: DataTable, wished: str | None, usual: Sequence[str]) -> list[object] | None:
    """The cells of the column that is wished for, or the first of the usual ones; None where there is none."""
    folded = {name.strip().casefold(): name for name in reversed(table.names)}
    for name in [wished] if wished is not None and wished in table.names else usual:
        if name.casefold() in folded:
            return table.column(folded[name.casefold()])
    return None


def _plain(cell: object) -> str:
    """A label without what a language model puts around it."""
    return word_of(cell).strip(_AROUND).casefold() if cell is not None else ""


def _spellings(classes: Sequence[str]) -> Mapping[str, str]:
    """Classes by their plain spelling; of two that are spelled alike neither."""
    counts = Counter(map(_plain, classes))
    return {_plain(name): name for name in classes if counts[_plain(name)] == 1}


def _share(cell: object) -> float | None:
    try:
        found = float(str(cell))
    except ValueError:
        return None
    return found if 0 <= found <= 1 else None


def _few(strange: Counter[str]) -> str:
    shown = ", ".join(repr(word) for word, _ in strange.most_common(3))
    return shown + (", …" if len(strange) > 3 else "")


# --- What people made of them -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreed:
    """How often the first label that somebody gave a text by hand was the one suggested before.

    Attributes:
        texts: with a suggestion.
        sources: which models they are of.
        shown: of texts whose suggestion was on screen: labels alike, and all.
        blind: likewise of random controls.
        by_class: of both together, by suggested class.
    """

    texts: int
    sources: tuple[str, ...]
    shown: tuple[int, int]
    blind: tuple[int, int]
    by_class: Mapping[str, tuple[int, int]]

    def words(self) -> str:
        """In a line.

        >>> Agreed(40, ("gpt",), (9, 10), (0, 0), {}).words()
        '40 texts, by gpt; people agreed on 9 of 10 that they saw one for (90%, 60% to 98%)'
        """
        parts = [f"{counted(self.texts, 'text')}, by {', '.join(self.sources)}"]
        ways = ((self.shown, "that they saw one for"), (self.blind, "asked without showing it"))
        told = [f"{same:,} of {texts:,} {how}{_interval(same, texts)}" for (same, texts), how in ways if texts]
        return "; people agreed on ".join([*parts, *([", and on ".join(told)] if told else [])])


def _interval(same: int, texts: int) -> str:
    low, high = wilson(same / texts, texts)
    return f" ({same / texts:.0%}, {low:.0%} to {high:.0%})"


def agreed(suggestions: Sequence[Suggestion], first: Mapping[int, Event]) -> Agreed | None:
    """What became of suggestions; None where there are none.

    Args:
        suggestions: of the record.
        first: the event that labeled each text first.
    """
    if not suggestions:
        return None
    counts = {True: Counter[bool](), False: Counter[bool]()}  # by whether it was shown
    by_class: dict[str, Counter[bool]] = {}
    for one in suggestions:
        event = first.get(one.item)
        if event is None or event.action is not Action.LABEL or event.source not in BY_HAND:
            continue
        if event.server_time < one.created:
            continue  # nobody had suggested anything yet
        counts[not event.control][event.label == one.label] += 1
        by_class.setdefault(one.label, Counter())[event.label == one.label] += 1
    return Agreed(
        len(suggestions),
        tuple(sorted({one.source for one in suggestions})),
        _of_all(counts[True]),
        _of_all(counts[False]),
        {name: _of_all(found) for name, found in by_class.items()},
    )


def _of_all(found: Counter[bool]) -> tuple[int, int]:
    return found[True], found.total()


def as_json(one: Suggestion) -> dict[str, Any]:
    """For the page."""
    return {"label": one.label, "probability": one.probability, "source": one.source}
