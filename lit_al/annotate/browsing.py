"""All texts of a run, searched and filtered, with what was said of them: by oneself, or for the owner by everybody."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from lit_al.exceptions import RefusedError
from lit_al.record import Item, Record
from lit_al.record.search import Only, Opinions, Search, found, said
from lit_al.record.suspected import kept

SHOWN: Final = 280  # characters of a text in a row
BEFORE: Final = 60  # of these, before the words that were searched for
LONGEST_WORDS: Final = 500  # characters that can be searched for
OWNERS: Final = ("disagreement", "settled", "suspect")  # filters that tell what others have said


class Browsing:
    """Pages of texts.

    Args:
        record: of the run.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    def rows(self, annotator: str, asked: Mapping[str, str], after: int, n: int, *, owner: bool) -> dict[str, Any]:
        """The next texts, as JSON, and where to go on; they may be fewer than wanted, or none, with more to come.

        Args:
            annotator: who asks.
            asked: `q`, `label`, `annotator` and `only`, as of `Search`; `only` may be `suspect`, too.
            after: id of a text, to go on behind it; -1 at the start.
            n: texts at most.
            owner: they may see what others said.

        Raises:
            RefusedError: a filter that there is not, or that is not for them.
        """
        search = self._search(annotator, asked, owner=owner)
        texts, last = found(self._record, search, after, n)
        known = said(self._record, [item.id for item in texts])
        groups = self._record.groups()
        rows = [
            {
                **self._row(item, known[item.id], annotator, search.words, owner=owner),
                "copy_of": groups.first_of(item.id),
            }
            for item in texts
        ]
        return {"rows": rows, "next": last}

    def _search(self, annotator: str, asked: Mapping[str, str], *, owner: bool) -> Search:
        only = asked.get("only", "")
        if only not in (*get_args(Only), "suspect"):
            raise RefusedError(f"only is one of {', '.join(get_args(Only)[1:])} and suspect")
        whose = asked.get("annotator", "") if owner else annotator
        if not owner and (only in OWNERS or asked.get("annotator", annotator) not in ("", annotator)):
            raise RefusedError("what others said is for the owner of the run alone")
        if len(asked.get("q", "")) > LONGEST_WORDS:
            raise RefusedError(f"at most {LONGEST_WORDS} characters can be searched for")
        among = [one.item for one in kept(self._record).found] if only == "suspect" else None
        plain: Any = "" if only == "suspect" else only
        return Search(asked.get("q", ""), asked.get("label", ""), whose, plain, among)

    def _row(self, item: Item, known: Opinions, annotator: str, words: str, *, owner: bool) -> dict[str, Any]:
        answers = [(name, label) for name, label, _ in known.answers if owner or name == annotator]
        flags = sorted(known.flags if owner else known.flags & {annotator})
        notes = {name: note for name, note in known.notes.items() if owner or name == annotator}
        verdict = known.verdict(self._record.resolve) if owner else None
        text = item.text or ""
        return {
            "item": item.id,
            "text": snippet(text, words),
            "answers": answers,
            "label": verdict.label if verdict else _own(answers),
            "settled_by": verdict.settled_by if verdict else "",
            "conflict": verdict is not None and verdict.open,
            "flags": flags,
            "notes": notes,
        }


def snippet(text: str, words: str) -> str:
    """A piece of a text on one line, around the words that were searched for.

    >>> snippet("It is  so.", "")
    'It is so.'
    >>> snippet("a " * 150 + "Gem " + "b " * 200, "gem")[:9], snippet("a " * 400, "")[-5:]
    ('… a a a a', 'a a …')
    """
    place = text.casefold().find(words.casefold()) if words else 0
    start = text.find(" ", max(0, place - BEFORE), place) + 1 if place > SHOWN - BEFORE else 0
    piece = " ".join(text[start : start + SHOWN].split())
    return ("… " if start else "") + piece + (" …" if start + SHOWN < len(text) else "")


def _own(answers: Iterable[tuple[str, str | None]]) -> str | None:
    return next((label for _, label in answers), None)
