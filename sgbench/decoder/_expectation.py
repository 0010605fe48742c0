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

from sgbench.decoder._pawley import factorised, half_solved
from sgbench.decoder._profiles import (
    back_solved_columns,
    half_solved_columns,
    inverse_diagonal,
)

_LOG_2_PI = math.log(2 * math.pi)
_SQRT_HALF = math.sqrt(0.5)


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


@numba.njit(cache=True)
def log_integrals(  # type: ignore[no-untyped-def]
    present, first, normal, right, border, border_square, border_right, square,
    curvature, slope, log_norm, leak, site_curvature, site_slope, sweeps,
):  # fmt: skip
    """Return the logarithm of the integral for each setting, and sites that the last one ends with.

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
    """
    n_settings, n = present.shape
    m = border.shape[1]
    every = np.arange(n)
    result = np.empty(n_settings)
    tau, nu = site_curvature.copy(), site_slope.copy()
    mean, variance = np.empty(n), np.empty(n)
    for setting in range(n_settings):
        for k in range(n):
            tau[k] = site_curvature[k] if present[setting, k] else 1.0 / leak[k] ** 2
            nu[k] = site_slope[k] if present[setting, k] else 0.0
        for sweep in range(sweeps + 1):
            factor, lead = factorised(every, first, normal, 1.0, tau)
            x = half_solved(factor, lead, right + nu)
            half = half_solved_columns(factor, lead, border)
            schur = border_square - half.T @ half
            pull = border_right - half.T @ x
            total = -0.5 * square + 0.5 * np.sum(x * x) + 0.5 * n * _LOG_2_PI
            for k in range(n):
                total -= math.log(factor[k, k - lead[k]])
            # Rounding must not take more than there is.
            spread = np.sqrt(np.maximum(np.diag(border_square), 1e-300))
            values, axes = np.linalg.eigh(schur / spread.reshape(-1, 1) / spread)
            values = np.maximum(values, 1e-12)
            along = axes.T @ (pull / spread)
            total += 0.5 * np.sum(along * along / values) - 0.5 * np.sum(np.log(values))
            total += 0.5 * m * _LOG_2_PI - np.sum(np.log(spread))
            terms = (axes @ (along / values)) / spread
            back = back_solved_columns(factor, lead, half)
            together = back_solved_columns(factor, lead, x.reshape(-1, 1))[:, 0]
            own = inverse_diagonal(factor, lead)
            rotated = (back / spread) @ axes
            for k in range(n):
                variance[k], mean[k] = own[k], together[k]
                for s in range(m):
                    variance[k] += rotated[k, s] ** 2 / values[s]
                    mean[k] -= back[k, s] * terms[s]
            for k in range(n):
                if not present[setting, k]:
                    total -= math.log(leak[k]) + 0.5 * _LOG_2_PI
                    continue
                whole, whole_pull = 1.0 / variance[k], mean[k] / variance[k]
                cavity, cavity_pull = whole - tau[k], whole_pull - nu[k]
                if cavity <= 1e-10 * whole:
                    cavity = 1e-10 * whole
                tilted = cavity + curvature[setting, k]
                tilted_pull = cavity_pull + slope[setting, k]
                deviation = 1.0 / math.sqrt(tilted)
                z = tilted_pull * deviation
                log_share, hazard = log_above_zero(z)
                total += log_norm[setting, k] + log_share + 0.5 * math.log(whole / tilted)
                total += 0.5 * (tilted_pull**2 / tilted - whole_pull**2 / whole)
                if sweep < sweeps:
                    new_mean = (z + hazard) * deviation
                    new_variance = (1.0 - hazard * (z + hazard)) / tilted
                    new_variance = max(new_variance, 1e-12 / tilted)
                    new_tau = max(1.0 / new_variance - cavity, 1e-12 * cavity)
                    new_nu = new_mean / new_variance - cavity_pull
                    # Shorter steps keep what oscillates from doing so.
                    tau[k] += 0.8 * (new_tau - tau[k])
                    nu[k] += 0.8 * (new_nu - nu[k])
            result[setting] = total
    return result, tau, nu, mean, variance
