"""What every form shares: checked token ids, and the input projection folded into the embedding table.

A batch holds tens of thousands of tokens, but only a few thousand distinct ones. Projecting the embedding table once
and gathering its rows gives the same gates and the same gradients as projecting every token, for a fraction of the
arithmetic (80 % of the network's, at 128 embedding and 32 hidden units).

Masking is one row of the table. Token 0 is padding, which follows a text's words; a masked table gives it, whatever
its word vector, constant gates that are shut: nothing enters the cell, nothing stays in it, nothing leaves. So a padded
step has no state: backward in time a text begins from zero, forward in time its padding adds nothing, and as the row is
constant no gradient reaches the word vector. The loops run as they do without it.
"""

import torch
from torch import Tensor

PADDING = 0  # the token that a masked table shuts out
SMALL = 4_096  # words that a batch is expected to hold nearly all of
SHUT = -60.0  # a gate of 1e-26; whatever the recurrent weights add, its square is no number of float32


def is_recorded() -> bool:
    """Is the program being recorded, by torch.export, torch.compile or tracing, so that nothing may hang on values?"""
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]  # torch names it nowhere
    return tracing or torch.compiler.is_compiling()


def check_tokens(tokens: Tensor, vocabulary: int) -> Tensor:
    """Return the token ids as int64, refusing ids outside the embedding table.

    Args:
        tokens: Token ids of any integer dtype, shape (B, T) or (M, B, T).
        vocabulary: Number of rows V of the embedding table.

    Raises:
        IndexError: If an id is negative or at least V. On CPU only: elsewhere the check would wait for the device,
            and gathering asserts the range by itself. Not of a program that is being recorded, either.
        TypeError: If the ids are not integers.
        ValueError: If there is no time step.
    """
    if tokens.is_floating_point() or tokens.is_complex() or tokens.dtype == torch.bool:
        raise TypeError(f"tokens must hold integers but got {tokens.dtype}; encode the texts first")
    if tokens.shape[-1] == 0:
        raise ValueError(f"tokens of shape {tuple(tokens.shape)} has no time step; pad texts to one token or more")
    ids = tokens.long()
    if ids.device.type == "cpu" and not is_recorded() and ids.numel():
        low, high = (int(bound) for bound in torch.aminmax(ids))
        if low < 0 or high >= vocabulary:
            wrong = low if low < 0 else high
            raise IndexError(f"token id {wrong} is outside the embedding table of {vocabulary} rows")
    return ids


def occurring(tokens: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
    """Leave the words out that no text of the batch holds: their rows need not be projected.

    Of a small vocabulary a large batch holds nearly every word, and looking would cost more than it saves.

    Args:
        tokens: Token ids, int64, shape (B, T) or (M, B, T).
        embedding: Embedding tables, shape (M, V, E).

    Returns:
        The token ids as row numbers of the tables, shape (1 or M, B, T), and the tables, shape (M, W, E), W <= V. Row
        0 is that of padding, even if no text holds it.
    """
    words = embedding.shape[1]
    on_cpu = embedding.device.type == "cpu" and not is_recorded()
    if on_cpu and words > min(SMALL, tokens.numel()):  # elsewhere it would wait for the device
        held, tokens = held_words(tokens, words)
        embedding = embedding[:, held]  # (M, W, E)
    return tokens if tokens.ndim == 3 else tokens[None], embedding


def held_words(tokens: Tensor, words: int) -> tuple[Tensor, Tensor]:
    """The words that texts hold, ids (W,) in order, and the texts as places among them.

    Args:
        tokens: Token ids, int64, of any shape.
        words: V, of the vocabulary.

    Returns:
        The ids, that of padding first, even if no text holds it; and the tokens, of their shape.
    """
    held = torch.zeros(words, dtype=torch.bool, device=tokens.device)
    held[PADDING] = True
    held[tokens.flatten()] = True
    return held.nonzero()[:, 0], (held.cumsum(0) - 1)[tokens]


def trimmed(tokens: Tensor) -> Tensor:
    """Leave out the last time steps that are padding in every text, but one step at least.

    Args:
        tokens: Token ids, int64, shape (B, T) or (M, B, T).
    """
    if tokens.device.type != "cpu" or is_recorded():  # it would wait for the device
        return tokens
    used = (tokens != PADDING).flatten(0, -2).any(dim=0).nonzero()  # (steps, 1)
    return tokens[..., : int(used[-1]) + 1 if len(used) else 1]


def padding_gates(like: Tensor) -> Tensor:
    """Return the pre-activations of a padded step: input, forget and output gate shut, no new content.

    Args:
        like: Any tensor of shape (..., 4H) whose dtype and device are wanted.

    Returns:
        The row of the table, shape (4H,).
    """
    gates = like.new_full((4, like.shape[-1] // 4), SHUT)  # i, f, g, o
    gates[2] = 0
    return gates.flatten()


def gate_tables(embedding: Tensor, input_kernel: Tensor, bias: Tensor, masked: bool = False) -> Tensor:
    """Project the embedding tables onto the gates of both directions.

    Args:
        embedding: Embedding tables, shape (M, W, E).
        input_kernel: Input weights per direction, shape (M, 2, E, 4H).
        bias: Gate biases per direction, shape (M, 2, 4H).
        masked: Row 0 is that of padding.

    Returns:
        The tables, shape (M, 2, W, 4H).
    """
    tables = embedding[:, None] @ input_kernel + bias[:, :, None]
    if masked:
        tables[:, :, PADDING] = padding_gates(bias)
    return tables
