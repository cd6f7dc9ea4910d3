"""Who may ask what: hosts, origins, tokens, sizes; and what every answer carries.

Any web site that a browser opens can send requests to this machine. Such a site can neither send the cookie
(SameSite=Strict) nor a POST (its Origin is refused), nor pass for this host by a name of its own (Host is checked).
"""

import asyncio
import json
from collections.abc import Callable, Collection
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1_000_000  # bytes: twenty events with long notes are a twentieth of it
BODY_SECONDS = 20.0
COOKIE_SECONDS = 30 * 24 * 3_600
KNOWN = "lit_al.known"  # in the scope of a request: to be called once its token was found valid
LOOPBACK = ("127.0.0.1", "localhost", "::1")

CARRIED = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def refusal(status: int, sentence: str) -> JSONResponse:
    """What every refused request gets: a sentence, as JSON."""
    return JSONResponse({"error": sentence}, status)


class Gate:
    """Stands before the application: checks each request, and adds headers to each answer.

    Args:
        app: behind it.
        hosts: names that this server answers to, without ports; IPv6 addresses without brackets.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            return  # there are no web sockets here; the server turns them away when nothing answers
        refused = self._check(scope["method"], scope["path"], Headers(scope=scope))
        await (refused or self.app)(scope, receive, _carrying(send))

    def _check(self, method: str, path: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if host_of(host) not in self.hosts:
            return refusal(400, "this server does not answer to that host name; open the link that it printed")
        if method not in ("GET", "HEAD", "POST"):
            return JSONResponse({"error": f"{method[:20]} is not a method here"}, 405, {"Allow": "GET, HEAD, POST"})
        if path.startswith("/api/") and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return refusal(403, "only the page of this server may ask it")
        if method == "POST":
            return _check_post(host, headers)
        return None


def _check_post(host: str, headers: Headers) -> Response | None:
    """Nothing but our own page may write."""
    if headers.get("origin", "").lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
        return refusal(403, "only the page of this server may send answers")
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return refusal(403, "answers are sent as application/json")
    return None


def host_of(header: str) -> str:
    """The name in a Host header, without its port; empty where there is none.

    >>> host_of("127.0.0.1:8765"), host_of("[::1]:8765"), host_of("Localhost")
    ('127.0.0.1', '::1', 'localhost')
    """
    name = header.strip().lower()
    if name.startswith("["):
        inside, bracket, port = name[1:].partition("]")
        return inside if bracket and (not port or port[1:].isdigit()) else ""
    return name.split(":")[0] if name.count(":") <= 1 else ""


def _carrying(send: Send) -> Send:
    async def carried(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in CARRIED.items():
                headers[name] = value
        await send(message)

    return carried


async def read_json(request: Request) -> Any:
    """The body of a request.

    Raises:
        HTTPException: 408 too slow, 413 too large, 400 no JSON.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise HTTPException(413, f"a request holds at most {LARGEST_BODY:,} bytes")
    except TimeoutError:
        raise HTTPException(408, f"the request did not arrive in {BODY_SECONDS:.0f} seconds") from None
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the request is not valid JSON") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def cookie_name(run_id: str) -> str:
    """Browsers send the cookies of a machine to each of its ports; those of two runs must not be mistaken."""
    return f"lit_al_{run_id[:8]}"


def who(request: Request, run_id: str, annotator_of: Callable[[str], str | None]) -> str:
    """The annotator that a request's cookie belongs to.

    Raises:
        HTTPException: 401 nobody.
    """
    token = request.cookies.get(cookie_name(run_id), "")
    name = annotator_of(token) if token else None
    if name is None:
        raise HTTPException(401, "open the link that the server printed for you; this browser has no valid one yet")
    if KNOWN in request.scope:
        request.scope[KNOWN]()
    return name


def let_in(response: Response, run_id: str, token: str) -> Response:
    """The response, with the token as a cookie that no script and no other site can use."""
    response.set_cookie(
        cookie_name(run_id), token, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict"
    )  # fmt: skip
    return response
