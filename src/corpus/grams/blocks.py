"""Text many bytes at a time: what a loop over single bytes cannot tell the compiler.

Each function is a few instructions of LLVM, written out: 64 bytes are loaded as one vector, and
compared to give one bit each, the first byte's the lowest. LLVM fits the vectors to what the
machine has. The callers see to it that the bytes are there: a text has ``PAD`` more behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

BLOCK = 64
_BYTES = ir.VectorType(ir.IntType(8), BLOCK)
_WORD = ir.IntType(64)


def _instructions(function: Callable[..., Any]) -> Callable[..., np.uint64]:
    """Let kernels call what gives a signature and the code for it."""
    return cast("Callable[..., np.uint64]", intrinsic(function))


def _all(value: int) -> ir.Constant:
    return ir.Constant(_BYTES, [value] * BLOCK)


def _loaded(context: Any, builder: Any, signature: Any, given: Any, kind: ir.Type) -> Any:  # noqa: ANN401 - numba's
    """What stands in an array of bytes at a place, wherever that is."""
    array = context.make_array(signature.args[0])(context, builder, given[0])
    place = builder.gep(array.data, [given[1]])
    return builder.load(builder.bitcast(place, kind.as_pointer()), align=1)


@_instructions
def word_bits(_typing: Any, data: Any, at: Any) -> Any:  # noqa: ANN401 - numba's
    """Of 64 bytes, those of words: letters and digits of ASCII, and all bytes over it."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # noqa: ANN401
        found = _loaded(context, builder, signature, given, _BYTES)
        low = builder.sub(builder.or_(found, _all(0x20)), _all(ord("a")))
        letter = builder.icmp_unsigned("<", low, _all(26))
        digit = builder.icmp_unsigned("<", builder.sub(found, _all(ord("0"))), _all(10))
        over = builder.icmp_signed("<", found, _all(0))
        return builder.bitcast(builder.or_(builder.or_(letter, digit), over), _WORD)

    return types.uint64(data, at), code


@_instructions
def wide_bits(_typing: Any, data: Any, at: Any) -> Any:  # noqa: ANN401 - numba's
    """Of 64 bytes, those that are not ASCII."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # noqa: ANN401
        found = _loaded(context, builder, signature, given, _BYTES)
        return builder.bitcast(builder.icmp_signed("<", found, _all(0)), _WORD)

    return types.uint64(data, at), code


@_instructions
def eight(_typing: Any, data: Any, at: Any) -> Any:  # noqa: ANN401 - numba's
    """Eight bytes as one number, the first the lowest."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # noqa: ANN401
        return _loaded(context, builder, signature, given, _WORD)

    return types.uint64(data, at), code


@_instructions
def lowest(_typing: Any, bits: Any) -> Any:  # noqa: ANN401 - numba's
    """Which is the lowest bit that is set; 64 if none is."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:  # noqa: ANN401
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(bits), code


@_instructions
def ones(_typing: Any, bits: Any) -> Any:  # noqa: ANN401 - numba's
    """How many bits are set."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:  # noqa: ANN401
        return builder.ctpop(given[0])

    return types.uint64(bits), code
