"""From the structure factors of reflections to lines."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.diffraction._lines import lorentz_factor, two_theta_of
from sgbench.diffraction._protocol import PatternProtocol

#: Reflections whose 1/d^2 agree to this relative difference are one line.
SAME_LINE = 1e-7

#: Decimals of two_theta (degrees) to which the published code tells lines apart.
PUBLISHED_DECIMALS = 6

# Reflections that a structure happens to extinguish (diamond's 222) come out of floating point at
# some 1e-30 of the strongest; what survives this cut is signal, not rounding that differs between
# machines.
_FAINTEST = 1e-12


def lines_of_reflections(
    q: ArrayLike, power: ArrayLike, protocol: PatternProtocol
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Merge reflections of equal spacing into lines and apply the Lorentz factor.

    Parameters
    ----------
    q : array_like, shape (n,)
        1/d^2 of reflections in 1/ångström^2.
    power : array_like, shape (n,)
        Squared structure factor, times the multiplicity where equivalent reflections are not
        listed themselves.
    protocol : PatternProtocol
        Its ``overlap`` says whether reflections of a line add up or the first one stands for all;
        then their order matters.

    Returns
    -------
    two_theta : ndarray of float64, shape (n_lines,)
        Degrees, ascending.
    intensity : ndarray of float32, shape (n_lines,)
    """
    q_values, powers = np.asarray(q, dtype=np.float64), np.asarray(power, dtype=np.float64)
    if not len(q_values):
        return np.empty(0), np.empty(0, np.float32)
    if protocol.overlap == "first":
        angle = np.round(two_theta_of(q_values, protocol.wavelength), PUBLISHED_DECIMALS)
        two_theta, first = np.unique(angle, return_index=True)
        line_power = powers[first]
    else:
        order = np.argsort(q_values, kind="stable")
        q_values, powers = q_values[order], powers[order]
        apart = q_values[1:] - q_values[:-1] > SAME_LINE * q_values[1:]
        first = np.concatenate([[0], np.flatnonzero(apart) + 1])
        line_power = np.add.reduceat(powers, first)
        two_theta = two_theta_of(q_values[first], protocol.wavelength)
    shown = line_power > _FAINTEST * line_power.max()
    intensity = line_power * lorentz_factor(two_theta)
    return two_theta[shown], intensity[shown].astype(np.float32)
