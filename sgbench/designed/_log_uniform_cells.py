"""Cells over orders of magnitude: edges whose logarithms are uniform, up to a volume.

Edges of crystals spread over a factor of ten and more. A mesh of equal steps that reaches from the
shortest to the longest has almost all of its cells among the large ones.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.designed._reduced_cells import reduced_cells, reduced_edges
from sgbench.designed._sequence import cells_of_sequence, check_domain
from sgbench.diffraction import FREE_PARAMETERS, free_parameters, full_cell


@dataclass(frozen=True)
class LogUniformCells:
    """A domain of cells over all sizes of crystals, and how many lattices are drawn from it.

    The logarithms of the free edges are uniform and independent within their bounds, as far as the
    volume allows: what is larger is left out. So the volume is log-uniform, too, for cubic cells;
    of two edges its logarithm is the sum of two uniform numbers, cut off above. Cells with three
    free edges are reduced, as those of `ReducedCells`, and their angles are drawn as there.

    Attributes
    ----------
    edges : tuple of (float, float)
        Bounds of each free edge in ångström; three of them are alike, since reduction orders them.
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
        edges = reduced_edges(family, np.asarray(cell, float)) if len(self.edges) == 3 else free
        inside = all(
            low <= edge <= high for (low, high), edge in zip(self.edges, edges, strict=True)
        )
        return inside and bool(_volumes(family, free[None])[0] <= self.largest_volume)

    def describe(self, family: str) -> dict[str, str]:
        """Return its bounds in words."""
        # Angles, which follow the edges among the parameters, have no bounds here.
        bounds = zip(FREE_PARAMETERS[family], self.edges, strict=False)
        found = {name: f"{low:g}-{high:g} Å, log-uniform" for name, (low, high) in bounds}
        return found | {"volume": f"up to {self.largest_volume:g} Å³"}


@lru_cache(maxsize=8)
def _cells(domain: LogUniformCells, family: str) -> NDArray[np.float64]:
    low, high = np.log(domain.edges).T

    def allowed(points: NDArray[np.float64]) -> NDArray[np.float64]:
        cells = np.exp(low + (high - low) * points[:, : len(low)])
        if len(low) == 3:
            cells = reduced_cells(family, cells, points)
        return np.asarray(cells[_volumes(family, cells) <= domain.largest_volume])

    return cells_of_sequence(2 * domain.count, len(FREE_PARAMETERS[family]), allowed)


def _volumes(family: str, free: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c, *angles = full_cell(family, free).T
    alpha, beta, gamma = np.cos(np.radians(angles))
    squares = alpha**2 + beta**2 + gamma**2
    return np.asarray(a * b * c * np.sqrt(1 - squares + 2 * alpha * beta * gamma))
