"""The process that holds the model: it takes the requests that wait, reads their texts together, answers each.

LitServe's own batched loop asks a thousand times a second whether there is something to do, or waits for others to
come. This one sleeps until there is a request, and then takes what else is there already.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing import parent_process
from pathlib import Path
from queue import Empty
from typing import Any, Final, NamedTuple

from litserve import LitAPI
from litserve.loops import LitLoop
from litserve.utils import LitAPIStatus, LoopResponseType

from lit_al.models.prediction import classify
from lit_al.serving.live_model import LiveModel, Loaded
from lit_al.serving.request_log import write_line

PATH: Final = "/predict"
_SECONDS: Final = 1.0  # until it looks whether it is to end


class TextsAsked(NamedTuple):
    """What a request asks.

    Attributes:
        texts: to classify; none where only the model is asked for.
        alone: it was one text, not a list of one.
    """

    texts: tuple[str, ...]
    alone: bool = False


class TextsAnswered(NamedTuple):
    """What is answered.

    Attributes:
        body: JSON.
        model: version that read the texts.
        batch: texts that were read together.
    """

    body: bytes
    model: str
    batch: int


class ModelReader(LitAPI):  # type: ignore[misc]  # LitServe has no types
    """What LitServe runs in each process that reads: the model, followed.

    Args:
        named: the model, as a user named it.
        most: texts that are read together.
    """

    def __init__(self, named: Path, most: int) -> None:
        super().__init__(api_path=PATH, loop=BatchLoop())
        self.named, self.most = named, most
        self.ending = False

    def setup(self, device: str) -> None:
        """Load the model; called in the process that reads."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes: the first of them ends the others
        signal.signal(signal.SIGTERM, self._end)
        end_with_parent()
        self.live = LiveModel(self.named, write_line)
        self.live.follow()

    def predict(self, questions: Sequence[TextsAsked]) -> list[TextsAnswered]:
        """Read the texts of all questions together."""
        return answers(self.live.current, questions)

    def _end(self, number: int, frame: object) -> None:
        self.ending = True  # once everything accepted is answered


class BatchLoop(LitLoop):  # type: ignore[misc]  # LitServe has no types
    """Takes requests, hands their questions to a `ModelReader`, sends the answers back."""

    def __call__(
        self, lit_api: ModelReader, device: str, worker_id: int, request_queue: Any, transport: Any, *rest: Any
    ) -> None:
        """Until the process is told to end and nothing waits."""
        while True:
            waiting = self._take(request_queue, lit_api.most)
            if waiting:
                self._answer(lit_api, waiting, transport)
            elif lit_api.ending:
                return

    def _take(self, queue: Any, most: int) -> list[tuple[int, str, TextsAsked]]:
        """The first request that comes, and those that are there already: consumer, id, question."""
        taken: list[tuple[int, str, TextsAsked]] = []
        texts = 0
        while texts < most:
            try:
                consumer, uid, _, question = queue.get_nowait() if taken else queue.get(timeout=_SECONDS)
            except Empty:
                break
            taken.append((consumer, uid, question))
            texts += len(question.texts)
        return taken

    def _answer(self, reading: ModelReader, waiting: list[tuple[int, str, TextsAsked]], transport: Any) -> None:
        """TextsAnswered all; where that fails, each by itself, so that one request cannot spoil those of others."""
        try:
            found = reading.predict([question for _, _, question in waiting])
        except Exception as error:
            if len(waiting) > 1:
                for one in waiting:
                    self._answer(reading, [one], transport)
                return
            consumer, uid, _ = waiting[0]
            write_line({"event": "error", "error": type(error).__name__})  # its message may hold the text
            self.put_error_response(transport, consumer, uid, RuntimeError("this text cannot be read"))
            return
        for (consumer, uid, _), answer in zip(waiting, found, strict=True):
            self.put_response(transport, consumer, uid, tuple(answer), LitAPIStatus.OK, LoopResponseType.REGULAR)


def answers(now: Loaded, questions: Sequence[TextsAsked]) -> list[TextsAnswered]:
    """What a model says to questions whose texts it reads together."""
    texts = [text for question in questions for text in question.texts]
    found = iter([vars(prediction) for prediction in classify(now.model, texts)])
    return [_answer(question, now.version, [next(found) for _ in question.texts], len(texts)) for question in questions]


def _answer(question: TextsAsked, version: str, found: list[dict[str, Any]], batch: int) -> TextsAnswered:
    said = found[0] if question.alone else {"predictions": found}
    return TextsAnswered(json.dumps({"model": version, **said}, ensure_ascii=False).encode(), version, batch)


def end_with_parent(last: Callable[[], object] = lambda: None) -> None:
    """End this process when the one that started it is gone, so that no half of a service stays; `last` is called."""
    parent = parent_process()

    def waiting() -> None:
        if parent is not None:
            parent.join()
            last()
            os._exit(1)

    threading.Thread(target=waiting, daemon=True, name="end-with-parent").start()
