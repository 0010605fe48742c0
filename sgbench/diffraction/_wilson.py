"""How strong lines of crystals are on average: Wilson's statistics, reflection by reflection.

For atoms at random positions, the squared structure factor of a reflection, divided by its mean
epsilon . sum f^2, is exponentially distributed where the reflection is acentric, and as the square
of a normal variable where it is centric (Wilson, Acta Cryst. 2, 318, 1949; ITB section 2.1).
epsilon is the number of rotations that keep the reflection where it is. A powder line adds the
reflections at one angle. Under a point group of order p, those related by symmetry (and Friedel's
law) are p / epsilon where they are centric and 2 p / epsilon where they are not, so that the
multiplicity cancels epsilon, and the line's intensity has a gamma distribution of scale 2 p and of
shape 1/2 for each centric and 1 for each acentric set of equivalent reflections that is not absent.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction._lines import lines_of, reflections
from sgbench.diffraction._protocol import PatternProtocol
from sgbench.symmetry import absences, family_spacegroups, operations


@lru_cache(maxsize=8)
def half_shapes(
    family: str, largest_cell: tuple[float, ...], protocol: PatternProtocol
) -> NDArray[np.int64]:
    """Return twice the shape of each line's gamma distribution.

    Parameters
    ----------
    family : str
    largest_cell : tuple of float
        Upper bounds of the free parameters in ångström.
    protocol : PatternProtocol

    Returns
    -------
    ndarray of int64, shape (n_spacegroups, n_lines)
        One for each centric and two for each acentric set of equivalent reflections; 0 where the
        line is absent. Lines are those of `reflection_table`; of those that not even the largest
        cell shows, some sets may be missing.
    """
    hkl = reflections(largest_cell, protocol)
    rows, line = lines_of(family, hkl)
    shapes = np.zeros((len(family_spacegroups(family)), len(rows)), dtype=np.int64)
    for number, group in enumerate(family_spacegroups(family)):
        rotations = np.unique(
            np.array([np.array(op.rot) // op.DEN for op in operations(group).sym_ops]), axis=0
        )
        images = np.stack([_packed(hkl @ rotation) for rotation in rotations])
        opposite = _packed(-hkl)
        centric = (images == opposite).any(axis=0)
        # The largest image of a reflection and of its Friedel mate names the set.
        highest = images.max(axis=0)
        inverse = np.stack([_packed(-hkl @ rotation) for rotation in rotations]).max(axis=0)
        first = (np.maximum(highest, inverse) == _packed(hkl)) & ~absences(group, hkl)
        np.add.at(shapes[number], line[first], np.where(centric[first], 1, 2))
    return shapes


def _packed(hkl: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each reflection, ordered as h, then k, then l."""
    base = 1 << 12
    h, k, low = (hkl + base // 2).T
    return np.asarray((h * base + k) * base + low, dtype=np.int64)
