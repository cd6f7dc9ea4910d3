"""Who may ask the page's server what: hosts, origins, tokens, sizes, and what answers carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.annotate.security import LARGEST_BODY, cookie_name, host_of

EVIL = "<script>alert(1)</script>{{7*7}}'\"><img src=x onerror=alert(1)></textarea>"


def test_link_becomes_a_cookie_and_leaves_the_address(record, make_client):
    client = make_client(record)
    answer = client.get(f"/?token={client.token}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{cookie_name(record.run_id)}={client.token};")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_link_clicked_on_another_site_goes_on_by_itself(record, make_client):
    client = make_client(record)
    client.cookies.clear()
    answer = client.get(f"/?token={client.token}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/">' in answer.text
    assert client.token not in answer.text
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("token", ["", "x", "é", "a" * 5_000])
@pytest.mark.parametrize("path", ["/", "/api/next", "/api/text/1", "/api/history", "/api/status"])
def test_wrong_token_is_401_and_not_repeated(record, make_client, path, token):
    client = make_client(record)
    client.cookies.clear()
    headers = {"Cookie": f"{cookie_name(record.run_id)}={token}".encode()}
    answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert len(token) < 2 or token not in answer.text


def test_wrong_link_is_401(record, make_client):
    client = make_client(record)
    client.cookies.clear()
    answer = client.get("/?token=wrong")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert client.say({}).status_code == 401


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:9999", "http://127.0.0.1"])
def test_post_from_elsewhere_is_403(record, make_client, helpers, origin):
    client = make_client(record)
    del client.headers["Origin"]
    headers = {} if origin is None else {"Origin": origin}
    answer = client.post("/api/events", json={"events": [helpers.event(3)]}, headers=headers)
    assert answer.status_code == 403
    assert record.last_seq() == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json2"])
def test_form_post_is_403(record, make_client, kind):
    body = b'{"events": [{"uuid": "12345678", "item": 3, "action": "label", "label": "positive"}]}'
    answer = make_client(record).post("/api/events", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 403
    assert record.last_seq() == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_api_asked_by_another_page_is_403(record, make_client, site):
    assert make_client(record).get("/api/next", headers={"Sec-Fetch-Site": site}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.com", "evil.com:8765", "127.0.0.1.evil.com", "", "[::1", "[::1]x", "::1", "0.0.0.0"]
)
def test_strange_host_is_400(record, make_client, host):
    answer = make_client(record).get("/api/status", headers={"Host": host})
    assert answer.status_code == 400
    assert "host name" in answer.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765", "[::1]"])
def test_own_hosts_are_answered(record, make_client, host):
    assert make_client(record).get("/static/page.css", headers={"Host": host}).status_code == 200


@given(st.text(max_size=40))
def test_no_header_is_a_loopback_host_by_accident(header):
    name = host_of(header)
    assert name == "" or name in header.lower()


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_other_methods_are_405_without_cors(record, make_client, method):
    headers = {"Access-Control-Request-Method": "POST"}
    answer = make_client(record).request(method, "/api/events", headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/api/status", "/static/page.js", "/nowhere", "/api/events"])
def test_every_answer_carries_the_headers(record, make_client, path):
    headers = make_client(record).get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/next?n=0", 400),
        ("/api/next?n=1000", 400),
        ("/api/next?n=x", 400),
        ("/api/next?exclude=1,x", 400),
        ("/api/next?n=" + "9" * 5_000, 400),
        ("/api/history?before=-1", 400),
        ("/api/text/999", 404),
        ("/api/text/1.5", 400),
        ("/api/text/" + "9" * 5_000, 400),
        ("/api/events", 405),
        ("/nowhere", 404),
        ("/api/../../etc/passwd", 404),
        ("/static/../app.py", 404),
        ("/static/%2e%2e/app.py", 404),
        ("/static/%2e%2e%2fapp.py", 404),
        ("/static//etc/passwd", 404),
        ("/static/page.js%00", 404),
    ],
)
def test_bad_addresses_are_one_plain_sentence(record, make_client, path, status):
    answer = make_client(record).get(path)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]


def test_large_body_is_413(record, make_client):
    body = b'{"events": ["' + b"x" * LARGEST_BODY + b'"]}'
    answer = make_client(record).post("/api/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_endless_body_is_cut_off_before_it_is_read(record, make_client):
    read = []

    def endless():
        for _ in range(1_000):
            read.append(1)
            yield b"x" * 100_000

    answer = make_client(record).post("/api/events", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 200_000, b'{"a":' * 100_000, b"\xff\xfe", b"NaN", b'{"events": [NaN]}']
)
def test_broken_json_is_400(record, make_client, body):
    answer = make_client(record).post("/api/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "the request is not valid JSON"}


def test_names_and_guidelines_are_escaped_on_the_page(tmp_path, make_client, helpers):
    with helpers.fill(tmp_path / "evil", classes=("good", EVIL)) as record:
        record.set_state("guidelines", {"text": EVIL})
        page = make_client(record, "ann " + EVIL).get("/").text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert page.count("{{7*7}}") >= 4  # as written, not computed
        assert page.count("&lt;script&gt;alert(1)") >= 4


def test_refusal_repeats_no_markup_as_markup(record, make_client, helpers):
    client = make_client(record)
    answer = client.say(helpers.event(3, label=EVIL))
    assert answer.headers["content-type"] == "application/json"
    assert "<img src=x onerror=alert(1)>" in answer.json()["results"][0]["refused"]  # JSON, set as text alone


def test_page_holds_no_inline_script_or_style(record, make_client):
    page = make_client(record).get("/").text
    assert "<style" not in page
    assert " style=" not in page
    assert " on" + "click" not in page
    assert page.count("<script") == 1


def test_record_file_is_its_owners_alone(record):
    assert record.path.stat().st_mode & 0o077 == 0


def test_token_is_never_written_to_standard_output(record, make_client, capfd):
    client = make_client(record)
    client.get(f"/?token={client.token}")
    client.get("/?token=wrong-token")
    shown = capfd.readouterr()
    assert client.token not in shown.out + shown.err
