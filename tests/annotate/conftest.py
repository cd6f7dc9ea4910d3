"""What tests of labeling share: records of texts, clients and servers of the page, trainers beside them."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from lit_al.record import RECORD_FILE, Action, Item, NewEvent, NewGeneration, Ranked, Record, sha256_of
from lit_al.record.own_columns import OwnColumns

ROOT = Path(__file__).parents[2]
SERVER_SECONDS = 40
TEXTS = [f"text number {number}" for number in range(12)]


def fill(folder, texts=TEXTS, classes=("negative", "positive"), beside=None, **settings):
    """A record of texts in a run's folder, with the same columns beside each text, all of them shown."""
    folder.mkdir(parents=True, exist_ok=True)
    record = Record.create(folder / RECORD_FILE, classes, settings={"seed": 0, **settings}, guidelines="be fair")
    record.add_items(Item(row, sha256_of(text), text, beside or {}) for row, text in enumerate(texts))
    if beside:
        OwnColumns(shown=tuple(beside)).keep(record)
    return record


def rank(record, items, positive=0.75):
    """A ranking by a model that takes them all for positive; every third is a control."""
    ranked = [Ranked(item, 1.0 / (place + 1), "close", {"negative": 1 - positive, "positive": positive}, place % 3 == 0)
              for place, item in enumerate(items)]  # fmt: skip
    return record.publish(NewGeneration(7, "margin", record.last_seq()), ranked)


def event(item, action="label", **more):
    """An event as the page sends it."""
    label = {"label": "positive"} if action == "label" else {}
    return {"uuid": uuid.uuid4().hex, "item": item, "action": action, **label, **more}


@pytest.fixture(scope="session")
def helpers():
    return SimpleNamespace(fill=fill, rank=rank, event=event, texts=TEXTS, Page=Page, WATCH=WATCH, EVIL=EVIL)


@pytest.fixture
def record(tmp_path):
    with fill(tmp_path / "run") as record:
        yield record


@pytest.fixture
def make_client():
    """A client of a record's page, let in as an annotator, that sends what a browser would send."""
    from starlette.testclient import TestClient

    from lit_al.annotate.app import make_app
    from lit_al.annotate.service import LabelingService

    open_clients = []

    def make(record, annotator="ann", **options):
        token = record.add_annotator(annotator)
        app = make_app(LabelingService(record, "reviews", **options), ["127.0.0.1", "localhost", "::1"])
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


# --- The page in a browser --------------------------------------------------------------------------------------------

PAGE_SECONDS = 15
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}</textarea>'\""
WATCH = """
window.seen = [];
window.alert = (words) => window.seen.push(`alert ${words}`);
document.addEventListener('securitypolicyviolation', (event) => window.seen.push(`policy ${event.violatedDirective}`));
window.addEventListener('error', (event) => window.seen.push(`error ${event.message}`));
"""
MODULES = """
const [{ S, shown }, { waiting, keep }, { buttons }] = await Promise.all(
    ['state', 'sending', 'labels'].map((name) => import(`${location.origin}/static/${name}.js`)));
"""


class Page:
    """The page, as an annotator has it."""

    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder

    def open(self, link):
        """Follow a link, once the first text is there."""
        self.browser.get(link)
        self.until("document.querySelector('#text').textContent || document.querySelector('#notice').textContent")
        self.until("S.oldest !== Infinity")  # earlier answers are there
        return self

    def js(self, code, *arguments):
        return self.browser.execute_script(f"return (async function () {{ {MODULES} return {code} }})()", *arguments)

    def until(self, code, value=None):
        """Wait for an expression to be true, or to be a value; returns it."""

        def look(browser):
            found = self.js(code)
            return [found] if (found if value is None else found == value) else None

        words = f"{code} is not {'true' if value is None else value}"
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, PAGE_SECONDS, poll_frequency=0.02).until(look, words)[0]

    @property
    def text(self):
        return self.js("document.querySelector('#text').textContent")

    def shown(self, place):
        return self.js(f"document.querySelector('#{place}').textContent")

    def press(self, *keys):
        """One key after the other, as a person would: each on a text that is there."""
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            self.until("!!shown() || S.words.startsWith('All done') || S.words.startsWith('Only')")
            ActionChains(self.browser, duration=0).send_keys(key).perform()

    def saved(self, count):
        self.until("document.querySelector('#saved').textContent", f"saved {count}")

    def label(self, key):
        """Answer the text on screen; returns it."""
        text = self.until("shown() && document.querySelector('#text').textContent")
        self.press(key)
        return text

    def said(self, annotator="ann"):
        """What is on record, by text."""
        with Record.open(self.folder, check=False) as record:
            texts = {item.id: item.text for item in record.items()}
            return {texts[answer.item]: answer.label for answer in record.answers(annotator)}

    def shot(self, name):
        """A picture for people to look at, where they ask for it."""
        folder = os.environ.get("LIT_AL_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            assert self.browser.save_screenshot(str(Path(folder) / f"{name}.png"))


@pytest.fixture
def page(tmp_path, browser, start, helpers):
    """Begin a run of texts and open its page; the server can be started again at the same port."""
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    page = Page(browser, tmp_path / "run")

    def serve():
        page.server, links, page.log, _ = start("--run", "run", "--port", str(page.port), "--annotators", page.names)
        assert links, page.log
        page.port = int(links[0].split(":")[2].split("/")[0])
        page.links = links

    def begin(texts=None, names="ann", **settings):
        texts = [f"text number {number}" for number in range(40)] if texts is None else texts
        helpers.fill(page.folder, texts, **settings).close()
        page.port, page.names, page.serve = 0, names, serve
        serve()
        return page.open(page.links[0])

    yield begin
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    assert page.js("window.seen") in ([], None)
    browser.get("about:blank")


# --- The trainer ------------------------------------------------------------------------------------------------------

QUICK = {
    "seed": 0,
    "study_steps": 3,
    "vocabulary_size": 200,
    "max_length": 12,
    "retrain_every": 5,
    "accelerator": "cpu",
}


# The trainer's process at the priority of everyone else: tests share their machine with others.
TRAINER = (
    sys.executable,
    "-c",
    "import os, sys; os.nice = lambda _: 0; from lit_al.annotate.trainer import main; sys.exit(main(sys.argv[1:]))",
)


class Run:
    """A run folder whose texts are those of a corpus; text `i` has the id `10 + 2 i`."""

    def __init__(self, folder, corpus, **settings):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.corpus = folder, corpus
        self.record = Record.create(folder / "record.sqlite", corpus.classes, settings={**QUICK, **settings})
        self.ids = [10 + 2 * place for place in range(len(corpus))]
        self.record.add_items(
            Item(number, sha256_of(text), text) for number, text in zip(self.ids, corpus.texts, strict=True)
        )

    def truth(self, item):
        return self.corpus.classes[self.corpus.labels[self.ids.index(item)]]

    def say(self, item, label, annotator="ann", **facts):
        """A label, or a skip where it is None."""
        action = Action.LABEL if label else Action.SKIP
        return self.record.append(NewEvent(str(uuid.uuid4()), item, annotator, action, label=label, **facts))

    def undo(self, event):
        self.record.append(NewEvent(str(uuid.uuid4()), event.item, event.annotator, Action.UNDO, undoes=event.uuid))

    def answer(self, n, annotator="ann"):
        """The next n texts, truly labeled, as the page would."""
        self.record.add_annotator(annotator)
        for _ in range(n):
            [queued], _ = self.record.next_items(annotator, 1)
            self.say(
                queued.item.id,
                self.truth(queued.item.id),
                annotator,
                generation=queued.generation,
                model_version=queued.model_version,
                predicted=queued.predicted,
                control=queued.control,
            )

    @property
    def state(self):
        return self.record.state("trainer")


@pytest.fixture
def make_run(tmp_path, make_corpus):
    made = []

    def make(name="run", rows=60, classes=("negative", "positive"), **settings):
        made.append(Run(tmp_path / name, make_corpus(rows, classes), **settings))
        return made[-1]

    yield make
    for run in made:
        run.record.close()


@pytest.fixture(scope="session")
def trainer_command():
    return TRAINER


@pytest.fixture(scope="session")
def spawn():
    """A trainer's process beside a folder, killed at the end of the block if it is still there."""

    @contextmanager
    def spawned(folder, **environment):
        process = subprocess.Popen(
            [*TRAINER, str(folder), "--parent", str(os.getpid())],
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    return spawned
