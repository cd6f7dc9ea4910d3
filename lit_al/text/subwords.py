"""Pieces of words, learned from texts by byte-pair encoding (Sennrich et al. 2016), as the `tokenizers` library has it.

Frequent words are pieces as they are, rare ones are spelled by several; `MARK` begins a word. Two pieces that meet most
often become one, again and again. Counts alone decide, so that the order of the texts does not matter; `Unigram`, the
other model of the library, adds up floating numbers in whatever order its threads come, and its last digits vary.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lit_al.typing import Ints

MARK: Final = "▁"
LONGEST: Final = 16  # characters of a piece: a Chinese sentence that occurs twice is none
RAREST: Final = 2  # meetings of two pieces that become one

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

    texts = _of_frequent_characters(texts, max(1, most // 2))
    model = _model({}, [], None)
    trainer = trainers.BpeTrainer(
        vocab_size=most, min_frequency=RAREST, max_token_length=LONGEST, show_progress=False, special_tokens=[]
    )
    model.train_from_iterator(texts, trainer)
    learned = json.loads(model.to_str())["model"]
    names = sorted(learned["vocab"], key=learned["vocab"].__getitem__)
    counts = np.zeros(len(names), np.int64)
    for first in range(0, len(texts), 4_096):
        for found in model.encode_batch_fast(texts[first : first + 4_096], add_special_tokens=False):
            np.add.at(counts, found.ids, 1)
    ranked = sorted(zip(counts.tolist(), names, strict=True), reverse=True)
    return [name for _, name in ranked], [(one, other) for one, other in learned["merges"]]


def _of_frequent_characters(texts: Sequence[str], most: int) -> Sequence[str]:
    """The texts without their rare characters, where there are too many: each would be a piece."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    ranked = sorted(counts, key=lambda one: (counts[one], one), reverse=True)
    letters = [one for one in ranked if not one.isspace()]
    if len(letters) < most:
        return list(texts)
    rare = dict.fromkeys(map(ord, letters[most - 1 :]), " ")  # MARK is a piece too
    return [text.translate(rare) for text in texts]


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
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="always")]
    )
    return tokenizer


def numbered(tokenizer: Any, texts: Sequence[str]) -> list[Ints]:
    """Ids of the pieces of each text, each (n,) int64, of whole texts."""
    found = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.asarray(one.ids, np.int64) for one in found]
