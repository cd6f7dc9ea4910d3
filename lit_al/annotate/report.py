"""`lit-al report` of a labeling run: what `findings` has counted, as one page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lit_al.annotate.findings import ClassFindings, Findings
from lit_al.annotate.progress import conflict_words, model_words, next_steps, shares
from lit_al.data import shorten
from lit_al.metrics import percent
from lit_al.record import Record
from lit_al.reporting import figures, pages

if TYPE_CHECKING:  # it loads torch, which a report does without
    from lit_al.experiment.suspects import Suspects

LONGEST: Final = 400  # characters shown of a text: more would bury the table
MOST: Final = 200  # conflicts listed: a file of them is for more
WIDEST: Final = 12  # classes of a table of all by all; of more, the most frequent confusions are listed
SUSPECTS: Final = 30  # listed


@dataclass(frozen=True)
class _Listed:
    """A text on which annotators differ, as the page shows it."""

    item: int
    text: str
    label: str
    state: str
    votes: tuple[tuple[str, str], ...]


def report_page(record: Record, suspects: "Suspects | None" = None) -> str:
    """The report as HTML; it ends with a line break.

    Args:
        record: of the run.
        suspects: labels that may be wrong, where they were looked for.
    """
    found = Findings.of(record)
    curve = [(model.labels, model.facts["estimate"]) for model in found.models if _is_known(model.facts)]
    heading = f"{found.folder.resolve().name} · accuracy of each model, as random controls tell it"
    return pages.render(
        "labeling.html",
        demo=found.is_demo,
        run=found,
        name=found.folder.resolve().name,
        picture=figures.save(figures.estimates_figure(curve, heading, found.is_demo), "svg") if curve else None,
        model=model_words(found),
        steps=list(next_steps(found)),
        classes=[_row(one) for one in found.by_class],
        most=max(found.labels.values(), default=0) or 1,
        controls=found.controls,
        confusions=_confusions(found),
        widest=WIDEST,
        conflict_words=conflict_words(found),
        conflicts=list(_conflicts(found, record)),
        suspects=list(_suspects(suspects)) if suspects else None,
        named=suspects.named if suspects else 0,
        percent=percent,
    )


def _is_known(facts: Any) -> bool:
    """Does a model's record hold an estimate that can be drawn?"""
    estimate = facts.get("estimate")
    return isinstance(estimate, dict) and all(
        isinstance(estimate.get(name), int | float) for name in ("accuracy", "low", "high")
    )


def _row(one: ClassFindings) -> dict[str, Any]:
    return {"name": one.name, "labels": one.labels, "support": one.support, "recall": shares(one.recall),
            "precision": shares(one.precision)}  # fmt: skip


def _confusions(found: Findings) -> list[tuple[str, str, int]]:
    """Which class was called which, the most frequent first."""
    matrix, names = found.controls.matrix, found.classes
    pairs = [
        (names[row], names[column], int(matrix[row, column]))
        for row in range(len(names))
        for column in range(len(names))
        if row != column and matrix[row, column]
    ]
    return sorted(pairs, key=lambda pair: -pair[2])


def _conflicts(found: Findings, record: Record) -> Iterator[_Listed]:
    wanted = list(found.conflicts)[:MOST]
    for item in record.items(wanted):
        one = found.conflicts[item.id]
        state = f"settled by {one.settled_by}" if one.settled_by else "tie" if one.tie else "for now"
        yield _Listed(item.id, shorten(item.text or "", LONGEST), one.label or "", state, one.votes)


def _suspects(found: "Suspects") -> Iterator[dict[str, Any]]:
    for one in found.ranked[:SUSPECTS]:
        text = shorten(found.there.corpus.texts[one.row], LONGEST)
        yield {**vars(one), "text": text, "item": found.there.items[one.row]}
