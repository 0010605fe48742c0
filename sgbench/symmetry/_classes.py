"""Extinction classes: space groups with the same systematic absences up to relabelling of axes."""

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import gemmi
import numpy as np
from numpy.typing import NDArray

from sgbench.errors import SgbenchError
from sgbench.symmetry._conditions import (
    DIRECTIONS,
    ReflectionCondition,
    Zone,
    reflection_conditions,
    zone_forms,
)
from sgbench.symmetry._groups import absences, family_of, laue_class

#: Version of the map from space groups to extinction classes; a change of any class, or of their
#: order, raises it.
CLASS_MAP_VERSION = 1

# Every modulus in a reflection condition divides 4 or 6, so indices up to 12 show each of them
# more than once, in every zone.
_INDEX_LIMIT = 12

_FIRST_OF_ALIKE = {"43": "41", "32": "31", "62": "31", "64": "31", "65": "61"}


@dataclass(frozen=True)
class ExtinctionClass:
    """Space groups that no powder pattern with free intensities can tell apart.

    Attributes
    ----------
    symbol : str
        Extinction symbol (ITA Table 3.1.4.1), e.g. ``P 42/n - -``, as the lowest-numbered member
        has it in its standard setting.
    spacegroups : tuple of int
        The members, ascending.
    conditions : tuple of ReflectionCondition
        Independent reflection conditions of the lowest-numbered member.
    laue_classes : tuple of str
        Laue classes of the members, in the order of the members.
    """

    symbol: str
    spacegroups: tuple[int, ...]
    conditions: tuple[ReflectionCondition, ...]
    laue_classes: tuple[str, ...]


@cache
def extinction_classes(spacegroups: tuple[int, ...]) -> tuple[ExtinctionClass, ...]:
    """Sort space groups into extinction classes.

    A powder pattern does not label axes, so groups whose absences agree after a relabelling that
    keeps the crystal family (a permutation of orthorhombic axes, another choice of the monoclinic a
    and c) fall together.

    Parameters
    ----------
    spacegroups : tuple of int
        Numbers of space groups, of one family or several.

    Returns
    -------
    tuple of ExtinctionClass
        Ascending by lowest member.
    """
    if not spacegroups:
        raise SgbenchError("no space group was given; expected at least one. Name a family.")
    members: dict[tuple[str, bytes], list[int]] = {}
    for number in sorted(set(spacegroups)):
        members.setdefault((family_of(number), _signature(number)), []).append(number)
    return tuple(
        ExtinctionClass(
            symbol=_extinction_symbol(numbers[0]),
            spacegroups=tuple(numbers),
            conditions=reflection_conditions(numbers[0]),
            laue_classes=tuple(dict.fromkeys(laue_class(n) for n in numbers)),
        )
        for numbers in members.values()
    )


def class_labels(spacegroups: tuple[int, ...]) -> NDArray[np.int64]:
    """Return, for each space group given, the position of its class in `extinction_classes`."""
    position = {
        number: index
        for index, cls in enumerate(extinction_classes(spacegroups))
        for number in cls.spacegroups
    }
    return np.array([position[number] for number in spacegroups], dtype=np.int64)


@cache
def _signature(spacegroup: int) -> bytes:
    """Return the absences on a grid of indices, the same for all labellings of the axes."""
    hkl = _index_grid()
    return min(
        np.packbits(absences(spacegroup, hkl @ matrix)).tobytes()
        for matrix in relabellings(family_of(spacegroup))
    )


@cache
def _index_grid() -> NDArray[np.int32]:
    axis = np.arange(-_INDEX_LIMIT, _INDEX_LIMIT + 1, dtype=np.int32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def relabellings(family: str) -> tuple[NDArray[np.int32], ...]:
    """Return the changes of axes that leave a family's form of cell as it is, as matrices on hkl.

    Conditions on h0l of monoclinic groups are all mod 2, so the six changes of (a, c) that differ
    mod 2 stand for the infinitely many.
    """
    identity = np.eye(3, dtype=np.int32)
    if family == "orthorhombic":
        return tuple(identity[list(order)] for order in permutations(range(3)))
    if family == "monoclinic":
        changes = (
            (1, 0, 0, 1),
            (0, 1, 1, 0),
            (1, 1, 0, 1),
            (1, 0, 1, 1),
            (0, 1, -1, -1),
            (1, 1, -1, 0),
        )
        return tuple(
            np.array([[p, 0, q], [0, 1, 0], [r, 0, s]], dtype=np.int32) for p, q, r, s in changes
        )
    return (identity,)


def _extinction_symbol(spacegroup: int) -> str:
    """Keep of the Hermann-Mauguin symbol what extinguishes and does not follow from the rest."""
    # Enantiomorphs and 6(2), 6(4) extinguish alike; tables name the class by the first of them.
    lattice, *tokens = gemmi.find_spacegroup_by_number(spacegroup).hm.split()
    directions = DIRECTIONS[family_of(spacegroup)]
    if lattice == "R":
        directions = directions[:2]
    kept = []
    for position, direction in enumerate(directions):
        token = tokens[position] if position < len(tokens) else "1"
        kept.append(_extinguishing_part(spacegroup, token, direction))
    return " ".join([lattice, *kept])


def _extinguishing_part(spacegroup: int, token: str, direction: tuple[Zone, Zone] | None) -> str:
    if direction is None:
        return "-"
    plane_zone, axis_zone = direction
    axis, _, plane = token.partition("/")
    if axis in "abcdemn":
        axis, plane = "", axis
    parts = [
        part
        for part, zone in ((axis, axis_zone), (plane, plane_zone))
        if part and len(set(zone_forms(spacegroup, zone))) == 2
    ]
    return _FIRST_OF_ALIKE.get(parts[0], "/".join(parts)) if parts else "-"
