"""The compiled loops of the CPU form: one LSTM direction over a slice of the batch, forward and backward.

Everything that numba compiles lives in this one file, because its disk cache notices changes of this file only (touch
it after a change of `tiles`).
The functions touch no Python object, so they run without the interpreter lock, one job per thread.

Why they are fast:

- A block of a few sequences goes through all its time steps while its states and the recurrent matrix stay in the
  first-level cache; nothing but the saved gates travels to memory and back.
- `sigmoid` and `tanh` are arithmetic alone (no call, no branch), so the compiler makes vector instructions of them.
- `add_product` keeps a tile of the result in registers. BLAS would cost more in calls than in arithmetic at these
  sizes, and its threads would fight with ours.

Shapes: M members, B rows, T time steps, E embedding features, H units, S rows of one block, W rows of the gate table.
All arrays are float32 but the token ids (int64) and the time steps of the maxima (int32). A job is one member, one
direction (0 forward in time, 1 backward), and a slice first..last-1: of the batch, of the table's rows or of the
embedding's features. Whole arrays have these shapes, their gradients likewise:

| array | shape | |
|---|---|---|
| `tokens` | (1, B, T) for all members, or (M, B, T) | |
| `embedding`, `kernel`, `bias` | (M, W, E), (M, 2, E, 4H), (M, 2, 4H) | |
| `tables` | (M, 2, W, 4H) | gate pre-activations of every token |
| `recurrent` | (M, 2, H, 4H) | |
| `gates`, `cells` | (M, 2, T, B, 4H), (M, 2, T, B, H) | saved for the way back, or T = 0: nothing is |
| `pooled`, `where` | (M, B, 2, H) | maximum and its first time step, or B = 0: `states` instead |
| `states` | (M, B, T, 2, H) | |
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_al.models.kernels.tiles import make_tile, tile_shape
from lit_al.utils.jit import compiled

Floats = NDArray[np.float32]
Ints = NDArray[Any]  # int64 token ids, int32 time steps

BLOCK = 32  # rows that go through time together: their states and gates fit into the first-level cache

ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)
LOG2_E = np.float32(1.4426950408889634)
LIMIT = np.float32(126)  # 2 ** 127 is the largest power of two
ROUNDER = np.float32(1.5 * 2**23)  # adding it leaves no room for a fraction: the low bits of the sum are the integer
TINY = np.float32(1e-30)  # a fading gradient ends here: below 1e-38 the processor takes twenty times as long


@compiled
def exp2(x: np.float32) -> np.float32:
    """Return 2 ** x for |x| <= 126, relative error 1e-7 (a polynomial on [-0.5, 0.5] and a shift of the exponent)."""
    shifted = x + ROUNDER
    r = x - (shifted - ROUNDER)
    p = np.float32(1.327647129073739e-3)  # minimax fit of degree 5 for the relative error
    p = p * r + np.float32(9.675540961325169e-3)
    p = p * r + np.float32(5.550713092088699e-2)
    p = p * r + np.float32(2.402212023735046e-1)
    p = p * r + np.float32(6.931469440460205e-1)
    p = p * r + ONE
    exponent = np.int32((np.int32(np.float32(shifted).view(np.int32)) << 23) + 0x3F800000)
    return p * np.int32(exponent).view(np.float32)


@compiled
def sigmoid(x: np.float32) -> np.float32:
    """Return 1 / (1 + exp(-x)) within 1.1e-7; NaN stays NaN, since it fails both comparisons."""
    z = -x * LOG2_E
    z = LIMIT if z > LIMIT else z
    z = -LIMIT if z < -LIMIT else z
    return ONE / (ONE + exp2(z))


@compiled
def tanh(x: np.float32) -> np.float32:
    """Return the hyperbolic tangent within 2.2e-7."""
    return TWO * sigmoid(TWO * x) - ONE


TILE_ROWS, LANES = tile_shape()
tile = make_tile(TILE_ROWS, LANES)


@compiled
def add_product(out: Floats, x: Floats, matrix: Floats) -> None:
    """Add ``x @ matrix`` to ``out``; x (R, K), matrix (K, N), out (R, N). Tiles first, then what they leave over."""
    rows = out.shape[0] - out.shape[0] % TILE_ROWS
    columns = out.shape[1] - out.shape[1] % (2 * LANES)
    for r in range(0, rows, TILE_ROWS):
        for j in range(0, columns, 2 * LANES):
            tile(out, x, matrix, r, j)
    if columns < out.shape[1]:
        _add_product_by_rows(out[:rows, columns:], x[:rows], matrix[:, columns:])
    _add_product_by_rows(out[rows:], x[rows:], matrix)


@compiled
def _add_product_by_rows(out: Floats, x: Floats, matrix: Floats) -> None:
    for r in range(out.shape[0]):
        for k in range(x.shape[1]):
            _add_scaled(out[r], x[r, k], matrix[k])


@compiled
def _add_scaled(out: Floats, factor: np.float32, row: Floats) -> None:
    for j in range(row.size):
        out[j] += factor * row[j]


@compiled
def _copy(out: Floats | Ints, x: Floats | Ints) -> None:
    """Copy a matrix; ``out[:] = x`` would compile for seconds, since it can raise an error with a formatted text."""
    for r in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[r, j] = x[r, j]


@compiled
def _add(out: Floats, x: Floats) -> None:
    for r in range(x.shape[0]):
        _add_scaled(out[r], ONE, x[r])


@compiled
def _gather(gates: Floats, tokens: Ints, time: int, table: Floats) -> None:
    """Copy the table rows of one time step; gates (S, 4H), tokens (S, T), table (W, 4H)."""
    for r in range(gates.shape[0]):
        token = tokens[r, time]
        for j in range(gates.shape[1]):
            gates[r, j] = table[token, j]


@compiled
def _activate(gates: Floats, cell: Floats, new_cell: Floats, hidden: Floats) -> None:
    """Turn pre-activations into gates and take one step; gates (S, 4H), states (S, H)."""
    rows, units = hidden.shape
    for r in range(rows):
        for u in range(2 * units):
            gates[r, u] = sigmoid(gates[r, u])
        for u in range(units):
            gates[r, 2 * units + u] = tanh(gates[r, 2 * units + u])
        for u in range(units):
            gates[r, 3 * units + u] = sigmoid(gates[r, 3 * units + u])
        for u in range(units):
            c = gates[r, units + u] * cell[r, u] + gates[r, u] * gates[r, 2 * units + u]
            new_cell[r, u] = c
            hidden[r, u] = gates[r, 3 * units + u] * tanh(c)


@compiled
def _pool(hidden: Floats, time: np.int32, ascending: bool, best: Floats, where: Ints) -> None:
    """Keep the running maximum and the first time step that attains it; all (S, H).

    Going backward in time a tie replaces the maximum, since the later step of the loop is the earlier time. A NaN
    replaces every number.
    """
    rows, units = hidden.shape
    for r in range(rows):
        for u in range(units):
            h, b = hidden[r, u], best[r, u]
            take = (b == b) & ((h > b) | (h != h)) if ascending else (h >= b) | (h != h)
            best[r, u] = h if take else b
            where[r, u] = time if take else where[r, u]


@compiled
def _scratch(rows: int, columns: int) -> Floats:
    """Return an uninitialized matrix that begins on a cache line: no vector of its rows then straddles two."""
    memory = np.empty(rows * columns + 15, np.float32)
    first = (-memory.ctypes.data % 64) // 4
    return memory[first : first + rows * columns].reshape(rows, columns)


@compiled
def _zeros(rows: int, columns: int) -> Floats:
    matrix = _scratch(rows, columns)
    _clear(matrix)
    return matrix


@compiled
def _clear(matrix: Floats) -> None:
    for r in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            matrix[r, j] = ZERO


@compiled
def forward(
    member: int,
    direction: int,
    first: int,
    last: int,
    tokens: Ints,
    tables: Floats,
    recurrent: Floats,
    gates: Floats,
    cells: Floats,
    pooled: Floats,
    where: Ints,
    states: Floats,
) -> None:
    """Run a job forward; `gates`, `cells`, `pooled`, `where` and `states` are written."""
    steps, units = tokens.shape[2], recurrent.shape[2]
    saving, pooling = gates.shape[2] > 0, pooled.shape[1] > 0
    ids, matrix = tokens[member % len(tokens)], recurrent[member, direction]  # (B, T), (H, 4H)
    all_gates, all_cells = gates[member, direction], cells[member, direction]  # (T, B, 4H), (T, B, H)
    scratch_gates = _scratch(BLOCK, 4 * units)
    scratch_cells = _scratch(2 * BLOCK, units).reshape(2, BLOCK, units)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        rows = stop - start
        cell, hidden = _zeros(rows, units), _zeros(rows, units)
        best = np.full((rows, units), -np.inf, np.float32)
        best_at = np.zeros((rows, units), np.int32)
        for step in range(steps):
            time = step if direction == 0 else steps - 1 - step
            gate = all_gates[time, start:stop] if saving else scratch_gates[:rows]  # (S, 4H)
            new_cell = all_cells[time, start:stop] if saving else scratch_cells[step % 2, :rows]  # (S, H)
            _gather(gate, ids[start:stop], time, tables[member, direction])
            add_product(gate, hidden, matrix)
            _activate(gate, cell, new_cell, hidden)
            cell = new_cell
            if pooling:
                _pool(hidden, np.int32(time), direction == 0, best, best_at)
            else:
                _copy(states[member, start:stop, time, direction], hidden)
        if pooling:
            _copy(pooled[member, start:stop, direction], best)
            _copy(where[member, start:stop, direction], best_at)


@compiled
def _add_pooled(grad_hidden: Floats, grad_pooled: Floats, where: Ints, time: np.int32) -> None:
    """Let the gradient of the maximum enter at its time step; all (S, H)."""
    rows, units = grad_hidden.shape
    for r in range(rows):
        for u in range(units):
            grad_hidden[r, u] += grad_pooled[r, u] if where[r, u] == time else ZERO


@compiled
def _gate_gradients(
    gates: Floats, squashed: Floats, old_cell: Floats, grad_hidden: Floats, grad_cell: Floats, grad_gates: Floats
) -> None:
    """Take one step back through the cell; gates (S, 4H), squashed = tanh(cell) and the others (S, H)."""
    rows, units = old_cell.shape
    for r in range(rows):
        for u in range(units):
            o, t, dh = gates[r, 3 * units + u], squashed[r, u], grad_hidden[r, u]
            dc = grad_cell[r, u] + dh * o * (ONE - t * t)
            grad_cell[r, u] = ZERO if abs(dc) < TINY else dc
            grad_gates[r, 3 * units + u] = dh * t * o * (ONE - o)
            grad_hidden[r, u] = ZERO  # ready to take the product with the recurrent weights
        for u in range(units):
            i, g = gates[r, u], gates[r, 2 * units + u]
            grad_gates[r, u] = grad_cell[r, u] * g * i * (ONE - i)
        for u in range(units):
            i, g = gates[r, u], gates[r, 2 * units + u]
            grad_gates[r, 2 * units + u] = grad_cell[r, u] * i * (ONE - g * g)
        for u in range(units):
            f = gates[r, units + u]
            grad_gates[r, units + u] = grad_cell[r, u] * old_cell[r, u] * f * (ONE - f)
            grad_cell[r, u] *= f


@compiled
def _squash(gates: Floats, cell: Floats, squashed: Floats, hidden: Floats) -> None:
    """Compute tanh(cell) and the hidden state again, which is cheaper than reading them from memory."""
    rows, units = cell.shape
    for r in range(rows):
        for u in range(units):
            t = tanh(cell[r, u])
            squashed[r, u] = t
            hidden[r, u] = gates[r, 3 * units + u] * t


@compiled
def _scatter(grad_table: Floats, tokens: Ints, time: int, grad_gates: Floats) -> None:
    """Add the gate gradients of one time step to the table rows of their tokens; arguments as in `_gather`."""
    for r in range(grad_gates.shape[0]):
        _add_scaled(grad_table[tokens[r, time]], ONE, grad_gates[r])


@compiled
def backward(
    member: int,
    direction: int,
    first: int,
    last: int,
    part: int,
    tokens: Ints,
    transposed: Floats,
    gates: Floats,
    cells: Floats,
    where: Ints,
    grad_pooled: Floats,
    grad_states: Floats,
    grad_tables: Floats,
    grad_recurrent: Floats,
) -> None:
    """Run a job back; `grad_tables` is written, `grad_recurrent` added to.

    Both have a first axis more, the parts: every slice has its own sums, so that no two threads add to the same number.
    The recurrent weights come transposed, (M, 2, 4H, H).
    """
    steps, units = tokens.shape[2], transposed.shape[3]
    pooling = grad_pooled.shape[1] > 0
    ids, matrix = tokens[member % len(tokens)], transposed[member, direction]  # (B, T), (4H, H)
    all_gates, all_cells = gates[member, direction], cells[member, direction]  # (T, B, 4H), (T, B, H)
    table = grad_tables[part, member, direction]  # (W, 4H)
    _clear(table)
    zeros = _zeros(BLOCK, units)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        rows = stop - start
        grad_cell, grad_hidden = _zeros(rows, units), _zeros(rows, units)
        squashed, hidden = _scratch(rows, units), _scratch(rows, units)
        grad_gates = _scratch(rows, 4 * units)
        time = steps - 1 if direction == 0 else 0
        _squash(all_gates[time, start:stop], all_cells[time, start:stop], squashed, hidden)
        for step in range(steps - 1, -1, -1):
            time = step if direction == 0 else steps - 1 - step
            before = time - 1 if direction == 0 else time + 1
            if pooling:
                entered, at = grad_pooled[member, start:stop, direction], where[member, start:stop, direction]
                _add_pooled(grad_hidden, entered, at, np.int32(time))
            else:
                _add(grad_hidden, grad_states[member, start:stop, time, direction])
            old_cell = all_cells[before, start:stop] if step > 0 else zeros[:rows]
            _gate_gradients(all_gates[time, start:stop], squashed, old_cell, grad_hidden, grad_cell, grad_gates)
            _scatter(table, ids[start:stop], time, grad_gates)
            if step > 0:  # the state before the first step is zero and needs no gradient
                add_product(grad_hidden, grad_gates, matrix)
                _squash(all_gates[before, start:stop], old_cell, squashed, hidden)
                add_product(grad_recurrent[part, member, direction], hidden.T, grad_gates)


@compiled
def fold(
    member: int, direction: int, first: int, last: int, embedding: Floats, kernel: Floats, bias: Floats, tables: Floats
) -> None:
    """Project rows of an embedding table onto the gates of one direction; `tables` is written."""
    table = tables[member, direction, first:last]  # (S, 4H)
    for r in range(table.shape[0]):
        for j in range(table.shape[1]):
            table[r, j] = bias[member, direction, j]
    add_product(table, embedding[member, first:last], kernel[member, direction])


@compiled
def fold_back(member: int, first: int, last: int, grad_tables: Floats, transposed: Floats, grad_rows: Floats) -> None:
    """Compute the gradient of an embedding table's rows; the input weights come transposed, (M, 2, 4H, E)."""
    rows = grad_rows[member, first:last]  # (S, E)
    _clear(rows)
    for direction in range(2):
        add_product(rows, grad_tables[member, direction, first:last], transposed[member, direction])


@compiled
def fold_back_weights(
    member: int,
    direction: int,
    first: int,
    last: int,
    embedding: Floats,
    grad_tables: Floats,
    grad_kernel: Floats,
    grad_bias: Floats,
) -> None:
    """Compute the gradient of the input weights for some embedding features; `grad_bias` is added to.

    The slice that begins at 0 sums the bias too.
    """
    kernel = grad_kernel[member, direction, first:last]  # (S, 4H)
    _clear(kernel)
    words = grad_tables.shape[2]
    for start in range(0, words, 2 * BLOCK):  # few words at once, so that they are still in the cache for every tile
        stop = min(start + 2 * BLOCK, words)
        rows = grad_tables[member, direction, start:stop]  # (S, 4H)
        add_product(kernel, embedding[member, start:stop, first:last].T, rows)
        if first == 0:
            for r in range(rows.shape[0]):
                _add_scaled(grad_bias[member, direction], ONE, rows[r])
