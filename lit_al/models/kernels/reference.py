"""The plain form: one line per formula, any device, any float dtype, gradients by autograd. The other forms obey it."""

import torch
from torch import Tensor

from lit_al.models.kernels.fold import gate_tables, occurring


def run(tokens: Tensor, *weights: Tensor, masked: bool, pooling: bool) -> Tensor:
    """Run both directions step by step; see `lit_al.models.kernels`."""
    embedding, input_kernel, bias, recurrent = weights
    tokens, embedding = occurring(tokens, embedding)  # (1 or M, B, T), (M, W, E)
    tables = gate_tables(embedding, input_kernel, bias, masked)  # (M, 2, W, 4H)
    member = torch.arange(embedding.shape[0], device=tokens.device)[:, None, None]  # (M, 1, 1)
    gates = [tables[:, direction][member, tokens] for direction in range(2)]  # each (M, B, T, 4H)
    forward = _direction(gates[0], recurrent[:, 0])  # (M, B, T, H)
    backward = _direction(gates[1].flip(2), recurrent[:, 1]).flip(2)  # (M, B, T, H)
    states = torch.cat([forward, backward], dim=-1)  # (M, B, T, 2H)
    return states.max(dim=2).values if pooling else states


def _direction(gates: Tensor, recurrent: Tensor) -> Tensor:
    """Run one direction; gates (M, B, T, 4H), recurrent (M, H, 4H), result (M, B, T, H)."""
    members, batch = gates.shape[:2]
    hidden = cell = gates.new_zeros(members, batch, recurrent.shape[1])  # (M, B, H)
    states = []
    for step in gates.unbind(2):  # (M, B, 4H)
        i, f, g, o = torch.baddbmm(step, hidden, recurrent).chunk(4, dim=-1)  # four times (M, B, H)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        states.append(hidden)
    return torch.stack(states, dim=2)  # (M, B, T, H)
