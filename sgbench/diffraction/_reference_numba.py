"""The compiled part of `sgbench.diffraction.reference_height`."""

import numba
import numpy as np


@numba.njit(cache=True)
def smallest(edges, metrics, lowest):  # type: ignore[no-untyped-def]
    """Return the smallest 1/d^2 of each cell that is not below a limit, shape (n,)."""
    found = np.empty(len(edges))
    for i in range(len(edges)):
        g = metrics[i]
        # Some multiple of each axis of the reciprocal lattice is long enough, so the shortest of
        # these is a bound, and |h| <= a/d limits the indices.
        best = np.inf
        for axis in range(3):
            order = max(np.ceil(np.sqrt(lowest / g[axis])), 1.0)
            best = min(best, order * order * g[axis])
        limit = np.floor(edges[i] * np.sqrt(best) * (1 + 1e-9))
        for h in range(-int(limit[0]), int(limit[0]) + 1):
            for k in range(-int(limit[1]), int(limit[1]) + 1):
                for l in range(int(limit[2]) + 1):  # noqa: E741
                    q = (
                        h * h * g[0] + k * k * g[1] + l * l * g[2]
                        + 2 * (k * l * g[3] + h * l * g[4] + h * k * g[5])
                    )  # fmt: skip
                    if lowest <= q < best:
                        best = q
        found[i] = best
    return found
