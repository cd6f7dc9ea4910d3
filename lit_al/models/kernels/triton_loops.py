"""The Triton loops of the CUDA form: one LSTM direction over a few rows of the batch, forward and backward.

A program is one warp that takes one row of the batch (or a few) through all its time steps. Hidden state, cell state
and the recurrent matrix stay in its registers: lane u owns unit u and holds column u of the four H x H matrices. Rows
need nothing from each other, so the programs never wait for one another, and 256 rows in 2 directions are 512 warps,
about one for each of the 528 schedulers of an H100. Members of a committee are more programs of the same launch.

The arithmetic is plain float32 multiply-add. The matrix units would want 16 rows a program, three passes for this
precision, and would leave three quarters of the chip idle at this batch size: a time step is latency, not arithmetic.
For the same reason every load is issued one time step before its use.

Shapes: M members, B rows, T time steps, V vocabulary entries, H units, R rows of one program, K = H where summed over.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import triton
import triton.language as tl

Function = TypeVar("Function", bound=Callable[..., Any])

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
def forward(
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
def backward(
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
