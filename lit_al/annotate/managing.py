"""`lit-al project`: which runs there are, one of them deleted or changed while people label."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lit_al.annotate.trainer import LOCK_FILE
from lit_al.exceptions import ConfigError, LitALError
from lit_al.record import RECORD_FILE, OwnerLock, Record
from lit_al.record.lock import OWNER_FILE, held_by
from lit_al.utils.folders import read_results
from lit_al.utils.links import check_links, strangers
from lit_al.utils.options import CorpusOptions, RunOptions, again, flag, run_option
from lit_al.utils.terminal_text import counted

_RESULTS = "results.json"


_TAKE: dict[str, tuple[int, str]] = {  # names that each takes at least, and what they are
    "list": (0, ""),
    "delete": (0, ""),
    "add-texts": (1, "FILE"),
    "add-label": (1, "NAME ..."),
    "rename-label": (2, "OLD NEW"),
    "merge-labels": (2, "OLD ... INTO"),
    "remove-annotator": (1, "NAME"),
}
_ANY = ("add-label", "merge-labels")  # more of them, too


@dataclass(frozen=True)
class ProjectOptions(RunOptions):
    """Which run, and what is to be done with it."""

    run: Path = run_option(Path("lightning_logs"), "Folder of a run; for list, of many.", "RUN", positional=True)
    do: Literal["list", "delete", "add-texts", "add-label", "rename-label", "merge-labels", "remove-annotator"] = (
        run_option(
            "list",
            "list: what runs hold; delete: the run with all its labels; add-texts: those of a file that the run lacks; "
            "add-label: further classes; rename-label: a class, in all answers; merge-labels: classes into one; "
            "remove-annotator: their link works no more.",
            "list|delete|add-texts|add-label|rename-label|merge-labels|remove-annotator",
            positional=True,
        )
    )
    names: tuple[str, ...] = run_option(
        (),
        "add-texts FILE, add-label NAME ..., rename-label OLD NEW, merge-labels OLD ... INTO, remove-annotator NAME.",
        "NAME",
        positional=True,
    )
    with_labels: bool = run_option(False, "With remove-annotator: their labels and skips are taken back too.")
    yes: bool = run_option(False, "With delete: do not ask.")
    text_column: str | None = again(CorpusOptions, "text_column", None)
    encoding: str | None = again(CorpusOptions, "encoding", None)
    separator: str | None = again(CorpusOptions, "separator", None)
    no_header: bool = again(CorpusOptions, "no_header", False)

    def __post_init__(self) -> None:
        least, what = _TAKE[self.do]
        if len(self.names) < least or (len(self.names) > least and self.do not in _ANY):
            raise ConfigError(f"{self.do} takes {what or 'no name'}; give lit-al project RUN {self.do} {what}".rstrip())
        if self.with_labels and self.do != "remove-annotator":
            raise ConfigError("--with-labels is for remove-annotator; leave it out")
        if self.yes and self.do != "delete":
            raise ConfigError("--yes is for delete; leave it out")
        for name in ("text_column", "encoding", "separator", "no_header"):
            if getattr(self, name) not in (None, False) and self.do != "add-texts":
                raise ConfigError(f"{flag(name)} is for add-texts; leave it out")


def manage(asked: ProjectOptions, say: Callable[[str], object], read: Callable[[], str]) -> None:
    """Do what is asked, and say what was done.

    Raises:
        LitALError: it cannot be done; nothing was then.
    """
    if asked.do == "list":
        for line in listed(asked.run):
            say(line)
    elif asked.do == "delete":
        delete(asked.run, say, None if asked.yes else read)
    else:
        with Record.open(asked.run) as record:
            say(_changed(record, asked))


def _changed(record: Record, asked: ProjectOptions) -> str:
    """Change what a project holds; what was done, in words."""
    from lit_al.annotate.changes import add_texts, change_classes, owner_of, remove_annotator  # which load numpy
    from lit_al.data import load_corpus
    from lit_al.record.class_history import ClassChange

    names = asked.names
    match asked.do:
        case "remove-annotator":
            return remove_annotator(record, names[0], with_labels=asked.with_labels)
        case "add-texts":
            how = {name: getattr(asked, name) for name in ("text_column", "encoding", "separator", "no_header")}
            return add_texts(record, load_corpus(names[0], classes=record.classes, **how))
        case "add-label":
            change = ClassChange("add", names)
        case "rename-label":
            change = ClassChange("rename", names[:1], names[1])
        case _:
            change = ClassChange("merge", names[:-1], names[-1])
    return change_classes(record, change, owner_of(record))


# --- List -------------------------------------------------------------------------------------------------------------


def listed(folder: Path) -> Iterator[str]:
    """A line for the run, or for each run in a folder of runs.

    Raises:
        ConfigError: there is none.
    """
    try:
        folders = [folder] if _is_run(folder) else sorted(one for one in folder.iterdir() if _is_run(one))
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror or error}; give the folder of your runs") from None
    if not folders:
        raise ConfigError(f"{folder} holds no run; give the folder that your runs lie in")
    for one in folders:
        yield f"{one}: {_described(one)}"


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (RECORD_FILE, _RESULTS))


def _described(folder: Path) -> str:
    """What a run holds, or why that cannot be said."""
    try:
        if (folder / RECORD_FILE).is_file():
            with Record.open(folder, check=False) as record:
                if record.count_texts():
                    return _of_people(record, folder)
        found = read_results(folder)
        return f"{found['mode']} of {found['data']['source']}, {found['status']}"
    except LitALError as error:
        return str(error)
    except (OSError, KeyError, TypeError):
        return "it cannot be read"


def _of_people(record: Record, folder: Path) -> str:
    answers, model = record.answers(), record.newest_model()
    labels = Counter(answer.annotator for answer in answers if answer.label is not None)
    people = sorted({*record.annotators(), *labels})
    holder = held_by(folder)
    last = next((event.server_time for event in record.events(record.last_seq() - 1)), "")
    parts = [
        f"{record.count_texts():,} texts",
        f"{len(record.classes)} classes",
        counted(labels.total(), "label"),
        "by " + ", ".join(f"{name} ({labels[name]:,})" for name in people) if people else "by nobody",
        "no model" if model is None else f"model {model.version} of {model.labels:,} labels",
        f"in use by {holder}" if holder else "not in use",
        f"last answer {last[:16].replace('T', ' ')} UTC" if last else "no answer",
    ]
    return ", ".join(parts)


# --- Delete -----------------------------------------------------------------------------------------------------------


def delete(folder: Path, say: Callable[[str], object], read: Callable[[], str] | None) -> None:
    """Delete a run, after its name was typed.

    Args:
        folder: of the run.
        say: prints a line.
        read: returns what was typed; None where nobody need be asked.

    Raises:
        ConfigError: it is no run, holds what is not of a run, or the name was not typed.
        RunError: it is reached through a link, or holds one.
        InUseError: somebody is at it.
    """
    if folder.is_symlink():
        raise ConfigError(f"{folder} is a symbolic link; give the folder itself")
    if not _is_run(folder):
        raise ConfigError(f"{folder} is no run; lit-al project {folder.parent} list shows those that there are")
    check_links(folder)
    if others := strangers(folder):
        raise ConfigError(f"{folder} holds {others[0]}, which is no file of a run; move it away first")
    words = _described(folder)
    with ExitStack() as locks:
        for name in (OWNER_FILE, LOCK_FILE):
            locks.enter_context(OwnerLock(folder, "lit-al project delete", name))
        say(f"{folder}: {words}")
        if read is not None:
            say(f"type {folder.resolve().name} to delete it for good:")
            if read() != folder.resolve().name:
                raise ConfigError("nothing was deleted: that is not the name of the run; --yes does not ask")
        shutil.rmtree(folder)  # which takes links away, and follows none
    say(f"deleted: {folder}")


def typed() -> str:
    """A line from the keyboard; "" where there is none."""
    with suppress(EOFError):
        return input().strip()
    return ""
