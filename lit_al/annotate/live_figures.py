"""Figures that the page shows beside the answers: agreement, open conflicts, learning curve, accuracy by class.

They are counted by a thread of their own, never within an answer: a count reads every answer, and the first one loads
what counts; an answer that waited for it took seconds to be saved.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lit_al.annotate.wording import figures_of
from lit_al.exceptions import StoreError
from lit_al.record import Record
from lit_al.record.search import in_conflict, said

EVERY: Final = 30.0  # seconds between two counts
SHARE: Final = 0.02  # of the time at most, however long a count takes
POINTS: Final = 40  # of the curve
_LABELED = "SELECT item, predicted, control, seq FROM event WHERE action = 'label' ORDER BY seq"


class LiveFigures:
    """The latest count of a record.

    Args:
        record: read by a thread of its own, through a connection of its own: the record may be closed meanwhile.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._next = 0.0  # by `time.monotonic`
        self._version: int | None = None
        self._found: dict[str, Any] = {"agreement": None, "conflicts": None, "curve": [], "controls": {}}

    def latest(self, version: int | None = None) -> dict[str, Any]:
        """As JSON, empty before the first count. Another one is begun when its time has come, or for a new model.

        Args:
            version: of the newest model.
        """
        with self._guard:
            is_idle = self._thread is None or not self._thread.is_alive()
            is_due = time.monotonic() >= self._next or (version != self._version and bool(self._next))
            if is_idle and is_due:
                self._version = version
                self._thread = threading.Thread(target=self._count, name="lit_al.figures", daemon=True)
                self._thread.start()
        return self._found

    def wait(self, seconds: float) -> None:
        """Until a count that was begun is over."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _count(self) -> None:
        began = time.monotonic()
        try:
            with Record(self._record.path) as record:
                self._found = _figures(record)
        except StoreError:  # it cannot be read now; the next count may tell
            pass
        finally:
            now = time.monotonic()
            self._next = now + max(EVERY, (now - began) / SHARE)


def _figures(record: Record) -> dict[str, Any]:
    several = len(record.annotators()) > 1
    return {
        "agreement": _agreement(record) if several else None,
        "conflicts": _open_conflicts(record) if several else None,
        "curve": list(_curve(record)),
        "controls": _controls(record),
    }


def _agreement(record: Record) -> dict[str, Any]:
    from lit_al.annotate.agreement import Agreement

    agreement = Agreement.of(record.answers(), record.classes)
    return {"texts": agreement.texts, "sentence": agreement.sentence()}


def _open_conflicts(record: Record) -> int:
    known = said(record, in_conflict(record))
    return sum(one.verdict(record.resolve).open for one in known.values())


def _curve(record: Record) -> Iterable[dict[str, Any]]:
    """Labels and accuracy, with its interval, of each model whose accuracy is known; of very many the newest."""
    known = [(model.labels, figures_of(model.facts.get("estimate"))) for model in record.models()]
    points = [{"labels": labels, **estimate} for labels, estimate in known if estimate]
    for point in points[-POINTS:]:
        yield {name: point[name] for name in ("labels", "accuracy", "low", "high")}


def _controls(record: Record) -> Mapping[str, list[int]]:
    """By class: its random controls, and how many of them the model of their time called so, before it knew."""
    first: dict[int, tuple[str | None, int]] = {}
    first_of, meaning = record.groups().first_of, record.class_history.meaning
    with record.told():
        for item, predicted, control, seq in record.db.execute(_LABELED):
            first.setdefault(first_of(item), (predicted and meaning(predicted, seq), control))
    asked = {item: predicted for item, (predicted, control) in first.items() if control and predicted in record.classes}
    support, right = Counter[str](), Counter[str]()
    for item, one in said(record, asked).items():
        label = one.verdict(record.resolve).label
        if label is not None:
            support[label] += 1
            right[label] += label == asked[item]
    return {name: [right[name], support[name]] for name in record.classes if support[name]}
