"""The Pawley fit: all lines of a lattice at once, since a pattern is linear in their intensities.

Lines are ordered by angle, and only those whose profiles overlap are coupled. So of each row of the
normal matrix, the part from the first line that it is coupled to up to the diagonal is kept, and
Cholesky factors have the same form.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import (
    TAIL_SIGMAS,
    PatternProtocol,
    ReflectionTable,
    lorentz_factor,
    two_theta_of,
)

# Added to the diagonal of normal equations without a prior, in units of the diagonal: lines that
# coincide leave them singular.
_RIDGE = 1e-11
_MOST_EXCHANGES = 60
# Cell refinement ends after so many steps, or where the misfit falls by less than this factor.
_CELL_STEPS = 12
_LEAST_GAIN = 0.9
# Lines that nearly coincide take up what a cell that is slightly off leaves, so that a misfit just
# below the noise is not enough.
_FAR_BELOW = 0.01


@dataclass(frozen=True)
class LatticeFit:
    """The least-squares problem of one pattern and one lattice without extinctions.

    Attributes
    ----------
    metric : ndarray of float64, shape (p,)
    row : ndarray of int64, shape (n,)
        Lines of the reflection table that reach the window, by ascending angle.
    two_theta : ndarray of float64, shape (n,)
        Degrees.
    first : ndarray of int64, shape (n,)
        The first line that each is coupled to.
    normal : ndarray of float64, shape (n, width)
        Products of profiles: entry (i, j - first[i]) for lines j = first[i], …, i.
    right : ndarray of float64, shape (n,)
        Products of profiles with the pattern.
    square : float
        Sum of the squares of the pattern.
    misfit : float
        Root mean square of what all lines together leave of the pattern.
    drift : ndarray of float64, shape (p, n)
        Products of profiles with what a relative change of each parameter of the metric adds to the
        pattern.
    drift_right : ndarray of float64, shape (p,)
        Products of those additions with the pattern.
    drift_square : ndarray of float64, shape (p, p)
        Products of those additions.
    """

    metric: NDArray[np.float64]
    row: NDArray[np.int64]
    two_theta: NDArray[np.float64]
    first: NDArray[np.int64]
    normal: NDArray[np.float64]
    right: NDArray[np.float64]
    square: float
    misfit: float
    drift: NDArray[np.float64]
    drift_right: NDArray[np.float64]
    drift_square: NDArray[np.float64]


def fit_lattice(
    pattern: NDArray[np.float64],
    metric: NDArray[np.float64],
    table: ReflectionTable,
    protocol: PatternProtocol,
    noise: float,
) -> LatticeFit | None:
    """Fit all lines of a lattice, and its metric with them.

    Parameters
    ----------
    pattern : ndarray of float64, shape (n_points,)
    metric : ndarray of float64, shape (p,)
        To start from.
    table : ReflectionTable
    protocol : PatternProtocol
    noise : float
        Standard deviation of the noise; the metric is good enough where the misfit is far below it.

    Returns
    -------
    LatticeFit or None
        None where no line reaches the window.
    """
    best: LatticeFit | None = None
    for _ in range(_CELL_STEPS):
        q = table.coefficients @ metric
        two_theta = two_theta_of(q, protocol.wavelength)
        lower, upper = protocol.line_range
        (row,) = np.nonzero((two_theta >= lower) & (two_theta <= upper))
        if len(row) == 0:
            return best
        row = row[np.argsort(two_theta[row])]
        two_theta = two_theta[row]
        half = int(np.ceil(TAIL_SIGMAS * protocol.sigma / protocol.step)) + 1
        position = (two_theta - protocol.two_theta_min) / protocol.step
        width = protocol.sigma / protocol.step
        profiles = _profiles(position, width, half, len(pattern))
        start = np.floor(position).astype(np.int64) - half
        first, normal, right = _normal_equations(start, profiles, pattern)
        every = np.arange(len(row))
        ridge = _RIDGE * normal[every, every - first] + 1e-12
        factor, lead = factorised(every, first, normal, 1.0, ridge)
        intensity = solved(factor, lead, right)
        rest = pattern - _sum(start, profiles, intensity, len(pattern))
        misfit = float(np.sqrt(np.mean(rest**2)))
        if best is not None and misfit > _LEAST_GAIN * best.misfit:
            return best
        # What a relative change of each parameter of the metric does to the pattern.
        half_angle = np.radians(two_theta / 2)
        shift = protocol.wavelength**2 / (2 * np.sin(2 * half_angle)) / np.radians(1.0)
        weights = (intensity * shift / protocol.step)[:, None] * table.coefficients[row] * metric
        drift = _moved(start, profiles, position, width, weights, len(pattern))
        coupled = np.stack([_products(start, profiles, column) for column in drift.T])
        best = LatticeFit(
            metric, row, two_theta, first, normal, right, float(pattern @ pattern), misfit,
            coupled, drift.T @ pattern, drift.T @ drift,
        )  # fmt: skip
        if misfit < _FAR_BELOW * noise:
            return best
        # Gauss-Newton, with the intensities projected out.
        within = np.stack([solved(factor, lead, column) for column in coupled])
        curvature = best.drift_square - coupled @ within.T
        change = np.linalg.lstsq(curvature, drift.T @ rest, rcond=1e-12)[0]
        metric = metric * (1 + change)
        if np.any(table.coefficients @ metric <= 0):
            return best
    return best


def nonnegative(fit: LatticeFit, keep: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return non-negative intensities of some lines of a lattice that fit the pattern best.

    Block principal pivoting (Portugal, Judice & Vicente, Math. Comput. 63, 625, 1994).

    Parameters
    ----------
    fit : LatticeFit
    keep : ndarray of int64, shape (m,)
        Places of lines in the fit, ascending; the others have no intensity.

    Returns
    -------
    ndarray of float64, shape (m,)
        Heights in units of the pattern.
    """
    ridge = _RIDGE * fit.normal[np.arange(len(fit.row)), np.arange(len(fit.row)) - fit.first]
    return np.asarray(_pivoted(keep, fit.first, fit.normal, fit.right, ridge + 1e-12))


def relative_lorentz(two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Lorentz factor of lines that may lie at 180 degrees or beyond the window."""
    return lorentz_factor(np.clip(two_theta, 1e-3, 179.0))


@numba.njit(cache=True)
def _profiles(position, width, half, n_points):  # type: ignore[no-untyped-def]
    """Return each line's profile on the 2 half + 1 points around it; zero outside the window."""
    profiles = np.zeros((len(position), 2 * half + 1))
    for line in range(len(position)):
        start = int(np.floor(position[line])) - half
        for point in range(max(start, 0), min(start + 2 * half + 1, n_points)):
            off = (point - position[line]) / width
            profiles[line, point - start] = np.exp(-0.5 * off * off)
    return profiles


@numba.njit(cache=True)
def _normal_equations(start, profiles, pattern):  # type: ignore[no-untyped-def]
    """Return first coupled lines, products of profiles, and those with the pattern."""
    n, size = profiles.shape
    first = np.empty(n, np.int64)
    low, widest = 0, 0
    for i in range(n):
        while start[i] - start[low] >= size:
            low += 1
        first[i] = low
        widest = max(widest, i - low + 1)
    normal = np.zeros((n, widest))
    for i in range(n):
        for j in range(first[i], i + 1):
            offset = start[i] - start[j]
            total = 0.0
            for point in range(size - offset):
                total += profiles[i, point] * profiles[j, point + offset]
            normal[i, j - first[i]] = total
    return first, normal, _products(start, profiles, pattern)


@numba.njit(cache=True)
def _products(start, profiles, pattern):  # type: ignore[no-untyped-def]
    right = np.zeros(len(profiles))
    size = profiles.shape[1]
    for i in range(len(profiles)):
        total = 0.0
        for point in range(max(start[i], 0), min(start[i] + size, len(pattern))):
            total += profiles[i, point - start[i]] * pattern[point]
        right[i] = total
    return right


@numba.njit(cache=True)
def _sum(start, profiles, intensity, n_points):  # type: ignore[no-untyped-def]
    total = np.zeros(n_points)
    size = profiles.shape[1]
    for i in range(len(profiles)):
        for point in range(max(start[i], 0), min(start[i] + size, n_points)):
            total[point] += intensity[i] * profiles[i, point - start[i]]
    return total


@numba.njit(cache=True)
def _moved(start, profiles, position, width, weights, n_points):  # type: ignore[no-untyped-def]
    """Return the pattern's derivatives, shape (n_points, p); weights are grid steps a unit."""
    total = np.zeros((n_points, weights.shape[1]))
    size = profiles.shape[1]
    for i in range(len(profiles)):
        for point in range(max(start[i], 0), min(start[i] + size, n_points)):
            slope = profiles[i, point - start[i]] * (point - position[i]) / width**2
            for s in range(weights.shape[1]):
                total[point, s] += weights[i, s] * slope
    return total


@numba.njit(cache=True)
def factorised(keep, first, normal, scale, diagonal):  # type: ignore[no-untyped-def]
    """Return the Cholesky factor of scale . normal + diagonal for some lines, and its lead.

    Row i of the factor holds its entries from column lead[i] to the diagonal.
    """
    n = len(keep)
    lead = np.empty(n, np.int64)
    low, widest = 0, 0
    for i in range(n):
        while keep[low] < first[keep[i]]:
            low += 1
        lead[i] = low
        widest = max(widest, i - low + 1)
    factor = np.zeros((n, widest))
    for i in range(n):
        line, begin = keep[i], lead[i]
        for j in range(begin, i + 1):
            value = scale * normal[line, keep[j] - first[line]]
            if i == j:
                value += diagonal[line]
            for between in range(max(begin, lead[j]), j):
                value -= factor[i, between - begin] * factor[j, between - lead[j]]
            if i == j:
                factor[i, j - begin] = np.sqrt(max(value, 1e-300))
            else:
                factor[i, j - begin] = value / factor[j, j - lead[j]]
    return factor, lead


@numba.njit(cache=True)
def half_solved(factor, lead, right):  # type: ignore[no-untyped-def]
    """Return the product of the inverse factor with a vector."""
    x = np.empty(len(right))
    for i in range(len(right)):
        value = right[i]
        for j in range(lead[i], i):
            value -= factor[i, j - lead[i]] * x[j]
        x[i] = value / factor[i, i - lead[i]]
    return x


@numba.njit(cache=True)
def solved(factor, lead, right):  # type: ignore[no-untyped-def]
    """Return the solution of the factorised equations."""
    x = half_solved(factor, lead, right)
    for i in range(len(x) - 1, -1, -1):
        x[i] /= factor[i, i - lead[i]]
        for j in range(lead[i], i):
            x[j] -= factor[i, j - lead[i]] * x[i]
    return x


@numba.njit(cache=True)
def _pivoted(keep, first, normal, right, ridge):  # type: ignore[no-untyped-def]
    n = len(keep)
    positive = np.ones(n, np.bool_)
    intensity = np.zeros(n)
    best, patience = n + 1, 3
    full = np.zeros(len(first))
    for _ in range(_MOST_EXCHANGES):
        chosen = keep[positive]
        factor, lead = factorised(chosen, first, normal, 1.0, ridge)
        intensity[:] = 0.0
        intensity[positive] = solved(factor, lead, right[chosen])
        full[:] = 0.0
        for i in range(n):
            full[keep[i]] = intensity[i]
        slope = -right
        for i in range(len(first)):
            for j in range(first[i], i):
                slope[i] += normal[i, j - first[i]] * full[j]
                slope[j] += normal[i, j - first[i]] * full[i]
            slope[i] += normal[i, i - first[i]] * full[i]
        wrong = np.empty(n, np.bool_)
        count = 0
        for i in range(n):
            wrong[i] = intensity[i] < 0.0 if positive[i] else slope[keep[i]] < -1e-9
            count += wrong[i]
        if count == 0:
            break
        if count < best:
            best, patience = count, 3
        elif patience > 0:
            patience -= 1
        else:
            # Exchanging only the last one cannot cycle.
            last = np.flatnonzero(wrong)[-1]
            wrong[:] = False
            wrong[last] = True
        positive ^= wrong
    return np.maximum(intensity, 0.0)
