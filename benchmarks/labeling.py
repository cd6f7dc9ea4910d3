"""How long an answer takes to be saved: many annotators at once, while a model trains beside them.

python benchmarks/labeling.py --annotators 20 --seconds 120
python benchmarks/labeling.py --annotators 20 --seconds 120 --trace
python benchmarks/labeling.py --annotators 20 --seconds 40 --rows 100000 --no-training --searching

With --trace the server runs under benchmarks/traced.py, and the slowest requests are shown step by step. Beside it runs
a probe that shares nothing with the server but the machine: ten times a second it writes 4 kB, syncs them, and computes
for a millisecond. What the probe waits for at the same moment, the server waits for by no fault of its own.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np

LABELS = ("negative", "positive")
ROOT = Path(__file__).parents[1]
COLUMNS = ("server", "thread", "line", "begin", "commit", "mirror", "execute", "status", "tally", "agreement",
           "inside", "computed", "no core")  # fmt: skip
SLOWEST = 10
PROBE = """
import os, sys, time
with open(sys.argv[1], "wb") as file, open(sys.argv[2], "w", buffering=1) as said:
    while True:
        began = time.perf_counter()
        os.pwrite(file.fileno(), bytes(4096), 0)
        os.fsync(file.fileno())
        synced, until = time.perf_counter(), time.process_time() + 0.001
        while time.process_time() < until:
            pass
        said.write(f"{time.time()} {synced - began} {time.perf_counter() - synced}\\n")
        time.sleep(0.1)
"""


class Annotator(threading.Thread):
    """One answer a second, each sent, acknowledged and timed; then the next text is fetched."""

    def __init__(self, link: str, seed: int, until: float, per_second: float) -> None:
        super().__init__()
        self.parts, self.rng, self.until, self.pause = urlsplit(link), random.Random(seed), until, 1 / per_second
        self.saving: list[float] = []  # seconds
        self.fetching: list[float] = []
        self.errors: list[str] = []
        self.named: dict[str, float] = {}  # seconds of each request, by its number
        self.numbers = (f"{seed}-{count}" for count in itertools.count())
        self.first = float("inf")  # when the first answer was saved

    def run(self) -> None:
        """Label until the time is up."""
        self.connection = http.client.HTTPConnection(self.parts.netloc, timeout=60)
        self.cookie = self._send("GET", f"/?{self.parts.query}")[2].split(";")[0]
        time.sleep(self.rng.random() * self.pause)  # not all at once
        held: list[int] = []
        while (now := time.perf_counter()) < self.until:
            if len(held) < 5:
                status, body, _ = self._timed(self.fetching, "GET", f"/api/next?n=5&exclude={','.join(map(str, held))}")
                held += [one["item"] for one in body.get("items", [])]
            if not held:
                self.errors.append(f"no text: {status} {body}")
                return
            event = {"uuid": uuid.uuid4().hex, "item": held.pop(0), "action": "label", "label": self.rng.choice(LABELS)}
            status, body, _ = self._timed(self.saving, "POST", "/api/events", {"events": [event]})
            if status != 200 or "saved" not in body["results"][0]:
                self.errors.append(f"{status} {body}")
            self.first = min(self.first, time.perf_counter())
            time.sleep(max(0.0, self.pause - (time.perf_counter() - now)))

    def _timed(self, into, method, path, body=None):
        began = time.perf_counter()
        found = self._send(method, path, body)
        into.append(time.perf_counter() - began)
        self.named[self.number] = into[-1]
        return found

    def _send(self, method, path, body=None):
        self.number = next(self.numbers)
        headers = {"Cookie": getattr(self, "cookie", ""), "X-Request": self.number}
        if body is not None:
            headers |= {"Origin": f"http://{self.parts.netloc}", "Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.connection.getresponse()
        content = response.read()
        is_json = response.getheader("Content-Type", "").startswith("application/json")
        return response.status, json.loads(content) if is_json else {}, response.getheader("Set-Cookie") or ""


class Searcher(Annotator):
    """Types a word into the search, letter by letter, over and over; the last of them is in no text."""

    WORDS = ("g", "ge", "gem", "gemq", "gemqä")

    def run(self) -> None:
        """Search until the time is up; what is found is read to the end of a page."""
        self.connection = http.client.HTTPConnection(self.parts.netloc, timeout=60)
        self.cookie = self._send("GET", f"/?{self.parts.query}")[2].split(";")[0]
        for word in itertools.cycle(self.WORDS):
            if time.perf_counter() >= self.until:
                return
            after, rows = -1, 0
            while after is not None and rows < 30:
                query = urlencode({"q": word, "n": 30, "after": after} if after >= 0 else {"q": word, "n": 30})
                status, body, _ = self._timed(self.fetching, "GET", f"/api/browse?{query}")
                if status != 200:
                    self.errors.append(f"{status} {body}")
                    return
                after, rows = body["next"], rows + len(body["rows"])
            time.sleep(self.pause)


def serve(
    folder: str, people: int, data: str, rows: int, training: bool, trace: bool
) -> tuple[subprocess.Popen[str], list[str]]:
    """The server as a user starts it, or under a clock; its links."""
    names = ",".join(f"annotator-{number}" for number in range(people))
    command = [
        sys.executable,
        "-u",
        "benchmarks/traced.py" if trace else "scripts/annotate.py",
        "--data",
        data,
        "--labels",
        ",".join(LABELS),
        "--name",
        "run",
    ]
    command += ["--log-dir", folder, "--annotators", names, "--no-browser", "--port", "0", "--demo-rows", str(rows)]
    command += [] if training else ["--no-training"]
    environment = {**os.environ, "LIT_AL_TRACE": str(Path(folder, "trace.jsonl")), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    links: list[str] = []
    while len(links) < people:
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the server ended with code {process.wait()}")
        links += re.findall(r"http://\S+", line)
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return process, links


def line(name: str, seconds: list[float]) -> str:
    """One row of the table, in milliseconds."""
    p50, p99, most = (1e3 * float(np.quantile(seconds, q)) for q in (0.5, 0.99, 1.0))
    return f"| {name} | {len(seconds):,} | {p50:.0f} | {p99:.0f} | {most:.0f} |"


def steps(folder: str, people: list[Annotator]) -> list[str]:
    """A table of the slowest requests, in milliseconds: as the client saw it, and step by step in the server."""
    traces = [json.loads(line) for line in Path(folder, "trace.jsonl").read_text().splitlines()]
    seen = {number: seconds for one in people for number, seconds in one.named.items()}
    answers = [one for one in traces if one["id"] in seen]
    answers.sort(key=lambda one: seen[one["id"]], reverse=True)
    began = min(one["at"] for one in traces)
    probed = [tuple(map(float, line.split())) for line in Path(folder, "probe.txt").read_text().splitlines()]
    longest = [max(values) for values in zip(*probed, strict=True)]
    print(f"the probe: {1e3 * longest[1]:.0f} ms for a sync at most, {1e3 * longest[2]:.0f} ms to compute for one")
    rows = ["| at s | request | client | " + " | ".join(COLUMNS) + " | probe |", "|---" * (len(COLUMNS) + 4) + "|"]
    for one in answers[:SLOWEST]:
        cells = [f"{one['at'] - began:.1f}", *(f"{1e3 * one.get(name, 0):.0f}" for name in COLUMNS)]
        during = (sum(more) for at, *more in probed if one["at"] <= at <= one["at"] + seen[one["id"]] + max(more))
        cells.append(f"{1e3 * max(during, default=0):.0f}")
        rows.append(f"| {cells[0]} | {one['path'][5:]} | {1e3 * seen[one['id']]:.0f} | " + " | ".join(cells[1:]) + " |")
    writes = [one for one in traces if "batch" in one]
    writes.sort(key=lambda one: one["inside"], reverse=True)
    mean = np.mean([one["batch"] for one in writes if one["path"].endswith("commit")])
    rows += ["", f"{len(writes):,} turns of the writer, {mean:.2f} answers in a commit; the longest turns:", ""]
    columns = ("begin", "commit", "mirror", "execute", "inside", "computed", "no core")
    rows += ["| at s | turn | answers | " + " | ".join(columns) + " |", "|---" * (len(columns) + 3) + "|"]
    for one in writes[:SLOWEST]:
        cells = " | ".join(f"{1e3 * one.get(name, 0):.0f}" for name in columns)
        rows.append(f"| {one['at'] - began:.1f} | {one['path'][6:]} | {one['batch']} | {cells} |")
    return rows


def main() -> None:
    """Run, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotators", type=int, default=20)
    parser.add_argument("--per-second", type=float, default=1.0, help="answers of each annotator")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--data", default="demo")
    parser.add_argument("--rows", type=int, default=20_000, help="of the demo corpus")
    parser.add_argument("--no-training", action="store_true")
    parser.add_argument("--searching", action="store_true", help="one more person searches all texts meanwhile")
    parser.add_argument("--trace", action="store_true", help="show the slowest requests step by step")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        training = not options.no_training
        count = options.annotators + options.searching
        process, links = serve(folder, count, options.data, options.rows, training, options.trace)
        until = time.perf_counter() + options.seconds
        probe = None
        if options.trace:
            files = [str(Path(folder, name)) for name in ("probe", "probe.txt")]
            probe = subprocess.Popen([sys.executable, "-c", PROBE, *files])
        people = [
            Annotator(link, seed, until, options.per_second) for seed, link in enumerate(links[: options.annotators])
        ]
        searchers = [Searcher(link, -1, until, 4.0) for link in links[options.annotators :]]
        for one in (*people, *searchers):
            one.start()
        for one in (*people, *searchers):
            one.join()
        for one in filter(None, (process, probe)):
            one.terminate()
            one.wait()
        from lit_al.record import Record

        with Record.open(Path(folder, "run")) as record:
            stored, models = len(record.answers()), len(record.models())
        slowest = steps(folder, people) if options.trace else []
    first = min(one.first for one in people) - began
    print(f"the first answer was saved {first:.1f} s after the command was given")
    print("| | requests | p50 ms | p99 ms | longest ms |\n|---|---|---|---|---|")
    print(line("an answer saved", [second for one in people for second in one.saving]))
    print(line("next texts", [second for one in people for second in one.fetching]))
    for one in searchers:
        print(line("a search", one.fetching))
    sent = sum(len(one.saving) for one in people)
    errors = [error for one in (*people, *searchers) for error in one.errors]
    print(f"{sent:,} answers sent, {stored:,} on record, {len(errors)} errors, {models} models trained meanwhile")
    print(*errors[:5], *slowest, sep="\n")


if __name__ == "__main__":
    main()
