"""A server in its own process; clients that behave like the page: an answer is sent until it is acknowledged."""

import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

LABELS = ("bad", "good")
ROOT = Path(__file__).parents[2]


def write_texts(path, n):
    path.write_text("text\n" + "".join(f"text number {row}\n" for row in range(n)))
    return path


class Server:
    """`lit-al annotate` in a process group of its own."""

    def __init__(self, data, log_dir, annotators=("ann",), *options, training=False):
        self.command = [
            *(
                sys.executable,
                "-u",
                "scripts/annotate.py",
                "--data",
                data,
                "--labels",
                ",".join(LABELS),
                "--name",
                "run",
            ),
            *("--log-dir", log_dir, "--no-browser", "--port", "0", "--annotators", ",".join(annotators), *options),
            *([] if training else ["--no-training"]),
        ]
        self.run, self.annotators, self.process = Path(log_dir) / "run", annotators, None

    def start(self, crash_at=""):
        environment = {**os.environ, "LIT_AL_CRASH_AT": crash_at, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [str(word) for word in self.command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said, self.links = [], []
        while len(self.links) < len(self.annotators):
            line = self.process.stdout.readline()
            if not line:
                self.process.stdout.close()
                raise AssertionError("".join(self.said))
            self.said.append(line)
            self.links += re.findall(r"http://\S+", line)
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        return self

    def _listen(self, process):
        with process.stdout, suppress(ValueError):
            self.said.extend(process.stdout)

    def client(self, place=0):
        return Client(self.links[place])

    def kill(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)


class Client:
    """Speaks HTTP as the page does."""

    def __init__(self, link):
        self.host = urlsplit(link).netloc
        self.cookie = ""
        response = self.send("GET", urlsplit(link).path + "?" + urlsplit(link).query)
        self.cookie = response.getheader("Set-Cookie").split(";")[0]

    def send(self, method, path, body=None, timeout=20):
        headers = {"Cookie": self.cookie}
        if body is not None:
            headers |= {"Origin": f"http://{self.host}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(self.host, timeout=timeout)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            response.content = response.read()
        return response

    def next(self, n=5, exclude=()):
        response = self.send("GET", f"/api/next?n={n}&exclude={','.join(map(str, exclude))}")
        return json.loads(response.content)["items"]

    def post(self, *events):
        response = self.send("POST", "/api/events", {"events": list(events)})
        return response.status, json.loads(response.content)


def label(item, name="good", **more):
    return {"uuid": uuid.uuid4().hex, "item": item, "action": "label", "label": name, **more}


class Annotator(threading.Thread):
    """Labels until told to stop; reconnects for ever. `acknowledged` holds what the server said was saved."""

    def __init__(self, link_of, rng, pause=0.0):
        super().__init__(daemon=True)
        self.link_of, self.rng, self.pause = link_of, rng, pause
        self.acknowledged, self.asked, self.queue, self.over = {}, [], [], threading.Event()

    def run(self):
        while not self.over.is_set():
            # it is down, or cannot save
            with suppress(OSError, http.client.HTTPException, AttributeError, LookupError, ValueError):
                self._label(Client(self.link_of()))
            time.sleep(0.02)

    def _label(self, client):
        while not self.over.is_set():
            self._drain(client)
            for text in client.next(1):
                self.asked.append(text["item"])
                self.queue.append(label(text["item"], self.rng.choice(LABELS)))
            time.sleep(self.pause)

    def _drain(self, client):
        while self.queue:
            _, body = client.post(self.queue[0])
            [result] = body["results"]
            if "saved" in result:
                self.acknowledged[self.queue[0]["uuid"]] = self.queue[0]
            self.queue.pop(0)


def annotators(server, seed, pause=0.0):
    """A thread for each of the server's annotators."""
    return [
        Annotator(lambda place=place: server.links[place], random.Random(f"{seed}-{place}"), pause)
        for place in range(len(server.annotators))
    ]
