"""The one way in which this package compiles loops: numba, without the interpreter lock, cached on disk."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numba
from numba.core.compiler import Compiler

Function = TypeVar("Function", bound=Callable[..., Any])


class _Disjoint(Compiler):  # type: ignore[misc, unused-ignore]
    """Compiler told that the arrays passed to one function never overlap, as `restrict` in C.

    Without it every inner loop first compares the addresses of all its arrays, which takes as long as the loop.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)  # type: ignore[no-untyped-call, unused-ignore]
        self.state.flags.noalias = True


def compiled(function: Function) -> Function:
    """Compile at the first call, cached on disk; where no folder can be written, compile in every process.

    numba's cache notices changes of the file that holds the function, not of others that it calls into.

    Of the liberties with floating point only fused multiply-add is taken. "nnan" and "ninf" would break the spread
    of NaN and infinity, and "reassoc" would cancel the constant that rounds to an integer in `kernels.loops.exp2`.
    Functions are inlined wherever they are called: left to LLVM, the process that compiles may call what one that
    loads the cache has inlined, where a product and a sum are fused, and a run's last bits would change with its second
    start.
    """
    compile_: Any = partial(
        numba.njit, nogil=True, forceinline=True, fastmath={"contract"}, error_model="numpy", pipeline_class=_Disjoint
    )
    try:
        dispatcher: Function = compile_(function, cache=True)
    except RuntimeError:
        dispatcher = compile_(function)
    return dispatcher
