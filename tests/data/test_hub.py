"""The hub, played by a server on this machine, and its caches, laid out by hand; `datasets` is the real one."""

import hashlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest
from pyarrow import parquet

from lit_al.data import hub

COMMIT = "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"
SPLITS = {"train": (["bad", "good"], [0, 1]), "test": (["fine", "poor"], [1, 0]), "unsupervised": (["what"], [-1])}
README = "---\nconfigs:\n- config_name: plain_text\n  data_files:\n" + "".join(
    f"  - split: {split}\n    path: plain_text/{split}-*\n" for split in SPLITS
)
LOAD = """
import json, logging, time, warnings
from lit_al.data import load_corpus
from lit_al.exceptions import DataError
start = time.perf_counter()
try:
    corpus = load_corpus("DATA", demo_rows=20)
    found = {"texts": corpus.texts, "labels": corpus.labels.tolist(), "classes": corpus.classes}
    found |= {"source": corpus.source, "demo": corpus.is_demo, "notes": corpus.notes}
except DataError as error:
    found = {"error": str(error)}
print(json.dumps(found | {"seconds": time.perf_counter() - start}))
"""


def load(home, data="imdb", **variables):
    """Load in a process of its own, for the hub's libraries read the environment when imported."""
    drop = ("HF_", "LIT_AL_", "HUGGINGFACE_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
    environment |= {"HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **variables}
    command = [sys.executable, "-W", "error", "-c", LOAD.replace("DATA", data)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""  # no progress bar, no warning, no log line
    return json.loads(run.stdout)


def is_tiny_imdb(found):
    return (
        found["texts"] == ["bad", "good", "fine", "poor"]
        and found["labels"] == [0, 1, 1, 0]
        and found["classes"] == ["negative", "positive"]
        and found["source"] == "imdb"
        and not found["demo"]
    )


def table(split):
    texts, labels = SPLITS[split]
    return pa.table({"text": texts, "label": labels})


def prepared_cache(home):
    """The cache as `datasets` leaves it: one Arrow stream per split, and their description."""
    folder = home / "datasets" / "stanfordnlp___imdb" / "plain_text" / "0.0.0" / COMMIT
    folder.mkdir(parents=True)
    for split in SPLITS:
        with pa.OSFile(str(folder / f"imdb-{split}.arrow"), "wb") as file:
            rows = table(split)
            with pa.ipc.new_stream(file, rows.schema) as stream:
                stream.write_table(rows)
    info = {
        "builder_name": "parquet",
        "config_name": "plain_text",
        "dataset_name": "imdb",
        "version": {"version_str": "0.0.0", "major": 0, "minor": 0, "patch": 0},
        "features": {
            "text": {"dtype": "string", "_type": "Value"},
            "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
        },
        "splits": {
            split: {"name": split, "num_bytes": 1, "num_examples": len(texts), "dataset_name": "imdb"}
            for split, (texts, _) in SPLITS.items()
        },
    }
    (folder / "dataset_info.json").write_text(json.dumps(info))


def downloaded_cache(home, splits=SPLITS):
    """The cache as the hub's client leaves it: a snapshot of the repository's files."""
    folder = home / "hub" / "datasets--stanfordnlp--imdb"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    snapshot = folder / "snapshots" / COMMIT / "plain_text"
    snapshot.mkdir(parents=True)
    for split in splits:
        parquet.write_table(table(split), snapshot / f"{split}-00000-of-00001.parquet")


class FakeHub(http.server.BaseHTTPRequestHandler):
    """The few answers of the hub that loading one public dataset takes."""

    protocol_version = "HTTP/1.1"
    repository = "stanfordnlp/imdb"
    files: dict[str, bytes]
    asked: list[str]

    def do_GET(self):
        self.asked.append(self.path)
        path = self.path.partition("?")[0]
        if "/resolve/" in path:
            name = path.split("/resolve/")[1].split("/", 1)[1]
            self.send_file(name)
        elif "/tree/" in path:
            below = path.split("/tree/")[1].partition("/")[2]
            folder = {"type": "directory", "path": "plain_text", "size": 0, "oid": "0" * 40}
            here = [self.entry(name) for name in self.files if name.rpartition("/")[0] == below]
            self.send_json(here if below else [folder, *here])
        elif path.startswith(f"/api/datasets/{self.repository}"):
            siblings = [{"rfilename": name} for name in self.files]
            self.send_json({"id": self.repository, "sha": COMMIT, "private": False, "siblings": siblings})
        else:
            self.send(404, b"{}")

    do_HEAD = do_GET

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_json([self.entry(name) for name in self.files if name.encode() in content])

    def entry(self, name):
        return {"type": "file", "path": name, "size": len(self.files[name]), "oid": self.tag(name)}

    def tag(self, name):
        return hashlib.sha1(self.files[name]).hexdigest()

    def send_file(self, name):
        if name in self.files:
            self.send(200, self.files[name], {"ETag": f'"{self.tag(name)}"', "X-Repo-Commit": COMMIT})
        else:
            self.send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})

    def send_json(self, content):
        self.send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def send(self, code, content, headers=()):
        self.send_response(code)
        for key, value in dict(headers).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """Start servers on loopback; yields a function from a handler class to the server's address."""
    servers = []

    def start(handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def black_hole():
    """The address of a socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refused():
    """The address of a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def answer(code, location=None):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(code)
            if location:
                self.send_header("Location", location)
            self.end_headers()

        def log_message(self, *_):
            pass

    return Answer


# The whole way, with the real `datasets`


def test_hub_that_answers_gives_imdb_and_fills_the_cache(tmp_path, serve, refused):
    files = {"README.md": (README + "---\n").encode()}
    for split in SPLITS:
        parquet.write_table(table(split), tmp_path / "split.parquet")
        files[f"plain_text/{split}-00000-of-00001.parquet"] = (tmp_path / "split.parquet").read_bytes()
    asked = []
    endpoint = serve(type("Hub", (FakeHub,), {"files": files, "asked": asked}))
    first = load(tmp_path / "home", HF_ENDPOINT=endpoint)
    assert is_tiny_imdb(first), first
    assert asked
    assert is_tiny_imdb(load(tmp_path / "home", HF_ENDPOINT=refused))


@pytest.mark.parametrize("cache", [prepared_cache, downloaded_cache])
def test_cache_alone_gives_imdb_at_once(tmp_path, cache, black_hole):
    cache(tmp_path)
    found = load(tmp_path, data="auto", HF_ENDPOINT=black_hole)
    assert is_tiny_imdb(found), found


def test_cache_is_used_in_offline_mode(tmp_path):
    prepared_cache(tmp_path)
    assert is_tiny_imdb(load(tmp_path, HF_HUB_OFFLINE="1"))


def test_half_a_cache_is_no_cache(tmp_path, refused):
    downloaded_cache(tmp_path, ["train"])
    assert "IMDB is not in the cache" in load(tmp_path, HF_ENDPOINT=refused)["error"]


def test_silent_hub_is_an_error_within_seconds(tmp_path, black_hole):
    found = load(tmp_path, HF_ENDPOINT=black_hole)
    assert f"{black_hole} does not answer within 4 s; connect to the hub once, give --data a folder" in found["error"]
    assert found["seconds"] < hub.PATIENCE + 6  # of which importing `datasets` takes one or two


def test_auto_takes_the_demo_when_the_hub_refuses(tmp_path, refused):
    found = load(tmp_path, data="auto", HF_ENDPOINT=refused + "/")
    assert found["demo"]
    assert found["source"].startswith("demo (seed 0, 20 rows")
    assert (
        f"DEMO CORPUS, NOT IMDB: IMDB is not in the cache of the Hugging Face hub, and {refused}" in found["notes"][0]
    )
    assert "cannot be reached" in found["notes"][0]


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_offline_mode_asks_nobody(tmp_path, variable, black_hole):
    found = load(tmp_path, HF_ENDPOINT=black_hole, **{variable: "1"})
    assert "HF_HUB_OFFLINE or HF_DATASETS_OFFLINE forbids asking the hub" in found["error"]


def test_hub_that_answers_nonsense_is_an_error(tmp_path, serve):
    endpoint = serve(answer(404))
    assert (
        "the Hugging Face hub answers, but loading stanfordnlp/imdb failed"
        in load(tmp_path, HF_ENDPOINT=endpoint)["error"]
    )


def test_any_data_set_of_the_hub_is_loaded_and_then_in_the_cache(tmp_path, serve, refused):
    files = {"README.md": (README + "---\n").encode()}
    for split in SPLITS:
        parquet.write_table(table(split), tmp_path / "split.parquet")
        files[f"plain_text/{split}-00000-of-00001.parquet"] = (tmp_path / "split.parquet").read_bytes()
    endpoint = serve(type("Hub", (FakeHub,), {"files": files, "asked": [], "repository": "someone/reviews"}))
    for address in (endpoint, refused):
        found = load(tmp_path / "home", "hub:someone/reviews", HF_ENDPOINT=address)
        assert found["texts"] == ["bad", "good", "fine", "poor", "what"]
        assert (found["labels"], found["source"]) == ([0, 1, 1, 0, -1], "hub someone/reviews")


def test_a_data_set_that_is_not_to_be_had_is_an_error_within_seconds(tmp_path, black_hole):
    found = load(tmp_path, "hub:someone/reviews", HF_ENDPOINT=black_hole)
    assert found["error"].startswith("someone/reviews is not in the cache of the Hugging Face hub, and")
    assert "does not answer within 4 s; connect to the hub once, or give --data a file or folder" in found["error"]
    assert found["seconds"] < hub.PATIENCE + 6
    found = load(tmp_path, "hub:someone/reviews", HF_HUB_OFFLINE="1")
    assert "forbids asking the hub" in found["error"]


# Whether the hub answers


@pytest.mark.parametrize("code", [200, 401, 403, 404, 429])
def test_any_answer_of_the_hub_is_an_answer(serve, code):
    assert hub.why_unreachable(serve(answer(code))) is None


@pytest.mark.parametrize("code", [407, 500, 502, 503])
def test_failing_servers_and_proxies_are_no_answer(serve, code):
    assert f"answers {code}" in hub.why_unreachable(serve(answer(code)))


def test_refused_connection_is_known_at_once(refused):
    start = time.perf_counter()
    assert f"{refused} cannot be reached" in hub.why_unreachable(refused)
    assert time.perf_counter() - start < 1


def test_black_hole_is_left_at_the_deadline(black_hole):
    start = time.perf_counter()
    assert hub.why_unreachable(black_hole, 0.2) == f"{black_hole} does not answer within 0.2 s"
    assert time.perf_counter() - start < 1


def test_store_of_files_behind_the_hub_must_answer_too(serve, black_hole):
    assert "does not answer" in hub.why_unreachable(serve(answer(302, black_hole)), 0.2)


def test_name_look_up_that_hangs_is_left_at_the_deadline(monkeypatch):
    release = threading.Event()

    def hang(*_, **__):
        release.wait(10)
        raise OSError("late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.perf_counter()
    assert "does not answer within 0.2 s" in hub.why_unreachable("http://hub.invalid", 0.2)
    assert time.perf_counter() - start < 1
    release.set()


def test_proxy_of_the_environment_is_asked(serve, monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", serve(answer(200)))
    assert hub.why_unreachable("http://hub.invalid") is None


def test_address_without_sense_is_no_answer():
    assert "cannot be reached" in hub.why_unreachable("no address")
