"""From text to numbers: words, subwords or characters, each by its rank in a vocabulary of the most frequent ones.

Two ids come first: 0 pads short texts, 1 stands for what is unknown. Long texts are cut at the end, so that every text
is a row of exactly `max_length` ids. They can be cut in the middle instead, since many a review ends with its verdict.

What a text is cut into is its units (`Units`); what becomes of case, punctuation and white space is how it is
standardized. `unicode` goes by Unicode's tables (`text.unicode_text`), for any script. `keras3` and `keras2` are of the
Keras example: a text is lower-cased, loses its punctuation and is split on white space. To agree with Keras's
`TextVectorization` to the last token, case and white space are those of ASCII there (as in TensorFlow's string
operations). Units of equal frequency are ranked in reverse alphabetical order.
"""

import functools
import os
import re
import string
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import ConfigError, DataError
from lit_al.text import subwords, unicode_text
from lit_al.text.units import Standardize, Units, UnitsAsked, suited
from lit_al.typing import Ints

Cut = Literal["end", "middle"]

PADDING, UNKNOWN = 0, 1
PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
LONGEST = 2**16  # words of a text, more than a novel's chapters have; beyond it batches outgrow any memory
RESERVED = ("", "[UNK]")  # the words of ids 0 and 1; no text can contain them once punctuation is gone

SPACES = " \t\n\v\f\r"
_LOWER: Final[dict[int, Any]] = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_LINE_BREAK = re.compile("<br />", re.IGNORECASE)
_CHUNK = 2_048  # texts that a thread takes at once: enough to keep it busy, few enough to keep memory flat

Ids = npt.NDArray[np.uint16]
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Spelling:
    """How the bytes of a text are read, once it is prepared.

    Attributes:
        prepare: the bytes, with white space of ASCII where a boundary beyond ASCII was.
        dropped: ASCII characters that a unit loses.
        spaces: ASCII characters between two units.
    """

    prepare: Callable[[str], bytes]
    dropped: str
    spaces: str

    @functools.cached_property
    def meaning(self) -> Any:
        """(256,) of each byte, as of `tokenizer.meaning_of_bytes`."""
        from lit_al.text import tokenizer  # compiles, or loads what it has compiled before, when first used

        return tokenizer.meaning_of_bytes(self.dropped, self.spaces)

    def standardized(self, text: str) -> str:
        """A text as its bytes are read."""
        return self.prepare(text).decode("utf-8", "surrogatepass").translate(self._read_as)

    @functools.cached_property
    def _read_as(self) -> dict[int, Any]:
        blank = dict.fromkeys(map(ord, set(self.spaces) - set(SPACES)), " ")  # white space stays as it is
        return _LOWER | blank | dict.fromkeys(map(ord, self.dropped))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # half a surrogate pair is a letter like any other


def _bytes_without_breaks(text: str) -> bytes:
    return _bytes(_LINE_BREAK.sub(" ", text))


def _words_without_mark(text: str) -> bytes:
    return unicode_text.apart_as_words(text).replace(subwords.MARK.encode(), b" ")  # it begins words, and nothing else


_WORDS: Final = {
    "keras3": Spelling(_bytes, PUNCTUATION, SPACES),
    "keras2": Spelling(_bytes_without_breaks, PUNCTUATION, SPACES),
    "unicode": Spelling(unicode_text.apart_as_words, "'", unicode_text.BLANKS + unicode_text.PUNCTUATION),
}
_SUBWORDS: Final = Spelling(_words_without_mark, _WORDS["unicode"].dropped, _WORDS["unicode"].spaces)
_CHARACTERS: Final = Spelling(unicode_text.apart_as_characters, "", unicode_text.BLANKS)


def _spelling(how: Standardize, units: Units) -> Spelling:
    return {"words": _WORDS[how], "subwords": _SUBWORDS, "characters": _CHARACTERS}[units]


def standardize(text: str, how: Standardize = "keras3", units: Units = "words") -> str:
    """A text in lower case, without punctuation, with blanks between its words, or characters.

    Args:
        text: any text.
        how: `"keras3"` leaves the letters of a tag as a word (`<br />` becomes `br`), as on the Keras 3 page;
            `"keras2"` turns `<br />` into a space first, as on the Keras 2 page; both drop ASCII's punctuation.
            `"unicode"` takes punctuation for a boundary, and knows that of every script.
        units: a text of `"subwords"` is standardized as one of words; characters are always those of Unicode.

    >>> standardize("It's <br /><br />GREAT!")
    'its br br great'
    >>> standardize("It's <br /><br />GREAT!", "keras2")
    'its   great'
    >>> standardize("It's <br />so-so！", "unicode")
    'its  so so '
    """
    return _spelling(how, units).standardized(text)


def rank_words(
    texts: Iterable[str], how: Standardize = "keras3", most: int | None = None, units: Units = "words"
) -> list[str]:
    """The words, or characters, of texts, most frequent first; those of equal frequency in reverse alphabetical order.

    Args:
        texts: any number; they are read once.
        how: see `standardize`.
        most: words wanted; None ranks them all.
        units: words or characters.

    >>> rank_words(["to be or not", "to be"])
    ['to', 'be', 'or', 'not']
    """
    counts: Counter[bytes] = Counter()
    for found in _in_order(functools.partial(_count, spelling=_spelling(how, units)), _chunks(texts)):
        counts.update(found)
    if most is not None and most < len(counts):
        least = sorted(counts.values(), reverse=True)[most - 1]  # only words in reach need sorting
        counts = Counter({word: count for word, count in counts.items() if count >= least})
    ranked = sorted(counts, key=lambda word: (counts[word], word), reverse=True)  # UTF-8 sorts as its characters do
    return [word.decode("utf-8", "surrogatepass") for word in ranked[:most]]


def _count(texts: list[str], spelling: Spelling) -> Mapping[bytes, int]:
    """How often each word occurs."""
    from lit_al.text import tokenizer

    data = np.frombuffer(b" ".join(map(spelling.prepare, texts)), np.uint8)
    spelled, counts = tokenizer.count_words(data, spelling.meaning)
    return dict(zip(spelled.tobytes().split(b"\n"), counts.tolist(), strict=False))  # nothing follows the last word


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(texts)
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk


def _in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results of a function, in the order of the items, computed on all cores and not far ahead."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(cores, thread_name_prefix="lit_al.text.encoder") as pool:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@dataclass(frozen=True)
class TextEncoder:
    """Texts to rows of ids.

    Args:
        vocabulary: the word, subword or character of each id; ids 0 and 1 are `RESERVED`.
        max_length: T, ids per text.
        how: see `standardize`; characters and subwords are those of `"unicode"`.
        cut: which part of a longer text is left out: its end, or its middle, so that the first and the last
            `max_length` / 2 units are kept.
        units: what a text is cut into.
        merges: of subwords: pairs that become one, in the order in which they do.

    >>> encoder = TextEncoder.fit(["a good film", "a bad film"], vocabulary_size=5, max_length=4)
    >>> encoder.vocabulary
    ('', '[UNK]', 'film', 'a', 'good')
    >>> encoder.encode(["A good, good plot"])
    array([[3, 4, 4, 1]], dtype=uint16)
    >>> TextEncoder(encoder.vocabulary, 2, cut="middle").encode(["A good, good plot"])
    array([[3, 1]], dtype=uint16)
    >>> TextEncoder.fit(["好吃！", "不好吃"], how="unicode", units="characters").vocabulary
    ('', '[UNK]', '好', '吃', '不', '!')
    """

    vocabulary: tuple[str, ...]
    max_length: int = 150
    how: Standardize = "keras3"
    cut: Cut = "end"
    units: Units = "words"
    merges: tuple[subwords.Pair, ...] = ()

    def __post_init__(self) -> None:
        """Refuse settings that cannot work with a `ConfigError`."""
        if not 1 <= self.max_length <= LONGEST:
            raise ConfigError(f"max_length={self.max_length} must lie between 1 and {LONGEST:,} {self.units} of a text")
        if self.cut not in get_args(Cut):
            raise ConfigError(f"cut={self.cut!r} is no part of a text; give one of {', '.join(get_args(Cut))}")
        _check_kind(self.how, self.units)
        if self.vocabulary[:2] != RESERVED or not 2 < len(self.vocabulary) <= 2**16:
            raise ConfigError(
                f"a vocabulary holds the two reserved words {RESERVED} and 1 to 65,534 others, but got "
                f"{len(self.vocabulary):,} words that begin with {self.vocabulary[:2]}"
            )
        if not all(isinstance(word, str) and word and "\n" not in word for word in self.vocabulary[len(RESERVED) :]):
            raise ConfigError(
                "a word of the vocabulary is empty, holds a line feed or is no text; fit the encoder anew"
            )
        if self.units == "subwords":
            self._check_subwords()

    def _check_subwords(self) -> None:
        known = {word for word in self.vocabulary if not re.search("[\ud800-\udfff]", word)}  # what is no UTF-8 is none
        pairs = all(len(pair) == 2 and {*pair, "".join(pair)} <= known for pair in self.merges)
        if len(known) < len(self.vocabulary) or not pairs:
            raise ConfigError("the subwords of the vocabulary are not those that its pairs make; fit the encoder anew")

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        *,
        vocabulary_size: int = 3_000,
        max_length: int = 150,
        how: Standardize = "keras3",
        cut: Cut = "end",
        units: Units = "words",
    ) -> "TextEncoder":
        """Learn the vocabulary: the `vocabulary_size` - 2 most frequent units of the whole texts, in any order.

        Raises:
            ConfigError: a vocabulary without room for a single word, or with more than two bytes can number; units
                that cannot be standardized so.
            DataError: not one word in all the texts.
        """
        if not len(RESERVED) < vocabulary_size <= 2**16:
            raise ConfigError(f"vocabulary_size={vocabulary_size} must lie between 3 and 65,536")
        _check_kind(how, units)
        merges: Sequence[subwords.Pair] = ()
        most = vocabulary_size - len(RESERVED)
        if units == "subwords":
            found, merges = subwords.learn([standardize(text, how, units) for text in texts], most)
        else:
            found = rank_words(texts, how, most, units)
        if not found:
            raise DataError("the training texts hold no word at all; is the text column the right one?")
        return cls(RESERVED + tuple(found), max_length, how, cut, units, tuple(merges))

    def encode(
        self, texts: Sequence[str], *, out: Ids | None = None, advance: Callable[[int], object] | None = None
    ) -> Ids:
        """Ids of the texts, computed on all cores, a few thousand texts at a time.

        Args:
            texts: N texts.
            out: (N, T) uint16 to write to, such as a memory-mapped file; None makes a new array.
            advance: called with the number of texts encoded since the last call, to show progress.

        Returns:
            (N, T) uint16; texts without a word are all padding.
        """
        ids = np.empty((len(texts), self.max_length), dtype=np.uint16) if out is None else out
        number = self._number_subwords if self.units == "subwords" else self._number
        starts = range(0, len(texts), _CHUNK)
        done = _in_order(lambda start: number(texts[start : start + _CHUNK], ids[start : start + _CHUNK]), starts)
        for count in done:
            if advance is not None:
                advance(count)
        return ids

    def _number(self, texts: Sequence[str], ids: Ids) -> int:
        """Fill the rows of a chunk, (n, T), and return n."""
        from lit_al.text import tokenizer

        ids[:] = PADDING
        encoded = list(map(self._spelling.prepare, texts))
        starts = np.cumsum([0, *map(len, encoded)])  # (n + 1,)
        data = np.frombuffer(b"".join(encoded), np.uint8)
        ones, others, numbers = self._table
        tokenizer.number_words(data, starts, self._spelling.meaning, ones, others, numbers, UNKNOWN, self._head, ids)
        return len(texts)

    def _number_subwords(self, texts: Sequence[str], ids: Ids) -> int:
        """As `_number`."""
        ids[:] = PADDING
        for row, found in zip(ids, self._subwords_of(texts), strict=True):
            if len(found) > self.max_length:
                row[: self._head] = found[: self._head]
                row[self._head :] = found[len(found) - (self.max_length - self._head) :]
            else:
                row[: len(found)] = found
        return len(texts)

    def lengths(self, texts: Sequence[str]) -> Ints:
        """(N,) int64 units of each text, with those that `encode` cuts off."""
        if self.units == "subwords":
            return np.array([len(ids) for ids in self._subwords_of(texts)], np.int64)
        return np.array([len(self.standardized(text).split()) for text in texts], np.int64)

    def standardized(self, text: str) -> str:
        """See `standardize`."""
        return self._spelling.standardized(text)

    def _subwords_of(self, texts: Sequence[str]) -> list[Ints]:
        return [self._pieces.numbered(self.standardized(text)) for text in texts]

    @property
    def _spelling(self) -> Spelling:
        return _spelling(self.how, self.units)

    @property
    def _head(self) -> int:
        """Units kept from the beginning of a longer text."""
        return self.max_length if self.cut == "end" else self.max_length - self.max_length // 2

    @functools.cached_property
    def _table(self) -> Any:
        """The vocabulary as a hash table."""
        from lit_al.text import tokenizer

        spelled = "\n".join(self.vocabulary[len(RESERVED) :])
        return tokenizer.table_of(np.frombuffer(_bytes(spelled), np.uint8), tokenizer.meaning_of_bytes("", "\n"))

    @functools.cached_property
    def _pieces(self) -> subwords.Pieces:
        return subwords.Pieces(subwords.tokenizer_of(self.vocabulary, self.merges, RESERVED[UNKNOWN]))

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The encoder as a `tokenizers.Tokenizer`, to use it elsewhere: texts as they are in, the ids of `encode` out.

        A tokenizer cannot cut in the middle, so of an encoder that does it leaves long texts whole.
        """
        from lit_al.text.portable import tokenizer_of

        tokenizer = tokenizer_of(self)
        if self.cut == "end":
            tokenizer.enable_truncation(self.max_length)
        tokenizer.enable_padding(length=self.max_length, pad_id=PADDING, pad_token=RESERVED[PADDING])
        return tokenizer

    def state_dict(self) -> dict[str, Any]:
        """Plain types only, so that a checkpoint can be read with `weights_only=True`."""
        state = {"vocabulary": list(self.vocabulary), "max_length": self.max_length, "how": self.how, "cut": self.cut}
        return {**state, "units": self.units, "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> "TextEncoder":
        """The encoder that `state_dict` described; one of before there was a choice reads words and cuts at the end."""
        merges = tuple((str(one), str(other)) for one, other in state.get("merges", ()))
        kind = state.get("how", "keras3"), state.get("cut", "end"), state.get("units", "words")
        return cls(tuple(state["vocabulary"]), state["max_length"], *kind, merges)


def suited_encoder(
    texts: Sequence[str],
    *,
    units: UnitsAsked = "auto",
    vocabulary_size: int = 3_000,
    max_length: int = 150,
    how: Standardize = "unicode",
    cut: Cut = "end",
) -> tuple[TextEncoder, str]:
    """An encoder of the units that suit the texts, and the line that says which and why; "" where there was no choice.

    Args:
        texts: to learn from, in any order; the others are those of `TextEncoder.fit`.
        units: `"auto"` lets the texts decide, unless they are standardized as Keras does, which has words alone.
        vocabulary_size: likewise.
        max_length: likewise.
        how: likewise.
        cut: likewise.

    Raises:
        ConfigError: see `TextEncoder.fit`.
        DataError: likewise.
    """
    chosen, said = units, ""
    if chosen == "auto" and how == "unicode":
        found = suited(texts)
        chosen, said = found.units, str(found)
    elif chosen == "auto":
        chosen = "words"
    encoder = TextEncoder.fit(
        texts, vocabulary_size=vocabulary_size, max_length=max_length, how=how, cut=cut, units=chosen
    )
    return encoder, said


def _check_kind(how: Standardize, units: Units) -> None:
    """Refuse what cannot go together.

    Raises:
        ConfigError: no such standardization or units, or one of Keras for units that Keras does not have.
    """
    if how not in get_args(Standardize):
        raise ConfigError(f"how={how!r} standardizes nothing; give one of {', '.join(get_args(Standardize))}")
    if units not in get_args(Units):
        raise ConfigError(f"units={units!r} are none of a text; give one of {', '.join(get_args(Units))}")
    if units != "words" and how != "unicode":
        raise ConfigError(
            f"units={units!r} cannot be read with how={how!r}, which splits words as Keras does; give 'unicode'"
        )
