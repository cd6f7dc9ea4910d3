"""The page and its API, as a Starlette application over a desk.

| request | answer |
|---|---|
| `GET /?token=…` | the cookie, and on to `/` |
| `GET /` | the page |
| `GET /api/next?n=5&exclude=1,2` | the next texts, leased to who asks |
| `GET /api/text/7` | a whole text, plain |
| `GET /api/history?before=12` | one's own answers, the newest first |
| `GET /api/item/7` | a text with one's own answer, to be corrected |
| `GET /api/browse?q=…&label=…&annotator=…&only=…&after=7&n=30` | texts that are so, and what was said of them |
| `GET /api/conflicts?n=5&exclude=1,2` | to the owner: texts on which people differ, with their votes |
| `GET /api/suspects?n=5&exclude=1,2` | to the owner: labels that may be wrong, by the newest list |
| `GET /api/settled?before=12` | to the owner: texts that they settled, the latest first |
| `GET /api/status` | progress, labels by class, the model |
| `POST /api/events` | takes answers; what became of each, once it is on the disk |
| `POST /api/manage` | changes classes and people, by the owner (`annotate.changes`); what was done, in words |

Every refusal is JSON with one sentence. Endpoints are plain functions, which Starlette runs in threads, so that a slow
disk holds up nobody else; what writes is `POST /api/events` alone, but for leases.
"""

import sys
from collections.abc import Awaitable, Callable, Collection
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from lit_al.annotate.guidelines import as_html
from lit_al.annotate.project import guidelines_of
from lit_al.annotate.security import Gate, let_in, read_json, refusal, who
from lit_al.annotate.service import MOST_HELD, LabelingService
from lit_al.exceptions import RefusedError, StoreError
from lit_al.utils.failpoints import crash_point
from lit_al.utils.terminal_text import say

_TEMPLATES = Environment(loader=PackageLoader("lit_al.annotate"), autoescape=True, trim_blocks=True)


def make_app(service: LabelingService, hosts: Collection[str]) -> ASGIApp:
    """The application, behind its gate.

    Args:
        service: over the record.
        hosts: names that the server answers to.
    """
    return Gate(_Pages(service).app, hosts)


class _Pages:
    """The endpoints."""

    def __init__(self, service: LabelingService) -> None:
        self.service, self.run_id, self._told = service, service.record.run_id, ""
        routes = [
            Route("/", self.page),
            Route("/api/next", self.next),
            Route("/api/text/{item}", self.text),
            Route("/api/item/{item}", self.item),
            Route("/api/browse", self.browse),
            Route("/api/conflicts", self.conflicts),
            Route("/api/suspects", self.suspects),
            Route("/api/settled", self.settled),
            Route("/api/history", self.history),
            Route("/api/status", self.status),
            Route("/api/events", self.events, methods=["POST"]),
            Route("/api/manage", self.manage, methods=["POST"]),
            Mount("/static", StaticFiles(directory=str(files("lit_al.annotate") / "static"))),
        ]
        handlers: dict[Any, Callable[[Request, Exception], Response | Awaitable[Response]]] = {
            HTTPException: _told,
            RefusedError: lambda request, error: refusal(404, str(error)),
            StoreError: self._unavailable,
            Exception: lambda request, error: refusal(500, "the server failed; its terminal says why"),
        }
        self.app = Starlette(routes=routes, exception_handlers=handlers)

    def _unavailable(self, request: Request, error: Exception) -> Response:
        """What cannot be saved is said to who sent it, and once to whoever looks at the server's terminal."""
        if self._told != str(error):
            self._told = str(error)
            say(f"error: {error}", sys.stderr)
        return refusal(503, str(error))

    def _who(self, request: Request) -> str:
        return who(request, self.run_id, self.service.record.annotator_of)

    def _owner(self, request: Request) -> str:
        """Who asks, if they own the run.

        Raises:
            HTTPException: 403 they do not.
        """
        name = self._who(request)
        if not self.service.is_owner(name):
            raise HTTPException(403, "this is for the owner of the run alone")
        return name

    def page(self, request: Request) -> Response:
        token = request.query_params.get("token")
        if token is not None:
            return self._enter(request, token)
        try:
            name = self._who(request)
        except HTTPException as error:
            return _said(error.status_code, error.detail)
        record = self.service.record
        template = _TEMPLATES.get_template("page.html")
        facts = {"name": self.service.name, "run": self.run_id, "who": name, "classes": record.classes}
        owner, guidelines = self.service.is_owner(name), as_html(guidelines_of(record))
        return HTMLResponse(template.render(**facts, owner=owner, guidelines=guidelines))

    def _enter(self, request: Request, token: str) -> Response:
        """Let in whoever has a valid link."""
        if self.service.record.annotator_of(token) is None:
            return _said(401, "this link is not valid; open one that the server printed")
        if request.headers.get("sec-fetch-site") == "cross-site":
            # Clicked in a mail or a chat on the web: a browser keeps the cookie from what such a click leads to by
            # redirects, but not from where a page of ours goes next.
            return let_in(_said(200, "One moment …", onward=True), self.run_id, token)
        return let_in(RedirectResponse("/", 303), self.run_id, token)

    def next(self, request: Request) -> Response:
        name = self._who(request)
        return JSONResponse(self.service.next(name, *_wanted(request)))

    def text(self, request: Request) -> Response:
        self._who(request)
        return PlainTextResponse(self.service.text(_whole(request.path_params["item"], "the address")))

    def item(self, request: Request) -> Response:
        name = self._who(request)
        return JSONResponse(self.service.item(name, _whole(request.path_params["item"], "the address")))

    def browse(self, request: Request) -> Response:
        name = self._who(request)
        after, (n, _), owner = _number(request, "after"), _wanted(request), self.service.is_owner(name)
        after = -1 if after is None else after
        return JSONResponse(self.service.browsing.rows(name, request.query_params, after, n, owner=owner))

    def conflicts(self, request: Request) -> Response:
        return JSONResponse(self.service.adjudication.conflicts(self._owner(request), *_wanted(request)))

    def suspects(self, request: Request) -> Response:
        return JSONResponse(self.service.adjudication.suspects(self._owner(request), *_wanted(request)))

    def settled(self, request: Request) -> Response:
        return JSONResponse(
            {"settled": self.service.adjudication.settled(self._owner(request), _number(request, "before"))}
        )

    def history(self, request: Request) -> Response:
        name = self._who(request)
        before = _number(request, "before")
        return JSONResponse({"answers": self.service.history(name, before)})

    def status(self, request: Request) -> Response:
        return JSONResponse(self.service.status(self._who(request)))

    async def events(self, request: Request) -> Response:
        name = await run_in_threadpool(self._who, request)
        body = await read_json(request)
        return await run_in_threadpool(self._take, name, body)

    async def manage(self, request: Request) -> Response:
        name = await run_in_threadpool(self._owner, request)
        body = await read_json(request)
        try:
            words = await run_in_threadpool(self.service.change, name, body)
        except RefusedError as error:
            return refusal(400, str(error))
        return JSONResponse({"words": words})

    def _take(self, name: str, body: Any) -> Response:
        sent = body.get("events") if isinstance(body, dict) else None
        if not isinstance(sent, list) or not 1 <= len(sent) <= MOST_HELD:
            raise HTTPException(400, f'events are sent as {{"events": […]}}, 1 to {MOST_HELD} at once')
        results = [self.service.take(name, one) for one in sent]
        crash_point("before_ack")
        answer = {"results": results, "status": self.service.status(name)}
        if any("conflict" in result for result in results):
            return JSONResponse(answer, 409)
        return JSONResponse(answer, 400 if any("refused" in result for result in results) else 200)


def _told(request: Request, error: Exception) -> Response:
    """A refusal as JSON, with the headers that go with it."""
    assert isinstance(error, HTTPException)
    sentences = {404: "there is no such page", 405: f"{request.method} is not a method of this page"}
    plain = sentences.get(error.status_code, error.detail)
    return JSONResponse({"error": plain}, error.status_code, error.headers)


def _said(status: int, sentence: str, *, onward: bool = False) -> Response:
    """A page with one sentence."""
    return HTMLResponse(_TEMPLATES.get_template("said.html").render(sentence=sentence, onward=onward), status)


def _wanted(request: Request) -> tuple[int, list[int]]:
    """How many texts are asked for, and which are held already.

    Raises:
        HTTPException: 400 too many, or what is no number.
    """
    n = _number(request, "n")
    n = 5 if n is None else n
    exclude = [_whole(word, "exclude") for word in request.query_params.get("exclude", "").split(",") if word]
    if not 1 <= n <= MOST_HELD or len(exclude) > 10 * MOST_HELD:
        raise HTTPException(400, f"n is 1 to {MOST_HELD}, exclude at most {10 * MOST_HELD} texts")
    return n, exclude


def _number(request: Request, name: str) -> int | None:
    word = request.query_params.get(name)
    return None if word is None else _whole(word, name)


def _whole(word: str, name: str) -> int:
    """A parameter that counts.

    Raises:
        HTTPException: 400 it does not.
    """
    if not (word.isascii() and word.isdigit() and len(word) <= 18):
        raise HTTPException(400, f"{name} holds whole numbers alone")
    return int(word)
