"""What Python has no word for: one rounding for two operations, and memory that will be needed.

With the JIT disabled these are slow or do nothing; what comes out is the same but for the last bit.
"""

# ruff: noqa: ANN401 - Numba does not say what it hands over

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

I32, BYTES = ir.IntType(32), ir.IntType(8).as_pointer()
SECOND_CACHE, FIRST_CACHE, DATA = 2, 3, I32(1)
LARGEST = float(np.finfo(np.float32).max)


def _fma(_context: Any, _a: Any, _b: Any, _c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float32(types.float32, types.float32, types.float32), generate


def _fma_slowly(a: np.float32, b: np.float32, c: np.float32) -> np.float32:
    exact = float(a) * float(b) + float(c)
    if abs(exact) <= LARGEST:  # to ask for silence takes four times as long
        return np.float32(exact)
    with np.errstate(over="ignore"):
        return np.float32(exact)


def _prefetch(write: int, cache: int) -> Any:
    def typed(_context: Any, array: Any, _index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            place = builder.bitcast(builder.gep(data, [args[1]]), BYTES)
            kind = ir.FunctionType(ir.VoidType(), [BYTES, I32, I32, I32])
            name = "llvm.prefetch.p0"
            ask: Any = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
            builder.call(ask, [place, I32(write), I32(cache), DATA])
            return context.get_dummy_value()

        return types.void(array, types.intp), generate

    return typed


def _nothing(_array: Any, _index: int) -> None:
    pass


SLOW = config.DISABLE_JIT  # type: ignore[attr-defined]
fma: Any = _fma_slowly if SLOW else intrinsic(_fma)
"""`fma(a, b, c)`: a * b + c of float32 with one rounding. It is LLVM's fma, which every processor
does alike, and never its fmuladd, which rounds once or twice as the processor likes it."""
will_read: Any = _nothing if SLOW else intrinsic(_prefetch(0, SECOND_CACHE))
"""`will_read(array, number)`: the element of that number, in C order, will be needed soon. Any
number will do."""
will_write: Any = _nothing if SLOW else intrinsic(_prefetch(1, FIRST_CACHE))
