"""Cells: the free parameters of each family, and the metric that line positions follow from."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.errors import SgbenchError

# What the family demands of (a, b, c, alpha, beta, gamma): a name is a free parameter, a number a
# fixed angle in degrees.
_CELL: dict[str, tuple[str | int, ...]] = {
    "cubic": ("a", "a", "a", 90, 90, 90),
    "tetragonal": ("a", "a", "c", 90, 90, 90),
    "trigonal-hexagonal": ("a", "a", "c", 90, 90, 120),
    "orthorhombic": ("a", "b", "c", 90, 90, 90),
    "monoclinic": ("a", "b", "c", 90, "beta", 90),
    "triclinic": ("a", "b", "c", "alpha", "beta", "gamma"),
}

#: Free cell parameters of each family: edges in ångström, then angles in degrees.
FREE_PARAMETERS: dict[str, tuple[str, ...]] = {
    family: tuple(dict.fromkeys(entry for entry in cell if isinstance(entry, str)))
    for family, cell in _CELL.items()
}

# Cells whose angles are this close (degrees) to those of three vectors in a plane are none.
_FLAT = 1e-3

# 1/d^2 = sum over the six products (hh, kk, ll, 2kl, 2hl, 2hk) of g*_ij; a family's symmetry adds
# some of these together. Columns follow `metric`.
_REDUCTION = {
    "cubic": ((1,), (1,), (1,), (0,), (0,), (0,)),
    "tetragonal": ((1, 0), (1, 0), (0, 1), (0, 0), (0, 0), (0, 0)),
    # 2 hk cos(60 degrees) = hk, hence the half
    "trigonal-hexagonal": ((1, 0), (1, 0), (0, 1), (0, 0), (0, 0), (0.5, 0)),
    "orthorhombic": tuple(map(tuple, np.eye(6, 3, dtype=int).tolist())),
    "monoclinic": tuple(map(tuple, np.eye(6, dtype=int)[:, [0, 1, 2, 4]].tolist())),
    "triclinic": tuple(map(tuple, np.eye(6, dtype=int).tolist())),
}


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
        Free parameters, in the order and the units of `FREE_PARAMETERS`.

    Returns
    -------
    ndarray, shape (n, p)
        1/ångström^2; 1/d^2 = coefficients . metric (paper, Eq. 1).
    """
    _check(family)
    values = np.asarray(cells, dtype=np.float64)
    inverse_squares = 1.0 / np.square(values[:, :3])
    if family == "trigonal-hexagonal":
        return np.asarray(inverse_squares * (4.0 / 3.0, 1.0), dtype=np.float64)
    if family == "monoclinic":
        cosine = np.cos(np.radians(values[:, 3:]))
        sine_squared = 1 - cosine**2
        inverse_squares[:, [0, 2]] /= sine_squared
        cross = -cosine / (values[:, [0]] * values[:, [2]] * sine_squared)
        return np.concatenate([inverse_squares, cross], axis=1)
    if family == "triclinic":
        inverse = np.asarray(np.linalg.inv(_metric_tensor(values)), dtype=np.float64)
        inverse_squares = inverse[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    return np.asarray(inverse_squares, dtype=np.float64)


def _metric_tensor(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the products of the basis vectors, shape (n, 3, 3), of cells of six parameters."""
    cosines = np.ones((len(cells), 3, 3))
    for (i, j), angle in zip(((1, 2), (0, 2), (0, 1)), cells[:, 3:].T, strict=True):
        cosines[:, i, j] = cosines[:, j, i] = np.cos(np.radians(angle))
    return np.asarray(cosines * cells[:, :3, None] * cells[:, None, :3])


def full_cell(family: str, free: ArrayLike) -> NDArray[np.float64]:
    """Return a, b, c (ångström), alpha, beta, gamma (degrees), shape (…, 6).

    Parameters
    ----------
    family : str
    free : array_like, shape (…, p)
        Free parameters.
    """
    values = np.asarray(free, dtype=np.float64)
    named = dict(zip(FREE_PARAMETERS[_check(family)], np.moveaxis(values, -1, 0), strict=True))
    columns = [named[entry] if isinstance(entry, str) else entry for entry in _CELL[family]]
    return np.stack([np.broadcast_to(column, values.shape[:-1]) for column in columns], axis=-1)


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
        If there can be no such cell, or it does not belong to the family.
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
    cell_of_family = _CELL[family]
    if len(values) == len(names):
        _check_possible(full_cell(family, values))
        return values
    _check_possible(values)
    free = values[[cell_of_family.index(name) for name in names]]
    wanted = full_cell(family, free)
    deviation = np.abs(values - wanted)
    deviation[:3] /= wanted[:3]
    if np.any(deviation > tolerance):
        raise SgbenchError(
            f"the cell {_text(values)} breaks the constraints of the {family} family; expected "
            f"{_constraints(cell_of_family)}. Mend the cell or name another family."
        )
    return free


def hexagonal_axes(edge: float, angle: float) -> NDArray[np.float64]:
    """Return a and c (ångström) of the hexagonal cell of a rhombohedral one.

    Parameters
    ----------
    edge : float
        Of the rhombohedral cell, in ångström.
    angle : float
        Between any two edges, in degrees, below 120.

    Returns
    -------
    ndarray, shape (2,)
    """
    cosine = np.cos(np.radians(angle))
    return np.asarray(edge * np.sqrt([2 - 2 * cosine, 3 + 6 * cosine]))


def _check_possible(cell: NDArray[np.float64]) -> None:
    """Raise unless three vectors of these lengths have these angles between them."""
    angles = cell[3:]
    # The volume is a product of the sines of these: it vanishes with any of them.
    margins = np.append(angles.sum() / 2 - angles, 180 - angles.sum() / 2)
    if not np.all(margins > _FLAT):
        raise SgbenchError(
            f"no cell has the angles {_text(angles)}; expected each to be less than the sum of "
            "the two others, and all three to add up to less than 360 degrees. Mend the angles."
        )


def _constraints(cell: tuple[str | int, ...]) -> str:
    """Put into words what a family demands of a cell, e.g. ``a = b and angles 90, 90, 120``."""
    equal = " = ".join(name for name, entry in zip("abc", cell, strict=False) if entry == "a")
    angles = ", ".join("any" if isinstance(entry, str) else str(entry) for entry in cell[3:])
    return f"{equal} and angles {angles}" if len(equal) > 1 else f"angles {angles}"


def _text(values: NDArray[np.float64]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _check(family: str) -> str:
    if family not in FREE_PARAMETERS:
        raise SgbenchError(
            f"no cells are defined for the family '{family}'; expected one of "
            f"{', '.join(FREE_PARAMETERS)}. Choose one of these."
        )
    return family
