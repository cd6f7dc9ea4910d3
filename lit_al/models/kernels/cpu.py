"""The CPU form: float32, the whole sequence of a direction in one compiled loop, jobs spread over threads.

The threads are Python's own, running compiled code that has released the interpreter lock. That needs no threading
layer of numba: its portable one is not thread-safe, and its OpenMP one is a second OpenMP runtime beside torch's that
ends a forked process. It also halves the compile time and survives a fork: a child starts new threads.

Gradients are summed per slice of the batch and the slices in fixed order, so a rerun with the same number of threads
agrees to the bit.
"""

import math
import os
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from lit_al.models.kernels import loops
from lit_al.models.kernels.fold import PADDING, occurring, padding_gates


def run(tokens: Tensor, *weights: Tensor, masked: bool, pooling: bool) -> Tensor:
    """Take every direction of every member through time; see `lit_al.models.kernels`."""
    embedding, input_kernel, bias, recurrent = weights
    with torch.autocast("cpu", enabled=False):  # the loops take float32 only
        tokens, embedding = occurring(tokens, embedding)  # (1 or M, B, T), (M, W, E)
        tables = _gate_tables(embedding, input_kernel, bias, masked)  # (M, 2, W, 4H)
    if torch.is_grad_enabled() and (tables.requires_grad or recurrent.requires_grad):
        states: Tensor = _Recurrence.apply(tokens, tables, recurrent, pooling)  # type: ignore[no-untyped-call]
        return states
    return _forward(tokens, tables, recurrent, pooling=pooling, saving=False)[0]


def _gate_tables(embedding: Tensor, input_kernel: Tensor, bias: Tensor, masked: bool) -> Tensor:
    """Project the embedding tables, as `lit_al.models.kernels.fold.gate_tables` does."""
    weights = embedding, input_kernel, bias
    if torch.is_grad_enabled() and any(weight.requires_grad for weight in weights):
        tables: Tensor = _Fold.apply(*weights, masked)  # type: ignore[no-untyped-call]
        return tables
    return _fold(*weights, masked)


class _Fold(torch.autograd.Function):
    """The projection with its gradients, in the kernel's own threads.

    torch would compute it as fast, but torch's OpenMP threads wait actively for more work, on the cores that the
    recurrence needs next.
    """

    @staticmethod
    def forward(ctx: Any, embedding: Tensor, input_kernel: Tensor, bias: Tensor, masked: bool) -> Tensor:
        ctx.masked = masked
        ctx.save_for_backward(embedding, input_kernel)
        return _fold(embedding, input_kernel, bias, masked)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        embedding, input_kernel = ctx.saved_tensors
        if ctx.masked:  # that row is constant; the gradient comes from `_Recurrence` alone, so it may be changed
            grad[:, :, PADDING] = 0
        return *_fold_back(embedding, input_kernel, grad), None


def _fold(embedding: Tensor, input_kernel: Tensor, bias: Tensor, masked: bool) -> Tensor:
    """Return the tables, shape (M, 2, W, 4H)."""
    members, words = embedding.shape[:2]
    tables = _buffers.take(members, 2, words, bias.shape[-1])
    jobs = [(m, d, *rows) for m in range(members) for d in range(2) for rows in _slices(words, 2 * _parts(members))]
    _spread(loops.fold, jobs, [embedding, input_kernel, bias, tables])
    if masked:
        tables[:, :, PADDING] = padding_gates(bias)
    return tables


def _fold_back(embedding: Tensor, input_kernel: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of the embedding tables, the input weights and the biases; grad (M, 2, W, 4H)."""
    members, words, features = embedding.shape
    grads = torch.empty_like(embedding), torch.empty_like(input_kernel), grad.new_zeros(members, 2, grad.shape[-1])
    parts = 2 * _parts(members)
    jobs: list[tuple[int, ...]] = [(m, *rows) for m in range(members) for rows in _slices(words, 2 * parts)]
    _spread(loops.fold_back, jobs, [grad, input_kernel.transpose(-1, -2), grads[0]])
    jobs = [(m, d, *columns) for m in range(members) for d in range(2) for columns in _slices(features, parts)]
    _spread(loops.fold_back_weights, jobs, [embedding, grad, *grads[1:]])
    return grads


class _Recurrence(torch.autograd.Function):
    """Both directions with their gradients; the token ids and the choice of pooling have none."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, tables: Tensor, recurrent: Tensor, pooling: bool) -> Tensor:
        states, saved = _forward(tokens, tables, recurrent, pooling=pooling, saving=True)
        ctx.pooling, ctx.table_rows = pooling, tables.shape[2]
        ctx.save_for_backward(tokens, recurrent, *saved)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor, None]:
        tokens, recurrent, *saved = ctx.saved_tensors
        grads = _backward(tokens, recurrent, saved, grad, ctx.table_rows, pooling=ctx.pooling)
        return None, *grads, None


def _forward(
    tokens: Tensor, tables: Tensor, recurrent: Tensor, *, pooling: bool, saving: bool
) -> tuple[Tensor, list[Tensor]]:
    """Return the states, and what the backward pass needs: gates, cell states, time steps of the maxima."""
    members, batch, steps, units = len(tables), *tokens.shape[1:], recurrent.shape[2]
    gates = _buffers.take(members, 2, steps if saving else 0, batch, 4 * units)
    cells = _buffers.take(*gates.shape[:-1], units)
    pooled = torch.empty(members, batch if pooling else 0, 2, units)
    where = torch.empty(pooled.shape, dtype=torch.int32)
    states = torch.empty(members, 0 if pooling else batch, steps, 2, units)
    # four times the jobs that the threads need: a core that is busy elsewhere takes fewer
    jobs = [
        (member, direction, *rows)
        for member in range(members)
        for direction in range(2)
        for rows in _slices(batch, 4 * _parts(members))
    ]
    _spread(loops.forward, jobs, [tokens, tables, recurrent, gates, cells, pooled, where, states])
    return (pooled if pooling else states).flatten(-2), [gates, cells, where]


def _backward(
    tokens: Tensor, recurrent: Tensor, saved: list[Tensor], grad: Tensor, table_rows: int, *, pooling: bool
) -> tuple[Tensor, Tensor]:
    """Return the gradients of the tables and of the recurrent weights."""
    members, batch, steps, units = len(recurrent), *tokens.shape[1:], recurrent.shape[2]
    slices = _slices(batch, _parts(members))
    grad_tables = _buffers.take(len(slices), members, 2, table_rows, 4 * units)
    grad_recurrent = torch.zeros(len(slices), members, 2, units, 4 * units)
    grad_pooled = grad if pooling else grad.new_empty(members, 0, 2 * units)
    grad_states = grad.new_empty(members, 0, steps, 2 * units) if pooling else grad
    grads = [part.reshape(*part.shape[:-1], 2, units) for part in (grad_pooled, grad_states)]
    jobs = [
        (member, direction, *rows, part)
        for member in range(members)
        for direction in range(2)
        for part, rows in enumerate(slices)
    ]
    transposed = recurrent.transpose(-1, -2)  # (M, 2, 4H, H)
    _spread(loops.backward, jobs, [tokens, transposed, *saved, *grads, grad_tables, grad_recurrent])
    return _total(grad_tables), _total(grad_recurrent)


def _total(parts: Tensor) -> Tensor:
    """Sum the slices in their order; a single one needs no copy."""
    return parts[0] if len(parts) == 1 else parts.sum(0)


def _parts(members: int) -> int:
    """Return into how many slices to cut a batch so that every thread has a job, two directions per member."""
    return math.ceil(torch.get_num_threads() / (2 * members))


def _slices(batch: int, parts: int) -> list[tuple[int, int]]:
    """Cut the rows of a batch into at most so many slices of whole blocks: (first, row after the last)."""
    blocks = math.ceil(batch / loops.BLOCK)
    size = max(1, math.ceil(blocks / parts)) * loops.BLOCK
    return [(first, min(first + size, batch)) for first in range(0, batch, size)]


class _Buffers:
    """Large buffers, used again from step to step: the page faults of fresh memory take as long as the loops.

    A buffer comes back by itself when the last tensor that views it is gone. So two forward passes before a backward
    pass take two buffers, and a graph that is kept for a second backward pass keeps its own.
    """

    def __init__(self) -> None:
        self._free: deque[NDArray[np.float32]] = deque(maxlen=6)  # its methods are atomic; the oldest falls out

    def take(self, *shape: int) -> Tensor:
        """Return an uninitialized float32 tensor."""
        size = math.prod(shape)
        if size == 0:  # without gradients nothing is kept, and nothing need push a real buffer out
            return torch.empty(shape)
        buffer = self._find(size)
        view = buffer[:size].reshape(shape)
        weakref.finalize(view, self._free.append, buffer).atexit = False
        return torch.from_numpy(view)

    def _find(self, size: int) -> NDArray[np.float32]:
        """Return a free buffer of at least this size, but not a far larger one, or a new one."""
        for _ in range(len(self._free)):
            try:
                buffer = self._free.popleft()
            except IndexError:  # another thread was faster
                break
            if size <= buffer.size <= 2 * size:
                return buffer
            self._free.append(buffer)
        memory = np.empty(size + 15, np.float32)
        first = -memory.ctypes.data % 64 // 4  # on a cache line, so that no vector straddles two
        return memory[first : first + size]


_buffers = _Buffers()
_executors: list[ThreadPoolExecutor] = []  # at most one
os.register_at_fork(after_in_child=_executors.clear)  # a forked child has none of its parent's threads


def _spread(function: Callable[..., None], jobs: Sequence[tuple[int, ...]], tensors: list[Tensor]) -> None:
    """Call ``function(*job, *tensors)`` for every job, on as many threads as torch may use, this one among them."""
    arrays = [tensor.detach().contiguous().numpy() for tensor in tensors]  # results are contiguous: no copy of them
    pending = deque(jobs)

    def work() -> None:
        while True:
            try:
                job = pending.popleft()
            except IndexError:
                return
            function(*job, *arrays)

    helpers = min(torch.get_num_threads(), len(jobs)) - 1
    if helpers > 0 and not _executors:
        _executors.append(ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="lit_al.models.kernels"))
    futures = [_executors[0].submit(work) for _ in range(helpers)]
    work()
    for future in futures:
        future.result()
