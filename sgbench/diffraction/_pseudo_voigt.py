"""The pseudo-Voigt function: one width and one share for the two widths of a line."""

import math

import numpy as np
from numpy.typing import NDArray

#: Standard deviation of a Gaussian by its full width at half maximum.
SIGMA_OF_WIDTH = 1 / math.sqrt(8 * math.log(2))
#: Heights of a Gaussian and of a Lorentzian of unit area and unit full width at half maximum.
GAUSSIAN_HEIGHT = 2 * math.sqrt(math.log(2) / math.pi)
LORENTZIAN_HEIGHT = 2 / math.pi


def gaussian_area(sigma: float) -> float:
    """Return the area of a Gaussian of unit height."""
    return sigma * math.sqrt(2 * math.pi)


def pseudo_voigt(
    gaussian: NDArray[np.float32], lorentzian: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the width of a pseudo-Voigt function and the share of its Lorentzian part.

    Parameters
    ----------
    gaussian, lorentzian : ndarray, shape (n,)
        Full widths at half maximum of the two functions that are convolved, in degrees.

    Returns
    -------
    width : ndarray, shape (n,)
        Full width at half maximum in degrees; the Voigt function's within 0.1 %.
    eta : ndarray, shape (n,)
        Thompson, Cox & Hastings (1987), J. Appl. Cryst. 20, 79, as the width.
    """
    g, l = np.asarray(gaussian, np.float64), np.asarray(lorentzian, np.float64)  # noqa: E741
    fifth = (
        g**5 + 2.69269 * g**4 * l + 2.42843 * g**3 * l**2
        + 4.47163 * g**2 * l**3 + 0.07842 * g * l**4 + l**5
    )  # fmt: skip
    width = fifth**0.2
    share = l / width
    return width, share * (1.36603 + share * (-0.47719 + share * 0.11116))


def part_widths(
    width: NDArray[np.float64], eta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the widths of the Gaussian and the Lorentzian whose pseudo-Voigt function is this one.

    Undoes `pseudo_voigt`: Newton's method on its two polynomials.
    """
    eta = np.asarray(eta, np.float64)
    share = eta * 0.73
    for _ in range(6):
        value = share * (1.36603 + share * (-0.47719 + share * 0.11116)) - eta
        share = share - value / (1.36603 + share * (-0.95438 + share * 0.33348))
    share = np.clip(share, 0.0, 1.0)
    # With the Lorentzian's share known, the fifth powers are a polynomial in the Gaussian's.
    g = np.sqrt(1 - share)
    for _ in range(30):
        value = (
            g**5 + 2.69269 * g**4 * share + 2.42843 * g**3 * share**2
            + 4.47163 * g**2 * share**3 + 0.07842 * g * share**4 + share**5 - 1
        )  # fmt: skip
        slope = (
            5 * g**4 + 4 * 2.69269 * g**3 * share + 3 * 2.42843 * g**2 * share**2
            + 2 * 4.47163 * g * share**3 + 0.07842 * share**4
        )  # fmt: skip
        g = np.maximum(g - value / slope, 0.0)
    return g * width, share * width
