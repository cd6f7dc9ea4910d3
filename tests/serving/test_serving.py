"""The service as a user starts it: real processes, clients beside each other, signals."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

pytest.importorskip("litserve", reason="serving needs litserve: pip install 'lit_al[serve]'")

from lit_al.cli.main import main
from lit_al.models.checkpoint import load_frozen
from lit_al.models.prediction import classify
from lit_al.serving.live_model import loaded

PROGRAM = "import sys; from lit_al.cli.main import main; sys.exit(main())"
PATIENCE = 120  # seconds, on a machine that does other things
TEXTS = ["unheard-of lunch", "win cash", "a report of the meeting tomorrow"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, texts=TEXTS, path="/predict"):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        if path == "/predict":
            line.request("POST", path, json.dumps({"texts": texts}), {"Content-Type": "application/json"})
        else:
            line.request("GET", path)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def until(what, patience=PATIENCE):
    """Waits until something is so, and returns it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with suppress(OSError, http.client.HTTPException):
            if found := what():
                return found
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def version_of(port):
    status, said = ask(port, path="/ready")
    return said["model"] if status == 200 else None


def children_of(pid):
    found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [below for one in found for below in children_of(one)]


def lives(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextmanager
def serving(model, tmp_path, *more):
    port = free_port()
    words = [sys.executable, "-c", PROGRAM, "serve", str(model), "--port", str(port), *more]
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(words, stdout=out, stderr=err, start_new_session=True)
    try:
        until(lambda: version_of(port) or process.poll() is not None)
        yield process, port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def log_of(tmp_path):
    return [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]


@contextmanager
def clients(port, found, number=4, texts=TEXTS):
    """So many clients that ask again and again; what each was answered is appended, or the error that ended it."""
    stop = threading.Event()

    def asking():
        while not stop.is_set():
            try:
                found.append(ask(port, texts))
            except (OSError, http.client.HTTPException) as error:
                found.append((0, type(error).__name__))
                return

    threads = [threading.Thread(target=asking) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.slow
def test_a_model_is_swapped_under_load_and_the_service_ends_well(tmp_path, write_model):
    named = write_model(tmp_path / "model.ckpt", seed=1)
    others = [write_model(tmp_path / f"{seed}.ckpt", seed=seed) for seed in (2, 3)]
    wanted = {}
    for path in (named, *others):
        model = load_frozen(path)
        wanted[loaded(path).version] = [one.probabilities for one in classify(model, TEXTS)]
    with serving(named, tmp_path) as (process, port):
        found = []
        with clients(port, found):
            for path in others:
                version = loaded(path).version
                named.write_bytes(b"half a file, as of somebody who copies")
                time.sleep(0.5)
                path.replace(named)
                until(lambda version=version: version_of(port) == version)
        assert {status for status, _ in found} == {200}
        assert {said["model"] for _, said in found} == wanted.keys()
        for _, said in found:  # each answer is that of the version that it names
            for one, probabilities in zip(said["predictions"], wanted[said["model"]], strict=True):
                assert one["probabilities"] == pytest.approx(probabilities, abs=1e-5)

        for wild in (
            b"\0" * 500,
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
        ):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(wild)
        assert ask(port)[0] == 200

        everybody = children_of(process.pid)
        assert len(everybody) >= 3
        last = []
        with clients(port, last, number=8, texts=["win cash " * 2_000] * 200):
            until(lambda: any(status == 200 for status, _ in last))
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        assert {status for status, _ in last} == {0, 200}
        until(lambda: not any(lives(pid) for pid in everybody))
    log = log_of(tmp_path)
    answered = [line for line in log if line.get("path") == "/predict" and line["status"] == 200]
    assert len(answered) == sum(status == 200 for status, _ in found + last) + 1  # whatever was accepted was answered
    assert [line["model"] for line in log if line["event"] == "model"] == [*wanted][1:]
    assert not [line for line in log if line["event"] == "error"]
    assert "unheard" not in (tmp_path / "out").read_text() + (tmp_path / "err").read_text()
    assert "Traceback" not in (tmp_path / "err").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["the first process", "the process with the model"])
def test_no_half_of_a_service_stays(tmp_path, write_model, victim):
    with serving(write_model(tmp_path / "model.ckpt"), tmp_path) as (process, _):
        everybody = children_of(process.pid)
        if victim == "the first process":
            process.kill()
        else:
            [reader] = [pid for pid in everybody if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            os.kill(reader, signal.SIGKILL)
            assert process.wait(PATIENCE) == 2
            assert "a process of the service has ended by itself" in (tmp_path / "err").read_text()
        until(lambda: not any(lives(pid) for pid in everybody))


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_all_processes_and_ends_it_well(tmp_path, write_model):
    with serving(write_model(tmp_path / "model.ckpt"), tmp_path) as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert "Traceback" not in (tmp_path / "err").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.ckpt"], "nothing.ckpt cannot be read: No such file or directory"),
        (["{model}", "--port", "{taken}"], "Address already in use; give another --port"),
        (["{model}", "--port", "80"], "--port 80 must be 1024 or more"),
        (["{model}", "--token-file", "nothing"], "--token-file nothing cannot be read: No such file or directory"),
        (["{model}", "--token-file", "{short}"], "must be 16 printable characters or more"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(tmp_path, write_model, capsys, words, said):
    (tmp_path / "short").write_text("abc\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = {"model": write_model(tmp_path / "model.ckpt"), "short": tmp_path / "short"}
        place["taken"] = taken.getsockname()[1]
        assert main(["serve", *[word.format(**place) for word in words]]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert said in line


def test_without_the_extra_one_sentence_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr("lit_al.cli.commands.find_spec", lambda name: None)
    assert main(["serve", "model.ckpt"]) == 2
    said = "serving needs litserve, prometheus_client; install them with: pip install 'lit_al[serve]'"
    assert capsys.readouterr().err == f"error: {said}\n"


def test_the_token_is_that_of_the_file_or_of_the_environment(tmp_path, monkeypatch):
    from lit_al.serving.serve_options import ServeOptions

    monkeypatch.setenv("LIT_AL_TOKEN", "of-the-environment")
    (tmp_path / "token").write_text("of-the-file-itself\n")
    assert ServeOptions(model=Path("a")).token() == "of-the-environment"
    assert ServeOptions(model=Path("a"), token_file=tmp_path / "token").token() == "of-the-file-itself"
    monkeypatch.delenv("LIT_AL_TOKEN")
    assert ServeOptions(model=Path("a")).token() == ""
