"""Indexing: cells of a family whose lines explain the clear peaks of a pattern.

1/d^2 of a line is n A + k^2 B + l^2 C: a sum of three squares times A in cubic cells; a sum of two
squares or h^2 + hk + k^2 times A plus l^2 B in those of two parameters; three squares in
orthorhombic ones. As many peaks as there are parameters, with an assumed line each, give a metric,
and the other peaks test it.
"""

from functools import lru_cache
from itertools import product

import numba
import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._peaks import Peaks
from sgbench.diffraction import FREE_PARAMETERS, metric

#: Families that can be indexed.
INDEXED = ("cubic", "tetragonal", "trigonal-hexagonal", "orthorhombic")

# Peaks that cells are solved from, by number of parameters, in a first and in a thorough search.
_SOLVED_FROM = {1: (5, 10), 2: (5, 10), 3: (9, 9)}
# Peaks that test a cell, and of how many one may be a blend in disguise.
_TESTED = 30
_PEAKS_A_MISS = (8, 5)
# Lines that the peaks to solve from may be: largest n and largest index for each further parameter.
_LARGEST_N = {1: 300, 2: 20, 3: 16}
_LARGEST_INDEX = {2: 8, 3: 4}
_LARGEST_SUM = 19
# Triples: two peaks of the first few and one of the first more, since in a C-centred cell that is
# nearly hexagonal, the clear peak that tells a from b comes late. The search ends after so many
# triples have given a cell without a miss.
_TRIPLES_OF = (6, 20)
_TRIPLES = 4
# Zones: largest index; how many of the first peaks must lie in one; peaks outside that are tried.
_LARGEST_ZONE = 4
_ZONE_TESTED = 12
_ZONE_LEAST = 5
_ZONE_OTHERS = 3
# Nearly tetragonal cells: largest relative change of a squared edge, steps up to there, and how
# many tetragonal ones are tried.
_MOST_APART = 0.02
_STEPS_APART = 20
_MOST_TETRAGONAL = 10
_CAPACITY = 4000
# Peaks are vague whose tolerance is so many times that of a good one.
_VAGUE = 5.0
_SAME_CELL = 1e-4


def candidate_metrics(
    peaks: Peaks,
    family: str,
    smallest: tuple[float, ...],
    largest: tuple[float, ...],
    thorough: bool = False,
) -> NDArray[np.float64]:
    """Return metrics of cells that explain the clear peaks.

    Parameters
    ----------
    peaks : Peaks
    family : str
    smallest, largest : tuple of float
        Bounds of the free parameters in ångström.
    thorough : bool
        Solve from more peaks, and in more ways, and let more peaks be blends in disguise.

    Returns
    -------
    ndarray, shape (n, p)
        In the order of `sgbench.diffraction.metric`, orthorhombic ones for a <= b <= c; none where
        there is no such cell.
    """
    n_parameters = len(FREE_PARAMETERS[family])
    if len(peaks.q) < n_parameters:
        return np.empty((0, n_parameters))
    q, tolerance = peaks.q[:_TESTED], peaks.tolerance[:_TESTED]
    # Peaks that are surely single come first, since what is solved from others is vague.
    vague = tolerance > _VAGUE * np.quantile(tolerance, 0.25)
    order = np.argsort(vague, kind="stable")
    q, tolerance = q[order], tolerance[order]
    numbers = _numbers(family)
    bounds = np.full((2, 3), np.inf)
    bounds[:, :n_parameters] = np.sort(metric(family, [smallest, largest]), axis=0)
    if n_parameters == 3:
        # Axes are told apart by their length alone.
        bounds[0], bounds[1] = bounds[0].min(), bounds[1].max()
    bounds[:, :n_parameters] *= np.array([[0.995], [1.005]])
    misses = len(q) // _PEAKS_A_MISS[thorough]
    base = min(_SOLVED_FROM[n_parameters][thorough], len(q))
    rows = _rows(family)
    if n_parameters == 1:
        found = _from_singles(q, tolerance, rows, numbers, bounds, base, misses)
    elif n_parameters == 2:
        found = _from_pairs(q, tolerance, rows, numbers, bounds, base, misses)
    else:
        found = _from_zones(q, tolerance, numbers, bounds, base, misses)
        if thorough:
            more = _from_triples(q, tolerance, rows, numbers, bounds, misses)
            found = np.concatenate([found, more])
    found = _distinct(_refined(found, n_parameters, q, tolerance, numbers, misses))
    halved = _rescaled(found, 4.0, bounds, n_parameters)
    found = _refined(halved, n_parameters, q, tolerance, numbers, misses)
    if thorough:
        # Lines that need a doubled axis may all be blends.
        found = _rescaled(found, 0.25, bounds, n_parameters)
    if thorough and n_parameters == 3:
        found = np.concatenate([found, _nearly_tetragonal(q, tolerance, bounds, base, misses)])
    found = _distinct(found)
    # Inside, the third parameter of an orthorhombic metric is the largest.
    return np.ascontiguousarray(found[:, :n_parameters][:, :: -1 if n_parameters == 3 else 1])


def _nearly_tetragonal(
    q: NDArray[np.float64],
    tolerance: NDArray[np.float64],
    bounds: NDArray[np.float64],
    base: int,
    misses: int,
) -> NDArray[np.float64]:
    """Return orthorhombic metrics around the tetragonal ones that explain the peaks.

    Where two axes are nearly equal, the lines that tell them apart are blends, all of them.
    """
    numbers, rows = _numbers("tetragonal"), _rows("tetragonal")
    found = _distinct(_from_pairs(q, tolerance, rows, numbers, bounds, base, len(q) // 2))
    slack = np.zeros(3)
    left = [_misses_left(one, slack, q, tolerance, numbers, len(q)) for one in found]
    found = found[np.argsort(left)[::-1][:_MOST_TETRAGONAL]]
    first, other = found[:, :1], found[:, 1:2]
    apart = np.linspace(0.0, _MOST_APART, _STEPS_APART + 1)[1:]
    metrics = np.stack(
        np.broadcast_arrays(first * (1 - apart), first * (1 + apart), other), axis=-1
    ).reshape(-1, 3)
    return np.asarray(np.sort(metrics, axis=1))


def _rescaled(
    metrics: NDArray[np.float64], factor: float, bounds: NDArray[np.float64], n_parameters: int
) -> NDArray[np.float64]:
    """Add the metrics, some of whose parameters are multiplied by a factor, within the bounds."""
    factors = np.array([*product((1.0, factor), repeat=n_parameters)])
    factors = np.pad(factors, ((0, 0), (0, 3 - n_parameters)), constant_values=1.0)
    more = (metrics[:, None, :] * factors).reshape(-1, 3)
    if n_parameters == 3:
        more = np.sort(more, axis=1)
    return np.asarray(more[np.all((more >= bounds[0]) & (more <= bounds[1]), axis=1)])


def _distinct(metrics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave out metrics that repeat another one."""
    steps = np.rint(np.log(np.where(np.isfinite(metrics), metrics, 1.0)) / _SAME_CELL)
    return np.asarray(metrics[np.unique(steps, axis=0, return_index=True)[1]])


@lru_cache(maxsize=8)
def _numbers(family: str) -> NDArray[np.bool_]:
    """Tell which numbers n the family's first coefficient can be."""
    index = np.arange(65)
    h, k = np.meshgrid(index, index)
    of_family = {
        "cubic": lambda: (h**2 + k**2)[:, :, None] + index**2,
        "tetragonal": lambda: h**2 + k**2,
        "trigonal-hexagonal": lambda: h**2 + h * k + k**2,
        "orthorhombic": lambda: h**2,
    }
    numbers = np.zeros(index[-1] ** 2, dtype=np.bool_)
    found = of_family[family]()
    numbers[found[found < len(numbers)]] = True
    return numbers


@lru_cache(maxsize=8)
def _rows(family: str) -> NDArray[np.float64]:
    """List the lines that peaks are taken for, shape (n, p)."""
    n_parameters = len(FREE_PARAMETERS[family])
    first = np.flatnonzero(_numbers(family)[: _LARGEST_N[n_parameters] + 1])
    squares = np.arange(_LARGEST_INDEX.get(n_parameters, 0) + 1) ** 2
    grids = np.meshgrid(first, *[squares] * (n_parameters - 1), indexing="ij")
    rows = np.stack(grids, axis=-1).reshape(-1, n_parameters)[1:]
    if n_parameters == 3:
        rows = rows[rows.sum(axis=1) <= _LARGEST_SUM]
    return rows.astype(np.float64)


@numba.njit(cache=True)
def _nearest(m, slack, q, tolerance, numbers):  # type: ignore[no-untyped-def]
    """Return the coefficients of the line nearest to q within the tolerance, or a negative one."""
    best = np.inf
    n_best, k_best, l_best = -1.0, 0.0, 0.0
    low = 0
    while True:
        of_l = low * low * m[2] if low else 0.0
        if of_l > q + tolerance:
            break
        k = 0
        while True:
            of_k = of_l + (k * k * m[1] if k else 0.0)
            if of_k > q + tolerance:
                break
            n = int(np.rint((q - of_k) / m[0]))
            if 0 <= n < len(numbers) and numbers[n]:
                allowed = tolerance + n * slack[0] + k * k * slack[1] + low * low * slack[2]
                off = abs(q - of_k - n * m[0])
                if off <= allowed and off < best:
                    best = off
                    n_best, k_best, l_best = float(n), float(k * k), float(low * low)
            k += 1
        low += 1
    return n_best, k_best, l_best


@numba.njit(cache=True)
def _misses_left(m, slack, q, tolerance, numbers, misses):  # type: ignore[no-untyped-def]
    """Return how many more peaks may be no lines of the metric, negative where too many are not."""
    for peak in range(len(q)):
        if _nearest(m, slack, q[peak], tolerance[peak], numbers)[0] < 0.0:
            misses -= 1
            if misses < 0:
                break
    return misses


@numba.njit(cache=True)
def _within(m, bounds, n_parameters):  # type: ignore[no-untyped-def]
    inside = True
    for i in range(n_parameters):
        inside &= bounds[0, i] <= m[i] <= bounds[1, i]
    return inside


@numba.njit(cache=True)
def _from_singles(q, tolerance, rows, numbers, bounds, base, misses):  # type: ignore[no-untyped-def]
    found = np.empty((_CAPACITY, 3))
    count = 0
    m, slack = np.full(3, np.inf), np.zeros(3)
    for i in range(base):
        for row in range(len(rows)):
            m[0] = q[i] / rows[row, 0]
            slack[0] = tolerance[i] / rows[row, 0]
            if not _within(m, bounds, 1):
                continue
            left = _misses_left(m, slack, q, tolerance, numbers, misses)
            if left >= 0 and count < _CAPACITY:
                found[count] = m
                count += 1
    return found[:count]


@numba.njit(cache=True)
def _from_pairs(q, tolerance, rows, numbers, bounds, base, misses):  # type: ignore[no-untyped-def]
    found = np.empty((_CAPACITY, 3))
    count = 0
    m, slack = np.full(3, np.inf), np.zeros(3)
    for j in range(1, base):
        for i in range(j):
            for row in range(len(rows)):
                n1, l1 = rows[row]
                for other in range(len(rows)):
                    n2, l2 = rows[other]
                    det = n1 * l2 - n2 * l1
                    if det == 0.0:
                        continue
                    m[0] = (q[i] * l2 - q[j] * l1) / det
                    m[1] = (n1 * q[j] - n2 * q[i]) / det
                    if not _within(m, bounds, 2):
                        continue
                    slack[0] = (tolerance[i] * l2 + tolerance[j] * l1) / abs(det)
                    slack[1] = (n1 * tolerance[j] + n2 * tolerance[i]) / abs(det)
                    left = _misses_left(m, slack, q, tolerance, numbers, misses)
                    if left >= 0 and count < _CAPACITY:
                        found[count] = m
                        count += 1
    return found[:count]


@numba.njit(cache=True)
def _from_triples(q, tolerance, rows, numbers, bounds, misses):  # type: ignore[no-untyped-def]
    found = np.empty((_CAPACITY, 3))
    count, triples = 0, 0
    solved, m, slack, cofactor = np.empty(3), np.empty(3), np.empty(3), np.empty((3, 3))
    n_rows = len(rows)
    for k in range(2, min(_TRIPLES_OF[1], len(q))):
        for j in range(1, min(k, _TRIPLES_OF[0])):
            for i in range(j):
                without = False
                for first in range(n_rows):
                    x = rows[first]
                    # Axes may be renamed, so that one line's indices can be taken to ascend.
                    if x[0] > x[1] or x[1] > x[2]:
                        continue
                    for second in range(n_rows):
                        y = rows[second]
                        c0 = x[1] * y[2] - x[2] * y[1]
                        c1 = x[2] * y[0] - x[0] * y[2]
                        c2 = x[0] * y[1] - x[1] * y[0]
                        if c0 == 0.0 and c1 == 0.0 and c2 == 0.0:
                            continue
                        for third in range(n_rows):
                            z = rows[third]
                            det = c0 * z[0] + c1 * z[1] + c2 * z[2]
                            if det == 0.0:
                                continue
                            cofactor[0, 0] = y[1] * z[2] - y[2] * z[1]
                            cofactor[0, 1] = z[1] * x[2] - z[2] * x[1]
                            cofactor[0, 2] = c0
                            solved[0] = (
                                cofactor[0, 0] * q[i] + cofactor[0, 1] * q[j] + c0 * q[k]
                            ) / det
                            if not bounds[0, 0] <= solved[0] <= bounds[1, 0]:
                                continue
                            cofactor[1, 0] = y[2] * z[0] - y[0] * z[2]
                            cofactor[1, 1] = z[2] * x[0] - z[0] * x[2]
                            cofactor[1, 2] = c1
                            solved[1] = (
                                cofactor[1, 0] * q[i] + cofactor[1, 1] * q[j] + c1 * q[k]
                            ) / det
                            if not bounds[0, 0] <= solved[1] <= bounds[1, 0]:
                                continue
                            cofactor[2, 0] = y[0] * z[1] - y[1] * z[0]
                            cofactor[2, 1] = z[0] * x[1] - z[1] * x[0]
                            cofactor[2, 2] = c2
                            solved[2] = (
                                cofactor[2, 0] * q[i] + cofactor[2, 1] * q[j] + c2 * q[k]
                            ) / det
                            if not bounds[0, 0] <= solved[2] <= bounds[1, 0]:
                                continue
                            order = np.argsort(solved)
                            for s in range(3):
                                axis = order[s]
                                m[s] = solved[axis]
                                slack[s] = (
                                    abs(cofactor[axis, 0]) * tolerance[i]
                                    + abs(cofactor[axis, 1]) * tolerance[j]
                                    + abs(cofactor[axis, 2]) * tolerance[k]
                                ) / abs(det)
                            left = _misses_left(m, slack, q, tolerance, numbers, misses)
                            if left >= 0 and count < _CAPACITY:
                                found[count] = m
                                count += 1
                                without |= left == misses
                triples += without
                if triples == _TRIPLES:
                    return found[:count]
    return found[:count]


@numba.njit(cache=True)
def _from_zones(q, tolerance, numbers, bounds, base, misses):  # type: ignore[no-untyped-def]
    """Solve two axes from lines without the third index, then the third axis.

    Where one axis is short, the first lines are all of this kind.
    """
    found = np.empty((_CAPACITY, 3))
    count = 0
    m, slack = np.full(3, np.inf), np.zeros(3)
    solved, of_solved = np.empty(3), np.empty(3)
    in_zone = np.empty(len(q), np.bool_)
    size = _LARGEST_ZONE + 1
    for j in range(1, base):
        for i in range(j):
            for row in range(1, size * size):
                n1, k1 = float((row // size) ** 2), float((row % size) ** 2)
                for other in range(1, size * size):
                    n2, k2 = float((other // size) ** 2), float((other % size) ** 2)
                    det = n1 * k2 - n2 * k1
                    if det == 0.0:
                        continue
                    m[0] = (q[i] * k2 - q[j] * k1) / det
                    m[1] = (n1 * q[j] - n2 * q[i]) / det
                    # Either order of the two axes would do.
                    if not bounds[0, 0] <= m[0] <= m[1] <= bounds[1, 0]:
                        continue
                    m[2] = np.inf
                    slack[0] = (tolerance[i] * k2 + tolerance[j] * k1) / abs(det)
                    slack[1] = (n1 * tolerance[j] + n2 * tolerance[i]) / abs(det)
                    slack[2] = 0.0
                    inside = 0
                    for peak in range(len(q)):
                        in_zone[peak] = (
                            _nearest(m, slack, q[peak], tolerance[peak], numbers)[0] >= 0.0
                        )
                        inside += in_zone[peak]
                        if peak == _ZONE_TESTED and inside < _ZONE_LEAST:
                            break
                    if inside < _ZONE_LEAST:
                        continue
                    outside = 0
                    for peak in range(len(q)):
                        if in_zone[peak]:
                            continue
                        outside += 1
                        if outside > _ZONE_OTHERS:
                            break
                        for low in range(1, 3):
                            for row_in in range(size * size):
                                n, k = float((row_in // size) ** 2), float((row_in % size) ** 2)
                                value = (q[peak] - n * m[0] - k * m[1]) / low**2
                                if not bounds[0, 0] <= value <= bounds[1, 0]:
                                    continue
                                solved[0], solved[1], solved[2] = m[0], m[1], value
                                of_solved[0], of_solved[1] = slack[0], slack[1]
                                of_solved[2] = (
                                    tolerance[peak] + n * slack[0] + k * slack[1]
                                ) / low**2
                                order = np.argsort(solved)
                                left = _misses_left(
                                    solved[order], of_solved[order], q, tolerance, numbers, misses
                                )
                                if left >= 0 and count < _CAPACITY:
                                    found[count] = solved[order]
                                    count += 1
    return found[:count]


@numba.njit(cache=True)
def _refined(metrics, n_parameters, q, tolerance, numbers, misses):  # type: ignore[no-untyped-def]
    """Fit metrics to the peaks, weighted by their tolerances, and keep those that explain them."""
    kept = 0
    slack = np.zeros(3)
    highest = q.max()
    for index in range(len(metrics)):
        for by_part in range(2):
            m = metrics[index].copy()
            for step in range(3):
                # A metric that is slightly off tells lines apart at low angles first.
                part = 0.3 + 0.35 * step if by_part else 1.0
                reach = part * highest
                _refine_step(m, n_parameters, q, tolerance, numbers, reach, 4.0 / 2**step)
            if _misses_left(m, slack, q, tolerance, numbers, misses) >= 0:
                metrics[kept] = m
                kept += 1
                break
    return metrics[:kept]


@numba.njit(cache=True)
def _refine_step(m, n_parameters, q, tolerance, numbers, reach, widening):  # type: ignore[no-untyped-def]
    """Fit a metric in place to the peaks up to some 1/d^2 that it explains."""
    slack, row = np.zeros(3), np.empty(3)
    normal = np.zeros((n_parameters, n_parameters))
    right = np.zeros(n_parameters)
    for peak in range(len(q)):
        if q[peak] > reach:
            continue
        row[:] = _nearest(m, slack, q[peak], widening * tolerance[peak], numbers)
        if row[0] < 0.0:
            continue
        weight = 1.0 / tolerance[peak] ** 2
        for s in range(n_parameters):
            right[s] += weight * row[s] * q[peak]
            for t in range(n_parameters):
                normal[s, t] += weight * row[s] * row[t]
    if np.linalg.matrix_rank(normal) == n_parameters:
        m[:n_parameters] = np.linalg.solve(normal, right)
