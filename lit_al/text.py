"""From text to numbers: the word-level encoder of the Keras example, on Hugging Face `tokenizers`.

A text is lower-cased, loses its punctuation and is split on white space; each word becomes its rank in a
vocabulary of the most frequent words. Two ids come first: 0 pads short texts, 1 stands for every unknown word.
Long texts are cut at the end, so that every text is a row of exactly `max_length` ids.

To agree with Keras's `TextVectorization` to the last token, case and white space are those of ASCII (as in
TensorFlow's string operations), and words of equal frequency are ranked in reverse alphabetical order.
"""

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from lit_al.errors import ConfigError, DataError

Standardize = Literal["keras3", "keras2"]

PADDING, UNKNOWN = 0, 1
PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
RESERVED = ("", "[UNK]")  # the words of ids 0 and 1; no text can contain them once punctuation is gone

_WORDS = re.compile(r"\S+", re.ASCII)
_LOWER_AND_STRIP = str.maketrans(string.ascii_uppercase, string.ascii_lowercase, PUNCTUATION)
_LINE_BREAK = re.compile("<br />", re.IGNORECASE)
_CHARACTERS_PER_WORD = 1_000  # a text is read no further than this many characters per word it may keep
_CHUNK = 1_024  # texts encoded at once: enough to keep every core busy, little enough to keep memory flat


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
    if how == "keras2":
        text = _LINE_BREAK.sub(" ", text)
    return text.translate(_LOWER_AND_STRIP)


def rank_words(texts: Iterable[str], how: Standardize = "keras3") -> list[str]:
    """Every word of the texts, most frequent first; words of equal frequency in reverse alphabetical order.

    >>> rank_words(["to be or not", "to be"])
    ['to', 'be', 'or', 'not']
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_WORDS.findall(standardize(text, how)))
    return sorted(counts, key=lambda word: (counts[word], word), reverse=True)


@dataclass(frozen=True)
class TextEncoder:
    """Texts to rows of word ids.

    Args:
        vocabulary: the word of each id; ids 0 and 1 are `RESERVED`.
        max_length: T, ids per text.
        how: see `standardize`.

    >>> encoder = TextEncoder.fit(["a good film", "a bad film"], vocabulary_size=5, max_length=4)
    >>> encoder.vocabulary
    ('', '[UNK]', 'film', 'a', 'good')
    >>> encoder.encode(["A good, good plot"])
    array([[3, 4, 4, 1]], dtype=uint16)
    """

    vocabulary: tuple[str, ...]
    max_length: int = 150
    how: Standardize = "keras3"
    _tokenizer: Tokenizer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the tokenizer; raises `ConfigError` where the settings cannot work."""
        if self.max_length < 1:
            raise ConfigError(f"max_length={self.max_length} leaves no word of a text; give 1 or more")
        if self.vocabulary[:2] != RESERVED or not 2 < len(self.vocabulary) <= 2**16:
            raise ConfigError(
                f"a vocabulary holds the two reserved words {RESERVED} and 1 to 65,534 others, but got "
                f"{len(self.vocabulary):,} words that begin with {self.vocabulary[:2]}"
            )
        object.__setattr__(self, "_tokenizer", _word_level(self.vocabulary, self.max_length))

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        *,
        vocabulary_size: int = 3_000,
        max_length: int = 150,
        how: Standardize = "keras3",
    ) -> "TextEncoder":
        """Learn the vocabulary: the `vocabulary_size` - 2 most frequent words of the texts.

        Raises:
            ConfigError: a vocabulary without room for a single word, or with more than two bytes can number.
            DataError: not one word in all the texts.
        """
        if not len(RESERVED) < vocabulary_size <= 2**16:
            raise ConfigError(f"vocabulary_size={vocabulary_size} must lie between 3 and 65,536")
        words = rank_words(texts, how)
        if not words:
            raise DataError("the training texts hold no word at all; is the text column the right one?")
        return cls(RESERVED + tuple(words[: vocabulary_size - len(RESERVED)]), max_length, how)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.uint16]:
        """Word ids of the texts.

        Returns:
            (N, T) uint16; texts without a word are all padding.
        """
        ids = np.zeros((len(texts), self.max_length), dtype=np.uint16)
        for start, chunk in self._chunks(texts):
            encodings = self._tokenizer.encode_batch_fast(chunk, add_special_tokens=False)
            ids[start : start + len(chunk)] = [encoding.ids for encoding in encodings]
        return ids

    def _chunks(self, texts: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Standardised texts, a chunk at a time, cut where their last kept word ends."""
        kept = re.compile(rf"\s*(?:\S+\s*){{0,{self.max_length}}}", re.ASCII)
        most = _CHARACTERS_PER_WORD * self.max_length  # a text of 10 MB costs no more than its first words
        for start in range(0, len(texts), _CHUNK):
            chunk = (standardize(text[:most], self.how) for text in texts[start : start + _CHUNK])
            yield start, [kept.match(text)[0] for text in chunk]  # type: ignore[index]  # it always matches

    def state_dict(self) -> dict[str, Any]:
        """Plain types only, so that a checkpoint can be read with `weights_only=True`."""
        return {"vocabulary": list(self.vocabulary), "max_length": self.max_length, "how": self.how}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> "TextEncoder":
        """The encoder that `state_dict` described."""
        return cls(tuple(state["vocabulary"]), state["max_length"], state["how"])


def _word_level(vocabulary: Sequence[str], max_length: int) -> Tokenizer:
    numbers = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=RESERVED[UNKNOWN]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("[ \t\n\v\f\r]+"), behavior="removed")
    tokenizer.enable_truncation(max_length)
    tokenizer.enable_padding(length=max_length, pad_id=PADDING, pad_token=RESERVED[PADDING])
    return tokenizer
