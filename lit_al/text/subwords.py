"""Pieces of words, learned from texts by byte-pair encoding (Sennrich et al. 2016), as the `tokenizers` library has it.

Frequent words are pieces as they are, rare ones are spelled by several; `MARK` begins a word. Two pieces that meet most
often become one, again and again. Counts alone decide, so that the order of the texts does not matter; `Unigram`, the
other model of the library, adds up floating numbers in whatever order its threads come, and its last digits vary.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from lit_al.typing import Ints

MARK: Final = "▁"
LONGEST: Final = 16  # characters of a piece: a Chinese sentence that occurs twice is none
RAREST: Final = 2  # meetings of two pieces that become one

REMEMBERED: Final = 2**18  # words

Pair = tuple[str, str]


def learn(texts: Sequence[str], most: int) -> tuple[list[str], list[Pair]]:
    """Learn pieces.

    Args:
        texts: words with white space between them, in any order.
        most: pieces wanted; at most half of them are single characters, the most frequent ones.

    Returns:
        The pieces, most frequent first, those of equal frequency in reverse alphabetical order; and the pairs of them
        that become one, in the order in which they were learned.
    """
    from tokenizers import trainers

    words = Counter(chain.from_iterable(map(str.split, texts)))
    rare = _rare_characters(words, most // 2)
    if rare:
        texts = [text.translate(rare) for text in texts]
        words = Counter(chain.from_iterable(map(str.split, texts)))
    model = _model({}, [], None)
    trainer = trainers.BpeTrainer(
        vocab_size=most, min_frequency=RAREST, max_token_length=LONGEST, show_progress=False, special_tokens=[]
    )
    model.train_from_iterator(texts, trainer)
    learned = json.loads(model.to_str())["model"]
    counts: Counter[int] = Counter(dict.fromkeys(learned["vocab"].values(), 0))
    pieces = Pieces(model)
    for word, count in words.items():
        for number in pieces[word]:
            counts[number] += count
    ranked = sorted(learned["vocab"], key=lambda piece: (counts[learned["vocab"][piece]], piece), reverse=True)
    return ranked, [(one, other) for one, other in learned["merges"]]


def _rare_characters(words: Mapping[str, int], most: int) -> dict[int, str]:
    """For `str.translate`, blanks for characters that would make too many pieces of their own."""
    counts: Counter[str] = Counter({MARK: sum(words.values())})  # it begins every word
    for word, count in words.items():
        for character in word:
            counts[character] += count
    ranked = sorted(counts, key=lambda one: (counts[one], one), reverse=True)
    return dict.fromkeys(map(ord, ranked[max(most, 2) :]), " ")  # MARK and a letter


def tokenizer_of(vocabulary: Sequence[str], merges: Sequence[Pair], unknown: str) -> Any:
    """A `tokenizers.Tokenizer` with these pieces, numbered as they stand.

    Raises:
        Exception: a pair of pieces that are none, as of a file of somebody else's.
    """
    return _model({piece: number for number, piece in enumerate(vocabulary)}, list(merges), unknown)


def _model(numbers: dict[str, int], merges: list[Pair], unknown: str | None) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers

    bpe = models.BPE(numbers, merges, unk_token=unknown, fuse_unk=True)
    tokenizer = Tokenizer(bpe)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), marked()])
    return tokenizer


def marked() -> Any:
    """The step that puts `MARK` before each word."""
    from tokenizers import pre_tokenizers

    return pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="always")


class Pieces(dict[str, tuple[int, ...]]):
    """The ids of the pieces of words; each word is taken apart once, as long as there is room to remember it.

    Args:
        tokenizer: of `tokenizer_of`.
    """

    def __init__(self, tokenizer: Any) -> None:
        super().__init__()
        self.model = tokenizer.model

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= REMEMBERED:
            self.clear()
        self[word] = found = tuple(piece.id for piece in self.model.tokenize(MARK + word))
        return found

    def numbered(self, text: str) -> Ints:
        """(n,) int64 ids of a text of words with white space between them."""
        return np.fromiter(chain.from_iterable(map(self.__getitem__, text.split())), np.int64)
