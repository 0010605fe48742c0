"""Cells over orders of magnitude: edges whose logarithms are uniform, up to a volume.

Edges of crystals spread over a factor of ten and more. A mesh of equal steps that reaches from the
shortest to the longest has almost all of its cells among the large ones.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.designed._sequence import cells_of_sequence, check_domain
from sgbench.diffraction import FREE_PARAMETERS, free_parameters

# Volume of a cell by the product of its three edges.
_VOLUME = {"cubic": 1.0, "tetragonal": 1.0, "trigonal-hexagonal": np.sqrt(0.75)}


@dataclass(frozen=True)
class LogUniformCells:
    """A domain of cells with one or two free edges, and how many lattices are drawn from it.

    The logarithms of the free edges are uniform and independent within their bounds, as far as the
    volume allows: what is larger is left out. So the volume is log-uniform, too, for cubic cells;
    of two edges its logarithm is the sum of two uniform numbers, cut off above.

    Attributes
    ----------
    edges : tuple of (float, float)
        Bounds of each free edge in ångström.
    largest_volume : float
        Of a cell, cubic ångström.
    count : int
        Lattices to train on; as many more of the sequence are the cells between them.
    """

    edges: tuple[tuple[float, float], ...]
    largest_volume: float
    count: int

    def __post_init__(self) -> None:
        check_domain(self.edges, self.count)

    @property
    def kind(self) -> str:
        """What its cells are called."""
        return "log-uniform"

    @property
    def shortest(self) -> float:
        """Lower bound of all edges in ångström."""
        return min(shortest for shortest, _ in self.edges)

    @property
    def largest_cell(self) -> tuple[float, ...]:
        """Upper bounds of the free edges in ångström."""
        return tuple(longest for _, longest in self.edges)

    def cells(self, family: str) -> NDArray[np.float64]:
        """Return the lattices to train on and then those between, shape (2 * count, p)."""
        return _cells(self, family)

    def contains(self, family: str, cell: ArrayLike) -> bool:
        """Tell whether a lattice given by a cell (a, b, c, alpha, beta, gamma) is in the domain."""
        free = free_parameters(family, cell, tolerance=0.05)
        inside = all(
            low <= edge <= high for (low, high), edge in zip(self.edges, free, strict=True)
        )
        return inside and bool(_volumes(family, free[None])[0] <= self.largest_volume)

    def describe(self, family: str) -> dict[str, str]:
        """Return its bounds in words."""
        bounds = zip(FREE_PARAMETERS[family], self.edges, strict=True)
        found = {name: f"{low:g}-{high:g} Å, log-uniform" for name, (low, high) in bounds}
        return found | {"volume": f"up to {self.largest_volume:g} Å³"}


@lru_cache(maxsize=8)
def _cells(domain: LogUniformCells, family: str) -> NDArray[np.float64]:
    low, high = np.log(domain.edges).T

    def allowed(points: NDArray[np.float64]) -> NDArray[np.float64]:
        cells = np.exp(low + (high - low) * points)
        return np.asarray(cells[_volumes(family, cells) <= domain.largest_volume])

    return cells_of_sequence(2 * domain.count, len(low), allowed)


def _volumes(family: str, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    # Families of one or two free edges have a = b.
    return np.asarray(_VOLUME[family] * cells[:, 0] ** 2 * cells[:, -1])
