"""Cells: the free parameters of each family, and the metric that line positions follow from."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.errors import SgbenchError

#: Free cell parameters of the families that the mesh-based datasets cover.
FREE_PARAMETERS: dict[str, tuple[str, ...]] = {
    "cubic": ("a",),
    "tetragonal": ("a", "c"),
    "trigonal-hexagonal": ("a", "c"),
}

# 1/d^2 = sum over the six products (hh, kk, ll, 2kl, 2hl, 2hk) of g*_ij; a family's symmetry adds
# some of these together. Columns follow `metric`.
_REDUCTION = {
    "cubic": ((1,), (1,), (1,), (0,), (0,), (0,)),
    "tetragonal": ((1, 0), (1, 0), (0, 1), (0, 0), (0, 0), (0, 0)),
    # 2 hk cos(60 degrees) = hk, hence the half
    "trigonal-hexagonal": ((1, 0), (1, 0), (0, 1), (0, 0), (0, 0), (0.5, 0)),
}

# What the family demands of (a, b, c, alpha, beta, gamma): lengths equal to a, and the angles.
_EQUAL_TO_A = {"cubic": (1, 2), "tetragonal": (1,), "trigonal-hexagonal": (1,)}
_ANGLES = {"cubic": (90, 90, 90), "tetragonal": (90, 90, 90), "trigonal-hexagonal": (90, 90, 120)}


def coefficients(family: str, hkl: ArrayLike) -> NDArray[np.int64]:
    """Return the integers whose product with `metric` is 1/d^2.

    Parameters
    ----------
    family : str
    hkl : array_like of int, shape (n, 3)

    Returns
    -------
    ndarray of int, shape (n, p)
        E.g. h^2 + hk + k^2 and l^2 for hexagonal axes. Reflections share a line for every cell of
        the family exactly when their rows are equal.
    """
    h, k, low = np.asarray(hkl, dtype=np.int64).T
    products = np.stack([h * h, k * k, low * low, 2 * k * low, 2 * h * low, 2 * h * k], axis=1)
    reduced = products @ np.array(_REDUCTION[_check(family)])
    return np.asarray(np.rint(reduced), dtype=np.int64)


def metric(family: str, cells: ArrayLike) -> NDArray[np.float64]:
    """Return the reciprocal metric of cells.

    Parameters
    ----------
    family : str
    cells : array_like, shape (n, p)
        Free parameters in ångström, in the order of `FREE_PARAMETERS`.

    Returns
    -------
    ndarray, shape (n, p)
        1/ångström^2; 1/d^2 = coefficients . metric (paper, Eq. 1).
    """
    _check(family)
    inverse_squares = 1.0 / np.square(np.asarray(cells, dtype=np.float64))
    if family == "trigonal-hexagonal":
        inverse_squares = inverse_squares * (4.0 / 3.0, 1.0)
    return inverse_squares


def full_cell(family: str, free: ArrayLike) -> NDArray[np.float64]:
    """Return a, b, c (ångström), alpha, beta, gamma (degrees), shape (6,), from free parameters."""
    values = np.asarray(free, dtype=np.float64)
    a, c = float(values[0]), float(values[-1])
    return np.array([a, a, c, *_ANGLES[_check(family)]], dtype=np.float64)


def free_parameters(family: str, cell: ArrayLike, tolerance: float = 1e-3) -> NDArray[np.float64]:
    """Return the free parameters of a cell, after checking the family's constraints.

    Parameters
    ----------
    family : str
    cell : array_like, shape (6,) or (p,)
        a, b, c in ångström and alpha, beta, gamma in degrees, or only the free parameters.
    tolerance : float
        Relative deviation of lengths, and degrees of angles, that passes as equal.

    Returns
    -------
    ndarray, shape (p,)

    Raises
    ------
    SgbenchError
        If the cell does not belong to the family.
    """
    names = FREE_PARAMETERS[_check(family)]
    values = np.asarray(cell, dtype=np.float64).ravel()
    if len(values) not in (6, len(names)):
        raise SgbenchError(
            f"a {family} cell has 6 parameters or the free ones ({', '.join(names)}); got "
            f"{len(values)} numbers. Give either form."
        )
    if not np.all(np.isfinite(values)) or np.any(values <= 0):
        raise SgbenchError(
            f"the cell {_text(values)} has a parameter that is not a positive number. "
            "Give lengths in ångström and angles in degrees."
        )
    if len(values) == len(names):
        return values
    equal = all(abs(values[i] / values[0] - 1) <= tolerance for i in _EQUAL_TO_A[family])
    right = np.all(np.abs(values[3:] - _ANGLES[family]) <= tolerance)
    if not (equal and right):
        lengths = "a = b = c" if family == "cubic" else "a = b"
        angles = ", ".join(str(angle) for angle in _ANGLES[family])
        raise SgbenchError(
            f"the cell {_text(values)} breaks the constraints of the {family} family; expected "
            f"{lengths} and angles {angles}. Mend the cell or name another family."
        )
    return values[[0]] if family == "cubic" else values[[0, 2]]


def _text(values: NDArray[np.float64]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _check(family: str) -> str:
    if family not in FREE_PARAMETERS:
        raise SgbenchError(
            f"no cells are defined for the family '{family}'; expected one of "
            f"{', '.join(FREE_PARAMETERS)}. Choose one of these."
        )
    return family
