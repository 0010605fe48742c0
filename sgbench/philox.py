"""Philox4x32-10: the counter-based generator behind random intensities.

A draw is a function of a key and a counter and of nothing else (Salmon et al., SC11,
doi:10.1145/2063384.2063405), so a sample can be made by itself, in any order, on any device.
NumPy's own Philox is the 4x64 variant, whose 128-bit products no GPU framework offers.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The constants of the generator, for what else computes it.
M0, M1 = 0xD2511F53, 0xCD9E8D57
W0, W1 = 0x9E3779B9, 0xBB67AE85
MASK = 0xFFFFFFFF
ROUNDS = 10


def philox4x32(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Any, ...]:
    """Return four words of 32 random bits.

    Parameters
    ----------
    counter : four integers, int64 ndarrays or int64 torch tensors
        Words of 32 bits; they broadcast.
    key : two int

    Returns
    -------
    tuple of four
        Of the kind that came in, each in [0, 2**32).
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        # The product of two 32-bit words may wrap in a signed 64-bit one; its bits stay right,
        # and the masks drop the sign.
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (
            ((p1 >> 32) & MASK) ^ c1 ^ k0,
            p1 & MASK,
            ((p0 >> 32) & MASK) ^ c3 ^ k1,
            p0 & MASK,
        )
        k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    return c0, c1, c2, c3


def words_at(position: NDArray[np.int64], key: tuple[int, int]) -> tuple[Any, ...]:
    """Return four words of 32 random bits for each position of a sequence, shape (n,) each."""
    zero = np.zeros_like(position)
    return philox4x32((position & MASK, position >> 32, zero, zero), key)


def below(word: NDArray[np.int64], bound: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Map 32 random bits to 0 … bound - 1 (multiply-shift; bias below bound / 2**32)."""
    return (word * bound) >> 32


def to_unit(word: Any) -> Any:
    """Map 32 random bits to (0, 1]: the upper 24 bits, exact in float32."""
    return ((word >> 8) + 1) * 2.0**-24


def stream_key(name: str) -> tuple[int, int]:
    """Return the generator's key for a named stream: the first 64 bits of its SHA-256."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")
