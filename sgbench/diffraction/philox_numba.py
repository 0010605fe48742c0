"""Philox4x32-10 for compiled loops.

It is imported by what computes: numba takes half a second to import, and listings need none.
"""

import numba
import numpy as np

from sgbench.philox import M0, M1, MASK, ROUNDS, W0, W1


@numba.njit(cache=True, inline="always")
def philox_words(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Return the words of `sgbench.philox.philox4x32`; all arguments uint64 below 2**32."""
    mask = np.uint64(MASK)
    shift = np.uint64(32)
    for _ in range(ROUNDS):
        p0 = c0 * np.uint64(M0)
        p1 = c2 * np.uint64(M1)
        c0 = (p1 >> shift) ^ c1 ^ k0
        c1 = p1 & mask
        c2 = (p0 >> shift) ^ c3 ^ k1
        c3 = p0 & mask
        k0 = (k0 + np.uint64(W0)) & mask
        k1 = (k1 + np.uint64(W1)) & mask
    return c0, c1, c2, c3
