"""The labeling server with a clock on every step of a request: `benchmarks/labeling.py --trace` starts it.

Nothing in the package knows of it: functions are wrapped from outside. Each request leaves a line of JSON with the
seconds of its steps, and what the system says of the thread that worked on it (/proc/thread-self/schedstat): seconds it
computed, seconds it was ready but had no core. What is in neither was waiting: for the disk, for a lock, or for the
interpreter's own lock.
"""

import contextvars
import functools
import json
import os
import sys
import time
from pathlib import Path

from lit_al.annotate import app, counters, security, service, writer
from lit_al.cli.main import main as command_line
from lit_al.record import database, mirror

current: contextvars.ContextVar[dict] = contextvars.ContextVar("current")
lines = Path(os.environ["LIT_AL_TRACE"]).open("w", buffering=1)  # noqa: SIM115 - open as long as the process


def add(step, seconds):
    """Add to a step of the request that this thread works on; outside of one nothing is kept."""
    trace = current.get(None)
    if trace is not None:
        trace[step] = trace.get(step, 0.0) + seconds


def timed(owner, name, step):
    """Wrap a function or method."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def outer(*given, **named):
        began = time.perf_counter()
        try:
            return inner(*given, **named)
        finally:
            add(step, time.perf_counter() - began)

    setattr(owner, name, outer)


def scheduled():
    """Seconds that this thread has computed, and that it was ready without a core."""
    ran, waited, _ = Path("/proc/thread-self/schedstat").read_text().split()
    return int(ran) / 1e9, int(waited) / 1e9


class Connection(database.sqlite3.Connection):
    """Tells apart waiting for other writers (BEGIN), the disk (COMMIT) and the rest."""

    def execute(self, sql, *given):
        """Run a statement against the clock."""
        began = time.perf_counter()
        try:
            return super().execute(sql, *given)
        finally:
            word = sql.split(maxsplit=1)[0]
            add({"BEGIN": "begin", "COMMIT": "commit"}.get(word, "execute"), time.perf_counter() - began)


def in_thread(owner, name):
    """Wrap what is done in a thread of its own: how long it waited for one, computed, and waited for a core."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def outer(self, *given):
        handed = current.get({}).get("handed")
        add("thread", 0.0 if handed is None else time.perf_counter() - handed)
        began, before = time.perf_counter(), scheduled()
        try:
            return inner(self, *given)
        finally:
            after = scheduled()
            add("inside", time.perf_counter() - began)
            add("computed", after[0] - before[0])
            add("no core", after[1] - before[1])

    setattr(owner, name, outer)


def hand(inner):
    """Note when work is handed to a thread."""

    @functools.wraps(inner)
    async def outer(*given, **named):
        current.get({})["handed"] = time.perf_counter()
        return await inner(*given, **named)

    return outer


def trace_requests():
    """A line for each request."""
    inner = security.Gate.__call__

    async def outer(self, scope, receive, send):
        headers = dict(scope.get("headers", ()))
        trace = {"id": headers.get(b"x-request", b"").decode(), "path": scope.get("path", ""), "at": time.time()}
        current.set(trace)
        began = time.perf_counter()
        await inner(self, scope, receive, send)
        trace["server"] = time.perf_counter() - began
        trace.pop("handed", None)
        lines.write(json.dumps(trace) + "\n")

    security.Gate.__call__ = outer


def trace_writes():
    """A line for each turn of the thread that writes."""
    inner = writer.Writer._answer

    def outer(self, batch, work):
        trace = {"id": "", "path": "/api/" + work.__name__, "at": time.time(), "batch": len(batch)}
        current.set(trace)
        began, before = time.perf_counter(), scheduled()
        inner(self, batch, work)
        after = scheduled()
        trace["inside"] = time.perf_counter() - began
        trace["computed"], trace["no core"] = after[0] - before[0], after[1] - before[1]
        lines.write(json.dumps(trace) + "\n")

    writer.Writer._answer = outer


def main():
    """Wrap, then serve as `lit-al annotate` does."""
    connect = database.sqlite3.connect
    database.sqlite3.connect = functools.partial(connect, factory=Connection)
    timed(writer.Writer, "_wait_for", "line")
    trace_writes()
    timed(service.LabelingService, "status", "status")
    timed(service.LabelingService, "_agreement", "agreement")
    timed(counters.Tally, "refresh", "tally")
    timed(mirror.Mirror, "catch_up", "mirror")
    app.run_in_threadpool = hand(app.run_in_threadpool)
    in_thread(app._Pages, "_take")
    in_thread(service.LabelingService, "next")
    trace_requests()
    return command_line(["annotate", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
