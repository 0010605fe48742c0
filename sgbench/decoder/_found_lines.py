"""Lines of a measured pattern: where they are, how sure that is, how high and how wide they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FoundLines:
    """Lines of one pattern, ascending in two_theta.

    Attributes
    ----------
    two_theta : ndarray of float64, shape (n,)
        Positions of K-alpha-1, or of the only wavelength, in degrees.
    uncertainty : ndarray of float64, shape (n,)
        Standard uncertainty of the position in degrees.
    height : ndarray of float64, shape (n,)
        Above the background, in units of the pattern.
    fwhm : ndarray of float64, shape (n,)
        Full width at half maximum in degrees.
    """

    two_theta: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    height: NDArray[np.float64]
    fwhm: NDArray[np.float64]


def find_lines(
    two_theta: NDArray[np.float64],
    intensity: NDArray[np.float64],
    sigma: NDArray[np.float64] | None,
    wavelength: float,
    second: float | None = None,
    ratio: float | None = None,
) -> FoundLines:
    """Find the lines of a pattern.

    Parameters
    ----------
    two_theta : ndarray of float, shape (n,)
        Ascending, in degrees; steps may differ.
    intensity : ndarray of float, shape (n,)
    sigma : ndarray of float, shape (n,), or None
        Standard uncertainty of each intensity; estimated where there is none.
    wavelength : float
        In ångström; that of K-alpha-1 where there are two.
    second : float, optional
        Wavelength of K-alpha-2 in ångström.
    ratio : float, optional
        Intensity of K-alpha-2 as a share of that of K-alpha-1.
    """
    raise NotImplementedError
