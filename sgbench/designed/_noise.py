"""The posterior of space groups under noise: what nobody can do better than, who is told less.

The oracle sees an unscaled pattern with noise on it. It is told the cell, the profile, the law of
the intensities and the law of the noise, and neither the class nor how the axes were relabelled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgbench.designed._dataset import Ulbd
from sgbench.designed._laws import UNIFORM
from sgbench.diffraction import metric
from sgbench.errors import SgbenchError
from sgbench.symmetry import relabellings


@dataclass(frozen=True)
class GaussianNoise:
    """Noise that is normal, independent from point to point, and the same at all points.

    Attributes
    ----------
    deviation : ndarray of float64, shape (n,)
        Standard deviation in each unscaled pattern.
    """

    deviation: NDArray[np.float64]


@dataclass(frozen=True)
class CountingNoise:
    """Points that are Poisson numbers, divided by the counts that a height of 1 expects.

    Attributes
    ----------
    per_unit : ndarray of float64, shape (n,)
        Counts that are expected at a point of height 1 of each unscaled pattern.
    """

    per_unit: NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """Chances of space groups, given patterns.

    Attributes
    ----------
    probabilities : ndarray of float64, shape (n, n_spacegroups)
        Rows add up to 1; even over the groups of an extinction class.
    error : ndarray of float64, shape (n, n_spacegroups)
        Standard error of each, from the random numbers that integrals were computed with; 0 where
        there are none.
    """

    probabilities: NDArray[np.float64]
    error: NDArray[np.float64]


def noise_posterior(
    dataset: Ulbd,
    cells: NDArray[np.float64],
    patterns: NDArray[np.floating],
    noise: GaussianNoise | CountingNoise,
) -> Posterior:
    """Return Bayes' rule for designed patterns with noise, given their cells.

    Of a class and a relabelling, an unscaled pattern is the sum of its lines: Lorentz factor,
    times an intensity that is uniform on (0, 1], times the profile. The chance of the noisy pattern
    is an integral over the intensities of the lines present. Lines that do not overlap have
    integrals of their own, in closed form; those of overlapping lines are estimated with the error
    stated (`sgbench.designed._chain`).

    Parameters
    ----------
    dataset : Ulbd
        Of the uniform law, and with the same cells for all space groups.
    cells : ndarray, shape (n, p)
        Free parameters in ångström.
    patterns : ndarray, shape (n, n_points)
        Unscaled: a line without noise is as high as its intensity times its Lorentz factor.
    noise : GaussianNoise or CountingNoise

    Raises
    ------
    SgbenchError
        If intensities follow another law, or cells tell space groups apart.
    """
    if dataset.law != UNIFORM or dataset.ranges:
        raise SgbenchError(
            f"the posterior under noise is not known for {dataset.name}; expected a designed set "
            "with uniform intensities and the same cells for all space groups. Name one."
        )
    # Compiled code takes half a second to import, and listings need none.
    from sgbench.designed._evidence import posteriors

    protocol, table = dataset.protocol, dataset.table
    groups = np.bincount(dataset.labels).astype(np.float64)
    n_relabellings = len(relabellings(dataset.family))
    prior = np.repeat(groups / groups.sum() / n_relabellings, n_relabellings)
    counting = isinstance(noise, CountingNoise)
    level = noise.per_unit if isinstance(noise, CountingNoise) else noise.deviation
    chances, variances = posteriors(
        np.ascontiguousarray(patterns, dtype=np.float32),
        np.ascontiguousarray(level, dtype=np.float64), counting,
        np.ascontiguousarray(metric(dataset.family, cells)),
        table.coefficients.astype(np.float64), table.present,
        np.log(prior), n_relabellings, protocol.wavelength, *protocol.q_range,
        protocol.two_theta_min, protocol.step, protocol.sigma,
    )  # fmt: skip
    members = groups[dataset.labels]
    return Posterior(
        chances[:, dataset.labels] / members, np.sqrt(variances)[:, dataset.labels] / members
    )
