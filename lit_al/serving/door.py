"""The door before all paths: who has no token is turned away, and each request is timed, counted and logged."""

import hmac
import time
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lit_al.serving.request_log import write_line
from lit_al.serving.request_metrics import RequestMetrics

OPEN: Final = ("/health", "/ready", "/docs", "/openapi.json")  # without a token: nothing of texts or models in there
PATHS: Final = (*OPEN, "/predict", "/metrics")
NOTES: Final = "lit_al.notes"  # in the scope of a request: what its log line is to say besides


def refusal(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """What every refused request gets: a sentence, as JSON."""
    return JSONResponse({"error": sentence}, status, headers)


class Door:
    """Stands before the application.

    Args:
        app: behind it.
        token: that each request must carry, "" for none.
        metrics: what counts requests.
    """

    def __init__(self, app: ASGIApp, token: str, metrics: RequestMetrics) -> None:
        self.app, self.metrics = app, metrics
        self._expected = f"Bearer {token}".encode() if token else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """TextsAnswered a request, or pass it on; write down how that ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, notes = time.perf_counter(), scope.setdefault(NOTES, {})
        status = 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if self._may(scope):
                await self.app(scope, receive, seen)
            else:
                said = "this service asks for a token; send it as Authorization: Bearer TOKEN"
                await refusal(401, said, {"WWW-Authenticate": "Bearer"})(scope, receive, seen)
        finally:
            self._write(scope, status, time.perf_counter() - began, notes)

    def _may(self, scope: Scope) -> bool:
        if not self._expected or scope["path"] in OPEN:
            return True
        given = Headers(scope=scope).get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, self._expected)

    def _write(self, scope: Scope, status: int, seconds: float, notes: dict[str, Any]) -> None:
        path = scope["path"] if scope["path"] in PATHS else "other"  # a stranger's path may hold anything
        self.metrics.request(path, status)
        if path == "/predict":
            self.metrics.seconds(seconds)
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        said = {"method": method, "path": path, "status": status, "ms": round(1_000 * seconds, 2)}
        write_line({"event": "request", **said, **notes})
