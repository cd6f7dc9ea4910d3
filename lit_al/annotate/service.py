"""What the page and the terminal ask of the record: the next texts, answers taken, progress.

What the model had said of a text is never taken from a client: it is looked up in the ranking that the client names.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from lit_al.annotate.adjudication import Adjudication
from lit_al.annotate.browsing import Browsing
from lit_al.annotate.changes import asked_by_owner
from lit_al.annotate.counters import Tally
from lit_al.annotate.live_figures import LiveFigures
from lit_al.annotate.schemas import read_event
from lit_al.annotate.suggesting import as_json
from lit_al.annotate.wording import QUEUE_WORDS, described, progress_words
from lit_al.annotate.writer import Writer
from lit_al.exceptions import ConflictError, RefusedError, StoreError
from lit_al.record import Event, Generation, Item, NewEvent, Queued, Record
from lit_al.record.audit import REASON as AUDITED
from lit_al.record.groups import TextGroups
from lit_al.record.own_columns import OwnColumns
from lit_al.record.search import said

MOST_HELD = 50  # texts or events in one request
CLIPPED_AT = 20_000  # characters of a text that are sent unasked
BESIDE_AT = 2_000  # characters of a cell beside it that are shown


class LabelingService:
    """One record, for any number of annotators at once.

    Args:
        record: of the run.
        name: of the run, for people.
        owner: who sees what all annotators say, and settles where they differ; None for nobody.
        training: a model is being trained meanwhile.
        source: noted with each answer: page or terminal.
    """

    def __init__(
        self, record: Record, name: str, *, owner: str | None = None, training: bool = True, source: str = "page"
    ) -> None:
        self.record, self.name, self.owner, self.training, self.source = record, name, owner, training, source
        self.overlap = int(record.settings.get("overlap", 1))
        self.shows = bool(record.settings.get("show_suggestions", False))
        self._own = OwnColumns.of(record)
        # SQLite lets writers sleep until one finds the file free; here one thread writes for all.
        self._writer = Writer(record)
        self._tally = Tally(record)
        self._generations: dict[int, Generation] = {}
        self._figures = LiveFigures(record)
        self.browsing = Browsing(record)
        self.adjudication = Adjudication(record, self._text)
        self._counted: tuple[TextGroups | None, int] = (None, 0)

    def is_owner(self, annotator: str) -> bool:
        """May they see what others said, and settle?"""
        return annotator == self.owner

    @property
    def total(self) -> int:
        """Texts that are asked for, a text and its copies as one; more may be added meanwhile."""
        groups = self.record.groups()
        if self._counted[0] is not groups:
            self._counted = groups, self.record.count_items() - len(groups.further)
        return self._counted[1]

    # --- Out ----------------------------------------------------------------------------------------------------------

    def queued(self, annotator: str, n: int, held: Collection[int]) -> tuple[list[Queued], str]:
        """The next texts, and the state of the queue."""
        found: tuple[list[Queued], str] = self._writer.call(
            lambda: self.record.next_items(annotator, n, overlap=self.overlap, exclude=held)
        )
        return found

    def next(self, annotator: str, n: int, held: Collection[int]) -> dict[str, Any]:
        """The next texts as JSON; `words` says why there are none."""
        found, state = self.queued(annotator, n, held)
        self._tally.refresh()
        items = [self._shown(annotator, one) for one in found]
        return {"items": items, "state": state, "words": QUEUE_WORDS[state]}

    def _shown(self, annotator: str, queued: Queued) -> dict[str, Any]:
        text = self._text(annotator, queued.item)
        return {**text, "generation": queued.generation, "suggestion": self.suggestion(queued)}

    def suggestion(self, queued: Queued) -> dict[str, Any] | None:
        """What is shown before the answer: what came by --suggest, but of no control and no audit; else the model's."""
        blind = queued.control or queued.reason == AUDITED
        found = None if blind else self.record.suggestion(queued.item.id)
        if found is not None:
            return as_json(found)
        thought = _thought(queued.predicted, queued.probability) if self.shows else None
        return thought and {**thought, "source": "model"}

    def _text(self, annotator: str, item: Item) -> dict[str, Any]:
        text = item.text or ""
        return {
            "item": item.id,
            "text": text[:CLIPPED_AT],
            "length": len(text),
            "clipped": len(text) > CLIPPED_AT,
            "beside": self.beside(item),
            "flagged": self._tally.flagged(item.id, annotator),
            "note": self._tally.note(item.id, annotator),
        }

    def beside(self, item: Item) -> list[tuple[str, str]]:
        """The columns that annotators see beside a text, with their cells, cut where they are long."""
        return [(name, _cut(word)) for name, word in self._own.beside(item)]

    def text(self, item: int) -> str:
        """A whole text.

        Raises:
            RefusedError: there is none of this id.
        """
        return self.record.item(item).text or ""

    def item(self, annotator: str, item: int) -> dict[str, Any]:
        """A text as it is shown, with this annotator's answer where there is one that stands.

        Raises:
            RefusedError: there is none of this id.
        """
        found = self.record.item(item)
        self._tally.refresh()
        mine = [uuid for name, _, uuid in said(self.record, [item])[item].answers if name == annotator]
        event = self.record.event(mine[0]) if mine else None
        return self._answered(annotator, event, found) if event else {**self._text(annotator, found), "uuid": None}

    def history(self, annotator: str, before: int | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """Someone's answers that stand, the newest first, with their texts."""
        events = self.record.history(annotator, limit, before)
        self._tally.refresh()
        texts = {item.id: item for item in self.record.items([event.item for event in events])}
        return [self._answered(annotator, event, texts[event.item]) for event in events]

    def _answered(self, annotator: str, event: Event, item: Item) -> dict[str, Any]:
        answer = {"uuid": event.uuid, "seq": event.seq, "label": event.label, "generation": event.generation}
        return {**self._text(annotator, item), **answer, "thought": _thought_of(event)}

    # --- In -----------------------------------------------------------------------------------------------------------

    def take(self, annotator: str, sent: object) -> dict[str, Any]:
        """Put an event on record and say what became of it: saved, a conflict, or refused and why.

        Raises:
            StoreError: it could not be written; sent again later it may be.
        """
        uuid = _sayable(sent.get("uuid")) if isinstance(sent, Mapping) else None
        try:
            event = self.append(read_event(sent, annotator, self.source, settles=self.is_owner(annotator)))
        except ConflictError as error:
            return {"uuid": uuid, "conflict": str(error)}
        except RefusedError as error:
            return {"uuid": uuid, "refused": str(error)}
        return {"uuid": uuid, "saved": True, "seq": event.seq, "late": event.late, "thought": _thought_of(event)}

    def change(self, owner: str, asked: object) -> str:
        """Change classes or people, as the owner's dialog asks; what was done, in words.

        Raises:
            RefusedError: it cannot be done.
        """
        done: str = self._writer.call(lambda: asked_by_owner(self.record, owner, asked))
        return done

    def append(self, event: NewEvent) -> Event:
        """Put an event on record, with what the model had said of its text."""
        return self._writer.append(self._with_model(event))

    def _with_model(self, event: NewEvent) -> NewEvent:
        generation = self._generation(event.generation)
        said = None if generation is None else self.record.ranked_item(generation.id, event.item)
        if generation is None or said is None:
            return replace(event, generation=None, strategy="random")
        predicted = said.predicted
        return replace(
            event,
            model_version=generation.model_version,
            strategy=generation.strategy,
            predicted=predicted,
            probability=said.probabilities[predicted] if predicted else None,
            suggestion_shown=self.shows and predicted is not None,
            control=said.control,
        )

    def _generation(self, number: int | None) -> Generation | None:
        if number is not None and number not in self._generations:
            self._generations = {one.id: one for one in self.record.generations()}
        return None if number is None else self._generations.get(number)

    # --- Progress -----------------------------------------------------------------------------------------------------

    def status(self, annotator: str) -> dict[str, Any]:
        """How far this annotator and all together are, what the model is at, and the same in words.

        Raises:
            StoreError: the record is not where it was; what was saved in it is not said to be.
        """
        self.record.check_place()
        self._tally.refresh()
        labeled, skipped = self._tally.of(annotator)
        people, is_owner = self.record.annotators(), self.is_owner(annotator)
        model = described(self.record, training=self.training)
        figures = self._figures.latest(model["version"])
        status: dict[str, Any] = {
            "annotator": annotator,
            "saved": labeled + skipped,
            "labeled": labeled,
            "skipped": skipped,
            "done": self._tally.labeled_by(self.overlap),
            "total": self.total,
            "overlap": self.overlap,
            "classes": self._tally.by_class(),
            "labels": list(self.record.classes),
            "annotators": len(people),
            "people": people if is_owner else None,
            "model": model,
            "curve": figures["curve"],
            "controls": figures["controls"],
            "agreement": figures["agreement"] if is_owner else None,
            "conflicts": figures["conflicts"] if is_owner else None,
            "copies": self.record.copies,
        }
        return {**status, "words": progress_words(status)}

    def release(self, annotator: str | None = None) -> None:
        """Give free what an annotator, or everyone, holds, as this desk closes; leases end by themselves too."""
        self._figures.wait(5)
        with suppress(StoreError):
            self.record.release(annotator)


def _cut(word: str) -> str:
    more = len(word) - BESIDE_AT
    return word if more <= 0 else f"{word[:BESIDE_AT]} … {more:,} more characters"


def _sayable(uuid: object) -> str | None:
    """What a client calls its event, if an answer can say it."""
    return uuid if isinstance(uuid, str) and uuid.isascii() else None


def _thought(predicted: str | None, probability: float | None) -> dict[str, Any] | None:
    return None if predicted is None else {"label": predicted, "probability": probability or 0.0}


def _thought_of(event: Event) -> dict[str, Any] | None:
    """What the model took the text of an answer for; it may be said now."""
    return _thought(event.predicted, event.probability)
