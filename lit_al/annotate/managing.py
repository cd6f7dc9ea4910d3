"""`lit-al project`: which runs there are, one of them deleted, somebody let in no more."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid5

from lit_al.annotate.trainer import LOCK_FILE
from lit_al.exceptions import ConfigError, LitALError
from lit_al.record import RECORD_FILE, Action, NewEvent, OwnerLock, Record
from lit_al.record.lock import OWNER_FILE, held_by
from lit_al.utils.folders import read_results
from lit_al.utils.links import check_links, strangers
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.options import RunOptions, run_option
from lit_al.utils.terminal_text import counted

_RESULTS = "results.json"


@dataclass(frozen=True)
class ProjectOptions(RunOptions):
    """Which run, and what is to be done with it."""

    run: Path = run_option(Path("lightning_logs"), "Folder of a run; for list, of many.", "RUN", positional=True)
    do: Literal["list", "delete", "remove-annotator"] = run_option(
        "list",
        "list: what runs hold; delete: the run with all its labels; remove-annotator: their link works no more.",
        "list|delete|remove-annotator",
        positional=True,
    )
    name: str | None = run_option(None, "Of the annotator to be removed.", "NAME", positional=True)
    with_labels: bool = run_option(False, "With remove-annotator: their labels and skips are taken back too.")
    yes: bool = run_option(False, "With delete: do not ask.")

    def __post_init__(self) -> None:
        if (self.name is not None) != (self.do == "remove-annotator"):
            raise ConfigError("give the name of an annotator with remove-annotator, and with nothing else")
        if self.with_labels and self.do != "remove-annotator":
            raise ConfigError("--with-labels is for remove-annotator; leave it out")
        if self.yes and self.do != "delete":
            raise ConfigError("--yes is for delete; leave it out")


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
        assert asked.name is not None  # as the options say
        say(remove_annotator(asked.run, asked.name, with_labels=asked.with_labels))


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


# --- Remove an annotator ----------------------------------------------------------------------------------------------


def remove_annotator(folder: Path, name: str, *, with_labels: bool) -> str:
    """Let somebody in no more, also while the page is served; what was done, in words.

    Raises:
        ConfigError: nobody of this name.
        StoreError: it cannot be written.
    """
    with Record.open(folder) as record:
        known = sorted({*record.annotators(), *(event.annotator for event in record.events())})
        if name not in known:
            raise ConfigError(
                f"{folder} has no annotator {name!r}; {did_you_mean(name, known)}there are {', '.join(known)}"
            )
        record.remove_annotator(name)
        given = sum(answer.label is not None for answer in record.answers(name))
        if not with_labels:
            return f"{name} is let in no more; their labels stay: {given:,} (--with-labels takes them back)"
        while standing := record.answers(name):  # below an answer may lie an earlier one
            record.append_all(
                [
                    NewEvent(
                        str(uuid5(UUID(record.run_id), f"removed:{answer.uuid}")),
                        answer.item,
                        name,
                        Action.UNDO,
                        undoes=answer.uuid,
                        source="project",
                    )
                    for answer in standing
                ]
            )
    return f"{name} is let in no more; labels taken back: {given:,}"


def typed() -> str:
    """A line from the keyboard; "" where there is none."""
    with suppress(EOFError):
        return input().strip()
    return ""
