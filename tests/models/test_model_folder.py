"""A model as a folder: what is written is what is read, by every way in; and nothing in it is believed unseen."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from lit_al.cli import main
from lit_al.exceptions import CheckpointError
from lit_al.models.checkpoint import load_frozen, load_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.model_folder import CONFIG, TOKENIZER, WEIGHTS
from lit_al.text.encoder import TextEncoder

TEXTS = ["a good film", "a bad film", "It's 好吃 — so GOOD!", "Straße 👍🏽"]
WRITTEN = {WEIGHTS, CONFIG, TOKENIZER, "tokenizer_config.json", "README.md"}
KINDS = [("keras3", "words"), ("unicode", "words"), ("unicode", "characters"), ("unicode", "subwords")]


def model_of(how="keras3", units="words", classes=("no", "yes"), masked=False):
    encoder = TextEncoder.fit([*TEXTS, *TEXTS], vocabulary_size=60, max_length=9, how=how, units=units)
    settings = {"embedding_size": 4, "hidden_size": 2, "masked": masked}
    return LitBiLSTM(classes, encoder.state_dict(), learning_rate=0.5, kernel="reference", **settings).eval()


def logits(model):
    return model.net(torch.as_tensor(model.encoder.encode(TEXTS).astype("int64")))


@pytest.fixture
def folder(tmp_path):
    model_of().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(("how", "units"), KINDS)
@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "ü\n")])
def test_what_is_written_is_what_is_read(how, units, classes, tmp_path):
    model = model_of(how, units, classes, masked=units == "words")
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        WEIGHTS,
        CONFIG,
        TOKENIZER,
        "tokenizer_config.json",
        "README.md",
    }
    for again in (LitBiLSTM.from_pretrained(tmp_path), load_model(tmp_path), load_frozen(str(tmp_path))):
        assert (again.encoder, again.classes) == (model.encoder, model.classes)
        assert again.net.lstm.masked == model.net.lstm.masked
        torch.testing.assert_close(logits(again.eval()), logits(model), rtol=0, atol=1e-6)


def test_settings_given_go_first(folder):
    assert LitBiLSTM.from_pretrained(folder, kernel="lstm", learning_rate=0.25).net.lstm.kernel == "lstm"
    with pytest.raises(CheckpointError, match="weights of another model"):
        LitBiLSTM.from_pretrained(folder, hidden_size=3)


def test_model_that_reads_no_texts_has_no_tokenizer(tmp_path):
    LitBiLSTM(vocabulary_size=5, embedding_size=4, hidden_size=2).save_pretrained(tmp_path)
    assert not (tmp_path / "tokenizer.json").exists()
    assert LitBiLSTM.from_pretrained(tmp_path).encoder is None


def test_predict_reads_a_folder(folder, capsys):
    assert main.main(["predict", str(folder), "a good film"]) == 0
    label, probability, _ = capsys.readouterr().out.split("\t")
    wanted = torch.sigmoid(logits(model := load_model(folder).eval())[0]).item()
    assert float(probability) == pytest.approx(max(wanted, 1 - wanted), abs=1e-4)
    assert label == model.classes[wanted > 0.5]


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("config.json", None, "config.json cannot be read"),
        ("config.json", b"{", "config.json is no JSON"),
        ("config.json", b"[" * 100_000, "config.json is no JSON"),
        ("config.json", b'{"classes": ["a", "b"]}', "not of a model of lit_al"),
        ("config.json", b'{"library": "lit_al", "schema": 99}', "not of schema 1"),
        ("config.json", b'{"library": "lit_al", "schema": 1, "classes": "ab"}', "its classes is of type str"),
        (
            "config.json",
            b'{"library": "lit_al", "schema": 1, "classes": ["a", "b"], "hidden_size": 9}',
            "another model",
        ),
        ("config.json", b'{"library": "lit_al", "schema": 1, "classes": ["a", "b"], "reads": 3}', "does not say how"),
        ("tokenizer.json", b"{}", "does not say how this model reads"),
        ("tokenizer.json", b'{"model": {"vocab": {"": 0, "[UNK]": 7, "a": 9}}}', "does not say how this model reads"),
        ("tokenizer.json", None, "tokenizer.json cannot be read"),
        ("model.safetensors", b"\xff" * 99, "no file of weights, or it is damaged"),
        ("model.safetensors", b"", "no file of weights, or it is damaged"),
    ],
)
def test_what_is_no_model_is_refused_in_one_sentence(folder, file, change, said, capsys):
    (folder / file).unlink() if change is None else (folder / file).write_bytes(change)
    with pytest.raises(CheckpointError, match=said):
        load_model(folder)
    assert main.main(["predict", str(folder), "a good film"]) == 2
    assert said in capsys.readouterr().err


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a push and a download need; files are kept by name."""

    def log_message(self, *_):
        """Say nothing."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        name = self.path.partition("?")[0].rpartition("/resolve/")[2].partition("/")[2]
        if "/resolve/" not in self.path:
            self._answer(
                {"id": "me/model", "sha": "1" * 40, "siblings": [{"rfilename": name} for name in self.server.files]}
            )
        elif name not in self.server.files:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", "1" * 40)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            content = self.server.files[name]
            headers = {"X-Repo-Commit": "1" * 40, "ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
            self._answer(content, headers)

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if "/preupload/" in self.path:
            files = [{"path": one["path"], "uploadMode": "regular"} for one in json.loads(sent)["files"]]
            self._answer({"files": [{**one, "shouldIgnore": False} for one in files]})
        elif "/commit/" in self.path:
            for line in map(json.loads, sent.splitlines()):
                if line["key"] == "file":
                    self.server.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self._answer({"success": True, "commitOid": "1" * 40, "commitUrl": f"{self.server.url}/me/model/commit/1"})
        else:
            self._answer({"url": f"{self.server.url}/me/model", "name": "me/model"})

    def _answer(self, content, headers=()):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(200)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.files, server.url = {}, f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(code, tmp_path, **environment):
    """In a process of its own, for the hub's address and cache are looked up once."""
    own = {
        "HF_TOKEN": "of nobody",
        "HF_HOME": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
    }
    whole = {**os.environ, **own, "NO_PROXY": "127.0.0.1", **environment}
    done = subprocess.run([sys.executable, "-c", code], env=whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.split()


def test_hub_takes_a_model_and_gives_it_back_and_so_does_its_cache(folder, hub, tmp_path):
    push = f"from lit_al import LitBiLSTM; LitBiLSTM.from_pretrained({str(folder)!r}).push_to_hub('me/model')"
    pull = "from lit_al import LitBiLSTM, classify; m = LitBiLSTM.from_pretrained('me/model')"
    pull += f"; print(*[found.probability for found in classify(m, {TEXTS!r})])"
    there = run(f"{push}; {pull}", tmp_path, HF_ENDPOINT=hub.url)
    assert set(hub.files) >= WRITTEN
    assert hub.files["tokenizer.json"] == (folder / "tokenizer.json").read_bytes()
    assert run(pull, tmp_path, HF_HUB_OFFLINE="1") == there
    wanted = torch.sigmoid(logits(load_model(folder).eval()))
    assert [float(one) for one in there] == pytest.approx(torch.maximum(wanted, 1 - wanted).tolist(), abs=1e-5)


@pytest.mark.parametrize("name", ["me/none", "no/such/folder", "../none"])
def test_model_that_is_neither_in_the_hub_nor_in_its_cache_is_said_to_be_so(name, tmp_path):
    with pytest.raises(CheckpointError, match=r"is no folder, and neither the hub nor its cache has such a model"):
        LitBiLSTM.from_pretrained(name, cache_dir=tmp_path, local_files_only=True)


def test_hub_that_is_silent_is_not_waited_for(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(CheckpointError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        LitBiLSTM.from_pretrained("me/none", cache_dir=tmp_path)
