"""Lattices beyond their basis: reduced cells, two-fold axes, cells of higher symmetry, settings."""

from itertools import combinations, permutations

import gemmi
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Integers = NDArray[np.int64]

#: Letters of centrings, by their number in the search.
CENTRINGS = "PABCIFR"
# Squares of edges are nearly equal up to this ratio.
_EQUAL = 1.03


def tensor_of(metric: Floats) -> Floats:
    """Return the symmetric matrix of a form, whose last three coefficients are those of kl, hl, hk.

    Parameters
    ----------
    metric : ndarray, shape (6,)
    """
    a, b, c, d, e, f = metric
    return np.array([[a, f / 2, e / 2], [f / 2, b, d / 2], [e / 2, d / 2, c]])


def form_of(tensor: Floats) -> Floats:
    """Return the six coefficients of a symmetric matrix; the reverse of `tensor_of`."""
    return np.array(
        [*np.diag(tensor), 2 * tensor[1, 2], 2 * tensor[0, 2], 2 * tensor[0, 1]], dtype=np.float64
    )


def cell_of(metric: Floats) -> Floats:
    """Return a, b, c, alpha, beta, gamma of a reciprocal metric."""
    return cell_of_tensor(np.linalg.inv(tensor_of(metric)))


def cell_of_tensor(tensor: Floats) -> Floats:
    """Return a, b, c, alpha, beta, gamma of the products of the edges."""
    edges = np.sqrt(np.diag(tensor))
    cosines = np.array([tensor[i, j] / (edges[i] * edges[j]) for i, j in ((1, 2), (0, 2), (0, 1))])
    return np.concatenate([edges, np.degrees(np.arccos(np.clip(cosines, -1, 1)))])


def metric_of_cell(cell: Floats) -> Floats:
    """Return the reciprocal metric of a, b, c, alpha, beta, gamma; the reverse of `cell_of`."""
    return form_of(np.linalg.inv(_tensor_of_cell(gemmi.UnitCell(*cell))))


def primitive(metric: Floats, centring: int) -> Floats:
    """Return the reduced cell (Niggli) of a lattice, shape (6,)."""
    vector = gemmi.GruberVector(gemmi.UnitCell(*cell_of(metric)), CENTRINGS[centring])
    vector.niggli_reduce()
    return np.array(vector.cell_parameters())


def volume(metric: Floats) -> float:
    """Return the volume of the cell in cubic ångström."""
    return float(1 / np.sqrt(np.linalg.det(tensor_of(metric))))


def symmetric_cells(metric: Floats, most_off: float) -> list[tuple[str, Floats]]:
    """Return metrics of cells of higher symmetry that a lattice nearly has.

    They are found by two-fold axes: directions of the lattice that are nearly perpendicular to a
    plane of it (Le Page 1982, J. Appl. Cryst. 15, 255).

    Parameters
    ----------
    metric : ndarray, shape (6,)
        Reciprocal, of a primitive cell.
    most_off : float
        Degrees between direction and normal.

    Returns
    -------
    list of (family, metric)
        Monoclinic cells, one an axis, orthorhombic ones, one for three perpendicular axes, and
        those of higher families whose edges are nearly as these need. The former keep what is off.
    """
    cell = gemmi.UnitCell(*cell_of(metric))
    vector = gemmi.GruberVector(cell, "P")
    vector.niggli_reduce()
    reduced = gemmi.UnitCell(*vector.cell_parameters())
    tensor = np.array(_tensor_of_cell(reduced))
    axes = []
    for operation, _ in gemmi.find_lattice_2fold_ops(reduced, most_off):
        rotation = np.array(operation.rot) // operation.DEN
        turned = [rotation.T @ tensor @ rotation, rotation @ tensor @ rotation.T]
        if np.abs(turned[1] - tensor).max() < np.abs(turned[0] - tensor).max():
            rotation = rotation.T
        axes.append(_axis(rotation))
    found = []
    for axis in axes:
        # Vectors of the lattice that are perpendicular to the axis.
        plane = _plane(axis, tensor)
        if plane is not None:
            basis = np.stack([plane[0], axis, plane[1]])
            found.append(("monoclinic", _reciprocal(basis, tensor)))
    for three in combinations(axes, 3):
        cosines = [
            abs(x @ tensor @ y) / np.sqrt((x @ tensor @ x) * (y @ tensor @ y))
            for x, y in combinations(three, 2)
        ]
        if max(cosines) < np.sin(np.radians(2 * most_off)):
            box = _reciprocal(np.stack(three), tensor)
            found.append(("orthorhombic", box))
            found += _higher(box)
    return found


def _higher(box: Floats) -> list[tuple[str, Floats]]:
    """Return metrics of higher symmetry that an orthorhombic one nearly has."""
    found = []
    for i, j, k in ((0, 1, 2), (1, 2, 0), (0, 2, 1)):
        ratio = max(box[i], box[j]) / min(box[i], box[j])
        mean = np.sqrt(box[i] * box[j])
        if ratio < _EQUAL:
            found.append(("tetragonal", np.array([mean, mean, box[k], 0, 0, 0])))
            if 1 / _EQUAL < box[k] / mean < _EQUAL:
                found.append(("cubic", np.array([mean, mean, mean, 0, 0, 0])))
        if 3 / _EQUAL < ratio < 3 * _EQUAL:
            # The orthohexagonal cell: its shorter edge is that of the hexagonal one.
            mean *= 4 / np.sqrt(3)
            found.append(("trigonal-hexagonal", np.array([mean, mean, box[k], 0, 0, mean])))
    return found


def _tensor_of_cell(cell: gemmi.UnitCell) -> Floats:
    edges = np.array([cell.a, cell.b, cell.c])
    cosines = np.cos(np.radians([cell.alpha, cell.beta, cell.gamma]))
    form = np.eye(3)
    for (i, j), cosine in zip(((1, 2), (0, 2), (0, 1)), cosines, strict=True):
        form[i, j] = form[j, i] = cosine
    return np.asarray(form * edges[:, None] * edges)


def _axis(rotation: Integers) -> Integers:
    """Return the shortest vector that a two-fold rotation leaves as it is."""
    columns = (rotation + np.eye(3, dtype=np.int64)).T
    column = columns[np.argmax(np.abs(columns).sum(axis=1))]
    return np.asarray(column // np.gcd.reduce(column))


def _plane(axis: Integers, tensor: Floats) -> tuple[Integers, Integers] | None:
    """Return the two shortest vectors that are perpendicular to a direction, within a little."""
    index = np.arange(-4, 5)
    vectors = np.stack(np.meshgrid(index, index, index), axis=-1).reshape(-1, 3)
    vectors = vectors[np.any(vectors != 0, axis=1)]
    lengths = np.sqrt(np.einsum("ni,ij,nj->n", vectors, tensor, vectors))
    cosine = np.abs(vectors @ tensor @ axis) / lengths / np.sqrt(axis @ tensor @ axis)
    flat = vectors[cosine < np.sin(np.radians(3.0))]
    flat = flat[np.argsort(np.einsum("ni,ij,nj->n", flat, tensor, flat), kind="stable")]
    for other in flat[1:]:
        if np.any(np.cross(flat[0], other)):
            return flat[0], other
    return None


def _reciprocal(basis: Integers, tensor: Floats) -> Floats:
    return form_of(np.linalg.inv(basis @ tensor @ basis.T))


def conventional(family: str, metric: Floats) -> Floats:
    """Return the cell in the family's setting: a, b, c, alpha, beta, gamma.

    Orthorhombic: a <= b <= c. Monoclinic: a <= c are the two shortest vectors of their plane, and
    beta is not acute. Triclinic: reduced (Niggli).
    """
    if family == "triclinic":
        return primitive(metric, 0)
    tensor = np.linalg.inv(tensor_of(metric))
    if family == "orthorhombic":
        basis = np.eye(3, dtype=np.int64)[np.argsort(np.diag(tensor), kind="stable")]
    elif family == "monoclinic":
        basis = _reduced_plane_basis(tensor)
    else:
        return cell_of_tensor(tensor)
    return cell_of_tensor(basis @ tensor @ basis.T)


def _reduced_plane_basis(tensor: Floats) -> Integers:
    """Return rows of the basis a, b, c whose a and c are reduced and enclose no acute angle."""
    basis = np.eye(3, dtype=np.int64)
    while True:
        form = basis @ tensor @ basis.T
        if form[0, 0] > form[2, 2]:
            basis = basis[[2, 1, 0]]
            continue
        times = round(form[0, 2] / form[0, 0])
        if times == 0:
            break
        basis[2] -= times * basis[0]
    if form[0, 2] > 0:
        basis[2] *= -1
    return basis


def neighbours(family: int, metric: Floats) -> list[Floats]:
    """Return metrics with axes twice, half and a third as long, one or more at a time."""
    found = []
    groups: tuple[tuple[int, ...], ...]
    groups = ((0, 1, 2),) if family == 0 else ((0, 1), (2,)) if family <= 2 else ((0,), (1,), (2,))
    for count in range(1, min(len(groups), 2) + 1):
        for chosen in combinations(groups, count):
            axes = [axis for group in chosen for axis in group]
            # Of 1/d, so 2 is for half an axis.
            for factor in (0.5, 2.0, 3.0):
                scale = np.ones(3)
                scale[axes] = factor
                tensor = tensor_of(metric) * scale[:, None] * scale
                found.append(form_of(tensor))
    if family == 1:
        # The cell over the diagonal, and that of which this one is the diagonal.
        found += [metric * np.array([x, x, 1, 1, 1, 1]) for x in (0.5, 2.0)]
    if family == 2:
        found += [metric * np.array([x, x, 1, 1, 1, x]) for x in (1 / 3, 3.0)]
    if family == 4:
        for i, j in permutations((0, 2)):
            basis = np.eye(3)
            basis[i, j] = 1.0
            centred = basis.copy()
            centred[j, i] = -1.0
            for one in (centred, np.linalg.inv(centred).T):
                found.append(form_of(one @ tensor_of(metric) @ one.T))
    return found


def lower(family: int, metric: Floats) -> list[tuple[int, Floats]]:
    """Return the same lattice as cells of families of lower symmetry: (family, metric)."""
    if family == 0:
        return [(1, metric), (2, _of_cubic(metric))]
    if family == 1:
        return [(3, metric), (3, metric * np.array([0.5, 0.5, 1, 1, 1, 1]))]
    if family == 2:
        # The orthohexagonal cell, and the rhombohedral lattice along a two-fold axis.
        basis = np.array([[1.0, 0, 0], [1, 2, 0], [0, 0, 1]])
        tensor = np.linalg.inv(tensor_of(metric))
        return [(3, form_of(np.linalg.inv(basis @ tensor @ basis.T)))]
    if family == 3:
        # Any of the axes may be the unique one.
        return [(4, metric[[*order, 3, 4, 5]]) for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2))]
    return []


def _of_cubic(metric: Floats) -> Floats:
    """Return the cell on hexagonal axes along a cubic diagonal."""
    basis = np.array([[1.0, -1, 0], [0, 1, -1], [1, 1, 1]])
    tensor = np.linalg.inv(tensor_of(metric))
    return form_of(np.linalg.inv(basis @ tensor @ basis.T))
