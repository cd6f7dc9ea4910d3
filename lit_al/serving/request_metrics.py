"""What is counted of the service, for Prometheus: requests, texts, seconds, batches, the model."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

KIND: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TEXTS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024)


class RequestMetrics:
    """Counts of one service; `page` is what `/metrics` shows."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lit_al_requests", "Requests, by path and HTTP status.", ["path", "status"], registry=self._registry
        )
        self._texts = Counter("lit_al_texts", "Texts classified.", registry=self._registry)
        self._seconds = Histogram(
            "lit_al_request_seconds", "Seconds from a request to its answer, of /predict.",
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._batch = Histogram(
            "lit_al_batch_texts", "Texts read together, seen by each request.", buckets=_TEXTS, registry=self._registry
        )
        self.in_flight_now = 0
        in_flight = Gauge("lit_al_requests_in_flight", "Requests of /predict now.", registry=self._registry)
        in_flight.set_function(lambda: self.in_flight_now)
        self._model = Info("lit_al_model", "Version of the model that answered last.", registry=self._registry)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """While this holds, a request of /predict is in work."""
        self.in_flight_now += 1
        try:
            yield
        finally:
            self.in_flight_now -= 1

    def request(self, path: str, status: int) -> None:
        """A request was answered."""
        self._requests.labels(path, str(status)).inc()

    def seconds(self, seconds: float) -> None:
        """A request of /predict took so long."""
        self._seconds.observe(seconds)

    def answer(self, texts: int, batch: int, model: str) -> None:
        """Texts were classified by a model, in a batch of so many."""
        self.model(model)
        self._texts.inc(texts)
        self._batch.observe(batch)

    def model(self, version: str) -> None:
        """The model is this."""
        self._model.info({"version": version})

    def page(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self._registry)
