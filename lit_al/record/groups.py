"""Copies of a text: of a group one text is asked, and the answer to it holds for all.

Answers stay what they are, events of the text that was shown. What holds for the others is a view of them, so that an
undo, a correction or a skip holds for them at once. What somebody has said of a copy itself counts before that.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from lit_al.exceptions import StoreError
from lit_al.record.checksums import checksum
from lit_al.record.entries import Action, Answer, Event
from lit_al.record.rankings import Rankings
from lit_al.record.verdicts import Resolve, verdict

KEY: Final = "copies"


@dataclass(frozen=True)
class TextGroups:
    """Which texts of a record are copies of one another.

    Attributes:
        members: of each group of two or more, by sha256: the first is asked, the others are not.
        exact: texts beyond the first that differ in case and blanks alone.
        near: further ones.
    """

    members: tuple[tuple[int, ...], ...] = ()
    exact: int = 0
    near: int = 0

    @cached_property
    def _first(self) -> dict[int, int]:
        return {item: group[0] for group in self.members for item in group}

    @cached_property
    def further(self) -> frozenset[int]:
        """Texts that are not asked, as another one is."""
        return frozenset(item for group in self.members for item in group[1:])

    def first_of(self, item: int) -> int:
        """The text that is asked for this one: itself, where it has no copies."""
        return self._first.get(item, item)

    def numbers(self, items: Sequence[int]) -> list[int]:
        """The group of each text, from 0."""
        found: dict[int, int] = {}
        return [found.setdefault(self.first_of(item), len(found)) for item in items]

    def sentence(self, fate: str) -> str:
        """How many copies there are, and what becomes of them; "" where there are none."""
        from lit_al.data.duplicates import copies_in_words  # which loads numpy

        return copies_in_words(self.exact, self.near, fate)

    def once(self, labels: Mapping[int, str]) -> dict[int, str]:
        """Labels without those that say again of a copy what is said of another."""
        kept = dict(labels)
        for group in self.members:
            said: set[str] = set()
            for item in group:
                if item in kept and kept[item] in said:
                    del kept[item]
                elif item in kept:
                    said.add(kept[item])
        return kept

    def first_labels(self, events: Iterable[Event]) -> dict[int, Event]:
        """The event that labeled each text or a copy of it first, by the text that is asked, in their order.

        No model had learned the text's label when it was shown then.
        """
        first: dict[int, Event] = {}
        for event in events:
            if event.action is Action.LABEL:
                first.setdefault(self.first_of(event.item), event)
        return first

    def of_each(self, answers: Iterable[Answer], resolve: Resolve, settled: Mapping[int, str]) -> dict[int, str]:
        """One label for each group that has one, by the text that is asked; a text without copies is one, too.

        Args:
            answers: of all texts, in the order of saying.
            resolve: where they differ.
            settled: labels that count above them, by text; they hold for its copies, too.
        """
        given: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for answer in answers:
            if answer.label is not None:
                given[self.first_of(answer.item)].append((answer.annotator, answer.label))
        found = {first: verdict(votes, None, resolve).label for first, votes in given.items()}
        found |= {self.first_of(item): label for item, label in settled.items()}
        return {first: label for first, label in found.items() if label is not None}

    def taken(self, answers: Sequence[Answer], settled: Mapping[int, str], labels: Mapping[int, str]) -> dict[int, int]:
        """For texts of which nobody has said anything, the copy whose label holds for them.

        Args:
            answers: of all texts, in the order of saying.
            settled: labels that count above them, by text.
            labels: what `of_each` made of both.

        Returns:
            The copy that was given the label first, by text.
        """
        answered = {*(answer.item for answer in answers), *settled}
        given = ((answer.item, answer.label) for answer in answers if answer.label is not None)
        sources: dict[int, int] = {}
        for item, label in (*given, *settled.items()):
            first = self.first_of(item)
            if label == labels.get(first):
                sources.setdefault(first, item)
        silent = ((item, group[0]) for group in self.members for item in group if item not in answered)
        return {item: sources[first] for item, first in silent if first in sources}


class Groups(Rankings):
    """The part of a record that knows copies; `Record` sets the settings."""

    settings: dict[str, Any]
    _groups: tuple[Any, TextGroups] = (None, TextGroups())

    def groups(self) -> TextGroups:
        """The groups of all texts that are there to be read; noted ones, or where there are none, found now."""
        with self.told():
            row = self.db.execute("SELECT updated, length(value) size FROM state WHERE key = ?", (KEY,)).fetchone()
            last = self.db.execute("SELECT max(id) FROM item").fetchone()[0]
        stamp = (row and tuple(row), last)
        if self._groups[0] != stamp:
            self._groups = stamp, self._noted(last) or self._found()
        return self._groups[1]

    def note_groups(self) -> None:
        """Find the groups and note them; where that cannot be written, whoever asks finds them again."""
        found = self._found()
        last = self.db.execute("SELECT max(id) FROM item").fetchone()[0]
        facts = {"last": last, "groups": found.members, "exact": found.exact, "near": found.near}
        with suppress(StoreError):
            self.set_state(KEY, {**facts, "sha256": checksum(facts)})

    def _noted(self, last: int | None) -> TextGroups | None:
        """What was noted, if it is as it was written, and of the texts that there are now."""
        with self.told():
            row = self.db.execute("SELECT value FROM state WHERE key = ?", (KEY,)).fetchone()
        with suppress(ValueError, KeyError, TypeError):
            facts = json.loads(row["value"])
            noted = facts.pop("sha256")
            if checksum(facts) == noted and facts["last"] == last:
                return TextGroups(tuple(map(tuple, facts["groups"])), facts["exact"], facts["near"])
        return None

    def _found(self) -> TextGroups:
        with self.told():
            query = "SELECT id, text FROM item WHERE text IS NOT NULL ORDER BY sha256, id"
            items = [(int(row["id"]), str(row["text"])) for row in self.db.execute(query)]
        if not items:
            return TextGroups()
        from lit_al.data.duplicates import CopyGroups  # which loads numpy

        found = CopyGroups.of([text for _, text in items], self.settings.get("copies") or "near")
        members = tuple(tuple(items[row][0] for row in rows) for rows in found.rows.values())
        return TextGroups(members, found.exact, found.near)
