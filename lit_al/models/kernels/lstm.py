"""torch's own LSTM behind the same signature: cuDNN on NVIDIA, oneDNN on CPU, for any float dtype they take."""

import torch
from torch import Tensor
from torch.nn import functional

from lit_al.models.kernels import reference
from lit_al.models.kernels.fold import PADDING, padding_gates


def run(tokens: Tensor, *weights: Tensor, masked: bool, pooling: bool) -> Tensor:
    """Run torch's LSTM member by member; see `lit_al.models.kernels`."""
    tokens = tokens.expand(len(weights[0]), *tokens.shape[-2:])  # (M, B, T)
    if tokens.shape[1] == 0:  # torch's LSTM refuses an empty batch
        return reference.run(tokens, *weights, masked=masked, pooling=pooling)
    members = zip(tokens, *weights, strict=True)
    states = torch.stack([_member(*member, masked=masked) for member in members])  # (M, B, T, 2H)
    return states.max(dim=2).values if pooling else states


def _member(
    tokens: Tensor, embedding: Tensor, input_kernel: Tensor, bias: Tensor, recurrent: Tensor, *, masked: bool
) -> Tensor:
    """Run one member; tokens (B, T), embedding (V, E), input_kernel (2, E, 4H); result (B, T, 2H)."""
    inputs = functional.embedding(tokens, embedding)  # (B, T, E)
    if masked:
        inputs, input_kernel = _masked(tokens, inputs, input_kernel, bias)
    start = inputs.new_zeros(2, tokens.shape[0], recurrent.shape[1])  # (2, B, H)
    weights = _flat_weights(input_kernel, bias, recurrent)
    training = torch.is_grad_enabled()  # cuDNN keeps what its backward pass needs only if told that it trains
    return torch.lstm(inputs, (start, start), weights, True, 1, 0.0, training, True, True)[0]  # (B, T, 2H)


def _masked(tokens: Tensor, inputs: Tensor, input_kernel: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Give the inputs one feature more, which is 1 at padding and 0 at words, and the kernel its weights.

    torch has no gate table to shut padding out of. Here padding has no word vector, and the weights of the new feature
    take the bias away again, values and gradients: what is left is the row that a masked table has.

    Returns:
        Inputs, shape (B, T, E + 1), and input weights, shape (2, E + 1, 4H).
    """
    padding = (tokens == PADDING)[..., None]  # (B, T, 1)
    inputs = torch.cat([inputs.masked_fill(padding, 0), padding.to(inputs.dtype)], dim=-1)
    row = padding_gates(bias) - bias  # (2, 4H)
    return inputs, torch.cat([input_kernel, row[:, None]], dim=1)


def _flat_weights(input_kernel: Tensor, bias: Tensor, recurrent: Tensor) -> list[Tensor]:
    """Return the weights in torch's order as views of one buffer, in the layout that cuDNN reads without a copy.

    torch has two biases per gate and adds them; the second is zero here.
    """
    zeros = torch.zeros_like(bias)  # (2, 4H)
    matrices = [part.T for d in range(2) for part in (input_kernel[d], recurrent[d])]  # (4H, E), (4H, H), twice
    biases = [part for d in range(2) for part in (bias[d], zeros[d])]  # four times (4H,)
    parts = matrices + biases  # cuDNN wants all matrices before all biases
    flat = torch.cat([part.reshape(-1) for part in parts])
    pieces = torch.split_with_sizes(flat, [part.numel() for part in parts])
    views = [piece.view(part.shape) for piece, part in zip(pieces, parts, strict=True)]
    return [*views[0:2], *views[4:6], *views[2:4], *views[6:8]]  # torch wants them direction by direction
