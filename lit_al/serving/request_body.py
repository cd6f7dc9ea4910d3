"""The body of a request: read up to a size and a time, and every text in it looked at; else one sentence says why."""

import asyncio
import json
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from lit_al.serving.serve_options import ServeOptions

BODY_SECONDS: Final = 20.0
_EXAMPLE: Final = 'send {"text": "a text"} or {"texts": ["a text", "another"]}'


async def read_texts(request: Request, limits: ServeOptions) -> tuple[tuple[str, ...], bool]:
    """The texts of a request, and whether it was one text instead of a list.

    Raises:
        HTTPException: 400 not what is read here, 408 too slow, 413 too large.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise HTTPException(400, "texts are sent as Content-Type: application/json")
    body = await _bytes_of(request, limits.max_bytes)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, f"the request is not valid JSON; {_EXAMPLE}") from None
    return texts_of(found, limits)


def texts_of(found: Any, limits: ServeOptions) -> tuple[tuple[str, ...], bool]:
    """The texts in JSON, looked at one by one.

    Raises:
        HTTPException: 400 not what is read here, 413 too many or too long.
    """
    if not isinstance(found, dict) or len(found) != 1 or not found.keys() <= {"text", "texts"}:
        raise HTTPException(400, f"the request must hold text or texts and nothing else; {_EXAMPLE}")
    alone = "text" in found
    texts = [found["text"]] if alone else found["texts"]
    if not isinstance(texts, list) or not texts:
        raise HTTPException(400, f"texts must be a list of one text or more; {_EXAMPLE}")
    if len(texts) > limits.max_texts:
        raise HTTPException(
            413, f"a request holds at most {limits.max_texts:,} texts, not {len(texts):,}; send several"
        )
    for number, text in enumerate(texts, 1):
        _check(text, number, limits.max_characters)
    return tuple(texts), alone


def _check(text: Any, number: int, longest: int) -> None:
    if not isinstance(text, str):
        raise HTTPException(400, f"text {number} is no string; {_EXAMPLE}")
    if len(text) > longest:
        raise HTTPException(413, f"text {number} has {len(text):,} characters, more than {longest:,}; cut it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise HTTPException(
            400, f"text {number} holds half a character at {error.start + 1:,}; send whole ones"
        ) from None


async def _bytes_of(request: Request, largest: int) -> bytes:
    body = bytearray()
    too_large = HTTPException(413, f"a request holds at most {largest:,} bytes; send several", {"Connection": "close"})
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > largest:
        raise too_large
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise too_large
    except TimeoutError:
        raise HTTPException(408, f"the request did not arrive in {BODY_SECONDS:.0f} seconds; send it again") from None
    except ClientDisconnect:
        raise HTTPException(400, "the request broke off; send it again") from None
    return bytes(body)
