"""Lattices where a mesh is hopeless: reduced cells from a low-discrepancy sequence.

A mesh grows exponentially with the number of free cell parameters. The first points of a
low-discrepancy sequence cover the same domain evenly at any number of lattices. The domain holds
each lattice once, whatever the order of its axes or the choice of its basis, so that neither tells
the space group.
"""

from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.designed._sequence import cells_of_sequence, check_domain
from sgbench.diffraction import FREE_PARAMETERS


@dataclass(frozen=True)
class ReducedCells:
    """A domain of reduced cells, and how many lattices are drawn from it.

    The domain of orthorhombic cells is a <= b <= c. Monoclinic cells have the two shortest vectors
    of their plane as a <= c and an obtuse angle between them, 0 <= -c cos(beta) <= a/2. Triclinic
    ones are reduced after Niggli (ITA section 3.1.3), a <= b <= c. Edges, and the cosines in units
    of their bounds, are uniform.

    Attributes
    ----------
    shortest, longest : float
        Bounds of the edges in ångström.
    count : int
        Lattices to train on; as many more of the sequence are the cells between them.
    """

    shortest: float
    longest: float
    count: int

    def __post_init__(self) -> None:
        check_domain(((self.shortest, self.longest),), self.count)

    @property
    def kind(self) -> str:
        """What its cells are called."""
        return "reduced"

    @property
    def largest_cell(self) -> tuple[float, ...]:
        """Upper bounds of the edges in ångström."""
        return (self.longest,) * 3

    def cells(self, family: str) -> NDArray[np.float64]:
        """Return the lattices to train on and then those between, shape (2 * count, p)."""
        return _cells(self, family)

    def describe(self, family: str) -> dict[str, str]:
        """Return its bounds in words."""
        return {"edges": f"{self.shortest:g}-{self.longest:g} Å, reduced cells of a sequence"}

    def contains(self, family: str, cell: ArrayLike) -> bool:
        """Tell whether a lattice given by a cell (a, b, c, alpha, beta, gamma) is in the domain."""
        edges = reduced_edges(family, np.asarray(cell, dtype=np.float64))
        return bool(np.all((edges >= self.shortest) & (edges <= self.longest)))


@lru_cache(maxsize=8)
def _cells(domain: ReducedCells, family: str) -> NDArray[np.float64]:
    def cells_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
        edges = domain.shortest + (domain.longest - domain.shortest) * points[:, :3]
        return reduced_cells(family, edges, points)

    return cells_of_sequence(2 * domain.count, len(FREE_PARAMETERS[family]), cells_of)


def reduced_cells(
    family: str, edges: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return cells with three edges that are reduced, leaving out what would not be.

    Parameters
    ----------
    family : {'orthorhombic', 'monoclinic', 'triclinic'}
    edges : ndarray, shape (n, 3)
        In ångström, in any order.
    points : ndarray, shape (n, p)
        Points of the unit cube; those from the fourth coordinate on choose the angles.

    Returns
    -------
    ndarray, shape (m, p), m <= n
    """
    if family == "orthorhombic":
        return np.sort(edges, axis=1)
    if family == "monoclinic":
        a, c = np.sort(edges[:, [0, 2]], axis=1).T
        beta = np.degrees(np.arccos(-points[:, 3] * a / (2 * c)))
        return np.stack([a, edges[:, 1], c, beta], axis=1)
    a, b, c = np.sort(edges, axis=1).T
    # Halves of the bounds |b.c| <= b^2/2, |a.c| <= a^2/2 and |a.b| <= a^2/2; all positive in cells
    # of type I, all negative in those of type II, which the first coordinate's halves choose.
    share = points[:, 3:].copy()
    obtuse = share[:, 0] >= 0.5
    share[:, 0] = (2 * share[:, 0]) % 1.0
    sign = np.where(obtuse, -1.0, 1.0)[:, None]
    products = sign * share * np.stack([b * b, a * a, a * a], axis=1) / 2
    cosines = products / np.stack([b * c, a * c, a * b], axis=1)
    # The shortest diagonal of an obtuse cell must not be shorter than c.
    is_reduced = ~obtuse | (-products.sum(axis=1) <= (a * a + b * b) / 2)
    angles = np.degrees(np.arccos(cosines))
    cells = np.concatenate([np.stack([a, b, c], axis=1), angles], axis=1)
    return np.asarray(cells[is_reduced], dtype=np.float64)


def reduced_edges(family: str, cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of the reduced cell that stands for a cell's lattice."""
    if family == "triclinic":
        vector = gemmi.GruberVector(gemmi.UnitCell(*cell), "P")
        vector.niggli_reduce()
        return np.array(vector.cell_parameters()[:3])
    if family == "monoclinic":
        angle = np.radians(cell[4])
        short = np.array([cell[0], 0.0])
        long = cell[2] * np.array([np.cos(angle), np.sin(angle)])
        while True:
            if short @ short > long @ long:
                short, long = long, short
            multiple = np.rint(short @ long / (short @ short))
            if multiple == 0:
                break
            long = long - multiple * short
        return np.array([np.linalg.norm(short), cell[1], np.linalg.norm(long)])
    return np.asarray(cell[:3])
