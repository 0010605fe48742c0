"""Expectation propagation: the integral over all intensities that are not below zero.

The data are Gaussian in the intensities, with a banded normal matrix, and in what else was refined,
the border. Before the data are seen, an allowed line's intensity has a density proportional to
exp(-curvature I^2 / 2 + slope I) above zero and none below: an exponential law (Wilson's, of
acentric reflections) or a piece of a normal one. Each such factor is replaced by the Gaussian that
suits the rest of the problem best (Minka 2001, Expectation propagation for approximate Bayesian
inference), so that overlap is accounted for. All densities are log-concave, for which this
converges and its integral is accurate. A forbidden line has a narrow Gaussian around zero instead.
"""

import math

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpbtrf, dtbtrs

_LOG_2_PI = math.log(2 * math.pi)
_SQRT_HALF = math.sqrt(0.5)
# Where rounding leaves a matrix without a factor, its diagonal grows by this share, and more.
_FIRST_RIDGE, _RIDGES = 1e-12, 12

Floats = NDArray[np.float64]


@numba.njit(cache=True)
def log_above_zero(z):  # type: ignore[no-untyped-def]
    """Return the logarithm of the normal distribution function, and its derivative."""
    if z > -12.0:
        share = 0.5 * math.erfc(-z * _SQRT_HALF)
        return math.log(share), math.exp(-0.5 * z * z - 0.5 * _LOG_2_PI) / share
    # Continued fraction of Mills' ratio (Abramowitz & Stegun 26.2.14).
    x = -z
    slope = x + 1.0 / (x + 2.0 / (x + 3.0 / (x + 4.0 / (x + 5.0 / x))))
    return -0.5 * z * z - 0.5 * _LOG_2_PI - math.log(slope), slope


def log_integrals(
    present: NDArray[np.bool_],
    first: NDArray[np.int64],
    normal: Floats,
    right: Floats,
    border: Floats,
    border_square: Floats,
    border_right: Floats,
    square: float,
    curvature: Floats,
    slope: Floats,
    log_norm: Floats,
    leak: Floats,
    site_curvature: Floats,
    site_slope: Floats,
    sweeps: int,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return the logarithm of the integral for each setting, and how the last one ends.

    Parameters
    ----------
    present : ndarray of bool, shape (n_settings, n)
    first, normal, right, border, border_square, border_right, square
        The least-squares problem, in units of the noise; `border_square` holds what is known of the
        parameters beforehand.
    curvature, slope, log_norm : ndarray, shape (n_settings, n)
        The law of each line, with the logarithm of its normalising factor.
    leak : ndarray, shape (n,)
        Standard deviation of a forbidden line's intensity.
    site_curvature, site_slope : ndarray, shape (n,)
        Gaussian factors to start from.
    sweeps : int
        How often factors are brought up to date; with 0, those given are kept.

    Returns
    -------
    result : ndarray, shape (n_settings,)
    tau, nu, mean, variance : ndarray, shape (n,)
        Of the last setting: its Gaussian factors, and the lines' means and variances.
    """
    n = len(right)
    band = _band(first, normal)
    spread = np.sqrt(np.maximum(np.diag(border_square), 1e-300))
    result = np.empty(len(present))
    tau, nu = site_curvature.copy(), site_slope.copy()
    mean, variance = np.empty(n), np.empty(n)
    for setting, allowed in enumerate(present):
        tau = np.where(allowed, site_curvature, 1.0 / leak**2)
        nu = np.where(allowed, site_slope, 0.0)
        laws = (curvature[setting], slope[setting], log_norm[setting])
        for sweep in range(sweeps + 1):
            factor = _factor(band, tau)
            half = _solved(factor, np.column_stack([border, right + nu]), "N")
            x, half = half[:, -1], half[:, :-1]
            back = _solved(factor, np.column_stack([half, x]), "T")
            together, back = back[:, -1], back[:, :-1]
            schur = border_square - half.T @ half
            pull = border_right - half.T @ x
            # Rounding must not take more than there is.
            values, axes = np.linalg.eigh(schur / spread[:, None] / spread)
            values = np.maximum(values, 1e-12)
            along = axes.T @ (pull / spread)
            total = -0.5 * square + 0.5 * x @ x - np.sum(np.log(factor[0]))
            total += 0.5 * np.sum(along**2 / values) - 0.5 * np.sum(np.log(values))
            total += 0.5 * (n + len(spread)) * _LOG_2_PI - np.sum(np.log(spread))
            mean = together - back @ ((axes @ (along / values)) / spread)
            variance = inverse_diagonal(np.ascontiguousarray(factor.T))
            variance += ((back / spread) @ axes) ** 2 @ (1.0 / values)
            total += _with_laws(allowed, mean, variance, *laws, leak, tau, nu, sweep < sweeps)
            result[setting] = total
    return result, tau, nu, mean, variance


@numba.njit(cache=True)
def _with_laws(  # type: ignore[no-untyped-def]
    present, mean, variance, curvature, slope, log_norm, leak, tau, nu, update
):
    """Return what the laws of lines add to the logarithm; bring factors, tau and nu, up to date."""
    total = 0.0
    for k in range(len(present)):
        if not present[k]:
            total -= math.log(leak[k]) + 0.5 * _LOG_2_PI
            continue
        whole, whole_pull = 1.0 / variance[k], mean[k] / variance[k]
        cavity, cavity_pull = whole - tau[k], whole_pull - nu[k]
        if cavity <= 1e-10 * whole:
            cavity = 1e-10 * whole
        tilted = cavity + curvature[k]
        tilted_pull = cavity_pull + slope[k]
        deviation = 1.0 / math.sqrt(tilted)
        z = tilted_pull * deviation
        log_share, hazard = log_above_zero(z)
        total += log_norm[k] + log_share + 0.5 * math.log(whole / tilted)
        total += 0.5 * (tilted_pull**2 / tilted - whole_pull**2 / whole)
        if update:
            new_mean = (z + hazard) * deviation
            new_variance = (1.0 - hazard * (z + hazard)) / tilted
            new_variance = max(new_variance, 1e-12 / tilted)
            new_tau = max(1.0 / new_variance - cavity, 1e-12 * cavity)
            new_nu = new_mean / new_variance - cavity_pull
            # Shorter steps keep what oscillates from doing so.
            tau[k] += 0.8 * (new_tau - tau[k])
            nu[k] += 0.8 * (new_nu - nu[k])
    return total


@numba.njit(cache=True)
def _band(first, normal):  # type: ignore[no-untyped-def]
    """Return the band of a matrix below its diagonal as LAPACK takes it, shape (width, n)."""
    n, width = len(first), 1
    for i in range(n):
        width = max(width, i - first[i] + 1)
    band = np.zeros((n, width))
    for i in range(n):
        for j in range(first[i], i + 1):
            band[j, i - j] = normal[i, j - first[i]]
    return band.T


def _factor(band: Floats, diagonal: Floats) -> Floats:
    """Return the banded Cholesky factor of a matrix with more on its diagonal."""
    whole = band[0] + diagonal
    ridge = 0.0
    for _ in range(_RIDGES):
        matrix = band.copy(order="F")
        matrix[0] = whole * (1.0 + ridge)
        factor, failed = dpbtrf(matrix, lower=1, overwrite_ab=1)
        if not failed:
            return np.asarray(factor)
        ridge = max(10 * ridge, _FIRST_RIDGE)
    raise np.linalg.LinAlgError("the least-squares problem has no banded factor")


def _solved(factor: Floats, columns: Floats, transposed: str) -> Floats:
    solution, _ = dtbtrs(factor, columns, uplo="L", trans=transposed)
    return np.asarray(solution)


@numba.njit(cache=True, fastmath=True)
def inverse_diagonal(factor):  # type: ignore[no-untyped-def]
    """Return the diagonal of the inverse of a matrix from its banded factor, shape (n, width).

    Row j of the factor holds its column j from the diagonal down. Entries of the inverse within the
    band follow from each other, from the last row up (Takahashi, Fagan & Chen 1973; Erisman &
    Tinney, Commun. ACM 18, 177, 1975).
    """
    n, width = factor.shape
    inverse = np.zeros((n, width))
    column = np.empty(width)
    for j in range(n - 1, -1, -1):
        pivot = 1.0 / factor[j, 0]
        m = min(width, n - j)
        column[:m] = 0.0
        # Minus the product of the inverse's later block, which is symmetric, with the factor.
        for k in range(1, m):
            f = factor[j, k] * pivot
            total = 0.0
            for i in range(k + 1, m):
                entry = inverse[j + k, i - k]
                total += entry * factor[j, i]
                column[i] -= entry * f
            column[k] -= total * pivot + inverse[j + k, 0] * f
        total = pivot
        for k in range(1, m):
            total -= factor[j, k] * column[k]
            inverse[j, k] = column[k]
        inverse[j, 0] = total * pivot
    return inverse[:, 0].copy()
