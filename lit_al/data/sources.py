"""The characters of a file: unpacked, and decoded by its byte order mark, as UTF-8, or by a guess that is said."""

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from lit_al.data.bounds import Bound
from lit_al.exceptions import ConfigError, DataError
from lit_al.utils.readers import Undecodable, first_error, marked_encoding
from lit_al.utils.terminal_text import first_line

_SAMPLE = 2**16  # bytes of lines that are not ASCII: enough to guess from
_WIDE = 0.3  # share of zero bytes beside Latin letters in UTF-16 is a half; in no other text is there one
_NEARLY = 0.1  # coherence or chaos by which another encoding must be better than the most frequent one
_USUAL = "cp1252"
_IN_WORDS = "’‘´–—…·\xad\xa0/"
_LATIN = (_USUAL, "cp1250", "cp1254")
_OTHERS = ("cp1251", "cp1253", "koi8_r", "gb18030", "big5", "cp932", "cp949")


def _zstd(path: Path) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise DataError(f"{path}: unpacking .zst needs pyarrow; install it, or unpack the file first") from None
    return pyarrow.input_stream(str(path), compression="zstd")


PACKINGS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zst": _zstd}


class Source:
    """A file of text.

    Args:
        path: of the file.
        encoding: that it is said to have; None to find out.

    Raises:
        ConfigError: an encoding that does not exist.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.path, self._wished = path, encoding
        self.packing = path.suffix.lower() if path.suffix.lower() in PACKINGS else ""
        if encoding is not None:
            try:
                "".encode(encoding)
            except (LookupError, ValueError):
                raise ConfigError(
                    f"--encoding {encoding} is no encoding of text; give one such as utf-8, utf-16 or {_USUAL}"
                ) from None

    @property
    def suffix(self) -> str:
        """What the file is once unpacked, in small letters, as `.csv`."""
        return self.path.with_suffix("").suffix.lower() if self.packing else self.path.suffix.lower()

    def unpacked(self) -> BinaryIO:
        """The bytes of the file, unpacked on the way."""
        if not self.packing:
            return self.path.open("rb")
        return io.BufferedReader(_Unpacked(PACKINGS[self.packing](self.path), self.path))

    @contextmanager
    def text(self) -> Iterator[io.TextIOWrapper]:
        """The characters of the file, line ends as they are."""
        with self.unpacked() as file, io.TextIOWrapper(file, encoding=self.encoding, newline="") as text:
            yield text

    @property
    def encoding(self) -> str:
        """The codec to read it with."""
        return self._found[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[str, tuple[str, ...]]:
        name = self.path.name
        with self.unpacked() as file:
            start = file.read(4096)
        if self._wished is not None:
            plain = codecs.lookup(self._wished).name
            codec = "utf-8-sig" if plain == "utf-8" else plain
            self._check(codec, f"{self.path} is not {self._wished}, as --encoding says")
            return codec, ()
        marked = marked_encoding(start)
        if marked != "utf-8-sig":
            self._check(marked, f"{self.path} is {marked.upper()} by its byte order mark, but not sound")
            return marked, (f"{name}: {marked.upper()}, by its byte order mark",)
        wide = _wide(start)
        if wide and self._error(wide) is None:
            return wide, (f"{name}: read as {wide.upper()}, a guess from its zero bytes; --encoding names another",)
        error = self._error("utf-8-sig")
        if error is None:
            return "utf-8-sig", ()
        return self._guess(error)

    def _guess(self, error: Undecodable) -> tuple[str, tuple[str, ...]]:
        """The codec of a file that is not UTF-8, unless it nearly is."""
        refused = f"{self.path} is not UTF-8: {error}; save it as UTF-8, or name its encoding with --encoding"
        sample = self._strange_lines()
        letters = sample.decode("utf-8", errors="surrogateescape")
        broken = sum("\udc80" <= letter <= "\udcff" for letter in letters)
        sound = sum(not letter.isascii() for letter in letters) - broken
        if error.cut or sound > broken or b"\0" in sample:
            raise DataError(refused)
        codec = likely(sample)
        if codec is None or self._error(codec) is not None:
            raise DataError(refused)
        return codec, (f"{self.path.name}: read as {codec}, a guess (not UTF-8: {error}); --encoding names another",)

    def _strange_lines(self) -> bytes:
        """The first lines with bytes beyond ASCII."""
        found = bytearray()
        with self.unpacked() as file:
            for line in file:
                if not line.isascii():
                    found += line[:_SAMPLE]
                if len(found) >= _SAMPLE:
                    break
        return bytes(found)

    def _error(self, codec: str) -> Undecodable | None:
        with self.unpacked() as file:
            return first_error(file, codec)

    def _check(self, codec: str, what: str) -> None:
        error = self._error(codec)
        if error is not None:
            raise DataError(f"{what}: {error}; name its encoding with --encoding, or save it as UTF-8")


class _Unpacked(io.RawIOBase):
    """A packed file's bytes, counted against the memory there is: a kilobyte can stand for gigabytes."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path, self._bound = file, path, Bound(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._file.read(len(buffer))
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            kind = self._path.suffix
            raise DataError(f"{self._path} is no sound {kind} file ({first_line(error)}); pack it again") from None
        self._bound.take(len(content))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark, by the zero bytes of Latin letters, blanks and separators.

    >>> _wide("text,label".encode("utf-16-le")), _wide("text,label".encode("utf-16-be")), _wide(b"text,label")
    ('utf-16-le', 'utf-16-be', None)
    """
    even, odd = start[::2], start[1::2]
    if odd.count(0) > _WIDE * len(odd) and not even.count(0):
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > _WIDE * len(even) and not odd.count(0) else None


def likely(sample: bytes) -> str | None:
    """The encoding that makes most sense of the bytes; the most frequent one unless another is clearly better.

    >>> likely("Über die Brücke, “gut”, Señor".encode("cp1252")), likely("очень хороший фильм".encode("cp1251"))
    ('cp1252', 'cp1251')
    """
    from charset_normalizer import from_bytes

    plain = sum(chr(byte).isalpha() for byte in sample if byte < 0x80)
    strange = sum(byte >= 0x80 for byte in sample)
    candidates = _LATIN if plain > 2 * strange else _LATIN + _OTHERS
    found = list(from_bytes(sample, cp_isolation=list(candidates), threshold=0.5))
    if not found:
        return None
    fewest = min(_broken_words(str(match)) for match in found)
    found = [match for match in found if _broken_words(str(match)) == fewest]
    best = found[0]
    usual = next((match for match in found if _USUAL in match.could_be_from_charset), None)
    near = usual is not None and usual.chaos <= best.chaos + _NEARLY and usual.coherence >= best.coherence - _NEARLY
    return _USUAL if near else str(best.encoding)


def _broken_words(text: str) -> int:
    """Signs inside words that no language has there, as another encoding puts them.

    >>> _broken_words("p³ywa po œwiecie"), _broken_words("garçon’s, 5 € – it’s")
    (1, 0)
    """
    return sum(
        not sign.isascii() and not sign.isalpha() and sign not in _IN_WORDS and before.isalpha() and behind.isalpha()
        for before, sign, behind in zip(text, text[1:], text[2:], strict=False)
    )
