"""The server as a process: its port, its lock, its links, its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lit_al.annotate.project_options import AnnotateOptions
from lit_al.annotate.start import check_serving, hosts_of, listening
from lit_al.cli.command_line import parse
from lit_al.cli.commands import COMMANDS
from lit_al.cli.main import main
from lit_al.exceptions import ConfigError, LitALError, RunError
from lit_al.record import OwnerLock, Record

ROOT = Path(__file__).parents[2]
HERE = {**os.environ, "PYTHONPATH": str(ROOT)}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())


NEW = ("--data", "reviews.csv", "--labels", "negative,positive", "--port", "0")


@pytest.fixture(autouse=True)
def _reviews(tmp_path):
    (tmp_path / "reviews.csv").write_text("text\na gem\ndull\nso so\n")


def get(address, headers=None):
    try:
        with DIRECT.open(urllib.request.Request(address, headers=headers or {}), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_ends_it_in_order(start, tmp_path, number, code):
    server, [link], said, log = start(*NEW)
    assert said.startswith("3 texts, 2 labels: negative, positive\n")
    assert get(link)[0] == 200
    assert get(link.split("?")[0] + "api/next")[0] == 200
    server.send_signal(number)
    assert server.wait(timeout=20) == code
    with Record.open(tmp_path / "lightning_logs" / "reviews") as record:
        record.add_annotator("bob")
        assert len(record.next_items("bob", 3)[0]) == 3  # its leases are given free
    token = link.split("=")[1]
    assert log.read_text().count(token) == 1  # the link itself, and no log line
    assert "Traceback" not in log.read_text()


def test_same_command_after_kill_goes_on_with_the_same_link(start):
    server, [link], _, _ = start(*NEW)
    server.kill()
    server.wait()
    _, [again], said, _ = start(*NEW)
    assert link.split("?")[1] == again.split("?")[1]
    assert said.startswith("goes on with lightning_logs/reviews: 0 answers so far")


def test_second_server_on_a_run_is_told_who_holds_it(start):
    server, _, _, _ = start(*NEW)
    second, links, said, _ = start(*NEW)
    assert second.wait(timeout=20) == 2
    assert links == []
    assert f"process {server.pid} on {socket.gethostname()}" in said
    assert said.count("\n") == 1


def test_taken_port_gives_the_next_one(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, [link], said, _ = start(*NEW[:-1], str(port))
    other = int(link.split(":")[2].split("/")[0])
    assert f"port {port} is taken; {other} is used instead" in said
    assert other > port


def test_every_annotator_has_a_link(start):
    _, links, said, _ = start(*NEW, "--annotators", "ann,bob")
    assert len(set(links)) == 2
    assert "  (ann)\n" in said
    for link, name in zip(links, ("ann", "bob"), strict=True):
        get(link)
        assert json.loads(get(link.split("?")[0] + "api/status")[1])["annotator"] == name


def test_hundreds_of_silent_connections_hold_nobody_up(start):
    _, [link], _, _ = start(*NEW)
    get(link)
    port = int(link.split(":")[2].split("/")[0])
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
    try:
        for one in silent:
            one.sendall(b"POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n")
        assert get(link.split("?")[0] + "api/status")[0] == 200
    finally:
        for one in silent:
            one.close()


def test_server_process_never_loads_torch(start, tmp_path):
    code = (
        "import sys, threading, time, os, signal\n"
        "from lit_al.cli.main import main\n"
        "def end():\n"
        "    time.sleep(4)\n"
        "    print({'torch', 'lightning', 'numba', 'datasets', 'sklearn'} & set(sys.modules), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=end, daemon=True).start()\n"
        "sys.exit(main(['annotate', *sys.argv[1:]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *NEW, "--no-browser", "--no-training"],
        capture_output=True, text=True, cwd=tmp_path, env=HERE, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 130
    assert "set()\n" in done.stdout


def test_address_for_others_needs_names():
    with pytest.raises(ConfigError, match="--annotators ann,bob"):
        check_serving(AnnotateOptions(host="0.0.0.0"))
    check_serving(AnnotateOptions(host="0.0.0.0", annotators=("ann",)))
    check_serving(AnnotateOptions(host="::1"))


def test_hosts_answered_are_the_machines_own():
    assert hosts_of(AnnotateOptions()) == {"127.0.0.1", "localhost", "::1"}
    assert "lab.example" in hosts_of(AnnotateOptions(allow_host=("lab.example",)))
    open_to_all = hosts_of(AnnotateOptions(host="0.0.0.0", annotators=("ann",)))
    assert socket.gethostname() in open_to_all
    assert "0.0.0.0" not in open_to_all


def test_host_that_is_not_here_is_refused():
    with pytest.raises(LitALError), listening(AnnotateOptions(host="192.0.2.1", annotators=("ann",))):
        pass
    with (
        pytest.raises(RunError, match="give another --port"),
        listening(AnnotateOptions(port=65_535)),
        listening(AnnotateOptions(port=65_535)),
    ):
        pass  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--labels", "a,b"], "give --data FILE"),
        (["--data", "reviews.csv", "--labels", "a,b", "--port", "70000"], "--port 70000"),
        (["--data", "reviews.csv", "--labels", "a,b", "--overlap", "0"], "--overlap 0 must be 1 or more"),
        (["--data", "nowhere.csv", "--labels", "a,b"], "no file or folder"),
        (["--run", "nowhere"], "is no run with labels"),
        (["--run", "x", "--name", "y"], "not both"),
        (["--data", "x.csv", "--labels", "a,b", "--name", "../../x"], "plain folder name"),
        (["--data", "x.csv", "--labels", "a,b", "--annotators", "ann,Ann"], "hard to tell apart"),
        (["--data", "x.csv", "--labels", "a,b", "--host", "0.0.0.0"], "lets other machines in"),
    ],
)
def test_what_cannot_work_ends_in_one_sentence(tmp_path, monkeypatch, capsys, options, said):
    monkeypatch.chdir(tmp_path)
    assert main(["annotate", "--no-browser", *options]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_options_not_given_are_left_to_the_run():
    asked = parse(COMMANDS, ["annotate", "--data", "x.csv", "--labels", "a, b", "--show-suggestions", "--seed", "0"])
    assert asked.classes == ("a", "b")
    assert asked.asked == {"show_suggestions": True, "seed": 0}
    assert asked.training
    assert parse(COMMANDS, ["annotate", "--run", "x", "--resolve", "drop"]).asked == {"resolve": "drop"}


def test_trainer_that_cannot_start_is_shown_and_labeling_goes_on(record, monkeypatch):
    from lit_al.annotate import background

    def broken(folder):
        raise RunError("no room for a trainer")

    monkeypatch.setattr(background, "_supervisor", broken)
    with background.training(record.path.parent, record, wanted=True):
        assert record.state("trainer")["detail"] == "no room for a trainer"


def test_trainer_is_checked_and_stopped(record, monkeypatch):
    from lit_al.annotate import background

    calls = []

    class Supervisor:
        def start(self):
            calls.append("start")

        def check(self):
            calls.append("check")
            raise RunError("lost it")

        def stop(self):
            calls.append("stop")

    monkeypatch.setattr(background, "_supervisor", lambda folder: Supervisor())
    monkeypatch.setattr(background, "_CHECK_SECONDS", 0.01)
    with background.training(record.path.parent, record, wanted=True):
        time.sleep(0.2)
    assert calls[0] == "start"
    assert calls[-1] == "stop"
    assert calls.count("check") > 1  # one failed check is not the last
    assert record.state("trainer")["state"] == "failed"


def test_second_lock_is_refused_while_the_first_is_held(tmp_path):
    with OwnerLock(tmp_path, "lit-al annotate"), pytest.raises(LitALError, match="lit-al annotate"):
        OwnerLock(tmp_path, "lit-al annotate").__enter__()
