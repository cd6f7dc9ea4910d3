"""`lit-al suspects`: labels that may be wrong, the likeliest first, by models that have not learned from them.

Each label is predicted by a model of the other folds (`Learner.judge`), and held against what that model is confident
of (`experiment.confident`). What somebody has settled is learned from, and not suspected again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from rich.console import Console

from lit_al.data import shorten
from lit_al.exceptions import RunError, StoreError
from lit_al.exchange.table_files import check_suffix, table_file
from lit_al.experiment import confident
from lit_al.experiment.final_fit import learner_of
from lit_al.experiment.fit_options import SuspectsOptions
from lit_al.experiment.labels_there import LabelsThere, labels_there
from lit_al.loop.state import Validated
from lit_al.record import Record, sha256_of
from lit_al.record.suspected import Suspected, keep
from lit_al.typing import Floats, Ints
from lit_al.utils.terminal_text import plain

SHOWN: Final = 20  # on a screen
CHARACTERS: Final = 100  # of a text, so that it stays on its line


@dataclass(frozen=True)
class Suspect:
    """A label that may be wrong.

    Attributes:
        row: of the text.
        label: that it has.
        suggestion: the most probable other class.
        probability: of that class.
        own: of the label.
        confident: the rule takes the label for wrong.
    """

    row: int
    label: str
    suggestion: str
    probability: float
    own: float
    confident: bool


@dataclass(frozen=True)
class Suspects:
    """All labels that were asked about.

    Attributes:
        there: the labels.
        ranked: the likeliest to be wrong first.
        notes: what else a user should read, a sentence each.
    """

    there: LabelsThere
    ranked: tuple[Suspect, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, there: LabelsThere, validated: Validated, notes: tuple[str, ...] = ()) -> Self:
        """By out-of-fold probabilities of all labels."""
        order = np.argsort(validated.rows)  # whatever the folds were drawn like
        rows, labels, said = validated.rows[order], validated.answers[order], validated.probabilities[order]
        found = ranked(said, labels)
        found = found[~np.isin(rows[found], there.settled)]
        named = confident.suspects(said, labels)
        return cls(there, tuple(_suspect(there, rows, labels, said, place, named[place]) for place in found), notes)

    @property
    def named(self) -> int:
        """How many the rule takes for wrong."""
        return sum(one.confident for one in self.ranked)


def ranked(probabilities: Floats, labels: Ints) -> Ints:
    """(n,) int64 places of labels, the likeliest to be wrong first.

    Args:
        probabilities: (n, C) out of fold.
        labels: (n,) int64.
    """
    return np.argsort(confident.log_odds(probabilities, labels), kind="stable")


def find_suspects(asked: SuspectsOptions, console: Console) -> Iterator[str]:
    """Learn, rank, note the list for the labeling page, write a file where that is wanted; the lines to print.

    Raises:
        LitALError: labels, settings or a file that cannot work.
    """
    if asked.to is not None:
        check_suffix(asked.to)  # before anything is learned
        if asked.to.exists() and not asked.overwrite:
            raise RunError(f"{asked.to} is there already; give another name, or --overwrite")
    found = found_suspects(asked, console)
    yield from map(plain, _summary(found, asked))
    yield from map(plain, _noted(found, Path(asked.data).expanduser()))
    if asked.to is not None:
        yield plain(_written(found, asked, asked.to))
    else:
        yield from map(plain, _on_screen(found, asked))


def found_suspects(asked: SuspectsOptions, console: Console) -> Suspects:
    """Learn and rank.

    Raises:
        LitALError: labels or settings that cannot work.
    """
    with console.status("reading texts and labels …") as status:
        there = labels_there(asked)
        learner = learner_of(asked, there, lambda doing: status.update(f"{plain(doing)} …"))
        validated = learner.judge(there.rows, there.labels, asked.folds)
    return Suspects.of(there, validated, (*there.notes, *learner.notes))


def _suspect(there: LabelsThere, rows: Ints, labels: Ints, said: Floats, place: int, named: bool) -> Suspect:
    classes, own = there.corpus.classes, int(labels[place])
    other = int(np.where(np.arange(len(classes)) == own, -1.0, said[place]).argmax())
    probability, of_own = float(said[place, other]), float(said[place, own])
    return Suspect(int(rows[place]), classes[own], classes[other], probability, of_own, bool(named))


def _summary(found: Suspects, asked: SuspectsOptions) -> Iterator[str]:
    labels, folds = len(found.there.rows), min(asked.folds, len(found.there.rows))
    verb = "1 is" if found.named == 1 else f"{found.named:,} are"
    yield (
        f"{labels:,} labels of {found.there.corpus.source}, each asked of one of {folds} models that had not learned "
        f"from it: {verb} likely wrong"
    )
    if len(found.there.settled):
        yield f"{len(found.there.settled):,} settled labels are not suspected"
    yield from found.notes


def _on_screen(found: Suspects, asked: SuspectsOptions) -> Iterator[str]:
    for number, one in enumerate(found.ranked[: asked.top or SHOWN], 1):
        mark = "" if one.confident else ", by a little"
        head = f"{number:3d}. {_name(found.there, one.row)}: {one.label} {one.own:.2f}"
        yield f"{head}, rather {one.suggestion} {one.probability:.2f}{mark}"
        yield f"     {shorten(found.there.corpus.texts[one.row], CHARACTERS)}"
    yield from _next(found, asked, Path("suspects.csv"), f"lit-al suspects {asked.data} --to suspects.csv, ")


def _name(there: LabelsThere, row: int) -> str:
    return f"text {there.items[row]}" if there.items else f"row {row + 1}"


def _next(found: Suspects, asked: SuspectsOptions, path: Path, first: str = "") -> Iterator[str]:
    if found.there.items:
        yield f"to correct them: {first}mend the column label, then lit-al import {asked.data} {path} --settles"


def _noted(found: Suspects, folder: Path) -> Iterator[str]:
    """Note the list in the record of a labeling run, where the page shows it; a run that cannot be written stays so."""
    if not found.there.items:
        return
    items = found.there.items
    listed = (
        Suspected(items[one.row], one.label, one.suggestion, one.probability, one.own, one.confident)
        for one in found.ranked
    )
    try:
        with Record.open(folder, check=False) as record:
            keep(record, listed, len(found.there.rows), found.named)
    except StoreError as error:
        yield f"the labeling page does not show this list: {error}"


def _written(found: Suspects, asked: SuspectsOptions, path: Path) -> str:
    kept = found.ranked[: asked.top]
    columns: dict[str, list[Any]] = _known(found.there, [one.row for one in kept])
    columns |= {
        "label": [one.label for one in kept],
        "suggestion": [one.suggestion for one in kept],
        "probability": [round(one.probability, 6) for one in kept],
        "label_probability": [round(one.own, 6) for one in kept],
        "likely_wrong": [one.confident for one in kept],
    }
    with table_file(path, list(columns), columns, raw=asked.raw) as write:
        write(list(columns.values()))
    return "; ".join([f"{len(kept):,} labels, the most suspect first, in {path}", *_next(found, asked, path)])


def _known(there: LabelsThere, rows: list[int]) -> dict[str, list[Any]]:
    """What says which text it is: for a labeling run, that which import asks for."""
    texts = [there.corpus.texts[row] for row in rows]
    if there.items:
        ids = [there.items[row] for row in rows]
        return {"lit_al_id": ids, "lit_al_sha256": [sha256_of(text) for text in texts], "text": texts}
    own = {} if there.corpus.ids is None else {"id": [there.corpus.ids[row] for row in rows]}
    return {"row": [row + 1 for row in rows], **own, "text": texts}
