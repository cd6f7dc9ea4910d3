"""What tests of labeling share: a record of texts, a desk over it, a browser's client of the page."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from lit_al.record import RECORD_FILE, Item, NewGeneration, Ranked, Record, sha256_of

ROOT = Path(__file__).parents[2]
SERVER_SECONDS = 40
TEXTS = [f"text number {number}" for number in range(12)]


def fill(folder, texts=TEXTS, classes=("negative", "positive"), **settings):
    """A record of texts in a run's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    record = Record.create(folder / RECORD_FILE, classes, settings={"seed": 0, **settings}, guidelines="be fair")
    record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(texts))
    return record


def rank(record, items, positive=0.75):
    """A ranking by a model that takes them all for positive; every third is a control."""
    ranked = [Ranked(item, 1.0 / (place + 1), "close", {"negative": 1 - positive, "positive": positive}, place % 3 == 0)
              for place, item in enumerate(items)]  # fmt: skip
    return record.publish(NewGeneration(7, "margin", record.last_seq()), ranked)


def event(item, action="label", **more):
    """An event as the page sends it."""
    label = {"label": "positive"} if action == "label" else {}
    return {"uuid": uuid4().hex, "item": item, "action": action, **label, **more}


@pytest.fixture(scope="session")
def helpers():
    return SimpleNamespace(fill=fill, rank=rank, event=event, texts=TEXTS)


@pytest.fixture
def record(tmp_path):
    with fill(tmp_path / "run") as record:
        yield record


@pytest.fixture
def make_client():
    """A client of a record's page, let in as an annotator, that sends what a browser would send."""
    from starlette.testclient import TestClient

    from lit_al.annotate.app import make_app
    from lit_al.annotate.desk import Desk

    open_clients = []

    def make(record, annotator="ann", **options):
        token = record.add_annotator(annotator)
        app = make_app(Desk(record, "reviews", **options), ["127.0.0.1", "localhost", "::1"])
        origin = "http://127.0.0.1:8765"
        client = TestClient(app, base_url=origin, headers={"Origin": origin}, raise_server_exceptions=False)
        open_clients.append(client)
        client.token = token
        assert client.get(f"/?token={token}").status_code == 200
        kind = {"Content-Type": "application/json"}
        client.say = lambda *events: client.post("/api/events", content=json.dumps({"events": events}), headers=kind)
        return client

    yield make
    for client in open_clients:
        client.close()


@pytest.fixture
def start(tmp_path):
    """Start a server; returns its process, its links, what it said, and the file in which it says more."""
    servers = []

    def begin(*options):
        log = tmp_path / f"log-{len(servers)}"
        command = [sys.executable, str(ROOT / "scripts" / "annotate.py"), "--no-browser", "--no-training", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with log.open("wb") as output:
            server = subprocess.Popen(command, stdout=output, stderr=output, cwd=tmp_path, env=environment)
        servers.append(server)
        deadline = time.monotonic() + SERVER_SECONDS
        while server.poll() is None and time.monotonic() < deadline and b"Ctrl-C ends" not in log.read_bytes():
            time.sleep(0.05)
        said = log.read_text()
        return server, re.findall(r"open (http://\S+)", said), said, log

    yield begin
    for server in servers:
        server.kill()
        server.wait()
