import os
import subprocess
import sys

import numpy as np
import pytest

from lit_al.data import Corpus
from lit_al.text import cache
from lit_al.text.encoder import TextEncoder

ENCODER = TextEncoder.fit(["a good film", "a bad film"], max_length=4)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "WORTH", 3)
    return tmp_path / "cache"


def corpus_of(*texts):
    return Corpus(list(texts), np.zeros(len(texts), np.int64), ("a", "b"), source="tiny")


CORPUS = corpus_of("a good film", "film film", "bad")


def refuse(*_, **__):
    raise AssertionError("encoded again")


def test_second_time_is_read_from_the_file(monkeypatch, folder):
    told = []
    first = cache.encoded(CORPUS, ENCODER, advance=told.append)
    monkeypatch.setattr(TextEncoder, "encode", refuse)
    again = cache.encoded(CORPUS, ENCODER, advance=told.append)
    assert told == [3]
    assert isinstance(again, np.memmap)
    assert again.dtype == np.uint16
    monkeypatch.undo()
    np.testing.assert_array_equal(first, ENCODER.encode(CORPUS.texts))
    np.testing.assert_array_equal(again, first)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    ("corpus", "encoder"),
    [
        (corpus_of("a good film", "film film", "good"), ENCODER),
        (corpus_of("film film", "a good film", "bad"), ENCODER),
        (CORPUS, TextEncoder(ENCODER.vocabulary, max_length=5)),
        (CORPUS, TextEncoder(ENCODER.vocabulary, max_length=4, how="keras2")),
        (CORPUS, TextEncoder(ENCODER.vocabulary, max_length=4, cut="middle")),
        (CORPUS, TextEncoder(ENCODER.vocabulary, max_length=4, how="unicode")),
        (CORPUS, TextEncoder((*ENCODER.vocabulary, "g"), max_length=4, how="unicode", units="characters")),
        (CORPUS, TextEncoder.fit(CORPUS.texts, max_length=4, how="unicode", units="subwords")),
        (CORPUS, TextEncoder(ENCODER.vocabulary[:-1], max_length=4)),
    ],
)
def test_another_corpus_or_encoder_is_encoded_anew(corpus, encoder, folder):
    cache.encoded(CORPUS, ENCODER)
    np.testing.assert_array_equal(cache.encoded(corpus, encoder), encoder.encode(corpus.texts))
    assert len(list(folder.iterdir())) == 2


def test_changes_stay_in_memory():
    ids = cache.encoded(CORPUS, ENCODER)
    ids[:] = 7
    assert not (np.asarray(cache.encoded(CORPUS, ENCODER)) == 7).any()


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00", None])
def test_broken_file_is_replaced(content, folder):
    expected = np.array(cache.encoded(CORPUS, ENCODER))
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes()[:-2] if content is None else content)
    np.testing.assert_array_equal(cache.encoded(CORPUS, ENCODER), expected)
    assert isinstance(cache._read(path, (3, 4)), np.memmap)


def test_small_corpus_leaves_no_file(monkeypatch, folder):
    monkeypatch.setattr(cache, "WORTH", 4)
    cache.encoded(CORPUS, ENCODER)
    assert not folder.exists()


def test_folder_that_cannot_be_written_is_said_and_done_without(folder, caplog):
    folder.write_text("a file")
    np.testing.assert_array_equal(cache.encoded(CORPUS, ENCODER), ENCODER.encode(CORPUS.texts))
    assert cache.VARIABLE in caplog.text


def test_full_disk_is_said_and_leaves_nothing(monkeypatch, folder, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    np.testing.assert_array_equal(cache.encoded(CORPUS, ENCODER), ENCODER.encode(CORPUS.texts))
    assert "No space left" in caplog.text
    assert not list(folder.iterdir())


def test_interrupt_leaves_no_half_file(monkeypatch, folder):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(TextEncoder, "encode", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cache.encoded(CORPUS, ENCODER)
    assert not list(folder.iterdir())


def test_files_not_used_for_longest_make_room(monkeypatch, folder):
    corpora = [corpus_of("a", "b", word) for word in ("one", "two", "three", "four")]
    names = [f"{cache.name_of(corpus, ENCODER)}.npy" for corpus in corpora]
    for age, (corpus, name) in enumerate(zip(corpora[:3], names, strict=False)):
        cache.encoded(corpus, ENCODER)
        os.utime(folder / name, (1_000_000 + age, 1_000_000 + age))
    (folder / "dead.tmp").write_bytes(b"x")
    os.utime(folder / "dead.tmp", (0, 0))
    (folder / "alive.tmp").write_bytes(b"x")
    cache.encoded(corpora[0], ENCODER)  # used again
    monkeypatch.setattr(cache, "MOST", 2.5 * (folder / names[0]).stat().st_size)
    cache.encoded(corpora[3], ENCODER)
    assert {file.name for file in folder.iterdir()} == {names[3], names[0], "alive.tmp"}


def test_folder_is_the_users_cache(monkeypatch, tmp_path):
    assert cache.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_folder() == tmp_path / "xdg" / "lit_al"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / ".cache" / "lit_al"


def test_two_processes_at_once_leave_one_whole_file(folder):
    code = (
        "import numpy as np\n"
        "from lit_al import load_corpus, TextEncoder\n"
        "from lit_al.text import cache\n"
        "corpus = load_corpus('demo', demo_rows=12_000)\n"
        "encoder = TextEncoder.fit(corpus.texts[:100])\n"
        "assert (cache.encoded(corpus, encoder) == encoder.encode(corpus.texts)).all()"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ)) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    assert [file.suffix for file in folder.iterdir()] == [".npy"]


PARTS = {"what": "numbers", "rows": np.arange(5), "setting": 3}


def made():
    return {"first": np.arange(6, dtype=np.float32).reshape(2, 3), "second": np.array(7)}


def test_kept_arrays_are_read_back_equal(folder):
    first = cache.kept(PARTS, 3, made)
    again = cache.kept(dict(reversed(PARTS.items())), 3, refuse)
    assert first.keys() == again.keys() == {"first", "second"}
    for name, array in made().items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype
        again[name][...] = 0  # a copy of one's own
    assert cache.kept(PARTS, 3, refuse)["second"] == 7
    assert [file.suffix for file in folder.iterdir()] == [".npz"]


@pytest.mark.parametrize(
    "other",
    [
        {"what": "words"},
        {"setting": 4},
        {"rows": np.array([0, 1, 2, 4, 3])},
        {"rows": np.arange(5, dtype=np.int32)},
        {"rows": np.arange(5)[None]},
        {"more": None},
    ],
)
def test_other_parts_are_computed_anew(other, folder):
    cache.kept(PARTS, 3, made)
    with pytest.raises(AssertionError, match="encoded again"):
        cache.kept({**PARTS, **other}, 3, refuse)
    cache.kept({**PARTS, **other}, 3, made)
    assert len(list(folder.iterdir())) == 2


def test_arrays_of_few_texts_leave_no_file(folder):
    assert cache.kept(PARTS, 2, made).keys() == made().keys()
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", None])
def test_broken_archive_is_replaced(content, folder):
    cache.kept(PARTS, 3, made)
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes()[:-30] if content is None else content)
    np.testing.assert_array_equal(cache.kept(PARTS, 3, made)["first"], made()["first"])
    cache.kept(PARTS, 3, refuse)


def test_archive_with_a_wrong_byte_is_replaced(folder):
    cache.kept(PARTS, 3, made)
    path = next(folder.iterdir())
    content = bytearray(path.read_bytes())
    content[content.index(np.float32(4).tobytes())] ^= 0xFF  # within the array: its checksum tells
    path.write_bytes(content)
    np.testing.assert_array_equal(cache.kept(PARTS, 3, made)["first"], made()["first"])


def test_arrays_that_cannot_be_kept_are_said_and_given_all_the_same(folder, caplog):
    folder.write_text("a file")
    assert cache.kept(PARTS, 3, made)["second"] == 7
    assert cache.VARIABLE in caplog.text


def test_interrupted_computation_leaves_no_file(folder):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.kept(PARTS, 3, interrupt)
    assert not folder.exists() or not list(folder.iterdir())


def test_kept_arrays_and_ids_share_the_room(monkeypatch, folder):
    cache.kept(PARTS, 3, made)
    old = next(folder.iterdir())
    os.utime(old, (1_000_000, 1_000_000))
    monkeypatch.setattr(cache, "MOST", 1)
    cache.encoded(CORPUS, ENCODER)
    assert [file.suffix for file in folder.iterdir()] == [".npy"]
