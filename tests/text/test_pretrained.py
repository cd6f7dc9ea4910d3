import hashlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lit_al.data import Corpus, hub
from lit_al.exceptions import ConfigError
from lit_al.text import cache, pretrained
from lit_al.text.pretrained import check_encoder, encoder_vectors, fingerprint_of

TEXTS = ["a good film", "a bad film", "a good film", "", "very long " * 400, "a bad film", "dull"]
WIDTH = 8


def corpus_of(texts=TEXTS, labels=None):
    return Corpus(list(texts), np.zeros(len(texts), np.int64) if labels is None else labels, ("a", "b"))


class Fake:
    """An encoder whose vectors are drawn from the sha256 of the text; an empty text has none."""

    device = "cpu"

    def __init__(self, break_after=None, bad=None):
        self.read, self.break_after, self.bad = [], break_after, bad

    def encode(self, texts, *, batch_size, show_progress_bar):
        assert not show_progress_bar
        if self.break_after is not None and len(self.read) >= self.break_after:
            raise KeyboardInterrupt
        self.read += texts
        found = [np.frombuffer(hashlib.sha256(text.encode()).digest()[:WIDTH], np.uint8) for text in texts]
        vectors = np.array(found, np.float32) * [[bool(text)] for text in texts]
        if self.bad in texts:
            vectors[texts.index(self.bad)] = np.nan
        return vectors


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(pretrained, "SAVE", -1.0)  # every piece
    monkeypatch.setattr(pretrained, "PIECE", 1)  # of one text
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "encoder"
    path.mkdir()
    (path / "modules.json").write_text("[]")
    (path / "weights").write_bytes(b"1234")
    return path


@pytest.fixture
def use(monkeypatch):
    """Put an encoder into the place of the one that would be loaded."""

    def put(fake):
        monkeypatch.setattr(pretrained, "check_package", lambda: None)
        monkeypatch.setattr(pretrained, "_opened", lambda name, device, local_files_only: fake)
        return fake

    return put


def refuse(*_, **__):
    raise AssertionError("loaded again")


def test_rows_are_unit_vectors_of_their_texts_and_each_text_is_read_once(folder, use):
    fake, told = use(Fake()), []
    vectors = encoder_vectors(corpus_of(), str(folder), advance=told.append)
    assert (vectors.shape, vectors.dtype) == ((7, WIDTH), np.float16)
    assert isinstance(vectors, np.memmap)
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 0, 1, 1, 1], atol=2e-3)
    assert sorted(fake.read[1:]) == sorted(set(TEXTS))  # the first call asks how long a vector is
    assert sum(told) == len(TEXTS)
    assert min(told) >= 1
    for row, text in enumerate(TEXTS):
        expected = Fake().encode([text], batch_size=1, show_progress_bar=False)[0].astype(np.float64)
        np.testing.assert_allclose(vectors[row], expected / max(np.linalg.norm(expected), 1), atol=1e-3)


def test_second_time_neither_package_nor_encoder_is_loaded(folder, use, monkeypatch, cache_folder):
    use(Fake())
    first = np.array(encoder_vectors(corpus_of(), str(folder)))
    assert [file.suffix for file in cache_folder.iterdir()] == [".npy"]
    monkeypatch.setattr(pretrained, "_load", refuse)
    told = []
    again = encoder_vectors(corpus_of(labels=np.arange(7) % 2), str(folder), advance=told.append)  # labels do not count
    np.testing.assert_array_equal(first, again)
    assert told == []
    again[:] = 0  # stays in memory
    np.testing.assert_array_equal(first, encoder_vectors(corpus_of(), str(folder)))


def test_other_texts_order_or_encoder_are_computed_anew(folder, use, cache_folder):
    use(Fake())
    encoder_vectors(corpus_of(), str(folder))
    turned = encoder_vectors(corpus_of(TEXTS[::-1]), str(folder))
    np.testing.assert_array_equal(turned[::-1], encoder_vectors(corpus_of(), str(folder)))
    (folder / "weights").write_bytes(b"1235")
    encoder_vectors(corpus_of(), str(folder))
    assert len(list(cache_folder.iterdir())) == 3


def test_fingerprint_is_of_what_is_in_the_folder(folder, tmp_path):
    before = fingerprint_of(str(folder))
    os.utime(folder / "weights", (0, 0))
    (folder / ".cache").mkdir()
    (folder / ".cache" / "lock").write_text("x")
    moved = folder.rename(tmp_path / "elsewhere")
    assert fingerprint_of(str(moved)) == before
    (moved / "weights").rename(moved / "weight")
    assert fingerprint_of(str(moved)) != before


@pytest.mark.parametrize("after", range(1, 6))
def test_what_was_interrupted_goes_on_where_it_was(after, folder, use, cache_folder):
    whole = Fake().encode(TEXTS, batch_size=1, show_progress_bar=False)
    broken, told = use(Fake(break_after=after)), []
    with pytest.raises(KeyboardInterrupt):
        encoder_vectors(corpus_of(), str(folder), advance=told.append)
    fresh, more = use(Fake()), []
    vectors = encoder_vectors(corpus_of(), str(folder), advance=more.append)
    assert set(fresh.read[1:]) == set(TEXTS) - set(broken.read[1:])  # none twice, none left out
    assert sum(more) == len(TEXTS)
    if after > 1:
        assert more[0] == sum(told)
    lengths = np.linalg.norm(whole, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, whole / np.maximum(lengths, 1), atol=1e-3)
    assert [file.suffix for file in cache_folder.iterdir()] == [".npy"]


@pytest.mark.parametrize("ending", ["part", "progress"])
def test_what_is_left_of_an_interrupted_run_and_broken_is_computed_anew(ending, folder, use, cache_folder):
    use(Fake(break_after=3))
    with pytest.raises(KeyboardInterrupt):
        encoder_vectors(corpus_of(), str(folder))
    [path] = cache_folder.glob(f"*.{ending}")
    path.write_bytes(b"nonsense")
    fresh = use(Fake())
    vectors = encoder_vectors(corpus_of(), str(folder))
    assert set(fresh.read[1:]) == set(TEXTS)
    assert (np.linalg.norm(vectors.astype(float), axis=1) > 0).sum() == 6


KILLED = """
import os, sys, time
from lit_al.text import pretrained
from tests_of_vectors import Fake, corpus_of

class Slow(Fake):
    def encode(self, texts, **options):
        if len(self.read) == 4:
            print("three are done", flush=True)
            time.sleep(60)
        return super().encode(texts, **options)

pretrained.SAVE, pretrained.PIECE = -1.0, 1
pretrained.check_package = lambda: None
pretrained._opened = lambda name, device, local_files_only: Slow()
pretrained.encoder_vectors(corpus_of(), sys.argv[1])
"""


def test_killed_process_costs_no_more_than_seconds_of_work(folder, use, tmp_path):
    (tmp_path / "tests_of_vectors.py").write_text(Path(__file__).read_text())
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "three are done\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    fresh = use(Fake())
    encoder_vectors(corpus_of(), str(folder))
    assert len(fresh.read[1:]) == len(set(TEXTS)) - 3


def test_cache_that_cannot_be_written_is_said_and_done_without(folder, use, cache_folder, caplog):
    cache_folder.write_text("a file")
    use(Fake())
    vectors = encoder_vectors(corpus_of(), str(folder))
    assert (np.linalg.norm(vectors.astype(float), axis=1) > 0).sum() == 6
    assert cache.VARIABLE in caplog.text


def test_encoder_that_gives_no_numbers_is_an_error_with_its_place(folder, use):
    use(Fake(bad="dull"))
    with pytest.raises(ConfigError, match=r"gives no numbers .* for the text of row 7, 'dull'"):
        encoder_vectors(corpus_of(), str(folder))


# --- Where encoders come from -----------------------------------------------------------------------------------------


def test_missing_package_names_the_extra(folder, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'lit_al\[encoder\]'"):
        encoder_vectors(corpus_of(), str(folder))


def test_folder_without_an_encoder_and_names_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="holds no encoder"):
        check_encoder(str(tmp_path))
    for name in ("/no/such/folder", "a b", "../x", "a/b/c"):
        with pytest.raises(ConfigError, match="neither a folder nor a name"):
            check_encoder(name)


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """The hub's cache, empty, and no hub."""
    from huggingface_hub import constants

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(pretrained, "check_package", lambda: None)
        yield tmp_path / "hub"


def test_hub_that_is_silent_is_one_sentence_within_seconds(hub_cache, monkeypatch):
    monkeypatch.setattr(hub.why_unreachable, "__defaults__", (0.3, "file"))
    start = time.perf_counter()
    with pytest.raises(ConfigError, match=r"the encoder some/name is no folder here .* does not answer within 0.3 s"):
        encoder_vectors(corpus_of(), "some/name")
    assert time.perf_counter() - start < 3


def test_offline_mode_asks_nobody(hub_cache, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match="HF_HUB_OFFLINE forbids asking the hub"):
        encoder_vectors(corpus_of(), "some/name")


def test_encoder_in_the_hubs_cache_is_found_without_the_hub_by_its_revision(hub_cache, monkeypatch):
    opened = []

    def open_it(name, device, *, local_files_only):
        opened.append((name, local_files_only))
        return Fake()

    monkeypatch.setattr(pretrained, "_opened", open_it)
    monkeypatch.setattr(pretrained, "why_unreachable", refuse)
    for commit in ("1" * 40, "2" * 40):
        repository = hub_cache / "models--sentence-transformers--tiny"
        (repository / "refs").mkdir(parents=True, exist_ok=True)
        (repository / "refs" / "main").write_text(commit)
        (repository / "snapshots" / commit).mkdir(parents=True)
        (repository / "snapshots" / commit / "config.json").write_text("{}")
        assert fingerprint_of("tiny") == f"sentence-transformers/tiny@{commit}"
        encoder_vectors(corpus_of(), "tiny")
        encoder_vectors(corpus_of(), "sentence-transformers/tiny")
    assert opened == [("sentence-transformers/tiny", True)] * 2  # once for each revision


def test_name_that_the_hub_does_not_load_is_an_error(hub_cache, monkeypatch):
    def fail(*_, **__):
        raise OSError("no such repository\nand more")

    monkeypatch.setattr(pretrained, "_opened", fail)
    monkeypatch.setattr(pretrained, "why_unreachable", lambda *_, **__: None)
    with pytest.raises(ConfigError, match=r"loading the encoder some/name failed \(OSError: no such repository\)"):
        encoder_vectors(corpus_of(), "some/name")


# --- The package itself -----------------------------------------------------------------------------------------------


@pytest.fixture
def static_encoder(tmp_path):
    """A folder with a static encoder, as model2vec's are, written by sentence-transformers."""
    models = pytest.importorskip("sentence_transformers")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = ["[UNK]", "good", "bad", "film", "a"]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    weights = np.eye(5, dtype=np.float32)
    models.SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(
        str(tmp_path / "static")
    )
    return tmp_path / "static"


@pytest.mark.filterwarnings("ignore")
def test_folder_of_sentence_transformers_is_loaded_and_read(static_encoder, monkeypatch):
    monkeypatch.setattr(pretrained, "why_unreachable", refuse)
    vectors = encoder_vectors(corpus_of(["good film", "bad", "good film", ""]), str(static_encoder), device="cpu")
    half = np.float16(0.5**0.5)
    np.testing.assert_array_equal(vectors, [[0, half, 0, half, 0], [0, 0, 1, 0, 0], [0, half, 0, half, 0], [0] * 5])


@pytest.mark.filterwarnings("ignore")
def test_code_in_a_folder_is_not_run(static_encoder):
    (static_encoder / "evil.py").write_text(f"open({str(static_encoder / 'ran')!r}, 'w')\nclass Evil: pass\n")
    modules = json.loads((static_encoder / "modules.json").read_text())
    modules[0]["type"] = "evil.Evil"
    (static_encoder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ConfigError, match="cannot be loaded"):
        encoder_vectors(corpus_of(), str(static_encoder), device="cpu")
    assert not (static_encoder / "ran").exists()
