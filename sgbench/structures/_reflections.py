"""From a structure to its reflections: where they are and how strong.

Only the asymmetric unit of reciprocal space is computed, and of the atoms of a cell those that
neither lattice centring nor inversion gives from others.

Form factors are the analytical ones of neutral atoms of International Tables C (1992), four
Gaussians and a constant, without anomalous dispersion; atoms are at rest (all displacement
parameters zero), so that sources which state displacements and sources which do not are treated
alike.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import gemmi
import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import PatternProtocol
from sgbench.structures import _kernels as kernels
from sgbench.structures._cleaning import SYMPREC, Structure
from sgbench.structures._filled_cell import lattice_vectors


@dataclass(frozen=True)
class _Group:
    """Operators of a space group; shifts in fractions ``1/gemmi.Op.DEN`` of a cell edge.

    Attributes
    ----------
    rotations : ndarray of int64, shape (n_operators, 3, 3)
    shifts : ndarray of int64, shape (n_operators, 3)
    kind : ndarray of int64, shape (n_operators,)
        Which of the different rotations each has.
    point : ndarray of int64, shape (p, 3, 3)
        The different rotations.
    point_shifts : ndarray of int64, shape (p, 3)
        The shift of one operator with each of them.
    centrings : ndarray of int64, shape (n, 3)
        Shifts of pure translations, that by nothing among them.
    product : ndarray of int64, shape (p, p)
        Which rotation the product of two is.
    inverse : ndarray of int64, shape (p,)
        Which rotation the negative of one is; -1 if there is no inversion.
    centre : ndarray of float64, shape (3,)
        An inversion centre in fractional coordinates, or the origin.
    """

    rotations: NDArray[np.int64]
    shifts: NDArray[np.int64]
    kind: NDArray[np.int64]
    point: NDArray[np.int64]
    point_shifts: NDArray[np.int64]
    centrings: NDArray[np.int64]
    product: NDArray[np.int64]
    inverse: NDArray[np.int64]
    centre: NDArray[np.float64]


@lru_cache(maxsize=1024)
def _group(operators: tuple[str, ...]) -> _Group:
    ops = [gemmi.Op(operator) for operator in operators]
    rotations = np.array([op.rot for op in ops], dtype=np.int64) // gemmi.Op.DEN
    shifts = np.array([op.tran for op in ops], dtype=np.int64)
    point, first, kind = np.unique(rotations, axis=0, return_index=True, return_inverse=True)
    number = {rotation.tobytes(): i for i, rotation in enumerate(point)}
    inverse = np.array([number.get((-rotation).tobytes(), -1) for rotation in point])
    inversion = number.get((-np.eye(3, dtype=np.int64)).tobytes())
    return _Group(
        rotations=rotations,
        shifts=shifts,
        kind=kind.ravel(),
        point=point,
        point_shifts=shifts[first],
        centrings=shifts[(rotations == np.eye(3)).all(axis=(1, 2))],
        product=np.array([[number[(one @ other).tobytes()] for other in point] for one in point]),
        inverse=inverse,
        centre=(np.zeros(3) if inversion is None else shifts[first[inversion]] / 2) / gemmi.Op.DEN,
    )


@cache
def _form_factor(element: str) -> tuple[float, ...]:
    """Return heights and widths of four Gaussians, and the constant.

    Rounded to single precision, as cctbx has them, so that lines are those of its datasets.

    Raises
    ------
    ValueError
        If the element is unknown, or the tables have no form factor of it.
    """
    known = gemmi.Element(element)
    if known.name != element or known.it92 is None:
        raise ValueError(f"no form factor of {element}")
    form = known.it92
    return tuple(np.array([*form.a, *form.b, form.c], dtype=np.float32).tolist())


def reflections(
    structure: Structure, protocol: PatternProtocol
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 1/d^2 and |F|^2 (electrons squared) of the reflections that touch the window.

    Without an index limit these are the symmetry-unique reflections, complete, with their
    multiplicity (Friedel mates included) as a factor of |F|^2; systematically absent ones are not
    among them. With a limit they are all reflections in the box |h|, |k|, |l| <= limit, in
    ascending order of h, then k, then l, absent ones included.

    Parameters
    ----------
    structure : Structure
    protocol : PatternProtocol

    Returns
    -------
    q, power : ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        If the positions do not make up the number of atoms of the structure, or an element has no
        form factor.
    """
    group = _group(structure.operators)
    direct, reciprocal = kernels.metrics(lattice_vectors(np.array(structure.cell)), group.point)
    lowest, highest = protocol.q_range
    if protocol.hkl_limit is None:
        limits = np.sqrt(np.diag(direct) * highest).astype(np.int64)
        hkl, q, multiplicity = kernels.asymmetric_unit(
            reciprocal, limits, lowest, highest, group.point, group.point_shifts, group.centrings
        )
        return q, _powers(structure, group, direct, hkl, q) * multiplicity
    box = _box(structure.operators, protocol.hkl_limit)
    q = kernels.spacings(reciprocal, box.hkl)
    inside = (q >= lowest) & (q <= highest)
    shown = inside & box.present
    power = np.zeros(len(q))
    power[shown] = _powers(structure, group, direct, box.hkl[shown], q[shown])
    of_all = box.unique[inside[box.unique]]
    return q[of_all], power[of_all]


def _powers(
    structure: Structure,
    group: _Group,
    metric: NDArray[np.float64],
    hkl: NDArray[np.int64],
    q: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return |F|^2 of present reflections.

    Raises
    ------
    ValueError
        As `reflections` does.
    """
    sites = {position: i for i, position in enumerate(dict.fromkeys(structure.positions))}
    elements = {element: i for i, element in enumerate(dict.fromkeys(structure.elements))}
    coefficients = np.array([_form_factor(element) for element in elements])
    stays, exact = kernels.stabilisers(
        np.array(list(sites)), metric, group.rotations, group.shifts,
        group.kind, len(group.point), SYMPREC,
    )  # fmt: skip
    n_atoms = int((len(group.rotations) // stays.sum(axis=1)).sum())
    if n_atoms != structure.n_atoms:
        raise ValueError(f"sites coincide: {n_atoms} atoms instead of {structure.n_atoms}")
    site = np.array([sites[position] for position in structure.positions])
    order = np.argsort(site, kind="stable")
    power = kernels.squared_structure_factors(
        hkl,
        kernels.form_factors(q, coefficients),
        exact,
        stays,
        site[order],
        np.array([elements[element] for element in structure.elements])[order],
        np.array(structure.occupancies)[order],
        group.point, group.point_shifts, group.product, group.inverse, group.centre,
    )  # fmt: skip
    return np.asarray(power * len(group.centrings) ** 2)


@dataclass(frozen=True)
class _Box:
    """Reflections of a box of indices, which depend on the group only.

    Attributes
    ----------
    hkl : ndarray of int64, shape (n, 3)
        One of each set of equivalent reflections.
    present : ndarray of bool, shape (n,)
    unique : ndarray of int64, shape (n_box,)
        Which of them each reflection of the box is equivalent to, by h, then k, then l.
    """

    hkl: NDArray[np.int64]
    present: NDArray[np.bool_]
    unique: NDArray[np.int64]


@lru_cache(maxsize=256)
def _box(operators: tuple[str, ...], limit: int) -> _Box:
    group = _group(operators)
    indices = np.arange(-limit, limit + 1)
    box = np.stack(np.meshgrid(indices, indices, indices, indexing="ij"), axis=-1).reshape(-1, 3)
    box = box[box.any(axis=1)]
    greatest = np.zeros(len(box), dtype=np.int64)
    width = 8 * limit  # beyond which no index of an equivalent reflection is
    for rotation in np.concatenate([group.point, -group.point]):
        greatest = np.maximum(greatest, box @ rotation @ (width**2, width, 1))
    packed, unique = np.unique(greatest, return_inverse=True)
    hkl = np.empty((len(packed), 3), dtype=np.int64)
    for axis in (2, 1, 0):  # digits may be negative
        hkl[:, axis] = (packed + width // 2) % width - width // 2
        packed = (packed - hkl[:, axis]) // width
    allowed = kernels.present(hkl, group.point, group.point_shifts, group.centrings)
    return _Box(hkl, allowed, unique)
