"""What a text is, once several people have said something of it: the one place where disagreement becomes a label.

Each annotator's answer is a vote. Where votes differ the text is in conflict, and a rule of the run's (`Resolve`) finds
its label or finds none. Somebody may settle a text: that label counts above all votes, those before it and those after,
until it is settled anew or the settlement is taken back.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from lit_al.exceptions import StoreError

Resolve = Literal["majority", "latest", "drop"]


@dataclass(frozen=True)
class TextVerdict:
    """What a text is, and why.

    Attributes:
        votes: annotators and their labels, in the order of saying.
        label: of the text; None where votes differ and neither a person nor the rule has found one.
        settled_by: who settled it; "" where nobody has.
    """

    votes: tuple[tuple[str, str], ...]
    label: str | None
    settled_by: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Votes by label, the most frequent first."""
        return dict(Counter(label for _, label in self.votes).most_common())

    @property
    def conflict(self) -> bool:
        """Do votes differ?"""
        return len(self.counts) > 1

    @property
    def open(self) -> bool:
        """Do they, and has nobody settled it?"""
        return self.conflict and not self.settled_by

    @property
    def tie(self) -> bool:
        """Is it in conflict, and without a label?"""
        return self.conflict and self.label is None


def verdict(votes: Sequence[tuple[str, str]], settled: tuple[str, str] | None, resolve: Resolve) -> TextVerdict:
    """Of a text.

    Args:
        votes: annotators and their labels, in the order of saying.
        settled: who settled it and as what; None where nobody has.
        resolve: where votes differ, `majority` takes the label given most often, and none where several are, `latest`
            the one given last, and `drop` none.

    Raises:
        StoreError: another rule.

    >>> two = [("ann", "good"), ("bob", "bad")]
    >>> verdict(two, None, "majority").label, verdict(two, None, "latest").label
    (None, 'bad')
    >>> verdict(two, ("cat", "good"), "majority")
    TextVerdict(votes=(('ann', 'good'), ('bob', 'bad')), label='good', settled_by='cat')
    """
    if resolve not in get_args(Resolve):
        raise StoreError(f"disagreement is resolved by majority, latest or drop, not by {resolve!r}")
    if settled is not None:
        return TextVerdict(tuple(votes), settled[1], settled[0])
    return TextVerdict(tuple(votes), _by_rule([label for _, label in votes], resolve))


def conflicts(verdicts: Mapping[int, TextVerdict]) -> dict[int, TextVerdict]:
    """Texts on which annotators differ, those without a label first, then those that nobody has settled."""
    found = [item for item, one in verdicts.items() if one.conflict]
    order = sorted(found, key=lambda item: (not verdicts[item].tie, not verdicts[item].open, item))
    return {item: verdicts[item] for item in order}


def _by_rule(labels: Sequence[str], resolve: Resolve) -> str | None:
    """One label out of one or more."""
    if resolve == "latest":
        return labels[-1]
    ranked = Counter(labels).most_common()
    if resolve == "drop":
        return labels[0] if len(ranked) == 1 else None
    return ranked[0][0] if len(ranked) == 1 or ranked[0][1] > ranked[1][1] else None
