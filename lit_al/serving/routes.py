"""What the service answers: /predict, /health, /ready, /metrics, and the description that /docs shows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lit_al.serving.batch_reading import PATH, TextsAnswered, TextsAsked
from lit_al.serving.door import NOTES, refusal
from lit_al.serving.request_body import read_texts
from lit_al.serving.request_metrics import KIND, RequestMetrics
from lit_al.serving.serve_options import ServeOptions

Ask = Callable[[TextsAsked], Awaitable[TextsAnswered]]

_READY_SECONDS: Final = 5.0
_PROBABILITIES: Final[dict[str, Any]] = {"type": "object", "additionalProperties": {"type": "number"}}
_PREDICTION: Final[dict[str, Any]] = {
    "label": {"type": "string"}, "probability": {"type": "number"}, "probabilities": _PROBABILITIES
}  # fmt: skip
_ERROR: Final[dict[str, Any]] = {
    "application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}
}
_REFUSALS: Final = {
    400: "Not what is read here.", 401: "No token, or another one.", 408: "It came too slowly.",
    413: "Too many texts, or too long.", 429: "Too many requests at once.", 500: "The model cannot read this.",
}  # fmt: skip


def add_routes(app: FastAPI, ask: Ask, limits: ServeOptions, metrics: RequestMetrics) -> None:
    """Give an application its paths.

    Args:
        app: that is given them.
        ask: answers a question; a failure of it is status 500.
        limits: of a request.
        metrics: what counts.
    """
    probe = Probe(ask, metrics)

    async def predict(request: Request) -> Response:
        """Classify a text, or several."""
        if metrics.in_flight_now >= limits.max_in_flight:
            said = f"{limits.max_in_flight:,} requests are in work already; ask again in a second"
            raise HTTPException(429, said, {"Retry-After": "1"})
        with metrics.counting():
            texts, alone = await read_texts(request, limits)
            notes = request.scope.setdefault(NOTES, {})
            notes["texts"] = len(texts)
            if limits.log_texts:
                notes["text"] = texts
            answer = await ask(TextsAsked(texts, alone))
            notes |= {"model": answer.model, "batch": answer.batch}
            metrics.answer(len(texts), answer.batch, answer.model)
            return Response(answer.body, media_type="application/json")

    async def health() -> Response:
        """Whether the service lives."""
        return JSONResponse({"status": "ok"})

    async def ready() -> Response:
        """Whether a model answers, and which."""
        version = await probe.version(_READY_SECONDS)
        if version is None:
            return refusal(503, "the model does not answer yet; ask again in a second", {"Retry-After": "1"})
        return JSONResponse({"status": "ready", "model": version})

    async def counts() -> Response:
        """Counts for Prometheus."""
        await probe.version(1.0)  # so that a new model is seen without a request, too
        return Response(metrics.page(), headers={"Content-Type": KIND})

    app.add_api_route(
        PATH, predict, methods=["POST"], responses=_answers(), openapi_extra={"requestBody": _body(limits)}
    )
    app.add_api_route("/health", health, methods=["GET"], response_class=JSONResponse)
    app.add_api_route("/ready", ready, methods=["GET"], response_class=JSONResponse)
    app.add_api_route("/metrics", counts, methods=["GET"], response_class=Response)
    app.add_exception_handler(HTTPException, _refused)


class Probe:
    """Asks for the model without a text; who asks meanwhile waits for the same answer."""

    def __init__(self, ask: Ask, metrics: RequestMetrics) -> None:
        self._ask, self._metrics = ask, metrics
        self._asked: asyncio.Future[TextsAnswered] | None = None

    async def version(self, seconds: float) -> str | None:
        """The version of the model; None where nothing came in time."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(self._ask(TextsAsked(())))
        await asyncio.wait([self._asked], timeout=seconds)  # it is not cancelled: LitServe would keep its place
        if not self._asked.done() or self._asked.exception() is not None:
            return None
        self._metrics.model(self._asked.result().model)
        return self._asked.result().model


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # as it was registered
    said = {404: "there is no such path here; /docs lists all", 405: "this path takes another method; /docs lists all"}
    said[500] = "the model cannot read this request; the log says more"
    return refusal(error.status_code, said.get(error.status_code, error.detail), dict(error.headers or {}))


def _body(limits: ServeOptions) -> dict[str, Any]:
    text = {"type": "string", "maxLength": limits.max_characters}
    texts = {"type": "array", "items": text, "minItems": 1, "maxItems": limits.max_texts}
    either = [_object({"text": text}), _object({"texts": texts})]
    return {"required": True, "content": {"application/json": {"schema": {"oneOf": either}}}}


def _answers() -> dict[int | str, dict[str, Any]]:
    version = {"model": {"type": "string"}}
    several = {"predictions": {"type": "array", "items": _object(_PREDICTION)}}
    either = [_object({**version, **_PREDICTION}), _object({**version, **several})]
    told = {"description": "The classes.", "content": {"application/json": {"schema": {"oneOf": either}}}}
    return {200: told, **{status: {"description": why, "content": _ERROR} for status, why in _REFUSALS.items()}}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
