"""Connections that say nothing, or too slowly, or come by the hundred."""

import http.client
import json
import resource
import socket
import threading
import time

import pytest
import uvicorn

from lit_al.annotate import connections
from lit_al.annotate.app import make_app
from lit_al.annotate.security import cookie_name
from lit_al.annotate.service import LabelingService

PATIENCE = 0.4  # seconds, of the server under test
HEAD = b"POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture
def served(record, monkeypatch):
    """A server with little patience; its port, and the cookie of an annotator."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", PATIENCE)
    monkeypatch.setattr(connections, "ANSWER_SECONDS", PATIENCE)
    monkeypatch.setattr(connections, "MOST_STRANGERS", 20)
    cookie = f"{cookie_name(record.run_id)}={record.add_annotator('ann')}"
    app = make_app(LabelingService(record, "reviews"), ["127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = connections.Server(uvicorn.Config(app, ws="none", lifespan="off", log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1], cookie
        server.should_exit = True
        thread.join(20)


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def drip(connection, content):
    """Byte for byte, until it is cut off; seconds that it took, and what came back."""
    began, back = time.monotonic(), b""
    connection.settimeout(0.05)
    for place in range(len(content) + 200):
        try:
            if place < len(content):
                connection.sendall(content[place : place + 1])
            part = connection.recv(65_536)
            if not part:
                return time.monotonic() - began, back
            back += part
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - began, back
    pytest.fail("it was never cut off")


@pytest.mark.parametrize("slowly", [b"", HEAD, b"GET / HTTP/1.1\r\nX: " + b"x" * 200])
def test_whoever_does_not_ask_in_time_is_cut_off(served, slowly):
    with connected(served[0]) as connection:
        seconds, back = drip(connection, slowly)
    assert PATIENCE - 0.1 <= seconds < PATIENCE + 5
    assert back == b""


def test_slow_body_without_a_token_is_cut_off_after_the_refusal(served):
    with connected(served[0]) as connection:
        connection.sendall(HEAD + b"Content-Length: 500\r\n\r\n")
        seconds, back = drip(connection, b"x" * 500)
    assert b"401" in back.split(b"\r\n")[0]
    assert seconds < PATIENCE + 6


def test_annotators_slow_body_is_waited_for(served, helpers, record):
    port, cookie = served
    body = json.dumps({"events": [helpers.event(3)]}).encode()
    with connected(port) as connection:
        connection.sendall(HEAD + f"Cookie: {cookie}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        for part in (body[:50], body[50:]):
            time.sleep(2 * PATIENCE)
            connection.sendall(part)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
    assert record.labels() == {3: "positive"}


def test_new_strangers_drive_out_old_ones_and_no_annotator(served, monkeypatch):
    port, cookie = served
    monkeypatch.setattr(connections, "HEADER_SECONDS", 60)
    known = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def ask():
        known.request("GET", "/api/status", headers={"Cookie": cookie})
        answer = known.getresponse()
        return answer.status, answer.read() and known.sock.getsockname()

    first = ask()
    strangers = [connected(port) for _ in range(60)]
    assert ask() == first == (200, first[1])  # over the same connection
    for one in strangers:
        one.settimeout(0.3)
    closed = [one for one in strangers if not alive(one)]
    assert closed == strangers[:40]
    for one in (*strangers, known):
        one.close()


def alive(connection):
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_limit_of_open_files_is_raised_as_far_as_allowed(monkeypatch):
    given = []
    monkeypatch.setattr(resource, "setrlimit", lambda what, limits: given.append(limits))
    for limits in ((1_024, 4_096), (1_024, resource.RLIM_INFINITY), (4_096, 4_096), (1 << 20, 1 << 20)):
        monkeypatch.setattr(resource, "getrlimit", lambda what, limits=limits: limits)
        connections.raise_limit()
    assert given == [(4_096, 4_096), (65_536, resource.RLIM_INFINITY)]


@pytest.mark.parametrize(("allowed", "strangers"), [(1_024, 256), (200, 50), (1, 1), (resource.RLIM_INFINITY, 256)])
def test_strangers_have_a_part_of_the_open_files(monkeypatch, allowed, strangers):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (allowed, allowed))
    assert connections.most_strangers() == strangers
