"""The classes of a run, which may be added to, renamed and merged while people label.

A change is an event like any other, and touches nothing that was said before it. An answer keeps the word that was
given; what that word means now follows from the changes that came after it, by one rule here.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

from lit_al.exceptions import RefusedError, StoreError
from lit_al.record.facts import check_classes
from lit_al.utils.nearest import did_you_mean

Kind = Literal["add", "rename", "merge"]


@dataclass(frozen=True)
class ClassChange:
    """What becomes of classes.

    Attributes:
        kind: `add` new ones, `rename` one, or `merge` some into one that is there.
        names: the new classes, or those that are renamed or merged.
        into: what they are called then; "" for new ones.
    """

    kind: Kind
    names: tuple[str, ...]
    into: str = ""

    @property
    def note(self) -> str:
        """As the event holds it: JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def of_note(cls, note: Any) -> Self:
        """What an event holds.

        Raises:
            ValueError: it is no change.
        """
        try:
            found = json.loads(note)
            kind, names, into = found["kind"], found["names"], found["into"]
        except (TypeError, KeyError, RecursionError):
            raise ValueError("no change of classes") from None
        words = [*names, into] if isinstance(names, list) else [None]
        if kind not in get_args(Kind) or not all(isinstance(word, str) for word in words) or len(words) < 2:
            raise ValueError("no change of classes")
        return cls(kind, tuple(names), into)

    def __str__(self) -> str:
        listed = ", ".join(map(repr, self.names))
        return {
            "add": f"added: {listed}",
            "rename": f"{listed} is {self.into!r} now",
            "merge": f"{listed} merged into {self.into!r}",
        }[self.kind]


@dataclass(frozen=True)
class ClassHistory:
    """The classes as they are, and what their earlier names mean.

    Attributes:
        names: C present classes, in the order of their numbers.
        seqs: of each change, the number of its event.
        meanings: for each change, what names of before it mean now, as far as they mean something else.

    >>> history = ClassHistory(("spam", "ham")).after(7, ClassChange("rename", ("spam",), "junk"))
    >>> history.names, history.meaning("spam", 3), history.present("spam")
    (('junk', 'ham'), 'junk', 'junk')
    """

    names: tuple[str, ...]
    seqs: tuple[int, ...] = ()
    meanings: tuple[Mapping[str, str], ...] = ()

    def after(self, seq: int, change: ClassChange) -> "ClassHistory":
        """The history with one more change.

        Raises:
            RefusedError: a class that is not there, or is already, a name that is none, or fewer than two left.
        """
        moved = {} if change.kind == "add" else {name: change.into for name in change.names if name != change.into}
        names = self._names_after(change, moved)
        try:
            check_classes(names)
        except StoreError as error:
            raise RefusedError(f"the classes cannot become {', '.join(names)}: {error}") from None
        earlier = ({**moved, **{old: moved.get(new, new) for old, new in known.items()}} for known in self.meanings)
        return ClassHistory(names, (*self.seqs, seq), (*earlier, moved))

    def _names_after(self, change: ClassChange, moved: Mapping[str, str]) -> tuple[str, ...]:
        if change.kind == "add":
            if there := [name for name in change.names if name in self.names]:
                raise RefusedError(f"there is a class {there[0]!r} already")
            return (*self.names, *change.names)
        for name in change.names:
            self._check_known(name)
        if change.kind == "rename":
            if change.into in self.names:
                raise RefusedError(f"there is a class {change.into!r} already; merge-labels makes one of two")
            return tuple(moved.get(name, name) for name in self.names)
        self._check_known(change.into)
        if not moved:
            raise RefusedError(f"a class cannot be merged into itself; name another than {change.into!r}")
        return tuple(name for name in self.names if name not in moved)

    def _check_known(self, name: str) -> None:
        if name not in self.names:
            hint = did_you_mean(name, self.names)
            raise RefusedError(f"there is no class {name!r}; {hint}the classes are {', '.join(map(repr, self.names))}")

    def meaning(self, name: str, seq: int) -> str:
        """What a class is called now that was called so as the event of this number came."""
        place = bisect_right(self.seqs, seq)
        return self.meanings[place].get(name, name) if place < len(self.meanings) else name

    def present(self, name: str | None) -> str | None:
        """The class that somebody means who may not know of the last changes; None for none.

        A name that two classes have had is the later one's.
        """
        if name is None or name in self.names:
            return name
        return next((known[name] for known in reversed(self.meanings) if name in known), None)

    def distribution(self, probabilities: Mapping[str, float], seq: int) -> dict[str, float]:
        """Probabilities by present class, of a model that knew the classes of an event; merged ones add up."""
        found: dict[str, float] = defaultdict(float)
        for name, probability in probabilities.items():
            found[self.meaning(name, seq)] += probability
        return dict(found)
