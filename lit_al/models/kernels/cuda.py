"""The CUDA form: float32, the whole sequence of a direction in one Triton kernel, and one kernel back.

A program is one warp that takes one row of the batch (or a few) through all its time steps. Hidden state, cell state
and the recurrent matrix stay in its registers: lane u owns unit u and holds column u of the four H x H matrices. Rows
need nothing from each other, so the programs never wait for one another, and 256 rows in 2 directions are 512 warps,
about one for each of the 528 schedulers of an H100. Members of a committee are more programs of the same launch.

The arithmetic is plain float32 multiply-add. The matrix units would want 16 rows a program, three passes for this
precision, and would leave three quarters of the chip idle at this batch size: a time step is latency, not arithmetic.
For the same reason every load is issued one time step before its use.

Nothing here waits for the device, and nothing is compiled again for another batch size or text length.

Importing this module imports Triton, which CUDA builds of torch bring along. With ``TRITON_INTERPRET=1`` set before
that, the kernels run in numpy on CPU tensors: slow, for tests.

Shapes: M members, B rows, T time steps, V vocabulary entries, H units, R rows of one program, K = H where summed over.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from lit_al.models.kernels.fold import gate_tables

Function = TypeVar("Function", bound=Callable[..., Any])

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
MOST_UNITS = 64  # 4 * 64 * 64 weights are half of a multiprocessor's registers; more would spill
SAVED = 6  # numbers per unit and time step for the backward pass: gates i, f, g, o, new cell, old hidden state
# ---------------------------------------------------------------------------------------------- functions of torch


def pooled_states(
    tokens: Tensor, embedding: Tensor, input_kernel: Tensor, bias: Tensor, recurrent: Tensor, *, masked: bool = False
) -> Tensor:
    """Take the maximum of every unit inside the time loop; arguments as in `lit_al.models.kernels.pooled_states`.

    Returns:
        Pooled states, shape (M, B, 2H).
    """
    return _run(tokens, embedding, input_kernel, bias, recurrent, masked=masked, pooling=True)


def hidden_states(
    tokens: Tensor, embedding: Tensor, input_kernel: Tensor, bias: Tensor, recurrent: Tensor, *, masked: bool = False
) -> Tensor:
    """Keep every time step; arguments as in `lit_al.models.kernels.hidden_states`.

    Returns:
        Hidden states, shape (M, B, T, 2H).
    """
    return _run(tokens, embedding, input_kernel, bias, recurrent, masked=masked, pooling=False)


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
            pooled_states(token, *(torch.zeros(shape, device=device) for shape in shapes))
    except Exception as error:  # compilers, drivers and Triton itself raise errors of many types
        return f"fails on this machine ({type(error).__name__}: {error})"
    return None


def _run(
    tokens: Tensor,
    embedding: Tensor,
    input_kernel: Tensor,
    bias: Tensor,
    recurrent: Tensor,
    *,
    masked: bool,
    pooling: bool,
) -> Tensor:
    with torch.autocast(embedding.device.type, enabled=False):  # the kernels take float32 only
        tables = gate_tables(embedding, input_kernel, bias, masked)  # (M, 2, V, 4H)
    tokens = tokens if tokens.ndim == 3 else tokens[None]  # (1 or M, B, T)
    if torch.is_grad_enabled() and (tables.requires_grad or recurrent.requires_grad):
        states: Tensor = _Recurrence.apply(tokens, tables, recurrent, pooling)  # type: ignore[no-untyped-call]
        return states
    return _forward(tokens, tables, recurrent, pooling=pooling, saving=False)[0]


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
    _launch(_forward_kernel, tensors, tables.shape[2], units, POOLING=pooling, SAVING=saving)
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
    _launch(_backward_kernel, tensors, vocabulary, units, POOLING=pooling, ATOMICS=atomics)
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


# ------------------------------------------------------------------------------------------------ functions of Triton

# Arguments of which Triton shall assume nothing. Sizes: so that another size needs no new compilation. The recurrent
# matrix: told that it is aligned, Triton loads four columns per lane, splits their sums over lanes, and shuffles them
# together again at every time step.
UNSPECIALIZED = ("recurrent", "token_stride", "batch", "steps", "vocabulary")


def _compiled(function: Function) -> Function:
    """Let Triton compile a function when it is first launched: `triton.jit` with a type."""
    kernel: Function = triton.jit(function, do_not_specialize=UNSPECIALIZED)
    return kernel


@_compiled
def _sigmoid(x: tl.tensor) -> tl.tensor:
    """Return 1 / (1 + exp(-x)) within 2e-7; the exponent is never positive, so nothing overflows; NaN stays NaN."""
    e = tl.exp(-tl.abs(x))
    return tl.where(x >= 0, 1.0, e) / (1.0 + e)


@_compiled
def _tanh(x: tl.tensor) -> tl.tensor:
    """Return the hyperbolic tangent within 4e-7."""
    return 2.0 * _sigmoid(2.0 * x) - 1.0


@_compiled
def _product(x: tl.tensor, matrix: tl.tensor) -> tl.tensor:
    """Multiply x (R, K) by a matrix (K, 1, H): every lane sums its own column; result (R, H)."""
    return tl.sum(tl.trans(x)[:, :, None] * matrix, axis=0)


@_compiled
def _load_four(
    pointers: tl.tensor, mask: tl.tensor, distance: int, other: tl.tensor
) -> tuple[tl.tensor, tl.tensor, tl.tensor, tl.tensor]:
    """Load the four gates of the same units, one after another at a fixed distance."""
    i = tl.load(pointers, mask, other)
    f = tl.load(pointers + distance, mask, other)
    g = tl.load(pointers + 2 * distance, mask, other)
    o = tl.load(pointers + 3 * distance, mask, other)
    return i, f, g, o


@_compiled
def _store_four(
    pointers: tl.tensor, mask: tl.tensor, distance: int, i: tl.tensor, f: tl.tensor, g: tl.tensor, o: tl.tensor
) -> None:
    """Store the four gates of the same units, one after another at a fixed distance."""
    tl.store(pointers, i, mask)
    tl.store(pointers + distance, f, mask)
    tl.store(pointers + 2 * distance, g, mask)
    tl.store(pointers + 3 * distance, o, mask)


@_compiled
def _load_token(pointers: tl.tensor, time: tl.tensor, mask: tl.tensor) -> tl.tensor:
    """Load the token ids (R,) of one time step; -1 where there is none."""
    return tl.load(pointers + time, mask, -1)


@_compiled
def _forward_kernel(
    tokens: tl.tensor,  # (1 or M, B, T) int64
    tables: tl.tensor,  # (M, 2, V, 4H)
    recurrent: tl.tensor,  # (M, 2, H, 4H)
    saved: tl.tensor,  # out: (M, 2, T, B, 6, H), if SAVING
    pooled: tl.tensor,  # out: (M, B, 2, H), if POOLING
    where: tl.tensor,  # out: (M, B, 2, H) int32, first time step of the maximum
    states: tl.tensor,  # out: (M, B, T, 2, H), if not POOLING
    token_stride: tl.tensor,  # B * T, or 0 where the members share their tokens
    batch: tl.tensor,
    steps: tl.tensor,
    vocabulary: tl.tensor,
    UNITS: tl.constexpr,
    WIDTH: tl.constexpr,  # units rounded up to a power of two
    ROWS: tl.constexpr,
    POOLING: tl.constexpr,
    SAVING: tl.constexpr,
) -> None:
    """Take ROWS rows of one member through time in one direction.

    A token id outside the table gives NaN: a check on the host would wait for the device, and an assertion in the
    kernel is compiled in debug mode only.
    """
    direction, member = tl.program_id(1), tl.program_id(2).to(tl.int64)
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)  # (R,); int64, for buffers above 2 ** 31 numbers
    unit = tl.arange(0, WIDTH)  # (H,)
    length = tl.where(row < batch, steps, 0)  # (R,): a row beyond the batch has no time steps
    valid = (row < batch)[:, None] & (unit < UNITS)[None, :]  # (R, H)
    lane = member * 2 + direction
    # column u of each gate's matrix in lane u
    k = tl.arange(0, WIDTH)[:, None, None]  # (K, 1, 1)
    u = unit[None, None, :]  # (1, 1, H)
    weights = recurrent + lane * (4 * UNITS * UNITS) + k * (4 * UNITS) + u  # (K, 1, H)
    wi, wf, wg, wo = _load_four(weights, (k < UNITS) & (u < UNITS), UNITS, 0.0)

    forth = 1 - 2 * direction  # to the next time step
    time = direction * (steps - 1)
    ids = tokens + member * token_stride + row * steps  # (R,)
    table = tables + lane * vocabulary * (4 * UNITS) + unit[None, :]  # (1, H)
    unknown = tl.where((unit < UNITS)[None, :], float("nan"), 0.0)  # (1, H); 0 keeps the lanes of no unit silent
    token = _load_token(ids, time, length > 0)
    known = valid & ((token >= 0) & (token < vocabulary))[:, None]
    next_i, next_f, next_g, next_o = _load_four(table + token[:, None] * (4 * UNITS), known, UNITS, unknown)
    token = _load_token(ids, time + forth, length > 1)

    hidden = tl.zeros((ROWS, WIDTH), tl.float32)
    cell = tl.zeros((ROWS, WIDTH), tl.float32)
    best = tl.full((ROWS, WIDTH), float("-inf"), tl.float32)
    best_at = tl.zeros((ROWS, WIDTH), tl.int32)
    for step in range(steps):
        i, f, g, o = next_i, next_f, next_g, next_o
        known = valid & ((token >= 0) & (token < vocabulary))[:, None]
        next_i, next_f, next_g, next_o = _load_four(table + token[:, None] * (4 * UNITS), known, UNITS, unknown)
        token = _load_token(ids, time + 2 * forth, step + 2 < length)

        old_hidden = hidden
        i = _sigmoid(i + _product(hidden, wi))
        f = _sigmoid(f + _product(hidden, wf))
        g = _tanh(g + _product(hidden, wg))
        o = _sigmoid(o + _product(hidden, wo))
        cell = f * cell + i * g
        hidden = o * _tanh(cell)
        if SAVING:
            place = ((lane * steps + time) * batch + row)[:, None] * (6 * UNITS) + unit[None, :]  # (R, H)
            _store_four(saved + place, valid, UNITS, i, f, g, o)
            tl.store(saved + place + 4 * UNITS, cell, valid)
            tl.store(saved + place + 5 * UNITS, old_hidden, valid)
        if POOLING:  # the earliest maximum wins, so going backward in time a tie replaces it; NaN replaces all
            better = (hidden > best) | ((direction == 1) & (hidden == best))
            take = (best == best) & better | (hidden != hidden) & ((direction == 1) | (best == best))
            best = tl.where(take, hidden, best)
            best_at = tl.where(take, time, best_at)
        else:
            place = (((member * batch + row) * steps + time) * 2 + direction)[:, None] * UNITS + unit[None, :]
            tl.store(states + place, hidden, valid)
        time += forth
    if POOLING:
        place = ((member * batch + row) * 2 + direction)[:, None] * UNITS + unit[None, :]  # (R, H)
        tl.store(pooled + place, best, valid)
        tl.store(where + place, best_at, valid)


@_compiled
def _backward_kernel(
    tokens: tl.tensor,  # (1 or M, B, T) int64
    recurrent: tl.tensor,  # (M, 2, 4H, H): transposed
    saved: tl.tensor,  # (M, 2, T, B, 6, H)
    where: tl.tensor,  # (M, B, 2, H) int32, if POOLING
    grad: tl.tensor,  # (M, B, 2, H) if POOLING, else (M, B, T, 2, H)
    grad_gates: tl.tensor,  # out: (M, 2, T, B, 4H)
    grad_tables: tl.tensor,  # added to, if ATOMICS: (M, 2, V, 4H)
    token_stride: tl.tensor,  # B * T, or 0 where the members share their tokens
    batch: tl.tensor,
    steps: tl.tensor,
    vocabulary: tl.tensor,
    UNITS: tl.constexpr,
    WIDTH: tl.constexpr,  # units rounded up to a power of two
    ROWS: tl.constexpr,
    POOLING: tl.constexpr,
    ATOMICS: tl.constexpr,
) -> None:
    """Take ROWS rows of one member back through time in one direction.

    Padding is a long run of one token, and thousands of rows adding to the same few numbers would queue. So the
    gradients of a run are summed here and added once, when the token changes.
    """
    direction, member = tl.program_id(1), tl.program_id(2).to(tl.int64)
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)  # (R,)
    unit = tl.arange(0, WIDTH)  # (H,)
    length = tl.where(row < batch, steps, 0)  # (R,): a row beyond the batch has no time steps
    valid = (row < batch)[:, None] & (unit < UNITS)[None, :]  # (R, H)
    lane = member * 2 + direction
    # row u of each gate's matrix in lane u
    k = tl.arange(0, WIDTH)[:, None, None]  # (K, 1, 1)
    u = unit[None, None, :]  # (1, 1, H)
    weights = recurrent + lane * (4 * UNITS * UNITS) + k * UNITS + u  # (K, 1, H)
    wi, wf, wg, wo = _load_four(weights, (k < UNITS) & (u < UNITS), UNITS * UNITS, 0.0)

    back = 2 * direction - 1  # to the time step before
    time = (1 - direction) * (steps - 1)
    ids = tokens + member * token_stride + row * steps  # (R,)
    table = grad_tables + lane * vocabulary * (4 * UNITS) + unit[None, :]  # (1, H)
    token = _load_token(ids, time, length > 0)
    past = batch * (6 * UNITS) * back.to(tl.int64)  # from the saved numbers of a step to those of the step before
    place = saved + ((lane * steps + time) * batch + row)[:, None] * (6 * UNITS) + unit[None, :]  # (R, H)
    next_i, next_f, next_g, next_o = _load_four(place, valid, UNITS, 0.0)
    cell = tl.load(place + 4 * UNITS, valid, 0.0)
    old_cell = tl.load(place + past + 4 * UNITS, valid & (length > 1)[:, None], 0.0)

    grad_hidden = tl.zeros((ROWS, WIDTH), tl.float32)
    grad_cell = tl.zeros((ROWS, WIDTH), tl.float32)
    run_i = tl.zeros((ROWS, WIDTH), tl.float32)
    run_f = tl.zeros((ROWS, WIDTH), tl.float32)
    run_g = tl.zeros((ROWS, WIDTH), tl.float32)
    run_o = tl.zeros((ROWS, WIDTH), tl.float32)
    end = ((member * batch + row) * 2 + direction)[:, None] * UNITS + unit[None, :]  # (R, H)
    if POOLING:
        entered = tl.load(grad + end, valid, 0.0)
        entered_at = tl.load(where + end, valid, -1)
    for step in range(steps):
        i, f, g, o = next_i, next_f, next_g, next_o
        place += past
        next_i, next_f, next_g, next_o = _load_four(place, valid & (step + 1 < length)[:, None], UNITS, 0.0)
        older_cell = tl.load(place + past + 4 * UNITS, valid & (step + 2 < length)[:, None], 0.0)
        old_token = _load_token(ids, time + back, step + 1 < length)

        if POOLING:
            grad_hidden += tl.where(entered_at == time, entered, 0.0)
        else:
            at = (((member * batch + row) * steps + time) * 2 + direction)[:, None] * UNITS + unit[None, :]
            grad_hidden += tl.load(grad + at, valid, 0.0)
        squashed = _tanh(cell)
        grad_cell += grad_hidden * o * (1 - squashed * squashed)
        grad_i = grad_cell * g * i * (1 - i)
        grad_f = grad_cell * old_cell * f * (1 - f)
        grad_g = grad_cell * i * (1 - g * g)
        grad_o = grad_hidden * squashed * o * (1 - o)
        out = ((lane * steps + time) * batch + row)[:, None] * (4 * UNITS) + unit[None, :]  # (R, H)
        _store_four(grad_gates + out, valid, UNITS, grad_i, grad_f, grad_g, grad_o)
        if ATOMICS:
            run_i += grad_i
            run_f += grad_f
            run_g += grad_g
            run_o += grad_o
            ends = (old_token != token)[:, None]  # (R, 1)
            known = valid & ends & ((token >= 0) & (token < vocabulary))[:, None]
            target = table + token[:, None] * (4 * UNITS)
            tl.atomic_add(target, run_i, known, sem="relaxed")
            tl.atomic_add(target + UNITS, run_f, known, sem="relaxed")
            tl.atomic_add(target + 2 * UNITS, run_g, known, sem="relaxed")
            tl.atomic_add(target + 3 * UNITS, run_o, known, sem="relaxed")
            run_i = tl.where(ends, 0.0, run_i)
            run_f = tl.where(ends, 0.0, run_f)
            run_g = tl.where(ends, 0.0, run_g)
            run_o = tl.where(ends, 0.0, run_o)
            token = old_token
        grad_hidden = _product(grad_i, wi) + _product(grad_f, wf) + _product(grad_g, wg) + _product(grad_o, wo)
        grad_cell *= f
        cell, old_cell = old_cell, older_cell
        time += back
