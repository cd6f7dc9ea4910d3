"""What only the owner of a run does on the page: settle texts on which people differ, and labels that may be wrong.

Both are lists of texts with everybody's word beside each. A settlement is an event of its own kind that counts above
all answers (`record.verdicts`); a suspect label that is right after all is settled as what it is, and not asked again.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from lit_al.record import Item, Record, TextVerdict
from lit_al.record.search import Opinions, in_conflict, said, settlements
from lit_al.record.suspected import Suspected, kept
from lit_al.record.verdicts import conflicts
from lit_al.utils.terminal_text import counted

Described = Callable[[str, Item], dict[str, Any]]

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


class Adjudication:
    """Lists for the owner.

    Args:
        record: of the run.
        described: a text as the page shows it, for an annotator.
    """

    def __init__(self, record: Record, described: Described) -> None:
        self._record, self._described = record, described

    def conflicts(self, owner: str, n: int, held: Collection[int]) -> dict[str, Any]:
        """The next texts on which people differ and that nobody has settled, those without a label first, as JSON."""
        known = said(self._record, in_conflict(self._record))
        verdicts = conflicts({item: one.verdict(self._record.resolve) for item, one in known.items()})
        still = [item for item, one in verdicts.items() if one.open]
        items = self._texts(owner, [item for item in still if item not in held][:n], known)
        return {"items": items, "left": len(still), "words": _conflict_words(verdicts)}

    def suspects(self, owner: str, n: int, held: Collection[int]) -> dict[str, Any]:
        """The next labels that may be wrong, the likeliest first, but for those settled since."""
        listed = kept(self._record)
        known = said(self._record, [one.item for one in listed.found])
        still = [one for one in listed.found if self._stands(one, known[one.item])]
        by_item = {one.item: one for one in still if one.item not in held}
        items = self._texts(owner, list(by_item)[:n], known)
        for text in items:
            one = by_item[text["item"]]
            text["suspected"] = {"label": one.suggestion, "probability": one.probability, "own": one.own}
        since = sum(1 for event in self._record.events(listed.seq) if event.label is not None) if listed.created else 0
        return {"items": items, "left": len(still), "words": _suspect_words(listed.created, listed.labels, since),
                "command": f"lit-al suspects {self._record.path.parent}"}  # fmt: skip

    def settled(self, owner: str, before: int | None, n: int = 20) -> list[dict[str, Any]]:
        """Texts that the owner has settled, the latest first, as JSON."""
        latest = {item: (uuid, seq) for item, uuid, seq in settlements(self._record, owner, n, before)}
        texts = self._texts(owner, list(latest), said(self._record, list(latest)))
        return [{**one, "uuid": latest[one["item"]][0], "seq": latest[one["item"]][1]} for one in texts]

    def _stands(self, one: Suspected, known: Opinions) -> bool:
        """Is the label still the text's, and nobody's last word?"""
        verdict = known.verdict(self._record.resolve)
        return verdict.label == one.label and not verdict.settled_by and one.suggestion in self._record.classes

    def _texts(self, owner: str, items: Iterable[int], known: dict[int, Opinions]) -> list[dict[str, Any]]:
        return [
            {**self._described(owner, item), **_judged(known[item.id].verdict(self._record.resolve))}
            for item in self._record.items(items)
        ]


def _judged(verdict: TextVerdict) -> dict[str, Any]:
    votes = [{"annotator": name, "label": label} for name, label in verdict.votes]
    return {"votes": votes, "label": verdict.label, "tie": verdict.tie, "settled_by": verdict.settled_by}


def _conflict_words(verdicts: dict[int, TextVerdict]) -> str:
    """Why there is nothing to settle.

    >>> _conflict_words({})
    'People agree on all texts that several of them labeled; there is nothing to settle.'
    """
    if not verdicts:
        return "People agree on all texts that several of them labeled; there is nothing to settle."
    return f"All settled: {counted(len(verdicts), 'text')} on which people differed. Exports hold what you decided."


def _suspect_words(created: str, labels: int, since: int) -> str:
    if not created:
        return "No list of labels that may be wrong was made yet."
    new = f", {counted(since, 'label')} given since" if since else ""
    return f"By a list of {counted(labels, 'label')}, made {ago(created)}{new}."


def ago(created: str) -> str:
    """How long ago, in words.

    Args:
        created: UTC, ISO 8601.

    >>> ago("2020-01-01T00:00:00+00:00").endswith(" days ago"), ago("2999-01-01T00:00:00+00:00")
    (True, 'just now')
    """
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds()
    except (ValueError, TypeError):
        return "some time ago"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{counted(int(seconds // size), unit)} ago"
    return "just now"
