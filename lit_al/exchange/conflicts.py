"""Texts on which annotators differ: said with every export, listed in a file of their own, and settled by it.

In that file `label` is empty where nobody has settled the text. Whoever decides fills it in, in a spreadsheet or a
script, and `lit-al import FILE --settles` takes it back.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lit_al.exceptions import ConfigError, DataError
from lit_al.exchange.carried import Carried, free_names
from lit_al.exchange.shapes import SCHEMA
from lit_al.exchange.writing import csv_bytes, jsonl_bytes, write_new
from lit_al.record import Item, Record, Resolve, TextVerdict
from lit_al.record.verdicts import conflicts
from lit_al.utils.terminal_text import counted

_OURS = ("lit_al_id", "lit_al_sha256", "text", "label", "state", "votes")
_BY_RULE = {
    "majority": "have the label given most often",
    "latest": "have the label given last",
}


def in_words(verdicts: Mapping[int, TextVerdict], resolve: Resolve, folder: Path) -> str:
    """How far annotators differ, and what came of it; "" where no text has labels of two.

    Args:
        verdicts: of all texts.
        resolve: that they were found by.
        folder: of the run.

    >>> two = {7: TextVerdict((("ann", "good"), ("bob", "bad")), None)}
    >>> in_words(two, "majority", Path("runs/reviews"))
    'annotators differ on 1 text: 1 without a label, by a tie; lit-al export runs/reviews --conflicts FILE lists them'
    """
    shared = [one for one in verdicts.values() if len(one.votes) > 1]
    differ = [one for one in shared if one.conflict]
    if not differ:
        return f"annotators differ on none of {counted(len(shared), 'text')} that several labeled" if shared else ""
    settled, without = sum(not one.open for one in differ), sum(one.tie for one in differ)
    parts = {"settled": settled, _BY_RULE.get(resolve, ""): len(differ) - settled - without}
    words = [f"{count:,} {what}" for what, count in parts.items() if count]
    if without:
        words.append(f"{without:,} without a label" + ("" if resolve == "drop" else ", by a tie"))
    listed = f"lit-al export {folder} --conflicts FILE lists them"
    return f"annotators differ on {counted(len(differ), 'text')}: {', '.join(words)}; {listed}"


def export_conflicts(
    record: Record, path: Path, resolve: Resolve | None = None, *, raw: bool = False, overwrite: bool = False
) -> str:
    """Write a file of the texts on which annotators differ, those that are still open first.

    Args:
        record: of the run.
        path: of the file, .csv or .jsonl.
        resolve: what is done about them; by default what the run does.
        raw: in CSV, leave cells that spreadsheets take for formulas as they are.
        overwrite: replace a file that stands there.

    Returns:
        What was written, in words.

    Raises:
        ConfigError: another suffix.
        DataError: a text that the record does not hold.
        RunError: the file is there already, or cannot be written.
    """
    if path.suffix.lower() not in (".csv", ".jsonl"):
        raise ConfigError(f"--conflicts {path} is to be filled in: end its name in .csv or .jsonl")
    found = conflicts(record.verdicts(resolve))
    own = Carried(record, labels=False)
    rows = [(own.of(item), item, found[item.id]) for item in record.items(found)]
    if path.suffix.lower() == ".csv":
        people = sorted({name for one in found.values() for name, _ in one.votes})
        others = [*own.names.values(), *_OURS]
        columns = dict(zip(people, free_names((f"by {name}" for name in people), others, "answer "), strict=True))
        header = [*own.names.values(), *_OURS, *columns.values()]
        cells = ({**dict.fromkeys(header), **beside, **_cells(item, one, columns)} for beside, item, one in rows)
        content = csv_bytes(header, cells, raw=raw)
    else:
        content = jsonl_bytes({**beside, **_line(item, one)} for beside, item, one in rows)
    write_new(path, content, overwrite=overwrite)
    still = sum(one.open for one in found.values())
    words = f"{counted(len(found), 'text')} on which annotators differ, {still:,} not settled, in {path}"
    if not still:
        return words
    return f"{words}; fill in the column label, then: lit-al import {record.path.parent} {path} --settles"


def _known(item: Item, one: TextVerdict) -> dict[str, Any]:
    """What both kinds of file say of a text."""
    if item.text is None:
        raise DataError(f"the record does not hold text {item.id}, as simulated runs do; export --format events")
    label = one.label if one.settled_by else None
    known = {"lit_al_id": item.id, "lit_al_sha256": item.sha256, "text": item.text, "label": label}
    return {**known, "state": _state(one)}


def _state(one: TextVerdict) -> str:
    if one.settled_by:
        return f"settled by {one.settled_by}"
    return "tie" if one.tie else f"{one.label} for now"


def _cells(item: Item, one: TextVerdict, columns: Mapping[str, str]) -> dict[str, Any]:
    votes = ", ".join(f"{label} {count}" for label, count in one.counts.items())
    return {**_known(item, one), "votes": votes, **{columns[name]: label for name, label in one.votes}}


def _line(item: Item, one: TextVerdict) -> dict[str, Any]:
    return {"schema_version": SCHEMA, **_known(item, one), "votes": one.counts, "answers": dict(one.votes)}
