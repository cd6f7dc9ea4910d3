"""The CUDA form: float32, the whole sequence of a direction in one Triton kernel, and one kernel back.

The kernels are in `triton_loops`. Nothing here waits for the device, and nothing is compiled again for another batch
size or text length.

Importing this module imports Triton, which CUDA builds of torch bring along. With ``TRITON_INTERPRET=1`` set before
that, the kernels run in numpy on CPU tensors: slow, for tests.

Shapes: M members, B rows, T time steps, V vocabulary entries, H units.
"""

import os
from typing import Any

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from lit_al.models.kernels import triton_loops
from lit_al.models.kernels.fold import gate_tables

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
MOST_UNITS = 64  # 4 * 64 * 64 weights are half of a multiprocessor's registers; more would spill
SAVED = 6  # numbers per unit and time step for the backward pass: gates i, f, g, o, new cell, old hidden state


def run(tokens: Tensor, *weights: Tensor, masked: bool, pooling: bool) -> Tensor:
    """Take every direction of every member through time; see `lit_al.models.kernels`."""
    embedding, input_kernel, bias, recurrent = weights
    with torch.autocast(embedding.device.type, enabled=False):  # the kernels take float32 only
        tables = gate_tables(embedding, input_kernel, bias, masked)  # (M, 2, V, 4H)
    tokens = tokens if tokens.ndim == 3 else tokens[None]  # (1 or M, B, T)
    if torch.is_grad_enabled() and (tables.requires_grad or recurrent.requires_grad):
        states: Tensor = _Recurrence.apply(tokens, tables, recurrent, pooling)  # type: ignore[no-untyped-call]
        return states
    return _forward(tokens, tables, recurrent, pooling=pooling, saving=False)[0]


def obstacle(device: str, units: int) -> str | None:
    """Say why this form cannot run, or None if it can.

    Triton finds out only when it compiles that a C compiler is missing or that the GPU is too old, so one time step
    is tried (and compiled, which the first batch would do anyway).
    """
    if device != "cuda" and not INTERPRETED:
        return f"runs float32 on CUDA but got tensors on {device}"
    if units > MOST_UNITS:
        return f"keeps at most {MOST_UNITS} units per direction on chip but got {units}"
    shapes = (1, 1, 1), (1, 2, 1, 4 * units), (1, 2, 4 * units), (1, 2, units, 4 * units)
    try:
        with torch.no_grad():
            token = torch.zeros(1, 1, dtype=torch.int64, device=device)
            run(token, *(torch.zeros(shape, device=device) for shape in shapes), masked=False, pooling=True)
    except Exception as error:  # compilers, drivers and Triton itself raise errors of many types
        return f"fails on this machine ({type(error).__name__}: {error})"
    return None


class _Recurrence(torch.autograd.Function):
    """Both directions with their gradients; the token ids and the choice of pooling have none."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, tables: Tensor, recurrent: Tensor, pooling: bool) -> Tensor:
        states, saved, where = _forward(tokens, tables, recurrent, pooling=pooling, saving=True)
        ctx.pooling, ctx.vocabulary = pooling, tables.shape[2]
        ctx.save_for_backward(tokens, recurrent, saved, where)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor, None]:
        tokens, recurrent, saved, where = ctx.saved_tensors
        with torch.autocast(grad.device.type, enabled=False):
            grads = _backward(tokens, recurrent, saved, where, grad, ctx.vocabulary, pooling=ctx.pooling)
        return None, *grads, None


def _forward(
    tokens: Tensor, tables: Tensor, recurrent: Tensor, *, pooling: bool, saving: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the states, and what the backward pass needs: gates and states, time steps of the maxima."""
    members, batch, steps, units = len(tables), *tokens.shape[1:], recurrent.shape[2]
    saved = tables.new_empty(members, 2, steps if saving else 0, batch, SAVED, units)
    pooled = tables.new_empty(members, batch if pooling else 0, 2, units)
    where = torch.empty_like(pooled, dtype=torch.int32)
    states = tables.new_empty(members, 0 if pooling else batch, steps, 2, units)
    tensors = tokens, tables, recurrent, saved, pooled, where, states
    _launch(triton_loops.forward, tensors, tables.shape[2], units, POOLING=pooling, SAVING=saving)
    return (pooled if pooling else states).flatten(-2), saved, where


def _backward(
    tokens: Tensor, recurrent: Tensor, saved: Tensor, where: Tensor, grad: Tensor, vocabulary: int, *, pooling: bool
) -> tuple[Tensor, Tensor]:
    """Return the gradients of the tables and of the recurrent weights.

    The kernel adds to the tables with atomics, which costs nothing while it waits for other things, but sums in
    another order each time. Under `torch.use_deterministic_algorithms` (Lightning: ``deterministic=True``) torch sorts
    and sums instead, for reruns that agree to the bit.

    The recurrent gradient is a product over all rows and steps. Its sums would need as many registers as the matrix
    itself has, so it is a batched product of its own, over the rows of each time step; it obeys
    `torch.set_float32_matmul_precision`, as every product of torch.
    """
    members, steps, batch, units = *saved.shape[0:4:2], *saved.shape[3:6:2]
    atomics = not torch.are_deterministic_algorithms_enabled()
    grad_tables = grad.new_zeros(members, 2, vocabulary, 4 * units)
    grad_gates = grad.new_empty(members, 2, steps, batch, 4 * units)
    tensors = tokens, recurrent.transpose(-1, -2), saved, where, grad, grad_gates, grad_tables
    _launch(triton_loops.backward, tensors, vocabulary, units, POOLING=pooling, ATOMICS=atomics)
    if not atomics:
        _add_sorted(grad_tables, tokens, grad_gates)
    grad_recurrent = saved[..., 5, :].transpose(-1, -2) @ grad_gates  # (M, 2, T, H, 4H)
    return grad_tables, grad_recurrent.sum(2)


def _add_sorted(grad_tables: Tensor, tokens: Tensor, grad_gates: Tensor) -> None:
    """Add the gate gradients (M, 2, T, B, 4H) to the rows of their tokens (1 or M, B, T) in a fixed order."""
    members, directions, vocabulary, gates = grad_tables.shape
    member = torch.arange(members, device=tokens.device)[:, None, None, None]  # (M, 1, 1, 1)
    direction = torch.arange(directions, device=tokens.device)[:, None, None]  # (2, 1, 1)
    ids = tokens.transpose(1, 2)[:, None]  # (1 or M, 1, T, B)
    rows = (member * directions + direction) * vocabulary + ids  # (M, 2, T, B)
    grad_tables.view(-1, gates).index_put_((rows.flatten(),), grad_gates.view(-1, gates), accumulate=True)


def _launch(kernel: Any, tensors: tuple[Tensor, ...], vocabulary: int, units: int, **flags: bool) -> None:
    """Run a kernel over (blocks of rows, directions, members); the first tensor holds the tokens, (1 or M, B, T).

    Wide layers get more warps, so that a lane never holds more than 128 recurrent weights.
    """
    tokens, members = tensors[0], len(tensors[-1])
    shared, batch, steps = tokens.shape
    if batch == 0:  # an empty grid is an error
        return
    width = triton.next_power_of_2(units)
    rows = _rows(members, batch, width)
    sizes = 0 if shared == 1 else batch * steps, batch, steps, vocabulary
    shape = {"UNITS": units, "WIDTH": width, "ROWS": rows, **flags}
    options = {"num_warps": max(1, width * width // 1024), "enable_fp_fusion": True}
    with torch.cuda.device_of(tokens):  # type: ignore[no-untyped-call]  # Triton launches on the current device
        kernel[triton.cdiv(batch, rows), 2, members](*(t.contiguous() for t in tensors), *sizes, **shape, **options)


def _rows(members: int, batch: int, width: int) -> int:
    """Return how many rows a program takes.

    One, while all programs fit on the chip at once (8 warps on each of 132 multiprocessors). Beyond that two, which
    share the recurrent matrix; with four the registers overflow (compiled for an H100, 32 units).
    """
    return 1 if width > 32 or 2 * members * batch <= 8 * 132 else 2
