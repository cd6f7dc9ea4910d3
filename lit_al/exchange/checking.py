"""Answers from a file held against what was asked: all of them are taken, or none."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lit_al.exceptions import DataError
from lit_al.exchange.shapes import Given, Reply
from lit_al.record import sha256_of
from lit_al.record.matching import matched
from lit_al.utils.cells import id_word
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.readers import check_text, shown
from lit_al.utils.terminal_text import first_line

SKIP = "skip"
PROBLEMS_SHOWN = 10
_PUT_BACK = "put the original back, or leave the row out"
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
        keys: the texts by ids of the user's own.
        id_column: of the file, where these ids decide which text a row is about; None where the text does.
    """

    texts: Mapping[int, str]
    classes: tuple[str, ...]
    annotator: str
    keys: Mapping[str, int] = field(default_factory=dict)
    id_column: str | None = None


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
    unknown = 0
    rows = list(rows)
    for row, item in zip(rows, _items(rows, asked), strict=True):
        try:
            if item is None and _says_nothing(row):
                unknown += 1
            else:
                replies.append(_reply(row, item, asked))
        except DataError as error:
            problems.append(str(error))
    said, contradictions = _once(replies)
    refuse(problems + contradictions, path)
    unanswered = sum(not reply.answered for reply in replies)
    repeated = len(replies) - unanswered - sum(reply.answered for reply in said)
    return Checked(tuple(reply for reply in said if reply.answered or reply.note), unanswered + unknown, repeated)


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


def _reply(row: Given, item: int | None, asked: Asked) -> Reply:
    if item is None:
        raise _unknown(row, asked)
    _check_unedited(row, asked.texts[item])
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
    )


def id_of(value: object) -> int | None:
    """The id of a text, as JSON or a cell has it; None for anything else."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _items(rows: Sequence[Given], asked: Asked) -> list[int | None]:
    """Which text each row is about; None for one that was not asked.

    The user's own id decides, where it was named. Else what a row holds does: the sha256 of the text that was asked, or
    the text itself. Nowhere does the place of a row or of a text. Copies are told apart by an id that both sides have,
    or taken in their order.
    """
    by_id = [asked.keys.get(id_word(row.key)) for row in rows]
    if asked.id_column is not None:
        return by_id
    proofs = [_proof(row) for row in rows]
    sure = [
        item if item is not None and proof in (None, asked.texts[item]) else None
        for item, proof in zip(by_id, proofs, strict=True)
    ]
    names = list(_names(rows, proofs, sure))
    wanted = ((name, proof) for name, proof in zip(names, proofs, strict=True) if proof is not None)
    found = matched(wanted, asked.texts)
    last = {sha256: item for item, sha256 in asked.texts.items()}  # for rows that say again what others say
    return [
        item if item is not None or proof is None else found.get((name, proof), last.get(proof))
        for item, name, proof in zip(sure, names, proofs, strict=True)
    ]


def _proof(row: Given) -> str | None:
    """The sha256 of the text that a row is about, as far as it says; None where it does not."""
    if row.sha256 is not None and row.sha256 != "":
        return row.sha256 if isinstance(row.sha256, str) else None
    try:
        return sha256_of(row.text) if isinstance(row.text, str) else None
    except UnicodeEncodeError:
        return None


def _names(rows: Iterable[Given], proofs: Iterable[str | None], sure: Iterable[int | None]) -> Iterator[Hashable]:
    """What tells copies of a text apart: their number in the run, or how many of them an annotator had before."""
    before: Counter[tuple[str | None, object]] = Counter()
    for row, proof, item in zip(rows, proofs, sure, strict=True):
        number = id_of(row.id) if item is None else item
        if number is not None:
            yield number
            continue
        yield f"#{before[proof, row.annotator]}"
        before[proof, row.annotator] += 1


def _says_nothing(row: Given) -> bool:
    return all(value is None or value == "" for value in (row.label, row.action, row.note))


def _unknown(row: Given, asked: Asked) -> DataError:
    """Why nobody knows which text a row is about."""
    number, word = id_of(row.id), id_word(row.key)
    says_text = row.text is not None or (row.sha256 is not None and row.sha256 != "")
    if asked.id_column is not None or (word and not says_text):
        return DataError(f"{row.at('key')}: " + (f"no text of the run has the id {word!r:.60}" if word else "no id"))
    if not says_text:
        return DataError(f"{row.where}: neither lit_al_sha256 nor text is there, so that nobody knows what was read")
    if row.id is not None and row.id != "" and number is None:
        return DataError(f"{row.at('id')}: {_brief(row.id)} is no id of a text; copy the lit_al_id of the question")
    if number is not None and number not in asked.texts:
        return DataError(f"{row.at('id')}: text {number} was not asked here; is the file of another run?")
    which = "a" if number is None else "the"
    if row.sha256 is not None and row.sha256 != "":
        return DataError(f"{row.at('sha256')}: the sha256 is not that of {which} text that was asked; {_PUT_BACK}")
    check_text(row.text, row.at("text"))
    if number is None:
        return DataError(f"{row.at('text')}: this text was not asked here; {_PUT_BACK}")
    return DataError(f"{row.at('text')}: the text was edited; {_PUT_BACK}")


def _check_unedited(row: Given, sha256: str) -> None:
    """Refuse a row that holds another text than was asked.

    Spreadsheets rewrite the line breaks within a cell; where the sha256 has come back, such a text is still the same.
    """
    claimed = row.sha256 if row.sha256 != "" else None
    if claimed is not None and claimed != sha256:
        raise DataError(f"{row.at('sha256')}: the sha256 is not that of the text that was asked; {_PUT_BACK}")
    if row.text is None:
        return
    text = check_text(row.text, row.at("text"))
    if sha256_of(text) != sha256 and (claimed is None or sha256 not in _with_other_line_breaks(text)):
        raise DataError(f"{row.at('text')}: the text was edited; {_PUT_BACK}")


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
