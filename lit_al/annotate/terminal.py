"""`lit-al label`: the page's questions in a terminal, for ssh. One key, one answer, saved before the next question."""

import re
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from lit_al.annotate.background import training
from lit_al.annotate.names import FILE_ANNOTATOR, check_annotators, default_annotator
from lit_al.annotate.parting import parting
from lit_al.annotate.project import Project, corpus_of, guidelines_of, make_folder, open_project
from lit_al.annotate.project_options import LabelOptions
from lit_al.annotate.service import LabelingService
from lit_al.annotate.wording import QUEUE_WORDS
from lit_al.exceptions import ConfigError, InUseError, RefusedError
from lit_al.record import Action, Event, NewEvent, OwnerLock, Queued
from lit_al.utils.signals import ending
from lit_al.utils.terminal_text import plain

DIGITS = "1234567890"
SHOWN = 4_000  # characters of a text
BESIDE_LINES = 4  # of a cell beside it
COMMANDS = {"s": "skip", " ": "skip", "u": "undo", "\x7f": "undo", "\b": "undo", "n": "note", "f": "flag", "h": "help",
            "?": "help", "q": "quit", "\x04": "quit", "\x1a": "undo"}  # fmt: skip
HELP = (
    "a key or a label's name answers and goes on; s or space skips; u takes the last answer back, again and again; "
    "n writes a note, f flags the text; q ends"
)
Read = Callable[[str], str]


def label(options: LabelOptions, console: Console | None = None, read: Read | None = None) -> None:
    """Ask until everything is labeled, or until q.

    Args:
        options: the run, who labels, and whether a model is trained meanwhile.
        console: to show texts on.
        read: given what is asked for, returns a key or a line; by default from the keyboard, or from lines of standard
            input.

    Raises:
        LitALError: the run cannot be labeled.
    """
    console = console or Console()
    corpus = corpus_of(options)  # before there is a folder, so that a typo leaves none behind
    folder = make_folder(options)
    with ExitStack() as stack:
        begin_to_end = stack.enter_context(ending())
        alone = _own(stack, folder, console)
        project = stack.enter_context(open_project(options, folder, corpus))
        annotator = _annotator(project, options.annotator)
        project.record.add_annotator(annotator)
        stack.enter_context(training(folder, project.record, wanted=options.training and alone))
        service = LabelingService(
            project.record, project.name, training=options.training or not alone, source="terminal"
        )
        for note in project.notes:
            console.print(plain(note), highlight=False, markup=False)
        session = Session(service, annotator, console, read or reader(len(project.record.classes)))
        try:
            session.run()
            session.part(folder)
        except KeyboardInterrupt:
            begin_to_end()
            session.part(folder)
            raise
        finally:
            begin_to_end()
            service.release(annotator)


def _own(stack: ExitStack, folder: Path, console: Console) -> bool:
    """Own the run, unless a page serves it already; then label beside it."""
    try:
        stack.enter_context(OwnerLock(folder, "lit-al label"))
    except InUseError as error:
        console.print(f"{plain(error)}: labels go to the same run", highlight=False, markup=False)
        return False
    return True


def _annotator(project: Project, asked: str | None) -> str:
    known = [name for name in project.record.annotators() if name != FILE_ANNOTATOR]
    if asked is None and len(known) > 1:
        raise ConfigError(
            f"{project.name} has several annotators; say who you are with --annotator: {', '.join(known)}"
        )
    name = asked or (known or [default_annotator()])[0]
    check_annotators([name, *(one for one in known if one != name)])
    return name


class Session:
    """One annotator at a terminal.

    Args:
        service: of the run.
        annotator: who.
        console: to show texts on.
        read: gives the next key or line.
    """

    def __init__(self, service: LabelingService, annotator: str, console: Console, read: Read) -> None:
        self.service, self.annotator, self.console, self.read = service, annotator, console, read
        self.told = service.record.copies  # what is wrong with the second copies, said already
        self.back: list[Queued] = []  # texts whose answers were taken back, the last one on top

    @property
    def classes(self) -> tuple[str, ...]:
        """As they are now: somebody may change them meanwhile."""
        return self.service.record.classes

    def run(self) -> None:
        """Question after question."""
        for text in self._texts():
            self._show(text)
            since = time.monotonic()
            while (word := self._ask()) not in ("quit", "undo"):
                if self._did(word, text, since):
                    break
            if word == "quit":
                break
            if word == "undo":
                self.back.append(text)
                self._undo()
        self._left()

    def _texts(self) -> Iterator[Queued]:
        while True:
            if self.back:
                yield self.back.pop()
                continue
            found, state = self.service.queued(self.annotator, 1, [])
            if not found:
                self.console.print(QUEUE_WORDS[state], highlight=False)
                return
            yield found[0]

    def _show(self, queued: Queued) -> None:
        text = queued.item.text or ""
        shown = Text(plain(re.sub(r"<br ?/?>", "\n", text[:SHOWN], flags=re.IGNORECASE), lines=True))
        if len(text) > SHOWN:
            shown.append(f"\n… {len(text) - SHOWN:,} more characters", "dim")
        suggestion = _suggested(self.service.suggestion(queued))
        width = min(self.console.width, 84)
        for name, word in self.service.beside(queued.item):
            line = Text.assemble((f"{plain(name)}: ", "dim"), plain(" ".join(word.split())))
            line.truncate(BESIDE_LINES * width, overflow="ellipsis")
            self.console.print(line, width=width, overflow="fold")
        self.console.print(Panel(shown, subtitle=Text(suggestion), subtitle_align="left", padding=(1, 2), width=width))
        self.console.print(self._keys())

    def _keys(self) -> Text:
        line = Text()
        for place, name in enumerate(self.classes):
            key = DIGITS[place] if place < len(DIGITS) else "·"
            line.append(f" {key} ", "reverse").append(f" {plain(name)}   ", "bold")
        return line.append("s skip  u undo  n note  f flag  h help  q quit", "dim")

    def _ask(self) -> str:
        """A label's name behind "=", or what to do."""
        while True:
            try:
                given = self.read("> ")
            except EOFError:
                return "quit"
            word = meaning(given, self.classes)
            if word is not None:
                return word
            self.console.print("that is no key here; h shows them", style="yellow")

    def _did(self, word: str, text: Queued, since: float) -> bool:
        """Do it; is the question answered?"""
        if word == "help":
            self._help()
        elif word == "note":
            self._save(text, Action.NOTE, note=self.read_line("note: "))
        elif word == "flag":
            flagged = (text.item.id, self.annotator) in self.service.record.flags()
            self._save(text, Action.UNFLAG if flagged else Action.FLAG)
        else:
            given = None if word == "skip" else word[1:]
            lead = int(1_000 * (time.monotonic() - since))
            event = self._save(text, Action.SKIP if given is None else Action.LABEL, label=given, lead_ms=lead)
            self._thought(event)
            return True
        return False

    def read_line(self, prompt: str) -> str:
        """A whole line, for a note; empty at the end of the input."""
        try:
            return self.console.input(prompt, markup=False)
        except EOFError:
            return ""

    def _save(
        self, text: Queued, action: Action, *, label: str | None = None, note: str | None = None,
        lead_ms: int | None = None, undoes: str | None = None,
    ) -> Event:  # fmt: skip
        """On the disk when this returns; the terminal says so."""
        event = NewEvent(uuid4().hex, text.item.id, self.annotator, action, label, note, undoes,
                         generation=text.generation, lead_ms=lead_ms, source="terminal")  # fmt: skip
        saved = self.service.append(event)
        status = self.service.status(self.annotator)
        said = plain(label) if label else action.value
        self.console.print(f"saved {status['saved']:,}: {said}", style="green", highlight=False, markup=False)
        if status["copies"] != self.told:
            self.told = status["copies"]
            self.console.print(self.told, style="yellow", highlight=False, markup=False)
        return saved

    def _thought(self, event: Event) -> None:
        if event.predicted is not None and not self.service.shows:
            thought = f"the model thought: {plain(event.predicted)} ({event.probability or 0:.0%})"
            self.console.print(thought, style="dim", highlight=False, markup=False)

    def _undo(self) -> None:
        """Take the last answer back; its text is asked for again."""
        last = next(iter(self.service.record.history(self.annotator, 1)), None)
        if last is None:
            self.console.print("there is no answer to take back", style="yellow")
            return
        text = Queued(self.service.record.item(last.item), last.generation)
        try:
            self._save(text, Action.UNDO, undoes=last.uuid)
        except RefusedError as error:
            self.console.print(plain(error), style="yellow", markup=False)
        self.back.append(text)

    def _help(self) -> None:
        guidelines = guidelines_of(self.service.record)
        if guidelines:
            self.console.print(Text(plain(guidelines, lines=True)))
        self.console.print(HELP, highlight=False)

    def _left(self) -> None:
        status = self.service.status(self.annotator)
        for sentence in (status["words"]["done"], status["words"]["estimate"], status["words"]["advice"]):
            if sentence:
                self.console.print(plain(sentence), highlight=False, markup=False)

    def part(self, folder: Path) -> None:
        """What is saved, where the model is, and the next command."""
        for line in parting(self.service.record, folder):
            self.console.print(plain(line), highlight=False, markup=False, soft_wrap=True)


def meaning(given: str, classes: Sequence[str]) -> str | None:
    """What a key or a line stands for: a command, "=" and a label, or None for nothing.

    >>> meaning("2", ("negative", "positive")), meaning("pos", ("negative", "positive")), meaning("u", ("a", "b"))
    ('=positive', '=positive', 'undo')
    """
    line = given if given in COMMANDS else given.strip()
    named = [name for name in classes if name.lower() == line.lower()]
    named = named or [name for name in classes if len(line) > 1 and name.lower().startswith(line.lower())]
    if len(named) == 1:
        return f"={named[0]}"
    if len(line) == 1 and line in DIGITS[: len(classes)]:
        return f"={classes[DIGITS.index(line)]}"
    command = COMMANDS.get(line.lower(), line.lower())
    return command if command in COMMANDS.values() else None


def reader(classes: int) -> Read:
    """Keys from a keyboard; lines where there is none, or where there are more labels than keys."""
    return _read_key if sys.stdin.isatty() and classes <= len(DIGITS) else input


def _read_key(prompt: str) -> str:
    print(prompt, end="", flush=True)
    with _one_key_at_a_time():
        key = sys.stdin.read(1)
        if key == "\x1b":  # an arrow or a function key: what follows belongs to it
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
    print()
    if not key:
        raise EOFError
    return key


@contextmanager
def _one_key_at_a_time() -> Iterator[None]:
    """Without waiting for Enter; Ctrl-C still interrupts."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _suggested(found: Mapping[str, Any] | None) -> str:
    """What a model suggests, before the answer; "" where nothing is shown."""
    if found is None:
        return ""
    sure = "" if found["probability"] is None else f" ({found['probability']:.0%})"
    who = "the model" if found["source"] == "model" else plain(found["source"])
    return f"{who}: {plain(found['label'])}{sure}"
