"""What a crystal structure is, whatever source it comes from, and how its cell is filled."""

from collections import Counter
from dataclasses import dataclass
from math import gcd

import gemmi
import numpy as np
from numpy.typing import NDArray

#: Images of one site that lie closer than this (ångström) are the same atom on a special position;
#: published coordinates such as 0.333 miss it by up to some hundredths of an ångström.
SPECIAL_POSITION_TOLERANCE = 0.1

#: Atoms of a real crystal keep at least this distance (ångström); bonds to hydrogen, the shortest
#: there are, are seldom refined below 0.6.
SHORTEST_DISTANCE = 0.5


@dataclass(frozen=True)
class Structure:
    """A fully ordered crystal structure.

    Attributes
    ----------
    structure_id : str
        E.g. ``amcsd-0001234``.
    name : str
        Mineral, or formula of a compound without a name.
    spacegroup : int
        Number of the space group that the source labels it with.
    symbol : str
        The label itself, e.g. ``R -3 c``.
    cell : ndarray of float64, shape (6,)
        a, b, c in ångström, alpha, beta, gamma in degrees, in the setting of the source.
    operators : tuple of str
        All symmetry operators of that setting, centring included, e.g. ``-x,1/2+y,-z``.
    elements : tuple of str
        Element of each site of the asymmetric unit.
    positions : ndarray of float64, shape (n_sites, 3)
        Fractional coordinates of the sites, put exactly onto the special positions they are near.
    occupancies : ndarray of float64, shape (n_sites,)
    standard_cell : ndarray of float64, shape (6,)
        Conventional cell of the standard setting (hexagonal axes for rhombohedral groups).
    formula : str
        Reduced, in Hill order.
    n_atoms : int
        Atoms in the conventional cell.
    citation : str
    """

    structure_id: str
    name: str
    spacegroup: int
    symbol: str
    cell: NDArray[np.float64]
    operators: tuple[str, ...]
    elements: tuple[str, ...]
    positions: NDArray[np.float64]
    occupancies: NDArray[np.float64]
    standard_cell: NDArray[np.float64]
    formula: str
    n_atoms: int
    citation: str


@dataclass(frozen=True)
class Excluded:
    """An entry that is left out.

    Attributes
    ----------
    structure_id : str
    reason : str
        One of a few phrases, so that they can be counted.
    """

    structure_id: str
    reason: str


@dataclass(frozen=True)
class FilledCell:
    """All atoms of a cell.

    Attributes
    ----------
    positions : ndarray of float64, shape (n_atoms, 3)
        Fractional coordinates in [0, 1).
    site : ndarray of int64, shape (n_atoms,)
        Site of the asymmetric unit that each atom is an image of.
    site_positions : ndarray of float64, shape (n_sites, 3)
        The sites, put exactly onto the special positions they are near.
    shortest_distance : float
        Between any two atoms, in ångström; infinite for a single one.
    """

    positions: NDArray[np.float64]
    site: NDArray[np.int64]
    site_positions: NDArray[np.float64]
    shortest_distance: float


def fill_cell(
    cell: NDArray[np.float64], operators: tuple[str, ...], sites: NDArray[np.float64]
) -> FilledCell:
    """Apply all operators to the sites, merging images that coincide.

    Parameters
    ----------
    cell : ndarray, shape (6,)
        Ångström and degrees.
    operators : tuple of str
    sites : ndarray, shape (n_sites, 3)
        Fractional coordinates.

    Returns
    -------
    FilledCell
    """
    ops = [gemmi.Op(operator) for operator in operators]
    rotations = np.array([op.rot for op in ops]) / gemmi.Op.DEN
    shifts = np.array([op.tran for op in ops]) / gemmi.Op.DEN
    lattice = lattice_vectors(cell)

    positions, site, snapped_sites = [], [], []
    for number, start in enumerate(sites):
        offsets = rotations @ start + shifts - start
        offsets -= np.rint(offsets)
        # The operators that map a site onto itself form its site symmetry group, and the mean over
        # a group is the projection onto what the group leaves in place: the special position.
        stays = _length(offsets, lattice) < SPECIAL_POSITION_TOLERANCE
        snapped = start + offsets[stays].mean(axis=0)
        images = (rotations @ snapped + shifts) % 1.0
        snapped_sites.append(snapped)
        atoms = images[_first_of_each(images, lattice)]
        positions.append(atoms)
        site.append(np.full(len(atoms), number))

    every = np.concatenate(positions)
    shortest = np.inf
    for number, snapped in enumerate(snapped_sites):
        # Symmetry makes every pair equivalent to one with an atom of the asymmetric unit.
        distances = _length(_wrapped(every - snapped), lattice)
        own = np.argmin(np.where(np.concatenate(site) == number, distances, np.inf))
        distances[own] = np.inf
        shortest = min(shortest, float(distances.min()))
    return FilledCell(every, np.concatenate(site), np.array(snapped_sites), shortest)


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


def hill_formula(elements: list[str]) -> str:
    """Return the reduced formula of a list of atoms in Hill order, e.g. ``CCaO3``."""
    counts = Counter(elements)
    divisor = gcd(*counts.values())
    first = ("C", "H") if "C" in counts else ()
    order = sorted(counts, key=lambda e: (first.index(e) if e in first else len(first), e))
    return "".join(f"{e}{n if n > 1 else ''}" for e in order for n in (counts[e] // divisor,))


def _first_of_each(images: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which images do not coincide with an earlier one."""
    pairs = _length(_wrapped(images[:, None] - images[None]), lattice)
    repeats = np.tril(pairs < SPECIAL_POSITION_TOLERANCE, k=-1)
    return np.asarray(~repeats.any(axis=1))


def _wrapped(fractional: NDArray[np.float64]) -> NDArray[np.float64]:
    # Not always the nearest image in an oblique cell, but the right one for distances far below
    # the cell's, which are all that is asked for here.
    return fractional - np.rint(fractional)


def _length(fractional: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm(fractional @ lattice, axis=-1)
    return lengths
