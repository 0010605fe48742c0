"""The atoms of a cell: what symmetry operators make of the sites of an asymmetric unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np
from numpy.typing import NDArray

from sgbench.structures.sources import UNREADABLE, Exclusion

#: Images of one site that lie closer than this (ångström) are the same atom on a special position,
#: which published coordinates such as 0.333 miss.
SPECIAL_POSITION_TOLERANCE = 0.1

#: The same for sites that are at most half occupied. They can be atoms that are split on purpose
#: between positions next to a special one; rounding seldom misses it by as much.
SPLIT_SITE_TOLERANCE = 0.03

#: Published occupancies of one position add up to 1 within this.
OCCUPANCY_TOLERANCE = 0.02


@dataclass(frozen=True)
class FilledCell:
    """All occupied positions of a cell.

    Attributes
    ----------
    positions : ndarray of float64, shape (n_atoms, 3)
        Fractional coordinates in [0, 1).
    site : ndarray of int64, shape (n_atoms,)
        Site of the asymmetric unit that each belongs to.
    site_positions : ndarray of float64, shape (n_sites, 3)
        The sites, put exactly onto the special positions they are near.
    """

    positions: NDArray[np.float64]
    site: NDArray[np.int64]
    site_positions: NDArray[np.float64]


def fill_cell(
    cell: NDArray[np.float64],
    operators: Sequence[str],
    sites: NDArray[np.float64],
    occupancy: NDArray[np.float64],
) -> FilledCell:
    """Apply all operators to the sites, merging images that coincide.

    Parameters
    ----------
    cell : ndarray, shape (6,)
        Ångström and degrees.
    operators : sequence of str
        A group, centring included.
    sites : ndarray, shape (n_sites, 3)
        Fractional coordinates.
    occupancy : ndarray, shape (n_sites,)

    Returns
    -------
    FilledCell
    """
    rotations, shifts = operators_of(tuple(operators))
    lattice = lattice_vectors(cell)

    positions, site, snapped_sites = [], [], []
    near = np.where(
        occupancy > (1 + OCCUPANCY_TOLERANCE) / 2, SPECIAL_POSITION_TOLERANCE, SPLIT_SITE_TOLERANCE
    )
    for number, (start, tolerance) in enumerate(zip(sites, near, strict=True)):
        offsets = rotations @ start + shifts - start
        offsets -= np.rint(offsets)
        # The operators that map a site onto itself form its site symmetry group, and the mean over
        # a group is the projection onto what the group leaves in place: the special position.
        stays = length(offsets, lattice) < tolerance
        snapped = start + offsets[stays].mean(axis=0)
        images = (rotations @ snapped + shifts) % 1.0
        snapped_sites.append(snapped)
        # Operators form a group, so what only the identity leaves in place has one image of each.
        atoms = images if stays.sum() == 1 else images[_first_of_each(images, lattice, tolerance)]
        positions.append(atoms)
        site.append(np.full(len(atoms), number))
    return FilledCell(np.concatenate(positions), np.concatenate(site), np.array(snapped_sites))


def lattice_vectors(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cell vectors as rows, shape (3, 3), ångström; the first along x."""
    return np.asarray(gemmi.UnitCell(*cell).orth.mat, dtype=np.float64).T


def cell_parameters(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a, b, c (ångström), alpha, beta, gamma (degrees), shape (6,), of cell vectors."""
    lengths = np.linalg.norm(lattice, axis=1)
    cosines = [
        lattice[i] @ lattice[j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    return np.concatenate([lengths, np.degrees(np.arccos(cosines))])


@lru_cache(maxsize=1024)
def operators_of(triplets: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotations, shape (n, 3, 3), and translations, shape (n, 3)."""
    try:
        ops = [gemmi.Op(triplet) for triplet in triplets]
    except RuntimeError as error:
        raise Exclusion(UNREADABLE, "symmetry operators") from error
    if not ops:
        raise Exclusion(UNREADABLE, "no symmetry operators")
    rotations, shifts = np.array([op.rot for op in ops]), np.array([op.tran for op in ops])
    return rotations / gemmi.Op.DEN, shifts / gemmi.Op.DEN


def _first_of_each(
    images: NDArray[np.float64], lattice: NDArray[np.float64], tolerance: float
) -> NDArray[np.bool_]:
    """Tell which images do not coincide with an earlier one."""
    # Most pairs are told apart by the distance of the planes that they lie on.
    planes = np.abs(wrapped(images[:, None, 0] - images[:, 0]))
    reach = 1.001 * tolerance * np.linalg.norm(np.linalg.inv(lattice)[:, 0])
    later, earlier = np.nonzero(np.tril(planes < reach, -1))
    coincide = length(wrapped(images[later] - images[earlier]), lattice) < tolerance
    first = np.ones(len(images), dtype=bool)
    first[later[coincide]] = False
    return first


def wrapped(fractional: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return differences of fractional coordinates less whole cells.

    Not always the nearest image in an oblique cell, but the right one for distances far below the
    cell's, which are all that is asked for here.
    """
    return fractional - np.rint(fractional)


def length(fractional: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return lengths in ångström of vectors in fractional coordinates, shape (..., 3)."""
    vectors = fractional.reshape(-1, 3) @ lattice  # one product, as a stack of them is slow
    squares: NDArray[np.float64] = np.einsum("ij,ij->i", vectors, vectors)
    return np.sqrt(squares).reshape(fractional.shape[:-1])
