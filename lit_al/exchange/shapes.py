"""What goes out to other tools and what comes back, as small frozen records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lit_al.utils.terminal_text import counted

SCHEMA = 1  # of the JSON lines that this package writes


@dataclass(frozen=True)
class Question:
    """A text that someone is to label elsewhere.

    Attributes:
        id: of the text in its run.
        sha256: of the exact text.
        text: itself.
        suggestion: the class that the model gives it, if people are to see that.
        probability: that the model gives this class.
        round: that asks for it, in runs that have rounds.
        own: the user's own columns, by name.
    """

    id: int
    sha256: str
    text: str
    suggestion: str | None = None
    probability: float | None = None
    round: int | None = None
    own: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LabeledText:
    """A text that annotators have said something of, with the one label that they came to.

    Attributes:
        id: of the text in its run.
        sha256: of the exact text.
        text: itself.
        label: the class by name; None for a tie, or where nobody gave one.
        annotators: how many gave it any label.
        agree: of these, how many gave this one.
        notes: free words; behind the names of their annotators where there are several. None for none.
        flagged_by: who flagged it; None for nobody.
        skipped_by: who skipped it; None for nobody.
        own: the user's own columns, by name.
        copy_of: the text whose answer it is, where nobody has answered this one but its copy.
    """

    id: int
    sha256: str
    text: str
    label: str | None
    annotators: int = 1
    agree: int = 1
    notes: str | None = None
    flagged_by: str | None = None
    skipped_by: str | None = None
    own: Mapping[str, Any] = field(default_factory=dict)
    copy_of: int | None = None


@dataclass(frozen=True)
class Said:
    """What one annotator says of a text now.

    Attributes:
        id: of the text in its run.
        sha256: of the exact text.
        text: itself.
        annotator: who.
        label: the class by name; None for a skip.
        note: free words; "" for none.
        answered: there is a label or a skip, not a note or a flag alone.
        flagged: marked for somebody to look at.
        own: the user's own columns, by name.
    """

    id: int
    sha256: str
    text: str
    annotator: str
    label: str | None
    note: str = ""
    answered: bool = True
    flagged: bool = False
    own: Mapping[str, Any] = field(default_factory=dict)

    @property
    def skipped(self) -> bool:
        """It was looked at and left."""
        return self.answered and self.label is None


@dataclass(frozen=True, slots=True)  # a file may hold a million
class Given:
    """A row of answers as a file has it, of whatever types, before anything is believed.

    Attributes:
        where: its place, for messages.
        id: of the text in its run.
        sha256: of the text that was asked.
        text: as it came back; None where the file holds none.
        label: a class name; None or "" for no answer.
        action: "skip" for a text that was looked at and left; None or "" for none.
        note: free words.
        annotator: who; None or "" where the file does not say.
        time: by the annotator's clock.
        lead_ms: milliseconds between seeing and answering.
        round: that asked.
        suggestion: the class that was shown.
        probability: that was shown with it.
        key: id of the text in the user's own file.
        columns: of a table, by field, from 1, for messages.
    """

    where: str
    id: object = None
    sha256: object = None
    text: object = None
    label: object = None
    action: object = None
    note: object = None
    annotator: object = None
    time: str | None = None
    lead_ms: int | None = None
    round: object = None
    suggestion: object = None
    probability: object = None
    key: object = None
    columns: Mapping[str, int] = field(default_factory=dict, repr=False)

    def at(self, name: str) -> str:
        """The place of a field."""
        return f"{self.where}, column {self.columns[name]}" if name in self.columns else self.where


@dataclass(frozen=True, slots=True)  # a file may hold a million
class Reply:
    """A row of answers that has been checked.

    Attributes:
        where: its place, for messages.
        item: the text.
        annotator: who.
        label: the class by name; None without one.
        skipped: looked at and left.
        note: free words; "" for none.
        time: by the annotator's clock.
        lead_ms: milliseconds between seeing and answering.
        round: that asked.
        suggestion: the class that was shown.
        probability: that was shown with it.
    """

    where: str
    item: int
    annotator: str
    label: str | None = None
    skipped: bool = False
    note: str = ""
    time: str | None = None
    lead_ms: int | None = None
    round: int | None = None
    suggestion: str | None = None
    probability: float | None = None

    @property
    def answered(self) -> bool:
        """There is a label or a skip, not a note alone."""
        return self.skipped or self.label is not None

    def in_words(self) -> str:
        """The answer, for messages."""
        return "skipped" if self.skipped else repr(self.label)


@dataclass(frozen=True)
class Report:
    """What an import came to.

    Attributes:
        path: of the file.
        taken: labels that are new.
        settled: labels that are new and count above all answers.
        skipped: skips that are new.
        notes: that are new.
        others: events of other kinds that are new; an event log has them.
        unanswered: rows without an answer, to be answered later.
        repeated: rows that say again what an earlier row says.
        known: answers that the record had.
        per_class: of the labels taken or settled.
        changed: answers that gave way to others, by annotator.
        ties: texts that are now in conflict and have no label.
        dry_run: nothing was written.
    """

    path: str
    taken: int = 0
    settled: int = 0
    skipped: int = 0
    notes: int = 0
    others: int = 0
    unanswered: int = 0
    repeated: int = 0
    known: int = 0
    per_class: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    ties: int = 0
    dry_run: bool = False

    def in_words(self) -> str:
        """One line.

        >>> Report("a.csv", 3, skipped=1, unanswered=2, per_class={"neg": 1, "pos": 2}).in_words()
        'a.csv: 3 labels taken (neg 1, pos 2), 1 skipped, 2 not answered yet'
        """
        classes = ", ".join(f"{name} {count:,}" for name, count in self.per_class.items())
        how, number = ("settled", self.settled) if self.settled else ("taken", self.taken)
        parts = [f"{counted(number, 'label')} {how}" + (f" ({classes})" if number else "")]
        more = {
            "skipped": self.skipped,
            "with notes": self.notes,
            "of other events": self.others,
            "not answered yet": self.unanswered,
            "repeated": self.repeated,
            "on record before": self.known,
        }
        parts += [f"{count:,} {words}" for words, count in more.items() if count]
        words = [f"{self.path}: {', '.join(parts)}"]
        words += [f"{counted(count, 'answer')} of {name} changed" for name, count in self.changed.items()]
        words += [f"{counted(self.ties, 'text')} now without a label, by a tie"] if self.ties else []
        return "; ".join([*words, *(["dry run, nothing was written"] if self.dry_run else [])])


def columns_of(one: Question | LabeledText) -> dict[str, Any]:
    """A record by the names of its columns in a file, the user's own ones first.

    >>> columns_of(LabeledText(7, "9f…", "so so", "neg"))["lit_al_id"]
    7
    """
    ours = {f"lit_al_{name}" if name in ("id", "sha256") else name: value for name, value in vars(one).items()}
    return {**ours.pop("own"), **ours}


def listed(words: Mapping[str, str]) -> str | None:
    """What annotators say, by name: the words alone where one says something, None where nobody does.

    >>> listed({"ann": "odd"}), listed({"ann": "odd", "bob": "fine"}), listed({})
    ('odd', 'ann: odd; bob: fine', None)
    """
    if len(words) < 2:
        return next(iter(words.values()), None)
    return "; ".join(f"{name}: {said}" for name, said in words.items())
