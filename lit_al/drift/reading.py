"""Texts as a model reads them: the ids of their words beside what it says of them."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from lit_al.exceptions import CheckpointError
from lit_al.models.frozen import FrozenBiLSTM
from lit_al.models.prediction import CHUNK
from lit_al.models.text_teacher import TextTeacher
from lit_al.text.encoder import RESERVED, TextEncoder
from lit_al.typing import Float32s

_LENGTH: Final = 1_000  # words of a text that are counted where a teacher reads it whole
_MOST: Final = 2**16 - len(RESERVED)
_WORD: Final = re.compile(r"\w+")

Read = tuple[npt.NDArray[np.uint16], Float32s]  # ids (n, T), probabilities (n, C)


def encoder_of(model: FrozenBiLSTM | TextTeacher) -> TextEncoder:
    """What makes ids of texts: a network's own encoder; of a teacher, which has none, the words of its terms.

    Raises:
        CheckpointError: the model reads no words.
    """
    if isinstance(model, FrozenBiLSTM):
        if model.encoder is None:
            raise CheckpointError("this model carries no vocabulary, so that it reads no texts; give another MODEL")
        return model.encoder
    words = {word: None for terms in model.terms.values() for term in terms for word in _WORD.findall(term)}
    if not words:
        raise CheckpointError("this teacher knows no word, so that nothing can be counted; give another MODEL")
    return TextEncoder((*RESERVED, *list(words)[:_MOST]), _LENGTH, how="unicode")


def read(
    model: FrozenBiLSTM | TextTeacher, texts: Sequence[str], advance: Callable[[int], object] = lambda texts: None
) -> Iterator[Read]:
    """Read texts, some at a time, in their order.

    Args:
        model: reads them.
        texts: any number.
        advance: called with how many were read since the last call, to show progress.
    """
    encoder = encoder_of(model)
    for start in range(0, len(texts), CHUNK):
        chunk = list(texts[start : start + CHUNK])
        tokens = encoder.encode(chunk)  # (n, T)
        yield tokens, _said(model, chunk, tokens)
        advance(len(chunk))


def _said(model: FrozenBiLSTM | TextTeacher, texts: list[str], tokens: Any) -> Float32s:
    if isinstance(model, TextTeacher):
        return model.read(texts)
    return model.scores(torch.as_tensor(tokens).to(model.device), CHUNK)
