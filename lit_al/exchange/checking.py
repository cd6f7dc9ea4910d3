"""Answers from a file held against what was asked: all of them are taken, or none."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lit_al.exceptions import DataError
from lit_al.exchange.shapes import Given, Reply
from lit_al.record import sha256_of
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.readers import check_text, shown
from lit_al.utils.terminal_text import first_line

SKIP = "skip"
PROBLEMS_SHOWN = 10
_ID = re.compile("-?[0-9]{1,18}")


@dataclass(frozen=True)
class Checked:
    """Answers that can be believed.

    Attributes:
        replies: without repetitions, in the order of the file.
        unanswered: rows without an answer.
        repeated: rows that said what an earlier one says.
    """

    replies: tuple[Reply, ...]
    unanswered: int
    repeated: int


@dataclass(frozen=True)
class Asked:
    """What the answers of a file are held against.

    Attributes:
        texts: sha256 of each text that was asked, by id.
        classes: the names of the labels; no other is taken.
        annotator: who answered where the file does not say.
        force: take answers to edited texts, and mark them.
    """

    texts: Mapping[int, str]
    classes: tuple[str, ...]
    annotator: str
    force: bool = False


def check_answers(rows: Iterable[Given], asked: Asked, path: object) -> Checked:
    """The answers of a file, if all of its rows are sound.

    Raises:
        DataError: rows that are not: up to ten of them with their places, and how many there are.

    >>> asked = Asked({7: sha256_of("so so")}, ("neg", "pos"), "ann")
    >>> check_answers([Given("a.csv, line 2", "7", sha256_of("so so"), label="pos")], asked, "a.csv").replies[0].label
    'pos'
    >>> check_answers([Given("a.csv, line 2", "7", sha256_of("so so"), label="Pos")], asked, "a.csv")
    Traceback (most recent call last):
    lit_al.exceptions.DataError: a.csv, line 2: the label is 'Pos', did you mean 'pos'? Nothing was taken
    """
    replies: list[Reply] = []
    problems: list[str] = []
    for row in rows:
        try:
            replies.append(_reply(row, asked))
        except DataError as error:
            problems.append(str(error))
    said, contradictions = _once(replies)
    refuse(problems + contradictions, path)
    unanswered = sum(not reply.answered for reply in replies)
    repeated = len(replies) - unanswered - sum(reply.answered for reply in said)
    return Checked(tuple(reply for reply in said if reply.answered or reply.note), unanswered, repeated)


def refuse(problems: Sequence[str], path: object) -> None:
    """Say what is wrong with a file, if anything is.

    Raises:
        DataError: something is.
    """
    if not problems:
        return
    if len(problems) == 1:
        raise DataError(f"{problems[0].rstrip('.')}{'' if problems[0].endswith('?') else '.'} Nothing was taken")
    listed = [f"  {problem.removeprefix(f'{path}, ')}" for problem in problems[:PROBLEMS_SHOWN]]
    more = len(problems) - PROBLEMS_SHOWN
    listed += [f"  and {more:,} more"] if more > 0 else []
    raise DataError("\n".join([f"{path} has {len(problems):,} problems, and nothing was taken from it:", *listed]))


def _once(replies: Sequence[Reply]) -> tuple[list[Reply], list[str]]:
    """Each answer once, and what is said of those that contradict an earlier one."""
    first: dict[tuple[int, str], Reply] = {}
    kept: list[Reply] = []
    problems: list[str] = []
    for reply in replies:
        key = reply.item, reply.annotator
        if not reply.answered:
            kept.append(reply)
            continue
        before = first.setdefault(key, reply)
        if before is reply:
            kept.append(reply)
        elif (before.label, before.note) != (reply.label, reply.note):
            problems.append(
                f"{reply.where}: text {reply.item} is {reply.in_words()} here, but {before.in_words()} at "
                f"{before.where}, by the same annotator; keep one of them"
            )
    return kept, problems


def _reply(row: Given, asked: Asked) -> Reply:
    item = _item(row, asked)
    forced = _is_edited(row, asked.texts[item], asked.force)
    label, skipped = _answer(row, asked.classes)
    return Reply(
        row.where,
        item,
        _annotator(row) or asked.annotator,
        label,
        skipped,
        _words(row, "note"),
        row.time,
        row.lead_ms,
        _round(row),
        _suggestion(row, asked.classes),
        _probability(row),
        forced,
    )


def id_of(value: object) -> int | None:
    """The id of a text, as JSON or a cell has it; None for anything else."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _item(row: Given, asked: Asked) -> int:
    number = id_of(row.id)
    if number is None:
        raise DataError(f"{row.at('id')}: {_brief(row.id)} is no id of a text; copy the lit_al_id of the question")
    if number not in asked.texts:
        raise DataError(f"{row.at('id')}: text {number} was not asked here; is the file of another run?")
    return number


def _is_edited(row: Given, sha256: str, force: bool) -> bool:
    """Whether the text is another one than was asked.

    Spreadsheets rewrite the line breaks within a cell; where the sha256 has come back, such a text is still the same.
    """
    claimed = row.sha256 if row.sha256 != "" else None
    if claimed is None and row.text is None:
        raise DataError(f"{row.where}: neither lit_al_sha256 nor text is there, so that nobody knows what was read")
    if claimed is not None and claimed != sha256:
        return _edited(force, f"{row.at('sha256')}: the sha256 is not that of the text that was asked")
    if row.text is None:
        return False
    text = check_text(row.text, row.at("text"))
    if sha256_of(text) == sha256 or (claimed is not None and sha256 in _with_other_line_breaks(text)):
        return False
    return _edited(force, f"{row.at('text')}: the text was edited")


def _edited(force: bool, problem: str) -> bool:
    if not force:
        raise DataError(f"{problem}; put the original back, or take the answer all the same with lit-al import --force")
    return True


def _with_other_line_breaks(text: str) -> list[str]:
    plain = text.replace("\r\n", "\n")
    return [sha256_of(plain), sha256_of(plain.replace("\n", "\r\n"))]


def _answer(row: Given, classes: Sequence[str]) -> tuple[str | None, bool]:
    """The label, and whether the text was skipped."""
    skipped = row.action not in (None, "")
    if skipped and row.action != SKIP:
        raise DataError(f"{row.at('action')}: the action is {_brief(row.action)}; it is {SKIP!r} or empty")
    if row.label is None or row.label == "":
        return None, skipped
    if skipped:
        raise DataError(f"{row.at('label')}: a label and a skip at once; empty one of them")
    if not isinstance(row.label, str) or row.label not in classes:
        raise DataError(f"{row.at('label')}: the label is {_wrong(row.label, classes)}")
    return row.label, False


def _wrong(label: object, classes: Sequence[str]) -> str:
    """The label, why it is none, and which was probably meant; the set is never widened."""
    listed = f"the labels are {shown(classes)}"
    if isinstance(label, (list, tuple, dict)):
        return f"{_brief(label)}, but a text has one label, a string; {listed}"
    if not isinstance(label, str):
        meant = str(label) in classes
        return f"{_brief(label)} ({type(label).__name__}), not a string; " + (f'write "{label}"' if meant else listed)
    if not label.strip():
        return f"{label!r}, blanks alone; empty the cell if there is no answer yet"
    guess = did_you_mean(label, classes).rstrip()
    return f"{_brief(label)}, {guess}" if guess else f"{_brief(label)}, which is none; {listed}"


def _words(row: Given, name: str) -> str:
    value = getattr(row, name)
    return "" if value is None else check_text(value, row.at(name), name)


def _annotator(row: Given) -> str:
    name = _words(row, "annotator")
    if name != name.strip():
        raise DataError(f"{row.at('annotator')}: the annotator {name!r} has blanks around the name; take them away")
    return name


def _round(row: Given) -> int | None:
    try:
        return None if row.round is None or row.round == "" else int(str(row.round))
    except ValueError:
        raise DataError(f"{row.at('round')}: the round {_brief(row.round)} is no whole number") from None


def _suggestion(row: Given, classes: Sequence[str]) -> str | None:
    """What was shown, as far as this run can have shown it."""
    return row.suggestion if isinstance(row.suggestion, str) and row.suggestion in classes else None


def _probability(row: Given) -> float | None:
    try:
        probability = float(str(row.probability))
    except ValueError:
        return None
    return probability if 0 <= probability <= 1 else None


def _brief(value: object) -> str:
    return first_line(repr(value), 60)
