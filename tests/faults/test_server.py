"""What the server of the labeling page does when it is killed, cut off, or has no room on the disk."""

import http.client
import json
import os
import random
import resource
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults.serving import LABELS, Server, annotators, label, write_texts
from lit_al.record import Record

pytest.importorskip("starlette", reason="the page needs starlette: pip install 'lit_al[annotate]'")

CRASHES = ("before_commit", "after_commit", "before_ack")


@pytest.fixture
def serve(tmp_path):
    """Make servers; none outlives its test."""
    made = []

    def make(n=20, people=("ann",), *options, **more):
        made.append(Server(write_texts(tmp_path / "texts.csv", n), tmp_path, people, *options, **more))
        return made[-1]

    yield make
    for server in made:
        if server.process:
            server.kill()


def stored(server):
    with Record.open(server.run) as record:  # checks the integrity of the file
        return list(record.events()), record.answers()


def check_nothing_lost(server, people):
    events, answers = stored(server)
    count = Counter(event.uuid for event in events)
    acknowledged = {uuid: event for one in people for uuid, event in one.acknowledged.items()}
    assert acknowledged
    lost = [uuid for uuid in acknowledged if count[uuid] != 1]
    assert not lost
    by_uuid = {event.uuid: event for event in events}
    for uuid, sent in acknowledged.items():
        assert (by_uuid[uuid].item, by_uuid[uuid].label) == (sent["item"], sent["label"])
    assert max(Counter((answer.item, answer.annotator) for answer in answers).values()) == 1
    assert max(count.values()) == 1
    print(f"{len(acknowledged)} acknowledged, {len(lost)} lost")


def label_under_kills(server, rounds, seed):
    """Kill the server again and again under three annotators, at random moments and at named places."""
    rng = random.Random(seed)
    server.start()
    people = annotators(server, seed)
    for one in people:
        one.start()
    for number in range(rounds):
        place = rng.choice(("", "", *CRASHES))
        if place:
            server.kill()
            server.start(f"{place}:{rng.randint(8, 60)}")  # its start takes a few commits
            server.process.wait(60)
        else:
            time.sleep(rng.uniform(0.05, 0.4))
            server.kill()
        server.start()
        before = sum(len(one.acknowledged) for one in people)
        deadline = time.monotonic() + 20
        while sum(len(one.acknowledged) for one in people) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        assert sum(len(one.acknowledged) for one in people) > before, f"nobody could go on after kill {number}"
    for one in people:
        one.over.set()
    for one in people:
        one.join(30)
    server.kill()
    return people


def test_kill_9_under_load_loses_no_acknowledged_label(serve, capsys):
    server = serve(50_000, ("ann", "bob", "cid"))
    people = label_under_kills(server, rounds=6, seed=0)
    with capsys.disabled():
        print()
        check_nothing_lost(server, people)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_kill_9_two_hundred_times_loses_no_acknowledged_label(serve, capsys):
    server = serve(200_000, ("ann", "bob", "cid"))
    people = label_under_kills(server, rounds=200, seed=1)
    with capsys.disabled():
        print()
        check_nothing_lost(server, people)


def send_until_it_dies(server, event):
    for _ in range(20):  # a start commits, and so do links: the crash comes with one of the next
        server.client().post(event)


@pytest.mark.parametrize("place", CRASHES)
def test_an_answer_cut_off_by_a_crash_is_there_once_after_it_is_sent_again(serve, place):
    server = serve().start(crash_at=f"{place}:{6 if place != 'before_ack' else 1}")
    event = label(3)
    with pytest.raises((http.client.HTTPException, OSError)):
        send_until_it_dies(server, event)
    server.process.wait(30)
    server.start()
    status, body = server.client().post(event)
    assert (status, list(body["results"][0])[:2]) == (200, ["uuid", "saved"])
    server.kill()
    assert [one.uuid for one in stored(server)[0]] == [event["uuid"]]


def test_a_full_disk_is_said_and_labeling_goes_on_once_there_is_room(serve):
    server = serve().start()
    client = server.client()
    client.post(label(1))
    size = max(path.stat().st_size for path in server.run.iterdir())
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    refused = [event for event in (label(item) for item in range(20)) if not saved(client.post(event))]
    assert refused
    status, body = client.post(refused[0])
    assert status == 503
    assert body["error"].startswith("not saved: the disk")
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for event in refused:
        assert saved(client.post(event))
    server.kill()
    events, _ = stored(server)
    assert len(events) == len({event.uuid for event in events}) == 21


def saved(answer):
    status, body = answer
    return status == 200 and "saved" in body["results"][0]


def emptied(run):
    os.truncate(run / "record.sqlite", 0)


def another(run):
    shutil.copy(run / "record.backup.sqlite", run / "new")
    (run / "new").replace(run / "record.sqlite")


@pytest.mark.parametrize("harm", [shutil.rmtree, emptied, another])
def test_nothing_is_said_to_be_saved_once_the_record_is_not_there_any_more(serve, harm):
    server = serve().start()
    client = server.client()
    assert saved(client.post(label(1)))
    harm(server.run)
    event = label(2)
    for status, body in (client.post(event), client.post(event), get_json(client, "/api/status"),
                         get_json(client, "/api/next?n=5")):  # fmt: skip
        assert status == 503
        assert "nothing is saved any more; put back what was there, or end lit-al" in body["error"]
    assert server.end(signal.SIGINT) == 130
    assert sum("nothing is saved any more" in line for line in server.said) == 1  # in the terminal too, once


def get_json(client, path):
    response = client.send("GET", path)
    return response.status, json.loads(response.content)


def test_a_folder_that_comes_back_takes_what_was_kept(serve):
    server = serve(5_000, ("ann", "bob")).start()
    people = annotators(server, 3)
    for one in people:
        one.start()
    away = server.run.with_name("away")
    for _ in range(5):
        time.sleep(0.3)
        server.run.rename(away)
        time.sleep(0.3)
        before = sum(len(one.acknowledged) for one in people)
        time.sleep(0.3)
        assert sum(len(one.acknowledged) for one in people) == before
        away.rename(server.run)
    time.sleep(0.5)
    for one in people:
        one.over.set()
    for one in people:
        one.join(30)
    server.kill()
    check_nothing_lost(server, people)


def test_a_new_server_under_the_name_of_a_deleted_run_loses_nothing_by_the_end_of_the_old_one(serve):
    old = serve().start()
    assert saved(old.client().post(label(1)))
    shutil.rmtree(old.run)
    new = serve().start()
    event = label(2)
    assert saved(new.client().post(event))
    assert old.end() == 143
    assert saved(new.client().post(label(3)))
    new.kill()
    assert [one.item for one in stored(new)[0]] == [2, 3]


def test_an_answer_whose_acknowledgement_got_lost_is_there_once(serve):
    server = serve().start()
    client = server.client()
    event = label(5)
    connection = http.client.HTTPConnection(client.host)
    headers = {"Cookie": client.cookie, "Origin": f"http://{client.host}", "Content-Type": "application/json"}
    connection.request("POST", "/api/events", json.dumps({"events": [event]}), headers)
    connection.close()  # before the answer came
    for _ in range(3):
        assert saved(client.post(event))
    server.kill()
    assert len(stored(server)[0]) == 1


def test_the_same_event_from_many_at_once_and_after_a_restart_is_one(serve):
    server = serve().start()
    events = [label(1), label(2)]
    found = []

    def send(order):
        found.append(server.client().post(*order))

    threads = [threading.Thread(target=send, args=(events[:: 1 - 2 * (number % 2)],)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in found] == [200] * 50
    server.kill()
    server.start()
    assert server.client().post(*events)[0] == 200
    status, body = server.client().post({**events[0], "label": LABELS[0]})
    assert status == 409
    assert "on record with label 'good'" in body["results"][0]["conflict"]
    server.kill()
    assert len(stored(server)[0]) == 2


def test_two_people_on_one_text_are_both_heard(serve):
    server = serve(1, ("ann", "bob"), "--overlap", "2").start()
    for place, name in enumerate(LABELS):
        client = server.client(place)
        [text] = client.next()
        assert saved(client.post(label(text["item"], name)))
    server.kill()
    assert [(answer.annotator, answer.label) for answer in stored(server)[1]] == [("ann", "bad"), ("bob", "good")]


def is_open(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_more_silent_connections_than_open_files_are_allowed_lock_nobody_out(serve):
    server = serve(people=("ann", "bob"))
    server.command = ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh", *server.command]
    server.start()
    port = int(server.links[0].split(":")[2].split("/")[0])
    client = server.client()
    with ExitStack() as stack:
        silent = []
        for number in range(600):
            silent.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)))
            if number % 100 == 99:
                assert saved(client.post(label(number // 100)))
                assert saved(server.client(1).post(label(number // 100)))
                assert len([*Path(f"/proc/{server.process.pid}/fd").iterdir()]) < 150
        assert sum(map(is_open, silent)) <= 50 + 32
        deadline = time.monotonic() + 20
        while any(map(is_open, silent)) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not any(map(is_open, silent))
    assert "out of system resource" not in "".join(server.said)


def test_a_server_killed_with_its_whole_group_leaves_no_process(serve):
    server = serve().start()
    group = server.process.pid
    server.kill()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_ctrl_c_says_what_is_saved_and_where_to_go_on(serve):
    server = serve(training=True).start()
    assert saved(server.client().post(label(1)))
    began = time.monotonic()
    assert server.end(signal.SIGINT) == 130
    assert time.monotonic() - began < 10  # a second where the machine is idle
    said = "".join(server.said)
    assert f"saved: 1 answer in {server.run}; nothing is lost" in said
    assert f"lit-al export {server.run} --to run-labels.csv" in said


def test_a_second_ctrl_c_waits_for_nothing_and_loses_nothing(serve):
    server = serve(training=True).start()
    assert saved(server.client().post(label(1)))
    server.process.send_signal(signal.SIGINT)
    time.sleep(0.15)
    assert server.end(signal.SIGINT) == 130
    assert len(stored(server)[1]) == 1
