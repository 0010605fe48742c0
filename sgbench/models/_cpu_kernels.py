"""Compiled passes for what stands between two convolutions on a CPU.

Bias, max-pool over pairs, LeakyReLU and dropout of one block are one pass over memory forward and
one backward, where separate operations would each read and write everything. Since LeakyReLU is
monotonic, pooling first gives the same function with half the work. One byte a pooled value, the
code, is all that the backward pass needs: bit 0 or 1 for the winner of the pair, bit 2 where it was
negative, 0 where it was dropped.

Arrays are channels-last: (rows, channels). Activations are float32, or bfloat16 as uint16 bits.
Inner loops run over row slices, since numba vectorises those and not two-dimensional indexing.
"""

from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic, overload

# Not "nnan": a loss that diverged must stay visible.
_FAST = {"contract", "nsz"}


@intrinsic
def _as_float(context: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.uint32), generate


@intrinsic
def _as_bits(context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.uint32))

    return types.uint32(types.float32), generate


def _load(value):  # type: ignore[no-untyped-def]
    """Turn an activation into a float32."""


def _store(row, column, value):  # type: ignore[no-untyped-def]
    """Set an activation; rounds to the nearest even bfloat16 in a bfloat16 row."""


@overload(_load)
def _load_overload(value):  # type: ignore[no-untyped-def]
    if value == types.float32:
        return lambda value: value
    return lambda value: _as_float(np.uint32(np.uint32(value) << np.uint32(16)))


@overload(_store)
def _store_overload(row, column, value):  # type: ignore[no-untyped-def]
    if row.dtype == types.float32:

        def store(row, column, value):  # type: ignore[no-untyped-def]
            row[column] = value

    else:

        def store(row, column, value):  # type: ignore[no-untyped-def]
            bits = _as_bits(value)
            last_kept = (bits >> np.uint32(16)) & np.uint32(1)
            row[column] = np.uint32(bits + np.uint32(0x7FFF) + last_kept) >> np.uint32(16)

    return store


@numba.njit(inline="always")
def _random_bits(position, key0, key1):  # type: ignore[no-untyped-def]
    """Hash a position to 32 bits (the lowbias32 mixer, with a key before each multiplication)."""
    bits = np.uint32(position + key0)
    bits = np.uint32((bits ^ (bits >> np.uint32(16))) * np.uint32(0x7FEB352D))
    bits = np.uint32((bits ^ (bits >> np.uint32(15))) + key1)
    bits = np.uint32(bits * np.uint32(0x846CA68B))
    return np.uint32(bits ^ (bits >> np.uint32(16)))


@numba.njit(inline="always")
def _code(first, negative, kept):  # type: ignore[no-untyped-def]
    winner = np.uint8(1) if first else np.uint8(2)
    return winner | (np.uint8(4) if negative else np.uint8(0)) if kept else np.uint8(0)


@numba.njit(parallel=True, fastmath=_FAST, cache=True)
def pool_forward(convolved, bias, slope, scale, drop, key0, key1, out, code):  # type: ignore[no-untyped-def]
    """Pool (2R, C) to (R, C); `slope` and `scale` multiply negative and positive values."""
    rows, channels = out.shape
    for r in numba.prange(rows):
        one, two, result, codes = convolved[2 * r], convolved[2 * r + 1], out[r], code[r]
        base = np.uint32(r * channels)
        for c in range(channels):
            a = _load(one[c])
            b = _load(two[c])
            first = a >= b
            value = (a if first else b) + bias[c]
            negative = value < np.float32(0)
            kept = _random_bits(np.uint32(base + np.uint32(c)), key0, key1) >= drop
            _store(result, c, value * (slope if negative else scale) if kept else np.float32(0))
            codes[c] = _code(first, negative, kept)


@numba.njit(parallel=True, fastmath=_FAST, cache=True)
def pool_backward(gradient, code, slope, scale, out):  # type: ignore[no-untyped-def]
    """Spread the gradient of pooled values (R, C) over what was pooled (2R, C)."""
    rows, channels = gradient.shape
    for r in numba.prange(rows):
        one, two, given, codes = out[2 * r], out[2 * r + 1], gradient[r], code[r]
        for c in range(channels):
            value = _load(given[c]) * (slope if codes[c] & np.uint8(4) else scale)
            _store(one, c, value if codes[c] & np.uint8(1) else np.float32(0))
            _store(two, c, value if codes[c] & np.uint8(2) else np.float32(0))


@numba.njit(parallel=True, fastmath=_FAST, cache=True)
def first_forward(padded, weight, bias, slope, scale, drop, key0, key1, out, code):  # type: ignore[no-untyped-def]
    """Convolve one input channel (B, L + 2) with weight (3, C) and pool to (B, L/2, C)."""
    batch, length, channels = out.shape
    w0, w1, w2 = weight[0], weight[1], weight[2]
    for n in numba.prange(batch):
        x = padded[n]
        for j in range(length):
            result, codes = out[n, j], code[n, j]
            x0, x1, x2, x3 = x[2 * j], x[2 * j + 1], x[2 * j + 2], x[2 * j + 3]
            base = np.uint32((n * length + j) * channels)
            for c in range(channels):
                a = w0[c] * x0 + w1[c] * x1 + w2[c] * x2
                b = w0[c] * x1 + w1[c] * x2 + w2[c] * x3
                first = a >= b
                value = (a if first else b) + bias[c]
                negative = value < np.float32(0)
                kept = _random_bits(np.uint32(base + np.uint32(c)), key0, key1) >= drop
                _store(result, c, value * (slope if negative else scale) if kept else np.float32(0))
                codes[c] = _code(first, negative, kept)


@numba.njit(parallel=True, fastmath=_FAST, cache=True)
def first_backward(gradient, code, slope, scale, padded, out):  # type: ignore[no-untyped-def]
    """Return in `out` (B, 4, C) the gradients of the three weights and the bias, a pattern each."""
    batch, length, channels = gradient.shape
    for n in numba.prange(batch):
        x, d0, d1, d2, d_bias = padded[n], out[n, 0], out[n, 1], out[n, 2], out[n, 3]
        for j in range(length):
            given, codes = gradient[n, j], code[n, j]
            x0, x1, x2, x3 = x[2 * j], x[2 * j + 1], x[2 * j + 2], x[2 * j + 3]
            for c in range(channels):
                value = _load(given[c]) * (slope if codes[c] & np.uint8(4) else scale)
                a = value if codes[c] & np.uint8(1) else np.float32(0)
                b = value if codes[c] & np.uint8(2) else np.float32(0)
                d0[c] += a * x0 + b * x1
                d1[c] += a * x1 + b * x2
                d2[c] += a * x2 + b * x3
                d_bias[c] += a + b
