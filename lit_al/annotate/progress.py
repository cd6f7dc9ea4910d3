"""`lit-al status` of a labeling run: one screen of plain words, and what to do next."""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Final

from lit_al.annotate.findings import Findings, Person
from lit_al.annotate.wording import estimate_words
from lit_al.metrics import RARE, percent
from lit_al.utils.terminal_text import counted

MOST: Final = 12  # names on a line
ENOUGH: Final = 50  # labels, from which on it pays to look for wrong ones


def status_lines(found: Findings) -> Iterator[str]:
    """A run, for a terminal."""
    name, begun = found.folder.resolve().name, found.created[:10]
    yield f"{name}: {found.texts:,} texts, {len(found.classes)} classes, begun {begun}"
    yield _line("labeled", _labeled(found))
    yield from (_line("", words) for words in _classes(found))
    yield from (_line("people" if not place else "", words) for place, words in enumerate(map(_person, found.people)))
    if found.shared:
        yield _line("conflicts", conflict_words(found))
        yield _line("", found.agreement.sentence())
    if found.suggested:
        yield _line("suggested", found.suggested.words())
    yield _line("model", model_words(found))
    yield _line("page", f"open: {found.page}" if found.page else "not open")
    yield from (_line("next" if not place else "", step) for place, step in enumerate(next_steps(found)))


def _line(head: str, words: str) -> str:
    return f"  {head:<10}{words}"


def _labeled(found: Findings) -> str:
    parts = [f"{found.labeled:,} texts have a label"]
    without = found.answered - found.labeled - found.ties
    parts += [f"{found.ties:,} tie"] if found.ties else []
    parts += [f"{without:,} were skipped"] if without else []
    return ", ".join([*parts, f"{found.left:,} are left"])


def _classes(found: Findings) -> Iterator[str]:
    """Labels by class, the most frequent first, a dozen on a line."""
    ordered = sorted(found.labels.items(), key=lambda pair: -pair[1])
    for first in range(0, len(ordered), MOST):
        yield ", ".join(f"{name}: {count:,}" for name, count in ordered[first : first + MOST])


def _person(one: Person) -> str:
    parts = [f"{one.name}: {counted(one.labels, 'label')}"]
    parts += [f"{one.skips:,} skipped"] if one.skips else []
    parts += [f"{one.settled:,} settled"] if one.settled else []
    parts += [f"{one.seconds:.1f} s each (median)"] if one.seconds is not None else []
    parts += [f"{one.per_hour:,.0f} an hour"] if one.per_hour is not None else []
    return ", ".join(parts)


def conflict_words(found: Findings) -> str:
    """How many texts people differ on, and what came of them."""
    differ = len(found.conflicts)
    if not differ:
        return f"none: people agree on all {counted(found.shared, 'text')} that several labeled"
    settled = sum(not one.open for one in found.conflicts.values())
    decided = differ - settled - found.ties
    parts = {"have no label": found.ties, "are settled": settled}
    parts["have the label given " + ("last" if found.resolve == "latest" else "most often")] = decided
    said = ", ".join(f"{count:,} {what}" for what, count in parts.items() if count)
    return f"people differ on {differ:,} of {counted(found.shared, 'text')} that several labeled: {said}"


def model_words(found: Findings) -> str:
    """What the newest model is, and how good."""
    if not found.models:
        return "none yet" + (f"; {found.model['detail']}" if found.model["detail"] else "")
    newest = found.models[-1]
    parts = [f"version {newest.version} learned from {newest.labels:,} labels.", estimate_words(dict(found.model))]
    return " ".join(filter(None, parts)).replace("\u00a0", " ")


def next_steps(found: Findings) -> Iterator[str]:
    """What to do, the most pressing first."""
    run, advice = quote(str(found.folder)), found.model["advice"] or {}
    few = [name for name, count in found.labels.items() if count < RARE]
    if found.ties:
        yield (
            f"settle {counted(found.ties, 'text')} without a label: lit-al export {run} --conflicts conflicts.csv, "
            f"fill in the column label, lit-al import {run} conflicts.csv --settles"
        )
    if found.left and not advice.get("stop"):
        why = f" ({advice['text']})" if advice.get("text") else ""
        yield f"label on{why}: " + ("the page is open" if found.page else f"lit-al annotate --run {run}")
    elif found.left:
        yield f"{advice['text']}; {counted(found.left, 'text')} are left"
    if few and found.labeled:
        more = f" and {len(few) - MOST:,} more" if len(few) > MOST else ""
        yield f"few labels, under {RARE}, so that the model hardly knows them: {', '.join(few[:MOST])}{more}"
    if found.labeled >= ENOUGH:
        yield f"look for wrong labels: lit-al suspects {run}"
    if sum(count > 0 for count in found.labels.values()) > 1:
        yield f"the best model of these labels: lit-al fit {run}; the labels: lit-al export {run} --to labels.csv"


def shares(found: Sequence[float] | None) -> str:
    """A share and its interval.

    >>> shares((0.9, 0.7, 0.97)), shares(None)
    ('90 % (70 to 97)', '–')
    """
    if found is None:
        return "–"
    middle, low, high = found
    return f"{percent(middle)} ({100 * low:.0f} to {100 * high:.0f})"
