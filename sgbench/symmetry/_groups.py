"""Space groups in their standard settings, and their systematic absences.

Standard settings are those of gemmi: unique axis b for monoclinic groups, hexagonal axes
(obverse) for rhombohedral ones. The origin choice never changes an absence; the setting does.
"""

from functools import cache

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.errors import SgbenchError

#: Crystal families by the range of their space-group numbers. Trigonal and hexagonal groups share
#: one lattice metric, hence one family, as in the paper (Tables I and S3).
FAMILIES: dict[str, range] = {
    "triclinic": range(1, 3),
    "monoclinic": range(3, 16),
    "orthorhombic": range(16, 75),
    "tetragonal": range(75, 143),
    "trigonal-hexagonal": range(143, 195),
    "cubic": range(195, 231),
    "all": range(1, 231),
}

#: The families of the paper, in the order of its Table I.
PAPER_FAMILIES = ("cubic", "tetragonal", "trigonal-hexagonal")


def family_spacegroups(family: str) -> tuple[int, ...]:
    """Return the numbers of the space groups of a family.

    Raises
    ------
    SgbenchError
        If the family is unknown.
    """
    if family not in FAMILIES:
        raise SgbenchError(
            f"unknown family '{family}'; expected one of {', '.join(FAMILIES)}. "
            "Choose one of these names."
        )
    return tuple(FAMILIES[family])


def family_of(spacegroup: int) -> str:
    """Return the crystal family of a space group (1-230)."""
    _check(spacegroup)
    return next(name for name, numbers in FAMILIES.items() if spacegroup in numbers)


def crystal_system(spacegroup: int) -> str:
    """Return which of the seven crystal systems a space group (1-230) belongs to."""
    return str(_gemmi(spacegroup).crystal_system_str())


def system_labels(spacegroups: tuple[int, ...]) -> NDArray[np.int64]:
    """Return, for each space group given, the position of its system among those that occur.

    Systems follow each other in the order of their first space groups.
    """
    systems = [crystal_system(number) for number in spacegroups]
    known = list(dict.fromkeys(systems))
    return np.array([known.index(one) for one in systems], dtype=np.int64)


def spacegroup_symbol(spacegroup: int) -> str:
    """Return the Hermann-Mauguin symbol of the standard setting, e.g. ``P 42/n m c``."""
    return str(_gemmi(spacegroup).hm)


def absences(spacegroup: int, hkl: ArrayLike) -> NDArray[np.bool_]:
    """Tell which reflections are systematically absent (ITA section 1.6.3).

    Parameters
    ----------
    spacegroup : int
        Number of the space group, 1-230.
    hkl : array_like of int, shape (n, 3)
        Miller indices.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where the reflection is absent in every crystal of this group.
    """
    indices = np.ascontiguousarray(hkl, dtype=np.int32)
    if indices.ndim != 2 or indices.shape[1] != 3:
        raise SgbenchError(
            f"hkl has shape {indices.shape}; expected (n, 3). Pass one row a reflection."
        )
    return np.asarray(operations(spacegroup).systematic_absences(indices), dtype=bool)


@cache
def operations(spacegroup: int) -> gemmi.GroupOps:
    """Return the symmetry operations of the standard setting."""
    return _gemmi(spacegroup).operations()


def laue_class(spacegroup: int) -> str:
    """Return the Laue class, e.g. ``4/mmm``."""
    return str(_gemmi(spacegroup).laue_str())


def _gemmi(spacegroup: int) -> gemmi.SpaceGroup:
    _check(spacegroup)
    return gemmi.find_spacegroup_by_number(int(spacegroup))


def _check(spacegroup: int) -> None:
    if not 1 <= spacegroup <= 230:
        raise SgbenchError(
            f"space group {spacegroup} does not exist; expected a number from 1 to 230. "
            "Give the International Tables number."
        )
