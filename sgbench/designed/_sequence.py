"""Cells of a low-discrepancy sequence, which cover a domain evenly however many are taken."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sgbench.errors import SgbenchError

_MOST_LATTICES = 1_000_000
# Powers -1, -2, … of the generalised golden ratio of each dimension. They are written down, because
# those that processors compute differ in the last digit, and cells far along the sequence in the
# seventh of an angle. These are the digits of published data.
_STEPS = {
    1: (0.6180339887498948,),
    2: (0.7548776662466927, 0.5698402909980532),
    3: (0.8191725133961644, 0.6710436067037892, 0.5497004779019702),
    4: (0.8566748838545029, 0.7338918566271259, 0.6287067210378086, 0.53859725722361),
    6: (
        0.8986537126286992, 0.8075784952213447, 0.7257334129697597, 0.6521830259439715,
        0.5860866975779693, 0.5266889867007357,
    ),
}  # fmt: skip


def check_domain(edges: Sequence[tuple[float, float]], count: int) -> None:
    """Raise an error if bounds of edges are empty, or lattices are none or too many."""
    for shortest, longest in edges:
        if not (0 < shortest < longest and 1 <= count <= _MOST_LATTICES):
            raise SgbenchError(
                f"the domain {shortest:g}-{longest:g} Å with {count} lattices is empty or too "
                f"large; expected shortest < longest and 1 to {_MOST_LATTICES} lattices. Mend it."
            )


def cells_of_sequence(
    count: int, dimension: int, cells_of: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the first cells of a sequence, shape (count, p), which cannot be written to.

    Parameters
    ----------
    count : int
    dimension : int
        Of the unit cube that the sequence fills.
    cells_of : callable
        Takes points of the cube, shape (n, dimension); returns the cells of those that stand for
        one, in their order.
    """
    found: list[NDArray[np.float64]] = []
    first, missing = 0, count
    while missing > 0:
        points = kronecker(first, 2 * missing, dimension)
        cells = cells_of(points)[:missing]
        first += len(points)
        missing -= len(cells)
        found.append(cells)
    result = np.concatenate(found)
    result.setflags(write=False)
    return result


def kronecker(first: int, count: int, dimension: int) -> NDArray[np.float64]:
    """Return points first, first + 1, … of a Kronecker sequence in the unit cube.

    Its steps are powers of the generalised golden ratio, the root of x^(d+1) = x + 1 (Roberts, "The
    unreasonable effectiveness of quasirandom sequences", 2018).
    """
    # The point before the first is the centre of the cube, where edges are equal.
    index = np.arange(first + 1, first + count + 1, dtype=np.float64)[:, None]
    return np.asarray((0.5 + index * _STEPS[dimension]) % 1.0)
