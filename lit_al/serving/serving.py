"""Start the service and end it: what was accepted is answered, then all processes go; exit code 0.

LitServe runs three kinds of processes: this one, which waits for signals; one that speaks HTTP; and one or more that
hold the model (`batch_reading`). Requests go through a queue of LitServe's to whichever of the latter is free.
"""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import FrameType
from typing import Final

from fastapi import FastAPI
from litserve import LitServer
from litserve.server import RegularRequestHandler

from lit_al.exceptions import RunError
from lit_al.serving.batch_reading import ModelReader, TextsAnswered, TextsAsked, end_with_parent
from lit_al.serving.door import Door
from lit_al.serving.live_model import loaded
from lit_al.serving.request_metrics import RequestMetrics
from lit_al.serving.routes import add_routes
from lit_al.serving.serve_options import ServeOptions
from lit_al.utils.terminal_text import first_line, say

LAST_SECONDS: Final = 30  # that requests in work have, once the service is told to end


class ModelServer(LitServer):  # type: ignore[misc]  # LitServe has no types
    """LitServe with the paths of this service instead of its own, which look at no limits.

    Args:
        options: what was asked for.
        token: that each request must carry, "" for none.
    """

    def __init__(self, options: ServeOptions, token: str) -> None:
        self._options, self._metrics = options, RequestMetrics()
        super().__init__(
            ModelReader(options.model, options.batch_texts),
            accelerator="cpu",
            workers_per_device=options.workers,
            timeout=False,
            middlewares=[(Door, {"token": token, "metrics": self._metrics})],
        )
        self.uvicorn_graceful_timeout = LAST_SECONDS
        self.app.title, self.app.version = "lit-al serve", "1"

    def register_endpoints(self) -> None:
        """Only our own; each hands its question to LitServe's queue."""
        handler = RegularRequestHandler(self.lit_api, self)

        async def ask(question: TextsAsked) -> TextsAnswered:
            return TextsAnswered(*await handler.handle_request(question, TextsAsked))

        add_routes(self.app, ask, self._options, self._metrics)

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Of the process that speaks HTTP, which goes when the first one is gone, and LitServe's queues with it."""
        end_with_parent(self._end_queues)
        async with super().lifespan(app):
            yield

    def _end_queues(self) -> None:
        """Their process looks after nobody, and only the one that started it may ask it to end."""
        with suppress(ProcessLookupError):
            os.kill(self.transport_config.manager._process.pid, signal.SIGKILL)


def serve(options: ServeOptions) -> int:
    """Serve a model until SIGTERM or Ctrl-C; returns the exit code.

    Raises:
        LitALError: it cannot begin; the sentence says why.
    """
    token = options.token()
    version = loaded(options.model).version  # what cannot be served is refused before anything is started
    _check_port(options)
    server = ModelServer(options, token)
    told = _take_signals()
    say(f"serving {options.model} (version {version}) at http://{_shown(options)}:{options.port}", sys.stderr)
    say("POST /predict; GET /docs, /health, /ready, /metrics; Ctrl-C ends", sys.stderr)
    if options.host != "127.0.0.1":
        if not token:
            say("anybody who reaches this machine can ask: give --token-file, or listen at 127.0.0.1", sys.stderr)
        say("requests travel unencrypted: put a server that speaks TLS before it", sys.stderr)
    try:
        _run(server, options)
    except RuntimeError as error:
        raise RunError(f"the service cannot start ({first_line(error)}); the lines above say more") from error
    if told:
        return 0
    raise RunError("a process of the service has ended by itself; start it again, with more memory if that was short")


def _run(server: ModelServer, options: ServeOptions) -> None:
    """Until it is told to end, or a process of it ends by itself."""
    with suppress(EOFError, ConnectionError):  # LitServe's queues go first where a process was missing
        server.run(
            host=options.host,
            port=options.port,
            num_api_servers=1,
            log_level="error",
            generate_client_file=False,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
        )


def _take_signals() -> list[int]:
    """From now on SIGTERM ends the service as Ctrl-C does; returns where the signals that came are written."""
    told: list[int] = []
    own = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != own or told:  # processes that are forked from here have it, too, and are ended by this one
            return
        told.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return told


def _check_port(options: ServeOptions) -> None:
    """Refuse a port that is taken, in a sentence; uvicorn would end the process."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            raise RunError(
                f"cannot listen at {options.host}, port {options.port}: {error.strerror or error}; give another --port"
            ) from None


def _shown(options: ServeOptions) -> str:
    return {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(options.host, options.host)
