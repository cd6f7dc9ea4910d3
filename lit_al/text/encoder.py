"""From text to numbers: the word-level encoder of the Keras example.

A text is lower-cased, loses its punctuation and is split on white space; each word becomes its rank in a
vocabulary of the most frequent words. Two ids come first: 0 pads short texts, 1 stands for every unknown word.
Long texts are cut at the end, so that every text is a row of exactly `max_length` ids. They can be cut in the middle
instead, since many a review ends with its verdict.

To agree with Keras's `TextVectorization` to the last token, case and white space are those of ASCII (as in
TensorFlow's string operations), and words of equal frequency are ranked in reverse alphabetical order.
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
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from lit_al.exceptions import ConfigError, DataError

Standardize = Literal["keras3", "keras2"]
Cut = Literal["end", "middle"]

PADDING, UNKNOWN = 0, 1
PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
LONGEST = 2**16  # words of a text, more than a novel's chapters have; beyond it batches outgrow any memory
RESERVED = ("", "[UNK]")  # the words of ids 0 and 1; no text can contain them once punctuation is gone

_SPACES = " \t\n\v\f\r"
_LOWER_AND_STRIP = str.maketrans(string.ascii_uppercase, string.ascii_lowercase, PUNCTUATION)
_LINE_BREAK = re.compile("<br />", re.IGNORECASE)
_CHUNK = 2_048  # texts that a thread takes at once: enough to keep it busy, few enough to keep memory flat

Ids = npt.NDArray[np.uint16]
Item = TypeVar("Item")
Result = TypeVar("Result")


def standardize(text: str, how: Standardize = "keras3") -> str:
    """Lower-case a text and strip the punctuation that Keras strips.

    Args:
        text: any text.
        how: `"keras3"` leaves the letters of a tag as a word (`<br />` becomes `br`), as on the Keras 3 page;
            `"keras2"` turns `<br />` into a space first, as on the Keras 2 page.

    >>> standardize("It's <br /><br />GREAT!")
    'its br br great'
    >>> standardize("It's <br /><br />GREAT!", "keras2")
    'its   great'
    """
    return _without_breaks(text, how).translate(_LOWER_AND_STRIP)


def _without_breaks(text: str, how: Standardize) -> str:
    return _LINE_BREAK.sub(" ", text) if how == "keras2" else text


def rank_words(texts: Iterable[str], how: Standardize = "keras3", most: int | None = None) -> list[str]:
    """The words of the texts, most frequent first; words of equal frequency in reverse alphabetical order.

    Args:
        texts: any number; they are read once.
        how: see `standardize`.
        most: words wanted; None ranks them all.

    >>> rank_words(["to be or not", "to be"])
    ['to', 'be', 'or', 'not']
    """
    counts: Counter[bytes] = Counter()
    for found in _in_order(functools.partial(_count, how=how), _chunks(texts)):
        counts.update(found)
    if most is not None and most < len(counts):
        least = sorted(counts.values(), reverse=True)[most - 1]  # only words in reach need sorting
        counts = Counter({word: count for word, count in counts.items() if count >= least})
    ranked = sorted(counts, key=lambda word: (counts[word], word), reverse=True)  # UTF-8 sorts as its characters do
    return [word.decode("utf-8", "surrogatepass") for word in ranked[:most]]


def _count(texts: list[str], how: Standardize) -> Mapping[bytes, int]:
    """How often each word occurs."""
    from lit_al.text import tokenizer  # compiles, or loads what it has compiled before, when first used

    data = np.frombuffer(b" ".join(_bytes(_without_breaks(text, how)) for text in texts), np.uint8)
    spelled, counts = tokenizer.count_words(data, tokenizer.meaning_of_bytes(PUNCTUATION, _SPACES))
    return dict(zip(spelled.tobytes().split(b"\n"), counts.tolist(), strict=False))  # nothing follows the last word


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # half a surrogate pair is a letter like any other


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
    """Texts to rows of word ids.

    Args:
        vocabulary: the word of each id; ids 0 and 1 are `RESERVED`.
        max_length: T, ids per text.
        how: see `standardize`.
        cut: which part of a longer text is left out: its end, or its middle, so that the first and the last
            `max_length` / 2 words are kept.

    >>> encoder = TextEncoder.fit(["a good film", "a bad film"], vocabulary_size=5, max_length=4)
    >>> encoder.vocabulary
    ('', '[UNK]', 'film', 'a', 'good')
    >>> encoder.encode(["A good, good plot"])
    array([[3, 4, 4, 1]], dtype=uint16)
    >>> TextEncoder(encoder.vocabulary, 2, cut="middle").encode(["A good, good plot"])
    array([[3, 1]], dtype=uint16)
    """

    vocabulary: tuple[str, ...]
    max_length: int = 150
    how: Standardize = "keras3"
    cut: Cut = "end"

    def __post_init__(self) -> None:
        """Refuse settings that cannot work with a `ConfigError`."""
        if not 1 <= self.max_length <= LONGEST:
            raise ConfigError(f"max_length={self.max_length} must lie between 1 and {LONGEST:,} words of a text")
        if self.cut not in get_args(Cut):
            raise ConfigError(f"cut={self.cut!r} is no part of a text; give one of {', '.join(get_args(Cut))}")
        if self.how not in get_args(Standardize):
            raise ConfigError(f"how={self.how!r} standardizes nothing; give one of {', '.join(get_args(Standardize))}")
        if self.vocabulary[:2] != RESERVED or not 2 < len(self.vocabulary) <= 2**16:
            raise ConfigError(
                f"a vocabulary holds the two reserved words {RESERVED} and 1 to 65,534 others, but got "
                f"{len(self.vocabulary):,} words that begin with {self.vocabulary[:2]}"
            )
        if not all(isinstance(word, str) and word and "\n" not in word for word in self.vocabulary[len(RESERVED) :]):
            raise ConfigError(
                "a word of the vocabulary is empty, holds a line feed or is no text; fit the encoder anew"
            )

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        *,
        vocabulary_size: int = 3_000,
        max_length: int = 150,
        how: Standardize = "keras3",
        cut: Cut = "end",
    ) -> "TextEncoder":
        """Learn the vocabulary: the `vocabulary_size` - 2 most frequent words of the whole texts.

        Raises:
            ConfigError: a vocabulary without room for a single word, or with more than two bytes can number.
            DataError: not one word in all the texts.
        """
        if not len(RESERVED) < vocabulary_size <= 2**16:
            raise ConfigError(f"vocabulary_size={vocabulary_size} must lie between 3 and 65,536")
        words = rank_words(texts, how, most=vocabulary_size - len(RESERVED))
        if not words:
            raise DataError("the training texts hold no word at all; is the text column the right one?")
        return cls(RESERVED + tuple(words), max_length, how, cut)

    def encode(
        self, texts: Sequence[str], *, out: Ids | None = None, advance: Callable[[int], object] | None = None
    ) -> Ids:
        """Word ids of the texts, computed on all cores, a few thousand texts at a time.

        Args:
            texts: N texts.
            out: (N, T) uint16 to write to, such as a memory-mapped file; None makes a new array.
            advance: called with the number of texts encoded since the last call, to show progress.

        Returns:
            (N, T) uint16; texts without a word are all padding.
        """
        ids = np.empty((len(texts), self.max_length), dtype=np.uint16) if out is None else out
        starts = range(0, len(texts), _CHUNK)
        done = _in_order(lambda start: self._number(texts[start : start + _CHUNK], ids[start : start + _CHUNK]), starts)
        for number in done:
            if advance is not None:
                advance(number)
        return ids

    def _number(self, texts: Sequence[str], ids: Ids) -> int:
        """Fill the rows of a chunk, (n, T), and return n."""
        from lit_al.text import tokenizer

        ids[:] = PADDING
        encoded = [_bytes(_without_breaks(text, self.how)) for text in texts]
        starts = np.cumsum([0, *map(len, encoded)])  # (n + 1,)
        data = np.frombuffer(b"".join(encoded), np.uint8)
        meaning, (ones, others, numbers) = tokenizer.meaning_of_bytes(PUNCTUATION, _SPACES), self._table
        tokenizer.number_words(data, starts, meaning, ones, others, numbers, UNKNOWN, self._head, ids)
        return len(texts)

    @property
    def _head(self) -> int:
        """Words kept from the beginning of a longer text."""
        return self.max_length if self.cut == "end" else self.max_length - self.max_length // 2

    @functools.cached_property
    def _table(self) -> Any:
        """The vocabulary as a hash table."""
        from lit_al.text import tokenizer

        spelled = np.frombuffer(_bytes("\n".join(self.vocabulary[len(RESERVED) :])), np.uint8)
        return tokenizer.table_of(spelled, tokenizer.meaning_of_bytes("", "\n"))

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The encoder as a `tokenizers.Tokenizer` for texts that `standardize` has seen, to use it elsewhere.

        A tokenizer cannot cut in the middle, so of an encoder that does it leaves long texts whole.
        """
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers

        numbers = {word: number for number, word in enumerate(self.vocabulary)}
        tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=RESERVED[UNKNOWN]))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(f"[{_SPACES}]+"), behavior="removed")
        if self.cut == "end":
            tokenizer.enable_truncation(self.max_length)
        tokenizer.enable_padding(length=self.max_length, pad_id=PADDING, pad_token=RESERVED[PADDING])
        return tokenizer

    def state_dict(self) -> dict[str, Any]:
        """Plain types only, so that a checkpoint can be read with `weights_only=True`."""
        return {"vocabulary": list(self.vocabulary), "max_length": self.max_length, "how": self.how, "cut": self.cut}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> "TextEncoder":
        """The encoder that `state_dict` described; one of before there was a choice cuts at the end."""
        return cls(tuple(state["vocabulary"]), state["max_length"], state["how"], state.get("cut", "end"))
