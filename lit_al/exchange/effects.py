"""What answers that are about to be taken do to what is there: answers changed, texts that tie, labels not heard."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lit_al.record import Action, NewEvent, Resolve, TextVerdict
from lit_al.record.verdicts import verdict


@dataclass(frozen=True)
class Effects:
    """Of some new events.

    Attributes:
        changed: answers that give way to others, by annotator.
        ties: texts that will be in conflict and have no label, and are not so now.
        unheard: texts that have a label now, another one than they are given, and will not have that one: they will
            tie, or are outvoted or settled.
        against: who gave, or settled, the labels that those have now.
    """

    changed: Mapping[str, int] = field(default_factory=dict)
    ties: tuple[int, ...] = ()
    unheard: tuple[int, ...] = ()
    against: tuple[str, ...] = ()

    @classmethod
    def of(cls, events: Sequence[NewEvent], before: Mapping[int, TextVerdict], resolve: Resolve) -> "Effects":
        """Of events, in their order.

        Args:
            events: those other than labels and skips do nothing here.
            before: verdicts as they are.
            resolve: that they were found by.

        >>> before = {7: TextVerdict((("ann", "good"),), "good")}
        >>> Effects.of([NewEvent("u", 7, "file", Action.LABEL, "bad")], before, "majority")
        Effects(changed={}, ties=(7,), unheard=(7,), against=('ann',))
        """
        votes = {item: dict(one.votes) for item, one in before.items()}
        given: dict[int, str] = {}
        changed: Counter[str] = Counter()
        for event in events:
            if event.action in (Action.LABEL, Action.SKIP):
                here = votes.setdefault(event.item, {})
                changed[event.annotator] += here.pop(event.annotator, event.label) != event.label
                if event.label is not None:
                    here[event.annotator] = given[event.item] = event.label
        after = {item: _after(votes[item], before.get(item), resolve) for item in given}
        ties = [item for item, one in after.items() if one.tie and not (item in before and before[item].tie)]
        unheard = [
            item
            for item, one in after.items()
            if item in before and before[item].label not in (None, given[item]) and one.label != given[item]
        ]
        against = {name for item in unheard for name in _who(before[item])}
        counts = {name: count for name, count in changed.items() if count}
        return cls(counts, tuple(ties), tuple(unheard), tuple(sorted(against)))


def _after(votes: Mapping[str, str], before: TextVerdict | None, resolve: Resolve) -> TextVerdict:
    settled = (before.settled_by, str(before.label)) if before is not None and before.settled_by else None
    return verdict(list(votes.items()), settled, resolve)


def _who(one: TextVerdict) -> set[str]:
    """Those that a text has its label from."""
    return {one.settled_by} if one.settled_by else {name for name, label in one.votes if label == one.label}
