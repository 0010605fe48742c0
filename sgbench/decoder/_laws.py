"""What is known of intensities before a pattern is seen, as densities that integrals take.

Each law is exp(-curvature I^2 / 2 + slope I) above zero, with a scale for each line:

- ``wilson``: intensities of a structure are exponential (Wilson 1949, Acta Cryst. 2, 318,
  acentric), with a mean that grows with the multiplicity of the line and falls off as
  exp(-2 B s^2). Where a class forbids lines, the others share what is there, as in centred cells.
- ``uniform``: designed intensities are even up to a scale, whatever the line. Preferred orientation
  blurs the upper end, so a piece of a normal density stands for it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from sgbench.errors import SgbenchError

Law = Literal["wilson", "uniform"]
LAWS: tuple[Law, ...] = ("wilson", "uniform")

# The normal density that stands for a uniform one: its centre and width as shares of the upper end.
_CENTRE, _WIDTH = 0.3, 0.45
# Largest overall B in square ångström that intensities are taken to fall off with.
_LARGEST_B = 12.0


@dataclass(frozen=True, eq=False)
class LineLaw:
    """The density of each line's intensity for each of some settings, shape (n_settings, n)."""

    curvature: NDArray[np.float64]
    slope: NDArray[np.float64]
    log_norm: NDArray[np.float64]

    def put(self, other: "LineLaw", lines: NDArray[np.bool_]) -> None:
        """Write the laws of some lines, which do not depend on the setting, into all settings."""
        self.curvature[:, lines] = other.curvature[lines]
        self.slope[:, lines] = other.slope[lines]
        self.log_norm[:, lines] = other.log_norm[lines]


def check_law(law: str) -> Law:
    """Return the law of this name."""
    for known in LAWS:
        if law == known:
            return known
    raise SgbenchError(
        f"unknown law of intensities '{law}'; expected one of {', '.join(LAWS)}. Choose 'wilson' "
        "for what was measured and 'uniform' for designed patterns."
    )


def exponential(mean: NDArray[np.float64]) -> LineLaw:
    """Return exponential laws of these means."""
    return LineLaw(np.zeros_like(mean), -1.0 / mean, -np.log(mean))


def nearly_uniform(upper: NDArray[np.float64]) -> LineLaw:
    """Return laws that are nearly uniform between zero and these upper ends."""
    curvature = 1.0 / (_WIDTH * upper) ** 2
    slope = _CENTRE * upper * curvature
    log_area = 0.5 * np.log(2 * np.pi / curvature) + slope**2 / (2 * curvature)
    return LineLaw(curvature, slope, -log_area - log_ndtr(slope / np.sqrt(curvature)))


def uniform_scale(
    intensity: NDArray[np.float64], deviation: NDArray[np.float64], unit: NDArray[np.float64]
) -> float:
    """Estimate the upper end of uniform intensities, in units of each line, from those seen.

    Parameters
    ----------
    intensity, deviation : ndarray, shape (n,)
        And its standard deviation.
    unit : ndarray, shape (n,)
        What each line's intensity is a multiple of: its Lorentz factor.
    """
    seen = intensity > 4 * deviation
    if not seen.any():
        return max(float(np.max((intensity + deviation) / unit)), 1e-300)
    return max(2 * float(np.mean(intensity[seen] / unit[seen])), 1e-300)


def wilson_means(
    intensity: NDArray[np.float64],
    unit: NDArray[np.float64],
    s_squared: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the mean that Wilson's statistics give to each line, whether it is allowed or not.

    Parameters
    ----------
    intensity : ndarray, shape (n,)
        None below zero.
    unit : ndarray, shape (n,)
        Multiplicity and corrections, which the mean is proportional to.
    s_squared : ndarray, shape (n,)
        (sin theta / wavelength)^2 in 1/ångström^2.

    Returns
    -------
    ndarray of float64, shape (n,)
        unit . scale . exp(-2 B s^2), scale and B those of greatest likelihood for exponential
        intensities.
    """
    ratio = np.maximum(intensity, 0.0) / unit
    best, chosen = -np.inf, np.full(len(ratio), max(float(np.mean(ratio)), 1e-300))
    for b in np.linspace(0.0, _LARGEST_B, 25):
        fall = np.exp(-2 * b * s_squared)
        scale = max(float(np.mean(ratio / fall)), 1e-300)
        likelihood = -float(np.sum(np.log(scale * fall)))
        if likelihood > best:
            best, chosen = likelihood, scale * fall
    return np.asarray(unit * chosen)


def law_of_settings(
    law: Law,
    present: NDArray[np.bool_],
    intensity: NDArray[np.float64],
    means: NDArray[np.float64],
) -> LineLaw:
    """Return the law of each line under each setting.

    Parameters
    ----------
    law : {'wilson', 'uniform'}
    present : ndarray of bool, shape (n_settings, n)
    intensity : ndarray, shape (n,)
        None below zero.
    means : ndarray, shape (n,)
        Means of exponential intensities, or upper ends of uniform ones.
    """
    if law == "uniform":
        one = nearly_uniform(means)
        parts = (one.curvature, one.slope, one.log_norm)
        return LineLaw(*(np.broadcast_to(part, present.shape).copy() for part in parts))
    ratio = np.maximum(intensity, 0.0) / means
    count = np.maximum(present.sum(axis=1), 1)
    factor = np.maximum(present @ ratio / count, 1e-6)
    return exponential(factor[:, None] * means[None, :])
