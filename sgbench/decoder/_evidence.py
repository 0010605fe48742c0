"""The evidence for an extinction class: how well allowed lines alone explain a pattern.

The pattern is the sum of its lines' profiles and Gaussian noise of one standard deviation. Before
the pattern is seen, an allowed line's intensity is uniform between zero and a scale times its
Lorentz factor; it is taken as a Gaussian of the same mean and variance, which makes the integral
over all intensities a closed form. Forbidden lines are absent. So a line that is seen rules out the
classes that forbid it, one that is not seen speaks against those that allow it, and overlapping
lines count for as little as they tell.

The cell was fitted with all lines of the lattice, of which those that nearly coincide take up its
error. So its parameters are integrated over as well, to first order: each class has the cell that
suits it best.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._pawley import LatticeFit, factorised, half_solved, relative_lorentz

# Standard deviation of the relative change of a parameter of the metric.
_CELL_SLACK = 1e-3


def log_evidence(
    fit: LatticeFit, present: NDArray[np.bool_], noise: float, scale: float
) -> NDArray[np.float64]:
    """Return the logarithm of the evidence for sets of allowed lines.

    Parameters
    ----------
    fit : LatticeFit
    present : ndarray of bool, shape (n_settings, n)
        Which lines of the fit each setting of a class allows.
    noise : float
        Standard deviation of the noise, in units of the pattern.
    scale : float
        Upper end of intensities before the Lorentz factor, in units of the pattern.

    Returns
    -------
    ndarray, shape (n_settings,)
        Up to a constant that depends on the pattern's number of points and on the noise alone.
    """
    largest = scale * relative_lorentz(fit.two_theta)
    return np.asarray(
        _log_evidence(
            present, fit.first, fit.normal, fit.right, fit.square, noise,
            largest / 2, largest**2 / 12, fit.drift, fit.drift_right, fit.drift_square,
        )
    )  # fmt: skip


@numba.njit(cache=True)
def _log_evidence(  # type: ignore[no-untyped-def]
    present, first, normal, right, square, noise, mean, variance, drift, drift_right, drift_square
):
    precision = 1.0 / noise**2
    n_parameters = len(drift)
    result = np.empty(len(present))
    for setting in range(len(present)):
        keep = np.flatnonzero(present[setting])
        total = -0.5 * precision * square
        pull_of_cell = precision * drift_right
        of_cell = precision * drift_square + np.eye(n_parameters) / _CELL_SLACK**2
        if len(keep):
            factor, lead = factorised(keep, first, normal, precision, 1.0 / variance)
            pull = precision * right[keep] + mean[keep] / variance[keep]
            x = half_solved(factor, lead, pull)
            for i in range(len(keep)):
                line = keep[i]
                total += 0.5 * x[i] * x[i] - 0.5 * mean[line] ** 2 / variance[line]
                total -= np.log(factor[i, i - lead[i]]) + 0.5 * np.log(variance[line])
            z = np.empty((n_parameters, len(keep)))
            for s in range(n_parameters):
                z[s] = half_solved(factor, lead, precision * drift[s][keep])
            pull_of_cell = pull_of_cell - z @ x
            of_cell -= z @ z.T
        # Rounding must not leave less than the prior put in.
        stiffness, axes = np.linalg.eigh(of_cell)
        stiffness = np.maximum(stiffness, _CELL_SLACK**-2)
        along = axes.T @ pull_of_cell
        total += 0.5 * np.sum(along * along / stiffness)
        total -= 0.5 * np.sum(np.log(stiffness * _CELL_SLACK**2))
        result[setting] = total
    return result
