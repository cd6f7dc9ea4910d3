"""The one piece of the CPU form that a compiler does not find by itself: a matrix product that stays in registers.

numba turns loops over arrays into vector instructions, but loads and stores the result again and again, which halves
the speed. So this piece is written in LLVM's own terms, a few lines per instruction.
"""

from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def make_tile(rows: int, lanes: int) -> Any:
    """Return a compiled ``tile(out, x, matrix, row, column)``: the product for one tile of ``out``.

    The tile of ``rows`` rows and two vectors of ``lanes`` numbers stays in registers over the whole depth, so that a
    step costs two loads of the matrix for 2 * rows fused multiply-adds. The compiler does not get there from loops
    over arrays: it loads and stores ``out`` again and again. Terms are added in the order of the depth. Neighbors in a
    row of ``out`` and of ``matrix`` must be neighbors in memory; ``x`` may have any strides.

    Args:
        rows: Rows of a tile.
        lanes: Float32 numbers in a vector register.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, x, matrix = (
            _Matrix(context, builder, kind, value) for kind, value in zip(signature.args[:3], args, strict=False)
        )
        row, column = args[3:]
        vector = ir.VectorType(ir.FloatType(), lanes)
        cells = [(r, j) for r in range(rows) for j in (0, lanes)]  # of the tile, a vector each
        sums = {cell: cgutils.alloca_once(builder, vector) for cell in cells}  # LLVM turns them into registers
        for (r, j), total in sums.items():
            builder.store(out.load(vector, (row, r), (column, j)), total)
        with cgutils.for_range(builder, x.columns) as loop:
            multiplicands = {j: matrix.load(vector, (loop.index, 0), (column, j)) for j in (0, lanes)}
            for r in range(rows):
                multiplier = _everywhere(builder, x.load(ir.FloatType(), (row, r), (loop.index, 0)), vector)
                for j, multiplicand in multiplicands.items():
                    product = builder.fmul(multiplier, multiplicand, flags=("contract",))
                    total = sums[r, j]
                    builder.store(builder.fadd(product, builder.load(total), flags=("contract",)), total)
        for (r, j), total in sums.items():
            out.store(builder.load(total), (row, r), (column, j))
        return context.get_dummy_value()

    def tile(typing: Any, out: Any, x: Any, matrix: Any, row: Any, column: Any) -> Any:
        return types.void(out, x, matrix, types.intp, types.intp), build

    return intrinsic(tile)


class _Matrix:
    """A float32 matrix of any strides in LLVM's terms; a position is a number and a constant to add to it."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder = builder
        self.data = builder.bitcast(array.data, ir.IntType(8).as_pointer())
        self.strides = cgutils.unpack_tuple(builder, array.strides)  # bytes
        self.columns = cgutils.unpack_tuple(builder, array.shape)[1]

    def load(self, kind: Any, row: tuple[Any, int], column: tuple[Any, int]) -> Any:
        """Load a number, or a vector of a row's neighbors."""
        return self.builder.load(self._address(kind, row, column), align=4)

    def store(self, value: Any, row: tuple[Any, int], column: tuple[Any, int]) -> None:
        """Store what `load` loads."""
        self.builder.store(value, self._address(value.type, row, column), align=4)

    def _address(self, kind: Any, *position: tuple[Any, int]) -> Any:
        builder = self.builder
        offset = ir.Constant(ir.IntType(64), 0)
        for (number, more), stride in zip(position, self.strides, strict=True):
            index = builder.add(number, ir.Constant(number.type, more))
            offset = builder.add(offset, builder.mul(index, stride))
        return builder.bitcast(builder.gep(self.data, [offset]), kind.as_pointer())


def _everywhere(builder: Any, number: Any, vector: Any) -> Any:
    """Fill a vector with one number."""
    index = ir.IntType(32)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(index, 0))
    everywhere = ir.Constant(ir.VectorType(index, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), everywhere)


def tile_shape() -> tuple[int, int]:
    """Return rows and lanes of a tile that fills this processor's vector registers and no more."""
    features = get_host_cpu_features()
    if features.get("avx512f"):
        return 8, 16  # 32 registers of 16 numbers: 16 sums
    if features.get("avx"):
        return 4, 8  # 16 registers of 8 numbers: 8 sums
    return 8, 4  # ARM: 32 registers of 4 numbers
