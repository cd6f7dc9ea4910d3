import asyncio
import json
import threading

import pytest

pytest.importorskip("litserve", reason="serving needs litserve: pip install 'lit_al[serve]'")

from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from lit_al.models.checkpoint import load_frozen
from lit_al.models.prediction import classify
from lit_al.serving.batch_reading import TextsAsked, answers
from lit_al.serving.door import Door
from lit_al.serving.live_model import loaded
from lit_al.serving.request_metrics import RequestMetrics
from lit_al.serving.routes import add_routes
from lit_al.serving.serve_options import ServeOptions

TOKEN = "a-token-of-these-tests"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def path(tmp_path_factory, write_model):
    return write_model(tmp_path_factory.mktemp("served") / "model.ckpt")


@pytest.fixture(scope="module")
def model(path):
    return loaded(path)


def client_of(model, token="", ask=None, **limits):
    async def in_process(question):
        return answers(model, [question])[0]

    metrics = RequestMetrics()
    app = FastAPI()
    app.add_middleware(Door, token=token, metrics=metrics)
    add_routes(app, ask or in_process, ServeOptions(model="model.ckpt", **limits), metrics)
    return TestClient(app)


@pytest.fixture(scope="module")
def client(model):
    return client_of(model, max_texts=5, max_characters=1_000, max_bytes=20_000)


def counts(client):
    found = text_string_to_metric_families(client.get("/metrics").text)
    return {(one.name, *sorted(one.labels.items())): one.value for family in found for one in family.samples}


@settings(max_examples=30)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_the_answers_are_those_of_the_model_for_any_texts(client, path, texts):
    said = client.post("/predict", json={"texts": texts}).json()["predictions"]
    for one, wanted in zip(said, classify(load_frozen(path), texts), strict=True):
        assert one["label"] == wanted.label
        assert one["probabilities"] == pytest.approx(wanted.probabilities, abs=1e-6)
        assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_text_alone_is_answered_as_a_list_of_one(client, model):
    alone = client.post("/predict", json={"text": "win a prize"}).json()
    several = client.post("/predict", json={"texts": ["win a prize"]}).json()
    assert alone == {"model": model.version, **several["predictions"][0]}
    assert several["model"] == model.version


@given(sizes=st.lists(st.integers(0, 4), min_size=1, max_size=5), alone=st.booleans())
@settings(max_examples=20)
def test_requests_that_are_read_together_get_their_own_texts_answers(model, sizes, alone):
    words = iter(["win", "cash", "lunch", "report", "free"] * 5)
    asked = [TextsAsked(tuple(next(words) for _ in range(size))) for size in sizes]
    together = answers(model, asked)
    assert {one.batch for one in together} == {sum(sizes)}
    for question, answer in zip(asked, together, strict=True):
        found = json.loads(answer.body)["predictions"]
        wanted = json.loads(answers(model, [question])[0].body)["predictions"]
        assert [one["label"] for one in found] == [one["label"] for one in wanted]
        assert [one["probability"] for one in found] == pytest.approx([one["probability"] for one in wanted], abs=1e-6)


HOSTILE = {
    "empty": b"", "no JSON": b"{text", "not UTF-8": b'{"text": "\xff"}', "deep": b"[" * 19_000, "a list": b"[1]",
    "a number": b"7", "null": b"null", "nothing asked": b"{}", "another key": b'{"txt": "a"}',
    "both": b'{"text": "a", "texts": ["a"]}', "more": b'{"text": "a", "model": "b"}', "no string": b'{"text": 1}',
    "no list": b'{"texts": "abc"}', "no texts": b'{"texts": []}', "a null": b'{"texts": ["a", null]}',
    "half a character": b'{"text": "\\ud800"}', "NaN": b'{"text": NaN}',
    "large number": b'{"text": ' + b"9" * 9_000 + b"}",
}  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_request_gets_one_sentence(client, body):
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert "\n" not in answer.json()["error"]


@given(body=st.binary(max_size=300))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_break_it(client, body):
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code in (200, 400)
    assert isinstance(answer.json(), dict)


def test_limits_have_their_edge_where_they_say(client):
    def status(texts, **more):
        return client.post("/predict", json={"texts": texts}).status_code

    assert [status(["a"] * number) for number in (5, 6)] == [200, 413]
    assert [status(["é" * number]) for number in (1_000, 1_001)] == [200, 413]
    told = json.dumps({"text": "a"}).encode()
    padded = [client.post("/predict", content=told.ljust(size), headers=JSON) for size in (20_000, 20_001)]
    assert [answer.status_code for answer in padded] == [200, 413]

    def chunks():
        for _ in range(100):
            yield b" " * 1_000

    assert client.post("/predict", content=chunks(), headers=JSON).status_code == 413  # whose size is not said before
    plain = client.post("/predict", content=told, headers={"Content-Type": "text/plain"})
    assert plain.status_code == 400  # what a page of another site could send unasked


def test_one_request_too_many_at_once_is_sent_away_and_the_place_is_given_free(model):
    going, may_go = threading.Event(), threading.Event()

    async def slow(question):
        going.set()
        await asyncio.to_thread(may_go.wait, 30)
        return answers(model, [question])[0]

    with client_of(model, ask=slow, max_in_flight=1) as client:
        found = []
        first = threading.Thread(target=lambda: found.append(client.post("/predict", json={"text": "a"}).status_code))
        first.start()
        assert going.wait(30)
        refused = client.post("/predict", json={"text": "b"})
        may_go.set()
        first.join()
        assert (refused.status_code, refused.headers["retry-after"], found) == (429, "1", [200])
        assert "requests are in work" in refused.json()["error"]
        assert client.post("/predict", json={"text": "b"}).status_code == 200
        for body in HOSTILE.values():  # a refusal keeps no place
            client.post("/predict", content=body, headers=JSON)
        assert counts(client)[("lit_al_requests_in_flight",)] == 0


def test_without_the_token_nothing_is_answered_but_whether_it_lives(model, capsys):
    client = client_of(model, token=TOKEN)
    good = {"Authorization": f"Bearer {TOKEN}"}
    for given_ in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": TOKEN}):
        for answer in (
            client.post("/predict", json={"text": "a"}, headers=given_),
            client.get("/metrics", headers=given_),
        ):
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert client.post("/predict", json={"text": "a"}, headers=good).status_code == 200
    assert client.get("/metrics", headers=good).status_code == 200
    assert [client.get(open_).status_code for open_ in ("/health", "/ready")] == [200, 200]
    assert TOKEN not in capsys.readouterr().out


def test_the_log_has_a_line_for_each_request_and_no_text(client, capsys):
    client.post("/predict", json={"texts": ["unheard-of", "words"]})
    client.get("/unheard-of/path?text=unheard-of")
    client.post("/predict", content=b'{"txt": "unheard-of"}', headers=JSON)
    client.post("/predict", json={"text": "unheard-of" * 500})
    out = capsys.readouterr().out
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["path"], line["status"]) for line in lines] == [
        ("/predict", 200), ("other", 404), ("/predict", 400), ("/predict", 413)
    ]  # fmt: skip
    assert lines[0]["texts"] == 2
    assert lines[0]["ms"] > 0
    assert "unheard" not in out


def test_texts_are_logged_where_that_is_asked_for(model, capsys):
    client_of(model, log_texts=True).post("/predict", json={"text": "line\nbreak \x1b[2J"})
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["text"] == ["line\nbreak \x1b[2J"]
    assert "\x1b" not in line


def test_counts_are_what_happened(model):
    client = client_of(model, max_texts=3)
    for size in (1, 3, 3):
        client.post("/predict", json={"texts": ["a"] * size})
    client.post("/predict", json={"texts": ["a"] * 4})
    found = counts(client)
    assert found[("lit_al_requests_total", ("path", "/predict"), ("status", "200"))] == 3
    assert found[("lit_al_requests_total", ("path", "/predict"), ("status", "413"))] == 1
    assert found[("lit_al_texts_total",)] == 7
    assert found[("lit_al_batch_texts_sum",)] == 7
    assert found[("lit_al_request_seconds_count",)] == 4
    assert found[("lit_al_model_info", ("version", model.version))] == 1


def test_a_model_that_fails_is_an_error_of_the_server_in_one_sentence_and_it_is_not_ready(model):
    from starlette.exceptions import HTTPException

    async def broken(question):
        raise HTTPException(500, "secrets of the inside")

    client = client_of(model, ask=broken)
    answer = client.post("/predict", json={"text": "a"})
    assert answer.status_code == 500
    assert "secrets" not in answer.text
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200


def test_the_description_names_every_path_and_the_limits(client):
    told = client.get("/openapi.json").json()
    assert told["paths"].keys() == {"/predict", "/health", "/ready", "/metrics"}
    schema = told["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["oneOf"][1]["properties"]["texts"]["maxItems"] == 5
    assert {"200", "400", "401", "413", "429"} <= told["paths"]["/predict"]["post"]["responses"].keys()
    assert client.get("/docs").status_code == 200
